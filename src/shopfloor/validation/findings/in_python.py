"""The tests that a Python file holds, and what each of them asserts under which conditions.

What never runs, or fails where nobody sees it, asserts less. It does not know which changes are allowed.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from shopfloor.repo.python import unparsed
from shopfloor.validation.findings.cases import Case
from shopfloor.validation.findings.strength import Statement, all_words
from shopfloor.validation.findings.tables import Tables, gone_through, rows_of, tables_of

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LEAVES = ast.Return | ast.Break | ast.Continue
_NO_TESTS = ("fixture", "property", "cached_property", "contextmanager")


def cases_in(tree: ast.Module, swallowing: Collection[str] = ()) -> tuple[Case, ...]:
    """In order of appearance; of two with one name only the last, which is the one that runs."""
    context = _Context(
        tables=tables_of(tree.body),
        helpers=_asserting_helpers(tree),
        swallowing={*swallowing, *swallowers(tree)},
        bases={unparsed(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases},
    )
    found: dict[str, Case] = {}
    _collect(tree.body, "", found, context, collected=True)
    return tuple(found.values())


def swallowers(tree: ast.Module) -> set[str]:
    """Functions after whose kind a test can be wrapped so that its failure is not seen."""
    functions = (node for node in ast.walk(tree) if isinstance(node, _Function) and not node.name.startswith("test"))
    return {node.name for node in functions if _swallows(node) and _wraps(node)}


def _wraps(node: _Function) -> bool:
    """Whether it is a decorator, or a context manager, by what it holds."""
    inside = [one for statement in node.body for one in ast.walk(statement)]
    given = {argument.arg for argument in node.args.args}
    called = {one.func.id for one in inside if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)}
    return any(isinstance(one, ast.Yield) for one in inside) or bool(
        any(isinstance(one, _Function | ast.Lambda) for one in inside) and given & called
    )


def _swallows(node: _Function) -> bool:
    for one in ast.walk(node):
        if isinstance(one, ast.Try):
            for handler in one.handlers:
                caught = unparsed(handler.type) if handler.type else "Exception"
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
                if not raises and any(name in caught for name in ("AssertionError", "Exception")):
                    return True
        elif isinstance(one, ast.With) and any("suppress(" in unparsed(item.context_expr) for item in one.items):
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class _Context:
    """What must be known of a file to read one test of it."""

    tables: Tables
    helpers: Collection[str]
    """Functions that assert something for those who call them."""
    swallowing: Collection[str]
    bases: Collection[str] = ()
    """Classes that others are made of."""
    used: Collection[str] = ()
    """Names that the test speaks of."""
    known: dict[str, str] = field(default_factory=dict[str, str])
    """What was asked before, by the name that the answer got."""


def _asserting_helpers(tree: ast.Module) -> set[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, _Function) and not node.name.startswith("test")]
    return {node.name for node in functions if any(map(_claims, ast.walk(node)))}


def _claims(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _called_name(node).startswith("assert"))


def _collect(body: list[ast.stmt], prefix: str, found: dict[str, Case], context: _Context, *, collected: bool) -> None:
    """`collected`: runners look for tests here. In a class they do for its base class's sake, or for its name's."""
    for node in body:
        for name in _bound_anew(node):
            _forget(f"{prefix}{name}", found)
        if isinstance(node, ast.ClassDef):
            _collect(
                node.body,
                f"{prefix}{node.name}.",
                found,
                context,
                collected=collected and _is_suite(node, context.bases),
            )
        elif isinstance(node, _Function):
            name = f"{prefix}{node.name}"
            found[name] = Case(
                name=name,
                asserted=_asserted(node, context),
                is_test=collected and _is_test(node),
                words=all_words(node) - {node.name},
            )


def _bound_anew(node: ast.stmt) -> Iterator[str]:
    """Names of which another thing is made here, or none."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            yield from (unparsed(target) for target in targets)
        case ast.ImportFrom(names=names):
            yield from (one.asname or one.name for one in names)
        case _:
            pass


def _forget(name: str, found: dict[str, Case]) -> None:
    for known in [one for one in found if one == name or one.startswith(f"{name}.")]:
        del found[known]


def _is_suite(node: ast.ClassDef, bases_here: Collection[str]) -> bool:
    """Whether runners look into a class, or into one made of it: pytest into none that is made in a way of its own."""
    bases = " ".join(map(unparsed, node.bases))
    made = any(isinstance(one, _Function) and one.name in ("__init__", "__new__") for one in node.body)
    is_one = bool(bases) or node.name.startswith("Test") or node.name in bases_here
    return is_one and not (made and "Test" not in bases)


