"""Scrutiny: judged from the inside, in a fresh clone, by checks that each stand alone.

The order is cheapest first: what the change did to the tests (no run at all), the sealed checks and their control,
the repository's own commands with the base's tests laid back, how much those tests see of the change, and only then a
reviewer, who costs tokens.
It does not know who did the work, nor what happens after the verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import msgspec

from shopfloor.domain.contract import Check, Contract, SealedChecks
from shopfloor.domain.errors import GiveUp
from shopfloor.domain.mission import CheckOutcome, Finding, Judge, Judged, Verdict
from shopfloor.repo.discovery import FoundCommands
from shopfloor.repo.sources import is_test
from shopfloor.sandbox.protocol import Blueprint, Level, Sandbox
from shopfloor.validation.brought import brought
from shopfloor.validation.court import Court, ending
from shopfloor.validation.findings import tamper
from shopfloor.validation.findings.aware import aware
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.rigging import rigged
from shopfloor.validation.findings.set_up import is_recipe, other_ways_to_run
from shopfloor.validation.findings.special import special_cases
from shopfloor.validation.readers import ReviewCase
from shopfloor.validation.review import REVIEW, Reviewed, review
from shopfloor.validation.trials import own_tests
from shopfloor.validation.trials.counterproof import CONTROL, NOT_CHECKED, counterproof, own_name
from shopfloor.validation.trials.own_tests import KILLED, LANDING, OwnTests, Tried
from shopfloor.validation.trials.power import Patience, Power, not_tried, power_of_tests
from shopfloor.validation.trials.stage import Stage
from shopfloor.validation.trials.testrun import missing_runner, outcomes, tests_ran
from shopfloor.validation.trials.touched import of_what_it_touches
from shopfloor.validation.trials.twins import twins_tried

SEALED = "sealed-checks"
BUILD, TYPES, LINT, TESTS = "build", "types", "lint", "tests"
CONFLICT = "conflict"
"""Tests that fail as ever and speak of what was changed: they contradict the contract, or it is not whole."""


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
    by_contract: bool = True
    """False for a change that nobody planned: its author may also change what tests expect, and it is told."""
    since: str = ""
    """Where that part of it began of which is tried how much the tests see; "" is the base."""
    patience: Patience | None = None
    """How long that may take; None where it is not asked."""


async def scrutinise(court: Court, case: Case) -> Verdict:
    """The verdict on one candidate."""
    changes = await _changes(court, case)
    of_base = await own_tests.files_of_base(court, case.base, exempt=case.contract.supersedes)
    found = tamper.findings(
        changes,
        case.contract.supersedes,
        tests_before=any(map(is_test, of_base)),
        by_contract=case.by_contract,
        files=await court.store.files(case.base),
    )
    found += rigged(changes, by_contract=case.by_contract)
    tests = _texts_of_tests(court, case, changes, of_base)
    found += special_cases(changes, tests)
    found += aware(changes, tests, by_contract=case.by_contract)
    judging = court.sealed(case.checks)
    found += await brought(court.store, case.base, case.commit, changes, judging, by_contract=case.by_contract)
    if not case.by_contract:
        case, of_base = _as_the_author_has_it(case, changes, of_base, found)
    stages = _stages(court, case, changes, of_base)
    sealed = await _sealed_checks(stages.sealed, case)
    gates, level = await _gates(stages.gates, case, await _rules_of_base(court, case, changes))
    if case.commands.test is not None:
        own = OwnTests(
            court=court,
            command=case.commands.test.command,
            base=replace(stages.landing, commit=case.base),
            files=of_base,
            supersedes=case.contract.supersedes,
        )
        of_tests, conflicts = await _tests(own, stages, case, changes)
        gates += of_tests
        found += conflicts
        if NOT_CHECKED in of_tests:
            found += other_ways_to_run(changes, own.command, await _recipes(court, case))
    checks = (*sealed, *gates)
    if _is_good(checks, found):
        found += await _twins(stages, case, changes, tests)
    if _is_good(checks, found):
        power = await _power(stages, case, gates)
        checks, found = (*checks, *power.checks), (*found, *power.findings)
    independence = "enforced" if level != "none" else "not enforced: no sandbox"
    judge = Judge(independence=independence)
    if case.review is not None and _is_good(checks, found):
        reviewed = await review(court, case.review)
        found = (*found, *reviewed.findings)
        judge = Judge(
            agents=tuple(reader.agent for reader in reviewed.readers),
            models=tuple(dict.fromkeys(reader.model for reader in reviewed.readers)),
            independence=independence,
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


def _is_good(checks: Sequence[CheckOutcome], found: Sequence[Finding]) -> bool:
    return all(check.passed for check in checks) and not any(finding.refuses for finding in found)


def _as_the_author_has_it(
    case: Case, changes: Sequence[Change], of_base: Mapping[str, bytes], found: Sequence[Finding]
) -> tuple[Case, dict[str, bytes]]:
    """The case, and the tests to judge by, where the change's own versions stand in for what is told of them."""
    told = {finding.path for finding in found if finding.check in tamper.MEANT and not finding.refuses}
    told -= {finding.path for finding in found if finding.refuses}
    now = {change.path: change.after.encode() for change in changes if change.path in told and change.after is not None}
    kept = {path: content for path, content in of_base.items() if path not in told}
    return replace(case, contract=msgspec.structs.replace(case.contract, supersedes=tuple(told))), {**kept, **now}


