"""The desktop driver against real programs with windows, honest and in trouble: what they do is told, and in time."""

import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.testing.desktops import why_no_desktop
from shopfloor.validation.drivers.actions import Action
from shopfloor.validation.drivers.desktop import DesktopDriver, key_name, open_desktop
from shopfloor.validation.drivers.hands.picture import Picture, difference
from shopfloor.validation.drivers.steps import read_step

if TYPE_CHECKING:
    from .conftest import Ground

desktop = pytest.mark.skipif(bool(why_no_desktop()), reason=why_no_desktop())
STARTED = 'start "exec $PYTHON desk.py {}"'


@desktop
@pytest.mark.long
def test_what_is_done_is_seen_in_windows_pictures_clipboard_and_files(ground: "Ground") -> None:
    """Letters of any kind, keys by either name, clicks on the display and in a window, dialogs that take the focus."""
    held = (
        *(STARTED.format("honest"), "screen changes", 'see window "To do"', "count window is 1", "still runs"),
        *('type "bread & ✓ é"', "keys enter", 'see window "To do: bread & ✓ é"'),
        *("keys ctrl+e", 'clipboard is "bread & ✓ é"', 'clipboard lacks "milk"'),
        *("keys ctrl-s", 'file "~/todos.txt" is "bread & ✓ é"', 'file "desk.py" has "tkinter"'),
        *('click at 50 35 in window "To do: bread & ✓ é"', "screen changes", "keep screen as one"),
        *("click at 70 65", "screen changes", "screen looks unlike one", "keys ctrl+z", "screen looks like one"),
        *("keys F8", 'see focused window "Sure?"', "count window is 2", "keys y", 'see no window "Sure?"'),
        *('wait for "emp"', 'see window "emptied"', "keys F9", "screen does not change"),
        *("keys ctrl+q", "exit code is 0"),
    )

    async def story(driver: DesktopDriver) -> None:
        assert [line for line in held if not await happens(driver, line)] == []

    on_a_display(ground, story)


@desktop
@pytest.mark.long
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("keys F2", "screen does not change"), "but it changed from"),
        (("keys F9", "screen changes"), "but it is as it was"),
        (("keys F2", 'see window "Nowhere"'), 'but it is not there; there is "To do"'),
        (("keys F2", "count window is 2"), "but there are 1"),
        (("keys F2", 'clipboard is ""'), "but nothing was copied"),
        (("keys F2", 'file "~/todos.txt" has "milk"'), "but there is no file '~/todos.txt'"),
        (("keys F2", "screen looks like nothing-kept"), "but no picture was kept"),
        (('click at 5 5 in window "Nowhere"',), "not done: no window 'Nowhere'"),
        (("keys ctrl+q", "keys F2"), "not done: there is no window that could take it; the program ended"),
        (("keys ctrl+q", "screen changes"), "but no window is left: the program ended with exit code 0"),
        (("keys F12", 'see no window "To do"'), "but the program ended with exit code 134"),
    ],
)
def test_what_is_not_so_is_told_in_words(ground: "Ground", lines: tuple[str, ...], words: str) -> None:
    """What is there instead, or why it could not be done; a window that died with its program is no window closed."""

    async def story(driver: DesktopDriver) -> None:
        assert await happens(driver, STARTED.format("honest"))
        assert all([await happens(driver, line) for line in lines[:-1]])
        assert not await happens(driver, lines[-1])
        assert words in driver.transcript.steps[-1].observation.text

    on_a_display(ground, story)


@desktop
@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        ("windowless", "still runs", "not done: no window within 2 s; running"),
        ("ends", 'see window "To do"', "the program ended with exit code 1, saying 'nothing to do'"),
        ("moves", "screen does not change", "but it changed from"),
        ("holds", "keys F2", "the display broke: timed out"),
    ],
)
def test_a_program_in_trouble_is_told_in_time(ground: "Ground", kind: str, line: str, words: str) -> None:
    """One without a window, one that ends, one that never rests, one that holds the display for itself."""

    async def story(driver: DesktopDriver) -> None:
        began = time.monotonic()
        try:
            await happens(driver, STARTED.format(kind))
            assert not await happens(driver, line) or kind == "windowless"
            told = "\n".join(step.observation.text for step in driver.transcript.steps)
        except GiveUp as trouble:
            told = str(trouble)
        assert words in told
        assert time.monotonic() - began < 20

    on_a_display(ground, story)


@desktop
@pytest.mark.long
def test_floods_and_thirty_dialogs_leave_the_others_in_peace(ground: "Ground") -> None:
    """What is printed without end is read and dropped, and each dialog has its turn."""

    async def story(driver: DesktopDriver) -> None:
        assert await happens(driver, STARTED.format("floods"))
        assert await happens(driver, "keys F2")
        assert await happens(driver, "screen changes")
        assert await happens(driver, STARTED.format("asks"))
        await anyio.sleep(4)
        assert await happens(driver, "count window is 31")
        assert await happens(driver, "keys y")
        assert await happens(driver, "count window is 30")

    on_a_display(ground, story)


