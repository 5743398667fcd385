"""One job carried by one runner: claimed by a lease that is renewed, run, delivered, given back.

A runner whose lease was taken hears it from the journal at its next append and stops without another word.
It does not know what the job is about.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import cast

import anyio

from shopfloor.domain.errors import LeaseLost, NeedsHuman, Problem, TryLater
from shopfloor.domain.events import CancelAsked, MissionEnded, MissionEvent, MissionPaused, MissionResumed
from shopfloor.floor.delivery import deliver
from shopfloor.journal.holder import this_process
from shopfloor.journal.store import Journal, Lease, inbox_of
from shopfloor.missions.run import Left, Orders, Runner
from shopfloor.missions.shop import Shop, mission_stream
from shopfloor.missions.state import Mission, evolve, fold
from shopfloor.repo.origin import Origin

LEASE_S = 30.0


async def carry(
    journal: Journal, mission_id: str, build: Callable[[Lease], Awaitable[tuple[Shop, Origin]]], orders: Orders
) -> Left:
    """Carries a mission on to where it ends or must wait. TryLater when another runner has it."""
    async with held(journal, mission_id) as lease:
        try:
            shop, origin = await build(lease)
        except LeaseLost:
            raise
        except Problem as trouble:
            return await _left_without_shop(journal, lease, mission_id, trouble)
        left = await Runner(shop, orders).run()
        if left.exit is None:
            left = await _deliver(shop, origin, left.mission)
        elif left.mission.ended is not None:
            left = replace(left, mission=await _rescue(shop, origin, left.mission))
        if left.mission.ended is not None:
            shop.clear_away()
        return left


async def _left_without_shop(journal: Journal, lease: Lease, mission_id: str, trouble: Problem) -> Left:
    """A mission that can go on no more, because its repository is gone, can still be ended by a person's word.

    One that had ended before needs no repository.
    """
    stream = mission_stream(mission_id)
    mission = await mission_of(journal, mission_id)
    if mission.ended is not None:
        return Left(exit=mission.ended.exit, reason=mission.ended.reason, mission=mission)
    letters = await journal.read(inbox_of(stream))
    if not any(isinstance(letter.event, CancelAsked) for letter in letters):
        raise trouble
    ended = MissionEnded(exit="stopped", reason=f"a person cancelled it; it could not have gone on: {trouble}")
    await journal.append(stream, (ended,), lease=lease)
    return Left(exit=ended.exit, reason=ended.reason, mission=evolve(mission, ended))


@asynccontextmanager
async def held(journal: Journal, mission_id: str) -> AsyncGenerator[Lease]:
    """The mission's lease, renewed in the background for as long as the body runs."""
    lease = await _acquired(journal, mission_id)

    async def keep() -> None:
        while True:
            asleep = time.time()
            await anyio.sleep(LEASE_S / 3)
            await journal.renew(lease, LEASE_S)
            if time.time() - asleep > LEASE_S:  # so was the machine: what comes now is a new beginning
                await journal.append(lease.stream, (MissionResumed(),), lease=lease)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep)
            yield lease
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await journal.release(lease)


async def _acquired(journal: Journal, mission_id: str) -> Lease:
    try:
        return await journal.acquire(mission_stream(mission_id), this_process(), LEASE_S)
    except TryLater as busy:
        words = f"Mission {mission_id!r} is being carried on by another process already ({busy})."
        way = f"Watch it with `shopfloor log {mission_id} --follow`, or stop it with `shopfloor mission pause"
        raise TryLater(f"{words} {way} {mission_id}`.", busy.after_s) from busy


async def _rescue(shop: Shop, origin: Origin, mission: Mission) -> Mission:
    """A mission that ended badly still hands over what had landed and passed; its branch says no more than that.

    What nobody accepted is kept beside it, on no branch.
    """
    if mission.unaccepted is not None:
        with suppress(Problem):  # it stays in the mission's store
            await origin.keep_unaccepted(shop.id, shop.store.path, mission.unaccepted.commit)
    if mission.asked.form == "solo" or mission.tip == mission.asked.base or mission.ready is not None:
        return mission
    try:
        event = await deliver(shop, origin, mission)
    except Problem:  # how it ended is on record; what had landed stays in the mission's store
        return mission
    await shop.desk.record(shop.stream, event)
    return evolve(mission, event)


async def _deliver(shop: Shop, origin: Origin, mission: Mission) -> Left:
    """Delivery in keyed steps, each on record before the next, until the mission has ended."""
    while mission.ended is None:
        try:
            event = await deliver(shop, origin, mission)
        except NeedsHuman as need:
            await shop.desk.record(shop.stream, MissionPaused(reason=need.question, exit="needs_person"))
            return Left(exit="needs_person", reason=need.question, mission=mission)
        await shop.desk.record(shop.stream, event)
        mission = evolve(mission, event)
    return Left(exit=mission.ended.exit, reason=mission.ended.reason, mission=mission)


async def mission_of(journal: Journal, mission_id: str) -> Mission:
    """How a mission stands, for faces."""
    recorded = await journal.read(mission_stream(mission_id))
    return fold(cast("list[MissionEvent]", [one.event for one in recorded if one.event is not None]))
