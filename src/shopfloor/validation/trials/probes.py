"""Gives a source probes: calls before its statements that write down which test passed by. Pure.

Nothing is asked of the repository's own tools, and lines keep their numbers where the language lets them. It does not
know which statements are worth a probe.
"""

import ast
from collections.abc import Mapping

from shopfloor.repo.python import parsed
from shopfloor.validation.findings.statements import Statement, heads
from shopfloor.validation.trials.edits import COMPOUND, Edits

_NAME = "_shopfloor"


def with_probes(text: str, probes: Mapping[int, Statement], folder: str) -> str | None:
    """The source with a numbered probe at each of these statements of it; None where it would be no Python any more.

    `folder` is where the probe lies when the source is run, and where it writes.
    """
    text = text.removeprefix("\ufeff")
    tree = parsed(text)
    if tree is None:
        return None
    edits = Edits(text)
    begin = _begin_with(edits, tree.body, f'{_NAME} = {{"FOLDER": {folder!r}}}; {_LOAD.format(f"{folder}/probe.py")}')
    for number, statement in probes.items():
        _place(edits, statement.node, f'{_NAME}["at"]({number})')
    changed = begin + edits.apply()
    return None if parsed(changed) is None else changed


_LOAD = f'exec(__import__("pathlib").Path({{!r}}).read_bytes(), {_NAME})'


def _begin_with(edits: Edits, body: list[ast.stmt], words: str) -> str:
    """Puts words after what must stay at the top; what could not be put on a line that is there is given back."""
    top = [node for place, node in enumerate(body) if _stays_at_the_top(node, place)]
    if top:
        edits.end_with([top[-1]], words)
    elif body and not isinstance(body[0], COMPOUND):
        edits.begin_with(body[0], f"{words}; ")
    else:
        return f"{words}\n"
    return ""


def _stays_at_the_top(node: ast.stmt, place: int) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return place == 0
        case ast.ImportFrom(module="__future__"):
            return True
        case _:
            return False


def _place(edits: Edits, node: ast.stmt, call: str) -> bool:
    """Puts a call before a statement, into its head, or for a function before the first thing that it does."""
    match node:
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body) | ast.Try(body=body) | ast.TryStar(body=body):
            return any(_place(edits, inner, call) for inner in body)
        case ast.ClassDef() | ast.Expr(value=ast.Constant()):
            return False
        case _ if isinstance(node, COMPOUND):
            (head, *_) = heads(node)
            assert isinstance(head, ast.expr)
            edits.wrap(head, f"({call} or (", "))")
        case _:
            edits.begin_with(node, f"{call}; ")
    return True
