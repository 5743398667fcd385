"""How soon shopfloor answers, and how much a model has to read before its first word.

    python bench/start.py [--rounds 7] [--folder FOLDER]

`run` is timed from the start of the process to the arrival of its first request, in a git repository of a few files,
with the same home from round to round: the first round, on its own line, makes what later ones find. A token is
counted as 4 bytes of the request. It does not know how long a model takes to answer.
"""

import argparse
import asyncio
import resource
import statistics
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from parts.clients import SHOPFLOOR, environment, headline, run_words, say, show, workplace
from parts.provider import echoes, play

from shopfloor.domain.messages import Conversation, ConversationKey, Message, Model, OnDelta, Reply, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.anthropic_messages import AnthropicMessages
from shopfloor.models.openai_chat import OpenAIChat
from shopfloor.models.script import Address, Answer
from shopfloor.models.scripted import ScriptedModel
from shopfloor.models.wire import Wire
from shopfloor.testing.workshop import Workshop, call, make_repository, plan

HELP_CPU_S = 0.3
FIRST_REQUEST_S = 0.6
WORKER_TOKENS = 3_000
BYTES_PER_TOKEN = 4
CHECK = "python3 -m unittest test_greet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where to write: a real disk, not tmpfs; default here")
    given = parser.parse_args()
    headline(str(__doc__).splitlines()[0])
    with workplace(given.folder) as place:
        start_times(place, given.rounds)
        first_prompts(place)


# --- how soon it answers -----------------------------------------------------------------------------------------


def start_times(place: Path, rounds: int) -> None:
    plain = {name: [command(place, name) for _ in range(rounds + 1)][1:] for name in ("--version", "--help")}
    first, *later = [to_first_request(place) for _ in range(rounds + 1)]
    timings = {f"shopfloor {name}": taken for name, taken in plain.items()}
    timings |= {"shopfloor run, first of all": [first], "shopfloor run, to its first request": later}
    rows = [(name, f"{medians(taken)[0]:.2f}", f"{medians(taken)[1]:.2f}") for name, taken in timings.items()]
    show("Starting", ("", "wall s", "CPU s"), rows)
    cpu, wall = medians(plain["--help"])[1], medians(later)[0]
    say("CPU of shopfloor --help", f"{cpu:.2f} s", f"under {HELP_CPU_S} s", held=cpu < HELP_CPU_S)
    say(
        "shopfloor run to its first request",
        f"{wall:.2f} s",
        f"at most {FIRST_REQUEST_S} s",
        held=wall <= FIRST_REQUEST_S,
    )


def command(place: Path, flag: str) -> tuple[float, float]:
    """Wall and CPU seconds of a command that only prints."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run((*SHOPFLOOR, flag), env=environment(place), capture_output=True, check=True)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def to_first_request(place: Path) -> tuple[float, float]:
    played = asyncio.run(play(run_words(place), echoes(0), environment(place), cwd=place))
    return played.exchanges[0].arrived - played.started, played.memory[0].cpu_s


def medians(timings: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(wall for wall, _ in timings), statistics.median(cpu for _, cpu in timings)


# --- what a model reads first ------------------------------------------------------------------------------------


class Prompt(NamedTuple):
    """What a role's first request is made of, and what is said in its conversation."""

    system: str
    tools: tuple[ToolSpec, ...]
    messages: list[Message]


class Noted:
    """A conversation that notes what is said in it."""

    def __init__(self, inner: Conversation, messages: list[Message]) -> None:
        self._inner = inner
        self._messages = messages

    @property
    def prompt_bytes(self) -> int:
        return self._inner.prompt_bytes

    def append(self, message: Message) -> None:
        self._messages.append(message)
        self._inner.append(message)

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        return await self._inner.reply(on_delta)


class Listener:
    """A model that notes each role's first prompt on its way to another."""

    def __init__(self, inner: Model) -> None:
        self._inner = inner
        self.prompts: dict[str, Prompt] = {}

    @property
    def name(self) -> str:
        return self._inner.name

    def price(self, usage: Usage, /) -> float | None:
        return self._inner.price(usage)

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        prompt = Prompt(system, tools, [])
        self.prompts.setdefault(key.role, prompt)
        return Noted(self._inner.open(key, system, tools), prompt.messages)


def first_prompts(place: Path) -> None:
    listener = Listener(ScriptedModel(mission_script()))
    repository = make_repository(place / "small", {"greet.py": "def greet(name):\n    return name\n"})
    shop = Workshop(repository=repository, state=place / "small-state", model=listener)
    shop.mission("Greet people by their name.")
    shop.solo("Greet people by their name.")
    headings = ("role", "tools", "their tokens", "system", "task", "whole request, OpenAI", "Anthropic")
    rows = [(role, str(len(prompt.tools)), *row_of(prompt)) for role, prompt in listener.prompts.items()]
    show("First prompts, in a repository without words of its own", headings, rows)
    worker = max(request_tokens(wire, listener.prompts["worker"]) for wire in (OpenAIChat(), AnthropicMessages()))
    say("first prompt of a worker", f"{worker:,} tokens", f"at most {WORKER_TOKENS:,}", held=worker <= WORKER_TOKENS)


def row_of(prompt: Prompt) -> tuple[str, ...]:
    wire = OpenAIChat()
    without_tools = request_tokens(wire, prompt._replace(tools=()))
    sizes = (
        request_tokens(wire, prompt) - without_tools,
        len(prompt.system.encode()) // BYTES_PER_TOKEN,
        len(prompt.messages[0].text.encode()) // BYTES_PER_TOKEN,
        request_tokens(wire, prompt),
        request_tokens(AnthropicMessages(), prompt),
    )
    return tuple(f"{size:,}" for size in sizes)


def request_tokens(wire: Wire, prompt: Prompt) -> int:
    head, first = wire.head("model", prompt.system, prompt.tools), wire.message(prompt.messages[0])
    return len(head.data + first.data + wire.tail) // BYTES_PER_TOKEN


def mission_script() -> dict[Address, tuple[Answer, ...]]:
    """A mission that adds one function: every role speaks at least once."""
    assertion = {"id": "VAL-GREET-001", "title": "greet greets", "surface": "library"}
    assertion["behaviour"] = "When greet('you') is called, then it returns 'hello you'."
    feature = {"id": "greet", "title": "Greet", "description": "greet(name) greets.", "claims": ["VAL-GREET-001"]}
    test = "import unittest\nfrom greet import greet\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n"
    test += "        self.assertEqual(greet('you'), 'hello you')\n        self.assertEqual(greet('me'), 'hello me')\n"
    checks = [{"assertions": ["VAL-GREET-001"], "command": CHECK, "files": ["test_greet.py"]}]
    good = "def greet(name):\n    return 'hello ' + name\n"
    ran = [{"command": CHECK, "exit_code": 0}]
    return {
        ("orchestrator",): (plan("Greeting", [assertion], [feature]),),
        ("test-writer",): (call("write", path="test_greet.py", content=test), call("submit_checks", checks=checks)),
        ("worker",): (
            call("write", path="greet.py", content=good),
            call("shell", command=CHECK),
            call("hand_off", summary="it greets", done="greet", commands=ran),
        ),
        ("reviewer",): (call("submit_review", findings=[]),),
        ("solo",): (call("shell", command=CHECK),),
    }


if __name__ == "__main__":
    main()
