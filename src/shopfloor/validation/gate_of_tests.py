"""The gate of the repository's own tests: they pass, or fail as before; that can be believed; and so it lands.

It does not know how a run is compared with the base's, nor how tests are made to fail: trials/own_tests.py does.
"""

import msgspec

from shopfloor.domain.mission import CheckOutcome, Finding
from shopfloor.repo.sources import is_test
from shopfloor.validation.case import Scene
from shopfloor.validation.court import ending
from shopfloor.validation.findings.set_up import is_recipe, other_ways_to_run
from shopfloor.validation.own_commands import TESTS
from shopfloor.validation.sealed import must_have_run
from shopfloor.validation.told import Told
from shopfloor.validation.trials import own_tests
from shopfloor.validation.trials.beside import side_by_side
from shopfloor.validation.trials.counterproof import NOT_CHECKED, own_name
from shopfloor.validation.trials.own_tests import KILLED, OwnTests, Tried
from shopfloor.validation.trials.testrun import belied, missing_runner, tests_ran
from shopfloor.validation.trials.touched import of_what_it_touches

CONFLICT = "conflict"
"""Tests that fail as ever and speak of what was changed: they contradict the contract, or it is not whole."""


async def gate_of_tests(scene: Scene) -> Told:
    """What the repository's own tests say; nothing where no command runs any.

    A mission that began without any brings its own along: those prove nothing, and must pass all the same.
    """
    own = scene.own_tests
    if own is None:
        return Told()
    if scene.case.claims and not any(map(is_test, own.files)):
        return Told(checks=(await _brought_along(scene, own.command),))
    run = await own_tests.tried(scene.under_own_tests, own.command)
    gate = await _gate(scene, own, run)
    if not gate.passed:
        return Told(checks=(gate,))
    control, landed = await side_by_side(
        lambda: _control(scene, own, run), lambda: _as_they_land(scene, own, run), apart=scene.apart
    )
    checks = (gate, *control, *landed)
    found = _conflicts(scene, own, run)
    if NOT_CHECKED in checks:
        found += other_ways_to_run(scene.changes, own.command, await _recipes(scene))
    return Told(checks=checks, findings=found)


async def _brought_along(scene: Scene, command: str) -> CheckOutcome:
    async with scene.landing.sandbox(built=True) as sandbox:
        outcome = await scene.court.outcome(sandbox, TESTS, command)
    transcript = scene.court.desk.blobs.get(outcome.evidence[0].blob).decode(errors="replace")
    failed_before, ended = TESTS in scene.case.failing_on_base, (outcome.exit_code or 0) < KILLED
    if failed_before and ended and tests_ran(command, transcript) is False:
        detail = f"{outcome.detail}; no test ran on the base either"
        return msgspec.structs.replace(outcome, passed=True, detail=detail)
    return must_have_run(scene.court, outcome)


async def _gate(scene: Scene, own: OwnTests, run: Tried) -> CheckOutcome:
    passed, why = await _word_on(scene, own, run)
    if not passed and (missing := missing_runner(own.command, run.output)):
        why = f"the sandbox has no {missing}: `[setup]` in services.toml says how dependencies get there"
    own_versions = [change.path for change in scene.changes if change.path in own.files and is_test(change.path)]
    if not passed and own_versions and not why.startswith("as on the base"):
        why = f"{why}{'; ' if why else ''}the base's version of {', '.join(own_versions[:3])} judges, not the change's"
    return CheckOutcome(
        name=TESTS,
        passed=passed,
        detail="; ".join(part for part in (ending(run.finished), why) if part),
        command=own.command,
        exit_code=run.finished.exit_code,
        evidence=(own.court.transcript(own.command, run.finished, run.output, f"{TESTS}: {own.command}"),),
    )


async def _word_on(scene: Scene, own: OwnTests, run: Tried) -> tuple[bool, str]:
    """Whether a run counts as passed, and what there is to say of it."""
    succeeded, excusable = run.finished.exit_code == 0, TESTS in scene.case.failing_on_base
    if not succeeded and not excusable:
        return False, ""
    if not excusable and (why := belied(own.command, run.output)):
        return False, why
    passed, why = await own_tests.compared(own, run)
    speaking = [] if scene.case.by_contract or not passed else _of_what_it_touches(scene, own, run)
    if speaking:
        return False, f"as on the base, tests of what this change touches fail: {', '.join(speaking[:5])}"
    return passed, why


async def _control(scene: Scene, own: OwnTests, run: Tried) -> tuple[CheckOutcome, ...]:
    return (await own_tests.control_of_tests(own, scene.under_own_tests, run),)


async def _as_they_land(scene: Scene, own: OwnTests, run: Tried) -> tuple[CheckOutcome, ...]:
    if not own_tests.touches_tests(scene.changes):
        return ()
    return await own_tests.as_they_land(own, scene.landing, scene.changes, run)


def _conflicts(scene: Scene, own: OwnTests, run: Tried) -> tuple[Finding, ...]:
    speaking = _of_what_it_touches(scene, own, run) if scene.case.by_contract else []
    text = f"tests of what was changed fail as on the base: {', '.join(speaking[:5])}"
    return (Finding(check=CONFLICT, severity="P2", text=text),) if speaking else ()


def _of_what_it_touches(scene: Scene, own: OwnTests, run: Tried) -> list[str]:
    return of_what_it_touches(dict.fromkeys(map(own_name, run.said.names_failed)), own.files, scene.changes)


async def _recipes(scene: Scene) -> dict[str, str]:
    """The base's files of recipes at its top, by which a short command may stand for another."""
    store, base = scene.court.store, scene.case.base
    paths = [path for path in await store.files(base) if "/" not in path and is_recipe(path)]
    return {path: (await store.show(base, path) or b"").decode(errors="replace") for path in paths}
