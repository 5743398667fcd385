"""One file of a change, as texts: what all findings about a change are made from. Pure."""

from collections import Counter

from shopfloor.domain.fact import Fact


class Change(Fact):
    """One file of a change: its text before and after, None where it does not exist (or is no text)."""

    path: str
    before: str | None
    after: str | None


def added_lines(change: Change) -> list[str]:
    """Lines that are there now and were not, wherever they stand."""
    before = Counter((change.before or "").splitlines())
    lines: list[str] = []
    for line in (change.after or "").splitlines():
        if before[line] > 0:
            before[line] -= 1
        else:
            lines.append(line)
    return lines
