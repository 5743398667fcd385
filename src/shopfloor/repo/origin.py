"""The person's own repository: what is read from it, and the few things that are ever put into it.

Whatever happens here leaves the person's files, index, stash and branches as they were, except the one branch that is
delivered and, by policy, the one target that is merged. It does not know what a mission is beyond its id.
"""

import shlex
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shopfloor.domain.errors import GiveUp, NeedsHuman
from shopfloor.domain.fact import Fact
from shopfloor.repo.git import Git, problem_of, users_git
from shopfloor.repo.merge import Conflict, merge_commits

_UNFINISHED = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}

_FETCH = (
    *("-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
    *("--no-auto-maintenance", "--no-recurse-submodules", "--refmap="),
)


class Head(Fact):
    """Where the person stands: the branch (None when detached) and the commit."""

    branch: str | None
    commit: str


class Merged(Fact, tag="Merged"):
    """The target now contains the work, at `commit`."""

    commit: str


class Refused(Fact, tag="Refused"):
    """The target was left alone, and why; a person can merge when the reason is gone."""

    why: str


def merge_command(branch: str, target: str = "", *, carried: bool = False) -> str:
    """What a person types to merge `branch`; with `target`, from wherever they stand.

    Work that was `carried` along comes back with the merge, so git would refuse it while it lies in the work tree: it
    goes into the stash, where it stays until the person drops it.
    """
    stash = "git stash --include-untracked && " if carried else ""
    switch = f"git switch {shlex.quote(target)} && " if target else ""
    return f"{stash}{switch}git merge --no-ff {shlex.quote(branch)}"


def unaccepted_ref(mission: str) -> str:
    """Where a person's repository keeps what a mission made and nobody accepted."""
    return f"refs/shopfloor/{mission}/unaccepted"


_MAIN_BRANCHES = ("refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master", "refs/heads/trunk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The person's repository, seen from one of its work trees."""

    top: Path
    git_dir: Path
    objects: Path
    object_format: str
    shallow: Path | None
    """The file that says where history was cut off; None for a whole history."""
    remarks: tuple[str, ...]
    """What a person should know of this repository before work starts: shallow history, submodules."""
    git: Git

    @classmethod
    async def open(cls, path: Path) -> "Origin":
        """Finds the repository that `path` lies in. GiveUp says in clear words why work cannot start there."""
        folder = path.resolve()
        if not folder.is_dir():
            raise GiveUp(f"{str(path)!r} is no folder; name a folder inside a git repository")
        top = await _top_of(folder)
        git = users_git(top)
        git_dir, objects, shallow = [await _git_path(git, name) for name in (".", "objects", "shallow")]
        await _refuse_unfit(git, top, git_dir)
        cut = shallow if shallow.exists() else None
        return cls(
            top=top,
            git_dir=git_dir,
            objects=objects,
            object_format=(await git("rev-parse", "--show-object-format")).text,
            shallow=cut,
            remarks=await _remarks(git, top, cut),
            git=git,
        )

    async def head(self) -> Head:
        """The current branch and commit."""
        branch = await self.git("symbolic-ref", "--quiet", "--short", "HEAD", check=False)
        commit = await self.git("rev-parse", "--verify", "HEAD^{commit}")
        return Head(branch=branch.text or None, commit=commit.text)

    async def dirty(self) -> tuple[str, ...]:
        """Paths that differ from the current commit: staged, changed, deleted, or untracked and not ignored."""
        return await _status(self.git, "all")

    async def branch(self, name: str) -> str | None:
        """The commit a local branch points to; None if there is no such branch."""
        return await self.git.commit_of(f"refs/heads/{name}")

    async def show(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit; None if the commit has no such file."""
        shown = await self.git("cat-file", "blob", f"{commit}:{path}", check=False)
        return shown.out if shown.exit_code == 0 else None

    async def snapshot_commit(self) -> str:
        """A commit of the work tree as it is, on top of the current one; the current one if nothing differs.

        Made in a temporary index: the person's index, files, branch and stash stay untouched. Content of submodules
        and of repositories inside the repository is not carried.
        """
        head = await self.head()
        with TemporaryDirectory(prefix="shopfloor-index-") as folder:
            index = Path(folder) / "index"
            if (self.git_dir / "index").exists():
                # with its time: git looks again at files that changed in the very moment the index was written
                shutil.copy2(self.git_dir / "index", index)
            git = self.git.under(GIT_INDEX_FILE=str(index))
            added = await git("add", "--all", "--", ":/", check=False)
            if added.exit_code != 0:
                message = f"The uncommitted work in {str(self.top)!r} cannot be carried; commit or ignore it: "
                raise GiveUp(message + added.err.strip()[:600])
            tree = (await git("write-tree")).text
        if tree == (await self.git("rev-parse", "HEAD^{tree}")).text:
            return head.commit
        return (await self.git("commit-tree", tree, "-p", head.commit, "-m", "Uncommitted work, carried along")).text

    async def base_of_change(self, name: str, commit: str) -> str:
        """Where a change began: where it left `name`, else the main branch; on that branch itself, one commit before.

        GiveUp when there is no such revision, or nothing before.
        """
        head = (await self.head()).commit
        for candidate in (name,) if name else _MAIN_BRANCHES:
            tip = await self.git.commit_of(candidate)
            if tip is None:
                continue
            fork = await self.git("merge-base", tip, head, check=False)
            if fork.exit_code != 0:
                raise GiveUp(f"{candidate!r} and the current commit have no history in common; name another --base")
            if name or fork.text != head:
                return fork.text
        if name:
            raise GiveUp(f"There is no revision {name!r} in {str(self.top)!r}")
        if commit != head:
            return head
        before = await self.git.commit_of(f"{head}^")
        if before is None:
            way = "change something, or commit more, and that is reviewed"
            raise GiveUp(f"The current commit is the first one, so there is no change to review yet; {way}")
        return before

    async def holds(self, name: str, commit: str) -> bool:
        """Whether `commit` lies in the history of a branch or commit; uncommitted work carried along does not."""
        tip = await self.git.commit_of(name)
        return tip is not None and await self.git.contains(tip, commit)

    async def keep(self, mission: str, commit: str) -> None:
        """Holds on to the commit a mission starts from, so that no clean-up ever drops it. Idempotent."""
        await self.git("update-ref", f"refs/shopfloor/{mission}/base", commit)

    async def keep_unaccepted(self, mission: str, store: Path, commit: str) -> None:
        """Brings work that nobody accepted from the mission's store, under a ref that is no branch. Idempotent.

        No list of branches shows it, and no merge takes it but by its whole name.
        """
        await self.git(*_FETCH, str(store), commit)
        await self.git("update-ref", unaccepted_ref(mission), commit)

    async def deliver(self, mission: str, store: Path, commit: str) -> str:
        """Brings `commit` from the mission's store into the branch `shopfloor/MISSION`; the branch's name.

        Idempotent. Moves the branch only from where shopfloor itself left it, only forward, and never under a work
        tree; otherwise NeedsHuman says what is in the way, and nothing has changed.
        """
        branch = f"shopfloor/{mission}"
        delivered = f"refs/shopfloor/{mission}/delivered"
        current = await self.branch(branch)
        if current == commit and await self.git.commit_of(delivered) == commit:
            return branch
        await self.git(*_FETCH, str(store), commit)
        if current is not None and current != commit:
            await self._refuse_moved(branch, current, await self.git.commit_of(delivered), commit)
        await self._point(branch, commit, current, delivered)
        return branch

    async def merge(
        self, head: str, target: str, message: str, refuse: Callable[[str, str], Awaitable[str]]
    ) -> Merged | Conflict | Refused:
        """Merges a commit into the local branch `target`, always as a merge of its own. Idempotent.

        Where the target holds what `head` does not, `refuse` is asked with both, the target and the merge of the two,
        and says why not, or "". A target that someone has checked out is only touched when its work tree is clean.
        """
        old = await self.branch(target)
        if old is None:
            return Refused(why=f"there is no local branch {target!r}")
        if await self.git.contains(old, head):
            return Merged(commit=old)
        made = await merge_commits(self.git, old, head, message)
        if isinstance(made, Conflict):
            return made
        if not await self.git.contains(head, old) and (why := await refuse(old, made)):
            return Refused(why=why)
        place = await self._checked_out_at(target)
        if place is None:
            return await self._move_ref(target, made, old)
        return await _advance(place, target, made)

    async def _refuse_moved(self, branch: str, current: str, delivered: str | None, commit: str) -> None:
        name = f"Branch {branch!r} of {str(self.top)!r}"
        if current != delivered:
            why = f"{name} is at {current[:12]}, which shopfloor did not put there."
            raise NeedsHuman(f"{why} Rename or delete it to receive {commit[:12]}: what shall happen with it?")
        if not await self.git.contains(commit, current):
            why = f"{name} is at {current[:12]}, and {commit[:12]} does not build on it."
            raise NeedsHuman(f"{why} Rename or delete it to receive the new work: what shall happen with it?")
        if await self._checked_out_at(branch) is not None:
            raise NeedsHuman(f"{name} is checked out; switch to another branch so that {commit[:12]} can be put there.")

    async def _point(self, branch: str, commit: str, current: str | None, delivered: str) -> None:
        steps = (
            "start",
            f"update refs/heads/{branch} {commit} {current}" if current else f"create refs/heads/{branch} {commit}",
            f"update {delivered} {commit}",
            "commit",
        )
        words = "".join(f"{step}\n" for step in steps).encode()
        moved = await self.git("update-ref", "--stdin", stdin=words, check=False)
        if "cannot create" in moved.err:
            why = f"Branch {branch!r} cannot be made in {str(self.top)!r}: {moved.err.strip()[:300]}"
            raise NeedsHuman(f"{why}. Rename the branch that stands in the way.")
        if moved.exit_code != 0:
            raise problem_of(("update-ref", branch, commit), moved)

    async def _move_ref(self, target: str, new: str, old: str) -> Merged | Refused:
        moved = await self.git("update-ref", "-m", "shopfloor: merge", f"refs/heads/{target}", new, old, check=False)
        if moved.exit_code == 0:
            return Merged(commit=new)
        return Refused(why=f"{target!r} could not be moved: {moved.err.strip()[:300]}")

    async def _checked_out_at(self, branch: str) -> Path | None:
        """The work tree, among all of this repository's, that stands on `branch`."""
        place = ""
        for item in (await self.git("worktree", "list", "--porcelain", "-z")).items:
            if item.startswith("worktree "):
                place = item.removeprefix("worktree ")
            if item == f"branch refs/heads/{branch}":
                return Path(place)
        return None


async def _advance(place: Path, target: str, new: str) -> Merged | Refused:
    """Moves a checked-out branch, its index and its files together, as the person's own `git merge` would."""
    git = users_git(place)
    if await _status(git, "no"):
        return Refused(why=f"{target!r} is checked out in {str(place)!r} with uncommitted changes")
    moved = await git("merge", "--ff-only", "--no-autostash", "--quiet", new, check=False)
    if moved.exit_code == 0:
        return Merged(commit=new)
    return Refused(why=f"git would not merge into {str(place)!r}: {moved.err.strip()[:300]}")


async def _status(git: Git, untracked: str) -> tuple[str, ...]:
    shown = await git(
        *("status", "--porcelain=v1", "-z", "--no-renames"),
        *(f"--untracked-files={untracked}", "--ignore-submodules=dirty"),
    )
    return tuple(sorted(item[3:] for item in shown.items))


async def _top_of(folder: Path) -> Path:
    git = users_git(folder)
    kind = await git("rev-parse", "--is-bare-repository", "--is-inside-work-tree", check=False)
    if kind.exit_code != 0 and "not a git repository" in kind.err:
        raise GiveUp(f"{str(folder)!r} is not in a git repository; run `git init` there and make a first commit")
    if kind.exit_code != 0:
        raise problem_of(("rev-parse",), kind)
    bare, inside = kind.text.split()
    if bare == "true":
        raise GiveUp(f"{str(folder)!r} is a bare repository, without files to work on; name a clone of it")
    if inside != "true":
        raise GiveUp(f"{str(folder)!r} is git's own folder; name the folder that contains it")
    return Path((await git("rev-parse", "--show-toplevel")).text)


async def _git_path(git: Git, name: str) -> Path:
    found = await git("rev-parse", "--path-format=absolute", "--git-path", name)
    return Path(found.text)


async def _refuse_unfit(git: Git, top: Path, git_dir: Path) -> None:
    if await git.commit_of("HEAD") is None:
        raise GiveUp(f"{str(top)!r} has no commit yet; make a first commit, even an empty one, and start again")
    for name, work in _UNFINISHED.items():
        if (git_dir / name).exists():
            raise GiveUp(f"{str(top)!r} is in the middle of a {work}; finish or abort it, and start again")
    partial = await git("config", "--get", "extensions.partialClone", check=False)
    if partial.exit_code == 0:
        raise GiveUp(f"{str(top)!r} is a partial clone, and work may need what it lacks; make a full clone of it")


async def _remarks(git: Git, top: Path, shallow: Path | None) -> tuple[str, ...]:
    remarks: list[str] = []
    if shallow is not None:
        remarks.append("the history is shallow: workers see it only as far back as it was fetched")
    entries = (await git("ls-tree", "-r", "-z", "--full-tree", "HEAD")).items
    submodules = [entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]
    if submodules:
        remarks.append(f"submodules stay empty in checkouts: {', '.join(submodules[:5])}")
    return tuple(remarks)
