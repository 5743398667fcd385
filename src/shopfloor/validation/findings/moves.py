"""Tests that stand in another place than before: in another file, or in another part of their own.

Pure, over the texts of a change. It does not know whether a runner runs them there.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.cases import Case, Unreadable, found_again, lost
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.reading import cases

_PROSE = (".md", ".rst")


def moved(changes: Collection[Change]) -> Mapping[str, tuple[str, ...]]:
    """Test files that are gone, and where all of their tests stand now, asserting as much; not whether they run."""
    gone = [change for change in changes if change.after is None and change.before is not None]
    places = {change.path: _stands_now(change, changes) for change in gone}
    return {path: found for path, found in places.items() if found}


def moved_to(changes: Collection[Change]) -> tuple[str, ...]:
    """Files in which tests stand that stood in others before: each must be run where it is."""
    gone: list[Case] = []
    for change in changes:
        if in_tests(change.path) and change.before is not None:
            now = readable(change.path, change.after) if change.after is not None else ()
            gone += lost(readable(change.path, change.before), now)
    places = {place for found in moved(changes).values() for place in found}
    places |= {
        change.path
        for change in changes
        if change.after is not None and any(found_again(case, fresh_cases((change,))) for case in gone)
    }
    return tuple(sorted(places))


def _stands_now(change: Change, changes: Collection[Change]) -> tuple[str, ...]:
    for other in changes:
        same = other.before is None and other.after == change.before
        if same and is_test(other.path) and _is_named_alike(other.path, change.path):
            return (other.path,)
    waiting = [case for case in readable(change.path, change.before or "") if case.is_test]
    places: list[str] = []
    for other in changes if waiting else ():
        fresh = fresh_cases((other,)) if _is_named_alike(other.path, change.path) else ()
        if found := [case for case in waiting if found_again(case, fresh)]:
            places.append(other.path)
            waiting = [case for case in waiting if case not in found]
    return () if waiting else tuple(places)


def _is_named_alike(path: str, other: str) -> bool:
    """Whether runners that collect by name look at one where they looked at the other."""
    same = PurePosixPath(path).suffix == PurePosixPath(other).suffix
    return same and (is_looked_at(path) or not is_looked_at(other))


def is_looked_at(path: str) -> bool:
    """Whether runners collect a file by its name, where they go by that."""
    where = PurePosixPath(path)
    return where.suffix != ".py" or where.stem.startswith("test") or where.stem.endswith(("_test", "tests"))


def fresh_cases(changes: Collection[Change]) -> tuple[Case, ...]:
    """Tests that were not there before: where a moved one may be found again."""
    fresh: list[Case] = []
    for change in changes:
        if in_tests(change.path) and change.after is not None:
            fresh += lost(readable(change.path, change.after), readable(change.path, change.before or ""))
    return tuple(fresh)


def holds_tests(path: str, text: str) -> bool:
    """Whether a file holds tests, as far as we can read it."""
    return any(case.is_test for case in readable(path, text))


def in_tests(path: str) -> bool:
    """Rust keeps tests in the sources themselves."""
    return path.endswith(".rs") or (is_test(path) and not path.endswith(_PROSE))


def readable(path: str, text: str) -> Sequence[Case]:
    found = cases(path, text)
    return () if isinstance(found, Unreadable) else found
