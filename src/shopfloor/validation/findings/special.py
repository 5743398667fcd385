"""Does a product work its answers out, or does it know those that its tests ask for?

Pure findings over texts: the literal cases of Python tests (these inputs, this answer) beside the literal pairs of the
sources (a table's row, a branch that asks for a value and returns one). Where nearly all cases of a function stand in
the source as pairs, and hardly a pair stands there that is no case, it answers its tests and nobody else. It runs
nothing, and cannot see an answer that is disguised.
"""

import ast
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar, cast

from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Finding
from shopfloor.repo.python import parsed, unparsed
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.strength import is_builtin

SPECIAL = "special-casing"
Found = TypeVar("Found")
MOST = 0.8
"""Share of a function's cases that must stand in the source, and of a table's rows that must be cases."""
LEAST = 2
"""Cases that must stand there at all."""


class Values(Fact):
    """The constants of an expression, in no order; what holds them makes no difference."""

    counted: tuple[tuple[str, int], ...]

    @property
    def says_something(self) -> bool:
        """Whether it is more than a letter for a letter: a short table of those is how many things are built."""
        words = [word for word, _ in self.counted if word not in ("True", "False", "None")]
        return sum(number for _, number in self.counted) > 2 or any(len(word.strip("'\"-")) > 1 for word in words)


class Asked(Fact):
    """A case of a test: the function it is about, all its values, and the answer alone if it is written out."""

    function: str
    values: Values
    answer: Values | None
    unknown: int = 0
    """How many of its values have a name, so that a source may have written them out."""


class Known(Fact):
    """A pair in a source: all its values, what is asked for alone, where it begins, and which table it belongs to."""

    values: Values
    asked: Values
    line: int
    table: int

    def answers(self, case: Asked) -> bool:
        own, wanted = (dict(one.counted) for one in (self.asked if case.answer is None else self.values, case.values))
        if not case.unknown:
            return own == wanted
        more = Counter(own) - Counter(wanted)
        return not Counter(wanted) - Counter(own) and more.total() <= case.unknown


def special_cases(changes: Collection[Change], tests: Mapping[str, str]) -> tuple[Finding, ...]:
    """A finding for every changed source that holds its tests' own cases."""
    asked = [case for text in tests.values() for case in cases_of(text)]
    sources = [change for change in changes if change.path.endswith(".py") and change.path not in tests]
    return tuple(found for change in sources if change.after is not None for found in _in_source(change, asked))


def _in_source(change: Change, asked: Sequence[Asked]) -> list[Finding]:
    before = {pair.values for pair in pairs_of(change.before or "")}
    known = [pair for pair in pairs_of(change.after or "") if pair.values not in before]
    answered: list[Known] = []
    functions: list[str] = []
    for function in dict.fromkeys(case.function for case in asked):
        if pairs := _answered([case for case in asked if case.function == function], known):
            answered += pairs
            functions.append(function)
    telling = sum(pair.values.says_something for pair in answered)
    if telling < LEAST and not (telling and len(answered) > LEAST):
        return []
    what = f"knows the answers that tests ask of {', '.join(functions)} ({len(answered)} of them), and works none out"
    return [Finding(check=SPECIAL, severity="P1", text=what, path=change.path, line=answered[0].line)]


def _answered(cases: Sequence[Asked], known: Sequence[Known]) -> list[Known]:
    """The pairs that are cases of one function, if they are nearly all there is."""
    cases = list(dict.fromkeys(cases))
    answered = [pair for pair in known if any(pair.answers(case) for case in cases)]
    rows = Counter(pair.table for pair in known)
    answers = Counter(pair.table for pair in answered)
    answered = [pair for pair in answered if answers[pair.table] / rows[pair.table] >= MOST]
    others = [case for case in cases if not any(pair.answers(case) for pair in answered)]
    if len({case.answer for case in others}) == 1 and others[0].answer is not None:
        others = []  # all that it does not know gets one answer
    return answered if 1 - len(others) / len(cases) >= MOST else []


def _values(constants: Sequence[object]) -> Values:
    plain = (_plainly(leaf) for value in constants for leaf in _leaves(value))
    return Values(counted=tuple(sorted(Counter(plain).items())))


def _plainly(value: object) -> str:
    """As the value is written; a number in one way, whatever its kind."""
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)


def _constants(node: ast.AST) -> list[object]:
    """Every constant in an expression, with the sign of numbers."""
    match node:
        case ast.Constant(value=value):
            return [value]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return [-value]
        case _:
            return [value for child in ast.iter_child_nodes(node) for value in _constants(child)]


def _as_far_as_it_goes(found: Iterator[Found]) -> Iterator[Found]:
    """What is found before an expression comes that is too deep to be read."""
    with suppress(RecursionError):
        yield from found


# --- what tests ask ---------------------------------------------------------------------------------------------


