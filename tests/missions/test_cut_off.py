"""The time of a runner that died counts, whatever it was at: budgets hold across crashes."""

from pathlib import Path

import anyio

from shopfloor.domain.events import AgentEvent, MissionResumed, PlanApproved, ToolReturned
from shopfloor.domain.messages import Result
from shopfloor.journal.sqlite import SqliteJournal, open_sqlite
from shopfloor.journal.store import Lease
from shopfloor.missions.cut_off import cut_off_s

MISSION, REVIEWER = "mission/m", "agent/m/reviewer/f/1"
TTL_S = 30.0


class Hours:
    """A clock, and the holders who died."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.dead: set[str] = set()


async def lost(journal: SqliteJournal, holder: str) -> float:
    lease = await journal.acquire(MISSION, holder, TTL_S)
    agents = [await journal.read(REVIEWER)]
    seconds = cut_off_s(lease, await journal.read(MISSION), agents)
    await journal.append(MISSION, (MissionResumed(cut_off_s=seconds),), lease=lease)
    return seconds


def test_judging_that_a_crash_cut_off_counts_beside_what_its_agents_told(tmp_path: Path) -> None:
    """Eight minutes of checks, then a reviewer at work for 20 s: the checks are lost, the reviewer's time is not."""
    hours = Hours()

    async def story() -> list[float]:
        journal = open_sqlite(tmp_path / "journal.db", clock=lambda: hours.now, is_dead=hours.dead.__contains__)
        first = await journal.acquire(MISSION, "one", TTL_S)
        await journal.append(MISSION, (PlanApproved(by="me"),), lease=first)
        hours.now += 480
        told: AgentEvent = ToolReturned(turn=1, result=Result(call_id="1", text=""), seconds=20)
        hours.now += 20
        await journal.append(REVIEWER, (told,), lease=first)
        await journal.renew(first, TTL_S)
        hours.dead.add("one")
        again = await lost(journal, "two")
        hours.now += 480
        hours.dead.add("two")
        never_renewed = await lost(journal, "three")
        await journal.close()
        return [again, never_renewed]

    assert anyio.run(story) == [480, 0]


def test_a_runner_that_put_nothing_on_record_counts_from_its_beginning(tmp_path: Path) -> None:
    """It begins with a fact, so a row of crashes in the same long judgement is not free."""
    hours = Hours()

    async def story() -> list[float]:
        journal = open_sqlite(tmp_path / "journal.db", clock=lambda: hours.now, is_dead=hours.dead.__contains__)
        first = await journal.acquire(MISSION, "one", TTL_S)
        await journal.append(MISSION, (PlanApproved(by="me"),), lease=first)
        found: list[float] = []
        for holder, before in (("two", "one"), ("three", "two")):
            hours.now += 100
            lease = first if before == "one" else Lease(stream=MISSION, epoch=2, holder="two")
            await journal.renew(lease, TTL_S)
            hours.dead.add(before)
            found.append(await lost(journal, holder))
        await journal.close()
        return found

    assert anyio.run(story) == [100, 100]
