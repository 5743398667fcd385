"""What a person reads at the end, and what they type at a question, in the real program."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from shopfloor.faces.cli import exits
from shopfloor.faces.cli.plain import plain_lines
from shopfloor.testing.commands import Person, write_script
from shopfloor.testing.subtraction import BRIEF, BUILD, CALC, FILES, GOOD, MISSION, SCRIPT
from shopfloor.testing.workshop import call, git, make_repository

PATIENCE_S = 60.0
TASK = "Look around"
RUN = "look-around-1"
DONE = {("solo",): ("\x1b[2J\x1b[32mcalm: verified\x1b[0m [bold]done[/bold] [/b]",)}


@pytest.fixture
def person(tmp_path: Path) -> Person:
    (tmp_path / "home").mkdir()
    return Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", FILES))


def test_brackets_are_shown_as_they_were_typed(person: Person, tmp_path: Path) -> None:
    """A brief is words, not markup: nothing of it is lost, and nothing in it can break the report."""
    brief = "Support the [/b] tag, rename [old] to [new] in pages/[id].ts :smile:"

    done = person.runs("run", brief, "--model", write_script(tmp_path / "script.json", DONE))

    assert done.exit_code == exits.UNVERIFIED, done.said
    assert brief in done.said


def test_nobody_steers_the_terminal_through_the_report(person: Person, tmp_path: Path) -> None:
    """A model's last words are shown without what would clear the screen, or paint a verdict of its own."""
    done = person.runs("run", "Look", "--model", write_script(tmp_path / "script.json", DONE))

    assert "\x1b" not in done.said
    assert "[2J [32mcalm: verified" in done.said


def test_lines_stay_lines() -> None:
    """What lays text out is kept; everything else that cannot be seen is a space."""
    assert plain_lines("a\tb\r\n\x1b[2Jc\x9b\u202ed") == "a       b \n [2Jc  d"


def test_a_repository_that_is_gone_spoils_no_list(person: Person, tmp_path: Path) -> None:
    """Its mission is listed and shown as far as the journal knows it; others are not touched by it."""
    model = write_script(tmp_path / "script.json", SCRIPT)
    assert person.runs("mission", BRIEF, "--yes", "--model", model).exit_code == exits.VERIFIED
    person.repository.rename(tmp_path / "gone")
    elsewhere = Person(home=person.home, repository=make_repository(tmp_path / "other", FILES))

    listed, shown = elsewhere.runs("mission", "list"), elsewhere.runs("mission", "show", MISSION)

    assert (listed.exit_code, MISSION in listed.said) == (0, True), listed.said
    assert (shown.exit_code, "The change cannot be shown" in shown.said) == (0, True), shown.said
    exported = elsewhere.runs("mission", "export", MISSION, str(tmp_path / "export"))
    assert exported.exit_code == 0 and (tmp_path / "export" / "report.html").exists()


def test_the_list_says_what_was_asked_where_and_when(person: Person, tmp_path: Path) -> None:
    """The heading of a brief without its marks; one line of JSON for each where lines of JSON are asked for."""
    brief = "## Look around ##\n\nAnd tell me.\n"
    day = f"{datetime.now():%Y-%m-%d}"
    for _ in range(2):
        person.runs("run", brief, "--model", write_script(tmp_path / "script.json", DONE))

    text, lines = person.runs("mission", "list"), person.starts("mission", "list", "-o", "stream-json")
    listed = person.runs("mission", "list", "-o", "json")

    assert re.search(rf"look-around-tell-me-1 unverified .* {day} \d\d:\d\d repo Look around$", text.said), text.said
    lines.wait()
    told = [msgspec.json.decode(line) for line in lines.output.read_text().splitlines()]
    assert told == msgspec.json.decode(listed.said)
    assert [one["id"] for one in told] == ["look-around-tell-me-2", "look-around-tell-me-1"]
    assert [(one["repository"], one["brief"]) for one in told] == [(str(person.repository), brief)] * 2
    assert all(datetime.fromisoformat(one["started"]).tzinfo for one in told)


def test_what_was_not_checked_is_no_pass(tmp_path: Path) -> None:
    """Where a command runs no test that could be made to fail, the report says that its control was not made."""
    calls_all = "import calc; [one(2, 1) for name, one in vars(calc).items() if callable(one) and name[0] != '_']"
    files = {"calc.py": CALC, "Makefile": f'test:\n\t@python3 -c "{calls_all}"\n'}
    person = Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", files))
    writes = (call("write", path="calc.py", content=GOOD), "Done.")

    done = person.runs("run", BRIEF, "--model", write_script(tmp_path / "script.json", {("solo",): writes}))
    shown = person.runs("mission", "show", MISSION, "-o", "json")

    checks = {check["name"]: check for check in msgspec.json.decode(shown.said)["checks"]}
    assert "passed (3 checks, 1 not checked)" in done.said, done.said
    assert {name for name, check in checks.items() if not check.get("checked", True)} == {"control"}
    assert "checked" not in checks["tests"]


