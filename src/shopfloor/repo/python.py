"""Reads Python that strangers wrote: what cannot be read is a value, never an exception.

A source may be valid and still be too deep or too long for the parser. It does not know what is looked for in it.
"""

import ast
from functools import lru_cache

_TOO_MUCH = (SyntaxError, ValueError, RecursionError, MemoryError)
RECENT = 16
"""Texts that are kept as they were read."""
TRIES = 3
"""CPython before 3.11.8 and 3.12.1 miscounts its own depth when another parse comes between (gh-106905)."""


def parsed(text: str) -> ast.Module | None:
    """The module, without a byte-order mark before it; None where it cannot be parsed."""
    for left in reversed(range(TRIES)):
        try:
            return ast.parse(text.removeprefix("\ufeff"))
        except _TOO_MUCH:
            return None
        except SystemError:
            if not left:
                raise
    return None


def unparsed(node: ast.AST) -> str:
    """A node in normal form; "" where it is too deep or too long to be written."""
    try:
        return ast.unparse(node)
    except _TOO_MUCH:
        return ""


@lru_cache(maxsize=RECENT)
def read(text: str) -> ast.Module:
    """The module, an empty one where it cannot be parsed; asked again and again of the same few texts, so never to be
    changed."""
    return parsed(text) or ast.Module(body=[], type_ignores=[])
