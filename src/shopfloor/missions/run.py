"""The runner: find the next move, make it, record it, until there is none. Resuming is the same call as starting.

It decides nothing (`moves`) and knows nothing but the journal (`state`); it is where the two meet.
"""

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import assert_never, cast

from shopfloor.agent.run import Suspended
from shopfloor.domain.errors import Broken, GiveUp, NeedsHuman, TryLater
from shopfloor.domain.events import (
    AgentStarted,
    MissionEnded,
    MissionEvent,
    MissionPaused,
    MissionResumed,
    PlanApproved,
    QuestionAnswered,
    QuestionAsked,
    VerdictReached,
)
from shopfloor.domain.exits import Exit
from shopfloor.domain.mission import Verdict
from shopfloor.domain.spending import Budget, Spent
from shopfloor.journal.store import Stream
from shopfloor.journal.views import spent as spent_in
from shopfloor.loop import Progress, exit_of
from shopfloor.missions import moves
from shopfloor.missions.checks import write_checks
from shopfloor.missions.cut_off import cut_off_s
from shopfloor.missions.fixes import plan_fix
from shopfloor.missions.independence import contributed, objection, signed
from shopfloor.missions.judging import clear_court, scrutinise_candidate, test_milestone
from shopfloor.missions.landing import land
from shopfloor.missions.plan import make_plan
from shopfloor.missions.shop import Shop
from shopfloor.missions.solo import solo_started, verify, work_alone
from shopfloor.missions.state import Mission, evolve, fold
from shopfloor.missions.work import attempt_started, put_down, work


