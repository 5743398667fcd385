"""Files that Python cannot read: told where a change made them so, and only there."""

import pytest

from shopfloor.domain.mission import Finding
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.syntax import UNREADABLE, unreadable

GOOD, BROKEN = "def add(a, b):\n    return a + b\n", "x = 1\ndef broken(:\n    pass\n"


@pytest.mark.parametrize("before", [None, GOOD])
def test_what_python_cannot_read_is_told_with_its_line(before: str | None) -> None:
    """Also where no test imports it; it refuses nobody, for another Python may read it."""
    found = unreadable([Change(path="calc.py", before=before, after=BROKEN)])

    assert [(one.check, one.path, one.line, one.refuses) for one in found] == [(UNREADABLE, "calc.py", 2, False)]
    assert "cannot read this file: invalid syntax" in found[0].text


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("calc.py", GOOD, GOOD + "\n# more\n"),
        ("calc.py", None, "\ufeff" + GOOD),
        ("calc.py", BROKEN, BROKEN + "\n"),
        ("calc.py", GOOD, None),
        ("calc.txt", None, BROKEN),
        ("calc.py", None, "x = " + "-" * 50_000 + "1"),
        ("calc.py", None, "x = 'a\0b'"),
    ],
    ids=["good", "byte-order mark", "broken before", "deleted", "no Python", "too deep", "no text"],
)
def test_nothing_else_is_told(path: str, before: str | None, after: str | None) -> None:
    """Not of what was so before, nor of what only our own parser cannot take."""
    found: tuple[Finding, ...] = unreadable([Change(path=path, before=before, after=after)])

    assert found == ()
