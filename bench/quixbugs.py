"""What `shopfloor review` says of a known bug and of its known fix: `python bench/quixbugs.py FOLDER [name ...]`.

FOLDER is a checkout of QuixBugs. Each of its Python programs that has cases in JSON becomes a repository with tests
made of those cases. Made wrong, the program must be refused; made right, it must not. An endless loop ends at the
`timeout_s` of the repository's services.toml, in each run of the tests.
It does not know whether the cases would catch other bugs.
"""

import ast
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from parts.clients import headline, say, show

from shopfloor.domain.mission import Verdict
from shopfloor.models.scripted import ScriptedModel
from shopfloor.testing.workshop import Workshop, make_repository, write_files
from shopfloor.validation.scrutiny import refusals

AT_A_TIME = os.cpu_count() or 1
MOST_MISSED = 3
"""Wrong programs that may pass: some bugs show in no case. No right one may be refused."""
TIMEOUT_S = 20
SERVICES = f'[commands]\ntest = "python3 -m pytest -q"\n\n[judge]\ntimeout_s = {TIMEOUT_S}\n'
ENDLESS = {"knapsack": 6404180, "levenshtein": "amanaplanacanalpanama"}
"""First arguments of cases that take the right programs minutes or more; QuixBugs' own tests skip them too."""
WITHIN = {"sqrt": "pytest.approx(expected, abs=given[-1])"}
"""What is near enough, as QuixBugs' own tests have it."""

TESTS = """\
from types import GeneratorType

import pytest

from {name} import {name}

CASES = [
{rows}
]


def plain(value):
    many = isinstance(value, list | tuple | GeneratorType)
    return [plain(part) for part in value] if many else value


@pytest.mark.parametrize("given, expected", CASES)
def test_{name}(given, expected):
    assert plain({name}(*given)) == {expected}
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of QuixBugs, and the tests that its cases make."""

    name: str
    wrong: str
    right: str
    tests: str

    @property
    def stub(self) -> str:
        function = next(node for node in ast.parse(self.right).body if isinstance(node, ast.FunctionDef))
        return f"def {self.name}({ast.unparse(function.args)}):\n    raise NotImplementedError\n"

    def files(self, program: str) -> dict[str, str]:
        """A repository where the program reads like that."""
        return {f"{self.name}.py": program, "services.toml": SERVICES}

    @property
    def tested(self) -> dict[str, str]:
        return {f"tests/test_{self.name}.py": self.tests}

    @property
    def tidied(self) -> str:
        """The right program in other words."""
        return ast.unparse(ast.parse(self.right)) + "\n"


BEGINS: Mapping[str, Callable[[Program], Mapping[str, str]]] = {
    "stub": lambda one: one.files(one.stub) | one.tested,
    "untested stub": lambda one: one.files(one.stub),
    "right": lambda one: one.files(one.right) | one.tested,
}
"""What the base holds; the change always brings the tests along."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One change to one program, and what became of it."""

    program: str
    begins: str
    good: bool
    verdict: Verdict
    seconds: float

    @property
    def missed(self) -> bool:
        return self.verdict.passed != self.good


def main() -> None:
    folder, *names = sys.argv[1:]
    programs = [one for one in read_programs(Path(folder)) if not names or one.name in names]
    headline(str(__doc__).splitlines()[0])
    trials: list[Trial] = []
    anyio.run(try_all, programs, trials)
    print_table(trials)
    for begins in BEGINS:
        for good in (False, True):
            print_misses([one for one in trials if (one.begins, one.good) == (begins, good)])


def read_programs(folder: Path) -> Iterator[Program]:
    """The programs that have cases, by name."""
    for cases in sorted((folder / "json_testcases").glob("*.json")):
        name = cases.stem
        rows = [json.loads(line) for line in cases.read_text().splitlines() if line.strip()]
        kept = [row for row in rows if row[0][0] != ENDLESS.get(name, ...)]
        yield Program(
            name=name,
            wrong=(folder / "python_programs" / f"{name}.py").read_text(),
            right=(folder / "correct_python_programs" / f"{name}.py").read_text(),
            tests=TESTS.format(
                name=name, rows="\n".join(f"    {tuple(row)!r}," for row in kept), expected=WITHIN.get(name, "expected")
            ),
        )


async def try_all(programs: list[Program], trials: list[Trial]) -> None:
    waiting = iter(programs)

    async def player() -> None:
        for program in waiting:
            for begins in BEGINS:
                for good in (False, True):
                    trials.append(await tried(program, begins, good=good))

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_A_TIME):
            tasks.start_soon(player)


async def tried(program: Program, begins: str, *, good: bool) -> Trial:
    with TemporaryDirectory() as folder:
        repository = make_repository(Path(folder) / "repository", BEGINS[begins](program))
        write_files(repository, program.files(program.tidied if good else program.wrong) | program.tested)
        workshop = Workshop(repository=repository, state=Path(folder) / "state", model=ScriptedModel({}))
        began = time.perf_counter()
        async with workshop.factory() as factory:
            verdict = (await factory.review(repository, "main")).verdict
        seconds = time.perf_counter() - began
    return Trial(program=program.name, begins=begins, good=good, verdict=verdict, seconds=seconds)


def print_table(trials: list[Trial]) -> None:
    columns = [(begins, good) for begins in BEGINS for good in (False, True)]
    seen = {(one.program, one.begins, one.good): one for one in trials}
    names = sorted({one.program for one in trials})
    rows = [(name, *(told(seen[name, *column]) for column in columns)) for name in names]
    show("", ("program", *(f"{begins}, {'right' if good else 'wrong'}" for begins, good in columns)), rows)


def told(trial: Trial) -> str:
    word = "accepted" if trial.verdict.passed else "refused"
    return f"{'MISSED: ' if trial.missed else ''}{word} {trial.seconds:.1f} s"


def print_misses(trials: list[Trial]) -> None:
    """What we promise of trials of one kind, whether it held, and all that the verdict says of each miss."""
    missed, some = [one for one in trials if one.missed], trials[0]
    most = 0 if some.good else MOST_MISSED
    what = f"{'right accepted' if some.good else 'wrong refused'}, base {some.begins}"
    say(what, f"{len(trials) - len(missed)} of {len(trials)}", f"all but {most}", held=len(missed) <= most)
    for trial in missed:
        checks = "; ".join(f"{check.name}: {check.detail}" for check in trial.verdict.checks)
        print(f"  {trial.program}: {' | '.join(refusals(trial.verdict)) or checks}")


if __name__ == "__main__":
    main()
