"""What was built around the tests so that they say what they should: in CI, in coverage, in the product, in clocks.

Pure findings over the texts of a change, each by what it adds or takes away. It does not look at the tests themselves:
that is `tamper.py`.
"""

import ast
import re
import sys
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.python import read, unparsed
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.changes import Change, added_lines, finding
from shopfloor.validation.findings.ci import disarmed
from shopfloor.validation.findings.coverage import coverage_lowered
from shopfloor.validation.findings.strength import all_words

CLOCK, READS, EQUAL, LEAVES = "clock-patched", "answers-read", "equals-everything", "early-exit"
STAND_IN = "stand-in-for-all"


def rigged(changes: Collection[Change], *, by_contract: bool = True) -> tuple[Finding, ...]:
    """A finding for each file and way in which the surroundings of tests were rigged.

    Where no contract says what may change, it is told and refuses nothing that code is left out of coverage, or that
    all tests get a stand-in for a part of the product.
    """
    told: Severity = "P1" if by_contract else "P2"
    return (*disarmed(changes), *(found for change in changes for found in _about(change, told)))


def _about(change: Change, told: Severity) -> Iterable[Finding]:
    found = [*coverage_lowered(change, told)]
    if change.path.endswith(".py") and change.after is not None:
        if PurePosixPath(change.path).name == "conftest.py":
            found += _about_conftest(change, told)
        elif not is_test(change.path):
            found += _about_product(change)
    return found


# --- the product ------------------------------------------------------------------------------------------------

_CLOCKS = ("time", "datetime", "timeit")
_FRAMES = re.compile(
    r"\b(?:_getframe|_current_frames|currentframe|(?:tb|gi|cr|ag)_frame|getouterframes|getinnerframes)\b"
    r"|\b(?:extract|walk|format)_stack\b|\bstack\(\)"
)
_FRAME_PARTS = re.compile(r"\b(?:f_locals|f_back|f_globals|f_code|f_lineno|code_context|co_\w+)\b|\.line\b|_stack\(")
_HISTORY = re.compile(r"git.{0,40}\b(?:show|log|stash)\b.{0,60}(?:HEAD|--all|-p\b|-S\b)|git stash show", re.S)
_LEAVES = re.compile(r"\bos\._exit\b|\bos\.exec[lv]p?e?\(")


def _about_product(change: Change) -> Iterable[Finding]:
    added = "\n".join(added_lines(change))
    if _FRAMES.search(added) and _FRAME_PARTS.search(added):
        yield finding(READS, "P1", change, "looks at its caller's own values: a test's expectation is one of them")
    elif _HISTORY.search(added) and _ASKS_GIT.search(added):
        yield finding(READS, "P1", change, "reads the repository's history while it runs")
    elif tests := _tests_named(change):
        yield finding(READS, "P1", change, f"reads or imports tests: {tests}")
    if patched := _patched_clock(change.after or "", change.before or ""):
        yield finding(CLOCK, "P1", change, f"changes the clock for everybody: {patched}")
    if name := _equal_to_all(change.after or "", change.before or ""):
        yield finding(EQUAL, "P1", change, f"{name} is equal to everything, so that no test can tell")
    if _LEAVES.search(added) and "fork" not in (change.after or ""):
        yield finding(LEAVES, "P1", change, "ends or replaces the whole process")


_ASKS_GIT = re.compile(r"subprocess|os\.popen|os\.system|check_output")


def _about_conftest(change: Change, told: Severity) -> Iterable[Finding]:
    added = "\n".join(added_lines(change))
    if patched := _patched_clock(change.after or "", change.before or ""):
        yield finding(CLOCK, "P1", change, f"changes the clock for everybody: {patched}")
    if _CONFTEST_LEAVES.search(added):
        yield finding(LEAVES, "P0", change, "ends the run of tests")
    if _CONFTEST_DECIDES.search(added):
        yield finding("test-runner-patched", "P0", change, "changes which tests run, or what they say")
    if "autouse" in added and (found := _CONFTEST_CLOCK.search(added)):
        yield finding(CLOCK, "P1", change, f"changes the clock for every test: {found[0]}")
    if replaced := sorted(_replaced_for_all(change.after or "") - _replaced_for_all(change.before or "")):
        yield finding(STAND_IN, told, change, f"every test gets a stand-in for {replaced[0]}")


_CONFTEST_LEAVES = re.compile(
    r"\bos\._exit\b|\bos\.exec[lv]|^\s*(?:sys\.exit|exit|quit)\((?:0|None|)\)|pytest\.exit\(|raise SystemExit(?!\w)",
    re.M,
)
_CONFTEST_DECIDES = re.compile(
    r"option\.(?:keyword|markexpr|deselect)\s*=|\.excinfo\s*=[^=]|\bargs\.(?:append|extend|insert)\(|\bargs\s*\+=|\.obj\s*=[^=]"
    r"|addinivalue_line\(\s*[\"'](?:addopts|norecursedirs|filterwarnings)|setattr\(\s*(?:item|rep|report|call|result)\b"
)
_CONFTEST_CLOCK = re.compile(r"[\"'](?:time|datetime|timeit)\.\w+[\"']|\b(?:freeze_time|time_machine\.travel)\(")


