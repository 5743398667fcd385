"""Merges two commits into a third without any work tree. It does not know which branch will point to the result."""

from shopfloor.domain.fact import Fact
from shopfloor.repo.git import Git, problem_of


class Conflict(Fact, tag="Conflict"):
    """Two commits that cannot be merged without a person or a worker; nothing was changed. Paths are sorted."""

    paths: tuple[str, ...]


async def merge_commits(git: Git, ours: str, theirs: str, message: str) -> str | Conflict:
    """Makes the commit that merges `theirs` into `ours`; no ref and no file moves.

    The same two commits and message always give the same hash, so doing it again after a crash changes nothing.
    """
    merged = await git("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs, check=False)
    match merged.exit_code:
        case 0:
            return await _join(git, merged.items[0], (ours, theirs), message)
        case 1:
            return Conflict(paths=tuple(sorted(set(merged.items[1:]))))
        case _:
            raise problem_of(("merge-tree", ours, theirs), merged)


async def _join(git: Git, tree: str, parents: tuple[str, str], message: str) -> str:
    dates = await git("show", "--no-patch", "--format=%ct", *parents)
    date = f"@{max(int(date) for date in dates.text.split())} +0000"
    dated = git.under(GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    ours, theirs = parents
    return (await dated("commit-tree", tree, "-p", ours, "-p", theirs, "-m", message)).text
