"""The one who writes: everything that waits at a moment goes to disk in one transaction and one flush.

There is no writer thread on the quick path. Waking a thread and coming back costs more than half a flush on a good
disk (bench/journal.py), so whoever is first in line commits for all, on the event loop; a thread does it only while
the disk is slow.
It does not know what is written.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import anyio
import anyio.to_thread

from shopfloor.domain.errors import Broken, Problem
from shopfloor.journal.connection import is_busy, lengthen_log, problem_of, transaction

T = TypeVar("T")

Work: TypeAlias = Callable[[sqlite3.Connection], T]
"""Changes rows inside a transaction that it shares with others: raises a Problem only before its first change."""

SLOW_S = 0.005
"""A commit that took longer than this sends the next one to a thread: the event loop must not stand still for it."""

BUSY_PAUSES_S = (0.001, 0.002, 0.005, 0.01, 0.02, *[0.05] * 200)
"""How to wait for another process's write lock: about ten seconds, then give up."""


class Writer:
    """Writes through one connection, of which it is the only user."""

    def __init__(self, db: sqlite3.Connection, path: Path, slow_s: float = SLOW_S) -> None:
        self._db = db
        self._path = path
        self._slow_s = slow_s
        self._last_s = 0.0
        self._log_is_long = False
        self._waiting: list[_Piece[Any]] = []
        self._turn = anyio.Lock()
        self._in_use = threading.Lock()
        """Held during a transaction, in case a cancelled task has left one running in a thread."""
        # Waiting for other processes is done here, without holding the event loop.
        db.execute("PRAGMA busy_timeout=0")

    async def write(self, work: Work[T]) -> T:
        """Does the work durably and returns what it returned; raises the Problem that it, or the disk, raised."""
        piece = _Piece(work)
        self._waiting.append(piece)
        try:
            with anyio.CancelScope(shield=True):
                # Taking a free lock yields once to the event loop: all who are ready to write then join this commit.
                async with self._turn:
                    if not piece.taken:
                        await self._commit_all_waiting()
        finally:
            if not piece.taken:
                self._waiting.remove(piece)
        return piece.outcome()

    def close(self) -> None:
        """Closes the connection; what is being written is finished first."""
        with self._in_use:
            self._db.close()

    async def _commit_all_waiting(self) -> None:
        pieces, self._waiting = self._waiting, []
        for piece in pieces:
            piece.taken = True
        try:
            await self._commit(pieces)
        except sqlite3.Error as trouble:
            for piece in pieces:
                piece.problem = problem_of(trouble, self._path)

    async def _commit(self, pieces: "list[_Piece[Any]]") -> None:
        """Tries until other processes let us; a transaction that did not get the lock has done nothing."""
        for pause_s in BUSY_PAUSES_S:
            try:
                if self._last_s > self._slow_s:
                    return await anyio.to_thread.run_sync(self._transact, pieces)
                return self._transact(pieces)
            except sqlite3.OperationalError as trouble:
                if not is_busy(trouble):
                    raise
            await anyio.sleep(pause_s)
        return self._transact(pieces)

    def _transact(self, pieces: "list[_Piece[Any]]") -> None:
        with self._in_use:
            if not self._log_is_long:
                lengthen_log(self._db, self._path)
                self._log_is_long = True
            began = time.perf_counter()
            with transaction(self._db):
                for piece in pieces:
                    piece.perform(self._db)
            self._last_s = time.perf_counter() - began
        for piece in pieces:
            piece.durable = True


class _Piece(Generic[T]):
    """One caller's work on its way to disk."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._results: tuple[T, ...] = ()
        self.problem: Problem | None = None
        self.taken = False
        self.durable = False

    def perform(self, db: sqlite3.Connection) -> None:
        """Does the work; its own Problem stays its own and leaves the others of the transaction alone."""
        self.problem = None
        try:
            self._results = (self._work(db),)
        except Problem as problem:
            self.problem = problem

    def outcome(self) -> T:
        if self.problem is not None:
            raise self.problem
        if not self.durable:
            raise Broken("nothing was written: the transaction was abandoned by a bug in another writer's work")
        return self._results[0]
