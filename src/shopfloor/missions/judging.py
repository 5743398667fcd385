"""The runner brings in the judges: what they are shown, and nothing of the worker's words.

It does not judge.
"""

import shutil

from shopfloor.agent.desk import stream_of
from shopfloor.domain.contract import SealedChecks
from shopfloor.domain.events import AttemptEnded
from shopfloor.domain.mission import Feature, Milestone, Verdict
from shopfloor.domain.spending import Budget
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission
from shopfloor.missions.work import checks_of, commands_run
from shopfloor.repo.services import commands_since
from shopfloor.validation.case import Case
from shopfloor.validation.contract_file import contract_of
from shopfloor.validation.readers import ReviewCase
from shopfloor.validation.scrutiny import scrutinise
from shopfloor.validation.trials.power import BRIEF
from shopfloor.validation.user_testing import UserCase, test_as_user


async def scrutinise_candidate(
    shop: Shop, mission: Mission, feature: Feature, candidate: AttemptEnded, budget: Budget
) -> Verdict:
    """A verdict on what a worker left: its own checks, and those of everything that has landed before."""
    assert mission.planned is not None and mission.sealed is not None
    contract = mission.planned.plan.contract
    base = mission.asked.base
    author = stream_of(shop.key("worker", feature.id, candidate.attempt))
    return await scrutinise(
        shop.court,
        Case(
            subject=feature.id,
            commit=candidate.commit,
            base=base,
            contract=contract,
            seal=mission.sealed.seal,
            claims=feature.claims,
            checks=_checks_so_far(mission, feature),
            commands=await commands_since(shop.store, base, mission.tip),
            failing_on_base=mission.sealed.failing_on_base,
            review=ReviewCase(
                key=shop.key("reviewer", feature.id, candidate.attempt),
                commit=candidate.commit,
                title=feature.title,
                contract=contract_of(contract, feature.claims),
                asked=feature.description,
                checks=_written(shop, checks_of(mission.sealed.checks, feature.claims)),
                diff=await shop.store.diff(mission.tip, candidate.commit),
                commands=tuple((await commands_run(shop.desk, author)).items()),
                budget=budget,
            ),
            since=mission.tip,
            patience=BRIEF,
        ),
    )


def clear_court(shop: Shop) -> None:
    """Throws the judges' clones away: what they saw is kept as evidence."""
    shutil.rmtree(shop.court.folder, ignore_errors=True)


async def test_milestone(
    shop: Shop, mission: Mission, milestone: Milestone, assertions: tuple[str, ...], number: int, budget: Budget
) -> Verdict:
    """A verdict of someone who drives the product and cannot see its source."""
    assert mission.planned is not None and mission.sealed is not None
    contract = mission.planned.plan.contract
    services = await shop.services(mission.asked.base)
    return await test_as_user(
        shop.court,
        UserCase(
            key=shop.key("user-tester", milestone.id, number),
            subject=milestone.id,
            commit=mission.tip,
            contract=contract,
            seal=mission.sealed.seal,
            assertions=assertions,
            services=services,
            budget=budget,
        ),
    )


def _written(shop: Shop, checks: SealedChecks) -> str:
    """Checks as a reviewer reads them: each command, then each file."""
    commands = "\n".join(f"- {', '.join(check.assertions)}: `{check.command}`" for check in checks.checks)
    files = [f"{path}:\n```\n{shop.desk.blobs.get(blob).decode(errors='replace')}\n```" for path, blob in checks.files]
    return "\n\n".join([commands, *files]) if checks.checks else ""


def _checks_so_far(mission: Mission, feature: Feature) -> SealedChecks:
    """The checks of this feature and of all that landed: what held must go on holding."""
    assert mission.planned is not None and mission.sealed is not None
    landed = {landed.feature for landed in mission.landed}
    planned = mission.planned.plan.features
    claims = [claim for one in planned if one.id in landed for claim in one.claims]
    fixes = [fix for planned in mission.fixes for fix in planned.features if fix.id in landed]
    claims += [claim for fix in fixes for claim in fix.claims]
    return checks_of(mission.sealed.checks, (*claims, *feature.claims))
