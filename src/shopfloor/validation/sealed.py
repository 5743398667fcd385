"""The sealed checks: whether the candidate passes them, whether that is to be believed, and what it says of each claim.

It does not know who wrote them.
"""

from collections.abc import Sequence

import msgspec

from shopfloor.domain.contract import Check
from shopfloor.domain.mission import CheckOutcome, Judged
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.validation.case import Case, Scene
from shopfloor.validation.court import Court
from shopfloor.validation.told import Told
from shopfloor.validation.trials.counterproof import CONTROL, counterproof
from shopfloor.validation.trials.testrun import belied

SEALED = "sealed-checks"


async def sealed_checks(scene: Scene) -> Told:
    """Every sealed check; when all passed, whether that is to be believed."""
    checks, stage = scene.case.checks.checks, scene.under_sealed_checks
    if not checks:
        return Told()
    async with stage.sandbox() as sandbox:
        outcomes = [await _sealed_check(stage.court, sandbox, check) for check in checks]
    if all(outcome.passed for outcome in outcomes):
        outcomes.append(await counterproof(stage, checks, stage.court.sealed(scene.case.checks)))
    return Told(checks=tuple(outcomes))


async def _sealed_check(court: Court, sandbox: Sandbox, check: Check) -> CheckOutcome:
    outcome = await court.outcome(sandbox, f"{SEALED}: {', '.join(check.assertions)}", check.command)
    return must_have_run(court, outcome)


def must_have_run(court: Court, outcome: CheckOutcome) -> CheckOutcome:
    """Success without a test is no success."""
    transcript = court.desk.blobs.get(outcome.evidence[0].blob).decode(errors="replace")
    if outcome.passed and (why := belied(outcome.command, transcript)):
        return msgspec.structs.replace(outcome, passed=False, detail=f"exit code 0, {why}")
    return outcome


def judged(case: Case, sealed: Sequence[CheckOutcome]) -> tuple[Judged, ...]:
    """A word on each claimed library assertion: it passed if every check of it did, and the control held."""
    control = all(outcome.passed for outcome in sealed if outcome.name == CONTROL)
    by_command = {outcome.command: outcome for outcome in sealed if outcome.name != CONTROL}
    said: list[Judged] = []
    for claim in case.claims:
        if case.contract.assertion(claim).surface != "library":
            continue
        outcomes = [by_command[check.command] for check in case.checks.checks if claim in check.assertions]
        passed = bool(outcomes) and control and all(outcome.passed for outcome in outcomes)
        reason = "" if passed else _reason(outcomes, control)
        evidence = tuple(evidence for outcome in outcomes for evidence in outcome.evidence)
        said.append(Judged(assertion=claim, verdict="passed" if passed else "failed", reason=reason, evidence=evidence))
    return tuple(said)


def _reason(outcomes: Sequence[CheckOutcome], control: bool) -> str:
    if not outcomes:
        return "no check proves it, and no evidence is a failure"
    failed = next((outcome for outcome in outcomes if not outcome.passed), None)
    if failed is not None:
        return f"{failed.command!r}: {failed.detail}"
    return "" if control else "the control did not fail, so the check's success proves nothing"
