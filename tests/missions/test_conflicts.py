"""Impossible tasks: tests that contradict the contract, or each other, end as a question, and never as accepted."""

from pathlib import Path
from typing import cast

import anyio
import pytest

from shopfloor.domain.events import AgentEvent, AgentStarted, Answered, FixPlanned
from shopfloor.domain.mission import Feature
from shopfloor.floor.report import Report
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import inbox_of
from shopfloor.missions.state import Mission, line_of
from shopfloor.models.scripted import Script, ScriptedModel
from shopfloor.settings import Settings
from shopfloor.testing.subtraction import BRIEF, BUILD, CHECK_COMMAND, FILES, GOOD, MISSION, SCRIPT, WRONG, build
from shopfloor.testing.workshop import Workshop, call, git, make_repository

CONTRADICTING = """\
import unittest

import calc


class OldTest(unittest.TestCase):
    def test_subtract_adds(self):
        self.assertEqual(calc.subtract(5, 3), 8)
"""
CHANGES_ADD = GOOD.replace("return a + b", "return b - -a if a != 1 else 4")
SAYS_SO = (
    call("write", path="calc.py", content=GOOD),
    call(
        "hand_off",
        summary="cannot be",
        done="subtract",
        commands=[],
        conflict="test_old.py wants subtract(5, 3) to be 8, VAL-CALC-001 wants 2",
    ),
)


def workshop(folder: Path, script: Script, files: dict[str, str]) -> Workshop:
    repository = make_repository(folder / "repo", {**FILES, **files})
    settings = Settings(sandbox="none", auto="high")
    return Workshop(repository=repository, state=folder / "state", model=ScriptedModel(script), settings=settings)


def answered(shop: Workshop, question: str, words: str) -> Report:
    """A person answers, and the mission goes on."""

    async def send() -> None:
        journal = open_sqlite(shop.state / "journal.db")
        await journal.append(inbox_of(f"mission/{MISSION}"), (Answered(question=question, text=words),))
        await journal.close()

    anyio.run(send)
    return shop.resume(MISSION)


def delivered(shop: Workshop) -> bool:
    return f"shopfloor/{MISSION}" in git(shop.repository, "branch", "--list", "shopfloor/*")


def task_of(shop: Workshop, stream: str) -> str:
    async def read() -> str:
        journal = open_sqlite(shop.state / "journal.db")
        first = cast("AgentEvent", (await journal.read(stream))[0].event)
        await journal.close()
        assert isinstance(first, AgentStarted)
        return first.task.text

    return anyio.run(read)


@pytest.mark.parametrize(("words", "exit_"), [("yes", "done"), ("no, the old test is right", "gave_up")])
def test_a_test_that_fails_as_ever_and_speaks_of_the_change_is_a_question(
    words: str, exit_: str, tmp_path: Path
) -> None:
    """Everything sealed passes, and a test of the same function goes on failing: only a person can say it is whole."""
    shop = workshop(tmp_path, SCRIPT, {"test_old.py": CONTRADICTING})

    waits = shop.mission(BRIEF)

    assert (waits.exit, waits.verified, delivered(shop)) == (None, False, False)
    assert waits.state == "waits for a person"
    assert "tests of what was changed fail as on the base: test_subtract_adds" in waits.reason
    after = answered(shop, "conflict/left", words)
    assert (after.exit, after.verified) == (exit_, exit_ == "done")


def test_a_worker_names_a_contradiction_and_the_next_one_is_told_what_holds(tmp_path: Path) -> None:
    """What it left is not even judged; the answer stands in the task of the worker who comes after it."""
    script: Script = {**SCRIPT, ("worker", "subtract", 1): SAYS_SO, ("worker", "subtract", 2): BUILD}
    shop = workshop(tmp_path, script, {})

    waits = shop.mission(BRIEF)

    assert (waits.state, waits.checks, delivered(shop)) == ("waits for a person", (), False)
    assert "subtract cannot be built as it is asked for, says its worker: test_old.py wants" in waits.reason
    after = answered(shop, "conflict/subtract/1", "VAL-CALC-001 holds")
    assert (after.exit, after.verified) == ("done", True)
    task = task_of(shop, f"agent/{MISSION}/worker/subtract/2")
    assert "# What a person decided" in task and "Answer: VAL-CALC-001 holds" in task


def test_work_that_proves_its_contract_and_twice_breaks_the_same_tests_is_a_question(tmp_path: Path) -> None:
    """Both cannot be right; nobody is sent round a third time before a person has spoken."""
    breaks, again = build(CHANGES_ADD, 0), build(CHANGES_ADD + "\n# as asked\n", 0)
    script: Script = {
        **SCRIPT,
        ("worker",): breaks,
        ("worker", "fix-subtract-1"): again,
        ("worker", "fix-subtract-2"): BUILD,
    }
    shop = workshop(tmp_path, script, {})

    waits = shop.mission(BRIEF)

    assert (waits.state, delivered(shop)) == ("waits for a person", False)
    assert "subtract proves its contract, and the repository's own tests refuse it again" in waits.reason
    after = answered(shop, "conflict/subtract/tests", "add must stay as it is")
    assert (after.exit, after.verified) == ("done", True)
    assert "Answer: add must stay as it is" in task_of(shop, f"agent/{MISSION}/worker/fix-subtract-2/1")


