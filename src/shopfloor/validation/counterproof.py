"""The counterproof: checks that passed are run again over twins that must pass and twins that must fail.

A judge that cannot fail is no judge. It does not know what the work was.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from shopfloor.domain.contract import Check
from shopfloor.domain.mission import CheckOutcome
from shopfloor.repo.sources import is_test
from shopfloor.sandbox.protocol import Finished
from shopfloor.validation.control import Controls, controls
from shopfloor.validation.court import Court, ending
from shopfloor.validation.stage import Stage
from shopfloor.validation.tamper import MOVED
from shopfloor.validation.testrun import failing_tests, tests_passed

CONTROL = "control"
MOST_MOVED = 8
_NOT_CHECKED = CheckOutcome(name=CONTROL, passed=True, detail="not checked: no known way to make these tests fail")
_HELD = CheckOutcome(name=CONTROL, passed=True, detail="tests that were made to fail were seen to fail")


async def counterproof(stage: Stage, checks: Sequence[Check], files: Mapping[str, bytes]) -> CheckOutcome:
    """Whether the outcome of these checks, all of which passed, is to be believed. `files` are the checks' own."""
    commands = " ".join(check.command for check in checks)
    made = _controls({path: content for path, content in files.items() if _is_run(path, commands)})
    controlled = [check for check in checks if set(check.files) & set(made)]
    if not controlled:
        return _NOT_CHECKED
    passed: dict[str, tuple[Finished, str]] = {}
    async with stage.sandbox({path: twins.sound.encode() for path, twins in made.items()}) as sandbox:
        for check in controlled:
            finished, output = passed[check.command] = await stage.court.run(sandbox, check.command)
            if finished.exit_code != 0:
                why = "the same tests in other words did not pass: the work goes by the letter of its checks"
                return _doubt(stage.court, check.command, finished, output, f"{why} ({ending(finished)})")
    patient = _patient(stage, max(finished.seconds for finished, _ in passed.values()))
    async with patient.sandbox({path: twins.broken.encode() for path, twins in made.items()}) as sandbox:
        for check in controlled:
            finished, output = await stage.court.run(sandbox, check.command)
            if why := _belies(check, finished, output, passed[check.command][1], made):
                return _doubt(stage.court, check.command, finished, output, why)
    return _HELD


async def counterproof_of_tests(
    stage: Stage, base: Stage, command: str, files: Mapping[str, bytes], seconds: float
) -> CheckOutcome:
    """The same for a repository's own tests, when they are all there is to judge by.

    Nobody says which files the command runs: where a broken one changes nothing on the base either, it runs none.
    """
    broken = {path: twins.broken.encode() for path, twins in _controls(files).items()}
    if not broken:
        return _NOT_CHECKED
    for place in (stage, base):
        async with _patient(place, seconds).sandbox(broken) as sandbox:
            finished, output = await stage.court.run(sandbox, command)
        if finished.exit_code != 0:
            break
    else:
        return _NOT_CHECKED
    if place is stage:
        return _HELD
    return _doubt(stage.court, command, finished, output, f"tests fail under {command!r} on the base, but never here")


async def moved_tests_run(stage: Stage, command: str, places: Mapping[str, bytes], seconds: float) -> CheckOutcome:
    """Whether the repository's own command runs tests where they stand now: each file, made to fail, must be missed.

    Files that nobody knows how to make fail are believed; past MOST_MOVED, all are made to fail at once.
    """
    broken = {path: twins.broken.encode() for path, twins in _controls(places).items()}
    if not broken:
        return CheckOutcome(name=MOVED, passed=True, detail="not checked: no known way to make these tests fail")
    batches = [{path: text} for path, text in broken.items()] if len(broken) <= MOST_MOVED else [broken]
    for batch in batches:
        async with _patient(stage, seconds).sandbox(batch) as sandbox:
            finished, output = await stage.court.run(sandbox, command)
        if finished.exit_code == 0:
            why = f"tests were moved to {', '.join(batch)}, where {command!r} does not run them"
            return _doubt(stage.court, command, finished, output, why, name=MOVED)
    return CheckOutcome(name=MOVED, passed=True, detail="tests that were moved still run where they stand now")


async def names_what_fails(stage: Stage, command: str, files: Mapping[str, bytes], now: str) -> bool:
    """Whether a run that fails anyway names more failures when more tests are made to fail; `now` is what it prints."""
    broken = {path: twins.broken.encode() for path, twins in _controls(files).items()}
    if not broken:
        return True
    async with stage.sandbox(broken) as sandbox:
        _, output = await stage.court.run(sandbox, command)
    return bool(failing_tests(output) - failing_tests(now))


def _is_run(path: str, commands: str) -> bool:
    """A file of tests, by its own name or because a command names it; others may be what tests look at."""
    place = PurePosixPath(path)
    return is_test(place.name) or re.search(rf"(?<!\w){re.escape(place.stem)}(?!\w)", commands) is not None


def _controls(files: Mapping[str, bytes]) -> dict[str, Controls]:
    number = 2 * (500 + secrets.randbelow(4500))
    made = ((path, controls(path, content.decode(errors="replace"), number)) for path, content in files.items())
    return {path: twins for path, twins in made if twins is not None}


def _patient(stage: Stage, seconds: float) -> Stage:
    """Broken tests may hang where sound ones do not: no longer than some times what those took."""
    limit = min(stage.court.command_timeout_s, 60 + 3 * seconds)
    return replace(stage, court=replace(stage.court, command_timeout_s=limit))


def _belies(check: Check, finished: Finished, output: str, before: str, made: Mapping[str, Controls]) -> str:
    """What a run over broken checks shows of those that passed; "" when all is as it must be."""
    if finished.exit_code == 0:
        return f"tests that were made to fail did not fail under {check.command!r}: its outcome is not to be believed"
    tests = [made[path].tests for path in check.files if path in made]
    all_of_them = None if None in tests else sum(count or 0 for count in tests)
    still = tests_passed(output) or 0
    if still and tests_passed(before) == all_of_them:
        return f"{still} of {all_of_them} tests that were made to fail were reported as passed by {check.command!r}"
    return ""


def _doubt(
    court: Court, command: str, finished: Finished, output: str, why: str, *, name: str = CONTROL
) -> CheckOutcome:
    evidence = court.transcript(command, finished, output, f"{name}: {why}")
    return CheckOutcome(
        name=name,
        passed=False,
        detail=why,
        command=command,
        exit_code=finished.exit_code,
        evidence=(evidence,),
    )
