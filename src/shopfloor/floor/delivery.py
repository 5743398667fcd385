"""The mission's branch arrives in the person's repository; merging it is theirs, or their policy's.

Keyed by mission: doing it twice is the same as once. It does not know whether the work is good.
"""

import shutil
from dataclasses import replace

from shopfloor.domain.events import Landed, MissionEnded, MissionReady
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission
from shopfloor.repo.merge import Conflict
from shopfloor.repo.origin import Merged, Origin, Refused, merge_command
from shopfloor.repo.services import commands_at
from shopfloor.repo.store import Store
from shopfloor.validation.scrutiny import refusals, review_change


async def deliver(shop: Shop, origin: Origin, mission: Mission) -> MissionReady | Landed | MissionEnded:
    """The next step of handing the work over; what happened, to be recorded."""
    asked = mission.asked
    commit = mission.attempts[-1].commit if asked.form == "solo" else mission.tip
    if mission.ready is None:
        if commit == asked.base:
            return MissionEnded(exit="done", reason="nothing was changed")
        branch = await origin.deliver(shop.id, shop.store.path, commit)
        carried = await origin.dirty() != () and not await origin.holds(asked.target, asked.base)
        command = merge_command(branch, await _elsewhere(origin, asked.target), carried=carried)
        return MissionReady(branch=branch, commit=commit, merge_command=command)
    if asked.merge_policy == "automatic" and mission.merged is None and verified(mission):

        async def refuse(target: str, merged: str) -> str:
            return await _refuse_together(shop, origin, target, merged)

        match await origin.merge(commit, asked.target, f"Merge mission {shop.id}", refuse):
            case Merged(commit=merged):
                return Landed(target=asked.target, commit=merged)
            case Conflict(paths=paths):
                return MissionEnded(exit="done", reason=f"not merged: {', '.join(paths)} changed on both sides")
            case Refused(why=why):
                return MissionEnded(exit="done", reason=f"not merged: {why}")
    return MissionEnded(exit="done")


async def _elsewhere(origin: Origin, target: str) -> str:
    """The target, when it is a branch and the person stands on another."""
    is_branch = await origin.branch(target) is not None
    return target if is_branch and (await origin.head()).branch != target else ""


async def _refuse_together(shop: Shop, origin: Origin, target: str, merged: str) -> str:
    """Why a merge with what others did meanwhile may not land, by scrutiny of the two together; "" when it may."""
    folder = shop.court.folder / "merge"
    shutil.rmtree(folder, ignore_errors=True)
    store = await Store.create(folder / "store.git", origin, merged)
    court = replace(shop.court, store=store, remembered={})
    verdict = await review_change(court, await commands_at(store, target), target, merged)
    return "" if verdict.passed else f"with what others did meanwhile, {'; '.join(refusals(verdict)) or 'nothing ran'}"


def verified(mission: Mission) -> bool:
    """Whether someone who did not do the work says that all of it is done; of no work, nobody can say that."""
    if mission.asked.form == "solo":
        verdict = mission.words[-1] if mission.words else None
        return verdict is not None and verdict.passed and verdict.commit != mission.asked.base
    return mission.all_landed