def _replaced_for_all(text: str) -> set[str]:
    """What fixtures that nobody asks for put something else in the place of, by its dotted name."""
    if "autouse" not in text:
        return set()
    functions = [node for node in ast.walk(read(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    unasked = [node for node in functions if any("autouse" in unparsed(one) for one in node.decorator_list)]
    calls = [one for node in unasked for one in ast.walk(node) if isinstance(one, ast.Call)]
    return {
        found for call in calls if (found := _replaced(call)) and found.split(".")[0] not in sys.stdlib_module_names
    }


def _replaced(call: ast.Call) -> str:
    match call:
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _REPLACES.search(unparsed(func)):
            return name if "." in name else ""
        case ast.Call(func=func, args=[place, ast.Constant(value=str(name)), _, *_]) if _REPLACES.search(
            unparsed(func)
        ):
            return f"{unparsed(place)}.{name}"
        case _:
            return ""


_REPLACES = re.compile(r"(?:^|\.)(?:setattr|patch|patch\.object)$")


def _patched_clock(after: str, before: str) -> str:
    fresh = _clock_targets(after) - _clock_targets(before)
    return min(fresh, default="")


def _clock_targets(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(read(text)):
        match node:
            case ast.Assign(targets=targets):
                found |= {unparsed(one) for one in targets if isinstance(one, ast.Attribute) and _is_clock(one.value)}
            case ast.Call(func=ast.Name(id="setattr"), args=[module, ast.Constant(value=str(name)), *_]) if _is_clock(
                module
            ):
                found.add(f"{unparsed(module)}.{name}")
            case _:
                pass
    return found


def _is_clock(node: ast.expr) -> bool:
    return unparsed(node) in _CLOCKS


def _equal_to_all(after: str, before: str) -> str:
    known = {unparsed(node) for node in _classes(before)}
    for node in _classes(after):
        if unparsed(node) not in known and any(map(_says_yes, node.body)):
            return node.name
    return "mock.ANY" if _speaks_of_any(after) and not _speaks_of_any(before) else ""


def _speaks_of_any(text: str) -> bool:
    if "ANY" not in text:
        return False
    tree = read(text)
    mocked = any("mock" in unparsed(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return mocked and "ANY" in all_words(tree)


def _classes(text: str) -> list[ast.ClassDef]:
    return [node for node in ast.walk(read(text)) if isinstance(node, ast.ClassDef)]


def _says_yes(member: ast.stmt) -> bool:
    """Whether a member decides equality without looking at anything that the two hold."""
    match member:
        case ast.FunctionDef(name="__eq__", body=body, args=ast.arguments(args=[_, other])):
            if not any(isinstance(node, ast.Name) and node.id == other.arg for one in body for node in ast.walk(one)):
                return not any(isinstance(node, ast.Raise) for one in body for node in ast.walk(one)) and _agrees(body)
            returned = [
                node.value for statement in body for node in ast.walk(statement) if isinstance(node, ast.Return)
            ]
        case ast.Assign(targets=[ast.Name(id="__eq__")], value=ast.Lambda(body=body)):
            returned = [body]
        case _:
            return False
    return bool(returned) and all(value is not None and not _looks(value) for value in returned)


def _agrees(body: list[ast.stmt]) -> bool:
    """Whether it says yes, as far as a constant tells."""
    returned = [node.value for one in body for node in ast.walk(one) if isinstance(node, ast.Return)]
    no = ("False", "NotImplemented", "None", "0")
    return bool(returned) and all(value is not None and unparsed(value) not in no for value in returned)


def _looks(value: ast.expr) -> bool:
    """Whether an answer hangs on what the two hold, or is left to somebody else."""
    text = unparsed(value)
    if isinstance(value, ast.Constant):
        return value.value is not True
    return not re.fullmatch(
        r"isinstance\(\w+, (?:object|int|str|float|dict|list)\)|not self != \w+|not self\.__ne__\(\w+\)", text
    )


def _tests_named(change: Change) -> str:
    """A test that a source imports, or names as a file, and did not before."""
    fresh = _mentions(change.after or "") - _mentions(change.before or "")
    return min(fresh, default="")


def _mentions(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(read(text)):
        match node:
            case ast.ImportFrom(module=str(module), level=0):
                found |= {module} if _is_test_module(module) else set()
            case ast.Import(names=names):
                found |= {one.name for one in names if _is_test_module(one.name)}
            case ast.Constant(value=str(value)) if (
                len(value) < 200 and value.endswith((".py", ".json")) and is_test(value)
            ):
                found.add(value)
            case _:
                pass
    return found


def _is_test_module(name: str) -> bool:
    return any(
        part in ("tests", "test") or part.startswith("test_") or part.endswith("_test") for part in name.split(".")[-2:]
    )