def test_tests_that_run_nothing_of_a_change_prove_nothing_of_it(tmp_path: Path) -> None:
    """They pass, and would have passed without it: one agent's work is then finished, and not verified."""
    files = {"calc.py": CALC, "Makefile": "test:\n\t@python3 -c 'import calc'\n"}
    person = Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", files))
    writes = (call("write", path="calc.py", content=GOOD), "Done.")

    done = person.runs("run", BRIEF, "--model", write_script(tmp_path / "script.json", {("solo",): writes}))

    assert done.exit_code == 3
    assert "0 of 1 changed statements run, so these tests prove nothing of it" in done.said


def test_what_it_took_is_time_of_work(person: Person, tmp_path: Path) -> None:
    """The same in text, JSON and the page, after Ctrl-C too: what models, tools and judges needed, and no pause."""
    commands = (call("shell", command="sleep 1.5"), call("shell", command="touch begun; sleep 60"))
    begun = person.state / "missions" / RUN / "checkouts" / "solo" / "begun"
    with person:
        running = person.starts("run", TASK, "--model", write_script(tmp_path / "script.json", {("solo",): commands}))
        eventually(begun.exists)
        running.process.send_signal(signal.SIGINT)
        stopped = running.wait()
        time.sleep(1)
        shown, exported = person.runs("mission", "show", RUN, "-o", "json"), tmp_path / "export"
        person.runs("mission", "export", RUN, str(exported))

    report = msgspec.json.decode(shown.said)
    assert stopped.exit_code == exits.INTERRUPTED and "Took 0 min 02 s of work." in stopped.said, stopped.said
    assert 1.5 <= report["seconds"] == report["spent"]["seconds"] < 2.5
    assert "<b>0 min 02 s</b><span class=soft>of work</span>" in (exported / "report.html").read_text()


def test_who_reads_json_reads_why_it_ended_so(person: Person, tmp_path: Path) -> None:
    """Exit code 3 never comes without its reason: what refused the work, or that nothing did anything."""
    broken = call("write", path="calc.py", content="def add(a, b):\n    return 0\n")
    scripts = {"broken": (broken, "Done."), "idle": ("Done.",)}
    told: dict[str, str] = {}
    for name, answers in scripts.items():
        model = write_script(tmp_path / f"{name}.json", {("solo",): answers})
        done = person.runs("run", name, "--model", model, "-o", "json")
        report = msgspec.json.decode(done.said)
        assert (done.exit_code, report["exit"], report["verified"]) == (exits.UNVERIFIED, "done", False)
        told[name] = report["reason"]

    assert told == {"broken": "its checks did not pass: tests", "idle": "nothing was changed"}
    assert "Its checks did not pass: tests." in person.runs("mission", "show", "broken-1").said


def test_a_job_that_runs_is_shown_at_its_work(person: Person, tmp_path: Path) -> None:
    """What it is at, since when, and when it was last heard of; not how to go on, for it does."""
    waits = {**SCRIPT, ("worker",): (call("shell", command="touch begun; sleep 60"),)}
    begun = person.state / "missions" / MISSION / "checkouts" / "subtract-1" / "begun"
    with person:
        person.starts("mission", BRIEF, "--yes", "--model", write_script(tmp_path / "script.json", waits))
        eventually(begun.exists)
        shown, told = person.runs("mission", "show", MISSION), person.runs("mission", "show", MISSION, "-o", "json")

    assert re.search(
        r"At present: building subtract \(asked for at [\d:]+, last heard of 0 min \d\d s ago\)", shown.said
    )
    assert f"shopfloor log {MISSION} --follow" in shown.said and "Go on:" not in shown.said
    report = msgspec.json.decode(told.said)
    assert (report["state"], report["doing"]) == ("running", "building subtract")
    assert datetime.fromisoformat(report["heard_at"]) >= datetime.fromisoformat(report["started"])


