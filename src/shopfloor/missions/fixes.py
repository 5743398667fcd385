"""A refusal becomes features that go first in line. Pure: the verdict says what failed, the plan who claimed it.

It does not know how to mend anything.
"""

from shopfloor.domain.events import FixPlanned
from shopfloor.domain.mission import Feature, Plan, Verdict
from shopfloor.missions.moves import PlanFix
from shopfloor.missions.state import Mission, root
from shopfloor.validation.scrutiny import refusals


def plan_fix(mission: Mission, move: PlanFix) -> FixPlanned:
    """The fix features that a refusal asks for."""
    assert mission.planned is not None
    plan = mission.planned.plan
    if move.feature is not None and move.candidate is not None:
        fixes = (_fix_of_candidate(mission, plan, move.feature, move.candidate.commit, move.verdict),)
    else:
        fixes = _fixes_of_milestone(mission, plan, move.verdict)
    return FixPlanned(because=move.verdict.refused_by, features=fixes)


def _fix_of_candidate(mission: Mission, plan: Plan, refused: Feature, commit: str, verdict: Verdict) -> Feature:
    """A feature that did not pass is mended from where its worker left it, and takes its place in the line."""
    planned = _planned(plan, root(refused))
    return Feature(
        id=_name(mission, planned.id),
        title=f"Mend: {planned.title}",
        description=_description(planned, refusals(verdict), landed=False),
        claims=planned.claims,
        milestone=planned.milestone,
        fixes=refused.id,
        starts_from=commit,
    )


def _fixes_of_milestone(mission: Mission, plan: Plan, verdict: Verdict) -> tuple[Feature, ...]:
    """One fix for each feature whose assertions a user tester refused; it re-claims only those."""
    failed = {judged.assertion: judged for judged in verdict.judged if judged.verdict == "failed"}
    fixes: list[Feature] = []
    for planned in plan.features:
        claims = tuple(claim for claim in planned.claims if claim in failed)
        if claims:
            reasons = tuple(f"{claim} {failed[claim].verdict}: {failed[claim].reason}" for claim in claims)
            fixes.append(
                Feature(
                    id=_name(mission, planned.id),
                    title=f"Mend: {planned.title}",
                    description=_description(planned, reasons, landed=True),
                    claims=claims,
                    milestone=verdict.subject,
                    fixes=planned.id,
                )
            )
    return tuple(fixes)


def _planned(plan: Plan, feature_id: str) -> Feature:
    return next(feature for feature in plan.features if feature.id == feature_id)


def _name(mission: Mission, planned_id: str) -> str:
    earlier = sum(root(fix) == planned_id for planned in mission.fixes for fix in planned.features)
    return f"fix-{planned_id}-{earlier + 1}"


def _description(planned: Feature, reasons: tuple[str, ...], *, landed: bool) -> str:
    where = "has landed" if landed else "is in your checkout"
    lines = "\n".join(f"- {reason}" for reason in reasons)
    return (
        f"The feature below {where}, but judges refused it. Find the cause of each refusal and mend it; "
        f"keep the rest.\n\n"
        f"Refused because:\n{lines}\n\nThe feature, as it was planned:\n\n{planned.description}"
    )
