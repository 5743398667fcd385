"""A list of paths as a tree of limited depth. Pure: it does not know files."""

from collections.abc import Iterable, Iterator

from shopfloor.domain.fact import Fact


class Folder(Fact):
    """A folder's own files, its folders by name, and how many files are in it at any depth."""

    size: int
    files: tuple[str, ...] = ()
    folders: tuple[tuple[str, "Folder"], ...] = ()


def folder_of(paths: Iterable[str], depth: int) -> Folder:
    """The folder that holds these relative paths; what lies deeper than `depth` is only counted."""
    known = sorted(set(filter(None, paths)))
    if depth < 1:
        return Folder(size=len(known))
    below: dict[str, list[str]] = {}
    for path in known:
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, []).append(rest)
    return Folder(
        size=len(known),
        files=tuple(path for path in known if "/" not in path),
        folders=tuple((name, folder_of(rest, depth - 1)) for name, rest in sorted(below.items())),
    )


def drawn(folder: Folder, indent: str = "") -> Iterator[str]:
    """Its lines: folders first; those whose inside is not known only as a count of files."""
    for name, below in folder.folders:
        if below.files or below.folders:
            yield f"{indent}{name}/"
            yield from drawn(below, indent + "  ")
        else:
            yield f"{indent}{name}/ ({below.size:,} file{'' if below.size == 1 else 's'})"
    for name in folder.files:
        yield f"{indent}{name}"
