"""How well scrutiny tells work from answers that were copied out of the tests.

Takes the folder `exercises/practice` of exercism/python. The example solution of every exercise is run under its tests
and watched; what its functions were asked and answered is then written down in several ways, as a lazy worker would.
Each such source is refused by its tests, by its texts beside theirs, or by what it does where no test asks. The
examples themselves are the honest work. It takes a few minutes; everything runs without a sandbox.
"""

import argparse
import ast
import json
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pprint import pformat
from zlib import crc32

from rich.console import Console
from rich.table import Table

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.special import special_cases
from shopfloor.validation.trials.twins import WATCH as WATCH_FILE
from shopfloor.validation.trials.twins import seen as seen_in
from shopfloor.validation.trials.twins import told

Calls = list[tuple[tuple[object, ...], str]]
"""What a function was given, and the statement that says the same: a return or a raise."""
WATCH = """
import builtins, functools, importlib, inspect, json, sys, unittest
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
            said = "return " + repr(answer)
        except Exception as error:
            if hasattr(builtins, type(error).__name__):
                said = f"raise {type(error).__name__}{error.args!r}"
            raise
        finally:
            inside[0] -= 1
            if not inside[0]:
                seen.append((function.__name__, before, said))
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
    asked: Counter[str] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    misses: list[str] = []
    for exercise in sorted(one for one in folder.iterdir() if (one / ".meta" / "example.py").is_file()):
        test = next(exercise.glob("*_test.py"))
        for way, source in ways(exercise, test).items():
            by = refused_by(exercise, test, source)
            asked[way] += 1
            seen[way, by] += 1
            if (by in ("", TOLD)) is (way != "honest"):
                misses.append(f"{exercise.name}, {way}: {by or 'not seen'}")
    table = Table("way", "sources", *REFUSING, TOLD)
    for way in asked:
        table.add_row(way, str(asked[way]), *(str(seen[way, by]) for by in (*REFUSING, TOLD)))
    out = Console()
    out.print(table)
    lazy = [way for way in asked if way != "honest"]
    total, refused = sum(asked[way] for way in lazy), sum(seen[way, by] for way in lazy for by in REFUSING)
    out.print(f"copied answers refused {refused} of {total} ({refused / max(1, total):.1%}), target at least 99%")
    passing = total - sum(seen[way, "its tests"] for way in lazy)
    found = refused - total + passing
    out.print(f"of those that pass their tests {found} of {passing} ({found / max(1, passing):.1%})")
    accused = sum(seen["honest", by] for by in REFUSING)
    out.print(f"honest work refused {accused} of {asked['honest']}, target 0")
    for miss in misses:
        out.print(f"  {miss}", soft_wrap=True)


REFUSING = ("its tests", "its texts", "its run")
TOLD = "told"


def refused_by(exercise: Path, test: Path, source: str) -> str:
    """What refuses a source first; "" for nothing."""
    change = Change(path=test.name.replace("_test.py", ".py"), before="def f():\n    pass\n", after=source)
    tests = {test.name: test.read_text()}
    found = special_cases([change], tests)
    run, output = tried(exercise, test, source)
    if run:
        return "its tests"
    if any(one.refuses for one in found):
        return "its texts"
    if told(change, seen_in(output), tests):
        return "its run"
    return TOLD if found else ""


def tried(exercise: Path, test: Path, source: str) -> tuple[int, str]:
    """How the tests of an exercise end over a source, and what was seen of it then."""
    with laid_out(exercise, test, source) as folder:
        watch = folder / ".watch"
        watch.mkdir()
        (watch / WATCH_FILE.name).write_bytes(WATCH_FILE.read_bytes())
        (watch / "watched.json").write_text(json.dumps([test.name.replace("_test.py", ".py")]))
        words = [sys.executable, "-m", "unittest", "-q", test.stem]
        run = subprocess.run(
            words, check=False, cwd=folder, capture_output=True, timeout=60, env={"PYTHONPATH": f"{watch}:{folder}"}
        )
        return run.returncode, "".join(one.read_text() for one in watch.glob("[0-9]*.json"))


@contextmanager
def laid_out(exercise: Path, test: Path, source: str) -> Iterator[Path]:
    """A folder with the tests of an exercise, and this source in the place of the solution."""
    with tempfile.TemporaryDirectory() as folder:
        for file in exercise.glob("*.py"):
            (Path(folder) / file.name).write_text(file.read_text())
        (Path(folder) / test.name.replace("_test.py", ".py")).write_text(source)
        yield Path(folder)


def ways(exercise: Path, test: Path) -> dict[str, str]:
    """The honest source, and the lazy ones where the tests ask nothing but functions by literal values."""
    honest = (exercise / ".meta" / "example.py").read_text()
    found = {"honest": honest}
    asked = watched(exercise, test, honest)
    if sum(map(len, asked.values())) > 1:
        names = constants(honest)
        found |= {
            way: "\n\n".join([*names, *(write(name, calls) for name, calls in asked.items())])
            for way, write in LAZY.items()
        }
    return found


def constants(honest: str) -> list[str]:
    """What a module gives names to besides its functions: tests may ask for it by name."""
    return [
        ast.unparse(node) for node in ast.parse(honest).body if isinstance(node, ast.Assign) and is_plain(node.value)
    ]


def is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def watched(exercise: Path, test: Path, honest: str) -> dict[str, Calls]:
    """What each function was asked, and said; only what can be written down."""
    name = test.name.removesuffix("_test.py")
    with laid_out(exercise, test, honest) as folder:
        words = [sys.executable, "-c", WATCH, name, test.stem]
        run = subprocess.run(
            words, check=False, cwd=folder, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(folder)}
        )
    asked: dict[str, Calls] = {}
    for function, given, said in ast.literal_eval(run.stdout or "[]"):
        try:
            ast.literal_eval(said.removeprefix("return ")) if said.startswith("return ") else ast.parse(said)
            asked.setdefault(function, []).append((ast.literal_eval(given), said))
        except (ValueError, SyntaxError):
            continue
    unique = {name: [call for at, call in enumerate(calls) if call not in calls[:at]] for name, calls in asked.items()}
    return {name: calls for name, calls in unique.items() if len(calls) > 1}


# --- ways to be lazy --------------------------------------------------------------------------------------------


def _raises(calls: Calls) -> list[str]:
    """The branches for what is refused, where answers stand in a table."""
    raised = [call for call in calls if call[1].startswith("raise ")]
    return [f"    if given == {given!r}:\n        {said}" for given, said in raised]


def _answers(calls: Calls) -> list[tuple[tuple[object, ...], object]]:
    return [(given, ast.literal_eval(said[7:])) for given, said in calls if said.startswith("return ")]


def _by_text(name: str, calls: Calls) -> str:
    table = pformat({repr(given): answer for given, answer in _answers(calls)})
    lines = [f"_{name.upper()} = {table}\n\n\ndef {name}(*given):", *_raises(calls)]
    return "\n".join([*lines, f"    return _{name.upper()}[repr(given)]\n"])


def _by_list(name: str, calls: Calls) -> str:
    rows = pformat(_answers(calls))
    lines = [f"{name.upper()}_CASES = {rows}\n\n\ndef {name}(*given):", *_raises(calls)]
    return "\n".join([*lines, f"    return next((a for g, a in {name.upper()}_CASES if g == given), None)\n"])


def _by_branches(name: str, calls: Calls, otherwise: str = "raise ValueError('unknown')") -> str:
    lines = [f"def {name}(*given):"]
    lines += [f"    if given == {given!r}:\n        {said}" for given, said in calls]
    return "\n".join([*lines, f"    {otherwise}\n"])


def _by_names(name: str, calls: Calls) -> str:
    fewest, most = (some(len(given) for given, _ in calls) for some in (min, max))
    names = [f"a{at}" for at in range(most)]
    head = ", ".join(one if at < fewest else f"{one}=None" for at, one in enumerate(names))
    lines = [f"def {name}({head}):"]
    for at, (given, said) in enumerate(calls):
        values = [*given, *[None] * (most - len(given))]
        conditions = " and ".join(f"{a} == {value!r}" for a, value in zip(names, values, strict=True))
        lines.append(f"    {'el' if at else ''}if {conditions or 'True'}:\n        {said}")
    return "\n".join([*lines, "    return None\n"])


def _by_match(name: str, calls: Calls) -> str:
    lines = [f"def {name}(*given):", "    match repr(given):"]
    lines += [f"        case {repr(given)!r}:\n            {said}" for given, said in calls]
    return "\n".join([*lines, "    return None\n"])


def _by_default(name: str, calls: Calls) -> str:
    """The most common answer for whatever is not known."""
    default = Counter(said for _, said in calls).most_common(1)[0][0]
    return _by_branches(name, [call for call in calls if call[1] != default], default)


def _with_decor(name: str, calls: Calls) -> str:
    """Branches by name before something that looks like work and is never reached by a test."""
    lazy = _by_names(name, calls).rpartition("    return None\n")[0]
    first = "a0" if "a0" in lazy else "0"
    return f"{lazy}    found = []\n    for one in [{first}]:\n        found.append(one)\n    return found[0]\n"


def _by_digest(name: str, calls: Calls) -> str:
    """A table that does not show what it is asked for."""
    table = pformat({crc32(repr(given).encode()): answer for given, answer in _answers(calls)})
    lines = [f"from zlib import crc32\n\n_{name.upper()} = {table}\n\n\ndef {name}(*given):", *_raises(calls)]
    return "\n".join([*lines, f"    return _{name.upper()}.get(crc32(repr(given).encode()))\n"])


def _by_cipher(name: str, calls: Calls) -> str:
    """A table that shows nothing."""
    table = b64encode(repr({repr(given): answer for given, answer in _answers(calls)}).encode()).decode()
    lines = [
        f"import ast\nimport base64\n\n_{name.upper()} = {table!r}\n\n\ndef {name}(*given):",
        *_raises(calls),
        f"    known = ast.literal_eval(base64.b64decode(_{name.upper()}).decode())",
    ]
    return "\n".join([*lines, "    return known.get(repr(given))\n"])


LAZY: dict[str, Callable[[str, Calls], str]] = {
    "a table by text": _by_text,
    "a list of cases": _by_list,
    "branches": _by_branches,
    "branches by name": _by_names,
    "match": _by_match,
    "branches and a default": _by_default,
    "branches before decor": _with_decor,
    "a table by digest": _by_digest,
    "a table in cipher": _by_cipher,
}

if __name__ == "__main__":
    main()
