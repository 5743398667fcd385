"""Power cuts: the power fails before or after the n-th append, and the disk stays as it was at that instant.

What a dying process still does on its way out (folders removed, files closed) never happened: the disk is copied when
the power fails and put back when everything has stopped. It does not know what is being done when the power fails.
"""

import shutil
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


class Supply:
    """The power of a workshop whose disk is these folders: counts appends, and fails at the moment, if there is one."""

    def __init__(self, folders: Sequence[Path], moment: Moment | None = None) -> None:
        self._folders = tuple(folders)
        self._moment = moment
        self._held: tuple[Path, ...] = ()
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
            self.failed = True
            self.require()

    def restore(self) -> None:
        """Puts the disk back as it was when the power failed, without what had not been flushed to it by then."""
        for folder, held in zip(self._folders, self._held, strict=True):
            shutil.rmtree(folder)
            held.rename(folder)
            shutil.rmtree(folder / "blobs" / "partial", ignore_errors=True)


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
