"""How much an asserting statement of Python demands, and whether one may stand in another's place.

Nobody can tell from its text whether a test expects the right thing; but that it demands less than before can be told.
It does not know whose tests these are.
"""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed, read, unparsed
from shopfloor.validation.findings.skips import skips

NOTHING, SOMETHING, WITHIN, EXACTLY = range(4)
_MAY_NOT_BE_REACHED = re.compile(
    r"if |while |try|except|case |swallowed |never called|for .* in (?:range\(0\)|\[\]|\(\))$"
)


class Statement(Fact):
    """What a test asserts, and the conditions under which it does. A row is one of the cases that a test is run for."""

    text: str
    under: tuple[str, ...] = ()
    is_row: bool = False
    shape: str = ""
    """What kind of statement it is, in languages that are not parsed."""

    @property
    def guards(self) -> int:
        """How many conditions may keep it from being reached, or its failure from being seen."""
        return sum(bool(_MAY_NOT_BE_REACHED.match(header)) for header in self.under)

    def __str__(self) -> str:
        return "".join(f"{header}: " for header in self.under) + self.text


def unreplaced(
    before: Mapping[Statement, int], after: Mapping[Statement, int]
) -> tuple[list[Statement], list[tuple[Statement, Statement]]]:
    """Statements of a test that nothing stands in for now; and those that another one does, with it."""
    gone = list((Counter(before) - Counter(after)).elements())
    fresh = list((Counter(after) - Counter(before)).elements())
    missing: list[Statement] = []
    replaced: list[tuple[Statement, Statement]] = []
    for old in gone:
        place = next((new for new in fresh if replaces(new, old)), None)
        if place is None:
            missing.append(old)
        else:
            fresh.remove(place)
            replaced.append((old, place))
    return missing, replaced


def replaces(new: Statement, old: Statement) -> bool:
    """Whether a statement demands as much as the one that it may have taken the place of, of the same thing."""
    if new.is_row:
        return not (old.is_row and (_is_looser(new.text, old.text) or _skipped_in(new.text) > _skipped_in(old.text)))
    if old.is_row:
        return strength(new.text) == EXACTLY and not new.guards
    if old.shape:
        same = new.shape == old.shape and bool(_names(new.text) & _names(old.text))
        return same and _repeated(new.text) <= _repeated(old.text) and not _is_looser(new.text, old.text)
    return (
        strength(new.text) >= max(strength(old.text), SOMETHING)
        and new.guards <= old.guards
        and bool(_names(new.text) & _names(old.text))
        and not _is_looser(new.text, old.text)
    )


def strength(text: str) -> int:
    """What a statement demands: nothing, something, a value within bounds, or one value exactly."""
    tree = parsed(text)
    if tree is None or len(tree.body) != 1:
        return EXACTLY
    match tree.body[0]:
        case ast.Assert(test=test):
            return _of_condition(test)
        case ast.With(items=items):
            return max(_of_context(item.context_expr) for item in items)
        case ast.Expr(value=ast.Call() as call) | ast.Expr(value=ast.Await(value=ast.Call() as call)):
            return _of_call(call)
        case _:
            return EXACTLY


