"""What a terminal shows: the bytes of a program, drawn on a grid of characters.

pyte draws; what it lacks and real programs use is added here: the alternate screen, repeated characters, scrolling,
and calm about garbage. It does not know the program.
"""

import codecs
import copy
import re
import unicodedata
from collections.abc import Callable

import pyte
from pyte.screens import Char, Cursor, wcwidth

_ALTERNATE = frozenset((47, 1047, 1049))
_CURSOR_KEYS = 1 << 5
_MUTE = re.compile(r"\x1b[P_^X][^\x1b]*\x1b\\|\x1b\[[<=>][\d;]*[A-Za-z]")
"""Sequences that show nothing, and that pyte would print: device strings and keyboard protocols."""
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]+[0-~]|[0-~])", re.S
)
_LINE_END = re.compile(r"\r+\n")  # the terminal puts a \r before every \n, also where the program had put one
PRINTED_CAP = 1_000_000
"""Characters of a program's output that are kept beside the screen."""
_UNFINISHED = re.compile(r"\x1b(?:[P_^X][^\x1b]{0,4096}\x1b?|\[[<=>][\d;]{0,64}|\[)?\Z")


class TerminalScreen:
    """The screen of one program."""

    def __init__(self, rows: int, columns: int) -> None:
        self._grid = _Grid(columns, rows)
        self._stream = _CalmStream(self._grid)
        self._stream.use_utf8 = False  # we decode ourselves; this only lets programs switch to line drawing
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._raw: list[str] = []
        self._raw_length = 0

    def feed(self, output: bytes) -> bytes:
        """Draws `output`; what the terminal itself answers (where is the cursor?) comes back, for the program."""
        decoded = self._decoder.decode(output)
        if self._raw_length <= PRINTED_CAP:
            self._raw.append(decoded)
            self._raw_length += len(decoded)
        text = _MUTE.sub("", self._held + decoded)
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished.group() if unfinished else ""
        self._stream.feed(text[: len(text) - len(self._held)])
        answers = bytes(self._grid.answers)
        self._grid.answers.clear()
        return answers

    @property
    def text(self) -> str:
        """All rows, without the blanks at their ends and the empty rows at the bottom."""
        return "\n".join(self._row(row).rstrip() for row in range(self._grid.lines)).rstrip("\n")

    @property
    def printed(self) -> str | None:
        """All that came, as it would stand on paper without end, in one colour; None if it is too much to keep."""
        if self._raw_length > PRINTED_CAP:
            return None
        return _LINE_END.sub("\n", _SEQUENCE.sub("", "".join(self._raw)))

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column, counted from 1."""
        return self._grid.cursor.y + 1, min(self._grid.cursor.x, self._grid.columns - 1) + 1

    @property
    def wants_application_keys(self) -> bool:
        """Full-screen programs ask for arrow keys in another spelling."""
        return _CURSOR_KEYS in self._grid.mode

    def resize(self, rows: int, columns: int) -> None:
        self._grid.resize(rows, columns)

    def _row(self, row: int) -> str:
        line = self._grid.buffer[row]
        return "".join(line[column].data for column in range(self._grid.columns))


class _Grid(pyte.Screen):
    """pyte's screen, and what xterm can do beyond it."""

    def __init__(self, columns: int, rows: int) -> None:
        self.answers = bytearray()
        self._main: tuple[dict[int, dict[int, Char]], Cursor] | None = None
        self._last = " "
        super().__init__(columns, rows)

    def draw(self, data: str) -> None:
        """Without what takes no room (variation selectors, joiners): pyte would drop the rest of the line with it."""
        shown = data if data.isascii() and data.isprintable() else "".join(filter(_takes_room, data))
        if shown:
            self._last = shown[-1]
            super().draw(shown)

    def set_mode(self, *modes: int, **kwargs: bool) -> None:
        if kwargs.get("private") and self._main is None and _ALTERNATE.intersection(modes):
            self._main = ({row: dict(line) for row, line in self.buffer.items()}, copy.copy(self.cursor))
            self.erase_in_display(2)
        super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes: int, **kwargs: bool) -> None:
        super().reset_mode(*modes, **kwargs)
        if kwargs.get("private") and self._main is not None and _ALTERNATE.intersection(modes):
            rows, self.cursor = self._main
            self._main = None
            self.buffer.clear()
            for row, line in rows.items():
                self.buffer[row].update(line)
            self.ensure_hbounds()
            self.ensure_vbounds()

    def repeat_last(self, count: int = 1) -> None:
        self.draw(self._last * max(count, 1))

    def scroll_up(self, count: int = 1) -> None:
        self._at_top(lambda: self.delete_lines(max(count, 1)))

    def scroll_down(self, count: int = 1) -> None:
        self._at_top(lambda: self.insert_lines(max(count, 1)))

    def keep_cursor(self, *_: int) -> None:
        self.save_cursor()

    def return_cursor(self, *_: int) -> None:
        self.restore_cursor()

    def write_process_input(self, data: str) -> None:
        self.answers += data.encode()

    def _at_top(self, move_lines: Callable[[], None]) -> None:
        """Moves the lines of the scrolling region; the cursor stays where it is."""
        x, y = self.cursor.x, self.cursor.y
        self.cursor.y = self.margins.top if self.margins else 0
        move_lines()
        self.cursor.x, self.cursor.y = x, y


def _takes_room(character: str) -> bool:
    return wcwidth(character) > 0 or unicodedata.combining(character) > 0


class _CalmStream(pyte.Stream):
    """A terminal ignores what it does not understand; pyte raises on some of it."""

    csi = {  # noqa: RUF012 - pyte's own way to declare sequences
        **pyte.Stream.csi,
        "b": "repeat_last",
        "S": "scroll_up",
        "T": "scroll_down",
        "s": "keep_cursor",
        "u": "return_cursor",
    }
    events = pyte.Stream.events | frozenset(("repeat_last", "scroll_up", "scroll_down", "keep_cursor", "return_cursor"))

    def _send_to_parser(self, data: str) -> bool | None:
        try:
            return super()._send_to_parser(data)
        except (TypeError, ValueError, LookupError, AssertionError):
            return True  # pyte has reset its parser: what follows is plain text again
