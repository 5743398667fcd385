"""SQLite connections set up for facts: a write-ahead log flushed at every commit, and its troubles in our words.

It does not know the tables.
"""

import os
import sqlite3
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from shopfloor.domain.errors import Broken, Problem, TryLater, Unwritable
from shopfloor.journal.durable import make_folder

OPEN_S = 10.0
"""How long opening waits for another process that is setting the same database up."""

LOG_BYTES = 4_500_000
"""A little more than the log grows to between two checkpoints of SQLite's own (1,000 pages)."""

_NETWORKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.s3fs"})
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits durably and only when told to. Makes the file and its folder where they are missing."""
    make_folder(path.parent)
    if not os.access(path.parent, os.W_OK):
        message = f"folder {str(path.parent)!r} is not writable, so no journal can be kept there; choose another"
        raise Unwritable(message)
    with translated(path):
        db = sqlite3.connect(path, timeout=OPEN_S, isolation_level=None, check_same_thread=False)
        try:
            _use_log(db)
            db.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            db.close()
            raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None, None, None]:
    """Takes the write lock at once; commits at the end, rolls back if anything is raised."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


@contextmanager
def translated(path: Path) -> Generator[None, None, None]:
    """Turns what SQLite raises into the problem it is for us."""
    try:
        yield
    except sqlite3.Error as trouble:
        raise problem_of(trouble, path) from trouble


def problem_of(trouble: sqlite3.Error, path: Path) -> Problem:
    """Who acts next, and how."""
    journal = f"the journal {str(path)!r}"
    code = _code_of(trouble)
    if is_busy(trouble):
        return TryLater(f"{journal} is locked by another process; this should pass", after_s=1.0)
    if code in _CORRUPT:
        return Broken(f"{journal} is corrupt or no SQLite database ({trouble}); move it away or restore a backup")
    if code in _UNWRITABLE:
        return Unwritable(
            f"{journal} cannot be opened or written ({trouble}); make it writable or choose another place"
        )
    if code == sqlite3.SQLITE_FULL:
        message = f"the disk under {journal} is full; free some space and resume: nothing recorded is lost"
        return TryLater(message, after_s=60.0)
    return Broken(f"{journal} failed: {trouble}")


def is_busy(trouble: sqlite3.Error) -> bool:
    """Whether another process holds the write lock: the one trouble that passes by itself."""
    return _code_of(trouble) == sqlite3.SQLITE_BUSY


def lengthen_log(db: sqlite3.Connection, path: Path) -> None:
    """Makes the log as long as it will get, because flushing a file that grows costs twice a flush within it.

    SQLite begins each log empty. A transaction too big for the page cache spills into it and, rolled back, leaves it
    long and void. Raises sqlite3.OperationalError (busy) when another process is writing.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size >= LOG_BYTES:
        return
    (cache_size,) = db.execute("PRAGMA cache_size").fetchone()
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("PRAGMA cache_size=10")
        db.execute("CREATE TABLE ballast(body BLOB)")
        db.execute("INSERT INTO ballast VALUES (zeroblob(?))", (LOG_BYTES,))
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute(f"PRAGMA cache_size={cache_size:d}")


def warn_of_network(path: Path) -> None:
    """Warns when the journal lies on a network file system, where SQLite's log cannot keep its promises."""
    mounts = Path("/proc/self/mounts")
    kind = kind_of_mount(path.resolve(), mounts.read_text(errors="replace")) if mounts.exists() else ""
    if kind in _NETWORKS:
        message = f"the journal {str(path)!r} lies on a network file system ({kind}); keep it on a local disk"
        warnings.warn(message, RuntimeWarning, stacklevel=2)


def kind_of_mount(path: Path, mounts: str) -> str:
    """The file system that holds the path, by the mount table (device, folder, kind, …); "" if none does."""
    rows = [line.split() for line in mounts.splitlines()]
    over = [(folder.replace("\\040", " "), kind) for _, folder, kind, *_ in rows]
    holding = [(len(folder), kind) for folder, kind in over if path.is_relative_to(folder)]
    # Of mounts stacked on one folder the last one counts.
    return max(reversed(holding), key=lambda mount: mount[0], default=(0, ""))[1]


def _use_log(db: sqlite3.Connection) -> None:
    """The change to a log is made once per database, and SQLite does not wait when two processes make it at once."""
    deadline = time.monotonic() + OPEN_S
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as trouble:
            if not is_busy(trouble) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _code_of(trouble: sqlite3.Error) -> int:
    """The primary code: the low byte. 0 for what Python's own binding raises, which leaves the attribute out."""
    code: int = getattr(trouble, "sqlite_errorcode", 0)
    return code & 0xFF
