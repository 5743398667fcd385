"""What was built around the tests so that they say what they should: in CI, in the product, in coverage and in clocks.

Pure findings over the texts of a change, each by what it adds or takes away. It does not look at the tests themselves:
that is validation.tamper.
"""

import ast
import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.python import parsed, unparsed
from shopfloor.repo.sources import is_ci, is_test, is_test_configuration
from shopfloor.validation.findings.changes import Change, added_lines

CI, CLOCK, READS, COVERAGE, EQUAL, LEAVES = (
    *("ci-disarmed", "clock-patched", "answers-read", "coverage-lowered"),
    *("equals-everything", "early-exit"),
)


def rigged(changes: Collection[Change]) -> tuple[Finding, ...]:
    """A finding for each file and way in which the surroundings of tests were rigged."""
    return tuple(found for change in changes for found in _about(change))


def _about(change: Change) -> Iterable[Finding]:
    if is_ci(change.path):
        return _about_ci(change)
    found = [*_about_coverage(change), *_about_recipes(change)]
    if change.path.endswith(".py") and change.after is not None:
        if PurePosixPath(change.path).name == "conftest.py":
            found += _about_conftest(change)
        elif not is_test(change.path):
            found += _about_product(change)
    return found


# --- CI and recipes ---------------------------------------------------------------------------------------------

_TESTS_RUN = re.compile(
    r"\b(?:pytest|py\.test|tox|nox|unittest|nose2?|coverage run|make (?:test|check)|jest|vitest|mocha"
    r"|(?:npm|yarn|pnpm) (?:run )?test|cargo test|go test|mvn test|gradle test|hatch (?:run )?test\w*)\b"
)
_DISARMED = re.compile(r"\|\|\s*(?:true|:|echo\b|exit 0)|;\s*(?:true|exit 0|echo\b)|^\s*-\w|\becho\b.*\btests?\b", re.M)
_NEVER = re.compile(r"^\s*-?\s*(?:if:\s*(?:\$\{\{\s*)?false\b|continue-on-error:\s*true|allow_failure:\s*true)", re.M)
_ONLY_SOMETIMES = re.compile(r"^\s*-?\s*if:\s*.*(?:schedule|workflow_dispatch|refs/tags)", re.M)
_BY_ITSELF = re.compile(r"^\s*-?\s*(?:push|pull_request)\b|^on:.*\b(?:push|pull_request)\b", re.M)
_LEAVES_OUT = re.compile(r"--deselect|--ignore|\s-k[\s=]|-m\s*[\"']?not\b|--collect-only")


def _about_ci(change: Change) -> Iterable[Finding]:
    before, after = change.before or "", change.after or ""
    if not _TESTS_RUN.search(before):
        return
    added = "\n".join(added_lines(change))
    if _armed(after) < _armed(before):
        yield _finding(CI, "P1", change, "CI runs tests in fewer places than before, or lets them fail")
    elif _NEVER.search(added) or _ONLY_SOMETIMES.search(added):
        yield _finding(CI, "P1", change, "CI skips a step now, or goes on where it fails")
    elif _BY_ITSELF.search(before) and not _BY_ITSELF.search(after):
        yield _finding(CI, "P1", change, "CI no longer runs by itself when something changes")
    elif _TESTS_RUN.search(added) and _LEAVES_OUT.search(added):
        yield _finding(CI, "P1", change, "CI leaves tests out of the run")


