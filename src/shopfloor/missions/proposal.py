"""What an orchestrator proposes, and what is wrong with it.

`complaints` is pure: it finds what a careful reader would send back before any work begins. It does not know the
repository; whether checks really fail before the work is seen by running them (missions.checks).
"""

import re
from typing import Annotated

import msgspec

from shopfloor.domain.contract import Assertion, Contract, Spec, Surface
from shopfloor.domain.mission import Feature, Milestone, Plan
from shopfloor.tools.tool import Arguments
from shopfloor.validation import lint
from shopfloor.validation.lint import repeated
from shopfloor.validation.published import published

AssertionId = Annotated[str, msgspec.Meta(description="VAL-AREA-001")]

FEATURE_ID = re.compile(r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$")
MAX_FEATURES = 40


class ProposedAssertion(Arguments):
    """One checkable claim."""

    id: AssertionId
    title: str
    behaviour: Annotated[str, msgspec.Meta(description="Given … When … Then …, with concrete values")]
    surface: Surface
    negative: Annotated[str, msgspec.Meta(description="what must not happen")] = ""
    guard: Annotated[bool, msgspec.Meta(description="true if it already holds today")] = False


class ProposedFeature(Arguments):
    """One piece that lands."""

    id: Annotated[str, msgspec.Meta(description="short-kebab-case")]
    title: str
    description: Annotated[str, msgspec.Meta(description="all that a worker with fresh eyes must know")]
    claims: tuple[AssertionId, ...]


class ProposedMilestone(Arguments):
    """Features after which a user could tell the difference."""

    title: str
    features: tuple[ProposedFeature, ...]


class Proposal(Arguments):
    """The arguments of `propose_plan`."""

    title: str
    spec: Annotated[str, msgspec.Meta(description="what will be built, in Markdown")]
    assertions: tuple[ProposedAssertion, ...]
    milestones: tuple[ProposedMilestone, ...]
    assumptions: tuple[str, ...] = ()
    published: Annotated[str, msgspec.Meta(description="all that judges may rely on")] = ""
    start: Annotated[str, msgspec.Meta(description="command that starts the app, if it is served")] = ""
    supersedes: Annotated[tuple[str, ...], msgspec.Meta(description="existing test files that must change")] = ()


def complaints(proposal: Proposal) -> tuple[str, ...]:
    """What must be mended before this plan can be sealed, each with its remedy; empty when nothing."""
    found: list[str] = []
    ids = [assertion.id for assertion in proposal.assertions]
    for assertion in proposal.assertions:
        found += map(str, lint.about(_assertion(assertion)))
    found += [f"{name}: used for {count} assertions; ids are unique." for name, count in repeated(ids)]
    features = [feature for milestone in proposal.milestones for feature in milestone.features]
    found += _about_features(features)
    found += _about_claims(ids, features)
    if not proposal.assertions:
        found.append("The contract has no assertion; there would be nothing to judge by.")
    if any(assertion.surface in ("web", "http") for assertion in proposal.assertions) and not proposal.start:
        found.append("Assertions with surface web or http need `start`, the command that starts the app.")
    if any(assertion.surface != "library" for assertion in proposal.assertions) and not proposal.published.strip():
        found.append("`published` is empty, but judges outside the source need URLs, names or commands to rely on.")
    started = any(assertion.surface in ("terminal", "desktop") for assertion in proposal.assertions)
    if started and not published(plan_of(proposal).contract, (), lambda program: True).lines:
        found.append("Judges start programs only as published: write the commands that users type `between backticks`.")
    return tuple(found)


def plan_of(proposal: Proposal) -> Plan:
    """The plan in the words of the domain."""
    milestones = tuple(
        Milestone(id=f"m{number}", title=milestone.title) for number, milestone in enumerate(proposal.milestones, 1)
    )
    features = tuple(
        Feature(
            id=feature.id,
            title=feature.title,
            description=feature.description,
            claims=feature.claims,
            milestone=f"m{number}",
        )
        for number, milestone in enumerate(proposal.milestones, 1)
        for feature in milestone.features
    )
    contract = Contract(
        title=proposal.title,
        assertions=tuple(_assertion(assertion) for assertion in proposal.assertions),
        published=proposal.published,
        start=proposal.start,
        supersedes=proposal.supersedes,
    )
    spec = Spec(text=proposal.spec, assumptions=proposal.assumptions)
    return Plan(spec=spec, contract=contract, milestones=milestones, features=features)


def _assertion(proposed: ProposedAssertion) -> Assertion:
    return Assertion(
        id=proposed.id,
        title=proposed.title,
        behaviour=proposed.behaviour,
        surface=proposed.surface,
        negative=proposed.negative,
        kind="guard" if proposed.guard else "new",
    )


def _about_features(features: list[ProposedFeature]) -> list[str]:
    found = [f"{name}: used for {count} features." for name, count in repeated([f.id for f in features])]
    found += [f"{f.id!r}: a feature id is short-kebab-case." for f in features if not FEATURE_ID.match(f.id)]
    found += [f"{f.id!r}: ids beginning with fix- are the runner's." for f in features if f.id.startswith("fix-")]
    found += [f"{f.id}: claims no assertion, so nobody could say that it is done." for f in features if not f.claims]
    if not features or len(features) > MAX_FEATURES:
        found.append(f"A plan has 1 to {MAX_FEATURES} features; this one has {len(features)}.")
    return found


def _about_claims(ids: list[str], features: list[ProposedFeature]) -> list[str]:
    claimed = [claim for feature in features for claim in feature.claims]
    found = [f"{name}: claimed {count} times; exactly one feature claims it." for name, count in repeated(claimed)]
    found += [f"{name}: no feature claims it." for name in ids if name not in claimed]
    found += [f"{name}: claimed, but not in the contract." for name in dict.fromkeys(claimed) if name not in ids]
    return found