def _of_condition(test: ast.expr) -> int:
    if not _names(unparsed(test)):
        return NOTHING
    match test:
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.Lambda() | ast.GeneratorExp() | ast.JoinedStr():
            return NOTHING
        case ast.IfExp(body=body, orelse=orelse):
            return min(_of_condition(body), _of_condition(orelse))
        case ast.BoolOp(op=ast.And(), values=values):
            return max(map(_of_condition, values))
        case ast.BoolOp(values=values):
            return min(SOMETHING, *map(_of_condition, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _of_comparison(left, op, right)
        case ast.Compare():
            return WITHIN
        case _:
            return SOMETHING


def _of_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> int:
    sides = unparsed(left), unparsed(right)
    if sides[0] == sides[1] or any(re.search(r"\bANY$", side) for side in sides):
        return NOTHING
    if isinstance(left, ast.Call) and isinstance(right, ast.Call) and _same_lens(left, right):
        return WITHIN
    match op:
        case ast.Eq() if any("approx" in unparsed(side) for side in (left, right)):
            return WITHIN
        case ast.Eq() | ast.Is():
            return EXACTLY
        case ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE():
            return WITHIN
        case _:
            return SOMETHING


def _same_lens(left: ast.Call, right: ast.Call) -> bool:
    """Whether both sides are compared only in one respect: their length, kind, truth, or letters without case."""
    one, other = (unparsed(side.func).rpartition(".")[2] for side in (left, right))
    return one == other and one in ("len", "type", "bool", "set", "lower", "upper", "strip", "isinstance", "sorted")


def _of_context(context: ast.expr) -> int:
    return EXACTLY if "aises" in unparsed(context) or "warns" in unparsed(context) else NOTHING


_LOOSE = re.compile(r"True|False|In|NotIn|IsNotNone|IsInstance|NotEqual|NotIsInstance|Truthy")
_BOUNDED = re.compile(r"Almost|Less|Greater|allclose|approx", re.I)


def _of_call(call: ast.Call) -> int:
    """unittest's way, and helpers of one's own, of which only the name can be read."""
    name = unparsed(call.func).rpartition(".")[2]
    if not _names(unparsed(call)) - {name}:
        return NOTHING
    short = name.removeprefix("assert")
    if short in ("True", "False") and call.args and isinstance(call.args[0], ast.Compare):
        return _of_condition(call.args[0]) if short == "True" else SOMETHING
    if _LOOSE.fullmatch(short):
        return SOMETHING
    if len(call.args) > 1 and (least := _of_comparison(call.args[0], ast.Eq(), call.args[1])) < EXACTLY:
        return least
    return WITHIN if _BOUNDED.search(short) else EXACTLY


# --- the same thing ---------------------------------------------------------------------------------------------

_NOBODYS = {*dir(builtins), "self", "cls", "pytest", "approx", "raises", "AssertionError"}


def is_builtin(name: str) -> bool:
    """Whether a name means the same everywhere."""
    return name in _NOBODYS or name.startswith("assert")


def _names(text: str) -> set[str]:
    """Names that mean something here, and not everywhere."""
    tree = parsed(text)
    if tree is None:
        return set(re.findall(r"[A-Za-z_]\w*", text))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name for name in named if not is_builtin(name)}


def _repeated(text: str) -> int:
    """How many calls are written twice: what is compared with itself is always right."""
    calls = re.findall(r"[\w.]+\([^()]*\)", text)
    return len(calls) - len(set(calls))


# --- bounds -----------------------------------------------------------------------------------------------------

_TOLERANCES = ("rel", "abs", "delta", "atol", "rtol", "tolerance", "rel_tol", "abs_tol", "eps", "epsilon")
_PLACES = ("places", "decimal", "significant")


def _is_looser(new: str, old: str) -> bool:
    """Whether one lets more values pass than the other, as far as bounds are written out in both."""
    bounds, were = _bounds(new), {**_unsaid(old), **_bounds(old)}
    if any(bounds[kind] > were[kind] for kind in bounds if kind in were):
        return True
    return _any_error(new) and not _any_error(old)


def _unsaid(text: str) -> dict[str, float]:
    """The bounds of what is compared as nearly equal without any being written out."""
    nearly = re.search(r"\b(?:approx|isclose|allclose|assert_allclose)\(|AlmostEqual", text)
    return {**dict.fromkeys(_TOLERANCES, _NEARLY), **dict.fromkeys(_PLACES, -7.0)} if nearly else {}


_NEARLY = 1e-5
"""As near as any of them asks for unasked."""


def _bounds(text: str) -> dict[str, float]:
    """Each bound by its kind, so that a greater number means that more passes."""
    found: dict[str, float] = {}
    tree = parsed(text)
    if tree is None:
        return {sign: float(bound) if sign == "<" else -float(bound) for sign, bound in _BOUND.findall(text)}
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg=str(name), value=ast.Constant(value=int() | float() as bound)):
                if name in _TOLERANCES:
                    found[name] = bound
                elif name in _PLACES:
                    found[name] = -bound
            case ast.Compare(ops=[ast.Lt() | ast.LtE()], comparators=[ast.Constant(value=int() | float() as bound)]):
                found["<"] = bound
            case ast.Compare(ops=[ast.Gt() | ast.GtE()], comparators=[ast.Constant(value=int() | float() as bound)]):
                found[">"] = -bound
            case _:
                pass
    return found


_BOUND = re.compile(r"([<>])=?\s*(-?\d+(?:\.\d+)?)")


def _skipped_in(text: str) -> int:
    """How many marks in a row skip whatever happens, or expect a failure."""
    given = [word.value for word in ast.walk(read(text)) if isinstance(word, ast.keyword) and word.arg == "marks"]
    marks = [one for value in given for one in (value.elts if isinstance(value, ast.List | ast.Tuple) else (value,))]
    return sum(map(skips, marks))


def _any_error(text: str) -> bool:
    return re.search(r"aises\(\(?[^)]*\b(?:Base)?Exception\b", text) is not None


def all_words(node: ast.AST) -> frozenset[str]:
    """Every name and every text in a piece of Python."""
    return frozenset(_words(node))


def _words(node: ast.AST) -> Iterable[str]:
    for one in ast.walk(node):
        match one:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)) | ast.arg(arg=word):
                yield word
            case ast.Constant(value=str(word)):
                yield word
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.ClassDef(name=word):
                yield word
            case ast.alias(name=word):
                yield from (word, word.rpartition(".")[2])
            case _:
                pass
