"""Everything that goes wrong says what happened and what to do, with an exit code of its own, and touches nothing."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import msgspec
import pytest

from shopfloor.domain.events import AgentCorrected, AgentEnded, MissionRequested, ToolReturned
from shopfloor.faces.cli import exits
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.models.mock_provider import MockProvider, Served
from shopfloor.models.script import Answer, ScriptedCall
from shopfloor.testing import notes
from shopfloor.testing.commands import Command, Person, write_script
from shopfloor.testing.subtraction import ALONE, BRIEF, BUILD, FILES, GOOD, MISSION, SCRIPT
from shopfloor.testing.workshop import call, git, make_repository, plan, write_files

TASK = "Look around"
RUN = "look-around-1"
SOLO = f"agent/{RUN}/solo/1"
DONE = {("solo",): ("Nothing to do.",)}
WRITES = {("solo",): (*ALONE[("solo",)][:1], "Done.")}
OWN_RISK = ("--sandbox", "none", "--auto", "high")
needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
TOOLS = ("bash", "cat", "env", "git", "mkdir", "rm", "sed", "sh")
"""All that a machine without bubblewrap and without Chromium has to offer."""


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", FILES)) as somebody:
        yield somebody


def with_files(person: Person, files: Mapping[str, str]) -> Person:
    """The same person, with more committed files."""
    write_files(person.repository, files)
    git(person.repository, "add", "-A")
    git(person.repository, "commit", "-qm", "More")
    return person


def settled(person: Person, text: str) -> Person:
    """The same person, with these settings."""
    write_files(person.settings.parent, {person.settings.name: text})
    return person


def without_tools(person: Person, folder: Path) -> Person:
    """The same person on a machine with no bubblewrap and no browser."""
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    (folder / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3"))
    return replace(person, environment={"PATH": str(folder), "HOME": str(folder)})


def free_port() -> int:
    """A port of this machine: without a sandbox there is no other."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def refs(person: Person) -> list[str]:
    return git(person.repository, "for-each-ref", "--format=%(refname)").split()


# --- models -----------------------------------------------------------------------------------------------------


def test_no_key(person: Person) -> None:
    """The variable to set is named, and nothing was begun."""
    done = person.runs("run", TASK, "--model", "anthropic:claude-sonnet")

    words = "shopfloor: No key for 'anthropic': set the environment variable ANTHROPIC_API_KEY."
    assert done == (exits.GAVE_UP, words)
    assert refs(person) == ["refs/heads/main"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wizard", "'wizard' names no model. Write PROVIDER:MODEL; providers are anthropic, openai,"),
        ("antropic:claude", "No provider is called 'antropic'. Did you mean 'anthropic:claude'?"),
    ],
)
def test_a_name_that_is_no_model(name: str, words: str, person: Person) -> None:
    """What was meant is guessed, or the choices are listed."""
    done = person.runs("run", TASK, "--model", name)

    assert (done.exit_code, words in done.said) == (exits.GAVE_UP, True), done.said


def test_a_resume_with_no_such_model_leaves_the_mission_as_it_was(person: Person, tmp_path: Path) -> None:
    """A mistyped name, or a key that a new terminal lacks, ends nothing: the next resume goes on."""
    script = write_script(tmp_path / "script.json", SCRIPT)
    planned = person.runs("mission", BRIEF, "--plan-only", "--model", script)
    mistyped = person.runs("mission", "resume", MISSION, "--yes", "--model", "wizard")
    keyless = person.runs("mission", "resume", MISSION, "--yes", "--model", "anthropic:claude-sonnet")
    done = person.runs("mission", "resume", MISSION, "--yes", "--model", script)

    assert (planned.exit_code, "VAL-CALC-001" in planned.said) == (exits.NEEDS_PERSON, True), planned.said
    assert f"shopfloor mission resume {MISSION} --yes" in planned.said
    assert (mistyped.exit_code, keyless.exit_code) == (exits.GAVE_UP, exits.GAVE_UP)
    assert "names no model" in mistyped.said and "set the environment variable" in keyless.said
    assert done.exit_code == exits.VERIFIED, done.said


def test_a_brief_that_nobody_could_read_is_refused(person: Person, tmp_path: Path) -> None:
    """Nothing of it is cut in silence."""
    (tmp_path / "long.md").write_text("It shall be so.\n" * 4000)
    script = write_script(tmp_path / "script.json", SCRIPT)
    done = person.runs("mission", "-f", str(tmp_path / "long.md"), "--model", script)

    assert (done.exit_code, "The brief has 64,000 bytes" in done.said) == (exits.GAVE_UP, True), done.said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd7\xff", "it is no text in UTF-8"),
        (b"a\0b", "it is no text, for it holds a NUL"),
        (None, "No such file or directory."),
    ],
)
def test_a_brief_that_is_no_text_is_refused(content: bytes | None, words: str, person: Person, tmp_path: Path) -> None:
    """With its name, before anything is asked of anybody."""
    if content is not None:
        (tmp_path / "brief.md").write_bytes(content)
    done = person.runs("mission", "-f", str(tmp_path / "brief.md"), "--model", "scripted:none")

    assert (done.exit_code, words in done.said, "brief.md' " in done.said) == (exits.GAVE_UP, True, True), done.said


