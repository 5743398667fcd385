"""Small faults that could be in a statement, each as words and as the source with it: what a test ought to notice.

Those that make no difference are left out where that is cheap to see: what is logged, what an error says, how an
object is shown, what only a type checker reads, what a command line says of itself. It does not know which tests there
are. Pure.
"""

import ast
import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from shopfloor.repo.python import unparsed
from shopfloor.validation.findings.statements import Statement, heads
from shopfloor.validation.trials.edits import Edits


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault: where, in words, and what stands there instead, from one byte of the source to another."""

    function: str
    line: int
    words: str
    start: int
    end: int
    instead: str

    def of(self, text: str) -> str:
        """The source with it."""
        source = text.encode()
        return (source[: self.start] + self.instead.encode() + source[self.end :]).decode()


def mutants(text: str, statements: Iterable[Statement]) -> list[Mutant]:
    """Every fault that we know how to put into these statements of a source. A few of them may be no Python."""
    bare = text.removeprefix("\ufeff")
    before, edits = len(text.encode()) - len(bare.encode()), Edits(bare)
    found: dict[tuple[int, int, str], Mutant] = {}
    for statement in statements:
        if statement.function.rpartition(".")[2] in _SHOWN or _is_quiet(statement.node):
            continue
        for node, words, instead in _of_statement(statement.node):
            start, end = (before + place for place in edits.span(node))
            one = Mutant(
                function=statement.function, line=node.lineno, words=words, start=start, end=end, instead=instead
            )
            found.setdefault((start, end, instead), one)
    return list(found.values())


def spread(possible: Sequence[Mutant]) -> list[Mutant]:
    """All of them, in an order in which any first part is spread over functions, then lines; always the same."""
    by_function: dict[str, dict[int, list[Mutant]]] = defaultdict(lambda: defaultdict(list))
    for one in sorted(possible, key=_drawn):
        by_function[one.function][one.line].append(one)
    return _in_turns(_in_turns(by_line.values()) for by_line in by_function.values())


def _drawn(one: Mutant) -> str:
    return sha256(f"{one.function} {one.line} {one.words}".encode()).hexdigest()


def _in_turns(groups: Iterable[Iterable[Mutant]]) -> list[Mutant]:
    return [one for turn in zip_longest(*groups) for one in turn if one is not None]


_Change = tuple[ast.expr | ast.stmt, str, str]
_SHOWN = ("__repr__", "__str__")
_LOGS = ("log", "logger", "logging", "_log", "_logger", "LOG", "LOGGER", "warnings")
_SAYS = ("help", "description", "epilog", "metavar", "usage", "encoding", "stacklevel", "flush")
"""Names of arguments that change words on a screen, or nothing on the machine at hand."""
_NAMES_ONLY = ("__all__", "__slots__", "__version__", "__author__")


def _is_quiet(node: ast.stmt) -> bool:
    """What no test should have to notice."""
    match node:
        case ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in _LOGS:
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name)))) if name in _LOGS:
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _NAMES_ONLY:
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec" | "NewType" | "getLogger"))):
            return True
        case ast.AnnAssign(annotation=annotation) if "TypeAlias" in unparsed(annotation):
            return True
        case ast.If(test=test):
            return "__name__" in unparsed(test)
        case _:
            return False


def _of_statement(node: ast.stmt) -> Iterator[_Change]:
    match node:
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            yield node, f"`{_short(node)}` left out", "pass"
        case ast.Return(value=value) if value is not None and unparsed(value) != "None":
            yield value, f"`{_short(node)}` turned into `return None`", "None"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign() | ast.Delete():
            yield node, f"`{_short(node)}` left out", "pass"
        case ast.Raise():
            yield node, f"`{_short(node)}` left out", "pass"
            return
        case ast.If(test=test):
            yield test, f"`{_short(test)}` taken to be always true", "True"
            yield test, f"`{_short(test)}` taken to be never true", "False"
        case ast.While(test=test) if not isinstance(test, ast.Constant):
            yield test, f"`{_short(test)}` taken to be never true", "False"
        case ast.Break():
            yield node, "`break` left out", "pass"
        case ast.Continue():
            yield node, "`continue` turned into `break`", "break"
        case _:
            pass
    if isinstance(node, ast.AugAssign) and (other := _OPERATORS.get(type(node.op))):
        changed = ast.AugAssign(target=node.target, op=other(), value=node.value)
        yield node, f"`{_sign(node.op)}=` turned into `{_sign(other())}=`", unparsed(ast.fix_missing_locations(changed))
    for head in heads(node):
        for part in _expressions(head):
            yield from _of_expression(part)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """The parts of a statement whose value matters, without annotations, and nothing of a formatted text."""
    if isinstance(node, ast.JoinedStr | ast.Lambda | ast.Slice) or (isinstance(node, ast.expr) and _is_type(node)):
        if isinstance(node, ast.Lambda):
            yield from _expressions(node.body)
        return
    if isinstance(node, ast.expr):
        yield node
    skipped = node.annotation if isinstance(node, ast.AnnAssign) else None
    for child in ast.iter_child_nodes(node):
        if child is skipped or (isinstance(child, ast.keyword) and child.arg in _SAYS):
            continue
        yield from _expressions(child)


def _is_type(node: ast.expr) -> bool:
    """A cast to a type: its first argument is none of our business, and the rest seldom."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("cast", "TypeVar")


