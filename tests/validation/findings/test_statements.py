"""Which statements a change touches: what a test run can tell something of, and nothing else."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.statements import changed_statements

BEFORE = '''\
"""What it is."""

import os


def one(a):
    return a
'''


def lines(before: str | None, after: str, path: str = "app.py") -> list[tuple[int, str]]:
    change = Change(path=path, before=before, after=after)
    return [(statement.line, statement.function) for statement in changed_statements(change)]


def test_only_what_is_new_or_different_counts() -> None:
    """A line that moved is no change; one that says something else is, and so is what it belongs to."""
    after = BEFORE.replace("import os\n", "import os\nimport sys\n\nLIMIT = 3\n").replace("return a", "return a + 1")

    assert lines(BEFORE, after) == [(6, ""), (10, "one")]
    assert lines(BEFORE, BEFORE.replace("import os", "# Nothing.\n\nimport os")) == []


def test_what_does_nothing_when_it_runs_is_no_statement() -> None:
    """Docstrings, imports, annotations, what only a type checker reads, and what is there to be overridden."""
    after = '''\
"""What it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import decimal
    SIZE = 3


class Shape:
    """A shape."""

    sides: int
    name: str = "shape"

    def area(self) -> decimal.Decimal:
        """How large it is."""
        raise NotImplementedError

    @overload
    def grow(self) -> None: ...

    def debug(self):
        print(self)  # pragma: no cover
        pass
'''
    assert lines(None, after) == [(16, "Shape")]


def test_heads_count_by_themselves() -> None:
    """A condition is a statement of its own, and so is each thing under it; a default belongs to its function."""
    after = """\
def walk(tree, depth=3):
    try:
        for node in tree:
            if node and (
                depth
            ):
                yield node
            elif depth: continue
    except ValueError:
        return
    finally:
        depth = 0
    match depth:
        case 0: pass
        case _: print(depth)
"""
    assert [line for line, _ in lines(None, after)] == [1, 3, 4, 7, 8, 8, 10, 12, 13, 15]
    assert [line for line, _ in lines(after.replace("                depth\n", "                tree\n"), after)] == [4]


@pytest.mark.parametrize("path", ["tests/test_app.py", "conftest.py", "setup.py", "app.js", "build/app.py"])
def test_only_the_product_counts(path: str) -> None:
    """Not tests, not what configures them, not what a tool wrote, no other language."""
    assert lines(None, "LIMIT = 3\n", path) == []


def test_what_cannot_be_read_holds_none() -> None:
    """Nor does a file that is gone."""
    assert lines(None, "def broken(:\n") == []
    assert changed_statements(Change(path="app.py", before="LIMIT = 3\n", after=None)) == ()