def _is_test(node: _Function) -> bool:
    decorators = [unparsed(one).partition("(")[0].rpartition(".")[2] for one in node.decorator_list]
    return node.name.startswith("test") and not any(one in _NO_TESTS for one in decorators) and not _yields(node)


def _yields(node: _Function) -> bool:
    """Whether calling it runs nothing of it."""
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(one, _Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(one)
    return False


# --- what is asserted -------------------------------------------------------------------------------------------


def _asserted(node: _Function, context: _Context) -> Counter[Statement]:
    used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    tables = {**context.tables, **tables_of(node.body)}
    inside = _Context(tables=tables, helpers=context.helpers, swallowing=context.swallowing, used=used)
    wrapped = [name for one in node.decorator_list if (name := _called_name(one)) in context.swallowing]
    asserted: Counter[Statement] = Counter()
    _add_asserted(node.body, tuple(f"swallowed by {name}" for name in wrapped), asserted, inside)
    asserted.update(_rows(node, inside))
    return asserted


def _rows(node: _Function, context: _Context) -> Iterator[Statement]:
    """The cases that a test is run for, and the rows that it goes through."""
    places = [*gone_through(node.body)] if any(_asserts(one, context) for one in _statements(node)) else []
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[_, given, *_]):
                places.append(given)
            case ast.Call(func=ast.Attribute(attr="parametrize"), keywords=keywords):
                places += (one.value for one in keywords if one.arg == "argvalues")
            case _:
                pass
    for place in places:
        yield from (Statement(text=row, is_row=True) for row in rows_of(place, context.tables) or ())


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    return (one for one in ast.walk(node) if isinstance(one, ast.stmt))


def _add_asserted(
    body: list[ast.stmt], under: tuple[str, ...], asserted: Counter[Statement], context: _Context
) -> None:
    """Asserting statements, with the conditions they stand under: one that is never reached asserts nothing."""
    for place, node in enumerate(body):
        if _asserts(node, context):
            asserted[Statement(text=_said(node, context.known), under=under)] += 1
        context.known.update(_answers(node))
        for header, inner in _blocks(node, context):
            _add_asserted(inner, (*under, header) if header else under, asserted, context)
        if isinstance(node, _LEAVES | ast.Raise) and place < len(body) - 1:
            return
        if isinstance(node, ast.If) and any(isinstance(inner, _LEAVES) for inner in node.body):
            under = (*under, f"if not {unparsed(node.test)}")


def _answers(node: ast.stmt) -> Mapping[str, str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            calls = any(isinstance(one, ast.Call) for one in ast.walk(value))
            return {name: unparsed(value)} if calls else {}
        case _:
            return {}


def _said(node: ast.stmt, known: Mapping[str, str]) -> str:
    """What a statement asserts; where it compares a thing with itself under another name, with itself."""
    match node:
        case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="assertEqual"), args=[left, right])):
            pass
        case _:
            return unparsed(node)
    one, other = (known.get(text, text) for text in map(unparsed, (left, right)))
    return f"assert {one} == {one}" if one == other and "(" in one else unparsed(node)


def _blocks(node: ast.stmt, context: _Context) -> list[tuple[str, list[ast.stmt]]]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            return [(f"if {unparsed(test)}", body), (f"if not {unparsed(test)}", orelse)]
        case ast.While(test=test, body=body):
            return [(f"while {unparsed(test)}", body)]
        case ast.For(target=target, iter=iterated, body=body) | ast.AsyncFor(target=target, iter=iterated, body=body):
            rows = rows_of(iterated, context.tables)
            through = unparsed(iterated) if rows is None else "rows" if rows else "()"
            return [(f"for {unparsed(target)} in {through}", body)]
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            header = "try" if handlers else ""
            caught = [("except", handler.body) for handler in handlers]
            return [(header, body), *caught, (header, orelse), ("", final)]
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            held = [item.context_expr for item in items]
            quiet = [one for one in held if "suppress(" in unparsed(one) or _called_name(one) in context.swallowing]
            return [(f"swallowed by {unparsed(quiet[0])}" if quiet else "", body)]
        case ast.Match(cases=cases):
            return [(f"case {unparsed(case.pattern)}", case.body) for case in cases]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            called = name in context.used or node.decorator_list
            return [("" if called else f"never called: {name}", node.body)]
        case _:
            return []


def _asserts(node: ast.stmt, context: _Context) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return any("aises" in unparsed(item.context_expr) for item in items)
        case ast.Expr(value=ast.Call() as call) | ast.Expr(value=ast.Await(value=ast.Call() as call)):
            name = _called_name(call)
            return name.lstrip("_").startswith(("assert", "fail", "expect", "raises")) or name in context.helpers
        case _:
            return False


def _called_name(node: ast.expr) -> str:
    """The own name of what is called, or named."""
    match node:
        case ast.Call(func=function):
            return _called_name(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
