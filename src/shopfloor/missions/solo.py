"""One agent, headless: it works, and the repository's own checks in a clean clone say whether it is done.

The thinnest mission: no plan and no contract, the same attempt, the same clone, the same journal.
It does not land anything.
"""

from shopfloor.agent.desk import employ, stream_of
from shopfloor.context.prompt import Fragment, assemble, prompt_file
from shopfloor.domain.contract import Contract, SealedChecks
from shopfloor.domain.events import AttemptEnded, AttemptStarted
from shopfloor.domain.mission import Verdict
from shopfloor.domain.spending import Budget
from shopfloor.missions.plan import BRIEF_CAP
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission
from shopfloor.missions.work import take
from shopfloor.repo.discovery import FoundCommands
from shopfloor.validation.case import Case
from shopfloor.validation.own_commands import gates_of
from shopfloor.validation.scrutiny import scrutinise
from shopfloor.validation.trials.power import BRIEF

_TASK_CAP = BRIEF_CAP + 1_000
FEATURE = "task"


def solo_started(shop: Shop, mission: Mission) -> AttemptStarted:
    """The fact that begins the one attempt."""
    return AttemptStarted(feature=FEATURE, attempt=1, base=mission.asked.base, agent=stream_of(shop.key("solo")))


async def work_alone(shop: Shop, mission: Mission, budget: Budget) -> AttemptEnded:
    """Carries the one attempt to its end."""
    base = mission.asked.base
    place = await shop.checkout(base, "solo")
    async with shop.sandbox(place) as sandbox:
        outcome = await employ(
            shop.desk,
            shop.key("solo"),
            role="solo",
            system=assemble([_words()]),
            task=assemble([*await shop.repository_fragments(base), *_task(mission, await shop.commands(base))]),
            tools=shop.bench(sandbox),
            budget=budget,
            steerable=True,
        )
        commit = await take(shop, sandbox, base, f"refs/attempts/{FEATURE}/1", mission.asked.brief.text[:72])
    return AttemptEnded(feature=FEATURE, attempt=1, exit=outcome.exit, reason=outcome.reason, commit=commit)


async def verify(shop: Shop, mission: Mission) -> Verdict:
    """The repository's own commands on what the agent left, in a clean clone. Nothing to run is no verification."""
    assert mission.attempts
    base, commit = mission.asked.base, mission.attempts[-1].commit
    case = Case(
        subject=FEATURE,
        commit=commit,
        base=base,
        contract=Contract(title=mission.asked.brief.text[:72], assertions=()),
        seal="",
        claims=(),
        checks=SealedChecks(),
        commands=await shop.commands(base),
        failing_on_base=(),
        review=None,
        patience=BRIEF,
        tests_are_proof=True,
    )
    return await scrutinise(shop.court, case)


def _task(mission: Mission, commands: FoundCommands) -> list[Fragment]:
    judged = (
        "\n".join(f"- {name}: `{command}`" for name, command in gates_of(commands)) or "- nothing that could be found"
    )
    return [
        Fragment(source="checks", text=f"# What will be run on your work\n\n{judged}", cap=4_000, stability="task"),
        Fragment(
            source="task", text=f"# Your task\n\n{mission.asked.brief.text}", cap=BRIEF_CAP + 1_000, stability="task"
        ),
    ]


def _words() -> Fragment:
    return Fragment(source="solo", text=prompt_file(__file__, "solo"), cap=6_000, stability="role")
