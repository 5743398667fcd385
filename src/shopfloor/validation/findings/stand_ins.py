"""Tests that ask a stand-in of their own making instead of the product. Pure; Python only.

A mock of what is around the thing under test is how tests are written; a mock of the very function whose answer is
asserted says nothing of the product any more.
"""

import ast
import re
from collections.abc import Iterable

from shopfloor.repo.python import read, unparsed
from shopfloor.validation.findings.strength import is_builtin

_MOCKS = ("Mock", "MagicMock", "AsyncMock", "create_autospec", "NonCallableMock")
_MAY_STAND_IN = re.compile(r"Mock|autospec|patch|setattr|lambda|\bdef\b")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def stands_in_for_itself(before: str, after: str) -> list[tuple[str, str]]:
    """Tests that were there before, with what each of them asked and has a stand-in for now."""
    if not any(map(_MAY_STAND_IN.search, set(after.splitlines()) - set(before.splitlines()))):
        return []
    was, now = read(before), read(after)
    for_all = _for_all(now) - _for_all(was)
    asked: dict[str, set[str]] = {}
    stood: dict[str, set[str]] = {}
    for function in _tests(was):
        asked[function.name] = asked.get(function.name, set()) | _asked(function)
        stood[function.name] = stood.get(function.name, set()) | _stand_ins(function)
    found: list[tuple[str, str]] = []
    for function in _tests(now):
        fresh = (_stand_ins(function) - stood.get(function.name, set())) | for_all
        found += [(function.name, name) for name in sorted(fresh & asked.get(function.name, set()))]
    return found


def _tests(tree: ast.Module) -> list[_Function]:
    return [node for node in ast.walk(tree) if isinstance(node, _Function) and node.name.startswith("test")]


def _for_all(tree: ast.Module) -> set[str]:
    """Stand-ins of the whole file: at its top, and in fixtures that are used without being asked for."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, _Function) and not node.name.startswith("test"):
            on = " ".join(map(unparsed, node.decorator_list))
            names |= _stand_ins(node) if "autouse" in on or node.name in ("setup_module", "setup_function") else set()
            names |= set() if "fixture" in on else {node.name}
        else:
            names |= _of_statement(node)
    for node in ast.walk(tree):
        if isinstance(node, _Function) and node.name in ("setUp", "setUpClass", "setup_method"):
            names |= _stand_ins(node)
    return names


def _asked(function: _Function) -> set[str]:
    """What a test calls to get the answers that it asserts: in the assertion, or for a name that stands in it."""
    asserted = [node for node in ast.walk(function) if _asserts(node)]
    names = {name for node in asserted for part in ast.walk(node) if isinstance(part, ast.Name) for name in (part.id,)}
    sources = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id in names for target in node.targets)
    ]
    calls = [part for node in (*asserted, *sources) for part in ast.walk(node) if isinstance(part, ast.Call)]
    called = {unparsed(call.func).rpartition(".")[2] for call in calls}
    return {name for name in called if name and not is_builtin(name)}


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return unparsed(node.func).startswith("self.assert")
    return isinstance(node, ast.Assert)


def _stand_ins(function: _Function) -> set[str]:
    names = {name for decorator in function.decorator_list for name in _patched(decorator)}
    for statement in function.body:
        for node in ast.walk(statement):
            names |= _of_statement(node)
            names |= {node.name} if isinstance(node, _Function) else set()
    return names


def _of_statement(node: ast.AST) -> set[str]:
    match node:
        case ast.Assign(targets=targets, value=value) if isinstance(value, ast.Lambda) or _is_mock(value):
            return {unparsed(target).rpartition(".")[2] for target in targets}
        case ast.Call():
            return set(_patched(node))
        case ast.Expr(value=ast.Call() as call):
            return set(_patched(call))
        case _:
            return set()


def _is_mock(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and unparsed(value.func).rpartition(".")[2] in _MOCKS


def _patched(node: ast.expr) -> Iterable[str]:
    """The own names of what a call to some `patch` or `setattr` replaces."""
    if not isinstance(node, ast.Call):
        return
    how = unparsed(node.func)
    if how.endswith(("patch", "setattr", "patch.object", "patch.multiple")):
        texts = [given.value for given in node.args[:2] if isinstance(given, ast.Constant)]
        yield from (text.rpartition(".")[2] for text in texts if isinstance(text, str))
