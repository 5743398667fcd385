"""Leases as rows: who may write as a stream's runner, and until when. All of it happens inside a transaction.

An epoch is spent by the lease that got it and never comes back, so a row is kept when its lease is released.
It does not know what is written under a lease.
"""

import sqlite3
from collections.abc import Callable
from typing import TypeAlias

from shopfloor.domain.errors import LeaseLost, TryLater
from shopfloor.journal.store import Lease

IsDead: TypeAlias = Callable[[str], bool]

NOBODY = ""


def acquire(db: sqlite3.Connection, wanted: tuple[str, str], *, now: float, until: float, is_dead: IsDead) -> Lease:
    """The next lease of a stream for a holder: `wanted` is (stream, holder). Raises TryLater while it is held."""
    stream, holder = wanted
    epoch, held_by, held_until = _last(db, stream)
    if _is_held(held_by, held_until, now, is_dead):
        left_s = held_until - now
        raise TryLater(f"stream {stream!r} is held by {held_by!r} for another {left_s:.0f} s; wait or stop it", left_s)
    db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (stream, epoch + 1, holder, until))
    left_at = held_until if held_by == NOBODY else held_until - (until - now)  # who died renewed it for as long
    return Lease(stream=stream, epoch=epoch + 1, holder=holder, left_at=max(0.0, left_at))


def holder(db: sqlite3.Connection, stream: str, *, now: float, is_dead: IsDead) -> str | None:
    """Who holds a stream's lease now; None when it is free, has run out, or its holder is dead."""
    _, held_by, held_until = _last(db, stream)
    return held_by if _is_held(held_by, held_until, now, is_dead) else None


def _last(db: sqlite3.Connection, stream: str) -> tuple[int, str, float]:
    """Epoch, holder and end of the last lease of a stream."""
    row: tuple[int, str, float] | None = db.execute(
        "SELECT epoch, holder, until FROM leases WHERE stream = ?", (stream,)
    ).fetchone()
    return row or (0, NOBODY, 0.0)


def _is_held(held_by: str, held_until: float, now: float, is_dead: IsDead) -> bool:
    return held_by != NOBODY and held_until > now and not is_dead(held_by)


def require(db: sqlite3.Connection, lease: Lease) -> None:
    """Raises LeaseLost unless the lease is its stream's last one and was not released."""
    row = db.execute(
        "SELECT 1 FROM leases WHERE stream = ? AND epoch = ? AND holder = ?", (lease.stream, lease.epoch, lease.holder)
    ).fetchone()
    if row is None:
        raise LeaseLost(f"the lease of {lease.stream!r}, epoch {lease.epoch}, is no longer {lease.holder!r}'s; stop")


def renew(db: sqlite3.Connection, lease: Lease, until: float) -> None:
    """Raises LeaseLost like `require`."""
    require(db, lease)
    db.execute("UPDATE leases SET until = ? WHERE stream = ?", (until, lease.stream))


def release(db: sqlite3.Connection, lease: Lease, *, now: float) -> None:
    """Frees the stream if the lease is still its last one."""
    db.execute(
        "UPDATE leases SET holder = ?, until = ? WHERE stream = ? AND epoch = ? AND holder = ?",
        (NOBODY, now, lease.stream, lease.epoch, lease.holder),
    )
