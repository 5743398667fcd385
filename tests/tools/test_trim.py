"""Output is cut to its head and tail, and says so."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.tools.trim import WHOLE, plain, trim, trim_file


def test_short_output_is_untouched() -> None:
    """What fits is shown as it is."""
    assert trim("one\ntwo\n") == ("one\ntwo\n", False)


def test_long_output_keeps_its_head_and_tail() -> None:
    """The middle gives way to a line that says how much is missing and how to see it."""
    text = "".join(f"line {number}\n" for number in range(1, 101))

    assert trim(text, max_lines=4) == (
        "line 1\nline 2\n"
        "[... 96 lines, 761 bytes left out: the whole output is kept; "
        "narrow the command (grep, head, tail) to see more ...]\n"
        "line 99\nline 100\n",
        True,
    )


def test_one_endless_line_is_cut_inside() -> None:
    """A line longer than all the room still shows both its ends."""
    text, trimmed = trim("a" * 50 + "b" * 50, max_bytes=20, hint="more")
    assert (text, trimmed) == ("aaaaaaaaaa\n[... 0 lines, 80 bytes left out: more ...]\nbbbbbbbbbb", True)


@given(st.text(alphabet=st.sampled_from("aé\n€ \U0001f600"), max_size=400), st.integers(1, 200), st.integers(1, 30))
def test_what_is_kept_is_true(text: str, max_bytes: int, max_lines: int) -> None:
    """Head and tail are the text's own, within the limits; nothing is cut that would have fitted."""
    shown, trimmed = trim(text, max_bytes, max_lines, hint="HINT")
    fits = len(text.encode()) <= max_bytes and text.count("\n") <= max_lines
    assert trimmed == (not fits)
    if not trimmed:
        assert shown == text
        return
    head, mark, tail = shown.partition("[... ")
    note, tail = tail.split(" ...]\n", 1)
    assert mark
    assert text.startswith(head) or text.startswith(head.removesuffix("\n"))
    assert text.endswith(tail)
    assert len((head + tail).encode()) <= max(2, max_bytes) + 1
    assert (head + tail).count("\n") <= max(2, max_lines) + 1
    left = int(note.split(" lines, ")[1].split(" ")[0])
    assert len(text.encode()) - left in (len((head + tail).encode()), len((head + tail).encode()) - 1)


@given(st.binary(max_size=300))
def test_any_bytes_become_plain_text(data: bytes) -> None:
    """No output can break the screen: no escapes, no control characters, always valid text."""
    text = plain(data)
    assert text.encode().decode() == text
    assert not any(ord(sign) < 32 and sign not in "\t\n" for sign in text)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b[1;32mgreen\x1b[0m\n", "green\n"),
        (b"\x1b]0;title\x07text \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "text link"),
        (b"10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        (b"bar 1\rbar 2\r", "bar 2"),
        (b"caf\xe9 \xe2\x82\xac\n", "caf\ufffd €\n"),
        (b"\x1b(Btable\x0f\x08\x00\n", "table\n"),
    ],
)
def test_terminal_art_is_dropped(data: bytes, text: str) -> None:
    """Colours, titles and progress bars cost tokens and say nothing."""
    assert plain(data) == text


def test_a_huge_file_is_never_loaded(tmp_path: Path) -> None:
    """Of 100 MB only the two ends are read."""
    path = tmp_path / "out"
    with path.open("wb") as file:
        file.write(b"first\n")
        file.truncate(100_000_000)
        file.seek(0, 2)
        file.write(b"\nlast\n")
    tracemalloc.start()
    text, trimmed = trim_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert trimmed
    assert text.startswith("first\n[... about 99,999,")
    assert text.endswith(" ...]\nlast\n")
    assert peak < 4_000_000


def test_a_file_at_the_border_is_read_whole(tmp_path: Path) -> None:
    """Both ways of reading agree on what is shown."""
    path = tmp_path / "out"
    line = b"0123456789abcde\n"
    path.write_bytes(line * (WHOLE // 16))
    whole, _ = trim_file(path)
    path.write_bytes(line * (WHOLE // 16 + 1))
    ends, _ = trim_file(path)
    assert whole.split("[...")[0] == ends.split("[...")[0]
    assert whole.split("...]")[1] == ends.split("...]")[1]
