"""The counterproof: checks that passed are run again over twins that must pass and twins that must fail.

A judge that cannot fail is no judge. It does not know what the work was.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from shopfloor.domain.contract import Check
from shopfloor.domain.mission import CheckOutcome
from shopfloor.repo.sources import is_test
from shopfloor.sandbox.protocol import Finished
from shopfloor.validation.court import Court, ending
from shopfloor.validation.findings.cases import Unreadable
from shopfloor.validation.findings.reading import cases
from shopfloor.validation.findings.skips import SKIPS
from shopfloor.validation.trials.control import Controls, controls
from shopfloor.validation.trials.stage import Stage
from shopfloor.validation.trials.testrun import Outcomes, outcomes

CONTROL = "control"
NOT_CHECKED = CheckOutcome(name=CONTROL, passed=True, detail="not checked: no known way to make these tests fail")
HELD = CheckOutcome(name=CONTROL, passed=True, detail="tests that were made to fail were seen to fail")


@dataclass(frozen=True)
class Twins:
    """A test file, what it says, and how it is made to fail."""

    text: str
    made: Controls

    @property
    def tests(self) -> frozenset[str]:
        """The own names of its tests."""
        return frozenset(name.rpartition(".")[2] for name in self._names)

    @property
    def groups(self) -> frozenset[str]:
        """The names of what its tests stand in."""
        return frozenset(part for name in self._names for part in name.split(".")[:-1])

    @property
    def _names(self) -> tuple[str, ...]:
        found = cases(self.made.path, self.text)
        return () if isinstance(found, Unreadable) else tuple(case.name for case in found if case.is_test)


def twins_of(files: Mapping[str, bytes]) -> dict[str, Twins]:
    """The files that can be made to fail, by path."""
    number = 2 * (500 + secrets.randbelow(4500))
    texts = {path: content.decode(errors="replace") for path, content in files.items()}
    made = {path: controls(path, text, number) for path, text in texts.items()}
    return {path: Twins(texts[path], twins) for path, twins in made.items() if twins is not None}


def broken(twins: Mapping[str, Twins]) -> dict[str, bytes]:
    """All of them, made to fail."""
    return {path: one.made.broken.encode() for path, one in twins.items()}


def patient(stage: Stage, seconds: float) -> Stage:
    """Broken tests may hang where sound ones do not: no longer than some times what those took."""
    limit = min(stage.court.command_timeout_s, 60 + 3 * seconds)
    return replace(stage, court=replace(stage.court, command_timeout_s=limit))


async def counterproof(stage: Stage, checks: Sequence[Check], files: Mapping[str, bytes]) -> CheckOutcome:
    """Whether the outcome of these checks, all of which passed, is to be believed. `files` are the checks' own."""
    commands = " ".join(check.command for check in checks)
    twins = twins_of({path: content for path, content in files.items() if _is_run(path, commands)})
    controlled = [check for check in checks if set(check.files) & set(twins)]
    if not controlled:
        return NOT_CHECKED
    passed: dict[str, tuple[Finished, str]] = {}
    async with stage.sandbox({path: one.made.sound.encode() for path, one in twins.items()}) as sandbox:
        for check in controlled:
            finished, output = passed[check.command] = await stage.court.run(sandbox, check.command)
            why = "the same tests in other words did not pass: the work goes by the letter of its checks"
            why = f"{why} ({ending(finished)})" if finished.exit_code != 0 else _not_run(check, output, twins)
            if why:
                return doubt(stage.court, check.command, finished, output, why)
    waiting = patient(stage, max(finished.seconds for finished, _ in passed.values()))
    async with waiting.sandbox(broken(twins)) as sandbox:
        for check in controlled:
            finished, output = await stage.court.run(sandbox, check.command)
            if why := _belies(check, finished, output, passed[check.command][1], twins):
                return doubt(stage.court, check.command, finished, output, why)
    return HELD


def _is_run(path: str, commands: str) -> bool:
    """A file of tests, by its own name or because a command names it; others may be what tests look at."""
    place = PurePosixPath(path)
    return is_test(place.name) or re.search(rf"(?<!\w){re.escape(place.stem)}(?!\w)", commands) is not None


def _not_run(check: Check, output: str, twins: Mapping[str, Twins]) -> str:
    """Why a check that passed did not run all of its tests, as far as its runner tells; "" if it did."""
    own = [twins[path] for path in check.files if path in twins]
    said = outcomes(output)
    if said.skipped and not any(SKIPS.search(one.text) for one in own):
        return f"{said.skipped} tests were skipped under {check.command!r}, and the check itself skips none"
    wanted = {name for one in own for name in one.tests}
    chosen = wanted.union(*(one.groups for one in own))
    if None in (one.made.tests for one in own) or _selects(check.command, chosen):
        return ""
    if said.names_all_passed:
        ran = {own_name(name) for name in (*said.names_passed, *said.names_failed)}
        if (missing := sorted(wanted - ran)) and not said.skipped:
            return f"{check.command!r} passed without running {', '.join(missing[:5])}"
    elif said.passed is not None and said.passed + (said.skipped or 0) < len(wanted):
        return f"{check.command!r} passed with {said.passed} of {len(wanted)} tests"
    return ""


def _selects(command: str, names: set[str]) -> bool:
    """Whether a command asks for some tests by name."""
    return "::" in command or re.search(r"\s-k\b", command) is not None or any(f".{one}" in command for one in names)


def own_name(name: str) -> str:
    """A test's own name, in whatever words its runner tells where it stands."""
    bare = name.partition("[")[0].partition(" (")[0]
    return re.split(r"::|\.| > | › ", bare)[-1]


def _belies(check: Check, finished: Finished, output: str, before: str, twins: Mapping[str, Twins]) -> str:
    """What a run over broken checks shows of those that passed; "" when all is as it must be."""
    if finished.exit_code == 0:
        return f"tests that were made to fail did not fail under {check.command!r}: its outcome is not to be believed"
    own = {path: twins[path] for path in check.files if path in twins}
    said, then = outcomes(output), outcomes(before)
    if still := still_passed(said, own):
        return f"tests that were made to fail were reported as passed by {check.command!r}: {', '.join(still[:5])}"
    numbers = [one.made.tests for one in own.values()]
    all_of_them = None if None in numbers else sum(number or 0 for number in numbers)
    if said.passed and not said.names_passed and then.passed == all_of_them:
        return (
            f"{said.passed} of {all_of_them} tests that were made to fail were reported as passed by {check.command!r}"
        )
    return ""


def still_passed(said: Outcomes, twins: Mapping[str, Twins]) -> tuple[str, ...]:
    """Names of tests that passed although their file was made to fail."""
    every = {name for one in twins.values() for name in one.tests}

    def was_made_to_fail(name: str) -> bool:
        path, marked, _ = name.partition("::")
        own = (twins[path].tests if path in twins else frozenset[str]()) if marked else every
        return own_name(name) in own or name in own

    return tuple(filter(was_made_to_fail, said.names_passed))


def doubt(
    court: Court, command: str, finished: Finished, output: str, why: str, *, name: str = CONTROL
) -> CheckOutcome:
    """A control that did not hold, with the run that shows it."""
    evidence = court.transcript(command, finished, output, f"{name}: {why}")
    return CheckOutcome(
        name=name,
        passed=False,
        detail=why,
        command=command,
        exit_code=finished.exit_code,
        evidence=(evidence,),
    )
