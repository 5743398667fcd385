"""Which of the changed statements the tests run, and which tests run each of them.

The changed sources are laid with probes of our own (probes.py), so the repository needs no tool for it. It does not
know whether a test that runs a statement would notice if it were wrong: mutation.py tries that.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from shopfloor.domain.mission import CheckOutcome, Finding
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.statements import Statement, changed_statements
from shopfloor.validation.trials.probes import with_probes
from shopfloor.validation.trials.stage import Stage
from shopfloor.validation.trials.steering import FOLDER, INSIDE, Heard, Orders, read_if_there, steered

COVERAGE = "coverage of changed lines"
MOST_PLACES = 12
"""Places that one finding names."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A changed statement, the file it stands in, and the tests that run it; "" is the import of a module."""

    path: str
    statement: Statement
    tests: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Covered:
    """What a run over probes told: every changed statement, or why nothing could be told."""

    places: tuple[Place, ...] = ()
    why_not: str = ""
    is_proof: bool = False
    """Whether these tests are all the proof there is, so that they must run something of the change."""
    seconds: float = 0.0
    """How long all tests took, from the start."""
    seconds_of: Mapping[str, float] = field(default_factory=dict[str, float])
    """How long each test took."""

    @property
    def outcome(self) -> CheckOutcome:
        if self.why_not:
            return CheckOutcome(name=COVERAGE, passed=True, detail=f"not checked: {self.why_not}")
        run = sum(bool(place.tests) for place in self.places)
        unproved = self.is_proof and not run
        told = f"{run} of {len(self.places)} changed statements run{', so these tests prove nothing of it' * unproved}"
        return CheckOutcome(name=COVERAGE, passed=not unproved, detail=told)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each file of which lines are never run: a warning where that is more than half of what changed."""
        found: list[Finding] = []
        for path, own in groupby(self.places, key=lambda place: place.path):
            places = list(own)
            if missed := [place.statement for place in places if not place.tests]:
                found.append(
                    Finding(
                        check=COVERAGE,
                        severity="P2" if 2 * len(missed) > len(places) else "P3",
                        text=f"no test runs {_named(path, missed, places)}",
                        path=path,
                        line=missed[0].line,
                    )
                )
        return tuple(found)


def changed_places(changes: Sequence[Change]) -> tuple[Place, ...]:
    """Every changed statement of the product, file by file."""
    return tuple(
        Place(path=change.path, statement=statement) for change in changes for statement in changed_statements(change)
    )


async def covered(landing: Stage, command: str, changes: Sequence[Change], *, is_proof: bool = False) -> Covered:
    """Runs the tests once over the changed sources with probes in them; the tests passed without."""
    places = changed_places(changes)
    texts = {change.path: change.after for change in changes if change.after is not None}
    async with landing.sandbox(built=True) as sandbox:
        laid = _laid(texts, places, f"{sandbox.root}/{FOLDER}")
        if isinstance(laid, str):
            return Covered(why_not=f"{laid} takes no probes")
        await sandbox.write(f"{FOLDER}/probe.py", (INSIDE / "probe.py").read_bytes())
        await sandbox.lay(laid)
        heard = await steered(landing.court, sandbox, command, Orders())
        passed = await read_if_there(sandbox, f"{FOLDER}/passed")
    if why := _why_not(heard):
        return Covered(why_not=why)
    by_number = _tests_by_number(passed)
    return Covered(
        places=tuple(
            Place(path=place.path, statement=place.statement, tests=by_number[number])
            for number, place in enumerate(places)
        ),
        is_proof=is_proof,
        seconds=heard.finished.seconds,
        seconds_of=heard.seconds,
    )


def _laid(texts: Mapping[str, str], places: Sequence[Place], folder: str) -> dict[str, bytes] | str:
    """The files with their probes, or the path of one that takes none."""
    by_path: dict[str, dict[int, Statement]] = defaultdict(dict)
    for number, place in enumerate(places):
        by_path[place.path][number] = place.statement
    laid: dict[str, bytes] = {}
    for path, probes in by_path.items():
        text = with_probes(texts[path], probes, folder)
        if text is None:
            return path
        laid[path] = text.encode()
    return laid


def _why_not(heard: Heard) -> str:
    if heard.finished.exit_code == 0:
        return ""
    failed = f": {', '.join(heard.failed[:3])}" if heard.failed else ""
    return f"the tests do not pass with probes in what they test{failed}"


def _tests_by_number(passed: str) -> defaultdict[int, frozenset[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for line in passed.splitlines():
        number, _, test = line.partition(" ")
        if number.isdigit():
            found[int(number)].add(_without_phase(test))
    return defaultdict(frozenset[str], {number: frozenset(tests) for number, tests in found.items()})


def _without_phase(test: str) -> str:
    """A test's name as pytest gives it to what it runs, without the part of the test that runs just now."""
    for phase in (" (setup)", " (call)", " (teardown)"):
        test = test.removesuffix(phase)
    return test


def _named(path: str, missed: Sequence[Statement], places: Sequence[Place]) -> str:
    """`app.py:12-14, 20`: statements that follow each other in the change are one place."""
    order = [place.statement for place in places]
    runs: list[tuple[int, int]] = []
    last = -2
    for at, statement in enumerate(order):
        if statement not in missed:
            continue
        begin = runs.pop()[0] if at == last + 1 else statement.line
        runs.append((begin, max(statement.end, statement.line)))
        last = at
    spelled = [f"{start}-{end}" if end > start else f"{start}" for start, end in runs]
    more = f" and {len(spelled) - MOST_PLACES} more places" if len(spelled) > MOST_PLACES else ""
    return f"{path}:{', '.join(spelled[:MOST_PLACES])}{more}"
