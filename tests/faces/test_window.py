"""What a person sees and types in a window of their own, of any width, with the real program behind it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from shopfloor.faces.cli import exits
from shopfloor.testing.commands import Person, write_script
from shopfloor.testing.subtraction import BRIEF, CHECKS, FILES, MISSION, SCRIPT_WITH_FIX
from shopfloor.testing.workshop import call, make_repository, plan

PATIENCE_S = 60.0
NARROW = 40
TASK = "Look around"
RUN = "look-around-1"


@pytest.fixture
def person(tmp_path: Path) -> Person:
    (tmp_path / "home").mkdir()
    return Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", FILES))


def in_window(
    person: Person, columns: int, *words: str, answers: Sequence[tuple[bytes, bytes]] = ()
) -> tuple[int, str]:
    """The program in a window of so many columns; each answer is typed when what it waits for has been said."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(person.repository)
        kept = {name: text for name, text in person.surroundings.items() if name != "COLUMNS"}
        os.execve(
            sys.executable, [sys.executable, "-m", "shopfloor", *words], {**kept, "TERM": "xterm", "NO_COLOR": "1"}
        )
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    said, waiting, deadline = b"", list(answers), time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:
                break
        if waiting and waiting[0][0] in said:
            os.write(terminal, waiting.pop(0)[1])
    else:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return code, said.decode(errors="replace").replace("\r\n", "\n")


def test_a_narrow_window_breaks_no_word(person: Person, tmp_path: Path) -> None:
    """Where a table has no room, each of its facts stands on a line of its own."""
    script = write_script(tmp_path / "script.json", SCRIPT_WITH_FIX)
    assert person.runs("mission", BRIEF, "--yes", "--model", script).exit_code == exits.VERIFIED

    _, shown = in_window(person, NARROW, "mission", "show", MISSION)
    _, listed = in_window(person, NARROW, "mission", "list")

    for words in (
        "Contract\n VAL-CALC-001  subtract takes away",
        "\n    passed, judged 2 times",
        " reviewer/fix-subtract-1 ",
    ):
        assert words in shown, shown
    table = shown.partition("Contract")[2].partition("╭─ Change")[0]
    assert max(map(len, table.splitlines())) <= NARROW
    assert listed.startswith(f"{MISSION}\n  {BRIEF}\n  verified, ") and max(map(len, listed.splitlines())) <= NARROW


def test_a_wide_window_has_tables(person: Person, tmp_path: Path) -> None:
    """Every name of an agent stands whole in eighty columns."""
    script = write_script(tmp_path / "script.json", SCRIPT_WITH_FIX)
    person.runs("mission", BRIEF, "--yes", "--model", script)

    _, shown = in_window(person, 80, "mission", "show", MISSION)

    assert re.search(r"^ reviewer/fix-subtract-1 +1 +[\d,]+ +0% +\d+ +unknown", shown, re.MULTILINE), shown


def test_a_number_that_no_answer_has_is_asked_again(person: Person, tmp_path: Path) -> None:
    """Nothing is lost by it, the agent never hears of it, and words of one's own are an answer as before."""
    ask = call("ask", question="Which way?", options=["left", "right"])
    script = write_script(tmp_path / "script.json", {("solo",): (ask, "Done.")})
    answers = ((b"2. right", b"7\r"), (b"choose one of 1 to 2", b"2\r"))

    code, said = in_window(person, 200, "run", TASK, "--model", script, answers=answers)

    assert code == exits.UNVERIFIED, said
    assert "There is no answer 7: choose one of 1 to 2, or say it in words." in said
    told = [fact.body.decode() for fact in person.facts(f"agent/{RUN}/solo/1") if fact.kind == "ToolReturned"]
    assert len(told) == 1 and '"right"' in told[0]


PUBLISHED = "GET /sum answers with `3`\nGET /difference answers with `2`"
NEW = {
    "id": "VAL-CALC-001",
    "title": "`subtract` takes away",
    "behaviour": "When `subtract(5, 3)` is called, it returns 2.",
}
GUARD = {"id": "VAL-CALC-002", "title": "sums stay", "behaviour": "When /sum is asked for, it answers.", "guard": True}
FEATURE = {
    "id": "subtract",
    "title": "Subtract",
    "description": "subtract.",
    "claims": ["VAL-CALC-001", "VAL-CALC-002"],
}


def test_a_plan_tells_what_is_new_from_what_must_stay(person: Person, tmp_path: Path) -> None:
    """Guards are marked, code stands without its marks, lines that were published stay lines; the budget is told."""
    asserted = [{**NEW, "surface": "library"}, {**GUARD, "surface": "http"}]
    proposed = plan("Subtraction", asserted, [FEATURE], published=PUBLISHED, start="python3 app.py")
    script = write_script(tmp_path / "script.json", {("orchestrator",): (proposed,), ("test-writer",): CHECKS})

    words = ("mission", BRIEF, "--plan-only", "--model", script, "--budget", "500ktok|30min")
    code, said = in_window(person, 160, *words)

    assert code == exits.NEEDS_PERSON, said
    assert "VAL-CALC-001  subtract takes away (library)\n    When subtract(5, 3) is called" in said
    assert "VAL-CALC-002  sums stay (http, a guard: holds today, and must go on holding)" in said
    assert [line.strip() for line in said.splitlines() if "GET /" in line] == [
        "GET /sum answers with 3",
        "GET /difference answers with 2",
    ]
    assert "Budget      500,000 tokens, 30 min 00 s (from: flag)" in said
