"""A mission's own bare repository, in the state directory, out of every worker's reach.

Work comes in as bundle files and goes out as private clones; git never runs in a folder that a worker could write.
It does not know which work is good.
"""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shopfloor.domain.errors import Broken, GiveUp
from shopfloor.repo.bundle import copy_bundle
from shopfloor.repo.changes import ChangedFile, TreeEntry, is_dangerous, parse_changes, parse_tree
from shopfloor.repo.git import DURABLE, Git, private_git, problem_of
from shopfloor.repo.merge import Conflict, merge_commits
from shopfloor.repo.origin import Origin

_BASE = "refs/shopfloor/base"
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap=")
LEFTOVERS = (
    "__pycache__/",
    "*.pyc",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".hypothesis/",
    ".coverage",
    "node_modules/",
    ".DS_Store",
)
"""What tools leave behind in a checkout, also where a repository forgot to ignore it; tracked files are seen anyway."""
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv")

_STORE_SETTINGS = {
    "core.bare": "true",
    "core.fsync": DURABLE,
    "gc.auto": "0",
    "transfer.fsckObjects": "true",
    # One durable pack per import, rather than a folder for every other object.
    "transfer.unpackLimit": "1",
    "uploadpack.allowAnySHA1InWant": "true",
}
_CLONE_SETTINGS = {
    "core.bare": "false",
    "core.logAllRefUpdates": "true",
    "gc.auto": "0",
    "user.name": "shopfloor",
    "user.email": "shopfloor@localhost",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The mission's repository: everything since `base`; what came before is read from the person's repository."""

    path: Path
    base: str
    git: Git

    @classmethod
    async def create(cls, path: Path, origin: Origin, base: str) -> "Store":
        """Makes the store, or opens it if it is there: doing it twice is the same as once.

        For the one who holds the mission: what a crash left half-done in it is cleared away.
        """
        if not path.exists():
            fresh = path.with_name(path.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            await _create(fresh, origin, base)
            fresh.rename(path)
            _flush((path.parent,))
        _clear(path)
        store = await cls.open(path)
        if store.base != base:
            raise Broken(f"The store {str(path)!r} starts from {store.base}, not from {base}; give it another path")
        return store

    @classmethod
    async def open(cls, path: Path) -> "Store":
        """Opens a store that `create` made."""
        git = private_git(path.resolve())
        base = await git.commit_of(_BASE)
        if base is None:
            raise Broken(f"{str(path)!r} is no store, or the person's repository it builds on is gone or was cleaned")
        return cls(path=path.resolve(), base=base, git=git)

    # --- work comes in ------------------------------------------------------------------------------------------

    async def import_bundle(self, bundle: Path, ref: str, *, base: str | None = None) -> str:
        """Takes over HEAD of a bundle made in a sandbox, keeps it under `ref`, and gives its commit. Idempotent.

        GiveUp, with nothing taken over, if the file is no bundle, its history does not contain `base` (None: the
        mission's), an object breaks git's own rules, or a path would be dangerous to check out.
        """
        base = base or self.base
        with TemporaryDirectory(dir=self.path, prefix="incoming-") as folder:
            copy_bundle(bundle, Path(folder) / "bundle")
            waiting = await self._quarantine(Path(folder) / "git", base)
            commit = await _unbundle(waiting, Path(folder) / "bundle", base)
            taken = await self.git(*_FETCH, f"{folder}/git", "refs/heads/incoming", check=False)
            if taken.exit_code != 0:
                raise GiveUp(f"The bundle's objects break git's rules, so nothing was taken over: {_end(taken.err)}")
        await self.git("update-ref", ref, commit)
        self._flush_ref(ref)
        return commit

    async def _quarantine(self, folder: Path, base: str) -> Git:
        """A repository to look at foreign objects in: what is refused never enters the store."""
        git = await _init(folder, {"core.bare": "true"}, await self._object_format(), bare=True)
        _borrow(folder, self.path / "objects")
        _copy_if_there(self.path / "shallow", folder / "shallow")
        await git("update-ref", _BASE, base)
        return git

    # --- work goes out ------------------------------------------------------------------------------------------

    async def clone(self, commit: str, into: Path, *, hidden: Sequence[str] = ()) -> None:
        """A private checkout at `commit`, on a branch `work`, with no remote, no hook and no ref to anything later.

        Git in it does not see untracked files matching `hidden` (patterns of .gitignore), nor what tools leave behind.

        Holds the objects of that commit and its history and no others: what is not there cannot be peeked at.
        """
        if into.exists() and any(into.iterdir()):
            raise Broken(f"{str(into)!r} is not empty, so nothing is cloned into it; give another path")
        git_dir = into.resolve() / ".git"
        await _init(git_dir, _CLONE_SETTINGS, await self._object_format(), bare=False)
        _copy_if_there(self.path / "shallow", git_dir / "shallow")
        pack = git_dir / "objects" / "pack" / "pack"
        await self.git("pack-objects", "--revs", "--quiet", str(pack), stdin=f"{commit}\n".encode())
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "exclude").write_text("".join(f"{pattern}\n" for pattern in (*LEFTOVERS, *hidden)))
        git = private_git(git_dir, into.resolve())
        await git("update-ref", "refs/heads/work", commit)
        await git("read-tree", "-m", "-u", "HEAD")

    # --- what is in it ------------------------------------------------------------------------------------------

    async def commit_of(self, ref: str) -> str | None:
        """The commit that a ref, or an abbreviated hash, stands for; None if there is none."""
        return await self.git.commit_of(ref)

    async def contains(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` itself or lies in its history."""
        return await self.git.contains(commit, ancestor)

    async def tree(self, commit: str) -> str:
        """The hash of a commit's content, whatever its history."""
        return (await self.git("rev-parse", "--verify", commit + "^{tree}")).text

    async def diff(self, base: str, head: str) -> str:
        """What changed, as unified text. Bytes that are no UTF-8 show as replacement signs."""
        shown = await self.git(*_DIFF, "--find-renames", base, head, "--")
        return shown.out.decode("utf-8", "replace")

    async def changed_files(self, base: str, head: str) -> tuple[ChangedFile, ...]:
        """Every path that the two commits disagree on, in git's order."""
        raw = await self.git(*_DIFF, "--raw", "--no-renames", "-z", base, head, "--")
        numbers = await self.git(*_DIFF, "--numstat", "--no-renames", "-z", base, head, "--")
        return parse_changes(raw.items, numbers.items)

    async def entries(self, commit: str) -> tuple[TreeEntry, ...]:
        """Everything a commit holds, with modes: symlinks and submodules can be told from files."""
        return parse_tree((await self.git("ls-tree", "-r", "-z", "--full-tree", commit)).items)

    async def files(self, commit: str) -> tuple[str, ...]:
        """Paths of all files and symlinks of a commit; submodules are left out."""
        return tuple(entry.path for entry in await self.entries(commit) if entry.kind == "blob")

    async def show(self, commit: str, path: str) -> bytes | None:
        """A file's content (a symlink's: where it points to); None if the commit has no such file."""
        if is_dangerous(path):
            return None
        listed = await self.git("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path)
        for entry in parse_tree(listed.items):
            if entry.path == path and entry.kind == "blob":
                return (await self.git("cat-file", "blob", entry.hash)).out
        return None

    async def contents(self, entries: Sequence[TreeEntry]) -> dict[str, bytes]:
        """The content of these files by path, read at once: a repository may hold thousands of tests."""
        wanted = "".join(f"{entry.hash}\n" for entry in entries).encode()
        out = (await self.git("cat-file", "--batch", stdin=wanted)).out
        found: dict[str, bytes] = {}
        at = 0
        for entry in entries:
            began = out.index(b"\n", at) + 1
            size = int(out[at:began].split()[-1])
            found[entry.path] = out[began : began + size]
            at = began + size + 1
        return found

    async def mentioned(self, commit: str, words: Collection[str], *, outside: Sequence[str]) -> frozenset[str]:
        """Which of some words stand in any text of a commit; the files in `outside` are not asked."""
        looked_for = "".join(f"{word}\n" for word in sorted(words)).encode()
        elsewhere = (".", *(f":(exclude,literal){path}" for path in outside))
        grep = ("grep", "-I", "-h", "-o", "-w", "--fixed-strings", "--no-textconv", "-f", "-", commit, "--", *elsewhere)
        found = await self.git(*grep, stdin=looked_for, check=False)
        if found.exit_code not in (0, 1):
            raise problem_of(grep, found)
        return frozenset(found.text.split()) & {*words}

    # --- what moves ---------------------------------------------------------------------------------------------

    async def land(self, ref: str, new: str, expected_old: str | None) -> None:
        """Moves `ref` from `expected_old` (None: it must not exist) to `new`. Doing it twice is the same as once."""
        current = await self.commit_of(ref)
        if current != new:
            moved = await self.git("update-ref", ref, new, expected_old or "", check=False)
            if moved.exit_code != 0:
                where = f"{ref!r} of the store {str(self.path)!r} is at {current}, not at {expected_old}"
                raise Broken(f"{where}, so it does not move to {new}: {_end(moved.err)}")
        self._flush_ref(ref)

    async def with_files(self, commit: str, files: Mapping[str, bytes], message: str) -> str:
        """A commit on top of `commit` that also holds these files; `commit` itself if it holds them already.

        Dated as `commit` is: the same files and message always give the same hash, also when done again after a crash.
        """
        with TemporaryDirectory(dir=self.path, prefix="index-") as folder:
            git = self.git.under(GIT_INDEX_FILE=f"{folder}/index")
            await git("read-tree", commit)
            for path, content in sorted(files.items()):
                blob = (await git("hash-object", "-w", "--stdin", stdin=content)).text
                mode = "100755" if content.startswith(b"#!") else "100644"  # as `Sandbox.lay` does
                await git("update-index", "--add", "--replace", "--cacheinfo", f"{mode},{blob},{path}")
            tree = (await git("write-tree")).text
        if tree == await self.tree(commit):
            return commit
        date = f"@{(await self.git('show', '--no-patch', '--format=%ct', commit)).text} +0000"
        dated = self.git.under(GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
        return (await dated("commit-tree", tree, "-p", commit, "-m", message)).text

    async def merge(self, ours: str, theirs: str, message: str = "") -> str | Conflict:
        """The commit that holds both: one of the two if it contains the other, else a merge of them. Moves no ref."""
        if await self.contains(theirs, ours):
            return theirs
        if await self.contains(ours, theirs):
            return ours
        return await merge_commits(self.git, ours, theirs, message or f"Merge {theirs[:12]} into {ours[:12]}")

    async def _object_format(self) -> str:
        return (await self.git("rev-parse", "--show-object-format")).text

    def _flush_ref(self, ref: str) -> None:
        """Git flushes files, not the folders that name them; after this, a power cut cannot take the ref back."""
        _flush(_folders_of(self.path, ref))


async def _create(path: Path, origin: Origin, base: str) -> None:
    git = await _init(path, _STORE_SETTINGS, origin.object_format, bare=True)
    _borrow(path, origin.objects)
    if origin.shallow is not None:
        _copy_if_there(origin.shallow, path / "shallow")
    await git("update-ref", _BASE, base)
    _flush((path, *_folders_of(path, _BASE)))


def _clear(path: Path) -> None:
    """Locks of gits that were cut off, and the folders of imports and indexes that were."""
    for lock in (*path.glob("*.lock"), *path.glob("refs/**/*.lock")):
        lock.unlink(missing_ok=True)
    for folder in (*path.glob("incoming-*"), *path.glob("index-*")):
        shutil.rmtree(folder, ignore_errors=True)


async def _init(git_dir: Path, settings: dict[str, str], object_format: str, *, bare: bool) -> Git:
    """A repository without templates, so without hooks, and with these settings only."""
    folder = git_dir if bare else git_dir.parent
    folder.mkdir(parents=True, exist_ok=True)
    outside = private_git(git_dir)
    # A bare one's HEAD leads nowhere for ever: newer gits would read .gitattributes from there.
    kind = ("--bare", "--initial-branch=nowhere") if bare else ("--initial-branch=work",)
    await outside("init", "--quiet", "--template=", f"--object-format={object_format}", *kind)
    with (git_dir / "config").open("a", encoding="utf-8") as config:
        config.writelines(_setting(name, value) for name, value in settings.items())
    return outside


def _setting(name: str, value: str) -> str:
    """A line of a git configuration: where two speak of one thing, the last one counts."""
    section, _, own = name.partition(".")
    return f"[{section}]\n\t{own} = {value}\n"


async def _unbundle(git: Git, bundle: Path, base: str) -> str:
    fetched = await git(*_FETCH, str(bundle), "+HEAD:refs/heads/incoming", check=False)
    if fetched.exit_code != 0:
        raise GiveUp(f"The bundle cannot be taken over; make it again with the bundle command: {_end(fetched.err)}")
    commit = await git.commit_of("refs/heads/incoming")
    if commit is None or not await git.contains(commit, base):
        raise GiveUp(f"The bundle's history does not contain {base}, where the work began; rebase onto that commit")
    entries = parse_tree((await git("ls-tree", "-r", "-t", "-z", "--full-tree", commit)).items)
    if dangerous := [entry.path for entry in entries if is_dangerous(entry.path)]:
        raise GiveUp(f"The bundle holds paths that are dangerous to check out: {dangerous[:5]!r}; remove them")
    known = {entry.path for entry in parse_tree((await git("ls-tree", "-r", "-z", "--full-tree", base)).items)}
    if nested := [entry.path for entry in entries if entry.kind == "commit" and entry.path not in known]:
        raise GiveUp(
            f"The work holds git repositories of its own, whose files would be lost: {nested[:5]!r}; remove them"
        )
    return commit


def _borrow(git_dir: Path, objects: Path) -> None:
    """Lets a repository read another one's objects. Quoted as git unquotes it, so any name will do."""
    name = os.fsencode(objects).replace(b"\\", rb"\\").replace(b'"', rb"\"").replace(b"\n", rb"\n")
    (git_dir / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (git_dir / "objects" / "info" / "alternates").write_bytes(b'"' + name + b'"\n')


def _copy_if_there(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copyfile(source, target)


def _folders_of(path: Path, ref: str) -> Iterator[Path]:
    objects = path / "objects"
    yield objects
    yield from (folder for folder in objects.iterdir() if folder.is_dir())
    folder = (path / ref).parent
    while folder != path:
        yield folder
        folder = folder.parent


def _flush(folders: Iterator[Path] | tuple[Path, ...]) -> None:
    for folder in folders:
        if folder.is_dir():
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _end(words: str) -> str:
    return words.strip()[-400:]
