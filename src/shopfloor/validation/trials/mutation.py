"""Whether tests would notice a fault in the changed statements that they run: small ones are put in, one at a time.

Only the tests that come by a statement run with its fault, two at a time, as long as time is given. Where a runner
takes orders, one process reads all tests once and tries each fault in a child of its own; faults in what runs at
import, and runners of other kinds, need a run from the start for each. A test that fails, or no longer ends, has
noticed. It does not know whether a fault that nobody noticed could ever do harm.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import anyio

from shopfloor.domain.mission import CheckOutcome, Finding
from shopfloor.repo.python import parsed
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.trials.coverage import Covered, Place
from shopfloor.validation.trials.mutants import Mutant, mutants, spread
from shopfloor.validation.trials.stage import Stage
from shopfloor.validation.trials.steering import Fault, Faults, Orders, steered

MUTATION = "mutation of changed lines"
MUTATION_S = 8.0
AT_ONCE = 2
MOST_TRIED = 1_000
MOST_TOLD = 5
BUSY_S = 0.5
"""How long a fault may keep a processor busy beyond what its tests need: fixtures are made anew for each."""
SHARE = 0.6
"""Of the time, for faults that one process can try, where there are others too."""


@dataclass(frozen=True, kw_only=True)
class Seed:
    """A fault of one file, and the tests that come by it: None for all there are, since it is met at import."""

    path: str
    mutant: Mutant
    tests: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Mutated:
    """What became of the faults that were tried, of all that could have been."""

    possible: int = 0
    killed: tuple[Seed, ...] = ()
    survived: tuple[Seed, ...] = ()
    seconds: float = MUTATION_S
    why_not: str = ""

    @property
    def outcome(self) -> CheckOutcome:
        if self.why_not:
            return CheckOutcome(name=MUTATION, passed=True, detail=f"not checked: {self.why_not}")
        tried = len(self.killed) + len(self.survived)
        left = f" ({self.possible} possible, stopped after {self.seconds:g} s)" if tried < self.possible else ""
        return CheckOutcome(name=MUTATION, passed=True, detail=f"killed {len(self.killed)} of {tried} tried{left}")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Some of those that nobody noticed, spread over functions as they were tried."""
        return tuple(
            Finding(
                check=MUTATION,
                severity="P2",
                text=f"no test would notice {seed.mutant.words}",
                path=seed.path,
                line=seed.mutant.line,
            )
            for seed in self.survived[:MOST_TOLD]
        )


async def mutated(landing: Stage, command: str, changes: Sequence[Change], covered: Covered, seconds: float) -> Mutated:
    """Tries as many faults as the time allows. With probes in place of faults, the tests passed."""
    if covered.why_not:
        return Mutated(why_not=covered.why_not)
    texts = {change.path: change.after for change in changes if change.after is not None}
    seeds = seeds_of(texts, covered.places)
    if not seeds:
        return Mutated(why_not="no changed statement that tests run can be made faulty")
    trial = _Trial(
        landing=landing,
        command=command,
        texts=texts,
        patience_s=3 * covered.seconds + 2,
        seconds_of=covered.seconds_of,
        until=time.monotonic() + seconds,
    )
    return _summed(seeds, await _noticed(trial, dict(enumerate(seeds[:MOST_TRIED])), seconds), seconds)


def seeds_of(texts: Mapping[str, str], places: Collection[Place]) -> list[Seed]:
    """Every fault in statements that tests run, in the order in which to try them."""
    by_file: list[list[Seed]] = []
    for path in dict.fromkeys(place.path for place in places):
        seeds: dict[Mutant, Seed] = {}
        for place in places:
            if place.path == path and place.tests:
                tests = None if "" in place.tests else tuple(sorted(place.tests))
                for one in mutants(texts[path], [place.statement]):
                    seeds[one] = Seed(path=path, mutant=one, tests=tests)
        by_file.append([seeds[one] for one in spread(list(seeds))])
    return list(_by_shares(by_file))


def _by_shares(groups: Sequence[Sequence[Seed]]) -> Iterator[Seed]:
    """From each group as it goes, in proportion to its size: where one stops, all have had their share."""
    placed = [((at + 0.5) / len(group), seed) for group in groups for at, seed in enumerate(group)]
    return (seed for _, seed in sorted(placed, key=lambda pair: pair[0]))


def _summed(seeds: Sequence[Seed], noticed: "_Seen", seconds: float) -> Mutated:
    if noticed is None:
        return Mutated(why_not="tests that were tried with a fault fail without it afterwards, too")
    if not noticed:
        return Mutated(why_not=f"{seconds:g} s are too short for one run of these tests")
    return Mutated(
        possible=len(seeds),
        killed=tuple(seeds[number] for number, seen in sorted(noticed.items()) if seen),
        survived=tuple(seeds[number] for number, seen in sorted(noticed.items()) if not seen),
        seconds=seconds,
    )


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """What all faults are tried with."""

    landing: Stage
    command: str
    texts: Mapping[str, str]
    patience_s: float
    """How long all tests may take from the start: some faults never end."""
    seconds_of: Mapping[str, float]
    until: float

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()

    def within(self, seconds: float) -> "_Trial":
        """The same with less time."""
        return replace(self, until=min(self.until, time.monotonic() + seconds))


