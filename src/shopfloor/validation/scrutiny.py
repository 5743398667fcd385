"""Scrutiny: judged from the inside, in a fresh clone, by checks that each stand alone.

The order is cheapest first: what the change did to the tests (no run at all), the sealed checks and their control,
the repository's own commands with the base's tests laid back, and only then a reviewer, who costs tokens.
It does not know who did the work, nor what happens after the verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from time import monotonic

from shopfloor.domain.contract import Check, Contract, SealedChecks
from shopfloor.domain.mission import CheckOutcome, Finding, Judge, Judged, Verdict
from shopfloor.repo.discovery import FoundCommands
from shopfloor.repo.sources import configures_only_tests, is_test
from shopfloor.sandbox.protocol import Blueprint, Sandbox
from shopfloor.validation import tamper
from shopfloor.validation.counterproof import (
    CONTROL,
    counterproof,
    counterproof_of_tests,
    moved_tests_run,
    names_what_fails,
)
from shopfloor.validation.court import Court
from shopfloor.validation.review import REVIEW, ReviewCase, Reviewed, review
from shopfloor.validation.stage import Stage
from shopfloor.validation.testrun import got_worse, number_passed, tests_ran

SEALED = "sealed-checks"
BUILD, TYPES, LINT, TESTS = "build", "types", "lint", "tests"
LANDING = "tests as they land"
KILLED = 128
"""Exit codes from here on are those of processes that a signal ended, also one that we sent."""
MOST_TESTS_CONTROLLED = 200
"""Test files of a repository that are made to fail; a few would do."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is to be judged, and by what. `base` is where the mission began, `claims` what this feature must prove."""

    subject: str
    commit: str
    base: str
    contract: Contract
    seal: str
    claims: tuple[str, ...]
    checks: SealedChecks
    commands: FoundCommands
    failing_on_base: tuple[str, ...]
    review: ReviewCase | None


async def scrutinise(court: Court, case: Case) -> Verdict:
    """The verdict on one candidate."""
    changes = await _changes(court, case)
    found = tamper.findings(changes, case.contract.supersedes)
    restored = await _of_the_base(changes, court, case)
    stage = Stage(
        court=court,
        commit=case.commit,
        laid={**restored, **court.sealed(case.checks)},
        gone=_in_the_way(changes, restored),
    )
    sealed = await _sealed_checks(stage, case)
    began = monotonic()
    async with stage.sandbox() as sandbox:
        independence = "enforced" if sandbox.level != "none" else "not enforced: no sandbox"
        gates = await _gates(stage, case, sandbox, tuple(restored))
    gates += await _control_of_gates(stage, case, gates, monotonic() - began)
    if restored and _tests_that_passed(gates) is not None:
        gates += await _as_they_land(Stage(court=court, commit=case.commit, laid={}), changes, gates)
    checks = (*sealed, *gates)
    judge = Judge(independence=independence)
    if case.review is not None and all(check.passed for check in checks) and not any(f.refuses for f in found):
        reviewed = await review(court, case.review)
        found, judge = (
            (*found, *reviewed.findings),
            Judge(agents=(reviewed.agent,), models=(reviewed.model,), independence=independence),
        )
        checks = checks or (_only_review(reviewed),)
    return Verdict(
        kind="scrutiny",
        subject=case.subject,
        commit=case.commit,
        contract=case.seal,
        judge=judge,
        checks=checks,
        findings=found,
        judged=_judged(case, sealed),
    )


def _only_review(reviewed: Reviewed) -> CheckOutcome:
    """A repository without commands, and claims that only a user can judge: the review is what scrutiny there is."""
    refused = any(finding.refuses for finding in reviewed.findings)
    return CheckOutcome(name=REVIEW, passed=not refused, detail="the only check: there is no command to run yet")


async def _changes(court: Court, case: Case) -> list[tamper.Change]:
    changed = await court.store.changed_files(case.base, case.commit)
    return [
        tamper.Change(
            path=file.path,
            before=_text(await court.store.show(case.base, file.path)),
            after=_text(await court.store.show(case.commit, file.path)),
        )
        for file in changed
    ]


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")


