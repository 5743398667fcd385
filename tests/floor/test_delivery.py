"""Delivery: the work arrives once, on a branch of its own, and a policy merges only what is verified and clean."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shopfloor.settings import Settings
from shopfloor.testing.subtraction import BRIEF, CALC, MISSION, subtraction
from shopfloor.testing.workshop import Workshop, git

if TYPE_CHECKING:
    from conftest import While

AUTOMATIC = Settings(sandbox="none", auto="high", merge="automatic")
BRANCH = f"shopfloor/{MISSION}"


def forget(workshop: Workshop, *kinds: str) -> None:
    """Takes the mission's last facts out of the journal, as if the power had failed before they were written."""
    with sqlite3.connect(workshop.state / "journal.db") as db:
        marks = ", ".join("?" for _ in kinds)
        words = f"DELETE FROM events WHERE stream = ? AND kind IN ({marks})"
        db.execute(words, (f"mission/{MISSION}", *kinds))
    db.close()


def person_commits(workshop: Workshop, **files: str) -> str:
    """The person goes on working on the target; the commit they make."""
    for name, text in files.items():
        (workshop.repository / name.replace("_py", ".py")).write_text(text)
    git(workshop.repository, "add", "-A")
    git(workshop.repository, "commit", "-qm", "Meanwhile")
    return git(workshop.repository, "rev-parse", "HEAD")


def refs(workshop: Workshop) -> str:
    return git(workshop.repository, "for-each-ref")


# --- the branch --------------------------------------------------------------------------------------------------


def test_delivered_twice_is_delivered_once(workshop: Workshop) -> None:
    """The branch was there, and the fact was not: the next runner writes the fact and moves nothing."""
    first = workshop.mission(BRIEF)
    before, kinds = refs(workshop), workshop.kinds(MISSION)
    forget(workshop, "MissionReady", "MissionEnded")

    again = workshop.resume(MISSION)
    assert (again.exit, again.verified, again.commit) == ("done", True, first.commit)
    assert refs(workshop) == before
    assert [kind for kind in workshop.kinds(MISSION) if kind != "MissionResumed"] == kinds


def test_the_one_command_shown_merges_the_work(workshop: Workshop) -> None:
    """By default the person's branch is theirs: what they are shown is all they need to type."""
    before = git(workshop.repository, "rev-parse", "main")
    report = workshop.mission(BRIEF)

    assert git(workshop.repository, "rev-parse", "main") == before
    assert report.merge_command == f"git merge --no-ff {BRANCH}"
    git(workshop.repository, *report.merge_command.split()[1:], "-m", "Merge")
    assert "subtract" in (workshop.repository / "calc.py").read_text()


def test_nobody_is_told_to_merge_what_is_gone(workshop: Workshop) -> None:
    """Once the branch is deleted, merged or not, there is nothing left to merge or to undo."""
    report = workshop.mission(BRIEF)
    assert report.undo_command == f"git branch -D {BRANCH}"
    git(workshop.repository, "branch", "-qD", BRANCH)

    again = workshop.resume(MISSION)

    assert (again.branch, again.merge_command, again.undo_command) == (BRANCH, "", "")


def test_a_person_who_stands_elsewhere_is_shown_the_way(workshop_while: "While") -> None:
    """The command goes to the target first."""
    workshop = workshop_while("worker", lambda: git(workshop.repository, "switch", "-qc", "idea"))

    assert workshop.mission(BRIEF).merge_command == f"git switch main && git merge --no-ff {BRANCH}"


def test_a_branch_that_somebody_made_meanwhile_is_left_alone(workshop_while: "While") -> None:
    """It needs a person: nothing is overwritten, and when the name is free the delivery goes on."""
    workshop = workshop_while("worker", lambda: git(workshop.repository, "branch", BRANCH))

    waiting = workshop.mission(BRIEF)
    assert (waiting.exit, waiting.state) == (None, "waits for a person")
    assert f"Branch '{BRANCH}'" in waiting.reason
    assert "shopfloor did not put there" in waiting.reason

    git(workshop.repository, "branch", "-qm", BRANCH, "mine")
    report = workshop.resume(MISSION)
    assert (report.exit, report.verified) == ("done", True)
    assert git(workshop.repository, "rev-parse", BRANCH) == report.commit


def test_a_name_that_is_taken_is_not_used_for_a_new_mission(workshop: Workshop) -> None:
    """Neither a branch of the person's, nor one of an earlier mission."""
    git(workshop.repository, "branch", BRANCH)
    assert workshop.mission(BRIEF).branch == f"shopfloor/{MISSION.removesuffix('1')}2"
    assert workshop.mission(BRIEF).branch == f"shopfloor/{MISSION.removesuffix('1')}3"


