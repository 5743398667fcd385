"""Standard output for jobs that must not stop because nobody reads any more (`shopfloor run ... | head -1`).

It does not know what is printed.
"""

import io
import os
import sys
from pathlib import Path
from typing import TextIO


class _Unread(io.TextIOWrapper):
    """A stream of text that goes on when its reader has left."""

    def __init__(self, plain: TextIO) -> None:
        super().__init__(plain.buffer, encoding=plain.encoding, errors="replace", line_buffering=plain.isatty())
        self._plain = plain  # who lets go of it closes what it wrote to

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            return self._dropped(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._dropped("")

    def _dropped(self, text: str) -> int:
        """What is left in the buffer has nowhere to go, now and at the end."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
        return len(text)


def go_on_unread() -> None:
    """From here on, what is printed for nobody is dropped, and the work goes on."""
    out = sys.stdout
    if not isinstance(out, _Unread):
        out.flush()
        sys.stdout = _Unread(out)


def open_what_is_closed() -> None:
    """A program that was started without output (`>&-`) writes to nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - while the process lasts