async def _of_the_base(changes: Sequence[tamper.Change], court: Court, case: Case) -> dict[str, bytes]:
    """The base's own tests and their configuration, where the change made something else of them."""
    sealed = {path for path, _ in case.checks.files}
    exempt = {*case.contract.supersedes, *sealed}
    restored: dict[str, bytes] = {}
    for change in changes:
        if change.path not in exempt and (is_test(change.path) or configures_only_tests(change.path)):
            before = await court.store.show(case.base, change.path)
            restored |= {} if before is None else {change.path: before}
    return restored


async def _sealed_checks(stage: Stage, case: Case) -> tuple[CheckOutcome, ...]:
    """Every sealed check; when all passed, whether that is to be believed."""
    if not case.checks.checks:
        return ()
    async with stage.sandbox() as sandbox:
        outcomes = [await _sealed_check(stage.court, sandbox, check) for check in case.checks.checks]
    if all(outcome.passed for outcome in outcomes):
        outcomes.append(await counterproof(stage, case.checks.checks, stage.court.sealed(case.checks)))
    return tuple(outcomes)


async def _sealed_check(court: Court, sandbox: Sandbox, check: Check) -> CheckOutcome:
    outcome = await court.outcome(sandbox, f"{SEALED}: {', '.join(check.assertions)}", check.command)
    return _must_have_run(court, outcome)


def _must_have_run(court: Court, outcome: CheckOutcome) -> CheckOutcome:
    """Success without a test is no success."""
    transcript = court.desk.blobs.get(outcome.evidence[0].blob).decode(errors="replace")
    if outcome.passed and tests_ran(outcome.command, transcript) is False:
        return _with(outcome, passed=False, detail="exit code 0, but no test ran")
    return outcome


def _in_the_way(changes: Sequence[tamper.Change], restored: Mapping[str, bytes]) -> tuple[str, ...]:
    """New test files that bear the name of one that is put back where it stood: some runners take only one of them."""
    names = {PurePosixPath(path).name for path in restored}
    fresh = [change.path for change in changes if change.before is None and is_test(change.path)]
    return tuple(path for path in fresh if PurePosixPath(path).name in names)


async def _as_they_land(
    stage: Stage, changes: Sequence[tamper.Change], gates: Sequence[CheckOutcome]
) -> tuple[CheckOutcome, ...]:
    """The repository's tests with the change's own versions of them: what lands must pass, and run what was moved."""
    tests = _tests_that_passed(gates)
    assert tests is not None
    began = monotonic()
    async with stage.sandbox() as sandbox:
        landing = await stage.court.outcome(sandbox, LANDING, tests.command)
    after = {change.path: change.after for change in changes}
    places = {place: (after[place] or "").encode() for place in tamper.moved_to(changes)}
    if not landing.passed or not places:
        return (landing,)
    return (landing, await moved_tests_run(stage, tests.command, places, monotonic() - began))


async def _gates(stage: Stage, case: Case, sandbox: Sandbox, restored: Sequence[str]) -> tuple[CheckOutcome, ...]:
    """The repository's own commands, as they were configured at the base commit."""
    court = stage.court
    outcomes: list[CheckOutcome] = []
    for name, command in gates_of(case.commands):
        outcome = await court.outcome(sandbox, name, command)
        if name == TESTS:
            outcome = _must_have_run(court, outcome)
        if not outcome.passed and name in case.failing_on_base:
            outcome = await _excused(stage, case, outcome)
        elif restored and name == TESTS:
            outcome = _with(outcome, detail=f"{outcome.detail}; with the base's own {', '.join(restored[:5])}")
        outcomes.append(outcome)
    return tuple(outcomes)


async def _excused(stage: Stage, case: Case, outcome: CheckOutcome) -> CheckOutcome:
    """A command that failed before anybody touched it refuses nobody, but a test that passed then must pass now.

    A run that was killed, or killed itself, is no failure of the same kind.
    """
    if outcome.exit_code is None or outcome.exit_code >= KILLED:
        return outcome
    court = stage.court
    if outcome.name == TESTS:
        place = await court.checkout(case.base, "base-again")
        async with court.start(Blueprint(checkout=str(place))) as sandbox:
            _, before = await court.run(sandbox, outcome.command)
        now = court.desk.blobs.get(outcome.evidence[0].blob).decode(errors="replace")
        worse = got_worse(before, now)
        some_passed = number_passed(before) != 0  # else there was nothing that could have got worse
        tests = await _base_tests(court, case)
        if not worse and some_passed and not await names_what_fails(stage, outcome.command, tests, now):
            worse = "but tests that were made to fail are not named: its words are not to be believed"
        if worse:
            return _with(outcome, detail=f"{outcome.detail}; it failed on the base too, {worse}")
    return _with(outcome, passed=True, detail=f"{outcome.detail}; it failed on the base too")