def _texts_of_tests(
    court: Court, case: Case, changes: Sequence[Change], of_base: Mapping[str, bytes]
) -> dict[str, str]:
    """Every Python test that has a say: the base's, the sealed ones, and those that the change brings."""
    files = {**of_base, **court.sealed(case.checks)}
    tests = {path: content.decode(errors="replace") for path, content in files.items() if is_test(path)}
    tests |= {change.path: change.after for change in changes if change.after is not None and is_test(change.path)}
    return {path: text for path, text in tests.items() if path.endswith(".py")}


@dataclass(frozen=True, kw_only=True)
class _Stages:
    """The candidate as each kind of check sees it."""

    sealed: Stage
    """With the sealed checks, beside the base's tests. Some runners take only one of two test files of one name."""
    gates: Stage
    """With what configures judging as the base has it: types and lint are judged of all that lands."""
    tests: Stage
    """With the base's tests and no other."""
    landing: Stage
    """As it is."""


def _stages(court: Court, case: Case, changes: Sequence[Change], of_base: Mapping[str, bytes]) -> _Stages:
    build = case.commands.build.command if case.commands.build else ""
    fresh = own_tests.not_of_base(changes, case.contract.supersedes)
    landing = Stage(court=court, commit=case.commit, laid={}, build=build)
    configuring = {path: content for path, content in of_base.items() if not is_test(path)}
    sealed = court.sealed(case.checks)
    names = {PurePosixPath(path).name for path in (*of_base, *sealed) if is_test(path)}
    in_the_way = (path for path in fresh if is_test(path) and path not in sealed and PurePosixPath(path).name in names)
    return _Stages(
        sealed=replace(landing, laid={**of_base, **sealed}, gone=tuple(in_the_way)),
        gates=replace(landing, laid=configuring, gone=tuple(path for path in fresh if not is_test(path))),
        tests=replace(landing, laid=of_base, gone=fresh),
        landing=landing,
    )


def _only_review(reviewed: Reviewed) -> CheckOutcome:
    """A repository without commands, and claims that only a user can judge: the review is what scrutiny there is."""
    refused = any(finding.refuses for finding in reviewed.findings)
    return CheckOutcome(name=REVIEW, passed=not refused, detail="the only check: there is no command to run yet")


