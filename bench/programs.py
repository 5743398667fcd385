"""Judges terminal programs, true ones and ones whose output was spoiled, by contracts made of real cases.

    python bench/programs.py DATA [--docopt FOLDER] [--only jq|docopt] [--lanes 3] [--seed 1] [--case N ...] [--brief]

DATA holds jq_cases.jsonl and docopt_cases.jsonl, none of it is kept here. The true programs are the `jq` of this
machine, and a script around the `docopt` package that stands in FOLDER (`pip install --target FOLDER docopt`).

Each case becomes an assertion of two turns: another case of the same program, then this one, for whoever prints the
same whatever is asked has no effect. A case that the installed program answers otherwise than the data, also when
nobody judges (it is of another version, or lacks a module or a variable of the data's own tests), is told by name, and
must fail. In a spoiled program, one token of what the data speaks of is another one, for this case alone; by `--seed`,
always the same one.
"""

import argparse
import json
import random
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import anyio

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.sandbox.probe import start
from shopfloor.validation.drivers.actions import StartProgram
from shopfloor.validation.drivers.app import Recipe
from shopfloor.validation.drivers.expectations import Exit, Expectation, Json, Output
from shopfloor.validation.drivers.steps import Unspeakable, read_step, spell
from shopfloor.validation.judging import Bench, Here, Ruling, judge
from shopfloor.validation.lint import about_steps

PYTHON = f"{sys.base_prefix}/bin/python3"
DOCOPT_PROGRAM = """\
import json, sys
from docopt import docopt
print(json.dumps(docopt(sys.argv[1], sys.argv[2:])))
"""
PATIENCE_S = 10
SPOILED = """\
#!/bin/sh
if [ "$*x" = "$(cat spoiled-for)" ]; then cat spoiled-output; exit {code}; fi
exec ./true-program "$@"
"""
TRUE = """\
#!/bin/sh
ulimit -v 4000000
exec {program} "$@"
"""

Kind: TypeAlias = Literal["true", "otherwise", "spoiled"]


@dataclass(frozen=True)
class Printed:
    """What the true program printed when nobody judged it. No code if it did not end in time."""

    output: str
    errors: str
    code: int | None

    @property
    def all(self) -> str:
        return self.output + self.errors


@dataclass(frozen=True)
class Case:
    """One way to call a program, what is expected of it, and where in its output that is stated ("" is all of it)."""

    name: str
    words: tuple[str, ...]
    input: str | None
    expected: tuple[Expectation, ...]
    agrees: Callable[[Printed], bool]
    error: bool = False
    stated: str = ""

    @property
    def command(self) -> str:
        """Its line in a shell. Where an answer is expected, what goes to standard error is none of it."""
        line = shlex.join(("./program", *self.words)) + ("" if self.error else " 2>/dev/null")
        return line if self.input is None else f"printf %s {shlex.quote(self.input)} | {line}"


# --- cases ------------------------------------------------------------------------------------------------------


def jq_cases(data: Path) -> tuple[Case, ...]:
    return tuple(_jq_case(number, row) for number, row in enumerate(rows(data / "jq_cases.jsonl"), start=1))


def _jq_case(number: int, row: Mapping[str, Any]) -> Case:
    name, words = f"jq {number}: {row['program'][:70]!r}", ("-c", row["program"])
    if (
        "outputs" not in row
    ):  # where in the program the error stands, and in which words it goes on, versions tell apart
        said = row["expect_compile_error"][0].partition(" at <top-level>")[0]
        expected = (Exit(code=3), Output(text=said))
        return Case(name, words, "null", expected, lambda seen: seen.code == 3 and said in seen.all, True, said)
    wanted = canonical(row["outputs"])
    expected = (_printed(row["outputs"]),)
    return Case(name, words, row["input"], expected, lambda seen: canonical(lines(seen.output)) == wanted)


def _printed(outputs: Sequence[str]) -> Expectation:
    """These values, one on each line; as text where there is none, or where they are beyond what JSON can say."""
    values = Json(path="$", relation="is", json=f"[{','.join(outputs)}]", lines=True)
    try:
        read_step(spell(values))
    except Unspeakable:
        return Output(text="\n".join(outputs), relation="is")
    return values if outputs else Output(text="", relation="is")


def docopt_cases(data: Path) -> tuple[Case, ...]:
    return tuple(_docopt_case(number, row) for number, row in enumerate(rows(data / "docopt_cases.jsonl"), start=1))


def _docopt_case(number: int, row: Mapping[str, Any]) -> Case:
    words = (row["usage"], *row["argv"].split())
    name = f"docopt {number}: {row['argv']!r} of {' '.join(row['usage'].split())[:60]!r}"
    wanted = row["expected"]
    if wanted == "user-error":
        found = re.search(r"usage:.*?(?=\n[ \t]*\n|\Z)", row["usage"], re.I | re.S)
        usage = found.group().strip() if found else ""
        expected = (Exit(code=1), *([Output(text=usage)] if usage else []))
        return Case(name, words, None, expected, lambda seen: seen.code == 1 and usage in seen.all, True, usage)

    text = json.dumps(wanted)
    expected = (Exit(code=0), Json(path="$", relation="is", json=text))
    return Case(
        name, words, None, expected, lambda seen: seen.code == 0 and canonical(lines(seen.output)) == canonical([text])
    )


