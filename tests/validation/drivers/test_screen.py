"""The screen shows what a terminal would show, whatever bytes arrive in whatever pieces."""

from hypothesis import given
from hypothesis import strategies as st

from shopfloor.validation.drivers.screen import TerminalScreen

pieces = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"\x1b[?1049h",
                b"\x1b[?1049l",
                b"\x1b[2J",
                b"\x1b[5;7H",
                b"\x1b[3b",
                b"\x1b[2S",
                b"\x1b[?1;2;3m",
                b"\x1b[99A",
            ]
        ),
        st.sampled_from(
            [b"\x1bP+q544e\x1b\\", b"\x1b[>4;2m", b"\x1b[<u", "ä€😀".encode(), b"\x1b]0;t\x07", b"\x1b[6n"]
        ),
    ),
    max_size=20,
).map(b"".join)


@given(pieces)
def test_garbage_never_stops_the_screen(garbage: bytes) -> None:
    """After any bytes at all and a reset, the next line is drawn as if nothing had been."""
    screen = TerminalScreen(6, 20)

    screen.feed(garbage)
    screen.feed(b"\x18\x1b\\\x1b\\\x1b[?1049l\x1bc" + b"still here")

    assert screen.text == "still here"


@given(pieces, st.integers(min_value=1, max_value=7))
def test_it_does_not_matter_how_output_is_cut(output: bytes, size: int) -> None:
    """The same bytes in pieces of any size draw the same screen."""
    whole, cut = TerminalScreen(6, 20), TerminalScreen(6, 20)

    whole.feed(output)
    for start in range(0, len(output), size):
        cut.feed(output[start : start + size])

    assert (cut.text, cut.cursor) == (whole.text, whole.cursor)


def test_leaving_a_full_screen_program_brings_the_old_screen_back() -> None:
    """The alternate screen covers, and does not erase, what stood there."""
    screen = TerminalScreen(4, 20)
    screen.feed(b"$ edit\r\n")

    screen.feed(b"\x1b[?1049h\x1b[2;3Hediting")
    during = screen.text
    screen.feed(b"\x1b[?1049l$ ")

    assert (during, screen.text, screen.cursor) == ("\n  editing", "$ edit\n$", (2, 3))


def test_lines_repeats_and_scrolling_are_drawn() -> None:
    """What full-screen libraries send to save bytes looks as it does in xterm."""
    screen = TerminalScreen(3, 10)

    screen.feed(b"\x1b(0lq\x1b[3bk\x1b(B\r\nmiddle\r\nlast\x1b[1S")

    assert screen.text == "middle\nlast"


def test_a_program_that_asks_for_the_cursor_is_answered() -> None:
    """The terminal's own answers are for the program, not for the screen."""
    screen = TerminalScreen(3, 10)

    assert (screen.feed(b"ab\x1b[6n"), screen.text) == (b"\x1b[1;3R", "ab")
