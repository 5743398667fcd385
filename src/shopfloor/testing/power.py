"""Power cuts: the power fails before or after the n-th append, and the disk stays as it was at that instant.

What a dying process still does on its way out (folders removed, files closed) never happened: the disk is copied when
the power fails and put back when everything has stopped. It does not know what is being done when the power fails.
"""

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, NoReturn, TypeAlias

from shopfloor.domain.errors import Broken
from shopfloor.domain.events import Event
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, Lease, Recorded, Stream

LATER_S = 3600.0
"""Long enough for every lease of a dead runner to have run out."""

Side: TypeAlias = Literal["before", "after"]


class PowerCut(BaseException):
    """The power has failed: nobody catches this, and nothing can be written any more."""


class Moment(NamedTuple):
    """When the power fails: right before or right after the n-th append, of whatever stream, is durable."""

    append: int
    side: Side

    def __str__(self) -> str:
        return f"{self.side}-{self.append}"


def every_moment(appends: int, first: int = 1) -> list[Moment]:
    """Before and after each append of a story that makes so many."""
    return [Moment(number, side) for number in range(first, appends + 1) for side in ("before", "after")]


class Flushes:
    """What this process has flushed to disk: contents of files, and names in folders.

    It listens to `os.fsync`, which still does its work. SQLite and git flush by other ways; they are believed.
    """

    def __init__(self) -> None:
        self._contents: set[tuple[int, int, int, int]] = set()
        self._names: dict[tuple[int, int], set[str]] = {}

    @contextmanager
    def heard(self) -> Generator[None]:
        """Listens while the block runs."""
        real = os.fsync

        def fsync(file: int) -> None:
            real(file)
            self._hear(file)

        os.fsync = fsync
        try:
            yield
        finally:
            os.fsync = real

    def lost(self, folder: Path) -> list[Path]:
        """Files below the folder that a power cut would take, because they or a name on the way were not flushed."""
        if not folder.is_dir():
            return []
        files = [path for path in folder.rglob("*") if path.is_file()]
        return [path for path in files if not self._is_safe(path, folder)]

    def _hear(self, file: int) -> None:
        status = os.fstat(file)
        if stat.S_ISDIR(status.st_mode):
            self._names.setdefault((status.st_dev, status.st_ino), set()).update(os.listdir(file))
        else:
            self._contents.add(_content(status))

    def _is_safe(self, path: Path, folder: Path) -> bool:
        way = [path, *(parent for parent in path.parents if parent != folder and folder in parent.parents)]
        return _content(path.stat()) in self._contents and all(self._is_named(step) for step in way)

    def _is_named(self, path: Path) -> bool:
        status = path.parent.stat()
        return path.name in self._names.get((status.st_dev, status.st_ino), ())


def _content(status: os.stat_result) -> tuple[int, int, int, int]:
    """A file as it was at that instant; renaming it changes none of this."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class Supply:
    """The power of a workshop whose disk is these folders: counts appends, and fails at the moment, if there is one."""

    def __init__(self, folders: Sequence[Path], moment: Moment | None = None) -> None:
        self._folders = tuple(folders)
        self._moment = moment
        self._held: tuple[Path, ...] = ()
        self._lost: list[Path] = []
        self.flushes = Flushes()
        self.appends = 0
        self.failed = False

    def open(self, path: Path) -> Journal:
        """A journal that lives on this power."""
        return PoweredJournal(open_sqlite(path), self)

    def require(self) -> None:
        """Raises PowerCut once the power has failed."""
        if self.failed:
            raise PowerCut(f"the power failed {self._moment}")

    def reach(self, side: Side) -> None:
        """Fails if this is the moment: the disk is held as it is now."""
        if self._moment == (self.appends, side):
            self._held = tuple(_copied(folder) for folder in self._folders)
            self._lost = [path for folder in self._folders for path in self.flushes.lost(folder / "blobs")]
            self.failed = True
            self.require()

    def restore(self) -> None:
        """Puts the disk back as it was when the power failed, without the blobs that were not flushed to it by then."""
        for folder, held in zip(self._folders, self._held, strict=True):
            shutil.rmtree(folder)
            held.rename(folder)
        for path in self._lost:
            path.unlink()


class PoweredJournal:
    """A journal for as long as there is power. See store.Journal."""

    def __init__(self, inner: Journal, supply: Supply) -> None:
        self._inner = inner
        self._supply = supply

    async def append(
        self, stream: str, events: Sequence[Event], *, lease: Lease | None = None, expected: int | None = None
    ) -> tuple[Recorded, ...]:
        self._supply.require()
        self._supply.appends += 1
        self._supply.reach("before")
        recorded = await self._inner.append(stream, events, lease=lease, expected=expected)
        self._supply.reach("after")
        return recorded

    async def read(self, stream: str, after: int = 0) -> list[Recorded]:
        self._supply.require()
        return await self._inner.read(stream, after)

    async def streams(self, prefix: str = "") -> list[Stream]:
        self._supply.require()
        return await self._inner.streams(prefix)

    async def acquire(self, stream: str, holder: str, ttl_s: float) -> Lease:
        self._supply.require()
        return await self._inner.acquire(stream, holder, ttl_s)

    async def holder(self, stream: str) -> str | None:
        self._supply.require()
        return await self._inner.holder(stream)

    async def renew(self, lease: Lease, ttl_s: float) -> None:
        self._supply.require()
        await self._inner.renew(lease, ttl_s)

    async def release(self, lease: Lease) -> None:
        self._supply.require()
        await self._inner.release(lease)

    async def close(self) -> None:
        """Files are closed without power too."""
        await self._inner.close()


@contextmanager
def power_cut(folders: Sequence[Path], moment: Moment) -> Generator[Supply]:
    """A supply that fails at that moment; afterwards the disk is as it was then. Broken if the block ends before."""
    supply = Supply(folders, moment)
    try:
        with supply.flushes.heard():
            yield supply
    except* PowerCut:
        pass
    if not supply.failed:
        _never_came(moment, supply.appends)
    supply.restore()


def open_later(path: Path) -> Journal:
    """The journal when the leases of whoever died have run out. Their holder looks alive: it was this process."""
    return open_sqlite(path, clock=lambda: time.time() + LATER_S)


def _never_came(moment: Moment, appends: int) -> NoReturn:
    raise Broken(f"The power was to fail {moment}, but the story ended after {appends} appends; name another moment")


def _copied(folder: Path) -> Path:
    """A copy of a folder beside it, names, modes and times and all. `cp` is many times quicker than shutil."""
    copy = folder.with_name(f"{folder.name}.held")
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(("cp", "-a", "--reflink=auto", str(folder), str(copy)), check=True, stdin=subprocess.DEVNULL)
    return copy
