"""The journal in one SQLite file, through the standard library.

One connection writes (writer.py), another reads; neither keeps the other waiting.
It does not know what the events mean.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import anyio
import anyio.lowlevel

from shopfloor.domain.errors import Broken, Conflict
from shopfloor.domain.events import Event
from shopfloor.journal import leases
from shopfloor.journal.codec import Encoded, encode
from shopfloor.journal.connection import connect, translated, warn_of_network
from shopfloor.journal.holder import is_dead
from shopfloor.journal.leases import IsDead
from shopfloor.journal.migrations import migrate
from shopfloor.journal.store import Lease, Recorded, Stream
from shopfloor.journal.writer import SLOW_S, Writer

PAGE = 2_000
"""Facts read at a time; between two pages others get their turn of the event loop."""


def open_sqlite(
    path: Path, *, clock: Callable[[], float] = time.time, is_dead: IsDead = is_dead, slow_s: float = SLOW_S
) -> "SqliteJournal":
    """Opens the journal, making or migrating the database where needed; blocks for some milliseconds.

    Raises Broken when the file is corrupt or of a newer version, Unwritable when it cannot be written where it is.
    """
    warn_of_network(path)
    writing = connect(path)
    try:
        migrate(writing, path)
        reading = connect(path)
        reading.execute("PRAGMA query_only=1")
    except BaseException:
        writing.close()
        raise
    return SqliteJournal(path, reading, Writer(writing, path, slow_s), clock=clock, is_dead=is_dead)


class SqliteJournal:
    """See store.Journal. Opened by `open_sqlite`."""

    def __init__(
        self, path: Path, reading: sqlite3.Connection, writer: Writer, *, clock: Callable[[], float], is_dead: IsDead
    ) -> None:
        self._path = path
        self._reading = reading
        self._writer = writer
        self._clock = clock
        self._is_dead = is_dead

    async def append(
        self, stream: str, events: Sequence[Event], *, lease: Lease | None = None, expected: int | None = None
    ) -> tuple[Recorded, ...]:
        if not stream or not stream.isprintable():
            raise Broken(f"{stream!r} is no name for a stream; use printable characters")
        encoded = [encode(event) for event in events]
        return await self._writer.write(
            lambda db: _append(db, stream, encoded, at=self._clock(), lease=lease, expected=expected)
        )

    async def read(self, stream: str, after: int = 0) -> list[Recorded]:
        facts = page = self._page(stream, after)
        while len(page) == PAGE:
            await anyio.lowlevel.checkpoint()
            page = self._page(stream, page[-1].seq)
            facts += page
        return facts

    async def streams(self, prefix: str = "") -> list[Stream]:
        with translated(self._path):
            return [_stream(self._reading, name) for name in _names(self._reading, prefix)]

    async def acquire(self, stream: str, holder: str, ttl_s: float) -> Lease:
        def work(db: sqlite3.Connection) -> Lease:
            now = self._clock()
            return leases.acquire(db, (stream, holder), now=now, until=now + ttl_s, is_dead=self._is_dead)

        return await self._writer.write(work)

    async def holder(self, stream: str) -> str | None:
        with translated(self._path):
            return leases.holder(self._reading, stream, now=self._clock(), is_dead=self._is_dead)

    async def renew(self, lease: Lease, ttl_s: float) -> None:
        await self._writer.write(lambda db: leases.renew(db, lease, self._clock() + ttl_s))

    async def release(self, lease: Lease) -> None:
        await self._writer.write(lambda db: leases.release(db, lease, now=self._clock()))

    async def close(self) -> None:
        self._reading.close()
        self._writer.close()

    def _page(self, stream: str, after: int) -> list[Recorded]:
        with translated(self._path):
            rows: list[tuple[int, int, float, str, bytes]] = self._reading.execute(
                "SELECT seq, epoch, at, kind, body FROM events WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?",
                (stream, after, PAGE),
            ).fetchall()
        return [
            Recorded(stream=stream, seq=seq, epoch=epoch, at=at, kind=kind, body=body)
            for seq, epoch, at, kind, body in rows
        ]


def _names(db: sqlite3.Connection, prefix: str) -> Iterator[str]:
    """Jumps from one stream to the next in the primary key; the facts between are never read."""
    row = db.execute("SELECT min(stream) FROM events WHERE stream >= ?", (prefix,)).fetchone()
    while row[0] is not None and row[0].startswith(prefix):
        yield row[0]
        row = db.execute("SELECT min(stream) FROM events WHERE stream > ?", row).fetchone()


def _stream(db: sqlite3.Connection, name: str) -> Stream:
    first = db.execute("SELECT at FROM events WHERE stream = ? ORDER BY seq LIMIT 1", (name,)).fetchone()
    last = db.execute("SELECT seq, at FROM events WHERE stream = ? ORDER BY seq DESC LIMIT 1", (name,)).fetchone()
    return Stream(name=name, last_seq=last[0], first_at=first[0], last_at=last[1])


def _append(
    db: sqlite3.Connection,
    stream: str,
    encoded: list[Encoded],
    *,
    at: float,
    lease: Lease | None,
    expected: int | None,
) -> tuple[Recorded, ...]:
    if lease is not None:
        leases.require(db, lease)
    last: int = db.execute("SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?", (stream,)).fetchone()[0]
    if expected is not None and last != expected:
        raise Conflict(f"stream {stream!r} ends at {last}, not at {expected} as its writer expected; read it anew")
    epoch = lease.epoch if lease is not None else 0
    rows = [(stream, seq, epoch, at, kind, body) for seq, (kind, body) in enumerate(encoded, last + 1)]
    db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    return tuple(
        Recorded(stream=stream, seq=seq, epoch=epoch, at=at, kind=kind, body=body)
        for stream, seq, epoch, at, kind, body in rows
    )
