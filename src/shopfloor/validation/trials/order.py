"""Whether the tests that a change brings or touches pass by chance: twice, each file by itself, in another order.

Most Python tests that fail now and then do so by what another test, or they themselves, left behind, and that is found
without a hundred runs. Each trial is a fresh sandbox. What fails is tried in the same way on the base: an old weakness
is told, a new one refuses. It does not know why a test fails.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shopfloor.domain.mission import CheckOutcome, Evidence, Finding, Severity
from shopfloor.repo.sources import is_test
from shopfloor.validation.court import Court
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.moves import holds_tests
from shopfloor.validation.trials.counterproof import patient
from shopfloor.validation.trials.stage import Stage
from shopfloor.validation.trials.steering import Heard, Orders, steered

FLAKY = "flaky"
ORDER = "order of tests"
ORDER_S = 10.0
MOST_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to run tests in which they pass, too, unless they lean on something."""

    words: str
    orders: Orders


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """What came of all ways that were tried."""

    outcome: CheckOutcome
    findings: tuple[Finding, ...] = ()


async def ordered(landing: Stage, base: Stage, command: str, brought: tuple[str, ...], seconds: float) -> Ordered:
    """Tries files of tests in the ways that the time allows; as they are, the tests passed."""
    until = time.monotonic() + seconds
    heard: dict[str, Heard] = {}
    for way in ways(brought):
        one = await _in_time(landing, command, way.orders, until - time.monotonic())
        if one is None:
            break
        if not one.told:
            return _not_checked(f"{command!r} runs no tests that could be told in which order to run")
        heard[way.words] = one
    if not heard:
        return _not_checked(f"{seconds:g} s are too short for one run of these tests")
    found = await _told(landing, base, command, brought, heard)
    return Ordered(outcome=_outcome(landing.court, command, heard, found), findings=found)


def tests_brought(changes: Sequence[Change]) -> tuple[str, ...]:
    """The Python test files that a change brings or touches."""
    return tuple(
        change.path
        for change in changes
        if change.path.endswith(".py")
        and is_test(change.path)
        and change.after is not None
        and holds_tests(change.path, change.after)
    )


def ways(brought: tuple[str, ...]) -> list[Way]:
    """What is cheap comes first. A single file that is run twice has been run by itself."""
    some = brought[0] if len(brought) == 1 else f"{len(brought)} files of tests"
    found = [Way(words=f"{some} twice in one process", orders=Orders(only=brought, how="twice"))]
    if len(brought) > 1:
        found += [Way(words=f"{path} by itself", orders=Orders(only=(path,))) for path in brought]
    return [*found, Way(words="all tests in reversed order", orders=Orders(how="reversed"))]


async def _in_time(stage: Stage, command: str, orders: Orders, left_s: float) -> Heard | None:
    """One run; None where it did not end in time."""
    if left_s <= 0:
        return None
    limit = min(stage.court.command_timeout_s, left_s)
    heard = await _run(replace(stage, court=replace(stage.court, command_timeout_s=limit)), command, orders)
    return None if heard.finished.timed_out else heard


async def _run(stage: Stage, command: str, orders: Orders) -> Heard:
    async with stage.sandbox(built=True) as sandbox:
        return await steered(stage.court, sandbox, command, orders)


async def _told(
    landing: Stage, base: Stage, command: str, brought: Sequence[str], heard: Mapping[str, Heard]
) -> tuple[Finding, ...]:
    """What failed, each test by the first way in which it did, with how much it matters."""
    waiting = patient(landing, max(one.finished.seconds for one in heard.values()))
    by_way: dict[str, list[str]] = {}
    known: set[str] = set()
    for words, one in heard.items():
        if failed := [name for name in one.failed if name not in known][:MOST_TOLD]:
            by_way[words] = failed
            known.update(one.failed)
    plain = await _run(waiting, command, Orders()) if by_way else None
    found: list[Finding] = []
    for way in [way for way in ways(tuple(brought)) if way.words in by_way][:MOST_TOLD]:
        before = await _run(replace(waiting, commit=base.commit), command, way.orders)
        for name in by_way[way.words]:
            assert plain is not None
            severity, beside = _weight(name, plain, before)
            text = f"{name} passes, and fails when one runs {way.words}{beside}"
            found.append(Finding(check=FLAKY, severity=severity, text=text, path=_file_of(name, brought)))
    return tuple(found)


def _weight(name: str, plain: Heard, before: Heard) -> tuple[Severity, str]:
    if name in plain.failed:
        return "P2", "; it failed once in the usual order, too"
    if name in before.failed:
        return "P3", "; so it did before this change"
    return "P1", "" if name in before.ran else "; the change brings it"


def _file_of(name: str, brought: Sequence[str]) -> str:
    """Where a test stands: pytest says so, unittest names the module."""
    if "::" in name or name.endswith(".py"):
        return name.partition("::")[0]
    dotted = f".{name}."
    return next((path for path in brought if f".{_module(path)}." in dotted), "")


def _module(path: str) -> str:
    return path.removesuffix(".py").rpartition("/")[2]


def _outcome(court: Court, command: str, heard: Mapping[str, Heard], found: Sequence[Finding]) -> CheckOutcome:
    refusing = [finding for finding in found if finding.refuses]
    failed = [(words, one) for words, one in heard.items() if one.failed]
    ran = f"{', '.join(list(heard)[:3])}{f' and {len(heard) - 3} more ways' if len(heard) > 3 else ''}"
    return CheckOutcome(
        name=ORDER,
        passed=not refusing,
        detail=f"{len(found)} failed when one runs {ran}" if found else f"they also pass when one runs {ran}",
        command=command,
        exit_code=failed[0][1].finished.exit_code if failed else None,
        evidence=tuple(_shown(court, command, words, one) for words, one in failed[:1]),
    )


def _shown(court: Court, command: str, words: str, heard: Heard) -> Evidence:
    return court.transcript(command, heard.finished, heard.output, f"{ORDER}: {words}")


def _not_checked(why: str) -> Ordered:
    return Ordered(outcome=CheckOutcome(name=ORDER, passed=True, detail=f"not checked: {why}"))
