"""The journal as every other room sees it: streams of facts that grow at their end, and leases that fence writers.

It does not know which database keeps them.
"""

from collections.abc import Sequence
from typing import Protocol

from shopfloor.domain.events import Event
from shopfloor.domain.fact import Fact
from shopfloor.journal.codec import decode


class Recorded(Fact):
    """One fact in its place: the `seq`-th of its stream (from 1), written at `at` (unix seconds) under `epoch`.

    `epoch` is that of the writer's lease, 0 without one. `body` is the event as JSON.
    """

    stream: str
    seq: int
    epoch: int
    at: float
    kind: str
    body: bytes

    @property
    def event(self) -> Event | None:
        """The event, decoded anew at each access; None for a kind that this version does not know."""
        return decode(self.kind, self.body)


class Lease(Fact):
    """The right to write as the runner of `stream`. `epoch` rises by one with each lease of that stream."""

    stream: str
    epoch: int
    holder: str
    left_at: float = 0.0
    """When the holder before this one was last known to be at work, by the journal's clock; 0 if there was none.

    Of one that died it is its last renewal, if it held the stream for as long at a time as this one asks for.
    """


class Stream(Fact):
    """A stream at a glance: its name, its last place, and when its first and last facts were written."""

    name: str
    last_seq: int
    first_at: float
    last_at: float


def inbox_of(stream: str) -> str:
    """Where people and faces write to the runner of `stream`: a stream appended to without a lease."""
    return f"inbox/{stream}"


class Journal(Protocol):
    """What happened, append-only. One conformance suite holds every store to it (tests/journal/test_conformance.py).

    A journal belongs to one event loop; other threads and processes open their own on the same database.
    Every method raises Broken when the database is corrupt or refuses its service.
    """

    async def append(
        self,
        stream: str,
        events: Sequence[Event],
        *,
        lease: Lease | None = None,
        expected: int | None = None,
    ) -> tuple[Recorded, ...]:
        """Adds all the events to the end of the stream, or none; once it returns they survive a power cut.

        The lease may be another stream's: a mission's covers its agents. It is checked in the same transaction.
        Not cancellable half way: a cancelled caller learns of it at its next await. Appends of one task keep their
        order; those of several tasks that meet share one flush to disk.
        Raises LeaseLost when another holder has the lease (or it was released), Conflict when the stream's last place
        is not `expected`, TryLater when another process keeps the database locked. Nothing was written then.
        """
        ...

    async def read(self, stream: str, after: int = 0) -> list[Recorded]:
        """Everything past place `after`, in order; an unknown stream is empty."""
        ...

    async def streams(self, prefix: str = "") -> list[Stream]:
        """The streams whose names begin with `prefix`, by name. Costs the number of streams, not of facts."""
        ...

    async def acquire(self, stream: str, holder: str, ttl_s: float) -> Lease:
        """A new lease of the stream, with the next epoch: a free one, an expired one, or one whose holder is dead.

        A holder is named by holder.this_process(); other names work too, and are then held until they expire.
        Raises TryLater naming the holder, and when to ask again, while it is held, even by the same holder.
        """
        ...

    async def holder(self, stream: str) -> str | None:
        """Who holds the stream's lease now; None when it is free, has run out, or its holder is dead."""
        ...

    async def renew(self, lease: Lease, ttl_s: float) -> None:
        """Holds the lease for `ttl_s` seconds from now. Raises LeaseLost when it is another's; late is not lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Gives the lease back; its epoch can write no more. Nothing happens if it was lost already."""
        ...

    async def close(self) -> None:
        """Closes the database. Idempotent."""
        ...
