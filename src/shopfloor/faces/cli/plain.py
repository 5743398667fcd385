"""Words of others, a model's among them, made fit for a terminal: nothing in them can steer it.

It does not know how they are laid out.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from shopfloor.domain.fact import Fact

F = TypeVar("F", bound="Fact")


def typed(words: str) -> str:
    """What a person typed as UTF-8, also where the locale knows no such thing and left bytes among the signs."""
    return words.encode(errors="surrogateescape").decode(errors="replace")


def counted(count: int, noun: str) -> str:
    """So many of something."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def title_of(brief: str) -> str:
    """The first line of a brief, without the marks of a heading in Markdown."""
    first = brief.strip().splitlines()[0]
    return re.sub(r"^#{1,6}\s+(.*?)(\s+#+)?\s*$", r"\1", first)


def shortened(text: str, width: int) -> str:
    """The text within so many signs, with a mark where it was cut."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def plain(text: str) -> str:
    """The text on one line, with a space for each sign that cannot be seen."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def plain_lines(text: str) -> str:
    """The same, but lines stay lines."""
    return "\n".join(plain(line.expandtabs()) for line in text.split("\n"))


def plain_fact(fact: F) -> F:
    """A fact with all the texts in it made plain, its line breaks kept."""
    import msgspec  # not for `--help`, which needs no fact

    return msgspec.convert(_plainly(msgspec.to_builtins(fact)), type(fact))


def _plainly(value: Any) -> Any:
    if isinstance(value, str):
        return plain_lines(value)
    if isinstance(value, list | tuple):
        return [_plainly(one) for one in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        return {key: _plainly(one) for key, one in cast("dict[str, Any]", value).items()}
    return value
