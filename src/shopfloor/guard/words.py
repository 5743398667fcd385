"""A small strict reader of shell text: simple commands and what joins them, or None for anything else.

It understands quotes, `&&`, `||`, `;`, `|` and the few redirections that write nothing. All that it does not know
is refused, never skipped, so that no reading of ours can differ from a shell's. It does not know what programs do.
"""

import re
from typing import TypeAlias

from shopfloor.domain.fact import Fact


class Word(Fact):
    """One word as the program will see it; `globbed` when a shell may first turn it into several file names."""

    text: str
    globbed: bool = False


Command: TypeAlias = tuple[Word, ...]

_BLANK = re.compile(r" +")
_JOIN = re.compile(r"&&|\|\||;|\|")
_HARMLESS = re.compile(r"(?:[12]?>>? ?/dev/null|< ?/dev/null|2>&1|1?>&2)(?= |;|\||&&|$)")
# `&>` is absent on purpose: bash reads `ls &>/dev/null rm x` as one command, dash as two.
_PIECE = re.compile(
    r"""(?P<plain>[A-Za-z0-9_./,:=+@%^~-]+)
      | '(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\$`]|\\[ -~])*)"
      | \\(?P<escaped>[!-~])
      | (?P<glob>[*?])""",
    re.VERBOSE,
)
_KEPT_ESCAPE = re.compile(r'\\([$`"\\])')


def simple_commands(text: str) -> tuple[Command, ...] | None:
    """The commands of a line in order, or None when any of it is not understood."""
    if not text.isprintable():
        return None
    commands: list[Command] = []
    words: list[Word] = []
    at = 0
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
        elif join := _JOIN.match(text, at):
            if not words:
                return None
            commands.append(tuple(words))
            words = []
            at = join.end()
        elif harmless := _HARMLESS.match(text, at):
            at = harmless.end()
        elif word := _word(text, at):
            words.append(word[0])
            at = word[1]
        else:
            return None
    return (*commands, tuple(words)) if words else None


def _word(text: str, at: int) -> tuple[Word, int] | None:
    """The word that starts here and where it ends, or None when a shell would see more in it than we do."""
    pieces: list[str] = []
    globbed = False
    start = at
    if text[at] == "~":
        return None
    while piece := _PIECE.match(text, at):
        globbed = globbed or piece["glob"] is not None
        pieces.append(_meaning(piece))
        at = piece.end()
    ended = at == len(text) or text[at] in " ;|&"
    return (Word(text="".join(pieces), globbed=globbed), at) if at > start and ended else None


def _meaning(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return _KEPT_ESCAPE.sub(r"\1", piece["double"])
    return piece["plain"] or piece["single"] or piece["escaped"] or piece["glob"] or ""
