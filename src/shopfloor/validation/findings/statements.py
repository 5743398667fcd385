"""Which statements of the product a change brings or touches: those of which a test run can tell something.

Python only. What does nothing when it is run is no statement here: docstrings, imports, annotations, definitions
themselves, what only a type checker reads. It does not know which of them any test reaches. Pure.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from shopfloor.repo.python import parsed, unparsed
from shopfloor.repo.sources import is_generated, is_test, is_test_configuration
from shopfloor.validation.findings.changes import Change

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Statement:
    """A statement, or the head of one that holds others, and the function that it stands in ("" for none)."""

    node: ast.stmt
    function: str

    @property
    def line(self) -> int:
        return self.node.lineno

    @property
    def end(self) -> int:
        """The last line of a simple statement, or of a head."""
        return max((part.end_lineno or part.lineno for part in heads(self.node)), default=self.line)


def changed_statements(change: Change) -> tuple[Statement, ...]:
    """Those on lines that are not as they were, in order; none of tests, and none of a file that cannot be read."""
    tree = None if change.after is None or not is_product_source(change.path) else parsed(change.after)
    if tree is None or change.after is None:
        return ()
    lines = _source_lines(change.after)
    touched = _touched(_source_lines(change.before or ""), lines)
    return tuple(
        statement
        for statement in _statements(tree.body, "")
        if not touched.isdisjoint(range(statement.line, statement.end + 1))
        and _UNCOVERED not in lines[statement.line - 1]
    )


def is_product_source(path: str) -> bool:
    """Whether a file is Python that somebody wrote and that does the work."""
    return path.endswith(".py") and not (is_test(path) or is_test_configuration(path) or is_generated(path))


def heads(node: ast.stmt) -> list[ast.stmt] | list[ast.expr]:
    """What of a statement is its own: the expressions of its head if it holds others, else all of it."""
    match node:
        case ast.If(test=test) | ast.While(test=test):
            return [test]
        case ast.For(iter=iterated) | ast.AsyncFor(iter=iterated):
            return [iterated]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return [item.context_expr for item in items]
        case ast.Match(subject=subject):
            return [subject]
        case ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments):
            return [*arguments.defaults, *(value for value in arguments.kw_defaults if value is not None)]
        case _:
            return [node]


_UNCOVERED = "pragma: no cover"
_SILENT = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass, ast.ClassDef, ast.Try, ast.TryStar)
"""They do nothing of their own that a test could see; what stands in them may."""


def _source_lines(text: str) -> list[str]:
    """Lines as the parser counts them: a form feed in one ends none."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _touched(before: list[str], after: list[str]) -> set[int]:
    matched = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return {line + 1 for tag, _, _, start, end in matched if tag != "equal" for line in range(start, end)}


def _statements(body: list[ast.stmt], function: str) -> Iterator[Statement]:
    for node in body:
        if _only_for_types(node):
            yield from _statements(node.orelse if isinstance(node, ast.If) else [], function)
            continue
        if _does_something(node):
            yield Statement(node, function)
        yield from _statements(_inner(node), _within(node, function))


def _inner(node: ast.stmt) -> list[ast.stmt]:
    """The statements that stand in one, in order of appearance."""
    found: list[ast.stmt] = []
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.stmt):
            found.append(part)
        elif isinstance(part, ast.ExceptHandler | ast.match_case):
            found += part.body
    return found


def _within(node: ast.stmt, function: str) -> str:
    return f"{function}.{node.name}".lstrip(".") if isinstance(node, _Function | ast.ClassDef) else function


def _does_something(node: ast.stmt) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return bool(heads(node)) and any(map(_does_something, node.body))
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.AnnAssign(value=None):
            return False
        case ast.Raise(exc=ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError"))):
            return False
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never") | ast.Attribute(attr="assert_never"))):
            return False
        case _:
            return not isinstance(node, _SILENT)


def _only_for_types(node: ast.stmt) -> bool:
    """What only a type checker reads, and what never runs when a module is imported."""
    return isinstance(node, ast.If) and unparsed(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
