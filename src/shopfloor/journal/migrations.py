"""How the database came to its shape: numbered functions, each run once per database, never edited.

A change of shape is a new function at the end of MIGRATIONS. It does not know what the shapes are used for.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from shopfloor.domain.errors import Broken
from shopfloor.journal.connection import transaction, translated

Migration: TypeAlias = Callable[[sqlite3.Connection], None]


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Brings the database up to this version. Raises Broken when a newer version of shopfloor has written it."""
    with translated(path):
        if _done(db, path) == len(MIGRATIONS):
            return
        with transaction(db):
            # Once more under the lock: another process may have migrated it meanwhile.
            done = _done(db, path)
            for number, migration in enumerate(MIGRATIONS[done:], done + 1):
                migration(db)
                db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (number, migration.__name__, time.time()))


def m001_events_leases_and_this_list(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE migrations(number INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL)")
    db.execute(
        "CREATE TABLE events(stream TEXT, seq INTEGER, epoch INTEGER NOT NULL, at REAL NOT NULL,"
        " kind TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (stream, seq)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE leases(stream TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL,"
        " until REAL NOT NULL) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Migration, ...] = (m001_events_leases_and_this_list,)


def _done(db: sqlite3.Connection, path: Path) -> int:
    """How many migrations the database has seen."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone() is None:
        return 0
    done: int = db.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()[0]
    if done > len(MIGRATIONS):
        newer = f"the journal {str(path)!r} has version {done}, and this shopfloor knows up to {len(MIGRATIONS)}"
        raise Broken(f"{newer}; upgrade shopfloor, or open another journal")
    return done
