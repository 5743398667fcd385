"""What a mission leaves in repositories: nothing that was made is lost, and what nobody accepted is no result."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import anyio
import msgspec
import pytest

from shopfloor.domain.events import CancelAsked, ToolReturned
from shopfloor.factory import Wishes
from shopfloor.floor.report import Report
from shopfloor.journal.store import inbox_of
from shopfloor.missions.shop import mission_stream
from shopfloor.settings import Settings
from shopfloor.testing.subtraction import (
    BRIEF,
    CALC,
    GOOD,
    MISSION,
    SCRIPT,
    SCRIPT_WITH_FIX,
    Script,
    build,
    subtraction,
)
from shopfloor.testing.workshop import Workshop, call, git

QUICK = Settings(sandbox="none", auto="high")
"""What a sandbox holds is not what these stories are about."""
REF = f"refs/shopfloor/{MISSION}/unaccepted"


def wrong(number: int) -> str:
    return CALC + f"\n\ndef subtract(a, b):\n    return {number}\n"


REFUSED: Script = {
    **SCRIPT,
    ("worker", "subtract"): build(wrong(7), 1),
    **{("worker", f"fix-subtract-{number}"): build(wrong(7 + number), 1) for number in (1, 2, 3)},
}
"""Judges refuse it as often as they ever do."""


def shown(workshop: Workshop) -> Report:
    """How a face sees the mission."""

    async def act() -> Report:
        async with workshop.factory() as factory:
            return await factory.report(MISSION)

    return anyio.run(act)


def test_work_that_was_refused_to_the_end_can_be_looked_at(tmp_path: Path) -> None:
    """The last of it is kept in the person's repository, on no branch, with the command that shows it."""
    workshop = subtraction(tmp_path, REFUSED, QUICK)
    report = workshop.mission(BRIEF)

    assert (report.exit, report.branch, report.diff) == ("stuck", "", "")
    work = report.unaccepted
    assert work is not None and work.because.startswith("refused by sealed-checks")
    assert (work.feature, work.ref) == ("fix-subtract-3", REF)
    shown = git(workshop.repository, *work.look_command.split()[1:])
    assert "+    return 10" in shown and work.diff.strip() == shown
    assert git(workshop.repository, "branch", "--all", "--format=%(refname)") == "refs/heads/main"
    assert git(workshop.repository, "status", "--porcelain") == ""


def test_what_nobody_accepted_outlives_the_mission_and_goes_at_a_word(tmp_path: Path) -> None:
    """A clean-up of the repository leaves it, resuming puts it there again, dropping it leaves the store's own."""
    workshop = subtraction(tmp_path, REFUSED, QUICK)
    work = workshop.mission(BRIEF).unaccepted
    assert work is not None

    git(workshop.repository, "gc", "-q", "--prune=now")
    assert git(workshop.repository, "show", f"{REF}:calc.py") == wrong(10).strip()
    git(workshop.repository, *work.drop_command.split()[1:])
    dropped = msgspec.structs.replace(work, ref="", look_command="", drop_command="")
    assert shown(workshop).unaccepted == dropped
    workshop.resume(MISSION)
    assert shown(workshop).unaccepted == work


@pytest.mark.parametrize("script", [SCRIPT, SCRIPT_WITH_FIX], ids=["at once", "after a fix"])
def test_accepted_work_leaves_nothing_else_behind(script: Script, tmp_path: Path) -> None:
    """What was refused on the way is part of what mended it."""
    workshop = subtraction(tmp_path, script, QUICK)
    report = workshop.mission(BRIEF)

    assert (report.verified, report.unaccepted) == (True, None)
    assert "unaccepted" not in git(workshop.repository, "for-each-ref")


def test_an_agent_that_goes_round_in_circles_leaves_what_it_wrote(tmp_path: Path) -> None:
    """Its work was judged by nobody, is called so, and is not lost."""
    circles = tuple(call("shell", command="cat calc.py") for _ in range(40))
    workshop = subtraction(tmp_path, {("solo",): (call("write", path="calc.py", content=GOOD), *circles)}, QUICK)
    report = workshop.solo(BRIEF)

    assert (report.exit, report.branch) == ("stuck", "")
    assert report.unaccepted is not None and report.unaccepted.because.startswith("its agent left: stuck")
    assert git(workshop.repository, "show", f"{report.unaccepted.ref}:calc.py") == GOOD.strip()


