"""Tests and what each of them asserts, so that two versions of a file can be compared.

What both assert is compared by `strength.py`. It does not know which changes are allowed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from shopfloor.domain.fact import Fact
from shopfloor.validation.findings.strength import Statement, unreplaced


class Case(Fact):
    """A test, or a helper of tests: where it is, its own name, how often it asserts what, and what it speaks of."""

    name: str
    asserted: Mapping[Statement, int]
    is_test: bool = True
    words: frozenset[str] = frozenset()


class Unreadable(Fact):
    """A test file that cannot be parsed any more."""


def lost(before: Iterable[Case], after: Iterable[Case]) -> tuple[Case, ...]:
    """Tests that are no longer there, or are no tests any more."""
    names = {case.name for case in after if case.is_test}
    return tuple(case for case in before if case.is_test and case.name not in names)


def still_there(before: Iterable[Case], after: Iterable[Case]) -> list[tuple[Case, Case]]:
    """Each test and helper with what stands under its name now."""
    now = {case.name: case for case in after}
    return [(case, now[case.name]) for case in before if case.name in now]


def found_again(case: Case, elsewhere: Iterable[Case]) -> bool:
    """Whether a test that was lost stands somewhere else, under its own name and asserting as much."""
    own = _own_name(case.name)
    return any(
        _own_name(one.name) == own and one.is_test and not Counter(case.asserted) - Counter(one.asserted)
        for one in elsewhere
    )


def renamed(case: Case, fresh: Iterable[Case]) -> bool:
    """Whether a new test asserts all that a lost one did, or has a name like its own and asserts as much."""
    return any(one.is_test and _takes_the_place(one, case) for one in fresh)


def _takes_the_place(new: Case, old: Case) -> bool:
    if old.asserted and not Counter(old.asserted) - Counter(new.asserted) and _overlap(old.words, new.words) > ALIKE:
        return True
    alike = SequenceMatcher(None, _own_name(old.name), _own_name(new.name)).ratio() > ALIKE
    return alike and not unreplaced(old.asserted, new.asserted)[0]


ALIKE = 0.7
"""How much two names, or what two tests speak of, must have in common for one to be the other under a new name."""


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _own_name(name: str) -> str:
    return name.rpartition(".")[2]
