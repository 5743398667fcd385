"""Server-sent events out of bytes that arrive in any chunks. It does not know what the events say."""

from typing import NamedTuple


class ServerEvent(NamedTuple):
    """One event of a stream; `name` is "message" when the server named none."""

    name: str
    data: bytes


class EventParser:
    """Takes bytes as they come, gives events as soon as they are whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._after_return = False
        self._name = ""
        self._data: list[bytes] = []
        self._started = False

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events completed by this chunk."""
        if not chunk:
            return []
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a CRLF that fell between two chunks
        self._after_return = chunk.endswith(b"\r")
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        events: list[ServerEvent] = []
        for line in lines:
            self._take(line.rstrip(b"\r\n"), events)
        return events

    def close(self) -> list[ServerEvent]:
        """The last event, from a server that closed before the blank line that ends it."""
        events: list[ServerEvent] = []
        last, self._rest = self._rest, b""
        self._take(last, events)
        self._take(b"", events)
        return events

    def _take(self, line: bytes, events: list[ServerEvent]) -> None:
        if not self._started:
            line, self._started = line.removeprefix(b"\xef\xbb\xbf"), True
        if not line:
            if self._data:
                events.append(ServerEvent(self._name or "message", b"\n".join(self._data)))
            self._name, self._data = "", []
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