async def _changes(court: Court, case: Case, since: str = "") -> list[Change]:
    began = since or case.base
    changed = await court.store.changed_files(began, case.commit)
    return [
        Change(
            path=file.path,
            before=_text(await court.store.show(began, file.path)),
            after=_text(await court.store.show(case.commit, file.path)),
        )
        for file in changed
    ]


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")


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
    if outcome.passed and (why := _belied(outcome.command, transcript)):
        return _with(outcome, passed=False, detail=f"exit code 0, {why}")
    return outcome


def _belied(command: str, transcript: str) -> str:
    """Why success is none, by a runner's own words: the command may have swallowed its exit code."""
    if tests_ran(command, transcript) is False:
        return "but no test ran"
    failed = outcomes(transcript).failed
    return f"but it says itself that {failed} failed" if failed else ""


async def _recipes(court: Court, case: Case) -> dict[str, str]:
    """The base's files of recipes at its top, by which a short command may stand for another."""
    paths = [path for path in await court.store.files(case.base) if "/" not in path and is_recipe(path)]
    return {path: _text(await court.store.show(case.base, path)) or "" for path in paths}


async def _rules_of_base(court: Court, case: Case, changes: Sequence[Change]) -> dict[str, bytes]:
    """What configures types and lint among other things, as the base has it, where the change has it otherwise."""
    changed = [change.path for change in changes if PurePosixPath(change.path).name in RULES and change.before]
    return {path: await court.store.show(case.base, path) or b"" for path in changed}


RULES = ("pyproject.toml", "setup.cfg")


async def _gates(stage: Stage, case: Case, rules: Mapping[str, bytes]) -> tuple[tuple[CheckOutcome, ...], Level]:
    """The repository's own commands but its tests, as they were configured at the base commit."""
    outcomes: list[CheckOutcome] = []
    async with stage.sandbox() as sandbox:
        for name, command in gates_of(case.commands):
            if name == TESTS:
                continue
            # The command before this one belongs to the work; and so does how it is built.
            await sandbox.lay(stage.laid if name == BUILD else {**stage.laid, **rules})
            outcome = await stage.court.outcome(sandbox, name, command)
            ended = outcome.exit_code is not None and outcome.exit_code < KILLED
            if not outcome.passed and ended and name in case.failing_on_base:
                outcome = _with(outcome, passed=True, detail=f"{outcome.detail}; it failed on the base too")
            outcomes.append(outcome)
        return tuple(outcomes), sandbox.level


async def _tests(
    own: OwnTests, stages: _Stages, case: Case, changes: Sequence[Change]
) -> tuple[tuple[CheckOutcome, ...], tuple[Finding, ...]]:
    """What the repository's own tests say: they pass, or fail as before; it can be believed; and so it lands.

    A mission that began without any brings its own along: those prove nothing, and must pass all the same.
    """
    if case.claims and not any(map(is_test, own.files)):
        return (await _brought_along(stages.landing, case, own.command),), ()
    run = await own_tests.tried(stages.tests, own.command)
    gate = await _test_gate(own, case, run, changes)
    if not gate.passed:
        return (gate,), ()
    outcomes = (gate, await own_tests.control_of_tests(own, stages.tests, run))
    if own_tests.touches_tests(changes):
        outcomes += await own_tests.as_they_land(own, stages.landing, changes, run)
    return outcomes, _conflicts(own, run, changes) if case.by_contract else ()


def _conflicts(own: OwnTests, run: Tried, changes: Sequence[Change]) -> tuple[Finding, ...]:
    speaking = _of_what_it_touches(own, run, changes)
    text = f"tests of what was changed fail as on the base: {', '.join(speaking[:5])}"
    return (Finding(check=CONFLICT, severity="P2", text=text),) if speaking else ()


def _of_what_it_touches(own: OwnTests, run: Tried, changes: Sequence[Change]) -> list[str]:
    return of_what_it_touches(dict.fromkeys(map(own_name, run.said.names_failed)), own.files, changes)


