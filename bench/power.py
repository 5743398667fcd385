"""What it costs to ask how much tests see of a change, and whether the answer can be believed.

    python bench/power.py [--mutmut PYTHON] [--folder FOLDER]

First a change of some 200 lines to a repository of 10,000, reviewed part by part. Then one small module with good
tests, and with poor ones: of 40 faults of one token each it is known whether the tests notice them, since each is tried
by a run of its own; beside that stands what `shopfloor review` measures, whose faults are others. PYTHON is one that
has mutmut and pytest, whose word is shown as well.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import time
import tokenize
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import anyio
from parts.clients import headline, say, show
from parts.tested import POORLY, SOURCE, WELL, change, repository

from shopfloor.repo.services import commands_at
from shopfloor.testing.courtroom import Courtroom, open_courtroom
from shopfloor.validation.findings.changes import Change, added_lines
from shopfloor.validation.findings.rigging import rigged
from shopfloor.validation.findings.special import special_cases
from shopfloor.validation.findings.tamper import findings
from shopfloor.validation.scrutiny import review_change
from shopfloor.validation.trials.coverage import covered
from shopfloor.validation.trials.mutation import mutated
from shopfloor.validation.trials.order import ordered, tests_brought
from shopfloor.validation.trials.power import THOROUGH
from shopfloor.validation.trials.stage import Stage

MOST_S = 20.0
SHOWN = 70
SEEDED = 40
AT_A_TIME = os.cpu_count() or 1
APART, OFF = 0.3, 0.2
"""How far the two scores must lie apart at least, and each from what the seeded faults say at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutmut", type=Path, help="a Python that has mutmut and pytest")
    parser.add_argument("--folder", type=Path, help="where to write; default a temporary folder")
    given = parser.parse_args()
    headline(str(__doc__).splitlines()[0])
    with TemporaryDirectory(dir=given.folder) as name:
        anyio.run(price_of, Path(name))
    scores = [score_of(kind, tests, given) for kind, tests in (("well", WELL), ("poorly", POORLY))]
    print_scores(scores)


# --- what it costs ----------------------------------------------------------------------------------------------


async def price_of(place: Path) -> None:
    base, changed = repository(), change()
    lines = sum(text.count("\n") for text in base.values())
    changes = [Change(path=path, before=base.get(path), after=text) for path, text in changed.items()]
    size = sum(len(added_lines(one)) for one in changes)
    async with open_courtroom(place, base, command_timeout_s=600) as room:
        rows, tests_s = await parts_of(room, changes, base)
        whole = next(float(row[1]) for row in rows if row[0].startswith("review, all"))
    show(f"A change of {size} lines to a repository of {lines:,}", ("", "s", ""), rows)
    say("all of review beyond running the tests once", f"{whole - tests_s:.1f} s", f"at most {MOST_S:g} s",
        held=whole - tests_s <= MOST_S)  # fmt: skip


async def parts_of(room: Courtroom, changes: list[Change], base: dict[str, str]) -> tuple[list[tuple[str, ...]], float]:
    commit = room.commit({change.path: change.after for change in changes})
    commands = await commands_at(room.court.store, room.base)
    assert commands.test is not None
    command = commands.test.command
    landing = Stage(court=room.court, commit=commit, laid={})
    before = Stage(court=room.court, commit=room.base, laid={})
    rows: list[tuple[str, ...]] = []

    def row(name: str, began: float, said: str = "") -> float:
        rows.append((name, f"{(seconds := time.monotonic() - began):.1f}", said.strip("= ")[:SHOWN]))
        return seconds

    began = time.monotonic()
    finished, output = await landing.run(command)
    tests_s = row("the tests, run once", began, output.strip().splitlines()[-1])
    assert finished.exit_code == 0, output[-2000:]
    began = time.monotonic()
    tests = {path: text for path, text in base.items() if path.startswith("tests/")}
    found = (*findings(changes), *rigged(changes), *special_cases(changes, tests))
    row("findings by texts", began, f"{len(found)} findings")
    began = time.monotonic()
    verdict = await review_change(room.court, commands, room.base, commit)
    row("the checks there were before", began, f"{len(verdict.checks)} checks")
    began = time.monotonic()
    seen = await covered(landing, command, changes)
    row("coverage", began, seen.outcome.detail)
    began = time.monotonic()
    noticed = await mutated(landing, command, changes, seen, THOROUGH.mutation_s)
    row("mutation", began, noticed.outcome.detail)
    began = time.monotonic()
    order = await ordered(landing, before, command, tests_brought(changes), THOROUGH.order_s)
    row("order", began, order.outcome.detail)
    room.court.remembered.clear()
    began = time.monotonic()
    verdict = await review_change(room.court, commands, room.base, commit, patience=THOROUGH)
    row("review, all of it", began, "passed" if verdict.passed else "refused")
    return rows, tests_s


# --- whether it can be believed ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Score:
    """What is known of some tests, and what was measured."""

    kind: str
    seeded: int
    noticed: int
    measured: float
    said: str
    coverage: str
    seconds: float
    mutmut: str

    @property
    def known(self) -> float:
        return self.noticed / self.seeded


