"""Asks an X server what is on its display: which windows stand there, who has the focus, what was copied.

It speaks the few requests of the X protocol that this takes, over a socket, and draws nothing. It does not know what
is typed or clicked.
"""

import itertools
import socket
import struct
import time
from collections.abc import Iterator

from shopfloor.validation.drivers.hands.wire import TopWindow

ANSWER_S = 5.0
COPY_S = 2.0
"""How long a program may take to hand over what was copied in it."""
COPY_CAP = 200_000
_NONE, _POINTER_ROOT = 0, 1
_VIEWABLE = 2
_ERROR, _REPLY, _SELECTION_NOTIFY = 0, 1, 31


class XClient:
    """One connection. OSError when the server does not answer, or hangs up."""

    def __init__(self, family: int, address: str | tuple[str, int]) -> None:
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(address)
        self._asked = 0
        self._told: list[bytes] = []
        """Events that came meanwhile: only the one which says that a copy is ready."""
        self._socket.sendall(struct.pack("<BxHHHHH", ord("l"), 11, 0, 0, 0, 0))
        accepted, _, _, _, words = struct.unpack("<BBHHH", self._read(8))
        welcome = self._read(words * 4)
        if accepted != 1:
            raise OSError(f"the X server refused: {welcome[:200]!r}")
        base, vendor, formats = _unsigned(welcome, 4), int.from_bytes(welcome[16:18], "little"), welcome[21]
        self.root = _unsigned(welcome, 32 + (vendor + 3) // 4 * 4 + formats * 8)
        self._ids = itertools.count(base)
        self._atoms: dict[str, int] = {}

    def close(self) -> None:
        self._socket.close()

    def windows(self) -> tuple[TopWindow, ...]:
        """Those that are shown, from the lowest to the uppermost."""
        focus = self._ancestors(self.focus())
        shown = (self._window(one, focused=one in focus) for one in self._children(self.root))
        return tuple(window for window in shown if window is not None)

    def focus(self) -> int:
        """The window that keys go to; `root` when it is none in particular."""
        reply = self._ask(43)
        focus = _unsigned(reply, 8) if reply else _NONE
        return self.root if focus in (_NONE, _POINTER_ROOT) or not self._is_shown(focus) else focus

    def give_focus(self, window: int) -> None:
        self._send(42, struct.pack("<II", window, 0), data=_POINTER_ROOT)
        self.focus()

    def under_pointer(self) -> int:
        """The window that a click would meet, `root` for none."""
        reply = self._ask(38, struct.pack("<I", self.root))
        return (_unsigned(reply, 12) if reply else 0) or self.root

    def copied(self) -> str | None:
        """What is in the clipboard; None if nobody copied anything, or whoever did does not hand it over."""
        own, held, into = next(self._ids), self._atom("CLIPBOARD"), self._atom("SHOPFLOOR")
        self._send(1, struct.pack("<IIhhHHHHII", own, self.root, 0, 0, 1, 1, 0, 2, 0, 0))
        for kind in ("UTF8_STRING", "STRING"):
            self._told.clear()
            self._send(24, struct.pack("<IIIII", own, held, self._atom(kind), into, 0))
            if self._was_handed(own):
                content, type_ = self._property(own, into)
                return None if type_ == self._atom("INCR") else content.decode(_encoding(kind), errors="replace")
        return None

    def _was_handed(self, own: int) -> bool:
        until = time.monotonic() + COPY_S
        while time.monotonic() < until:
            self.focus()  # an answer brings along whatever was told before it
            for event in self._told:
                if _unsigned(event, 8) == own:
                    return _unsigned(event, 20) != _NONE
            time.sleep(0.02)
        return False

    def _window(self, window: int, *, focused: bool) -> TopWindow | None:
        attributes = self._ask(3, struct.pack("<I", window))
        geometry = self._ask(14, struct.pack("<I", window))
        if not attributes or not geometry or attributes[26] != _VIEWABLE or attributes[12] != 1:
            return None
        x, y, width, height = struct.unpack_from("<hhHH", geometry, 12)
        title, popup = self._title(window), bool(attributes[27])
        return TopWindow(window, title, x, y, width, height, popup=popup, focused=focused)

    def _title(self, window: int) -> str:
        title, _ = self._property(window, self._atom("_NET_WM_NAME"))
        if title:
            return title.decode(errors="replace")
        title, type_ = self._property(window, self._atom("WM_NAME"))
        return title.decode("utf-8" if type_ == self._atom("UTF8_STRING") else "latin-1", errors="replace")

    def _is_shown(self, window: int) -> bool:
        attributes = self._ask(3, struct.pack("<I", window))
        return attributes is not None and attributes[26] == _VIEWABLE

    def _children(self, window: int) -> tuple[int, ...]:
        reply = self._ask(15, struct.pack("<I", window))
        count = int.from_bytes(reply[16:18], "little") if reply else 0
        return struct.unpack_from(f"<{count}I", reply or b"", 32) if count else ()

    def _ancestors(self, window: int) -> frozenset[int]:
        """The window itself, what it lies in, and so on."""
        found: set[int] = set()
        while window not in (_NONE, self.root) and window not in found:
            found.add(window)
            reply = self._ask(15, struct.pack("<I", window))
            window = _unsigned(reply, 12) if reply else _NONE
        return frozenset(found)

    def _property(self, window: int, name: int) -> tuple[bytes, int]:
        reply = self._ask(20, struct.pack("<IIIII", window, name, 0, 0, COPY_CAP // 4))
        if not reply:
            return b"", _NONE
        size = _unsigned(reply, 16) * (reply[1] // 8)
        return reply[32 : 32 + size], _unsigned(reply, 8)

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            padded = name.encode() + bytes(-len(name) % 4)
            reply = self._ask(16, struct.pack("<HH", len(name), 0) + padded)
            self._atoms[name] = _unsigned(reply, 8) if reply else _NONE
        return self._atoms[name]

    def _ask(self, code: int, body: bytes = b"") -> bytes | None:
        """The reply; None for an error, such as a window that has just gone."""
        self._send(code, body)
        for packet in self._packets():
            if int.from_bytes(packet[2:4], "little") == self._asked & 0xFFFF:
                return packet if packet[0] == _REPLY else None
        return None

    def _send(self, code: int, body: bytes, *, data: int = 0) -> None:
        self._socket.sendall(struct.pack("<BBH", code, data, 1 + len(body) // 4) + body)
        self._asked += 1

    def _packets(self) -> Iterator[bytes]:
        """Replies and errors as they come."""
        while True:
            packet = self._read(32)
            if packet[0] == _REPLY:
                packet += self._read(_unsigned(packet, 4) * 4)
            if packet[0] in (_ERROR, _REPLY):
                yield packet
            elif packet[0] & 0x7F == _SELECTION_NOTIFY:
                self._told.append(packet)

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise OSError("the X server hung up")
            data += chunk
        return bytes(data)


def _unsigned(packet: bytes, offset: int) -> int:
    return int.from_bytes(packet[offset : offset + 4], "little")


def _encoding(kind: str) -> str:
    return "utf-8" if kind == "UTF8_STRING" else "latin-1"