@desktop
def test_a_session_knows_nothing_of_the_one_before(ground: "Ground") -> None:
    """A new display: no window, nothing in the clipboard, and no program to ask."""

    async def story(driver: DesktopDriver) -> None:
        for line in (STARTED.format("honest"), 'type "milk"', "keys enter ctrl+e", 'clipboard is "milk"'):
            assert await happens(driver, line)
        await driver.begin()

        with pytest.raises(AskModelAgain, match="no program was started"):
            await happens(driver, 'see window "To do"')
        assert await happens(driver, STARTED.format("honest"))
        assert not await happens(driver, 'clipboard is "milk"')
        with pytest.raises(AskModelAgain, match="No such key name"):
            await happens(driver, "keys Foo")

    on_a_display(ground, story)


@desktop
def test_the_program_reaches_no_other_display_and_nothing_of_the_judges(ground: "Ground") -> None:
    """Its display is the arena's own, and neither server nor pictures are in its sight."""
    look = 'start "env | grep DISPLAY; ls -A /tmp | wc -l; (ps ax || true) | grep -c [X]vfb; exit 7"'

    async def story(driver: DesktopDriver) -> None:
        await happens(driver, look)
        assert await happens(driver, "exit code is 7")
        assert "saying 'DISPLAY=127.0.0.1:0\\n0\\n0'" in driver.transcript.steps[0].observation.text

    on_a_display(ground, story)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("enter", "Return"),
        ("ctrl-s", "ctrl+s"),
        ("Ctrl+Shift+Tab", "ctrl+shift+Tab"),
        ("F12", "F12"),
        ("+", "U002B"),
        ("ctrl--", "ctrl+U002D"),
        ("KP_Add", "KP_Add"),
        ("pagedown", "Next"),
        ("x", "x"),
    ],
)
def test_keys_have_the_names_of_a_terminal_and_those_of_x(name: str, key: str) -> None:
    """One name for a key wherever it is pressed, and more where there are more keys."""
    assert key_name(name) == key


@pytest.mark.parametrize("name", ["", "rm -rf", "ctrl+", "a;b", "--window"])
def test_what_is_no_key_is_none(name: str) -> None:
    """Nothing else gets through to who presses them."""
    with pytest.raises(AskModelAgain, match="is no key"):
        key_name(name)


def test_pictures_differ_where_they_do_and_a_caret_is_none() -> None:
    """A box around all of it; what blinked is not in what they have in common; what nobody sees is no difference."""
    blank, caret, letter = drawn(), drawn((5, 5, 7, 20)), drawn((5, 5, 7, 20), (10, 5, 18, 20))

    assert difference(blank, letter).box == (5, 5, 18, 20)
    assert (difference(blank, letter).is_seen, difference(blank, caret).is_seen) == (True, False)
    assert (difference(blank, caret) & difference(blank, blank)).box is None
    assert difference(blank, Picture(40, 30, bytes((0, 0, 0, 255)) * 1200)).box is None
    assert difference(blank, Picture(20, 20, bytes(1600))).is_seen


def test_a_picture_is_written_as_others_read_it() -> None:
    """PNG, by the letter of it: size, and each pixel red, green and blue."""
    content = drawn((0, 0, 1, 1)).png()
    width, height = struct.unpack(">II", content[16:24])
    size = struct.unpack(">I", content[33:37])[0]
    rows = zlib.decompress(content[41 : 41 + size])

    assert (content[:8], width, height) == (b"\x89PNG\r\n\x1a\n", 40, 30)
    assert rows[:7] == bytes((0, 30, 20, 10, 0, 0, 0))
    assert len(rows) == 30 * (1 + 40 * 3)


def drawn(*boxes: tuple[int, int, int, int]) -> Picture:
    """A black picture of 40 x 30 with boxes of one colour in it."""
    pixels = bytearray(40 * 30 * 4)
    for left, top, right, bottom in boxes:
        for row in range(top, bottom):
            for column in range(left, right):
                start = (row * 40 + column) * 4
                pixels[start : start + 4] = bytes((10, 20, 30, 0))
    return Picture(40, 30, bytes(pixels))


async def happens(driver: DesktopDriver, line: str) -> bool:
    step = read_step(line)
    seen = await (driver.perform(step) if isinstance(step, Action) else driver.check(step, 1.5))
    return seen.happened


def on_a_display(ground: "Ground", story: Callable[[DesktopDriver], Awaitable[None]]) -> None:
    async def whole() -> None:
        before = ground.alive()
        async with ground.arena() as arena, open_desktop(arena, starting_s=2.0) as driver:
            await story(driver)
        assert ground.gone_but(before) == set()

    anyio.run(whole)