def score_of(kind: str, tests: str, given: argparse.Namespace) -> Score:
    with TemporaryDirectory(dir=given.folder) as name:
        place = Path(name)
        said, coverage, seconds = anyio.run(measured, place / "court", tests)
        killed, tried = map(int, re.findall(r"\d+", said)[:2])
        faults = seeded()
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            noticed = sum(pool.map(lambda one: is_noticed(one[1], tests, place / f"{one[0]}"), enumerate(faults)))
        return Score(
            kind=kind,
            seeded=len(faults),
            noticed=noticed,
            measured=killed / tried,
            said=said,
            coverage=coverage,
            seconds=seconds,
            mutmut=by_mutmut(given.mutmut, tests, place / "mutmut") if given.mutmut else "",
        )


async def measured(place: Path, tests: str) -> tuple[str, str, float]:
    """The score of a change that brings the module and the tests."""
    async with open_courtroom(place, {"README.md": "", "conftest.py": ""}) as room:
        commit = room.commit({"small.py": SOURCE, "test_small.py": tests.replace("{name}", "small")})
        landing = Stage(court=room.court, commit=commit, laid={})
        changes = [Change(path="small.py", before=None, after=SOURCE)]
        command = "python3 -m pytest -q"
        seen = await covered(landing, command, changes)
        began = time.monotonic()
        noticed = await mutated(landing, command, changes, seen, THOROUGH.mutation_s)
        return noticed.outcome.detail, seen.outcome.detail, time.monotonic() - began


def seeded() -> list[str]:
    """Sources with one token exchanged for another of its kind, by chance; none that is no Python, none twice."""
    made = dict.fromkeys(faulty for faulty in _faulty(SOURCE) if _is_python(faulty))
    return Random(0).sample(list(made), SEEDED)


_OTHERS = {
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "+": "-", "-": "+", "*": "+", "//": "*"},
    **{"+=": "-=", "-=": "+=", "and": "or", "or": "and", "not": "", "in": "not in", "max": "min", "continue": "break"},
    **{"False": "True", "sorted": "list", "start": "size", "end": "start", "total": "amount"},
}


def _faulty(source: str) -> Iterator[str]:
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (row, begin), (_, end) = token.start, token.end
        others = [_OTHERS[token.string]] if token.string in _OTHERS else []
        if token.type == tokenize.NUMBER:
            others = [str(int(token.string) + 1), str(int(token.string) - 1)]
        for other in others:
            line = lines[row - 1][:begin] + other + lines[row - 1][end:]
            yield "".join([*lines[: row - 1], line, *lines[row:]])


def _is_python(source: str) -> bool:
    try:
        compile(source, "small.py", "exec")
    except SyntaxError:
        return False
    return True


def is_noticed(source: str, tests: str, place: Path) -> bool:
    """Whether a run of its own fails, or does not end."""
    place.mkdir(exist_ok=True)
    (place / "small.py").write_text(source, encoding="utf-8")
    (place / "test_small.py").write_text(tests.replace("{name}", "small"), encoding="utf-8")
    words = (sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--rootdir", str(place))
    try:
        return (
            subprocess.run((*words, str(place)), check=False, cwd=place, capture_output=True, timeout=8).returncode != 0
        )
    except subprocess.TimeoutExpired:
        return True


def by_mutmut(python: Path, tests: str, place: Path) -> str:
    """What mutmut says of the same module and tests."""
    place.mkdir()
    (place / "small.py").write_text(SOURCE, encoding="utf-8")
    (place / "test_small.py").write_text(tests.replace("{name}", "small"), encoding="utf-8")
    (place / "setup.cfg").write_text("[mutmut]\npaths_to_mutate=small.py\ntests_dir=test_small.py\n", encoding="utf-8")
    began = time.monotonic()
    ran = subprocess.run((python, "-m", "mutmut", "run"), check=False, cwd=place, capture_output=True, text=True)
    listed = subprocess.run(
        (python, "-m", "mutmut", "results", "--all", "true"), check=False, cwd=place, capture_output=True, text=True
    )
    words = [line.rpartition(": ")[2] for line in listed.stdout.splitlines() if ": " in line]
    noticed = sum(word in ("killed", "timeout", "segfault") for word in words)
    if not words:
        return f"said nothing: {(ran.stdout + ran.stderr).strip()[-60:]}"
    return f"{noticed} of {len(words)} ({noticed / len(words):.0%}), {time.monotonic() - began:.0f} s"


def print_scores(scores: list[Score]) -> None:
    headings = ("tested", "seeded, noticed", "review", "score", "coverage", "s", "mutmut")
    show("A small module", headings, [
        (one.kind, f"{one.noticed} of {one.seeded} ({one.known:.0%})", one.said, f"{one.measured:.0%}",
         one.coverage.partition(" changed")[0], f"{one.seconds:.1f}", one.mutmut)
        for one in scores
    ])  # fmt: skip
    well, poorly = scores
    say("the scores lie apart by", f"{well.measured - poorly.measured:.0%}", f"at least {APART:.0%}",
        held=well.measured - poorly.measured >= APART)  # fmt: skip
    for one in scores:
        off = abs(one.measured - one.known)
        say(f"{one.kind} tested: the score is off by", f"{off:.0%}", f"at most {OFF:.0%}", held=off <= OFF)


if __name__ == "__main__":
    main()