@dataclass(frozen=True, kw_only=True)
class Left:
    """How the runner left a mission. `exit` is None when it is delivered in the store, ready for its branch."""

    exit: Exit | None
    reason: str
    mission: Mission


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the person who started this runner wants of it: approve the plan, stop after planning, a new budget."""

    approve: bool = False
    plan_only: bool = False
    budget: Budget | None = None
    """A new budget for the whole mission."""


class Runner:
    """Carries one mission on, under the lease of the shop's desk."""

    def __init__(self, shop: Shop, orders: Orders) -> None:
        self._shop = shop
        self._orders = orders
        self._mission = Mission()

    async def run(self) -> Left:
        """Makes moves until the mission is delivered, has ended, or must wait."""
        shop = self._shop
        recorded = await shop.desk.journal.read(shop.stream)
        self._mission = fold(cast("list[MissionEvent]", [one.event for one in recorded if one.event is not None]))
        if self._mission.ended is None and shop.desk.lease.epoch > 1:
            agents = [await shop.desk.journal.read(stream.name) for stream in await self._agents()]
            seconds = cut_off_s(shop.desk.lease, recorded, agents)
            await self._note(MissionResumed(budget=self._orders.budget, cut_off_s=seconds))
        await self._take_answer()
        next_move = moves.next_move if self._mission.asked.form == "mission" else moves.next_solo_move
        while (move := next_move(self._mission)) is not None:
            spent = await self.spent()
            if leave := await self._interrupted(spent):
                return leave
            if isinstance(move, moves.Deliver):
                return Left(exit=None, reason="", mission=self._mission)
            if leave := await self._make(move, left_of(self._mission.budget, spent)):
                return leave
        ended = self._mission.ended
        assert ended is not None
        return Left(exit=ended.exit, reason=ended.reason, mission=self._mission)

    async def _agents(self) -> list[Stream]:
        return await self._shop.desk.journal.streams(f"agent/{self._shop.id}/")

    async def _take_answer(self) -> None:
        question = self._mission.open_question
        if question is not None and question.id in self._shop.desk.answers:
            await self._note(QuestionAnswered(id=question.id, text=self._shop.desk.answers[question.id]))

    async def spent(self) -> Spent:
        """What the mission has used so far: all its agents, open calls by their estimate, and the judges' own time."""
        total = Spent(seconds=self._mission.own_seconds)
        for stream in await self._agents():
            total = total + spent_in(await self._shop.desk.journal.read(stream.name))
        return total

    async def _interrupted(self, spent: Spent) -> Left | None:
        mail = await self._shop.desk.mail(0)
        leave = exit_of(Progress(spent=spent, stopped=mail.cancel), self._mission.budget)
        if leave == "stopped":
            if self._mission.open_attempt is not None:
                await self._note(await put_down(self._shop, self._mission))
            return await self._end(leave, "a person cancelled it")
        if leave is not None:
            what = "time" if leave == "out_of_time" else "budget"
            return await self._pause(leave, f"the {what} is used up ({_used(spent, self._mission.budget)})")
        if mail.pause:
            return await self._pause("stopped", "a person paused it")
        return None

    async def _make(self, move: moves.Move, budget: Budget) -> Left | None:
        """Makes one move; how the mission was left, if this move leaves it."""
        clear_court(self._shop)
        try:
            return await self._made(move, budget)
        except Suspended as suspended:
            return await self._suspended(suspended)
        except GiveUp as trouble:
            return await self._end("gave_up", str(trouble))
        except NeedsHuman as need:
            return await self._pause("needs_person", need.question)
        except TryLater as trouble:
            return await self._pause("stopped", f"it cannot go on for now: {trouble}", trouble.after_s)

    async def _made(self, move: moves.Move, budget: Budget) -> Left | None:
        shop, mission = self._shop, self._mission
        match move:
            case moves.MakePlan():
                await self._note(await make_plan(shop, mission, budget))
            case moves.Seal():
                await self._note(await write_checks(shop, mission, budget))
            case moves.AskApproval():
                return await self._approval()
            case moves.Work(feature=feature, attempt=attempt):
                if mission.open_attempt is None:
                    await self._note(attempt_started(shop, mission, feature, attempt))
                await self._note(await work(shop, self._mission, feature, budget))
            case moves.Scrutinise(feature=feature, candidate=candidate, round=number):
                await self._judge(scrutinise_candidate(shop, mission, feature, candidate, budget), number)
            case moves.Land(feature=feature, candidate=candidate):
                await self._note(await land(shop, mission, feature, candidate))
            case moves.TestAsUser(milestone=milestone, assertions=assertions, round=number):
                await self._judge(test_milestone(shop, mission, milestone, assertions, number, budget), number)
            case moves.PlanFix():
                await self._note(plan_fix(mission, move))
            case moves.WorkAlone():
                if mission.open_attempt is None:
                    await self._note(solo_started(shop, mission))
                await self._note(await work_alone(shop, self._mission, budget))
            case moves.Verify():
                await self._judge(verify(shop, mission), 1)
            case moves.CallForHelp(reason=reason):
                return await self._pause("needs_person", reason)
            case moves.Ask(question=question):
                await self._note(question)
            case moves.Wait():
                question = mission.open_question
                return await self._pause("needs_person", question.text if question else "")
            case moves.End(exit=leave, reason=reason):
                return await self._end(leave, reason)
            case moves.Deliver():
                return None
            case _:
                assert_never(move)
        return None

    async def _judge(self, judging: Awaitable[Verdict], number: int) -> None:
        """A verdict, and how long it took beside the agents in it, whose time is on record already."""
        began, before = time.monotonic(), (await self.spent()).seconds
        verdict = await judging
        agents = (await self.spent()).seconds - before
        seconds = max(0.0, time.monotonic() - began - agents)
        verdict = signed(verdict, self._shop.id, number, await self._authors())
        if why := objection(verdict, self._mission.seal):
            raise Broken(f"A verdict on {verdict.subject!r} does not count: {why}.")
        await self._note(VerdictReached(verdict=verdict, round=number, seconds=seconds))

    async def _authors(self) -> tuple[str, ...]:
        """The models of all who had a hand in what is judged."""
        models: set[str] = set()
        for stream in await self._agents():
            recorded = await self._shop.desk.journal.read(stream.name) if contributed(stream.name) else []
            models |= {one.event.model for one in recorded[:1] if isinstance(one.event, AgentStarted)}
        return tuple(sorted(models))

    async def _suspended(self, suspended: Suspended) -> Left:
        """An agent must wait: for an answer, for more budget, or because a person wants a pause."""
        if suspended.question is not None:
            asked = suspended.question
            await self._note(QuestionAsked(id=asked.id, text=asked.text, options=asked.options))
            return await self._pause("needs_person", asked.text)
        left = await self._interrupted(await self.spent())
        return left or await self._pause("stopped", "a person paused it")

    async def _approval(self) -> Left | None:
        if self._orders.plan_only:
            return await self._pause("needs_person", "planned; approve it to go on")
        if self._orders.approve:
            await self._note(PlanApproved(by="the person who started it"))
            return None
        return await self._pause("needs_person", "the plan waits for approval")

    async def _pause(self, leave: Exit, reason: str, after_s: float | None = None) -> Left:
        await self._note(MissionPaused(reason=reason, exit=leave, after_s=after_s))
        return Left(exit=leave, reason=reason, mission=self._mission)

    async def _end(self, leave: Exit, reason: str) -> Left:
        await self._note(MissionEnded(exit=leave, reason=reason))
        return Left(exit=leave, reason=reason, mission=self._mission)

    async def _note(self, event: MissionEvent) -> None:
        await self._shop.desk.record(self._shop.stream, event)
        self._mission = evolve(self._mission, event)


def _used(spent: Spent, budget: Budget) -> str:
    if budget.usd is not None and spent.unpriced:
        return f"{spent.unpriced} calls of unknown price: give a budget in tokens, or a price for the model"
    money = "money of unknown amount" if spent.unpriced and not spent.usd else f"{spent.usd:.4f} USD"
    used = f"{spent.usage.total:,} tokens, {money}, {spent.seconds:.0f} s of work"
    return f"{used}; resume with a larger one: --budget"


def left_of(budget: Budget, used: Spent) -> Budget:
    """What is left of a budget. Steps are turns of each agent, so they are not used up by others."""
    return Budget(
        usd=None if budget.usd is None else budget.usd - used.usd,
        tokens=None if budget.tokens is None else budget.tokens - used.usage.total,
        seconds=None if budget.seconds is None else budget.seconds - used.seconds,
        steps=budget.steps,
    )
