"""The first prompt of every role, word for word as it is sent, and what it weighs."""

from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec
import pytest

from shopfloor.domain.events import AgentStarted
from shopfloor.domain.messages import Conversation, ConversationKey, Model, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.scripted import ScriptedModel
from shopfloor.settings import Settings
from shopfloor.testing.workshop import Workshop, call, make_repository, plan

TODO = """\
import sys

print(f"{len(sys.argv) - 1} words")
"""
TODO_TEST = """\
import subprocess
import unittest


class TodoTest(unittest.TestCase):
    def test_counts(self):
        said = subprocess.run(["python3", "todo.py", "a"], capture_output=True, text=True).stdout
        self.assertEqual(said, "1 words\\n")
"""
RULES = "Use the standard library only.\n"
CHECK = """\
import unittest

import words


class CountTest(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(words.count("a b"), 2)
        self.assertEqual(words.count(""), 0)
"""
WORDS = "def count(text):\n    return len(text.split())\n"
COMMAND = "python3 -m unittest test_words -v"
PLAN = plan(
    "Words are counted",
    [
        {
            "id": "VAL-WORDS-001",
            "title": "words are counted",
            "behaviour": "When count('a b') is called, then it returns 2; count('') returns 0.",
            "surface": "library",
            "negative": "Blanks are never counted.",
        },
        {
            "id": "VAL-TODO-001",
            "title": "the program says how many",
            "behaviour": "When `python3 todo.py a b` runs, then it prints '2 words'; without words, '0 words'.",
            "surface": "terminal",
            "guard": True,
        },
    ],
    [
        {
            "id": "count",
            "title": "Count words",
            "description": "words.py gets count(text).",
            "claims": ["VAL-WORDS-001", "VAL-TODO-001"],
        }
    ],
    published="`python3 todo.py WORDS` prints how many words it was given.",
    assumptions=["Words are separated by blanks."],
)
CHECKS = [{"assertions": ["VAL-WORDS-001"], "command": COMMAND, "files": ["test_words.py"]}]
SHOWN = [{"assertion": "VAL-TODO-001", "verdict": "passed", "evidence": ["E1"], "reason": "2 words"}]
FOUND = {"severity": "P1", "text": "count(None) raises", "path": "words.py", "line": 2}
SCRIPT = {
    ("orchestrator",): [PLAN],
    ("test-writer",): [call("write", path="test_words.py", content=CHECK), call("submit_checks", checks=CHECKS)],
    ("worker",): [
        call("write", path="words.py", content=WORDS),
        call("shell", command=COMMAND),
        call(
            "hand_off", summary="Splitting was easiest.", done="count", commands=[{"command": COMMAND, "exit_code": 0}]
        ),
    ],
    ("reviewer",): [call("submit_review", findings=[FOUND])],
    ("refuter",): [call("submit_refutations", findings=[{"number": 1, "refuted": True, "why": "words.py:1 splits"}])],
    ("user-tester",): [
        call("terminal", do="start", text="python3 todo.py a b"),
        call("submit_verdicts", verdicts=SHOWN),
    ],
    ("solo",): ["Nothing had to be done."],
}


class Opened:
    """A model behind another one, that keeps what its conversations were opened with."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.opened: dict[str, tuple[str, tuple[ToolSpec, ...]]] = {}

    @property
    def name(self) -> str:
        return self._model.name

    def price(self, usage: Usage, /) -> float | None:
        return self._model.price(usage)

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        self.opened[key.role] = (system, tools)
        return self._model.open(key, system, tools)


class Prompts:
    """The first prompts of one scripted mission and one scripted run, by role."""

    def __init__(self, folder: Path) -> None:
        files = {"todo.py": TODO, "AGENTS.md": RULES, "test_todo.py": TODO_TEST}
        self.model = Opened(ScriptedModel(SCRIPT))
        self.workshop = Workshop(
            repository=make_repository(folder / "repo", files),
            state=folder / "state",
            model=self.model,
            settings=Settings(sandbox="none", auto="high"),
        )
        self.mission = self.workshop.mission("Count the words")
        self.run = self.workshop.solo("Count the words")
        self.started = anyio.run(self._read)

    async def _read(self) -> dict[str, tuple[str, str]]:
        """System text and task of each role's first agent."""
        found: dict[str, tuple[str, str]] = {}
        async with self.workshop.factory() as factory:
            for stream in await factory.journal.streams("agent/"):
                first = (await factory.journal.read(stream.name))[0].event
                if isinstance(first, AgentStarted):
                    found.setdefault(first.role, (factory.blobs.get(first.system).decode(), first.task.text))
        return found


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Prompts:
    return Prompts(tmp_path_factory.mktemp("prompts"))


def test_the_mission_behind_these_prompts_is_a_good_one(prompts: Prompts) -> None:
    """Else its prompts would show only half of the story."""
    assert (prompts.mission.exit, prompts.mission.verified) == ("done", True), prompts.mission.reason
    assert prompts.run.exit == "done"


@pytest.mark.parametrize(
    "role", ["orchestrator", "test-writer", "worker", "solo", "reviewer", "refuter", "user-tester"]
)
def test_the_first_prompt_of_a_role_is_what_its_golden_file_says(
    prompts: Prompts, golden: Callable[[str, str], None], role: str
) -> None:
    """Prompts are product copy: every change of them is seen, and meant."""
    system, task = prompts.started[role]
    names = ", ".join(spec.name for spec in prompts.model.opened[role][1])
    assert prompts.model.opened[role][0] == system
    golden(f"prompts/{role}.md", f"<!-- system -->\n{system}\n<!-- task -->\n{task}\n<!-- tools: {names} -->\n")


def test_what_a_worker_is_sent_first_is_small(prompts: Prompts, record_property: Callable[[str, object], None]) -> None:
    """System, task and tools, without the repository's own texts, are 3,000 tokens at most: it is paid every turn."""
    system, tools = prompts.model.opened["worker"]
    task = prompts.started["worker"][1]
    own = task[task.index("# Your feature") :]
    parts = {"system": system, "task": own, "tools": msgspec.json.encode(tools).decode()}
    tokens = {name: len(text.encode()) // 4 for name, text in parts.items()}

    total = sum(tokens.values())
    print(f"\nfirst prompt of a worker: {total:,} tokens {tokens}")
    record_property("worker_first_prompt_tokens", total)
    assert total <= 3_000


def test_agents_of_a_role_share_their_system_text(prompts: Prompts) -> None:
    """Nothing in it comes from the repository, the task or a clock: it is the same bytes everywhere."""
    for role, (system, _) in prompts.started.items():
        assert "Count" not in system, role
        assert "standard library only" not in system, role


def test_no_judge_is_shown_the_worker_s_words(prompts: Prompts) -> None:
    """Not its summary, nor its reasoning; the user tester is not even shown a path of the source."""
    assert "words.py gets" in prompts.started["reviewer"][1]  # the plan's words: what was asked
    assert "Splitting was" not in prompts.started["reviewer"][1]
    assert "words.py" not in prompts.started["user-tester"][1]
    assert "VAL-WORDS-001" not in prompts.started["user-tester"][1]
