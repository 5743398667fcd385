"""The plan: an orchestrator reads the repository and proposes spec, contract and features.

It does not decide whether the plan is good enough to be sealed; `proposal.complaints` and a person do.
"""

from collections.abc import Callable

import msgspec

from shopfloor.agent.desk import employ
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Suspended
from shopfloor.context.prompt import Fragment, assemble, prompt_file
from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.domain.events import MissionPlanned
from shopfloor.domain.mission import CostRange, Plan
from shopfloor.domain.spending import Budget, Usage
from shopfloor.missions.proposal import Proposal, complaints, plan_of
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission

BRIEF_CAP = 40_000
"""Bytes of a brief that an agent can be given; a longer one is refused, and never cut."""
SMALL_AGENT = Usage(fresh=1_500, cache_write=1_500, cache_read=3_000, output=800)
"""One agent run of the demo mission, on average: a few turns in a small repository."""
LARGE_AGENT = Usage(fresh=5_000, cache_write=15_000, cache_read=370_000, output=10_000)
"""One agent run in a large repository: dozens of turns, nearly all of the prompt read from the cache."""


async def make_plan(shop: Shop, mission: Mission, budget: Budget) -> MissionPlanned:
    """Has the orchestrator plan."""
    base = mission.asked.base
    services = await shop.services(base)

    async def accept(proposal: Proposal) -> Proposal:
        found = [*complaints(proposal), *_about_start(proposal.start, services.app.start or "")]
        if found:
            raise AskModelAgain("The plan cannot be sealed yet:\n" + "\n".join(f"- {line}" for line in found))
        return proposal

    propose = finish_tool("propose_plan", "Hand in spec, contract and features; ends the planning.", Proposal, accept)
    place = await shop.checkout(base, "plan")
    async with shop.sandbox(place) as sandbox:
        outcome = await employ(
            shop.desk,
            shop.key("orchestrator"),
            role="orchestrator",
            system=assemble([_words()]),
            task=assemble([*await shop.repository_fragments(base), _brief(mission)]),
            tools=(*shop.bench(sandbox), propose),
            budget=budget,
            steerable=True,
        )
    if outcome.exit == "stopped":
        raise Suspended
    if outcome.exit != "done":
        raise GiveUp(f"The orchestrator made no plan ({outcome.exit}): {outcome.reason}")
    plan = plan_of(msgspec.json.decode(outcome.result, type=Proposal))
    return MissionPlanned(plan=plan, expected=expected_cost(plan, shop.desk.model_for("worker").price))


def _about_start(proposed: str, stated: str) -> list[str]:
    """What a services file says is what starts the app; nobody is to approve, or be told, another command."""
    if not stated or not proposed or proposed == stated:
        return []
    return [f"The services file starts the app with {stated!r}, and has the last word: leave `start` empty, or say so."]


def expected_cost(plan: Plan, price: Callable[[Usage], float | None]) -> CostRange:
    """A rough range: one worker and one reviewer a feature, one judge a milestone; as planned, or all of it mended."""
    agents = 2 + 2 * len(plan.features) + len(plan.milestones)
    low, high = agents * SMALL_AGENT.total, 2 * agents * LARGE_AGENT.total
    cheap, dear = price(SMALL_AGENT), price(LARGE_AGENT)
    usd = None if cheap is None or dear is None else (agents * cheap, 2 * agents * dear)
    return CostRange(tokens=(low, high), usd=usd)


def _brief(mission: Mission) -> Fragment:
    text = f"# The brief\n\n{mission.asked.brief.text}"
    return Fragment(source="brief", text=text, cap=BRIEF_CAP + 1_000, stability="task")


def _words() -> Fragment:
    return Fragment(source="orchestrator", text=prompt_file(__file__, "orchestrator"), cap=6_000, stability="role")