def canonical(texts: Sequence[str]) -> list[str] | None:
    """JSON values so that equal ones are equal texts: true is not 1, and 1 is 1.0; None if one is no JSON."""
    try:
        return [json.dumps(json.loads(text, parse_float=_number), sort_keys=True) for text in texts]
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> float | int:
    return int(float(text)) if float(text).is_integer() else float(text)


# --- contracts --------------------------------------------------------------------------------------------------


def contract(case: Case, twin: Case) -> Contract:
    """One assertion: another case first, then this one."""
    steps = [spell(step) for one in (twin, case) for step in (StartProgram(command=one.command), *one.expected)]
    assertion = Assertion(
        id="VAL-CASE-001",
        title=case.name,
        behaviour=f"When `{case.command}` is started, then it prints what the case says.",
        negative="the same for another input",
        surface="terminal",
        steps=tuple(steps),
    )
    wrong = about_steps(assertion, ())
    assert not wrong, (case.name, wrong)
    return Contract(title=case.name, assertions=(assertion,), published="`./program`")


def twins(cases: Sequence[Case], agreed: Collection[Case]) -> dict[Case, Case]:
    """For each case the next one that is called otherwise, shows something else, and is known to hold."""
    found: dict[Case, Case] = {}
    for place, case in enumerate(cases):
        others = (one for one in (*cases[place + 1 :], *cases[:place]) if one in agreed)
        found[case] = next(one for one in others if one.words != case.words and one.expected != case.expected)
    return found


# --- programs ---------------------------------------------------------------------------------------------------


def true_program(folder: Path, command: str, docopt: Path | None) -> None:
    """Lays the true program into a folder."""
    if docopt:
        shutil.copytree(docopt, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "docopt_program.py").write_text(DOCOPT_PROGRAM)
    folder.mkdir(exist_ok=True)
    _script(folder / "program", TRUE.format(program=command))


def spoiled_program(folder: Path, true: Path, case: Case, output: str, code: int) -> None:
    """Lays a program into a folder that prints this output for this case, and else what the true one does."""
    shutil.copytree(true, folder)
    (folder / "program").rename(folder / "true-program")
    (folder / "spoiled-for").write_text(" ".join(case.words) + "x")
    (folder / "spoiled-output").write_text(output, newline="")
    _script(folder / "program", SPOILED.format(code=code))


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def tried(folder: Path, case: Case) -> Printed:
    """What the program in a folder prints, in no terminal and with no judge near."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    words = ("timeout", f"{PATIENCE_S}", "sh", "-c", case.command.removesuffix(" 2>/dev/null"))
    ended = subprocess.run(
        words, check=False, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True
    )
    code = None if ended.returncode == 124 else ended.returncode
    return Printed(ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace"), code)


_TOKENS = {
    "number": re.compile(r"\d+"),
    "word": re.compile(r"[A-Za-z]+"),
    "mark": re.compile(r"[\[\]{}\"():,|=-]"),
    "line": re.compile(r"[^\n]+\n?"),
}


def spoiled(text: str, stated: str, chance: random.Random) -> tuple[str, str]:
    """The text with one token of what is stated changed, and what that was."""
    begin = text.index(stated)
    found = {kind: list(token.finditer(stated or text)) for kind, token in _TOKENS.items()}
    kinds = [kind for kind, tokens in found.items() if tokens]
    if not kinds:
        return f"{text}null\n", "a line more"
    kind = chance.choice(kinds)
    one = chance.choice(found[kind])
    old, there = one.group(), begin + one.start()
    new = {"number": _next_number, "word": lambda word: _other_word(word, chance)}.get(kind, lambda _: "")(old)
    return text[:there] + new + text[there + len(old) :], f"{kind} {old!r} is {new!r}"


def _next_number(digits: str) -> str:
    return str(int(digits) + 1)


def _other_word(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    after = chr(ord(word[place]) + 1) if word[place] not in "zZ" else "a"
    return word[:place] + after + word[place + 1 :]


# --- judging ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A case on a program, and what is known of that program."""

    case: Case
    kind: Kind
    folder: Path
    about: str = ""


@dataclass(frozen=True)
class Result:
    trial: Trial
    ruling: Ruling
    seconds: float
    """From the empty sandbox on."""

    @property
    def right(self) -> bool:
        return self.ruling.played.verdict == ("passed" if self.trial.kind == "true" else "failed")

    @property
    def told(self) -> str:
        played = self.ruling.played
        why = f"{played.reason}: {played.detail[-300:]}" if played.reason else "passed"
        return f"{self.trial.case.name}{f' ({self.trial.about})' if self.trial.about else ''}: {why}"


