"""The rows of a table that a Python test goes through: by a loop, by a comprehension, or as the cases it is run for.

A table may stand where it is used, or under a name above. It does not know what is asserted of a row.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from shopfloor.repo.python import unparsed

Tables = Mapping[str, tuple[str, ...]]
_LEAVE_ALL = ("sorted", "list", "tuple", "set", "enumerate", "reversed", "iter", "zip", "items", "values", "keys")


def tables_of(body: Iterable[ast.stmt]) -> dict[str, tuple[str, ...]]:
    """The rows of each list, tuple or mapping that these statements give a name."""
    found: dict[str, tuple[str, ...]] = {}
    for node in body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                rows = _written_out(value)
                found.pop(name, None)
                found |= {} if rows is None else {name: rows}
            case _:
                for name in [one for one in found if _cuts(node, one)]:
                    del found[name]
    return found


def _cuts(node: ast.stmt, name: str) -> bool:
    """Whether a statement takes something out of a table, or puts another in its place."""
    text = unparsed(node) if isinstance(node, ast.Assign | ast.Delete | ast.Expr | ast.AugAssign) else ""
    return re.match(rf"(?:del )?{name}(?:\[[^=]*| = .*|\.(?:pop|clear|remove)\(.*)$", text) is not None


def rows_of(node: ast.expr, tables: Tables) -> tuple[str, ...] | None:
    """What is gone through, row by row; None where it is no table, or only some of one."""
    match node:
        case ast.Name(id=name):
            return tables.get(name)
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[]) if name in _LEAVE_ALL:
            return rows_of(value, tables)
        case ast.Call(func=ast.Name(id=name), args=args) if name in _LEAVE_ALL:
            found = [rows for one in args if (rows := rows_of(one, tables)) is not None]
            return tuple(row for rows in found for row in rows) if found else None
        case _:
            return _written_out(node)


def gone_through(body: Iterable[ast.stmt]) -> Iterator[ast.expr]:
    """What loops and comprehensions go through without leaving any of it out."""
    for node in (one for statement in body for one in ast.walk(statement)):
        if isinstance(node, ast.For | ast.AsyncFor) or (isinstance(node, ast.comprehension) and not node.ifs):
            yield node.iter


def _written_out(node: ast.expr) -> tuple[str, ...] | None:
    match node:
        case ast.List(elts=rows) | ast.Tuple(elts=rows) | ast.Set(elts=rows):
            return tuple(map(unparsed, rows))
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return tuple(f"{unparsed(key) if key else '**'}: {unparsed(value)}" for key, value in pairs)
        case _:
            return None
