"""One job, one runner: who comes second waits, and who was replaced stops without another word."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import GiveUp, LeaseLost, TryLater
from shopfloor.factory import Wishes
from shopfloor.floor.report import Report
from shopfloor.journal.holder import this_process
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.testing.subtraction import BRIEF, MISSION
from shopfloor.testing.workshop import Workshop, git

if TYPE_CHECKING:
    from conftest import While

YES = Wishes(approve=True)


def elsewhere(act: Callable[[], Report]) -> Report:
    """Does it in a thread of its own, as another process would, and waits for its end."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def everything(workshop: Workshop) -> list[tuple[str, int, int, str, bytes]]:
    """All facts of the journal, with who wrote them."""
    with sqlite3.connect(workshop.state / "journal.db") as db:
        rows = db.execute("SELECT stream, seq, epoch, kind, body FROM events ORDER BY stream, seq").fetchall()
    db.close()
    return rows


def innermost(raised: BaseException) -> BaseException:
    while isinstance(raised, BaseExceptionGroup):
        raised = raised.exceptions[0]
    return raised


def test_a_second_runner_is_told_who_has_the_mission(workshop_while: "While") -> None:
    """It learns the holder and when to come back, and the first one never notices."""
    told: list[TryLater] = []

    def somebody_else_comes() -> None:
        with pytest.raises(TryLater) as raised:
            elsewhere(lambda: workshop.resume(MISSION))
        told.append(raised.value)

    workshop = workshop_while("worker", somebody_else_comes)
    report = workshop.mission(BRIEF)

    assert (report.exit, report.verified) == ("done", True)
    assert repr(this_process()) in str(told[0])
    assert 0 < told[0].after_s <= 30


def test_who_goes_on_is_told_when_it_really_does(workshop_while: "While") -> None:
    """Not while another one has the mission, and not where its repository is gone."""
    begun: list[str] = []

    def somebody_else_comes() -> None:
        with pytest.raises(TryLater):
            elsewhere(lambda: went_on(workshop, "second"))

    def went_on(workshop: Workshop, who: str) -> Report:
        async def act() -> Report:
            async with workshop.factory() as factory:
                await factory.carry(MISSION, YES, lambda: begun.append(who))
                return await factory.report(MISSION)

        return anyio.run(act)

    workshop = workshop_while("worker", somebody_else_comes)
    assert workshop.mission(BRIEF, Wishes(plan_only=True)).state == "waits for a person"
    workshop.repository.rename(workshop.repository.with_name("gone"))
    with pytest.raises(BaseException) as raised:
        went_on(workshop, "nobody")
    assert isinstance(innermost(raised.value), GiveUp)
    workshop.repository.with_name("gone").rename(workshop.repository)

    assert went_on(workshop, "first").verified
    assert begun == ["first"]


def test_what_has_ended_needs_no_repository(workshop: Workshop) -> None:
    """Who resumes it gets its report, wherever the repository is by now."""
    first = workshop.mission(BRIEF)
    workshop.repository.rename(workshop.repository.with_name("gone"))

    again = workshop.resume(MISSION)

    assert (again.exit, again.verified, again.commit) == ("done", True, first.commit)


def test_a_runner_that_was_replaced_stops_and_writes_nothing(workshop_while: "While") -> None:
    """While it sleeps in a model call another one carries the mission to its end: the zombie changes nothing at all."""
    left: list[list[tuple[str, int, int, str, bytes]]] = []
    reports: list[Report] = []
    branches: list[str] = []

    def another_takes_over() -> None:
        # It sees the first one as dead, as it would when its lease had run out or its machine had gone.
        second = replace(workshop, journal=lambda path: open_sqlite(path, is_dead=lambda holder: True))
        reports.append(elsewhere(lambda: second.resume(MISSION)))
        left.append(everything(workshop))
        branches.append(git(workshop.repository, "for-each-ref"))

    workshop = workshop_while("worker", another_takes_over)
    with pytest.raises(BaseException) as raised:
        workshop.mission(BRIEF)

    assert isinstance(innermost(raised.value), LeaseLost)
    assert (reports[0].exit, reports[0].verified) == ("done", True)
    assert everything(workshop) == left[0]
    assert git(workshop.repository, "for-each-ref") == branches[0]
    epochs = {kind: epoch for stream, _, epoch, kind, _ in left[0] if stream == f"mission/{MISSION}"}
    assert (epochs["ContractSealed"], epochs["MissionEnded"]) == (1, 2)


def test_a_runner_that_ends_gives_its_lease_back(workshop: Workshop) -> None:
    """The next one need not wait for it to run out."""
    planned = workshop.mission(BRIEF, Wishes(plan_only=True))
    assert planned.state == "waits for a person"

    assert workshop.resume(planned.id).exit == "done"


def test_a_runner_that_is_interrupted_gives_its_lease_back(workshop_while: "While") -> None:
    """Ctrl-C in the middle of a turn: the journal is whole, and the mission can be carried on at once."""
    scopes: list[anyio.CancelScope] = []

    def press_control_c() -> None:
        scopes[0].cancel()

    workshop = workshop_while("worker", press_control_c)

    async def interrupted() -> bool:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            async with workshop.factory() as factory:
                mission, _ = await factory.request(BRIEF, workshop.repository, "mission", YES)
                await factory.carry(mission, YES)
        return scope.cancelled_caught

    assert anyio.run(interrupted)

    report = workshop.resume(MISSION)
    assert (report.exit, report.verified) == ("done", True)


def test_resuming_what_has_ended_changes_nothing(workshop: Workshop) -> None:
    """The same call as starting, also when there is nothing left to do."""
    first = workshop.mission(BRIEF)
    before = everything(workshop)

    assert workshop.resume(MISSION) == first
    assert everything(workshop) == before