def test_a_worker_that_never_ends_leaves_what_it_wrote(tmp_path: Path) -> None:
    """Also when a mission gives up on it after as many fresh starts as there are."""
    circles = tuple(call("shell", command="cat calc.py") for _ in range(40))
    script: Script = {**SCRIPT, ("worker",): (call("write", path="calc.py", content=GOOD), *circles)}
    workshop = subtraction(tmp_path, script, QUICK)
    report = workshop.mission(BRIEF)

    assert report.exit == "stuck" and report.unaccepted is not None, report.reason
    assert git(workshop.repository, "show", f"{report.unaccepted.ref}:calc.py") == GOOD.strip()


def test_a_repository_that_takes_nothing_leaves_it_in_the_store(tmp_path: Path) -> None:
    """How the mission ended is told all the same, with the whole change."""
    workshop = subtraction(tmp_path, REFUSED, QUICK)
    git(workshop.repository, "update-ref", f"refs/shopfloor/{MISSION}/unaccepted/taken", "HEAD")
    report = workshop.mission(BRIEF)

    assert report.exit == "stuck" and report.unaccepted is not None
    assert (report.unaccepted.ref, "+    return 10" in report.unaccepted.diff) == ("", True)


def test_a_merge_by_hand_is_seen(tmp_path: Path) -> None:
    """Nobody is told to merge, or to delete, what their branch holds already."""
    workshop = subtraction(tmp_path, SCRIPT, QUICK)
    report = workshop.mission(BRIEF)
    assert (report.merged, report.merge_command != "") == ("", True)

    git(workshop.repository, *report.merge_command.split()[1:], "--no-edit")
    again = shown(workshop)
    assert (again.merged, again.merge_command, again.undo_command) == ("main", "", "")
    git(workshop.repository, "branch", "-d", report.branch)
    assert shown(workshop).merged == "main"


def test_a_fix_has_mended_something_when_its_judge_says_so(tmp_path: Path) -> None:
    """Until then it was to mend it."""
    fixed = subtraction(tmp_path / "fixed", SCRIPT_WITH_FIX, QUICK).mission(BRIEF)
    refused = subtraction(tmp_path / "refused", REFUSED, QUICK).mission(BRIEF)

    assert [fix.mended for fix in fixed.fixes] == [True]
    assert [fix.mended for fix in refused.fixes] == [False, False, False]


@pytest.mark.parametrize("form", ["mission", "solo"])
def test_a_job_that_is_cancelled_while_nobody_carries_it_keeps_what_was_written(
    form: Literal["mission", "solo"], tmp_path: Path
) -> None:
    """Its checkout is cleared away, and nothing in it is lost."""
    role = "worker" if form == "mission" else "solo"
    writes = (call("write", path="calc.py", content=GOOD), *(call("shell", command=f"echo {n}") for n in range(40)))
    workshop = subtraction(tmp_path, {**SCRIPT, (role,): writes}, QUICK)

    async def written_then_stopped() -> None:
        async with workshop.factory() as factory:
            mission, _ = await factory.request(BRIEF, workshop.repository, form, Wishes(approve=True))
            with anyio.CancelScope() as scope:

                def heard(stream: str, event: object) -> None:
                    if isinstance(event, ToolReturned) and f"/{role}/" in stream:
                        seen.append(event)
                        if len(seen) > 3:
                            scope.cancel()

                seen: list[object] = []
                await replace(factory, heard=heard).carry(mission, Wishes(approve=True))
            await factory.journal.append(inbox_of(mission_stream(mission)), (CancelAsked(),))

    anyio.run(written_then_stopped)
    assert shown(workshop).state == "interrupted"
    report = workshop.resume(MISSION)

    assert (report.exit, report.reason) == ("stopped", "a person cancelled it")
    assert report.unaccepted is not None
    assert report.unaccepted.because == "its agent left: stopped a person cancelled it"
    assert git(workshop.repository, "show", f"{report.unaccepted.ref}:calc.py") == GOOD.strip()
    assert not (workshop.state / "missions" / MISSION / "checkouts").exists()
