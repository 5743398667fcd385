"""The byte ledger: a prompt that grows at its end and is never encoded again.

A request is the concatenation head + messages + tail, so that each message costs its encoding once and every request
begins with the bytes of the one before. Cache marks are spliced into the concatenation, never by re-encoding.
It does not know any wire format: a codec hands it bytes and the places where a mark may stand.
"""

from itertools import pairwise
from typing import NamedTuple

MOST_MARKS = 4
LONGEST_STRIDE = 20
"""A provider looks back so many blocks from a mark for what it has cached."""
NO_MARK = -1


class Encoded(NamedTuple):
    """Bytes of the prompt, and for each block in them the offset where a mark may stand, NO_MARK if none may."""

    data: bytes
    blocks: tuple[int, ...] = ()


class Ledger:
    """The prompt of one conversation in one wire format."""

    def __init__(self, head: Encoded, tail: bytes, mark: bytes = b"") -> None:
        self._buffer = bytearray(head.data)
        self._head_marks = tuple(place for place in head.blocks if place != NO_MARK)
        self._blocks: list[int] = []
        self._turn_start = 0
        self._tail = tail
        self._mark = mark
        self._empty = True

    @property
    def size(self) -> int:
        """Bytes of the prompt so far."""
        return len(self._buffer)

    def append(self, message: Encoded, *, from_model: bool) -> None:
        """Adds a message. What the model said starts a new turn: the prompt before it was a request of its own."""
        if not self._empty:
            self._buffer += b","
        self._empty = False
        if from_model:
            self._turn_start = len(self._blocks)
        start = len(self._buffer)
        self._buffer += message.data
        self._blocks += [place if place == NO_MARK else start + place for place in message.blocks]

    def body(self) -> bytes:
        """The whole request."""
        places = self.marks() if self._mark else ()
        if not places:
            return b"".join((self._buffer, self._tail))
        pieces = [self._buffer[start:end] for start, end in pairwise((0, *places, len(self._buffer)))]
        return self._mark.join(pieces) + self._tail

    def marks(self) -> tuple[int, ...]:
        """Where the marks of the next request stand, in order.

        Marked are the last tool, the system text, the last block of the previous request (still marked, so that what
        was cached is found however much came since) and the newest block. All of it follows from the messages alone,
        so a conversation rebuilt after a crash marks the same places.
        """
        newest = self._markable(len(self._blocks))
        previous = self._markable(self._turn_start)
        rolling = [index for index in (previous, newest) if index is not None]
        head = self._head_marks
        if previous is not None and newest is not None and newest - previous > LONGEST_STRIDE:
            between = self._markable(previous + LONGEST_STRIDE + 1)
            rolling += [between] if between is not None else []
            head = head[-(MOST_MARKS - 3) :]  # the mark on the system text covers the tools before it
        return (*head, *sorted({self._blocks[index] for index in rolling}))

    def _markable(self, end: int) -> int | None:
        """The last block before `end` that may carry a mark."""
        return next((index for index in range(end - 1, -1, -1) if self._blocks[index] != NO_MARK), None)
