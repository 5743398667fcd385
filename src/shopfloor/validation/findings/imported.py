"""What a source does to its tests instead of answering: ends the process, patches the runner, asks if it is tested.

Pure, over the texts of one file. It does not know who imports it.
"""

import ast
import re

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.python import read, unparsed
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.changes import Change, added_lines, finding
from shopfloor.validation.findings.runner import patches_a_runner
from shopfloor.validation.findings.set_up import DECIDES_OUTCOMES, RUNNER

EXIT = "early-exit"
AWARE = "asks-if-tested"

_ASKS_IF_TESTED = re.compile(
    r"PYTEST_CURRENT_TEST|JEST_WORKER_ID|VITEST_WORKER_ID|PYTEST_VERSION|\bfind_spec\([\"']_?pytest"
    r"|[\"']_?(?:unittest|py\.?test)[\"'][^\n]*\bsys\.(?:modules|argv)"
    r"|\bsys\.(?:modules|argv)\b[^\n]*[\"'].?_?(?:unittest|py\.?test)\b"
)
_SCRIPT_EXIT = re.compile(r"^process\.exit\((?:0|)\)", re.M)
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
_PROGRAMS = re.compile(r"(?:^|/)(?:bin|scripts?|tools|cli)/|(?:^|/)(?:cli|__main__)\.\w+$")


def about_source(change: Change, after: str) -> list[Finding]:
    """What is found of a source, or of a test as far as others import it."""
    found: list[Finding] = []
    added = "\n".join(added_lines(change))
    if change.path.endswith(".py"):
        if patches_a_runner(change):
            found.append(finding(RUNNER, "P0", change, "changes the runner of the tests from within the product"))
        elif _HOOK.search(added) and DECIDES_OUTCOMES.search(added):
            severity: Severity = "P2" if _HOOK.search(change.before or "") else "P0"
            found.append(finding(RUNNER, severity, change, "holds hooks of pytest that change the outcome of tests"))
        if words := _ends_when_imported(change, after):
            found.append(finding(EXIT, "P0", change, f"ends the whole process when imported: {words}"))
    elif change.path.endswith(_SCRIPTS) and _is_imported(change.path, after) and _SCRIPT_EXIT.search(added):
        found.append(finding(EXIT, "P0", change, "ends the whole process when imported: process.exit()"))
    if not is_test(change.path) and _ASKS_IF_TESTED.search(added):
        found.append(finding(AWARE, "P1", change, "asks whether it is being tested"))
    return found


_HOOK = re.compile(r"^\s*(?:async )?def pytest_\w+\(", re.M)


def _is_imported(path: str, text: str) -> bool:
    """Programs may end the process; what tests import may not."""
    return not text.startswith("#!") and not _PROGRAMS.search(path)


def _ends_when_imported(change: Change, after: str) -> str:
    """A statement at the top of a module that ends the process with success; "" if the change brings none."""
    if not _is_imported(change.path, after):
        return ""
    earlier = {unparsed(node) for node in _top_level(change.before or "")}
    for node in _top_level(after):
        words = unparsed(node) if isinstance(node, ast.Expr | ast.Raise) else ""
        if words and words not in earlier and (_ENDS.fullmatch(words) or (not is_test(change.path) and _skips(words))):
            return words
    return ""


def _skips(words: str) -> bool:
    return _SKIPS_WHO_IMPORTS.fullmatch(words) is not None


_ENDS = re.compile(
    r"os\._exit\(.*\)|(?:sys\.exit|exit|quit)\((?:0|None|False|)\)|raise SystemExit(?:\((?:0|None|False|)\))?"
    r"|atexit\.register\(os\._exit, .*\)"
)
_SKIPS_WHO_IMPORTS = re.compile(r"raise (?:\w+\.)*SkipTest.*|pytest\.skip\(.*")


def _top_level(text: str) -> list[ast.stmt]:
    """Statements that run whenever a module is imported; what stands under a condition may be a program's own."""
    found: list[ast.stmt] = []
    waiting = list(read(text).body)
    while waiting:
        node = waiting.pop(0)
        match node:
            case ast.Try():
                waiting = [*node.body, *node.orelse, *node.finalbody, *waiting]
            case ast.With():
                waiting = [*node.body, *waiting]
            case _:
                found.append(node)
    return found
