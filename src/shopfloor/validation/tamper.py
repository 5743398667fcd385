"""Was the measuring changed instead of the work? Pure findings over what a change did to tests and their set-up.

Restoring the base's tests at judging makes tampering useless; this names it, so that the verdict says what was tried.
It does not know why a test was changed: a contract that wants one changed lists it under `supersedes`.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection

from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.sources import is_test, is_test_configuration

DELETED = "tests-deleted"
WEAKENED = "tests-weakened"
SKIPPED = "tests-skipped"
RUNNER = "test-runner-patched"
EXIT = "early-exit"
SERVICES = "services-changed"

_OUTCOME_HOOKS = re.compile(
    r"pytest_(?:runtest_\w+|pyfunc_call|collection_modifyitems|collection_finish|sessionfinish|exception_interact"
    r"|report_\w+|ignore_collect|unconfigure)"
    r"|hookwrapper|wasxfail|\.outcome\s*=|exitstatus|os\._exit|sys\.exit|SystemExit"
    r"|\bTestCase\.\w+\s*=|setattr\(\s*(?:unittest|TestCase)|__eq__\s*="
)
_CONFIG_NARROWS = re.compile(
    r"^\+.*(?:--deselect|--ignore|-k\s|-p\s+no:|norecursedirs|collect_ignore|--exitfirst|--co\b|testPathIgnore|xfail_strict\s*=\s*false)",
    re.MULTILINE,
)
_SHADOWED = re.compile(
    r"^(?:.*/)?(?:pytest|unittest|_pytest|nose2?|doctest|sitecustomize|usercustomize)(?:\.py|/__init__\.py)$"
)
_SKIP = re.compile(
    r"@(?:pytest\.mark\.|unittest\.)(?:skip|xfail|expectedFailure)|\bpytest\.(?:skip|xfail)\(|\bself\.skipTest\("
    r"|\b(?:it|test|describe)\.(?:skip|todo)\b|\bxit\(|\bxdescribe\(|\bt\.Skip\(|#\[ignore"
)
_ASSERTS = re.compile(r"\bassert|\bexpect\s*\(|\bt\.(?:Error|Fatal)|\bself\.assert|\bself\.fail|\bpanic!|\bshould\b")
_LEAVES_EARLY = re.compile(
    r"^\s*(?:os\._exit\(|sys\.exit\(0?\)|raise SystemExit|process\.exit\(0?\)|quit\(\)|exit\(0?\))", re.M
)
_GUARDED_MAIN = re.compile(r"^if __name__ == ", re.M)


class Change(Fact):
    """One file of a change: its text before and after, None where it does not exist (or is no text)."""

    path: str
    before: str | None
    after: str | None


def findings(changes: Collection[Change], supersedes: Collection[str] = ()) -> tuple[Finding, ...]:
    """What this change did to the measuring. P0 refuses; P3 only tells."""
    found: list[Finding] = []
    for change in changes:
        if change.path in supersedes:
            continue
        if _SHADOWED.match(change.path) and change.before is None:
            found.append(_finding(RUNNER, "P0", change, "takes the place of a module that runs the tests"))
        elif is_test_configuration(change.path):
            found += _about_configuration(change)
        elif is_test(change.path) and change.before is not None:
            found += _about_test(change, change.before)
        elif change.after is not None:
            found += _about_source(change)
        if change.path.endswith("services.toml") and change.before != change.after:
            found.append(_finding(SERVICES, "P2", change, "configures judging; judges go on using the base's version"))
    return tuple(found)


def _about_configuration(change: Change) -> list[Finding]:
    if change.after is None:
        return [_finding(RUNNER, "P1", change, "test configuration was deleted")]
    added = _added(change)
    if _OUTCOME_HOOKS.search(added):
        return [_finding(RUNNER, "P0", change, "changes the outcome of tests")]
    if _CONFIG_NARROWS.search(added):
        return [_finding(RUNNER, "P1", change, "leaves tests out of the run")]
    return [_finding(RUNNER, "P3", change, "test configuration was changed")]


def _about_test(change: Change, before: str) -> list[Finding]:
    if change.after is None:
        return [_finding(DELETED, "P0", change, "a test file that was there before is gone")]
    if change.after == before:
        return []
    found: list[Finding] = []
    lost = _lost_tests(change.path, before, change.after)
    if lost:
        found.append(_finding(DELETED, "P0", change, f"tests are gone: {', '.join(sorted(lost)[:5])}"))
    weaker = _weakened(change.path, before, change.after)
    if weaker:
        found.append(_finding(WEAKENED, "P0", change, f"assertions were changed or removed: {weaker}"))
    if len(_SKIP.findall(change.after)) > len(_SKIP.findall(before)):
        found.append(_finding(SKIPPED, "P0", change, "tests that ran before are skipped"))
    return found


def _about_source(change: Change) -> list[Finding]:
    """An exit at the top level of a module ends the test run with success before a test has run."""
    assert change.after is not None
    text = change.after
    if not change.path.endswith(".py"):
        return []
    before = change.before or ""
    main = _GUARDED_MAIN.search(text)
    for match in _LEAVES_EARLY.finditer(text, 0, main.start() if main else len(text)):
        line = match.group(0).strip()
        if _at_top_level(text, match.start()) and line not in before:
            return [_finding(EXIT, "P0", change, f"ends the whole process when imported: {line}")]
    return []


def _at_top_level(text: str, start: int) -> bool:
    line_start = text.rfind("\n", 0, start) + 1
    line = text[line_start:].lstrip("\n")
    return not line.startswith((" ", "\t"))


def _added(change: Change) -> str:
    before = Counter((change.before or "").splitlines())
    lines: list[str] = []
    for line in (change.after or "").splitlines():
        if before[line] > 0:
            before[line] -= 1
        else:
            lines.append("+" + line)
    return "\n".join(lines)


def _lost_tests(path: str, before: str, after: str) -> set[str]:
    was, now = _test_bodies(path, before), _test_bodies(path, after)
    if was is None or now is None:
        return set()
    return set(was) - set(now)


def _weakened(path: str, before: str, after: str) -> str:
    """The first assertion that a test lost, "" if none did."""
    was, now = _test_bodies(path, before), _test_bodies(path, after)
    if was is None:
        gone = len(_ASSERTS.findall(before)) - len(_ASSERTS.findall(after))
        return f"{gone} fewer" if gone > 0 else ""
    if now is None:
        return "the file can no longer be parsed"
    for name, asserts in was.items():
        missing = asserts - now.get(name, asserts)
        if missing:
            return f"{name}: {next(iter(missing))[:120]}"
    return ""


def _test_bodies(path: str, text: str) -> dict[str, Counter[str]] | None:
    """Each Python test by its qualified name, with its asserting statements; None for other languages."""
    if not path.endswith(".py"):
        return None
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    found: dict[str, Counter[str]] = {}
    _collect(tree, "", found)
    return found


def _collect(node: ast.AST, prefix: str, found: dict[str, Counter[str]]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            _collect(child, f"{prefix}{child.name}.", found)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test"):
            found[f"{prefix}{child.name}"] = Counter(
                ast.unparse(statement) for statement in ast.walk(child) if _asserts(statement)
            )


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.With):
        return any("aises" in ast.unparse(item.context_expr) for item in node.items)
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr.startswith(("assert", "fail"))
    )


def _finding(check: str, severity: Severity, change: Change, text: str) -> Finding:
    return Finding(check=check, severity=severity, text=text, path=change.path)