_Seen: TypeAlias = Mapping[int, bool] | None
"""By the number of a fault whether it was noticed; None where afterwards tests fail without any, too."""


async def _noticed(trial: _Trial, seeds: Mapping[int, Seed], seconds: float) -> _Seen:
    """Which faults were noticed, of those for which there was time."""
    quick = {number: seed for number, seed in seeds.items() if seed.tests is not None}
    share = seconds if len(quick) == len(seeds) else SHARE * seconds
    early = await _in_lanes(_by_children, trial.within(share), quick)
    if early is None or trial.left_s <= 0:
        return early
    rest = {number: seed for number, seed in seeds.items() if number not in quick or not early}
    late = await _in_lanes(_one_by_one, trial, rest)
    return {**early, **late} if late is not None else early or None


async def _in_lanes(
    work: Callable[[_Trial, Mapping[int, Seed]], Awaitable[_Seen]], trial: _Trial, seeds: Mapping[int, Seed]
) -> _Seen:
    """Some at a time, each lane in a sandbox of its own; what is said by one that is not to be believed is left out."""
    said: list[_Seen] = []

    async def lane(own: Mapping[int, Seed]) -> None:
        said.append(await work(trial, own))

    async with anyio.create_task_group() as group:
        for at in range(AT_ONCE):
            if own := dict(list(seeds.items())[at::AT_ONCE]):
                group.start_soon(lane, own)
    believed = {number: seen for one in said if one is not None for number, seen in one.items()}
    return None if None in said and not believed else believed


async def _by_children(trial: _Trial, seeds: Mapping[int, Seed]) -> _Seen:
    """Tried by one process of the runner; nothing where the runner takes no such orders."""
    async with trial.landing.sandbox(built=True) as sandbox:
        faults = Faults(
            faults=tuple(_fault(trial, number, seed, sandbox) for number, seed in seeds.items()),
            seconds=max(0.0, trial.left_s),
            patience_s=trial.patience_s,
        )
        only = tuple(sorted({test for seed in seeds.values() for test in seed.tests or ()}))
        await sandbox.lay({path: trial.texts[path].encode() for path in {seed.path for seed in seeds.values()}})
        court = replace(trial.landing.court, command_timeout_s=faults.seconds + 3 * trial.patience_s)
        heard = await steered(court, sandbox, trial.command, Orders(only=only, faults=faults))
    seen = {int(number): outcome == "killed" for outcome, number in heard.told if outcome in ("killed", "survived")}
    return seen if ("sound", "") in heard.told or not seen else None


def _fault(trial: _Trial, number: int, seed: Seed, sandbox: Sandbox) -> Fault:
    tests = seed.tests or ()
    taken_s = sum(trial.seconds_of.get(test, trial.patience_s) for test in tests)
    return Fault(
        number=number,
        path=f"{sandbox.root}/{seed.path}",
        start=seed.mutant.start,
        end=seed.mutant.end,
        instead=seed.mutant.instead,
        tests=tests,
        patience_s=min(trial.patience_s, 3 * taken_s + 1.5),
        busy_s=min(trial.patience_s, 3 * taken_s + BUSY_S),
    )


async def _one_by_one(trial: _Trial, seeds: Mapping[int, Seed]) -> _Seen:
    """Each laid and tried by a run from the start."""
    noticed: dict[int, bool] = {}
    async with trial.landing.sandbox(built=True) as sandbox:
        for number, seed in seeds.items():
            text = trial.texts[seed.path]
            if trial.left_s <= 0 or parsed(seed.mutant.of(text)) is None:
                continue
            await sandbox.lay({seed.path: _padded(seed.mutant.of(text), len(text.encode()) + PADDING + number)})
            passed = await _passes(trial, sandbox, trial.left_s, seed.tests)
            await sandbox.lay({seed.path: text.encode()})
            if passed is not None:
                noticed[number] = not passed
        sound = not any(noticed.values()) or await _passes(trial, sandbox, trial.patience_s, None)
    return noticed if sound else None


async def _passes(trial: _Trial, sandbox: Sandbox, limit_s: float, tests: tuple[str, ...] | None) -> bool | None:
    """Whether these tests pass; None where nobody can say, since there was no time to wait for them."""
    court = replace(trial.landing.court, command_timeout_s=min(limit_s, trial.patience_s))
    heard = await steered(court, sandbox, trial.command, Orders(only=tests, stop=True))
    if heard.finished.timed_out:
        return None if limit_s < trial.patience_s else False
    return heard.finished.exit_code == 0


PADDING = 1000


def _padded(text: str, length: int) -> bytes:
    """As long as no other: Python takes a compiled file for that of any source of the same length and second."""
    content = text.encode() + b"\n#"
    return content + b"~" * (length - len(content))