async def judged(trials: Sequence[Trial], twin_of: Mapping[Case, Case], lanes: int) -> list[Result]:
    """Every trial in a sandbox of its own, several beside each other."""
    results: list[Result] = []
    waiting = iter(trials)

    async def work() -> None:
        for trial in waiting:
            began = time.monotonic()
            site = Here(folder=trial.folder, recipe=Recipe(command="", address="http://localhost:8000"))
            (ruling,) = await judge(Bench(start=start, lanes=1), contract(trial.case, twin_of[trial.case]), site)
            results.append(Result(trial, ruling, time.monotonic() - began))

    async with anyio.create_task_group() as tasks:
        for _ in range(lanes):
            tasks.start_soon(work)
    return results


def judge_program(
    name: str, command: str, cases: Sequence[Case], chosen: Sequence[Case], asked: argparse.Namespace
) -> None:
    """All that is asked of one program, printed."""
    with TemporaryDirectory(prefix="bench-programs-") as place:
        true = Path(place) / "true"
        true_program(true, command, asked.docopt if name == "docopt" else None)
        seen = {case: tried(true, case) for case in cases}
        agreed = frozenset(case for case in cases if case.agrees(seen[case]))
        twin_of = twins(cases, agreed)
        trials = [
            *(Trial(case, "true" if case in agreed else "otherwise", true) for case in chosen),
            *_spoiled_trials(Path(place), true, [case for case in chosen if case in agreed], seen, asked.seed),
        ]
        began = time.monotonic()
        results = anyio.run(judged, trials, twin_of, asked.lanes)
        seconds = time.monotonic() - began
    report(name, results, seconds, seen, asked.brief)


def _spoiled_trials(
    place: Path, true: Path, cases: Sequence[Case], seen: Mapping[Case, Printed], seed: int
) -> Iterator[Trial]:
    for number, case in enumerate(cases):
        printed = seen[case]
        text = printed.all if case.error else printed.output
        if case.error and not case.stated:
            continue  # its exit code is all that the data states
        output, about = spoiled(text, case.stated, random.Random(f"{seed} {case.name}"))
        folder = place / f"spoiled-{number}"
        spoiled_program(folder, true, case, output, printed.code or 0)
        yield Trial(case, "spoiled", folder, about)


def report(name: str, results: Sequence[Result], seconds: float, seen: Mapping[Case, Printed], brief: bool) -> None:
    titles: dict[Kind, str] = {
        "true": "true program, passed",
        "spoiled": "one token spoiled, failed",
        "otherwise": "answered otherwise here than in the data, failed",
    }
    print(f"{name}: {len(results)} trials, {seconds:.0f} s", flush=True)
    for kind, title in titles.items():
        ours = [result for result in results if result.trial.kind == kind]
        right = sum(result.right for result in ours)
        share = f"{100 * right / len(ours):.2f}%" if ours else "-"
        print(f"  {title}: {right} of {len(ours)} ({share})")
        for result in ours:
            if not result.right:
                print(f"    {result.told}")
    times = sorted(result.seconds for result in results if result.trial.kind != "otherwise")
    if times:
        late = times[min(len(times) - 1, len(times) * 95 // 100)]
        print(f"  seconds per case: median {statistics.median(times):.2f}, p95 {late:.2f}, longest {times[-1]:.2f}")
    if not brief:
        for result in results:
            if result.trial.kind == "otherwise":
                print(f"  otherwise: {result.trial.case.name} gives {_short(seen[result.trial.case])}")


def _short(printed: Printed) -> str:
    return f"{printed.all.strip()[:100]!r}, {'no end' if printed.code is None else f'exit code {printed.code}'}"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("data", type=Path)
    words.add_argument("--docopt", type=Path, help="the folder in which the package stands")
    words.add_argument("--only", choices=("jq", "docopt"))
    words.add_argument("--lanes", type=int, default=3)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--case", type=int, action="append", default=[], help="only this one, counted from 1")
    words.add_argument("--brief", action="store_true", help="do not name the cases that are answered otherwise")
    asked = words.parse_args()
    programs = {"jq": (shutil.which("jq"), jq_cases), "docopt": (f"{PYTHON} docopt_program.py", docopt_cases)}
    for name, (command, cases_of) in programs.items():
        if asked.only not in (None, name):
            continue
        if not command or (name == "docopt" and not asked.docopt):
            print(f"{name}: left out, {'this machine has no jq' if name == 'jq' else 'for want of --docopt FOLDER'}")
            continue
        cases = cases_of(asked.data)
        chosen = [cases[number - 1] for number in asked.case] if asked.case else cases
        judge_program(name, command, cases, chosen, asked)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(path.read_text(encoding="utf-8"))]


def lines(text: str) -> list[str]:
    """Without empty ones; JSON may hold other ends of lines."""
    return [line for line in text.split("\n") if line.strip()]


if __name__ == "__main__":
    main()
