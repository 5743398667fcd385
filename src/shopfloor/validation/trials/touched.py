"""Which tests speak of what a change touches, as far as names tell. Pure; Python only."""

import ast
from collections.abc import Collection, Iterable, Mapping

from shopfloor.repo.python import parsed, unparsed
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.cases import Unreadable
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.reading import cases


def of_what_it_touches(failed: Iterable[str], tests: Mapping[str, bytes], changes: Collection[Change]) -> list[str]:
    """Those of the tests (by their own names) that mention a function or class which the change brings or changes."""
    touched = {name for change in changes if change.path.endswith(".py") for name in _touched(change)}
    speaking: set[str] = set()
    for path, content in tests.items():
        found = cases(path, content.decode(errors="replace")) if path.endswith(".py") else ()
        for case in () if isinstance(found, Unreadable) else found:
            if not touched.isdisjoint(case.words):
                speaking.add(case.name.rpartition(".")[2])
    return [name for name in failed if name in speaking]


def _touched(change: Change) -> set[str]:
    if is_test(change.path) or change.after is None:
        return set()
    before, after = _definitions(change.before or ""), _definitions(change.after)
    return {name for name, text in after.items() if before.get(name) != text}


def _definitions(text: str) -> dict[str, str]:
    tree = parsed(text)
    nodes = [] if tree is None else list(ast.walk(tree))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: unparsed(node) for node in nodes if isinstance(node, kinds)}