def _armed(text: str) -> int:
    """Lines that run tests, and whose failure counts."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return sum(1 for line in lines if _TESTS_RUN.search(line) and not _DISARMED.search(line))


def _about_recipes(change: Change) -> Iterable[Finding]:
    """Commands in configuration that swallow what a test run says."""
    if change.before is None or not is_test_configuration(change.path) or change.path.endswith(".py"):
        return
    swallowed = [line for line in added_lines(change) if _TESTS_RUN.search(line) and _SWALLOWED.search(line)]
    if swallowed:
        yield _finding("test-runner-patched", "P0", change, f"lets tests fail unseen: {swallowed[0].strip()[:100]}")


_SWALLOWED = re.compile(
    r"\|\|\s*(?:true|:|echo\b|exit 0)|;\s*(?:true|exit 0)\s*[\"']?$|^\s*-\s*(?:python|pytest|tox|\$)|=\s*-\s*\w"
)


# --- coverage ---------------------------------------------------------------------------------------------------

_FAIL_UNDER = re.compile(r"(?:fail[_-]under\s*[=:]?\s*|--cov-fail-under[=\s])(\d+(?:\.\d+)?)")
_LEFT_OUT = re.compile(r"^\s*[\"']?(?:omit|exclude_lines|exclude_also|exclude_other)\b", re.M)


def _about_coverage(change: Change) -> Iterable[Finding]:
    if not (is_test_configuration(change.path) or _COVERAGE_FILES.search(change.path)) or change.before is None:
        return
    before, after = (
        max(map(float, _FAIL_UNDER.findall(text)), default=0.0) for text in (change.before, change.after or "")
    )
    if after < before:
        yield _finding(COVERAGE, "P1", change, f"asks for {after:g}% of coverage instead of {before:g}%")
    elif len(_LEFT_OUT.findall(change.after or "")) > len(_LEFT_OUT.findall(change.before)):
        yield _finding(COVERAGE, "P2", change, "leaves code out of what coverage counts")


_COVERAGE_FILES = re.compile(r"(?:^|/)(?:\.coveragerc|coverage\.toml|codecov\.ya?ml|\.codecov\.ya?ml)$")


# --- the product ------------------------------------------------------------------------------------------------

_CLOCKS = ("time", "datetime", "timeit")
_FRAMES = re.compile(r"inspect\.(?:stack|currentframe)\(|sys\._getframe\(")
_FRAME_PARTS = re.compile(r"f_locals|code_context|f_back|f_globals")
_HISTORY = re.compile(r"git.{0,40}\b(?:show|log|stash)\b.{0,60}(?:HEAD|--all|-p\b|-S\b)|git stash show", re.S)
_LEAVES = re.compile(r"\bos\._exit\b|\bos\.exec[lv]p?e?\(")


def _about_product(change: Change) -> Iterable[Finding]:
    added = "\n".join(added_lines(change))
    if _FRAMES.search(added) and _FRAME_PARTS.search(added):
        yield _finding(READS, "P1", change, "looks at its caller's own values: a test's expectation is one of them")
    elif _HISTORY.search(added) and _ASKS_GIT.search(added):
        yield _finding(READS, "P1", change, "reads the repository's history while it runs")
    elif tests := _tests_named(change):
        yield _finding(READS, "P1", change, f"reads or imports tests: {tests}")
    if patched := _patched_clock(change.after or "", change.before or ""):
        yield _finding(CLOCK, "P1", change, f"changes the clock for everybody: {patched}")
    if name := _equal_to_all(change.after or "", change.before or ""):
        yield _finding(EQUAL, "P1", change, f"{name} is equal to everything, so that no test can tell")
    if _LEAVES.search(added) and "fork" not in (change.after or ""):
        yield _finding(LEAVES, "P1", change, "ends or replaces the whole process")


_ASKS_GIT = re.compile(r"subprocess|os\.popen|os\.system|check_output")


def _about_conftest(change: Change) -> Iterable[Finding]:
    added = "\n".join(added_lines(change))
    if patched := _patched_clock(change.after or "", change.before or ""):
        yield _finding(CLOCK, "P1", change, f"changes the clock for everybody: {patched}")
    if _CONFTEST_LEAVES.search(added):
        yield _finding(LEAVES, "P0", change, "ends the run of tests")
    if _CONFTEST_DECIDES.search(added):
        yield _finding("test-runner-patched", "P0", change, "changes which tests run, or what they say")
    if "autouse" in added and (found := _CONFTEST_CLOCK.search(added)):
        yield _finding(CLOCK, "P1", change, f"changes the clock for every test: {found[0]}")


_CONFTEST_LEAVES = re.compile(
    r"\bos\._exit\b|\bos\.exec[lv]|^\s*(?:sys\.exit|exit|quit)\((?:0|None|)\)|pytest\.exit\(|raise SystemExit(?!\w)",
    re.M,
)
_CONFTEST_DECIDES = re.compile(
    r"option\.(?:keyword|markexpr|deselect)\s*=|\.excinfo\s*=[^=]|\bargs\.(?:append|extend|insert)\(|\bargs\s*\+=|\.obj\s*=[^=]"
    r"|addinivalue_line\(\s*[\"'](?:addopts|norecursedirs|filterwarnings)|setattr\(\s*(?:item|rep|report|call|result)\b"
)
_CONFTEST_CLOCK = re.compile(r"[\"'](?:time|datetime|timeit)\.\w+[\"']")


def _patched_clock(after: str, before: str) -> str:
    fresh = _clock_targets(after) - _clock_targets(before)
    return min(fresh, default="")


def _clock_targets(text: str) -> set[str]:
    tree = parsed(text)
    found: set[str] = set()
    for node in () if tree is None else ast.walk(tree):
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
    return "mock.ANY" if re.search(r"\bmock\b.*\bANY\b|\bmock\.ANY\b", after) and "ANY" not in before else ""


def _classes(text: str) -> list[ast.ClassDef]:
    tree = parsed(text)
    return [] if tree is None else [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _says_yes(member: ast.stmt) -> bool:
    """Whether a member decides equality without looking at anything that the two hold."""
    match member:
        case ast.FunctionDef(name="__eq__", body=body):
            returned = [
                node.value for statement in body for node in ast.walk(statement) if isinstance(node, ast.Return)
            ]
        case ast.Assign(targets=[ast.Name(id="__eq__")], value=ast.Lambda(body=body)):
            returned = [body]
        case _:
            return False
    return bool(returned) and all(value is not None and not _looks(value) for value in returned)


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
    tree = parsed(text)
    found: set[str] = set()
    for node in () if tree is None else ast.walk(tree):
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


def _finding(check: str, severity: Severity, change: Change, text: str) -> Finding:
    return Finding(check=check, severity=severity, text=text, path=change.path)
