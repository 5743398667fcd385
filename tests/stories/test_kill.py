"""Real processes that die: killed without a word, or interrupted politely. What they began is finished by the next."""

import itertools
import os
import shutil
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from shopfloor.domain.events import MissionResumed
from shopfloor.faces.cli import exits
from shopfloor.models.mock_provider import FaultName, MockProvider, Request, Served
from shopfloor.testing.commands import Command, Person, write_script
from shopfloor.testing.processes import processes_with
from shopfloor.testing.subtraction import BRIEF, CHECKS, FILES, GOOD, MISSION, PLAN, REVIEW, SCRIPT, build
from shopfloor.testing.workshop import call, git, make_repository, write_files

BRANCH = f"shopfloor/{MISSION}"
WORKER = f"agent/{MISSION}/worker/subtract/1"
LEVELS = {"bubblewrap": (), "none": ("--sandbox", "none", "--auto", "high")}
DIES_WITHIN_S = 5.0


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", FILES)) as somebody:
        yield somebody


def eventually(claim: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits until it is so."""
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.02)


def kinds(person: Person, stream: str) -> list[str]:
    return [fact.kind for fact in person.facts(stream)]


def nap_of(tmp_path: Path) -> str:
    """Seconds to sleep: a number that no other process is called with, of another test's either."""
    return f"617.{zlib.crc32(str(tmp_path).encode())}"


def asleep(person: Person, level: str, tmp_path: Path) -> Command:
    """A mission whose worker has just fallen asleep in a tool call."""
    # It sleeps for ever the first time, and not at all the second.
    sleepy = call("shell", command=f"[ -e .git/woken ] || {{ touch .git/woken; sleep {nap_of(tmp_path)}; }}")
    model = write_script(tmp_path / "sleepy.json", {**SCRIPT, ("worker",): (sleepy, *build(GOOD, 0))})
    command = person.starts("mission", BRIEF, "--yes", "--model", model, *LEVELS[level])
    eventually(lambda: processes_with(f"sleep {nap_of(tmp_path)}") != [])
    return command


def must_be_whole(person: Person) -> None:
    """The branch holds the feature and its check, once each, and was handed over once."""
    files = git(person.repository, "ls-tree", "-r", "--name-only", BRANCH).split()
    assert files == ["calc.py", "test_calc.py", "test_subtract.py"]
    assert git(person.repository, "show", f"{BRANCH}:calc.py") == GOOD.strip()
    assert git(person.repository, "rev-list", "--count", f"main..{BRANCH}") == "2"
    facts = kinds(person, f"mission/{MISSION}")
    assert [facts.count(once) for once in ("FeatureLanded", "MissionReady", "MissionEnded")] == [1, 1, 1]


@pytest.mark.parametrize("level", LEVELS)
def test_killed_in_a_tool_call(level: str, person: Person, tmp_path: Path) -> None:
    """Nothing of the dead runner stays alive; the model is told that the call may have happened, and goes on."""
    command = asleep(person, level, tmp_path)
    command.kill()
    eventually(lambda: processes_with(nap_of(tmp_path)) == [], DIES_WITHIN_S)
    eventually(lambda: processes_with(str(tmp_path)) == [], DIES_WITHIN_S)

    resumed = person.runs("mission", "resume", MISSION)

    assert resumed.exit_code == exits.VERIFIED, resumed.said
    returned = [fact.body for fact in person.facts(WORKER) if fact.kind == "ToolReturned"]
    assert [b"it may have happened" in body for body in returned] == [True, False, False, False, False]
    must_be_whole(person)


@pytest.mark.parametrize("fault", ["slow", "endless"])
def test_killed_while_a_model_thinks(fault: FaultName, person: Person, tmp_path: Path) -> None:
    """Before its first word or within it: it is asked again, the unanswered question counts, and all ends well."""
    answers = [msgspec.convert(msgspec.to_builtins(one), Served) for one in (PLAN, *CHECKS, *build(GOOD, 0), *REVIEW)]
    slow = len((PLAN, *CHECKS)) + 1
    numbers = itertools.count(1)

    def serving(request: Request) -> Served:
        number = next(numbers)
        if number == slow:
            return msgspec.structs.replace(answers[number - 1], fault=fault, seconds=20.0)
        return answers[number - 1 if number < slow else number - 2]

    with MockProvider(serving) as provider:
        person = replace(person, environment=provider.environment)
        command = person.starts("mission", BRIEF, "--yes", "--model", "anthropic:claude-thinks")
        eventually(lambda: len(provider.requests) == slow)
        time.sleep(0.3)
        command.kill()
        resumed = person.runs("mission", "resume", MISSION)

    assert resumed.exit_code == exits.VERIFIED, resumed.said
    assert kinds(person, WORKER)[:4] == ["AgentStarted", "ModelCalled", "ModelCalled", "ModelReplied"]
    assert len(provider.requests) == len(answers) + 1
    must_be_whole(person)


SLOW_GIT = """\
#!/bin/sh
case "$*" in
*"{words}"*)
    [ {side} = after ] && "{git}" "$@"
    touch "{mark}"
    sleep 2
    [ {side} = after ] && exit 0
    ;;
esac
exec "{git}" "$@"
"""


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("words", ["update-ref refs/heads/mission", "update-ref --stdin"], ids=["landing", "delivery"])
def test_killed_while_git_is_at_work(words: str, side: str, person: Person, tmp_path: Path) -> None:
    """Whether the orphaned git was about to move the branch or had moved it, it lands and is delivered once."""
    mark, bin_folder = tmp_path / "mark", tmp_path / "bin"
    script = SLOW_GIT.format(words=words, side=side, git=shutil.which("git"), mark=mark)
    write_files(bin_folder, {"git": script})
    (bin_folder / "git").chmod(0o755)
    slowed = replace(person, environment={"PATH": f"{bin_folder}:{os.environ['PATH']}"})
    model = write_script(tmp_path / "story.json", SCRIPT)
    command = slowed.starts("mission", BRIEF, "--yes", "--model", model)
    eventually(mark.exists)
    command.kill()

    resumed = person.runs("mission", "resume", MISSION)

    assert resumed.exit_code == exits.VERIFIED, resumed.said
    eventually(lambda: processes_with(str(tmp_path)) == [], DIES_WITHIN_S)
    must_be_whole(person)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_interrupted_in_a_tool_call(number: signal.Signals, person: Person, tmp_path: Path) -> None:
    """Ctrl-C ends it at once, says how to go on, and leaves nothing running; going on works, and the time counts."""
    command = asleep(person, "bubblewrap", tmp_path)
    time.sleep(1.0)
    command.process.send_signal(number)

    interrupted = command.wait(10.0)

    assert interrupted.exit_code == exits.INTERRUPTED
    assert f"stopped; nothing is lost. Go on with: shopfloor mission resume {MISSION}" in interrupted.said
    assert processes_with(str(tmp_path)) == []
    resumed = person.runs("mission", "resume", MISSION)
    assert resumed.exit_code == exits.VERIFIED, resumed.said
    must_be_whole(person)
    resumptions = [fact.event for fact in person.facts(f"mission/{MISSION}") if fact.kind == "MissionResumed"]
    assert [isinstance(one, MissionResumed) and one.cut_off_s >= 1.0 for one in resumptions] == [True]


def test_a_second_start_while_the_first_runs(person: Person, tmp_path: Path) -> None:
    """The second one says who has the mission and what can be done, and the first one is not disturbed."""
    command = asleep(person, "bubblewrap", tmp_path)
    before = kinds(person, f"mission/{MISSION}")

    second = person.runs("mission", "resume", MISSION)

    assert second.exit_code == exits.TRY_LATER
    assert f"Mission '{MISSION}' is being carried on by another process already" in second.said
    assert f":{command.process.pid}:" in second.said
    assert f"`shopfloor mission pause {MISSION}`" in second.said
    assert command.process.poll() is None
    assert kinds(person, f"mission/{MISSION}") == before
    command.process.send_signal(signal.SIGINT)
    command.wait(10.0)
