"""The constants of an expression, whatever it is built of: by them, what a test asks is set beside what a source holds.

Arguments that were written into a text, as the keys of a table may be, are read out of it again. It does not know what
is made of them.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar, cast

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed

Found = TypeVar("Found")


class Values(Fact):
    """Some constants, in no order; what holds them makes no difference."""

    counted: tuple[tuple[str, int], ...]

    @property
    def says_something(self) -> bool:
        """Whether it is more than a letter for a letter: a short table of those is how many things are built."""
        words = [word for word, _ in self.counted if word not in ("True", "False", "None")]
        return sum(number for _, number in self.counted) > 2 or any(len(word.strip("'\"-")) > 1 for word in words)

    @property
    def weight(self) -> float:
        """How unlikely it is that somebody else writes down the same by chance."""
        return sum(_weight(word) * min(number, 3) for word, number in self.counted)


_PLAIN = re.compile(r"b?['\"][\w.:/#-]*['\"]|-?\d+")


def _weight(word: str) -> float:
    if word in ("None", "True", "False", "Ellipsis", "''", "b''"):
        return 0
    if not _PLAIN.fullmatch(word):
        return 2
    return 0.25 if len(word.strip("-b'\"")) < 2 else 1


def values_of(constants: Sequence[object]) -> Values:
    return Values(counted=tuple(sorted(Counter(in_order(constants)).items())))


def in_order(constants: Sequence[object]) -> tuple[str, ...]:
    """The constants as they are written."""
    return tuple(_plainly(leaf) for value in constants for leaf in _leaves(value))


def _plainly(value: object) -> str:
    """As the value is written; a number in one way, whatever its kind."""
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)


def says_of(texts: Iterable[str]) -> frozenset[str]:
    """All that some sources spell out."""
    trees = (parsed(text) for text in texts)
    return frozenset(word for tree in trees if tree is not None for word in in_order(constants_of(tree)))


def constants_of(node: ast.AST) -> list[object]:
    """Every constant in an expression, with the sign of numbers."""
    match node:
        case ast.Constant(value=value):
            return [value]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return [-value]
        case _:
            return [value for child in ast.iter_child_nodes(node) for value in constants_of(child)]


def as_far_as_it_goes(found: Iterator[Found]) -> Iterator[Found]:
    """What is found before an expression comes that is too deep to be read."""
    with suppress(RecursionError):
        yield from found


def _leaves(value: object) -> list[object]:
    """The values in a text that holds arguments, as a table's keys may be written; of anything else, itself."""
    if not isinstance(value, str) or len(value) < 2 or value[0] not in "([{'":
        return [value]
    tree = parsed(value)
    if tree is not None and len(tree.body) == 1:
        return [leaf for one in constants_of(tree.body[0]) for leaf in _leaves(one)]
    try:
        return _in_json(json.loads(value))
    except (ValueError, RecursionError):
        return [value]


def _in_json(value: object) -> list[object]:
    match value:
        case dict():
            return _in_json(list(cast("dict[str, object]", value).values()))
        case list():
            return [leaf for one in cast("list[object]", value) for leaf in _in_json(one)]
        case _:
            return [value]
