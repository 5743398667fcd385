"""What tests ask of functions by literal values: these inputs, and this answer where it is written out.

It runs nothing, and does not know what a name stands for that the test itself does not assign.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed, unparsed
from shopfloor.validation.findings.constants import Values, as_far_as_it_goes, constants_of, values_of
from shopfloor.validation.findings.strength import is_builtin


class Asked(Fact):
    """A case of a test: the function it is about, all its values, and the answer alone if it is written out."""

    function: str
    values: Values
    answer: Values | None
    unknown: int = 0
    """How many of its values have a name, so that a source may have written them out."""

    @property
    def inputs(self) -> Counter[str]:
        """What is asked, without the answer."""
        return Counter(dict(self.values.counted)) - Counter(dict(self.answer.counted if self.answer else ()))


def cases_of(text: str) -> list[Asked]:
    """The cases of a test file that ask for an answer by literal values."""
    tree = parsed(text)
    functions = [] if tree is None else [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [case for function in functions for case in as_far_as_it_goes(_of_test(function))]


def asked_as(function: str, given: str, answer: str | None) -> Asked:
    """A case that was seen: what a function was given, and what it said, both as Python writes them."""
    inputs, said = (_constants_in(text) for text in (given, answer or ""))
    return Asked(function=function, values=values_of([*inputs, *said]), answer=values_of(said) if answer else None)


def _constants_in(text: str) -> list[object]:
    tree = parsed(text)
    return [] if tree is None else constants_of(tree)


def _of_test(function: ast.FunctionDef) -> Iterator[Asked]:
    assigned = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    rows = _rows(function)
    compared = [sides for node in ast.walk(function) if (sides := _compared(node))]
    for sides in compared:
        yield from _asked(*_unwrapped(*(_resolved(side, assigned) for side in sides)), rows)
    if not compared and "aises" not in unparsed(function):
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and (name := _called(call)) and (inputs := _inputs(call, assigned)):
                yield Asked(function=name, values=values_of(inputs), answer=None)


def _inputs(call: ast.Call, assigned: Mapping[str, ast.expr]) -> list[object]:
    return [value for given in call.args for value in constants_of(_resolved(given, assigned))]


def _asked(asking: ast.expr, answer: ast.expr, rows: Sequence[Sequence[object]]) -> Iterator[Asked]:
    if _called(asking) is None:
        asking, answer = answer, asking
    name = _called(asking)
    if name is None or _called(answer) is not None:
        return
    for row in rows:
        yield Asked(function=name, values=values_of(row), answer=values_of(row[-1:]))
    inputs, given = constants_of(asking), constants_of(answer)
    if rows:
        return
    unknown = _unknown(asking)
    if given or isinstance(answer, ast.List | ast.Tuple | ast.Dict):
        yield Asked(function=name, values=values_of([*inputs, *given]), answer=values_of(given), unknown=unknown)
    elif inputs:
        yield Asked(function=name, values=values_of(inputs), answer=None, unknown=unknown)


def _unknown(asking: ast.expr) -> int:
    """How many arguments are names."""
    calls = [node for node in ast.walk(asking) if isinstance(node, ast.Call)]
    return sum(isinstance(given, ast.Name | ast.Attribute) for call in calls for given in call.args)


def _unwrapped(one: ast.expr, other: ast.expr) -> tuple[ast.expr, ast.expr]:
    """Both sides without what is done to both before they are compared."""
    match one, other:
        case ast.Call(args=[inner]), ast.Call(args=[beside]) if unparsed(one.func) == unparsed(other.func):
            return _unwrapped(inner, beside)
        case _:
            return one, other


def _rows(function: ast.FunctionDef) -> list[list[object]]:
    """The rows that a test is run for: a decorator's, or those of a loop over literals."""
    lists = [
        decorator.args[1]
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and len(decorator.args) > 1 and "parametrize" in unparsed(decorator.func)
    ]
    lists += [node.iter for node in ast.walk(function) if isinstance(node, ast.For)]
    found = [one.elts for one in lists if isinstance(one, ast.List | ast.Tuple)]
    return [constants_of(row) for rows in found for row in rows]


def _compared(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    match node:
        case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right])):
            return left, right
        case ast.Assert(test=ast.UnaryOp(op=ast.Not(), operand=asking)):
            return asking, ast.Constant(False)
        case ast.Assert(test=ast.Call() as asking):
            return asking, ast.Constant(True)
        case ast.Call(func=ast.Attribute(attr="assertTrue"), args=[asking, *_]):
            return asking, ast.Constant(True)
        case ast.Call(func=ast.Attribute(attr="assertFalse"), args=[asking, *_]):
            return asking, ast.Constant(False)
        case ast.Call(func=ast.Attribute(attr=name), args=[left, right, *_]) if _equals(name):
            return left, right
        case _:
            return None


def _equals(name: str) -> bool:
    return name.startswith("assert") and name.endswith(("Equal", "Is", "Equals")) and "Not" not in name


def _resolved(node: ast.expr, assigned: Mapping[str, ast.expr], depth: int = 3) -> ast.expr:
    """An expression with its local names replaced by what was assigned to them."""
    if depth == 0:
        return node

    class Names(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            value = assigned.get(node.id)
            return node if value is None else _resolved(value, assigned, depth - 1)

    copied = parsed(unparsed(node))
    match copied:
        case ast.Module(body=[ast.Expr(value=value)]):
            return Names().visit(value)
        case _:
            return node


def _called(node: ast.expr) -> str | None:
    """The function of somebody's own that an expression calls."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = unparsed(one.func).rpartition(".")[2]
            if name and not is_builtin(name):
                return name
    return None