def test_a_title_that_no_command_line_could_hold(person: Person, tmp_path: Path) -> None:
    """What a model puts into its plan cannot stop the mission that carries it."""
    asserted = {"id": "VAL-CALC-001", "title": "Sub\0tract", "behaviour": "subtract(5, 3) is 2.", "surface": "library"}
    feature = {"id": "subtract", "title": "Sub\0tract", "description": "sub\0tract", "claims": ["VAL-CALC-001"]}
    script = {**SCRIPT, ("orchestrator",): (plan("Sub\0traction", [asserted], [feature]),)}
    done = person.runs("mission", BRIEF, "--yes", "--model", write_script(tmp_path / "script.json", script))

    assert done.exit_code == exits.VERIFIED, done.said
    assert git(person.repository, "log", "-1", "--format=%s", f"shopfloor/{MISSION}~1") == "Sub tract"


def test_the_doctor_asks_a_persons_own_provider(person: Person) -> None:
    """What the settings describe is tried like what everybody knows, and the model they name is shown."""
    with MockProvider() as provider:
        address = provider.environment["OPENAI_BASE_URL"]
        own = f'model = "mine:any"\n[providers.mine]\nbase_url = "{address}"\nkey_env = "MINE_KEY"\n'
        done = settled(person, own).runs("doctor")
        keyed = replace(person, environment={**person.environment, "MINE_KEY": "x"}).runs("doctor")

    assert "mine: MINE_KEY is not set" in done.said and "the settings name mine:any" in done.said
    assert f"mine: {address} lists" in keyed.said