_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}


def _of_expression(node: ast.expr) -> Iterator[_Change]:
    match node:
        case ast.Compare(ops=[operator, *_]):
            other = _COMPARISONS[type(operator)]()
            yield node, _turned(operator, other), _changed(node, ops=[other, *node.ops[1:]])
        case ast.BoolOp(op=operator):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield node, f"{_turned(operator, other)} in `{_short(node)}`", _changed(node, op=other)
        case ast.BinOp(op=operator) if type(operator) in _OPERATORS and not _is_text(node):
            other = _OPERATORS[type(operator)]()
            yield node, f"{_turned(operator, other)} in `{_short(node)}`", _changed(node, op=other)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, f"`not` left out of `{_short(node)}`", f"({unparsed(operand)})"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name() | ast.Attribute() | ast.Call()):
            yield node, f"the sign left out of `{_short(node)}`", f"({unparsed(node.operand)})"
        case ast.IfExp(test=test):
            yield test, f"`{_short(test)}` taken to be always true", "True"
            yield test, f"`{_short(test)}` taken to be never true", "False"
        case ast.Constant(value=value):
            yield from _of_constant(node, value)
        case ast.List(elts=[_, *_], ctx=ast.Load()):
            yield node, f"`{_short(node)}` emptied", "[]"
        case ast.Dict(keys=[_, *_]):
            yield node, f"`{_short(node)}` emptied", "{}"
        case ast.Call(keywords=[_, *_]):
            for keyword in node.keywords:
                if keyword.arg is not None and keyword.arg not in _SAYS:
                    left = [one for one in node.keywords if one is not keyword]
                    yield node, f"`{keyword.arg}=` left out of `{_short(node)}`", _changed(node, keywords=left)
        case _:
            pass


def _of_constant(node: ast.Constant, value: object) -> Iterator[_Change]:
    match value:
        case bool():
            yield node, f"`{value}` turned into `{not value}`", str(not value)
        case int() | float():
            yield node, f"`{_short(node)}` turned into `{value + 1}`", f"({value + 1!r})"
        case str() if value:
            yield node, f"`{_short(node)}` emptied", '""'
        case bytes() if value:
            yield node, f"`{_short(node)}` emptied", 'b""'
        case _:
            pass


def _changed(node: ast.expr, **fields: object) -> str:
    """An expression with some parts exchanged, in brackets: it must stay one whatever stands beside it."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return f"({unparsed(other)})"


def _is_text(node: ast.BinOp) -> bool:
    """Text put together, or filled in: any other operator would only be an error, which any test notices."""
    sides = (node.left, node.right)
    return any(isinstance(side, ast.JoinedStr) or _is_a_text(side) for side in sides)


def _is_a_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def _turned(before: ast.AST, after: ast.AST) -> str:
    return f"`{_sign(before)}` turned into `{_sign(after)}`"


_SIGNS: dict[str, str] = {
    **{"Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Is": "is", "IsNot": "is not"},
    **{"In": "in", "NotIn": "not in", "And": "and", "Or": "or", "Add": "+", "Sub": "-", "Mult": "*", "Div": "/"},
    **{"FloorDiv": "//", "Mod": "%", "Pow": "**", "LShift": "<<", "RShift": ">>", "BitAnd": "&", "BitOr": "|"},
    **{"BitXor": "^", "MatMult": "@"},
}


def _sign(operator: ast.AST) -> str:
    return _SIGNS[type(operator).__name__]


LONGEST = 40


def _short(node: ast.AST) -> str:
    text = " ".join(unparsed(node).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