def cases_of(text: str) -> list[Asked]:
    """The cases of a test file that ask for an answer by literal values."""
    tree = parsed(text)
    functions = [] if tree is None else [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [case for function in functions for case in _as_far_as_it_goes(_of_test(function))]


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
                yield Asked(function=name, values=_values(inputs), answer=None)


def _inputs(call: ast.Call, assigned: Mapping[str, ast.expr]) -> list[object]:
    return [value for given in call.args for value in _constants(_resolved(given, assigned))]


def _asked(asking: ast.expr, answer: ast.expr, rows: Sequence[Sequence[object]]) -> Iterator[Asked]:
    if _called(asking) is None:
        asking, answer = answer, asking
    name = _called(asking)
    if name is None or _called(answer) is not None:
        return
    for row in rows:
        yield Asked(function=name, values=_values(row), answer=_values(row[-1:]))
    inputs, given = _constants(asking), _constants(answer)
    if rows:
        return
    unknown = _unknown(asking)
    if given or isinstance(answer, ast.List | ast.Tuple | ast.Dict):
        yield Asked(function=name, values=_values([*inputs, *given]), answer=_values(given), unknown=unknown)
    elif inputs:
        yield Asked(function=name, values=_values(inputs), answer=None, unknown=unknown)


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
    return [_constants(row) for rows in found for row in rows]


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


# --- what a source knows ----------------------------------------------------------------------------------------


def pairs_of(text: str) -> list[Known]:
    """Every literal pair of a source: what is asked for, with what is then answered."""
    tree = parsed(text)
    return [] if tree is None else list(_as_far_as_it_goes(_pairs(tree, [], 0)))


def _pairs(node: ast.AST, under: list[object], table: int) -> Iterator[Known]:
    """`under` is what the branches around ask for; branches of one function are one table."""
    match node:
        case ast.FunctionDef():
            table = _place(node)
        case ast.Dict():
            yield from _of_dict(node, under, _place(node))
        case ast.If(test=test, body=body, orelse=orelse):
            asked = [*under, *_constants(test)]
            yield from _pairs(test, under, table)
            yield from _returned(body, asked, table)
            for inner in body:
                yield from _pairs(inner, asked, table)
            for inner in orelse:
                yield from _pairs(inner, under, table)
            return
        case ast.IfExp(test=test, body=body):
            yield _known([*under, *_constants(test)], _constants(body), node, table)
        case ast.match_case(pattern=pattern, body=body):
            yield from _returned(body, [*under, *_constants(pattern)], table)
        case ast.List(elts=rows) | ast.Tuple(elts=rows) | ast.Set(elts=rows) if len(rows) > 1:
            for row in rows:
                if isinstance(row, ast.Tuple | ast.List) and len(row.elts) > 1:
                    asked = [*under, *(value for one in row.elts[:-1] for value in _constants(one))]
                    yield _known(asked, _constants(row.elts[-1]), row, _place(node))
        case ast.Compare(ops=[ast.In()], comparators=[ast.Tuple(elts=some) | ast.List(elts=some) | ast.Set(elts=some)]):
            for one in some:
                yield _known([*under, *_constants(one)], [True], one, _place(node))
        case ast.Compare(ops=[ast.Eq()], comparators=[right]):
            yield _known([*under, *_constants(right)], [True], right, -table)
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from _pairs(child, under, table)


def _place(node: ast.expr | ast.stmt) -> int:
    """A number for where something stands."""
    return node.lineno * 10_000 + node.col_offset + 1


def _of_dict(node: ast.Dict, under: list[object], table: int) -> Iterator[Known]:
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            continue
        asked = [*under, *_constants(key)]
        if isinstance(value, ast.Dict):
            yield from _of_dict(value, asked, _place(value))
        yield _known(asked, _constants(value), key, table)


def _returned(body: Sequence[ast.stmt], asked: list[object], table: int) -> Iterator[Known]:
    for statement in body:
        if isinstance(statement, ast.Return | ast.Assign) and statement.value is not None and asked:
            yield _known(asked, _constants(statement.value), statement, table)


def _known(asked: list[object], answer: list[object], node: ast.expr | ast.stmt, table: int) -> Known:
    return Known(values=_values([*asked, *answer]), asked=_values(asked), line=node.lineno, table=table)


def _leaves(value: object) -> list[object]:
    """The values in a text that holds arguments, as a table's keys may be written; of anything else, itself."""
    if not isinstance(value, str) or len(value) < 2 or value[0] not in "([{'":
        return [value]
    tree = parsed(value)
    if tree is not None and len(tree.body) == 1:
        return [leaf for one in _constants(tree.body[0]) for leaf in _leaves(one)]
    try:
        return _in_json(json.loads(value))
    except ValueError:
        return [value]


def _in_json(value: object) -> list[object]:
    match value:
        case dict():
            return _in_json(list(cast("dict[str, object]", value).values()))
        case list():
            return [leaf for one in cast("list[object]", value) for leaf in _in_json(one)]
        case _:
            return [value]
