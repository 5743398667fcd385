"""Which tests of a Python file are skipped whatever happens, and not only on some machines.

A condition that can be worked out from its text is worked out; any other may hold or not. It runs nothing of the file.
"""

import ast
import os
import platform
import sys
from collections.abc import Iterable

from shopfloor.repo.python import parsed, unparsed


def always_skipped(text: str) -> int:
    """How many places of a test file skip, or expect a failure, on whatever machine it is run."""
    tree = parsed(text)
    return 0 if tree is None else sum(_in_body(tree.body))


def _in_body(body: Iterable[ast.stmt]) -> Iterable[int]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield sum(_skips(decorator) for decorator in node.decorator_list)
                yield node.name == "load_tests"
                yield from _in_body(node.body)
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=value):
                yield sum(_skips(mark) for mark in (value.elts if isinstance(value, ast.List) else (value,)))
            case ast.Assign(targets=[ast.Name(id="__test__")], value=ast.Constant(value=False)):
                yield 1
            case ast.Expr(value=ast.Call() as call):
                yield _is_skip(call)
            case ast.Raise(exc=ast.expr() as error):
                yield "SkipTest" in unparsed(error)
            case ast.If(test=test, body=inner) if _known(test) is True:
                yield from _in_body(inner)
            case ast.With(body=inner):
                yield from _in_body(inner)
            case ast.Try(body=inner, finalbody=final):
                yield from _in_body((*inner, *final))
            case _:
                pass


def _is_skip(call: ast.Call) -> bool:
    return unparsed(call.func) in ("pytest.skip", "pytest.xfail", "self.skipTest", "self.fail")


def _skips(mark: ast.expr) -> bool:
    """A decorator or mark that skips in any case."""
    called, given = (mark.func, mark) if isinstance(mark, ast.Call) else (mark, None)
    name = unparsed(called).rpartition(".")[2]
    condition = _condition(given)
    match name:
        case "skip" | "expectedFailure" | "todo":
            return True
        case "xfail":
            return condition is None or _known(condition) is True
        case "skipif" | "skipIf":
            return condition is None or _known(condition) is True
        case "skipUnless":
            return condition is None or _known(condition) is False
        case _:
            return False


def _condition(call: ast.Call | None) -> ast.expr | None:
    if call is None:
        return None
    named = [keyword.value for keyword in call.keywords if keyword.arg == "condition"]
    return next(iter((*call.args, *named)), None)


_KNOWN = {
    "sys.platform": sys.platform,
    "sys.version_info": sys.version_info,
    "os.name": os.name,
    "platform.system()": platform.system(),
}


def _known(condition: ast.expr) -> bool | None:
    """What a condition comes to on this machine; None where its text does not say."""
    if isinstance(condition, ast.Constant) and isinstance(condition.value, str):
        inner = parsed(condition.value)
        match inner:
            case ast.Module(body=[ast.Expr(value=value)]):
                return _known(value)
            case _:
                return None
    try:
        return bool(_value(condition))
    except _Unknown:
        return None


class _Unknown(Exception):
    pass


def _value(node: ast.expr) -> object:
    if (name := unparsed(node)) in _KNOWN:
        return _KNOWN[name]
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=elements):
            return tuple(map(_value, elements))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(value) for value in values)
        case ast.BoolOp(values=values):
            return any(_value(value) for value in values)
        case ast.Compare(ops=[ast.In() | ast.NotIn() as op], comparators=[right]) if unparsed(right) == "os.environ":
            return isinstance(op, ast.NotIn)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(_value(left), op, _value(right))
        case ast.Call(func=func, args=[_, *default]) if unparsed(func) in (
            "os.environ.get",
            "os.getenv",
            "environ.get",
        ):
            return _value(default[0]) if default else None  # nobody sets it for a judge
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[beginning]):
            return str(_value(value)).startswith(str(_value(beginning)))
        case _:
            raise _Unknown


def _compared(left: object, op: ast.cmpop, right: object) -> bool:
    match op, left, right:
        case ast.Eq(), _, _:
            return left == right
        case ast.NotEq(), _, _:
            return left != right
        case ast.In(), _, tuple() | str():
            return left in right if isinstance(right, tuple) else str(left) in right
        case ast.Lt() | ast.LtE(), tuple(), tuple():
            return left < right or (isinstance(op, ast.LtE) and left == right)
        case ast.Gt() | ast.GtE(), tuple(), tuple():
            return left > right or (isinstance(op, ast.GtE) and left == right)
        case _:
            raise _Unknown
