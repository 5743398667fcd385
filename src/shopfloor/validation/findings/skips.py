"""Which tests of a file are skipped, by the places that say so; and which of these skip whatever happens.

A condition that can be worked out from its text is worked out; any other may hold on some machines. It runs nothing of
the file.
"""

import ast
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed, read, unparsed

SKIPS = re.compile(
    r"\b(?:pytest\.mark|unittest|mark)\.(?:skip|xfail|expectedFailure)\w*|\bpytest\.(?:skip|xfail|importorskip)\("
    r"|\bself\.skipTest\(|\bSkipTest\b|\b__test__\s*=\s*False|^def load_tests\b|^@(?:skip|expectedFailure)\w*"
    r"|(?<![.\w])(?:skip|importorskip|xfail)\(|\boutcomes\.(?:skip|xfail)\b|\b(?:skip|xfail)\.Exception\b"
    r"|(?<![.\w])(?:it|test|describe)\.(?:skip|todo|only|failing)\b|(?<![.\w])(?:xit|xtest|xdescribe|fit|fdescribe)\("
    r"|\bt\.Skip\w*\(|#\[(?:ignore|cfg_attr\([^)]*ignore)|@(?:Disabled|Ignore)\b",
    re.M,
)
_ONLY = re.compile(r"(?<![.\w])(?:it|test|describe)\.only\b|(?<![.\w])(?:fit|fdescribe)\(")
_NAMED = re.compile(
    r"(?<![.\w])(?:x(?:it|test|describe)|(?:it|test|describe|suite)\.(?:skip|todo|failing|fixme))"
    r"\(\s*([\"'`])(?P<name>(?:\\.|(?!\1).)+)\1"
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Skipped(Fact):
    """That tests are skipped that were not."""

    always: bool
    """Whatever happens, and not only on some machines."""


def freshly_skipped(path: str, before: str, after: str, *, new_tests: int) -> Skipped | None:
    """Whether more is skipped than before, but for one skip of each new test."""
    if path.endswith(".py"):
        return _in_python(before, after)
    known = _names(before)
    more = len(SKIPS.findall(after)) - len(SKIPS.findall(before)) > new_tests
    only = len(_ONLY.findall(after)) > len(_ONLY.findall(before))
    old = any(f"{quote}{name}{quote}" in before for name in _names(after) - known for quote in "\"'`")
    return Skipped(always=True) if more or only or old else None


def _names(text: str) -> set[str]:
    return {found["name"] for found in _NAMED.finditer(text)}


def _in_python(before: str, after: str) -> Skipped | None:
    """By places: what is new in a test that is new takes nothing away."""
    was, now = _places(before), _places(after)
    earlier = {name for place in was.values() for name in place.tests}
    found: list[bool] = []
    for name, place in now.items():
        old = was.get(name, _Place())
        is_new = name != MODULE and bool(place.tests) and not place.tests & earlier
        if not is_new and (place.any > old.any or place.always > old.always):
            found.append(place.always > old.always)
    return Skipped(always=any(found)) if found else None


MODULE = "module"


@dataclass
class _Place:
    """What is said of skipping in a test, in a class apart from its tests, or in a module apart from both."""

    any: int = 0
    always: int = 0
    tests: frozenset[str] = frozenset()
    """The tests that it is about, by their own names."""


def _places(text: str) -> dict[str, _Place]:
    tree = read(text)
    marks = _marks(tree)
    found: dict[str, _Place] = {}
    _add_places(tree.body, MODULE, frozenset(), marks, found)
    return found


def _marks(tree: ast.Module) -> dict[str, ast.expr]:
    """Names that stand for a mark that skips."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and SKIPS.search(unparsed(node.value))
        for target in node.targets
        if isinstance(target, ast.Name) and target.id not in ("pytestmark", "__test__")
    }


def _add_places(
    body: list[ast.stmt], name: str, tests: frozenset[str], marks: Mapping[str, ast.expr], found: dict[str, _Place]
) -> None:
    own: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.ClassDef():
                inside = frozenset(one.name for one in node.body if isinstance(one, _Function) and _is_test(one.name))
                _add_places(node.body, f"class {node.name}", inside, marks, found)
                _add(found, f"class {node.name}", inside, node.decorator_list, [], marks)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                about = frozenset({node.name}) if _is_test(node.name) else tests
                where = "" if _is_test(node.name) else f"{name} "
                _add(found, f"{where}def {node.name}", about, node.decorator_list, node.body, marks)
                found[f"{where}def {node.name}"].always += node.name == "load_tests"
            case ast.Assign(targets=[ast.Name(id=alias)]) if alias in marks:
                pass
            case _:
                own.append(node)
    _add(found, name, tests, [], own, marks)


def _is_test(name: str) -> bool:
    return name.startswith("test")


def _add(
    found: dict[str, _Place],
    name: str,
    tests: frozenset[str],
    decorators: list[ast.expr],
    body: list[ast.stmt],
    marks: Mapping[str, ast.expr],
) -> None:
    place = found.setdefault(name, _Place())
    meant = [marks.get(unparsed(one), one) for one in decorators]
    text = "\n".join((*(f"@{unparsed(one)}" for one in meant), *map(unparsed, body)))
    place.tests |= tests
    place.any += len(SKIPS.findall(text)) + len(_NO_ROWS.findall(text)) + name.endswith("def load_tests")
    place.always += sum(map(skips, meant)) + sum(_in_body(body))


_NO_ROWS = re.compile(r"\.parametrize\([^\[\]()]*, (?:\[\]|\(\))")


def _in_body(body: Iterable[ast.stmt]) -> Iterable[int]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=value):
                yield sum(skips(mark) for mark in (value.elts if isinstance(value, ast.List) else (value,)))
            case ast.Assign(targets=[ast.Name(id="__test__")], value=ast.Constant(value=False)):
                yield 1
            case ast.Expr(value=ast.Call() as call):
                yield _is_skip(call)
            case ast.Raise(exc=ast.expr() as error):
                yield SKIPS.search(f"{unparsed(error)}(") is not None
            case ast.If(test=test, body=inner) if _known(test) is True:
                yield from _in_body(inner)
            case ast.With(body=inner):
                yield from _in_body(inner)
            case ast.Try(body=inner, finalbody=final):
                yield from _in_body((*inner, *final))
            case _:
                pass


def _is_skip(call: ast.Call) -> bool:
    return unparsed(call.func) in (*("pytest.skip", "pytest.xfail", "self.skipTest", "self.fail"), *("skip", "xfail"))


def skips(mark: ast.expr) -> bool:
    """A decorator or mark that skips in any case."""
    called, given = (mark.func, mark) if isinstance(mark, ast.Call) else (mark, None)
    name = unparsed(called).rpartition(".")[2]
    condition = _condition(given)
    match name:
        case "parametrize":
            return _NO_ROWS.search(unparsed(mark)) is not None
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
