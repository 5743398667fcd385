"""Scrutiny: judged from the inside, in a fresh clone, by checks that each stand alone.

The order is cheapest first: what the change's texts tell (no run at all), the sealed checks and their control, the
repository's own commands, its tests with the base's laid back, then what is asked only of what passed: whether it
answers its tests and nobody else, how much those tests see of it, and a reviewer, who costs tokens.
It does not know who did the work, nor what happens after the verdict.
"""

from dataclasses import replace

from shopfloor.domain.contract import Contract, SealedChecks
from shopfloor.domain.mission import CheckOutcome, Finding, Judge, Verdict
from shopfloor.repo.discovery import FoundCommands
from shopfloor.repo.sources import is_test
from shopfloor.validation.brought import brought
from shopfloor.validation.case import Case, Scene, changes_between, scene_of
from shopfloor.validation.court import Court
from shopfloor.validation.findings import tamper
from shopfloor.validation.findings.aware import aware
from shopfloor.validation.findings.rigging import rigged
from shopfloor.validation.findings.special import special_cases
from shopfloor.validation.gate_of_tests import gate_of_tests
from shopfloor.validation.own_commands import TESTS, failing_on_base, own_commands
from shopfloor.validation.readers import ReviewCase
from shopfloor.validation.review import REVIEW, Reviewed, review
from shopfloor.validation.sealed import judged, sealed_checks
from shopfloor.validation.told import Told
from shopfloor.validation.trials.beside import side_by_side
from shopfloor.validation.trials.own_tests import LANDING
from shopfloor.validation.trials.power import Patience, not_tried, power_of_tests
from shopfloor.validation.trials.twins import twins_tried


async def scrutinise(court: Court, case: Case) -> Verdict:
    """The verdict on one candidate."""
    scene = await scene_of(court, case)
    told = await _by_its_texts(scene)
    if not case.by_contract:
        scene = scene.as_the_author_has_it(told.findings)
    told += (sealed := await sealed_checks(scene))
    commands, level = await own_commands(scene)
    told += commands
    scene = replace(scene, apart=level != "none")
    told += await gate_of_tests(scene)
    if told.is_good:
        told += await _asked_of_what_passed(scene, told)
    judge = Judge(independence="enforced" if level != "none" else "not enforced: no sandbox")
    if told.is_good and case.review is not None:
        reviewed = await review(court, case.review)
        told += Told(checks=() if told.checks else (_only_review(reviewed),), findings=reviewed.findings)
        judge = _with_readers(judge, reviewed)
    return Verdict(
        kind="scrutiny",
        subject=case.subject,
        commit=case.commit,
        contract=case.seal,
        judge=judge,
        checks=told.checks,
        findings=told.findings,
        judged=judged(scene.case, sealed.checks),
    )


async def _by_its_texts(scene: Scene) -> Told:
    """What can be told of a change without running anything."""
    court, case, changes = scene.court, scene.case, scene.changes
    tampering = tamper.findings(
        changes,
        case.contract.supersedes,
        tests_before=any(map(is_test, scene.of_base)),
        by_contract=case.by_contract,
        files=await court.store.files(case.base),
    )
    judging = court.sealed(case.checks)
    found: tuple[Finding, ...] = (
        *tampering,
        *rigged(changes, by_contract=case.by_contract),
        *special_cases(changes, scene.tests),
        *aware(changes, scene.tests, by_contract=case.by_contract),
        *await brought(court.store, case.base, case.commit, changes, judging, by_contract=case.by_contract),
    )
    return Told(findings=found)


async def _asked_of_what_passed(scene: Scene, told: Told) -> Told:
    """What is told of a change that passed; how much tests see of it counts only if it answers more than its tests."""
    twins, seen = await side_by_side(
        lambda: _beside_its_twins(scene), lambda: _seen_by_tests(scene, told), apart=scene.apart
    )
    return twins + seen if twins.is_good else twins


async def _beside_its_twins(scene: Scene) -> Told:
    """What is told of a product that passed, by watching it under its tests: the sealed ones, or else its own."""
    case = scene.case
    if case.checks.checks:
        stage, command = scene.under_sealed_checks, "; ".join(dict.fromkeys(one.command for one in case.checks.checks))
    elif case.commands.test is not None:
        stage, command = scene.landing, case.commands.test.command
    else:
        return Told()
    return Told(findings=await twins_tried(stage, command, scene.changes, scene.tests))


async def _seen_by_tests(scene: Scene, told: Told) -> Told:
    """How much the tests see of what this change brings, where they passed as they land."""
    case, landing = scene.case, scene.as_it_lands
    tests = [outcome for outcome in told.checks if outcome.name in (TESTS, LANDING)]
    if case.commands.test is None or case.patience is None or not tests:
        return Told()
    if any(outcome.exit_code != 0 for outcome in tests):
        return not_tried("the tests fail, as they did on the base")
    began = case.since or case.base
    changes = await changes_between(scene.court, began, case.commit)
    base = replace(scene.landing, commit=began)
    command, is_proof = case.commands.test.command, case.tests_are_proof
    return await power_of_tests(landing, base, command, changes, case.patience, is_proof=is_proof)


def _only_review(reviewed: Reviewed) -> CheckOutcome:
    """A repository without commands, and claims that only a user can judge: the review is what scrutiny there is."""
    refused = any(finding.refuses for finding in reviewed.findings)
    return CheckOutcome(name=REVIEW, passed=not refused, detail="the only check: there is no command to run yet")


def _with_readers(judge: Judge, reviewed: Reviewed) -> Judge:
    return Judge(
        agents=tuple(reader.agent for reader in reviewed.readers),
        models=tuple(dict.fromkeys(reader.model for reader in reviewed.readers)),
        independence=judge.independence,
    )


async def review_change(
    court: Court,
    commands: FoundCommands,
    base: str,
    commit: str,
    *,
    readers: ReviewCase | None = None,
    patience: Patience | None = None,
) -> Verdict:
    """The verdict on any change, by anybody: no mission, no contract, and no model but the `readers`.

    Raises like `failing_on_base` and `review`.
    """
    case = Case(
        subject=commit,
        commit=commit,
        base=base,
        contract=Contract(title="A change", assertions=()),
        seal="",
        claims=(),
        checks=SealedChecks(),
        commands=commands,
        failing_on_base=await failing_on_base(court, commands, base),
        review=readers,
        by_contract=False,
        patience=patience,
    )
    return await scrutinise(court, case)


def refusals(verdict: Verdict) -> tuple[str, ...]:
    """Why a verdict refuses, one line per reason, for whoever must mend it."""
    lines = [f"{check.name}: {check.command} -> {check.detail}" for check in verdict.checks if not check.passed]
    lines += [_finding_line(finding) for finding in verdict.findings if finding.refuses]
    lines += [f"{j.assertion} {j.verdict}: {j.reason}" for j in verdict.judged if j.verdict != "passed"]
    return tuple(lines)


def _finding_line(finding: Finding) -> str:
    where = f" ({finding.path}:{finding.line})" if finding.line else f" ({finding.path})" if finding.path else ""
    return f"{finding.check} {finding.severity}{where}: {finding.text}"