async def _control_of_gates(
    stage: Stage, case: Case, gates: Sequence[CheckOutcome], seconds: float
) -> tuple[CheckOutcome, ...]:
    """Whether the success of the repository's own tests is to be believed."""
    if (tests := _tests_that_passed(gates)) is None:
        return ()
    files = await _base_tests(stage.court, case)
    base = Stage(court=stage.court, commit=case.base, laid={})
    return (await counterproof_of_tests(stage, base, tests.command, files, seconds),)


async def _base_tests(court: Court, case: Case) -> dict[str, bytes]:
    paths = await court.store.files(case.base)
    chosen = [path for path in paths if is_test(path) and path not in case.contract.supersedes]
    return {path: await court.store.show(case.base, path) or b"" for path in chosen[:MOST_TESTS_CONTROLLED]}


def _tests_that_passed(gates: Sequence[CheckOutcome]) -> CheckOutcome | None:
    return next((gate for gate in gates if gate.name == TESTS and gate.passed and gate.exit_code == 0), None)


def gates_of(commands: FoundCommands) -> tuple[tuple[str, str], ...]:
    """The repository's own commands, by the name of the check that each is."""
    named = ((BUILD, commands.build), (TYPES, commands.types), (LINT, commands.lint), (TESTS, commands.test))
    return tuple((name, found.command) for name, found in named if found is not None)


def _with(outcome: CheckOutcome, *, detail: str, passed: bool | None = None) -> CheckOutcome:
    return CheckOutcome(
        name=outcome.name,
        passed=outcome.passed if passed is None else passed,
        detail=detail,
        command=outcome.command,
        exit_code=outcome.exit_code,
        evidence=outcome.evidence,
    )


def _judged(case: Case, sealed: Sequence[CheckOutcome]) -> tuple[Judged, ...]:
    """A word on each claimed library assertion: it passed if every check of it did, and the control held."""
    control = all(outcome.passed for outcome in sealed if outcome.name == CONTROL)
    by_command = {outcome.command: outcome for outcome in sealed if outcome.name != CONTROL}
    judged: list[Judged] = []
    for claim in case.claims:
        if case.contract.assertion(claim).surface != "library":
            continue
        outcomes = [by_command[check.command] for check in case.checks.checks if claim in check.assertions]
        passed = bool(outcomes) and control and all(outcome.passed for outcome in outcomes)
        reason = "" if passed else _reason(outcomes, control)
        evidence = tuple(evidence for outcome in outcomes for evidence in outcome.evidence)
        judged.append(
            Judged(assertion=claim, verdict="passed" if passed else "failed", reason=reason, evidence=evidence)
        )
    return tuple(judged)


def _reason(outcomes: Sequence[CheckOutcome], control: bool) -> str:
    if not outcomes:
        return "no check proves it, and no evidence is a failure"
    failed = next((outcome for outcome in outcomes if not outcome.passed), None)
    if failed is not None:
        return f"{failed.command!r}: {failed.detail}"
    return "" if control else "the control did not fail, so the check's success proves nothing"


def refusals(verdict: Verdict) -> tuple[str, ...]:
    """Why a verdict refuses, one line per reason, for whoever must mend it."""
    lines = [f"{check.name}: {check.command} -> {check.detail}" for check in verdict.checks if not check.passed]
    lines += [_finding_line(finding) for finding in verdict.findings if finding.refuses]
    lines += [f"{j.assertion} {j.verdict}: {j.reason}" for j in verdict.judged if j.verdict != "passed"]
    return tuple(lines)


def _finding_line(finding: Finding) -> str:
    where = f" ({finding.path}:{finding.line})" if finding.line else f" ({finding.path})" if finding.path else ""
    return f"{finding.check} {finding.severity}{where}: {finding.text}"
