"""Output cut to what a model should read: its head and its tail, on line borders, with a word on what is missing.

It does not know where the whole output is kept.
"""

import re
from pathlib import Path

MAX_BYTES = 16_000
MAX_LINES = 400
WHOLE = 1 << 20
"""Files up to this size are read whole, of larger ones only both ends."""
END = 1 << 18

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|[ -/]*[0-~])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NARROW = "the whole output is kept; narrow the command (grep, head, tail) to see more"


def trim(text: str, max_bytes: int = MAX_BYTES, max_lines: int = MAX_LINES, hint: str = _NARROW) -> tuple[str, bool]:
    """The text, or its head and tail with a line between them; and whether anything was left out."""
    data = text.encode("utf-8", "replace")
    if len(data) <= max_bytes and text.count("\n") <= max_lines:
        return text, False
    half, lines = max(1, max_bytes // 2), max(1, max_lines // 2)
    head = _head(data[:half], lines)
    tail = _tail(data[-half:], lines)
    left = data[len(head.encode()) : len(data) - len(tail.encode())]
    lost = left.count(b"\n")
    return _joined(head, tail, f"{lost:,} lines, {len(left):,} bytes", hint), True


def trim_file(path: Path, max_bytes: int = MAX_BYTES, max_lines: int = MAX_LINES) -> tuple[str, bool]:
    """Like `trim`, of a file of any size: no more than its two ends are ever read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE:
            return trim(plain(file.read(WHOLE)), max_bytes, max_lines)
        first = plain(file.read(END))
        file.seek(-END, 2)
        last = plain(file.read(END))
    half, lines = max(1, max_bytes // 2), max(1, max_lines // 2)
    head = _head(first.encode()[:half], lines)
    tail = _tail(last.encode()[-half:], lines)
    return _joined(head, tail, f"about {size - len(head) - len(tail):,} bytes", _NARROW), True


def plain(data: bytes) -> str:
    """Bytes of a terminal as plain text: no colours, and of a line drawn over and over only the last drawing."""
    text = _ESCAPE.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
    if "\r" in text:
        text = "\n".join(_last_drawing(line) for line in text.split("\n"))
    return _CONTROL.sub("", text)


def _last_drawing(line: str) -> str:
    return next((drawing for drawing in reversed(line.split("\r")) if drawing), "")


def _head(data: bytes, max_lines: int) -> str:
    """Whole lines from the start; a first line longer than all of it is cut."""
    text = data.decode("utf-8", "ignore")
    lines = text.split("\n")[:-1][:max_lines]
    return "\n".join(lines) + "\n" if lines else text


def _tail(data: bytes, max_lines: int) -> str:
    """Whole lines from the end; a last line longer than all of it is cut."""
    text = data.decode("utf-8", "ignore")
    lines = text.removesuffix("\n").split("\n")[1:][-max_lines:]
    return "\n".join(lines) + "\n" * text.endswith("\n") if lines else text


def _joined(head: str, tail: str, left: str, hint: str) -> str:
    border = "" if head.endswith("\n") else "\n"
    return f"{head}{border}[... {left} left out: {hint} ...]\n{tail}"
