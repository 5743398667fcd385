"""One file of a change, as texts: what all findings about a change are made from. Pure."""

import re
from collections import Counter

from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Finding, Severity


class Change(Fact):
    """One file of a change: its text before and after, None where it does not exist (or is no text)."""

    path: str
    before: str | None
    after: str | None


class Line(Fact):
    """A line of a file, and which it is, from 1."""

    number: int
    text: str


def added_lines(change: Change) -> list[str]:
    """Lines that are there now and were not, wherever they stand."""
    return [line.text for line in lines_added(change)]


def lines_added(change: Change) -> list[Line]:
    """The same, each with its place."""
    before = Counter((change.before or "").splitlines())
    lines: list[Line] = []
    for number, text in enumerate((change.after or "").splitlines(), 1):
        if before[text] > 0:
            before[text] -= 1
        else:
            lines.append(Line(number=number, text=text))
    return lines


def words_in(text: str) -> list[str]:
    """Everything in a text that could be a name, as often as it stands there."""
    return _WORD.findall(text)


_WORD = re.compile(r"[A-Za-z_]\w*")


def finding(check: str, severity: Severity, change: Change, text: str) -> Finding:
    """What is said of a file."""
    return Finding(check=check, severity=severity, text=text, path=change.path)
