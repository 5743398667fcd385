"""What differs between two commits, as values. It does not know which differences matter."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from shopfloor.domain.errors import Broken
from shopfloor.domain.fact import Fact

Status: TypeAlias = Literal["added", "modified", "deleted", "retyped"]

_STATUS: dict[str, Status] = {"A": "added", "M": "modified", "D": "deleted", "T": "retyped"}

SYMLINK = "120000"
SUBMODULE = "160000"


class ChangedFile(Fact):
    """A path that two commits disagree on. A rename is a deletion and an addition: nothing hides behind a new name.

    `retyped` is a file that became a symlink, or the like. Line counts are None for what is no text.
    """

    path: str
    status: Status
    lines_added: int | None
    lines_removed: int | None
    mode_before: str
    mode_after: str


class TreeEntry(Fact):
    """One file of a commit: git's mode, kind and hash of it."""

    path: str
    mode: str
    kind: str
    hash: str


def parse_changes(raw: Sequence[str], numbers: Sequence[str]) -> tuple[ChangedFile, ...]:
    """Joins the outputs of `diff --raw -z` and `diff --numstat -z`, both made without rename detection."""
    counts = {path: (_count(added), _count(removed)) for added, removed, path in (_three(line) for line in numbers)}
    changes: list[ChangedFile] = []
    for meta, path in zip(raw[::2], raw[1::2], strict=True):
        before, after, _, _, letter = meta.removeprefix(":").split(" ")
        added, removed = counts.get(path, (0, 0))
        changes.append(
            ChangedFile(
                path=path,
                status=_status(letter, path),
                lines_added=added,
                lines_removed=removed,
                mode_before=before,
                mode_after=after,
            )
        )
    return tuple(changes)


def parse_tree(items: Sequence[str]) -> tuple[TreeEntry, ...]:
    """The output of `ls-tree -z`."""
    entries: list[TreeEntry] = []
    for item in items:
        meta, _, path = item.partition("\t")
        mode, kind, hash_ = meta.split()
        entries.append(TreeEntry(path=path, mode=mode, kind=kind, hash=hash_))
    return tuple(entries)


def is_dangerous(path: str) -> bool:
    """Whether a path, checked out, could leave the checkout or write into git's own folder."""
    return any(part in ("", ".", "..") or part.casefold() in (".git", "git~1") for part in path.split("/"))


def _status(letter: str, path: str) -> Status:
    if letter not in _STATUS:
        raise Broken(f"git gave {path!r} the status {letter!r}, which shopfloor does not know")
    return _STATUS[letter]


def _three(line: str) -> tuple[str, str, str]:
    added, removed, path = line.split("\t", 2)
    return added, removed, path


def _count(number: str) -> int | None:
    return None if number == "-" else int(number)