# --- the automatic merge -----------------------------------------------------------------------------------------


def test_by_policy_what_is_verified_is_merged(tmp_path: Path) -> None:
    """As a merge of its own, with the person's files moved along."""
    workshop = subtraction(tmp_path, settings=AUTOMATIC)
    report = workshop.mission(BRIEF)

    assert (report.exit, report.verified, report.reason) == ("done", True, "")
    assert workshop.kinds(MISSION)[-3:] == ["MissionReady", "Landed", "MissionEnded"]
    assert git(workshop.repository, "log", "-1", "--format=%s", "main") == f"Merge mission {MISSION}"
    assert "subtract" in (workshop.repository / "calc.py").read_text()
    assert git(workshop.repository, "status", "--porcelain") == ""


def test_merged_twice_is_merged_once(tmp_path: Path) -> None:
    """The merge was made, and the fact was not: it is found, not made again."""
    workshop = subtraction(tmp_path, settings=AUTOMATIC)
    workshop.mission(BRIEF)
    before = refs(workshop)
    forget(workshop, "Landed", "MissionEnded")

    assert workshop.resume(MISSION).exit == "done"
    assert refs(workshop) == before
    assert workshop.kinds(MISSION)[-2:] == ["Landed", "MissionEnded"]


def test_a_target_that_moved_meanwhile_keeps_what_it_got(workshop_while: "While") -> None:
    """Other people's work and this one are both there."""
    workshop = workshop_while("worker", lambda: person_commits(workshop, notes_py="x = 1\n"), AUTOMATIC)

    assert workshop.mission(BRIEF).verified
    assert (workshop.repository / "notes.py").exists()
    assert "subtract" in (workshop.repository / "calc.py").read_text()
    assert len(git(workshop.repository, "rev-list", "--merges", "main").split()) == 1


RELIES_ON_IT = "import unittest\n\nimport calc\n\n\nclass NoMinusTest(unittest.TestCase):\n"
RELIES_ON_IT += "    def test_there_is_no_minus(self):\n        self.assertFalse(hasattr(calc, 'subtract'))\n"


def relied_on_the_old(workshop: Workshop) -> None:
    person_commits(workshop, test_minus_py=RELIES_ON_IT)


def moved_both(workshop: Workshop) -> None:
    person_commits(workshop, calc_py=CALC.replace("a + b", "b + a") + "\n\nPI = 3\n")


def left_uncommitted(workshop: Workshop) -> None:
    (workshop.repository / "calc.py").write_text(CALC + "# still thinking\n")


def renamed(workshop: Workshop) -> None:
    git(workshop.repository, "branch", "-qm", "main", "trunk")


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (moved_both, "not merged: calc.py changed on both sides"),
        (left_uncommitted, "not merged: 'main' is checked out in"),
        (relied_on_the_old, "not merged: with what others did meanwhile, tests: python3 -m unittest"),
        (renamed, "not merged: there is no local branch 'main'"),
    ],
)
def test_what_cannot_be_merged_cleanly_is_left_to_the_person(
    workshop_while: "While", meanwhile: Callable[[Workshop], None], reason: str
) -> None:
    """The work is done and delivered all the same, the reason is told, and nobody's files are touched."""
    seen: list[tuple[str, str]] = []

    def happens() -> None:
        meanwhile(workshop)
        seen.append((git(workshop.repository, "rev-parse", "HEAD"), (workshop.repository / "calc.py").read_text()))

    workshop = workshop_while("worker", happens, AUTOMATIC)
    report = workshop.mission(BRIEF)

    assert (report.exit, report.verified) == ("done", True)
    assert report.reason.startswith(reason)
    assert git(workshop.repository, "rev-parse", BRANCH) == report.commit
    assert seen == [(git(workshop.repository, "rev-parse", "HEAD"), (workshop.repository / "calc.py").read_text())]


def test_what_is_not_verified_is_never_merged(tmp_path: Path) -> None:
    """A job of one agent whose checks do not pass is delivered for a person to look at, and no more."""
    workshop = subtraction(tmp_path, {("solo",): ["Nothing to do, all is well."]}, AUTOMATIC)
    broken = person_commits(workshop, test_calc_py="import unittest\n\nraise RuntimeError('no')\n")

    report = workshop.solo("Mend the tests")
    assert report.verified is False
    assert git(workshop.repository, "rev-parse", "main") == broken
