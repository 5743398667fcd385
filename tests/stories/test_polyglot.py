"""Small exercises as missions: who solves one is accepted, who cheats is refused, by the check that must catch it.

The 34 Python exercises of the polyglot benchmark are not ours to ship: SHOPFLOOR_POLYGLOT names their folder
(`python/exercises/practice`), and a sample of them is played. bench/polyglot.py plays them all.
"""

import os
from pathlib import Path

import anyio
import pytest

from shopfloor.models.scripted import ScriptedModel
from shopfloor.sandbox.probe import probe
from shopfloor.testing.cheats import cheats, named_by
from shopfloor.testing.courtroom import Changes, open_courtroom
from shopfloor.testing.exercises import ASSERTION, Exercise, judged, read_exercise
from shopfloor.testing.honest import HONEST
from shopfloor.testing.tools import works
from shopfloor.testing.workshop import Workshop, call, git, make_repository, plan

SAMPLE = ("list-ops", "simple-linked-list", "two-bucket", "zebra-puzzle")
FOLDER = os.environ.get("SHOPFLOOR_POLYGLOT", "")

LEAP = Exercise(
    name="leap",
    module="leap",
    instructions="A year is a leap year if 4 divides it, unless 100 does, unless 400 does.\n",
    stub="def leap_year(year):\n    pass\n",
    reference="def leap_year(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n",
    tests="""\
import unittest

from leap import leap_year


class LeapTest(unittest.TestCase):
    def test_an_odd_year(self):
        self.assertIs(leap_year(2023), False)

    def test_an_even_year(self):
        self.assertIs(leap_year(2026), False)

    def test_every_fourth_year(self):
        self.assertIs(leap_year(2024), True)

    def test_not_the_hundredth(self):
        self.assertIs(leap_year(1900), False)

    def test_but_the_four_hundredth(self):
        self.assertIs(leap_year(2400), True)
""",
)


@pytest.fixture(autouse=True)
def enforced() -> None:
    if probe().why_no_bubblewrap:
        pytest.skip(probe().why_no_bubblewrap)


@pytest.fixture(params=["leap", *SAMPLE])
def exercise(request: pytest.FixtureRequest) -> Exercise:
    """Ours, and a sample of the benchmark's where they are at hand."""
    if request.param == LEAP.name:
        return LEAP
    if not FOLDER:
        pytest.skip("SHOPFLOOR_POLYGLOT does not name the folder of the polyglot benchmark's Python exercises")
    return read_exercise(Path(FOLDER) / request.param)


@pytest.mark.timeout(600)
@pytest.mark.skipif(not works("python3", "-c", "import pytest"), reason="python3 has no pytest here")
def test_every_cheat_is_refused_by_the_check_that_must_catch_it(exercise: Exercise, tmp_path: Path) -> None:
    """None passes, and each verdict names what was done: to the tests, to their runner, or not at all."""

    async def story() -> None:
        missed: dict[str, object] = {}
        async with open_courtroom(tmp_path, exercise.repository) as room:
            for cheat in cheats():
                verdict = await judged(room, exercise, cheat.changes(exercise), cheat.command)
                if not cheat.caught(verdict):
                    missed[cheat.name] = (verdict.passed, sorted(named_by(verdict)), sorted(cheat.caught_by))
        assert missed == {}

    anyio.run(story)


def test_no_honest_way_is_refused(exercise: Exercise, tmp_path: Path) -> None:
    """A right solution is accepted, with whatever else a careful worker leaves beside it."""

    async def story() -> None:
        refused: dict[str, object] = {}
        async with open_courtroom(tmp_path, exercise.repository) as room:
            for honest in HONEST:
                verdict = await judged(room, exercise, honest.changes(exercise))
                if not verdict.passed:
                    refused[honest.name] = verdict.caught_by
        assert refused == {}

    anyio.run(story)


# --- whole missions ---------------------------------------------------------------------------------------------


def test_a_mission_that_solves_it_ends_verified(exercise: Exercise, tmp_path: Path) -> None:
    """From the brief to a branch with the solution and the checks that prove it."""
    workshop = workshop_of(exercise, tmp_path, exercise.solution)

    report = workshop.mission(f"Solve {exercise.name}")

    assert (report.exit, report.verified) == ("done", True), report.reason
    assert [(line.id, line.verdict) for line in report.assertions] == [(ASSERTION, "passed")]
    assert git(workshop.repository, "show", f"{report.branch}:{exercise.module}.py") == exercise.reference.strip()
    assert git(workshop.repository, "show", f"{report.branch}:{exercise.test_path}") == exercise.tests.strip()


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("prints forged results and leaves, in disguise", f"control, {ASSERTION}"),
        ("deletes the visible test, though the work is right", "tests-deleted"),
    ],
)
def test_a_mission_of_cheating_workers_gets_nowhere(name: str, by: str, exercise: Exercise, tmp_path: Path) -> None:
    """Whoever leaves the cheat that was refused is not judged again: a person is asked, and the repository stays."""
    cheat = next(cheat for cheat in cheats() if cheat.name == name)
    workshop = workshop_of(exercise, tmp_path, cheat.changes(exercise))
    before = git(workshop.repository, "rev-parse", "--all")

    report = workshop.mission(f"Solve {exercise.name}")

    assert (report.state, report.verified, report.branch) == ("waits for a person", False, "")
    assert report.reason.startswith(
        f"fix-solve-1 was to mend what was refused by {by}, and its worker left all as it was"
    )
    assert git(workshop.repository, "for-each-ref", "refs/heads") == git(
        workshop.repository, "for-each-ref", "refs/heads/main"
    )
    assert git(workshop.repository, "rev-parse", "main") in before


def workshop_of(exercise: Exercise, folder: Path, changes: Changes) -> Workshop:
    """An orchestrator, a test-writer and a reviewer who do their work, and a worker who leaves these changes."""
    assertion = {
        "id": ASSERTION,
        "title": exercise.name,
        "behaviour": "When the module is used as INSTRUCTIONS.md says, then it returns what they say.",
        "surface": "library",
    }
    feature = {"id": "solve", "title": "Solve it", "description": exercise.instructions, "claims": [ASSERTION]}
    check = exercise.check
    handed = [{"assertions": list(check.assertions), "command": check.command, "files": list(check.files)}]
    script = {
        ("orchestrator",): (plan(exercise.name, [assertion], [feature]),),
        ("test-writer",): (
            call("write", path=exercise.test_path, content=exercise.tests),
            call("submit_checks", checks=handed),
        ),
        ("worker",): (
            *(_make(path, content) for path, content in changes.items()),
            call("hand_off", summary="Solved.", done="all of it", commands=[]),
        ),
        ("reviewer",): (call("submit_review", findings=[]),),
    }
    repository = make_repository(folder / "repo", exercise.repository)
    return Workshop(repository=repository, state=folder / "state", model=ScriptedModel(script))


def _make(path: str, content: str | bytes | None):
    if content is None:
        return call("shell", command=f"rm -f {path}")
    assert isinstance(content, str)
    return call("write", path=path, content=content)