@pytest.mark.parametrize("key", ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"])
def test_which_model_is_meant_when_none_is_named(key: str, person: Person) -> None:
    """Doctor and settings both say what a key alone would choose."""
    with MockProvider() as provider:
        bases = {name: text for name, text in provider.environment.items() if name.endswith("_BASE_URL")}
        keyed = replace(person, environment={**bases, key: "x"})
        checked, shown = keyed.runs("doctor"), keyed.runs("config", "show", "-o", "json")

    used = msgspec.json.decode(shown.said)["model"]["used"]
    assert used.startswith(key.partition("_")[0].lower() + ":")
    assert f"no model is named, so {used} would be used" in checked.said
    assert f"No model is named, so {used} would be used." in keyed.runs("config", "show").said


def test_nothing_done_is_nothing_verified(person: Person, tmp_path: Path) -> None:
    """The checks pass as they did before; nobody can say of work that does not exist that it is done."""
    done = person.runs("run", TASK, "--model", write_script(tmp_path / "script.json", DONE))

    assert (done.exit_code, "Nothing was changed." in done.said) == (exits.UNVERIFIED, True), done.said


def test_a_budget_can_be_lifted(person: Person, tmp_path: Path) -> None:
    """`none` is a budget too: what had stopped for want of tokens goes on without any limit."""
    model = write_script(tmp_path / "script.json", {("solo",): (call("shell", command="ls"), "Nothing to do.")})
    stopped = person.runs("run", TASK, "--model", model, "--budget", "1tok")
    lifted = person.runs("mission", "resume", RUN, "--budget", "none")

    assert (stopped.exit_code, lifted.exit_code) == (exits.OUT_OF_BUDGET, exits.UNVERIFIED), lifted.said


def test_a_brief_from_standard_input(person: Person, tmp_path: Path) -> None:
    """What another program writes is a brief like any other; bytes that are no text are refused."""
    words = ("mission", "-f", "-", "--plan-only", "--model", write_script(tmp_path / "script.json", SCRIPT))

    planned, refused = person.runs(*words, typed=BRIEF.encode()), person.runs(*words, typed=b"\xff\xfe")

    assert planned.exit_code == exits.NEEDS_PERSON, planned.said
    assert f"brief: {BRIEF}" in planned.said
    assert (refused.exit_code, "The brief '-' cannot be read" in refused.said) == (exits.GAVE_UP, True), refused.said


def test_a_budget_in_money_needs_a_price(person: Person, tmp_path: Path) -> None:
    """It is said before anything is spent."""
    model = write_script(tmp_path / "script.json", DONE)
    done = person.runs("run", TASK, "--model", model, "--budget", "2usd")

    assert (done.exit_code, "The price of" in done.said) == (exits.GAVE_UP, True), done.said
    assert person.facts(f"mission/{RUN}") == []


def test_the_same_words_again_are_a_new_run(person: Person, tmp_path: Path) -> None:
    """Who types the command again after a crash is told what is unfinished, and how to go on with it."""
    endless = write_script(tmp_path / "script.json", {("solo",): tuple(call("shell", command="ls") for _ in "abc")})
    person.runs("run", TASK, "--model", endless, "--budget", "1tok")

    again = person.runs("run", TASK, "--model", write_script(tmp_path / "done.json", DONE))

    assert f"{RUN} was asked for in the same words and is not finished" in again.said
    assert "shopfloor mission resume look-around-1" in again.said


def test_two_who_ask_at_once_get_a_name_each(person: Person, tmp_path: Path) -> None:
    """The same words at the same instant are two runs, and neither of them breaks."""
    model = write_script(tmp_path / "script.json", DONE)
    running = [person.starts("run", TASK, "--model", model) for _ in range(4)]

    assert [one.wait().exit_code for one in running] == [exits.UNVERIFIED] * 4
    assert all(person.facts(f"mission/look-around-{number}") for number in (1, 2, 3, 4))


def test_a_model_that_the_provider_does_not_know(person: Person) -> None:
    """The provider's own words, where it was asked, what it does know; with another name the same run goes on."""
    with MockProvider([Served(fault="status", status=404, message="no such model")], models=("small", "large")) as mock:
        done = replace(person, environment=mock.environment).runs("run", TASK, "--model", "openai:huge")

    assert done.exit_code == exits.NEEDS_PERSON
    refused = "'openai:huge' refused: HTTP 404 not_found_error: no such model. Is 'huge' a model of"
    assert refused in done.said
    assert "It knows small, large." in done.said
    with MockProvider([Served(text="Nothing to do.")]) as mock:
        resumed = replace(person, environment=mock.environment).runs(
            "mission", "resume", RUN, "--model", "openai:small"
        )
    assert resumed.exit_code == exits.UNVERIFIED, resumed.said


def test_a_key_that_is_taken_back_in_the_middle(person: Person) -> None:
    """The run waits for a person instead of ending; with a good key it goes on at the turn where it stopped."""
    look = Served(calls=(ScriptedCall(name="shell", arguments={"command": "echo here"}),))
    with MockProvider([look, Served(fault="status", status=401, message="key revoked")]) as mock:
        done = replace(person, environment=mock.environment).runs("run", TASK, "--model", "openai:small")

    assert (done.exit_code, "key revoked" in done.said) == (exits.NEEDS_PERSON, True), done.said
    with MockProvider([Served(text="Nothing to do.")]) as mock:
        resumed = replace(person, environment=mock.environment).runs("mission", "resume", RUN)
        asked = len(mock.requests)
    assert (resumed.exit_code, asked) == (exits.UNVERIFIED, 1), resumed.said


def test_a_provider_that_is_down_and_comes_back(person: Person, tmp_path: Path) -> None:
    """What to start, and how to go on; once it answers, the very same run comes to its end."""
    down = replace(person, environment={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "key"})

    done = down.runs("run", TASK, "--model", "openai:small")

    assert done.exit_code == exits.TRY_LATER
    assert "It cannot go on for now: Nothing answers at http://127.0.0.1:9/v1. Start it:" in done.said
    assert f"Go on: shopfloor mission resume {RUN}" in done.said
    with MockProvider([Served(text="Nothing to do.")]) as mock:
        resumed = replace(person, environment=mock.environment).runs("mission", "resume", RUN)
    assert resumed.exit_code == exits.UNVERIFIED, resumed.said


def test_a_provider_that_wants_an_hour_says_when(person: Person) -> None:
    """Nobody sits waiting so long; when it may go on is told as a time, to people and in JSON."""
    busy = Served(fault="status", status=429, retry_after="3600", message="slow down")
    with MockProvider([busy]) as provider:
        keyed = replace(person, environment=dict(provider.environment))
        done, shown = keyed.runs("run", TASK, "--model", "openai:any"), keyed.runs("mission", "show", RUN, "-o", "json")

    assert done.exit_code == exits.TRY_LATER, done.said
    assert "'openai:any' wants to be asked again in 3,600 s, not sooner: HTTP 429" in done.said
    assert "; not before " in done.said and "It may go on from " in done.said
    report = msgspec.json.decode(shown.said)
    wait = datetime.fromisoformat(report["again_at"]) - datetime.now(UTC)
    assert report["state"] == "to be tried later" and 3_400 < wait.total_seconds() <= 3_600


def test_a_provider_that_answers_nonsense(person: Person) -> None:
    """It is asked several times; then the beginning of what it said is shown, for it may be a login page."""
    with MockProvider([Served(fault="nonsense")] * 6) as mock:
        done = replace(person, environment=mock.environment).runs("run", TASK, "--model", "openai:small")
        asked = len(mock.requests)

    assert (done.exit_code, asked) == (exits.TRY_LATER, 6)
    assert "it begins '<html><body>Please log in.</body></html>'" in done.said


def test_calls_that_cannot_be_understood(person: Person, tmp_path: Path) -> None:
    """No JSON, a missing field, a tool that does not exist: each is told what is wrong, and nothing is done."""
    calls = (
        ScriptedCall(name="write", arguments="{not json"),
        ScriptedCall(name="write", arguments={"path": "new.txt"}),
        ScriptedCall(name="wrote", arguments={"path": "new.txt", "content": "x"}),
        ScriptedCall(name="write", arguments='{"path":' + "[" * 3_000),
    )
    model = write_script(tmp_path / "script.json", {("solo",): (Answer(calls=calls), "Nothing to do.")})

    done = person.runs("run", TASK, "--model", model)

    assert done.exit_code == exits.UNVERIFIED, done.said
    results = [fact.event.result for fact in person.facts(SOLO) if isinstance(fact.event, ToolReturned)]
    assert [result.ok for result in results] == [False, False, False, False]
    assert [result.text.partition(". Its arguments:")[0] for result in results] == [
        "write: the arguments are not valid JSON (JSON is malformed: object keys must be strings (byte 1))",
        "write: Object missing required field `content`",
        "There is no tool 'wrote'; did you mean 'write'?",
        "write: Expected `str`, got `array` - at `$.path`",
    ]


def test_arguments_without_a_bottom_do_not_stop_a_run(person: Person) -> None:
    """They are on record before anybody has read them, so whoever goes on must be able to send them back."""
    deep = Served(calls=(ScriptedCall(name="write", arguments='{"path":' + "[" * 3_000),))
    with MockProvider([deep, Served(text="Nothing to do.")]) as mock:
        done = replace(person, environment=mock.environment).runs("run", TASK, "--model", "openai:small")
        sent = mock.requests[-1].body

    assert done.exit_code == exits.UNVERIFIED, done.said
    assert "unparsable" in str(sent)


@pytest.mark.parametrize("key", ["secret-abc\r", " secret-abc ", "secret-abc\t"])
def test_a_key_with_white_space_around_it_is_the_key(person: Person, key: str) -> None:
    """A settings file of another system leaves such a thing behind."""
    with MockProvider([Served(text="Nothing to do.")]) as mock:
        environment = {**mock.environment, "OPENAI_API_KEY": key}
        done = replace(person, environment=environment).runs("run", TASK, "--model", "openai:small")

    assert done.exit_code == exits.UNVERIFIED, done.said


@pytest.mark.parametrize("key", ["secret-abc\x01", "secret-ключ"])
def test_a_key_that_no_server_could_take_is_never_shown(person: Person, key: str) -> None:
    """Only the variable is named; the key itself is in no word, no fact and no file."""
    somebody = replace(person, environment={"OPENAI_API_KEY": key})
    done = somebody.runs("run", TASK, "--model", "openai:small")
    seen = somebody.runs("doctor")

    assert done.exit_code == exits.GAVE_UP
    assert "OPENAI_API_KEY holds signs that no key has" in done.said
    assert "secret" not in done.said + seen.said
    assert not any(b"secret" in path.read_bytes() for path in person.home.rglob("*") if path.is_file())


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http:///v1", "ftp://host/v1"])
def test_an_address_that_leads_nowhere_is_named(person: Person, url: str) -> None:
    """With the variable that holds it, and before anything is asked."""
    somebody = replace(person, environment={"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "key"})
    done, seen = somebody.runs("run", TASK, "--model", "openai:small"), somebody.runs("doctor")

    assert done.exit_code == exits.GAVE_UP and f"OPENAI_BASE_URL is {url!r}" in done.said
    assert "Traceback" not in seen.said


def test_a_model_that_never_stops(person: Person, tmp_path: Path) -> None:
    """A budget of turns ends it."""
    endless = tuple(call("shell", command=f"echo {number}") for number in range(20))
    model = write_script(tmp_path / "script.json", {("solo",): endless})

    done = person.runs("run", TASK, "--model", model, "--budget", "5turns")

    assert (done.exit_code, "ended: out_of_budget 5 turns" in done.said) == (exits.OUT_OF_BUDGET, True), done.said


def test_a_model_that_never_ends_its_reply(person: Person) -> None:
    """The budget of time cuts it off in the middle, and what it had cost is counted."""
    with MockProvider([Served(text="and so on " * 9, fault="endless")]) as mock:
        endless = replace(person, environment=mock.environment)
        done = endless.runs("run", TASK, "--model", "openai:small", "--budget", "1s")

    assert done.exit_code == exits.OUT_OF_TIME
    assert "the model did not answer: the time was used up before it had answered" in done.said


def test_a_command_that_takes_longer_than_the_job_may(person: Person, tmp_path: Path) -> None:
    """It is ended with the job's time, not with its own; the model would be told."""
    model = write_script(tmp_path / "script.json", {("solo",): (call("shell", command="sleep 50"), "Done.")})

    done = person.runs("run", TASK, "--model", model, "--budget", "1s", seconds=30)

    assert done.exit_code == exits.OUT_OF_TIME
    results = [fact.event.result for fact in person.facts(SOLO) if isinstance(fact.event, ToolReturned)]
    assert [result.text for result in results] == ["Ended while it ran: the job's time is used up."]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_model_that_refuses(provider: str, person: Person) -> None:
    """A refusal is no work, though the checks pass on what was there before: it is given up, in the model's words."""
    with MockProvider([Served(text="I cannot help with that.", fault="refused")]) as mock:
        refusing = replace(person, environment=mock.environment)
        done = refusing.runs("run", TASK, "--model", f"{provider}:small")

    assert (done.exit_code, "the model refused to answer: I cannot help" in done.said) == (exits.GAVE_UP, True)


def test_a_model_that_repeats_itself(person: Person, tmp_path: Path) -> None:
    """It is told once; the second circle ends it, in words that say what was seen."""
    model = write_script(tmp_path / "script.json", {("solo",): (call("shell", command="ls"),) * 20})

    done = person.runs("run", TASK, "--model", model)

    assert done.exit_code == exits.STUCK
    assert "The last turn repeated with the same results." in done.said
    events = [fact.event for fact in person.facts(SOLO)]
    assert sum(isinstance(event, AgentCorrected) for event in events) == 1
    assert isinstance(events[-1], AgentEnded) and events[-1].spent.calls == 8


# --- repositories -----------------------------------------------------------------------------------------------


def test_no_git_repository(person: Person, tmp_path: Path) -> None:
    """The folder is named, and what makes it one."""
    (tmp_path / "plain").mkdir()
    model = write_script(tmp_path / "script.json", DONE)

    done = replace(person, repository=tmp_path / "plain").runs("run", TASK, "--model", model)

    words = f"'{tmp_path}/plain' is not in a git repository; run `git init` there and make a first commit"
    assert done == (exits.GAVE_UP, f"shopfloor: {words}")


def test_an_empty_repository(person: Person, tmp_path: Path) -> None:
    """There is nothing to start from."""
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    model = write_script(tmp_path / "script.json", DONE)

    done = replace(person, repository=tmp_path / "empty").runs("run", TASK, "--model", model)

    words = f"'{tmp_path}/empty' has no commit yet; make a first commit, even an empty one, and start again"
    assert done == (exits.GAVE_UP, f"shopfloor: {words}")


def test_a_repository_without_any_tests(tmp_path: Path) -> None:
    """Scrutiny has nothing but its review, and says so; the user who tries the product has the last word."""
    report = notes.notes(tmp_path, tested=False).mission(notes.BRIEF)

    assert (report.exit, report.verified, report.reason) == ("done", True, "")
    assert [(line.id, line.verdict) for line in report.assertions] == [("VAL-NOTES-001", "passed")]


def test_a_shallow_history_is_told(person: Person, tmp_path: Path) -> None:
    """What a repository lacks is said before the work begins, and in its report."""
    with_files(person, {"more.txt": "more\n"})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{person.repository}", "shallow")

    shallow = replace(person, repository=tmp_path / "shallow")
    done = shallow.runs("run", TASK, "--model", write_script(tmp_path / "script.json", DONE))

    assert done.said.count("the history is shallow: workers see it only as far back as it was fetched") == 2


def test_uncommitted_work_is_refused(person: Person, tmp_path: Path) -> None:
    """It is named and left alone: no branch, no ref, no fact, the same files."""
    write_files(person.repository, {"calc.py": "half done\n", "new.txt": "new\n"})
    model = write_script(tmp_path / "script.json", DONE)

    done = person.runs("run", TASK, "--model", model)

    assert done.exit_code == exits.NEEDS_PERSON
    assert "has uncommitted changes (calc.py, new.txt). Commit or stash them, or start again with --carry" in done.said
    assert git(person.repository, "status", "--porcelain") == "M calc.py\n?? new.txt"
    assert (refs(person), person.facts(f"mission/{RUN}")) == (["refs/heads/main"], [])


def test_uncommitted_work_is_carried_along(person: Person, tmp_path: Path) -> None:
    """What is delivered holds it too, and it still lies uncommitted where it lay; the command given merges it all."""
    write_files(person.repository, {"test_calc.py": FILES["test_calc.py"] + "# more\n", "new.txt": "new\n"})
    model = write_script(tmp_path / "script.json", ALONE)

    done = person.runs("run", BRIEF, "--carry", "--model", model)

    assert done.exit_code == exits.VERIFIED, done.said
    branch = f"shopfloor/{MISSION}"
    assert git(person.repository, "show", f"{branch}:new.txt") == "new"
    assert git(person.repository, "show", f"{branch}:calc.py") == GOOD.strip()
    assert git(person.repository, "show", f"{branch}:test_calc.py").endswith("# more")
    assert git(person.repository, "status", "--porcelain") == "M test_calc.py\n?? new.txt"
    command = f"git stash --include-untracked && git merge --no-ff {branch}"
    assert f"Merge it: {command}" in done.said
    assert "Note: uncommitted work is carried along, so the branch holds it too: new.txt, test_calc.py;" in done.said
    assert "The stash keeps your files as they were" in done.said
    subprocess.run(command, shell=True, cwd=person.repository, check=True, capture_output=True)
    assert git(person.repository, "status", "--porcelain") == ""
    assert (person.repository / "new.txt").read_text() == "new\n"
    assert git(person.repository, "stash", "list") != "", "nothing is lost, whatever the merge did"


def test_what_nobody_has_judged_is_not_verified(person: Person, tmp_path: Path) -> None:
    """A worker changed nothing, and the person cancels before a user has tried it: stopped, whatever was delivered."""
    assertion = {
        "id": "VAL-PAGE-001",
        "title": "adds",
        "behaviour": "When `calc 1 2` is run, then it prints 3; for `calc 2 2` it prints 4.",
        "surface": "terminal",
    }
    feature = {"id": "page", "title": "Page", "description": "Prints sums.", "claims": ["VAL-PAGE-001"]}
    script = {
        ("orchestrator",): (plan("Page", [assertion], [feature], published="the command calc"),),
        ("worker",): (call("hand_off", summary="s", done="nothing", commands=[]),),
        ("reviewer",): (call("submit_review", findings=[]),),
        ("user-tester",): (call("terminal", do="start", text="echo hi"),),
    }
    model = write_script(tmp_path / "script.json", script)
    begun = person.runs("mission", "Make a page", "--yes", "--model", model, "--budget", "4100tok")
    assert begun.exit_code == exits.OUT_OF_BUDGET, begun.said

    cancelled = person.runs("mission", "cancel", "make-page-1")

    assert (cancelled.exit_code, "make-page-1: stopped" in cancelled.said) == (exits.STOPPED, True), cancelled.said
    assert [fact.kind for fact in person.facts("mission/make-page-1")].count("MissionEnded") == 1
    assert "verified" not in person.runs("mission", "list").said


def test_a_mission_whose_repository_is_gone_can_be_ended(person: Person, tmp_path: Path) -> None:
    """It cannot go on, and says why; a person's word still ends it, and then it is over."""
    endless = tuple(call("shell", command=f"echo {number}") for number in range(9))
    model = write_script(tmp_path / "script.json", {("solo",): endless})
    assert person.runs("run", TASK, "--model", model, "--budget", "2ktok").exit_code == exits.OUT_OF_BUDGET
    person.repository.rename(tmp_path / "elsewhere")
    moved = replace(person, repository=tmp_path)

    refused, cancelled = moved.runs("mission", "resume", RUN), moved.runs("mission", "cancel", RUN)

    assert (refused.exit_code, f"'{person.repository}' is no folder" in refused.said) == (exits.GAVE_UP, True)
    assert (cancelled.exit_code, "A person cancelled it" in cancelled.said) == (exits.STOPPED, True), cancelled.said


def test_resume_and_cancel_say_how_a_mission_stands(person: Person, tmp_path: Path) -> None:
    """What goes on is said to go on; what has ended to have ended, and how, with the exit code of its report."""
    endless = tuple(call("shell", command=f"echo {number}") for number in range(9))
    model = write_script(tmp_path / "script.json", {("solo",): (*endless, "Done.")})
    person.runs("run", TASK, "--model", model, "--budget", "2ktok")
    goes_on, has_ended = f"{RUN} goes on where it was", f"{RUN} has already ended: done nothing was changed"

    unknown = person.runs("mission", "resume", "nobody-1")
    resumed = person.runs("mission", "resume", RUN, "--budget", "500ktok")
    facts = (person.facts(f"mission/{RUN}"), person.facts(f"inbox/mission/{RUN}"))
    again, cancelled = person.runs("mission", "resume", RUN), person.runs("mission", "cancel", RUN)

    assert (unknown.exit_code, "goes on" in unknown.said) == (exits.GAVE_UP, False), unknown.said
    assert (resumed.exit_code, goes_on in resumed.said) == (exits.UNVERIFIED, True), resumed.said
    for done in (again, cancelled):
        assert (done.exit_code, has_ended in done.said, goes_on in done.said) == (exits.UNVERIFIED, True, False)
    assert facts == (person.facts(f"mission/{RUN}"), person.facts(f"inbox/mission/{RUN}"))


def meanwhile(person: Person, folder: Path, files: Mapping[str, str]) -> tuple[int, str]:
    """A mission whose branch is merged by policy, while the person commits something else."""
    settled(person, 'merge = "automatic"\n')
    waits = call("shell", command="for i in $(seq 600); do [ -e .git/go ] && exit; sleep 0.1; done")
    model = write_script(folder / "script.json", {**SCRIPT, ("worker",): (waits, *BUILD)})
    command = person.starts("mission", BRIEF, "--yes", "--model", model)
    checkout = person.state / "missions" / MISSION / "checkouts" / "subtract-1" / ".git"
    until = time.monotonic() + 60
    while not checkout.exists():
        assert time.monotonic() < until, "the worker did not begin"
        time.sleep(0.05)
    with_files(person, files)
    (checkout / "go").touch()
    return command.wait()


def test_a_target_that_moved_meanwhile(person: Person, tmp_path: Path) -> None:
    """The person's commit and the mission's are both there, joined by a merge, in the files too."""
    exit_code, said = meanwhile(person, tmp_path, {"other.txt": "other\n"})

    assert (exit_code, "merged into main" in said) == (exits.VERIFIED, True), said
    assert git(person.repository, "log", "-1", "--format=%s", "main") == f"Merge mission {MISSION}"
    assert git(person.repository, "log", "-1", "--format=%s", "main^1") == "More"
    assert (person.repository / "calc.py").read_text() == GOOD
    assert git(person.repository, "status", "--porcelain") == ""


def test_a_merge_that_conflicts(person: Person, tmp_path: Path) -> None:
    """The target stays as the person made it; the files are named, and so is the branch that holds the work."""
    exit_code, said = meanwhile(person, tmp_path, {"calc.py": "something = 'else'\n"})

    assert exit_code == exits.VERIFIED, said
    assert "Not merged: calc.py changed on both sides." in said
    assert f"Merge it: git merge --no-ff shopfloor/{MISSION}" in said
    assert git(person.repository, "log", "-1", "--format=%s", "main") == "More"
    assert (person.repository / "calc.py").read_text() == "something = 'else'\n"
    assert git(person.repository, "status", "--porcelain") == ""


# --- machines ---------------------------------------------------------------------------------------------------


def test_a_machine_without_bubblewrap(person: Person, tmp_path: Path) -> None:
    """It works without, and says so from the first line to the report; who insists on a sandbox is told what to do."""
    poor = without_tools(person, tmp_path / "bin")
    model = write_script(tmp_path / "script.json", SCRIPT)

    done = poor.runs("mission", BRIEF, "--yes", "--auto", "high", "--model", model)
    insisting = poor.runs("mission", BRIEF, "--yes", "--sandbox", "bubblewrap", "--model", model)

    assert done.exit_code == exits.VERIFIED, done.said
    assert "(no sandbox: commands run as you, autonomy high)" in done.said
    assert "Without a sandbox, the independence of the judges was not enforced." in done.said
    words = "bubblewrap (`bwrap`) is not installed: install the package `bubblewrap`, 0.8 or newer"
    assert insisting == (exits.GAVE_UP, f"shopfloor: No bubblewrap sandbox can be had: {words}.")


def test_a_machine_without_a_browser(person: Person, tmp_path: Path) -> None:
    """What only a browser could show is blocked, whatever the judge says: it never passes."""
    poor = without_tools(person, tmp_path / "bin")
    port = f"[app]\nport = {free_port()}\n"
    with_files(poor, {"server.py": notes.SERVER, "test_server.py": notes.SERVER_TEST, "services.toml": port})
    assertion = {
        "id": "VAL-NOTES-001",
        "title": "a note is kept",
        "behaviour": "When milk is added on the page, then its list contains milk, once.",
        "surface": "web",
    }
    feature = {"id": "notes", "title": "Notes", "description": "A page.", "claims": ["VAL-NOTES-001"]}
    word = {"assertion": "VAL-NOTES-001", "verdict": "passed", "evidence": ["E1"]}
    script = {
        ("orchestrator",): (plan("Notes", [assertion], [feature], published="/", start="python3 server.py"),),
        ("worker",): notes.BUILD,
        ("reviewer",): notes.REVIEW,
        ("user-tester",): (call("browser", do="open"), call("submit_verdicts", verdicts=[word])),
    }
    model = write_script(tmp_path / "script.json", script)

    done = poor.runs("mission", "Keep notes", "--yes", "--auto", "high", "--model", model)
    shown = poor.runs("mission", "show", "keep-notes-1", "-o", "json")

    assert done.exit_code == exits.NEEDS_PERSON, done.said
    assert "fix first" not in done.said, "no worker can mend a machine"
    line = msgspec.json.decode(shown.said)["assertions"][0]
    assert line["verdict"] == "blocked"
    assert line["reason"].startswith("no browser here: no chromium is installed")
    assert "install" in line["reason"]


# --- judging ----------------------------------------------------------------------------------------------------


def a_test_that(body: str) -> dict[str, str]:
    """A test file whose only test does this."""
    return {"test_more.py": f"import sys, time, unittest\n\n\nclass T(unittest.TestCase):\n    def test(self):\n{body}"}


def test_a_test_that_hangs(person: Person, tmp_path: Path) -> None:
    """The time that the repository gives judges ends it, and the work counts as unverified."""
    with_files(person, {**a_test_that("        time.sleep(600)\n"), "services.toml": "[judge]\ntimeout_s = 2\n"})
    model = write_script(tmp_path / "script.json", WRITES)

    done = person.runs("run", BRIEF, "--model", model)

    assert done.exit_code == exits.UNVERIFIED
    assert "failed tests python3 -m unittest discover killed: it ran out of time" in done.said


def test_a_test_that_prints_a_hundred_megabytes(person: Person, tmp_path: Path) -> None:
    """It is judged all the same; what is kept of its output is its head and its tail."""
    with_files(person, a_test_that("        for _ in range(1000): sys.stderr.write('x' * 100_000 + '\\n')\n"))
    model = write_script(tmp_path / "script.json", WRITES)

    done = person.runs("run", BRIEF, "--model", model)

    assert done.exit_code == exits.VERIFIED, done.said
    sizes = [path.stat().st_size for path in person.state.rglob("*") if path.is_file()]
    assert sum(sizes) < 20_000_000


# --- terminals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        ({"PYTHONIOENCODING": "latin-1"}, "add s�b ?"),
        ({"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "add s?b ?"),
    ],
    ids=["latin-1", "ASCII"],
)
def test_a_terminal_that_cannot_show_every_sign(
    terminal: Mapping[str, str], shown: str, person: Person, tmp_path: Path
) -> None:
    """What it cannot show is replaced, and the journal has the words as they were typed."""
    poor = replace(person, environment=terminal)
    done = poor.runs("run", "add süb ✓", "--model", write_script(tmp_path / "script.json", DONE))
    listed = poor.runs("mission", "list")

    assert (done.exit_code, f"brief: {shown}" in done.said) == (exits.UNVERIFIED, True), done.said
    assert (listed.exit_code, shown in listed.said) == (0, True), listed.said
    (asked, *_) = person.facts("mission/add-s-b-1")
    assert isinstance(asked.event, MissionRequested) and asked.event.brief.text == "add süb ✓"


# --- settings and state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[judge]\ntimeout = 3\n", "'services.toml', key 'judge': Object contains unknown field `timeout`."),
        ("[judge\n", "'services.toml' is no valid TOML: "),
    ],
)
def test_a_bad_services_file(text: str, words: str, person: Person, tmp_path: Path) -> None:
    """It is said before anything begins."""
    with_files(person, {"services.toml": text})

    done = person.runs("run", TASK, "--model", write_script(tmp_path / "script.json", DONE))

    assert (done.exit_code, words in done.said) == (exits.GAVE_UP, True), done.said
    assert (refs(person), person.facts(f"mission/{RUN}")) == (["refs/heads/main"], [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('auto = "reckless"\n', "Invalid enum value 'reckless' - at `$.auto`; there are off, low, medium, high."),
        ("colour = 1\n", "has unknown keys ['colour']; there are: model, models, auto, budget,"),
        ("= 3\n", "is no valid TOML: Invalid statement (at line 1, column 1)."),
        ('budget = "much"\n', "The budget 'much' cannot be read; write amounts above 0 like 2usd, 500ktok, 30min"),
    ],
)
def test_bad_settings(text: str, words: str, person: Person, tmp_path: Path) -> None:
    """The key is named, with what it may be, and the file where it is about a key."""
    settled(person, text)

    done = person.runs("run", TASK, "--model", write_script(tmp_path / "script.json", DONE))

    assert (done.exit_code, words in done.said) == (exits.GAVE_UP, True), done.said
    assert str(person.settings) in done.said or "budget" in text


@pytest.mark.parametrize("words", [("run", TASK), ("mission", "list")], ids=lambda words: words[0])
def test_a_corrupt_journal(words: tuple[str, ...], person: Person, tmp_path: Path) -> None:
    """It is named and left as it is."""
    person.state.mkdir(parents=True)
    journal = person.state / "journal.db"
    journal.write_bytes(b"garbage " * 1000)
    model = ("--model", write_script(tmp_path / "script.json", DONE)) if words[0] == "run" else ()

    done = person.runs(*words, *model)

    assert done.exit_code == exits.BROKEN
    assert f"the journal '{journal}' is corrupt or no SQLite database" in done.said
    assert "move it away or restore a backup" in done.said
    assert journal.read_bytes() == b"garbage " * 1000


def test_a_state_folder_that_cannot_be_made(person: Person, tmp_path: Path) -> None:
    """A file stands where it should be."""
    person.home.mkdir()
    (person.home / "state").write_text("not a folder")

    done = person.runs("run", TASK, "--model", write_script(tmp_path / "script.json", DONE))

    assert done.exit_code == exits.GAVE_UP
    assert f"folder '{person.home}/state' cannot be made: File exists; choose another folder" in done.said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_that_cannot_be_written(person: Person, tmp_path: Path) -> None:
    """It is named, and that another one can be chosen."""
    person.state.mkdir(parents=True)
    person.state.chmod(0o500)

    done = person.runs("run", TASK, "--model", write_script(tmp_path / "script.json", DONE))

    assert done.exit_code == exits.GAVE_UP
    assert f"folder '{person.state}' is not writable, so no journal can be kept there; choose another" in done.said


@needs_bubblewrap
@pytest.mark.parametrize("missing", ["the folder", "a part of it"])
def test_a_state_folder_on_a_disk_that_is_read_only(missing: str, person: Person, tmp_path: Path) -> None:
    """What cannot be written is named, whether it is all of it or a part that is only met later; it is no bug."""
    kept = person.state if missing == "the folder" else person.state / "missions"
    kept.mkdir(parents=True)
    locked = replace(person, inside=("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(kept), str(kept)))

    done = locked.runs("run", TASK, *OWN_RISK, "--model", write_script(tmp_path / "script.json", DONE))

    assert (done.exit_code, f"'{kept}" in done.said) == (exits.GAVE_UP, True), done.said
    assert "should not have happened" not in done.said


@needs_bubblewrap
def test_a_disk_that_is_full(person: Person, tmp_path: Path) -> None:
    """It passes once somebody makes room, and that is what the person is told."""
    person.state.mkdir(parents=True)
    disk = ("bwrap", "--dev-bind", "/", "/", "--size", "2000000", "--tmpfs", str(person.state))

    done = replace(person, inside=disk).runs("mission", "list")
    begun = replace(person, inside=disk).runs(
        "run", TASK, *OWN_RISK, "--model", write_script(tmp_path / "script.json", DONE)
    )

    assert done.exit_code == 0, "who only looks needs no room"
    words = f"the disk under the journal '{person.state}/journal.db' is full; free some space and resume"
    assert (begun.exit_code, begun.said.partition(": nothing")[0]) == (exits.TRY_LATER, f"shopfloor: {words}")


# --- meanwhile --------------------------------------------------------------------------------------------------


def test_a_repository_that_is_moved_while_a_run_works(person: Person, tmp_path: Path) -> None:
    """Nobody can be handed the work: that is said, and with the repository back in its place the same run goes on."""
    with at_work(person, tmp_path, WRITES[("solo",)]) as (running, go):
        person.repository.rename(tmp_path / "elsewhere")
        go()
        done = running.wait()
    (tmp_path / "elsewhere").rename(person.repository)
    resumed = person.runs("mission", "resume", RUN)

    assert (done.exit_code, "should not have happened" in done.said) == (exits.TRY_LATER, False), done.said
    assert "The repository is not where it was; put it back, and resume: nothing is lost" in done.said
    assert resumed.exit_code == exits.VERIFIED, resumed.said


def test_a_run_that_another_process_takes_over(person: Person, tmp_path: Path) -> None:
    """Whoever slept too long stops without a word in the journal, and says what became of its run."""

    async def taken_over() -> None:
        journal = open_sqlite(person.state / "journal.db", is_dead=lambda holder: True)
        await journal.acquire(f"mission/{RUN}", "somebody", 600)
        await journal.close()

    with at_work(person, tmp_path, ("Done.",)) as (running, go):
        anyio.run(taken_over)
        facts = person.facts(SOLO)
        go()
        done = running.wait()

    assert (done.exit_code, "should not have happened" in done.said) == (exits.TRY_LATER, False), done.said
    assert (
        "shopfloor: another process has taken over, so this one has stopped: the lease of 'mission/look-" in done.said
    )
    assert person.facts(SOLO) == facts


@contextmanager
def at_work(
    person: Person, folder: Path, then: Sequence[Answer | str]
) -> Iterator[tuple[Command, Callable[[], object]]]:
    """A run whose agent waits in a command until it is told to go on."""
    waits = call("shell", command="for i in $(seq 600); do [ -e .git/go ] && exit; sleep 0.1; done")
    running = person.starts("run", TASK, "--model", write_script(folder / "script.json", {("solo",): (waits, *then)}))
    until = time.monotonic() + 60
    while not any(fact.kind == "ToolCalled" for fact in person.facts(SOLO)):
        assert time.monotonic() < until, "the agent did not begin"
        time.sleep(0.05)
    yield running, (person.state / "missions" / RUN / "checkouts" / "solo" / ".git" / "go").touch


def test_a_job_whose_reader_has_left_goes_on(person: Person, tmp_path: Path) -> None:
    """`shopfloor run ... | head -1`, and one that was started without any output, come to their ends."""
    model = write_script(tmp_path / "script.json", {("solo",): ("Nothing to do.",)})
    program = f"{sys.executable} -m shopfloor"
    words = f"{program} run once --model {model} | head -1; {program} run twice --model {model} >&-"
    person.home.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["bash", "-c", f"{words}; {program} mission list"],
        cwd=person.repository,
        env=person.surroundings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr
    assert done.stdout.count("unverified") == 2, done.stdout + done.stderr
