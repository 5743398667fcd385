"""One reply, read while it arrives: streamed or whole. It does not know which library brings the bytes."""

from typing import Protocol

from shopfloor.domain.messages import OnDelta
from shopfloor.models.failures import Failure
from shopfloor.models.sse import EventParser, ServerEvent
from shopfloor.models.wire import Wire, WireReply

SHOWN = 80
"""Bytes of an unreadable reply that are shown: enough to know a login page when one sees it."""


class Reading(Protocol):
    """Takes the bytes of one response. It never raises: what cannot be read is a Failure at the close."""

    def feed(self, chunk: bytes) -> None: ...

    def close(self) -> WireReply | Failure: ...


class StreamReading:
    """Reads server-sent events; words are heard as they come."""

    def __init__(self, wire: Wire, turn: int, on_delta: OnDelta | None) -> None:
        self._parser = EventParser()
        self._assembly = wire.assembly(turn)
        self._on_delta = on_delta
        self._any = False
        self._malformed: Failure | None = None

    def feed(self, chunk: bytes) -> None:
        self._any = self._any or bool(chunk.strip())
        self._take(self._parser.feed(chunk))

    def close(self) -> WireReply | Failure:
        self._take(self._parser.close())
        if not self._any:
            return Failure(kind="empty", words="an empty stream")
        return self._malformed or self._assembly.outcome()

    def _take(self, events: list[ServerEvent]) -> None:
        for event in events:
            if self._malformed is not None:
                return
            try:
                words = self._assembly.take(event)
            except ValueError as error:
                self._malformed = Failure(kind="malformed", words=f"an event that cannot be read: {error}")
                return
            if words and self._on_delta is not None:
                self._on_delta(words)


class WholeReading:
    """Reads a reply that comes as one JSON document."""

    def __init__(self, wire: Wire, turn: int) -> None:
        self._wire = wire
        self._turn = turn
        self._data = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._data += chunk

    def close(self) -> WireReply | Failure:
        if not self._data.strip():
            return Failure(kind="empty", words="an empty body")
        try:
            return self._wire.whole(bytes(self._data), self._turn)
        except ValueError as error:
            begins = bytes(self._data[:SHOWN]).decode("utf-8", "replace")
            return Failure(kind="malformed", words=f"a reply that cannot be read ({error}); it begins {begins!r}")
