"""Pictures of a display: reads the one that Xvfb keeps in a file, tells where two differ, and writes PNG.

It does not know what is to be seen in them.
"""

import struct
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

CARET_WIDTH, CARET_HEIGHT = 3, 60
"""What is no larger is a caret, which says that a field has the focus and nothing else."""
_HEADER = struct.Struct(">25I")
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, and the first column and row that are not in it."""


@dataclass(frozen=True)
class Picture:
    """`pixels` has four bytes for each pixel, row by row: blue, green, red, and one that means nothing."""

    width: int
    height: int
    pixels: bytes

    def png(self) -> bytes:
        rows = bytearray(self.width * self.height * 3)
        for place, colour in enumerate((2, 1, 0)):
            rows[place::3] = self.pixels[colour::4]
        line = self.width * 3
        lines = b"".join(b"\0" + rows[start : start + line] for start in range(0, len(rows), line))
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, data) for name, data in parts)


@dataclass(frozen=True)
class Difference:
    """Where pictures differ: a number with a bit for each of theirs, so that what differs in all of them is an `and`.

    A caret that blinks differs in some only, and is then gone.
    """

    size: tuple[int, int]
    bits: int

    def __and__(self, other: "Difference") -> "Difference":
        return Difference(self.size, self.bits & other.bits) if self.size == other.size else other

    @property
    def box(self) -> Box | None:
        """The smallest that holds all of it."""
        if not self.bits:
            return None
        width, height = self.size
        line = width * 4
        data = self.bits.to_bytes(line * height, "little")
        top = (len(data) - len(data.lstrip(b"\0"))) // line
        bottom = (len(data.rstrip(b"\0")) - 1) // line + 1
        rows = [data[start : start + line] for start in range(top * line, bottom * line, line)]
        left = min(len(row) - len(row.lstrip(b"\0")) for row in rows) // 4
        right = max(len(row.rstrip(b"\0")) for row in rows)
        return left, top, (right + 3) // 4, bottom

    @property
    def is_seen(self) -> bool:
        """Whether it is more than a caret."""
        box = self.box
        return box is not None and (box[2] - box[0] > CARET_WIDTH or box[3] - box[1] > CARET_HEIGHT)


def read_picture(file: Path) -> Picture:
    """What Xvfb shows now (a file in the format of xwd). OSError if it is none."""
    data = file.read_bytes()
    if len(data) < _HEADER.size:
        raise OSError(f"{file.name} is no picture")
    head = _HEADER.unpack_from(data)
    width, height, line = head[4], head[5], head[12]
    start = head[0] + head[19] * 12
    if head[11] != 32 or line != width * 4 or len(data) < start + line * height:
        raise OSError(f"{file.name} is no picture of 32 bits to the pixel")
    return Picture(width, height, data[start : start + line * height])


def difference(one: Picture, other: Picture) -> Difference:
    """Where two differ; of two sizes, everywhere."""
    size = (other.width, other.height)
    colours = _colours(other.width * other.height)
    if (one.width, one.height) != size:
        return Difference(size, colours)
    bits = int.from_bytes(one.pixels, "little") ^ int.from_bytes(other.pixels, "little")
    return Difference(size, bits & colours)


@cache
def _colours(pixels: int) -> int:
    return int.from_bytes(b"\xff\xff\xff\0" * pixels, "little")


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