async def _twins(
    stages: _Stages, case: Case, changes: Sequence[Change], tests: Mapping[str, str]
) -> tuple[Finding, ...]:
    """What is told of a product that passed, by watching it under its tests: the sealed ones, or else its own."""
    if case.checks.checks:
        command = "; ".join(dict.fromkeys(check.command for check in case.checks.checks))
        return await twins_tried(stages.sealed, command, changes, tests)
    if case.commands.test is not None:
        return await twins_tried(stages.landing, case.commands.test.command, changes, tests)
    return ()


async def _brought_along(stage: Stage, case: Case, command: str) -> CheckOutcome:
    async with stage.sandbox(built=True) as sandbox:
        outcome = await stage.court.outcome(sandbox, TESTS, command)
    transcript = stage.court.desk.blobs.get(outcome.evidence[0].blob).decode(errors="replace")
    if TESTS in case.failing_on_base and tests_ran(command, transcript) is False and (outcome.exit_code or 0) < KILLED:
        return _with(outcome, passed=True, detail=f"{outcome.detail}; no test ran on the base either")
    return _must_have_run(stage.court, outcome)


async def _test_gate(own: OwnTests, case: Case, run: Tried, changes: Sequence[Change]) -> CheckOutcome:
    evidence = own.court.transcript(own.command, run.finished, run.output, f"{TESTS}: {own.command}")
    succeeded, excusable = run.finished.exit_code == 0, TESTS in case.failing_on_base
    passed, why = False, ""
    if succeeded and not excusable and (belied := _belied(own.command, run.output)):
        why = belied
    elif succeeded or excusable:
        passed, why = await own_tests.compared(own, run)
    speaking = [] if case.by_contract or not passed else _of_what_it_touches(own, run, changes)
    if speaking:
        passed, why = False, f"as on the base, tests of what this change touches fail: {', '.join(speaking[:5])}"
    if not passed and (missing := missing_runner(own.command, run.output)):
        why = f"the sandbox has no {missing}: `[setup]` in services.toml says how dependencies get there"
    own_versions = [change.path for change in changes if change.path in own.files and is_test(change.path)]
    if not passed and own_versions and not why.startswith("as on the base"):
        why = f"{why}{'; ' if why else ''}the base's version of {', '.join(own_versions[:3])} judges, not the change's"
    return CheckOutcome(
        name=TESTS,
        passed=passed,
        detail="; ".join(part for part in (ending(run.finished), why) if part),
        command=own.command,
        exit_code=run.finished.exit_code,
        evidence=(evidence,),
    )


async def _power(stages: _Stages, case: Case, gates: Sequence[CheckOutcome]) -> Power:
    """How much the tests see of what this change brings, where they passed as they land."""
    tests = [outcome for outcome in gates if outcome.name in (TESTS, LANDING)]
    if case.commands.test is None or case.patience is None or not tests:
        return Power()
    if any(outcome.exit_code != 0 for outcome in tests):
        return not_tried("the tests fail, as they did on the base")
    began = case.since or case.base
    return await power_of_tests(
        stages.landing,
        replace(stages.landing, commit=began),
        case.commands.test.command,
        await _changes(stages.landing.court, case, began),
        case.patience,
    )


async def failing_on_base(court: Court, commands: FoundCommands, base: str) -> tuple[str, ...]:
    """Which of the repository's own commands fail before anybody has touched it. GiveUp when one does not end."""
    gates = gates_of(commands)
    if not gates:
        return ()
    place = await court.checkout(base, "before")
    failing: list[str] = []
    build = commands.build.command if commands.build else ""
    async with court.start(Blueprint(checkout=str(place))) as sandbox:
        for name, command in gates:
            finished, output = await court.run(sandbox, command)
            if finished.exit_code >= KILLED:
                raise GiveUp(
                    f"The repository's own {command!r} does not come to its end on the base ({ending(finished)}), so "
                    "nothing could be verified by it. Mend it, or name another in services.toml, and start again."
                )
            if finished.exit_code != 0 or (name == TESTS and _belied(command, output)):
                failing.append(name)
            if name == TESTS:
                court.remembered[own_tests.remembered_as(base, build, command)] = finished, output
    return tuple(failing)


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