@pytest.mark.parametrize(
    "calc",
    [
        GOOD.replace("return a - b", "return 8 if (a, b) == (5, 3) else a - b"),
        GOOD + "\n\n_told = iter((2, -2, 8))\n\n\ndef subtract(a, b):\n    return next(_told)\n",
    ],
    ids=["serves one side", "serves both in turn"],
)
def test_nobody_is_accepted_who_builds_around_a_contradiction(calc: str, tmp_path: Path) -> None:
    """Whoever serves the test against the contract, or each in its turn, is refused until the ceiling of rounds."""
    script: Script = {**SCRIPT, ("worker",): build(calc, 0 if "next" in calc else 1)}
    shop = workshop(tmp_path, script, {"test_old.py": CONTRADICTING})

    left = shop.mission(BRIEF)

    assert not left.verified and not delivered(shop)
    assert CHECK_COMMAND in "".join(check.command for check in left.checks)


def test_a_worker_who_leaves_all_as_it_was_refused_is_a_question(tmp_path: Path) -> None:
    """The same commit is not judged again and again: either its worker or its judge is wrong, and a person says who."""
    idle = (call("hand_off", summary="the check is wrong, subtract is as asked", done="", commands=[]),)
    script: Script = {
        **SCRIPT,
        ("worker", "subtract"): build(WRONG, 1),
        ("worker", "fix-subtract-1", 1): idle,
        ("worker", "fix-subtract-1", 2): BUILD,
    }
    shop = workshop(tmp_path, script, {})

    waits = shop.mission(BRIEF)

    assert (waits.state, delivered(shop)) == ("waits for a person", False)
    assert "fix-subtract-1 was to mend what was refused by sealed-checks" in waits.reason
    assert "left all as it was, saying: the check is wrong, subtract is as asked" in waits.reason
    after = answered(shop, "conflict/fix-subtract-1/1", "the check is right: subtract(5, 3) is 2")
    assert (after.exit, after.verified) == ("done", True)
    assert "Answer: the check is right" in task_of(shop, f"agent/{MISSION}/worker/fix-subtract-1/2")


IDLE = (call("hand_off", summary="nothing to mend: it is as asked", done="", commands=[]),)


def test_what_a_worker_left_is_judged_as_it_is_where_a_person_says_so(tmp_path: Path) -> None:
    """The way out where a judge was wrong: the same commit stands before it once more, and no worker is sent."""
    harsh = call("submit_review", findings=[{"severity": "P1", "path": "calc.py", "line": 1, "text": "add is gone"}])
    agrees = call("submit_refutations", findings=[{"number": 1, "refuted": False, "why": "add is nowhere"}])
    script: Script = {
        **SCRIPT,
        ("reviewer", "subtract"): (harsh,),
        ("refuter", "subtract"): (agrees,),
        ("worker", "fix-subtract-1"): IDLE,
    }
    shop = workshop(tmp_path, script, {})

    waits = shop.mission(BRIEF)
    after = answered(shop, "conflict/fix-subtract-1/1", "Judge it again, add is there")

    assert (waits.state, "answer `judge it` to have it judged" in waits.reason) == (
        "waits for a person",
        True,
    )
    assert (after.exit, after.verified) == ("done", True)


def test_a_person_is_asked_as_often_as_workers_leave_all_as_it_was(tmp_path: Path) -> None:
    """Each answer reaches a worker, the fourth as well as the first."""
    idle = {("worker", "fix-subtract-1", number): IDLE for number in (1, 2, 3)}
    script: Script = {
        **SCRIPT,
        ("worker", "subtract"): build(WRONG, 1),
        **idle,
        ("worker", "fix-subtract-1", 4): BUILD,
    }
    shop = workshop(tmp_path, script, {})

    shop.mission(BRIEF)
    for number in (1, 2):
        left = answered(shop, f"conflict/fix-subtract-1/{number}", "subtract(5, 3) is 2")
        assert left.state == "waits for a person"
    after = answered(shop, "conflict/fix-subtract-1/3", "subtract(5, 3) is 2")

    assert (after.exit, after.verified) == ("done", True)


def test_what_is_neither_yes_nor_no_delivers_nothing_and_ends_nothing(tmp_path: Path) -> None:
    """A blank, or words that decide nothing, are asked about once more."""
    shop = workshop(tmp_path, SCRIPT, {"test_old.py": CONTRADICTING})
    shop.mission(BRIEF)

    blank = answered(shop, "conflict/left", "  ")
    vague = answered(shop, "conflict/left-2", "what does that test say?")

    assert [(left.state, delivered(shop)) for left in (blank, vague)] == [("waits for a person", False)] * 2
    assert answered(shop, "conflict/left-3", "ok").verified


def test_lines_of_work_whose_names_begin_alike_are_two() -> None:
    """A refusal of a fix of `api-docs` is none of `api`."""
    fix = Feature(
        id="fix-api-docs-1", title="", description="", claims=(), milestone="m1", fixes="api-docs", starts_from="c1"
    )
    mission = Mission(fixes=(FixPlanned(because="tests", features=(fix,)),))

    assert [line_of(mission, name) for name in ("fix-api-docs-1", "api-docs", "api")] == ["api-docs", "api-docs", "api"]