def test_what_nobody_accepted_is_exported_beside_the_change(person: Person, tmp_path: Path) -> None:
    """As a diff of its own and under a heading of its own, never as the change."""
    circles = tuple(call("shell", command="cat calc.py") for _ in range(40))
    script = write_script(tmp_path / "s.json", {("solo",): (call("write", path="calc.py", content=GOOD), *circles)})
    done = person.runs("run", BRIEF, "--model", script)
    person.runs("mission", "export", MISSION, str(tmp_path / "export"))

    assert (done.exit_code, f"git update-ref -d refs/shopfloor/{MISSION}/unaccepted" in done.said) == (
        exits.STUCK,
        True,
    )
    assert (tmp_path / "export" / "changes.diff").read_text() == ""
    assert "+def subtract(a, b):" in (tmp_path / "export" / "unaccepted.diff").read_text()
    assert "<h2>Not accepted</h2>" in (tmp_path / "export" / "report.html").read_text()


def eventually(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def at_the_question(
    person: Person, model: str, answer: Callable[[int, int], object], no_color: str = ""
) -> tuple[int, str]:
    """The program in a terminal, up to "Go ahead?"; `answer` gets its process id and its terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(person.repository)
        kept = {"XDG_STATE_HOME": str(person.home / "state"), "XDG_CONFIG_HOME": str(person.home / "config")}
        words = [sys.executable, "-m", "shopfloor", "mission", BRIEF, "--model", model]
        os.execve(sys.executable, words, {**os.environ, **kept, "TERM": "xterm", "NO_COLOR": no_color})
    said, answered, deadline = b"", False, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:
                break
        if b"[y/N]" in said and not answered:
            time.sleep(0.3)
            answered = bool(answer(child, terminal)) or True
    else:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return code, said.decode(errors="replace")


@pytest.mark.parametrize(
    ("answer", "code", "state"),
    [
        (lambda child, terminal: os.write(terminal, b"\x03"), exits.INTERRUPTED, "waits for a person"),
        (lambda child, terminal: os.kill(child, signal.SIGTERM), exits.INTERRUPTED, "waits for a person"),
        (lambda child, terminal: os.write(terminal, b"\x04"), exits.NEEDS_PERSON, "waits for a person"),
        (lambda child, terminal: os.write(terminal, b"n\r"), exits.NEEDS_PERSON, "waits for a person"),
        (lambda child, terminal: os.write(terminal, b"y\r"), exits.VERIFIED, "verified"),
    ],
    ids=["Ctrl-C", "a polite kill", "Ctrl-D", "no", "yes"],
)
def test_a_plan_waits_for_a_word(
    answer: Callable[[int, int], object], code: int, state: str, person: Person, tmp_path: Path
) -> None:
    """Every way out of the question is heard at once, and nothing is built without a yes."""
    left, said = at_the_question(person, write_script(tmp_path / "script.json", SCRIPT), answer)

    assert left == code, said
    assert state in person.runs("mission", "list").said
    assert (f"shopfloor/{MISSION}" in git(person.repository, "branch", "--list")) == (state == "verified")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_nobody_who_wants_no_colours_gets_an_escape(no_color: str, person: Person, tmp_path: Path) -> None:
    """Neither bold nor dim, in plan, progress and report of a whole mission in a terminal."""
    script = write_script(tmp_path / "script.json", SCRIPT)
    left, said = at_the_question(person, script, lambda child, terminal: os.write(terminal, b"y\r"), no_color)

    assert (left, "\x1b" in said) == (exits.VERIFIED, not no_color), said


def test_a_question_is_answered_without_a_terminal(person: Person, tmp_path: Path) -> None:
    """A script reads what is asked, and goes on with the answer; words for the worker are none."""
    says = call("hand_off", summary="cannot be", done="", commands=[], conflict="two tests want two things")
    script = {**SCRIPT, ("worker", "subtract", 1): (says,), ("worker", "subtract", 2): BUILD}
    model = ("--model", write_script(tmp_path / "asks.json", script))

    waits = person.runs("mission", BRIEF, "--yes", "-o", "json", *model)
    steered = person.runs("mission", "steer", MISSION, "the first")
    shown = person.runs("mission", "show", MISSION)
    blank = person.runs("mission", "resume", MISSION, "--answer", " ", *model)
    done = person.runs("mission", "resume", MISSION, "--answer", "the first one", *model)
    again = person.runs("mission", "resume", MISSION, "--answer", "the first one", *model)

    question = msgspec.json.decode(waits.said)["question"]
    assert (waits.exit_code, "two tests want two things" in question) == (exits.NEEDS_PERSON, True)
    assert "this is no answer" in steered.said
    assert f"shopfloor mission resume {MISSION} --answer WORDS" in shown.said
    assert (blank.exit_code, "there are no words in the answer" in blank.said) == (exits.GAVE_UP, True)
    assert done.exit_code == exits.VERIFIED, done.said
    assert "it waits with no question" in again.said
