"""What a source knows by heart: its literal pairs (a table's row, a branch that asks for a value and returns one).

Each function is read with all of its module that it mentions. It does not know what a function is called with, nor
what it takes from other modules.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed
from shopfloor.validation.findings.constants import Values, as_far_as_it_goes, constants_of, in_order, values_of


class Known(Fact):
    """A pair in a source: all its values, what is asked for alone, where it begins, and which table it belongs to."""

    values: Values
    asked: Values
    answer: Values
    inputs: tuple[str, ...]
    """What is asked for, in order."""
    disguised: bool
    """Whether a value that is written out is asked for by its text, as nobody does who means the value."""
    line: int
    table: int


class Function(Fact):
    """A function or class of a module, with all there that it mentions."""

    pairs: tuple[Known, ...]
    works: bool
    """Whether there is anything in it but looking up."""
    places: tuple[int, ...]
    """The tables that its own branches make."""
    asks_by_text: bool
    """Whether it looks for all that it was given at once, or for the text of it, as nobody does who means a table."""


def pairs_of(text: str) -> list[Known]:
    """Every literal pair of a source: what is asked for, with what is then answered."""
    tree = parsed(text)
    return [] if tree is None else list(as_far_as_it_goes(_pairs(tree, [], 0)))


def functions_of(text: str, names: Collection[str], ran: Collection[int] | None = None) -> dict[str, Function]:
    """Those of the functions, methods and classes of a module that have such names, with all that they mention.

    `ran` are the lines that ran: what did not run in a function worked nothing out. None where nobody knows.
    """
    tree = parsed(text)
    if tree is None:
        return {}
    bound = _bound(tree)
    defined = [name for name in names if any(isinstance(node, _Definition) for node in bound.get(name, ()))]
    pairs = pairs_of(text) if defined else []
    return {name: _function(name, bound, pairs, ran) for name in defined}


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Statements = Mapping[str, Sequence[ast.stmt]]


def _bound(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """The statements that give a name its meaning, in the module and in its classes."""
    bound: dict[str, list[ast.stmt]] = {}
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names = [name]
            case ast.ClassDef(name=name, body=body):
                names = [name]
                waiting += body
            case ast.Assign(targets=targets):
                names = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
                names = [name]
            case ast.If() | ast.Try() | ast.With():
                names = []
                waiting += [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)]
            case _:
                names = []
        for one in names:
            bound.setdefault(one, []).append(node)
    return bound


def _function(name: str, bound: _Statements, pairs: Sequence[Known], ran: Collection[int] | None) -> Function:
    nodes = _mentioned_by(name, bound)
    lines = {line for node in nodes for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return Function(
        pairs=tuple(pair for pair in pairs if pair.line in lines),
        works=any(_works(node, None if isinstance(node, ast.Assign | ast.AnnAssign) else ran) for node in nodes),
        places=tuple(_place(part) for node in bound[name] for part in ast.walk(node) if isinstance(part, _Definition)),
        asks_by_text=any(_asks_by_text(part) for node in nodes for part in ast.walk(node)),
    )


def _asks_by_text(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="repr" | "hash")):
            return True
        case ast.FunctionDef(args=ast.arguments(vararg=ast.arg())):
            return True
        case _:
            return False


def _mentioned_by(name: str, bound: _Statements) -> list[ast.stmt]:
    """What a name stands for, and all that this mentions, and so on."""
    known, waiting, nodes = {name}, [name], list[ast.stmt]()
    while waiting:
        for node in bound[waiting.pop()]:
            nodes.append(node)
            parts = list(ast.walk(node))
            words = {part.id for part in parts if isinstance(part, ast.Name)}
            words |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
            waiting += sorted((words & bound.keys()) - known)
            known |= words
    return nodes


_LOOKS_UP = re.compile(
    "get|setdefault|items|keys|values|index|count|next|iter|repr|str|hash|tuple|list|dict|set|frozenset|sorted|int|float|"
    "bool|len|type|isinstance|lower|upper|casefold|strip|copy|deepcopy|loads|dumps|literal_eval|encode|decode|digest|"
    "hexdigest|md5|sha1|sha256|crc32|adler32|b64decode|b85decode|unhexlify|fromhex|decompress|fromkeys|zip|enumerate|any|all"
)
"""What is called to find an answer, rather than to work one out."""


def _works(node: ast.AST, ran: Collection[int] | None) -> bool:
    """Whether something is worked out here: by reckoning, by cutting up, or by somebody else."""
    if ran is not None and isinstance(node, ast.expr) and node.lineno not in ran:
        return False
    match node:
        case ast.Raise() | ast.Constant():
            return False
        case ast.BinOp() | ast.JoinedStr() | ast.Slice():
            return True
        case ast.AugAssign(lineno=line) | ast.While(lineno=line):
            return ran is None or line in ran
        case ast.Compare(ops=ops) if any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in ops):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if not _LOOKS_UP.fullmatch(name):
            return True
        case ast.FunctionDef(body=body) | ast.ClassDef(body=body) | ast.AsyncFunctionDef(body=body):
            return any(_works(one, ran) for one in body)
        case _:
            return any(_works(one, ran) for one in ast.iter_child_nodes(node))


def _pairs(node: ast.AST, under: list[object], table: int) -> Iterator[Known]:
    """`under` is what the branches around ask for; branches of one function are one table."""
    match node:
        case ast.FunctionDef():
            table = _place(node)
        case ast.Dict():
            yield from _of_dict(node, under, _place(node))
        case ast.If(test=test, body=body, orelse=orelse):
            asked = [*under, *constants_of(test)]
            yield from _pairs(test, under, table)
            yield from _returned(body, asked, table, test)
            for inner in body:
                yield from _pairs(inner, asked, table)
            for inner in orelse:
                yield from _pairs(inner, under, table)
            return
        case ast.IfExp(test=test, body=body):
            yield _known([*under, *constants_of(test)], constants_of(body), node, table, test)
        case ast.match_case(pattern=pattern, body=body):
            yield from _returned(body, [*under, *constants_of(pattern)], table)
        case ast.List(elts=rows) | ast.Tuple(elts=rows) | ast.Set(elts=rows) if len(rows) > 1:
            for row in rows:
                if isinstance(row, ast.Tuple | ast.List) and len(row.elts) > 1:
                    asked = [*under, *(value for one in row.elts[:-1] for value in constants_of(one))]
                    yield _known(asked, constants_of(row.elts[-1]), row, _place(node))
        case ast.Compare(ops=[ast.In()], comparators=[ast.Tuple(elts=some) | ast.List(elts=some) | ast.Set(elts=some)]):
            for one in some:
                yield _known([*under, *constants_of(one)], [True], one, _place(node))
        case ast.Compare(ops=[ast.Eq()], comparators=[right]):
            yield _known([*under, *constants_of(right)], [True], right, -table)
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
        asked = [*under, *constants_of(key)]
        if isinstance(value, ast.Dict):
            yield from _of_dict(value, asked, _place(value))
        yield _known(asked, constants_of(value), key, table, key)


def _returned(
    body: Sequence[ast.stmt], asked: list[object], table: int, asking: ast.expr | None = None
) -> Iterator[Known]:
    for statement in body:
        if isinstance(statement, ast.Return | ast.Assign) and statement.value is not None and asked:
            yield _known(asked, constants_of(statement.value), statement, table, asking)


def _known(
    asked: list[object], answer: list[object], node: ast.expr | ast.stmt, table: int, asking: ast.expr | None = None
) -> Known:
    return Known(
        values=values_of([*asked, *answer]),
        asked=values_of(asked),
        answer=values_of(answer),
        inputs=in_order(asked),
        disguised=asking is not None and any(map(_is_text_of_a_value, ast.walk(asking))),
        line=node.lineno,
        table=table,
    )


def _is_text_of_a_value(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="repr" | "str" | "hash"), args=[value]):
            return bool(constants_of(value)) and not any(isinstance(part, ast.Name) for part in ast.walk(value))
        case _:
            return False
