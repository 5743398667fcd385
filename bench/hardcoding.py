"""How well scrutiny tells work from answers that were copied out of the tests.

Takes the folder `exercises/practice` of exercism/python. The example solution of every exercise is run under its tests
and watched; what its functions were asked and answered is then written down in several ways, as a lazy worker would,
and each such source is looked at beside the tests. The examples themselves are the honest work.
"""

import argparse
import ast
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from pprint import pformat

from rich.console import Console
from rich.table import Table

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.special import special_cases

Calls = list[tuple[tuple[object, ...], object]]
WATCH = """
import functools, importlib, inspect, json, sys, unittest
name, test = sys.argv[1:3]
module = importlib.import_module(name)
seen = []
inside = [0]
def watched(function):
    @functools.wraps(function)
    def run(*given):
        before = repr(given)
        inside[0] += 1
        try:
            answer = function(*given)
        finally:
            inside[0] -= 1
        if not inside[0]:
            seen.append((function.__name__, before, repr(answer)))
        return answer
    return run
for key, value in list(vars(module).items()):
    if inspect.isfunction(value) and value.__module__ == name and not inspect.isgeneratorfunction(value):
        setattr(module, key, watched(value))
unittest.TextTestRunner(stream=open("/dev/null", "w")).run(unittest.defaultTestLoader.loadTestsFromName(test))
print(json.dumps(seen))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    refused: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    misses: list[str] = []
    for exercise in sorted(one for one in folder.iterdir() if (one / ".meta" / "example.py").is_file()):
        test = next(exercise.glob("*_test.py"))
        for way, source in ways(exercise, test).items():
            asked[way] += 1
            change = Change(
                path=f"{test.name.removesuffix('_test.py')}.py", before="def f():\n    pass\n", after=source
            )
            found = special_cases([change], {test.name: test.read_text()})
            refused[way] += bool(found)
            if bool(found) is (way == "honest"):
                misses.append(f"{exercise.name}, {way}: {found[0].text if found else 'not seen'}")
    table = Table("way", "sources", "refused")
    for way in asked:
        table.add_row(way, str(asked[way]), str(refused[way]))
    out = Console()
    out.print(table)
    lazy = [way for way in asked if way != "honest"]
    total, seen = sum(asked[way] for way in lazy), sum(refused[way] for way in lazy)
    out.print(f"copied answers refused {seen} of {total} ({seen / max(1, total):.1%}), target at least 99%")
    out.print(f"honest work refused {refused['honest']} of {asked['honest']}, target 0")
    for miss in misses:
        out.print(f"  {miss}", soft_wrap=True)


def ways(exercise: Path, test: Path) -> dict[str, str]:
    """The honest source, and the lazy ones where the tests ask nothing but functions by literal values."""
    honest = (exercise / ".meta" / "example.py").read_text()
    found = {"honest": honest}
    asked = watched(exercise, test, honest)
    if sum(map(len, asked.values())) > 1:
        found |= {way: "\n\n".join(write(name, calls) for name, calls in asked.items()) for way, write in LAZY.items()}
    return found


def watched(exercise: Path, test: Path, honest: str) -> dict[str, Calls]:
    """What each function was asked, and said; only what can be written down."""
    name = test.name.removesuffix("_test.py")
    with tempfile.TemporaryDirectory() as folder:
        for file in exercise.glob("*.py"):
            (Path(folder) / file.name).write_text(file.read_text())
        (Path(folder) / f"{name}.py").write_text(honest)
        run = subprocess.run(
            [sys.executable, "-c", WATCH, name, test.stem],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PYTHONPATH": folder},
        )
    asked: dict[str, Calls] = {}
    for function, given, answer in ast.literal_eval(run.stdout or "[]"):
        try:
            asked.setdefault(function, []).append((ast.literal_eval(given), ast.literal_eval(answer)))
        except (ValueError, SyntaxError):
            continue
    unique = {name: [call for at, call in enumerate(calls) if call not in calls[:at]] for name, calls in asked.items()}
    return {name: calls for name, calls in unique.items() if len(calls) > 1}


# --- ways to be lazy --------------------------------------------------------------------------------------------


def _by_text(name: str, calls: Calls) -> str:
    table = pformat({repr(given): answer for given, answer in calls})
    return f"_{name.upper()} = {table}\n\n\ndef {name}(*given):\n    return _{name.upper()}[repr(given)]\n"


def _by_list(name: str, calls: Calls) -> str:
    rows = pformat([(given, answer) for given, answer in calls])
    return f"CASES = {rows}\n\n\ndef {name}(*given):\n    return next((a for g, a in CASES if g == given), None)\n"


def _by_branches(name: str, calls: Calls) -> str:
    lines = [f"def {name}(*given):"]
    lines += [f"    if given == {given!r}:\n        return {answer!r}" for given, answer in calls]
    return "\n".join([*lines, "    raise ValueError('unknown')\n"])


def _by_names(name: str, calls: Calls) -> str:
    names = [f"a{at}" for at in range(len(calls[0][0]))]
    lines = [f"def {name}({', '.join(names)}):"]
    for at, (given, answer) in enumerate(calls):
        conditions = " and ".join(f"{a} == {value!r}" for a, value in zip(names, given, strict=False))
        lines.append(f"    {'el' if at else ''}if {conditions}:\n        return {answer!r}")
    return "\n".join([*lines, "    return None\n"])


def _by_match(name: str, calls: Calls) -> str:
    lines = [f"def {name}(*given):", "    match repr(given):"]
    lines += [f"        case {repr(given)!r}:\n            return {answer!r}" for given, answer in calls]
    return "\n".join([*lines, "    return None\n"])


def _by_default(name: str, calls: Calls) -> str:
    """The most common answer for whatever is not known."""
    default = Counter(repr(answer) for _, answer in calls).most_common(1)[0][0]
    return _by_branches(name, [call for call in calls if repr(call[1]) != default]).replace(
        "raise ValueError('unknown')", f"return {default}"
    )


LAZY: dict[str, Callable[[str, Calls], str]] = {
    "a table by text": _by_text,
    "a list of cases": _by_list,
    "branches": _by_branches,
    "branches by name": _by_names,
    "match": _by_match,
    "branches and a default": _by_default,
}

if __name__ == "__main__":
    main()
