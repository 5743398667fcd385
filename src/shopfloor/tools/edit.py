"""Exact replacement in a text, and words that help when it does not fit. Pure: it does not know files."""

from difflib import get_close_matches
from itertools import islice

from msgspec.structs import replace

from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.fact import Fact

_MOST_LINES = 6_000
"""Searching likely lines in more than this takes too long."""


class Edited(Fact):
    """The new text, and the lines where it changed, or where `new` was found to be `already`."""

    text: str
    lines: tuple[int, ...]
    already: bool = False


def edit(text: str, old: str, new: str, every: bool = False) -> Edited:
    """Replaces `old` by `new`; once, and then it must be the only one, or everywhere.

    Text with CRLF line ends keeps them: `old` and `new` may be written with plain line ends.
    Raises AskModelAgain with what was found instead.
    """
    if not old:
        raise AskModelAgain("`old` is empty; to make a file or replace all of it use write")
    if old == new:
        raise AskModelAgain("`old` and `new` are the same; nothing would change")
    if crlf(text):
        edited = edit(_lf(text), _lf(old), _lf(new), every)
        return replace(edited, text=edited.text.replace("\n", "\r\n"))
    lines = _lines_of(text, old)
    # Where every `old` stands inside a `new`, it was done before: by a call that a crash cut off, most likely.
    if lines and old in new and old not in text.replace(new, "\0"):
        return Edited(text=text, lines=_lines_of(text, new), already=True)
    if not lines:
        return _already(text, old, new)
    if len(lines) > 1 and not every:
        raise AskModelAgain(f"`old` is there {len(lines)} times, {_at(lines)}: add lines around it, or set all to true")
    return Edited(text=text.replace(old, new), lines=lines)


def settles(old: str, new: str) -> bool:
    """Whether the edit, done twice by accident, is sure to find nothing the second time.

    True when no text around `new` can make an `old` appear: neither holds the other, and their ends do not dovetail.
    """
    if not new or old in new or new in old:
        return False
    overlaps = range(1, min(len(old), len(new)))
    return not any(old.startswith(new[-n:]) or old.endswith(new[:n]) for n in overlaps)


def crlf(text: str) -> bool:
    """Whether all its line ends are CRLF."""
    return "\r\n" in text and text.count("\n") == text.count("\r\n") == text.count("\r")


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n")


def _lines_of(text: str, part: str) -> tuple[int, ...]:
    """The lines where `part` begins, counted as str.replace counts."""
    lines: list[int] = []
    line, at = 1, 0
    while (found := text.find(part, at)) >= 0:
        line += text.count("\n", at, found)
        lines.append(line)
        line += part.count("\n")
        at = found + len(part)
    return tuple(lines)


def _already(text: str, old: str, new: str) -> Edited:
    rows = text.split("\n")
    spaced = _but_for_spaces(rows, old)
    if spaced:
        raise AskModelAgain(f"`old` is not in the file. Only spaces differ; the file has:\n{_shown(rows, spaced)}")
    there = _lines_of(text, new) if new.strip() else ()
    if there:
        return Edited(text=text, lines=there, already=True)
    near = _near(rows, next((row for row in old.split("\n") if row.strip()), ""))
    closest = f"The closest lines are:\n{_shown(rows, near)}" if near else "Nothing like it is there; read it again."
    raise AskModelAgain(f"`old` is not in the file. {closest}")


def _but_for_spaces(rows: list[str], old: str) -> range:
    """The lines that say the same as `old` in other spaces; an empty range if none do."""
    wanted = [row.split() for row in old.strip("\n").split("\n")]
    squeezed = [row.split() for row in rows]
    for at in range(len(rows) - len(wanted) + 1) if any(wanted) else ():
        if squeezed[at : at + len(wanted)] == wanted:
            return range(at, at + len(wanted))
    return range(0)


def _near(rows: list[str], wanted: str) -> list[int]:
    """Where the lines stand that are most like the first line of what was looked for."""
    first_of: dict[str, int] = {}
    for at, row in enumerate(islice(rows, _MOST_LINES)):
        first_of.setdefault(row[:500], at)
    return sorted(first_of[row] for row in get_close_matches(wanted[:500], first_of, n=3, cutoff=0.6))


def _shown(rows: list[str], which: range | list[int]) -> str:
    return "\n".join(f"{at + 1}\t{rows[at][:500]}" for at in list(which)[:30])


def _at(lines: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, lines[:20]))
    return f"at lines {shown}" + (", ..." if len(lines) > 20 else "")
