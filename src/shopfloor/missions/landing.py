"""A feature that passed lands on the mission's own branch, together with the checks that prove it.

Keyed by feature: doing it twice is the same as once. It does not touch the person's repository.
"""

from shopfloor.domain.contract import SealedChecks
from shopfloor.domain.events import AttemptEnded, FeatureLanded
from shopfloor.domain.mission import Feature
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission

BRANCH = "refs/heads/mission"


async def land(shop: Shop, mission: Mission, feature: Feature, candidate: AttemptEnded) -> FeatureLanded:
    """The mission's branch, moved to the candidate plus the sealed checks that now hold."""
    assert mission.planned is not None and mission.sealed is not None
    claims = {claim for planned in _landed_with(mission, feature) for claim in planned}
    files = landing_files(mission.sealed.checks, claims)
    contents = {path: shop.desk.blobs.get(blob) for path, blob in files}
    commit = await shop.store.with_files(candidate.commit, contents, f"Checks of {feature.id}")
    await shop.store.land(BRANCH, commit, mission.tip if mission.landed else None)
    return FeatureLanded(feature=feature.id, commit=commit)


def landing_files(checks: SealedChecks, claims: set[str]) -> tuple[tuple[str, str], ...]:
    """Check files whose every assertion has a feature on the branch: others would only fail there."""
    early = {path for check in checks.checks if not set(check.assertions) <= claims for path in check.files}
    ready = {path for check in checks.checks if set(check.assertions) <= claims for path in check.files} - early
    return tuple(file for file in checks.files if file[0] in ready)


def _landed_with(mission: Mission, feature: Feature) -> list[tuple[str, ...]]:
    assert mission.planned is not None
    known = [*mission.planned.plan.features, *(fix for planned in mission.fixes for fix in planned.features)]
    landed = {landed.feature for landed in mission.landed} | {feature.id}
    return [one.claims for one in known if one.id in landed]
