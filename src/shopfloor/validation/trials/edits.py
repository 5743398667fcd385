"""Insertions into a Python source at its nodes: all else stays as it was written, and lines keep their numbers.

It does not know why anything is put in. Pure.
"""

import ast

COMPOUND = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.AsyncFor, ast.While),
    *(ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match),
)
"""Statements that hold others: nothing can stand before one on its line."""


class Edits:
    """Insertions into a text, made all at once. It is the one whose nodes are named: without a byte-order mark."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()
        self._line_starts = [0]
        for line in self._text.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))
        self._insertions: list[tuple[int, int, str]] = []

    def wrap(self, node: ast.expr, before: str, after: str) -> None:
        """Puts an expression between two texts."""
        self._insert(self._start(node), before)
        self._insert(self._end(node), after)

    def end_with(self, block: list[ast.stmt], words: str) -> None:
        """Makes a statement the last of a block, before one that leaves it. Lines keep their numbers where they can."""
        last = block[-1]
        if isinstance(last, ast.Return | ast.Raise):
            self.begin_with(last, f"{words}; ")
        elif isinstance(last, COMPOUND):
            self._insert(self._end(last), f"\n{self._indentation(block[0])}{words}")
        else:
            self._insert(self._end(last), f"; {words}")

    def begin_with(self, node: ast.stmt, words: str) -> None:
        """Puts words before a simple statement."""
        self._insert(self._start(node), words)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node begins and ends, in bytes."""
        return self._start(node), self._end(node)

    def apply(self) -> str:
        """The text with all of them; of two at one place, the one made first comes first."""
        done = self._text
        for place, _, words in sorted(self._insertions, reverse=True):
            done = done[:place] + words.encode() + done[place:]
        return done.decode()

    def _insert(self, place: int, words: str) -> None:
        self._insertions.append((place, len(self._insertions), words))

    def _indentation(self, first: ast.stmt) -> str:
        """What stands before the first statement of a block."""
        definition = isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        top = min([first.lineno, *(one.lineno for one in (first.decorator_list if definition else ()))])
        return self._text[self._line_starts[top - 1] :][: first.col_offset].decode()

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._line_starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._line_starts[node.end_lineno - 1] + node.end_col_offset
