"""The terminal driver with real programs in a real terminal."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.drivers.actions import Keys, Look, Resize, StartProgram, Type, WaitFor
from shopfloor.validation.drivers.expectations import Expectation
from shopfloor.validation.drivers.steps import read_step
from shopfloor.validation.drivers.terminal import TerminalDriver, key_bytes, open_terminal

if TYPE_CHECKING:
    from .conftest import Ground


def test_a_full_screen_program_is_used_with_arrow_keys_and_left_with_its_exit_code(ground: "Ground") -> None:
    """Arrows move, a resize is noticed, and what stood on the screen before comes back at the end."""

    async def story(terminal: TerminalDriver) -> None:
        opened = await terminal.perform(StartProgram(command="exec $PYTHON fullscreen.py"))
        moved = await terminal.perform(Keys(names=("Down", "Down", "Up")))
        resized = await terminal.perform(Resize(rows=10, columns=40))
        left = await terminal.perform(Keys(names=("q",)))

        assert "┌────" in opened.text
        assert "> apple" in opened.text
        assert "> banana" in moved.text
        assert "Fruit 10x40" in resized.text
        assert left.text == "before\nchosen: banana\n[the program ended with exit code 7]"

    in_a_terminal(ground, story)


def test_garbage_flood_and_silence_leave_the_driver_usable(ground: "Ground") -> None:
    """Whatever a program prints, the driver looks in time, and ctrl-c ends what does not end itself."""

    async def story(terminal: TerminalDriver) -> None:
        await terminal.perform(StartProgram(command="exec $PYTHON echo.py"))
        garbage = await terminal.perform(Type(text="garbage\n"))
        hanging = await terminal.perform(Type(text="hang\n"))
        waited = await terminal.perform(WaitFor(text="you> $", seconds=0.3))
        await terminal.perform(Keys(names=("ctrl-c",)))
        interrupted = await terminal.perform(WaitFor(text="KeyboardInterrupt"))
        await terminal.perform(StartProgram(command="exec $PYTHON echo.py"))
        with anyio.fail_after(10):
            flooded = await terminal.perform(Type(text="flood\n"))
            stopped = await terminal.perform(Keys(names=("ctrl-c",)))

        assert "survived" in garbage.text
        assert "running" in hanging.text
        assert not waited.happened
        assert interrupted.happened
        assert "flood flood" in flooded.text
        assert "ended with exit code" in stopped.text

    in_a_terminal(ground, story)


@pytest.mark.parametrize(
    ("command", "holds", "fails"),
    [
        (
            "seq 1000",
            ('output has "\\n7\\n8\\n"', 'output lacks "1001"'),
            ('screen has "\\n7\\n8\\n"', 'output is "1"'),
        ),
        ("printf %0100d 7", (f'output is "{7:0100d}"', "exit code is 0"), (f'screen has "{7:0100d}"', 'output is "7"')),
        ("printf '\\033[1;31mred\\033[0m\\n\\033]0;title\\007'", ('output is "red"',), ('output is "red "',)),
        ("printf ' a\\tb \\n\\n'", ('output is " a\\tb "',), ('output is "a\\tb"', 'output is " a b "')),
        ("true", ('output is ""', "exit code is 0"), ('output has "x"', "json $ is null", "json lines $ counts 1")),
        (
            'echo \'{"a": [1, {"b": "x"}]}\'',
            ('json $.a[1].b is "x"', "json $.a counts 2", "json $.a is a list", "keep $.a[0] as one"),
            ("json $.a[0] is 2", "json $.c is 1", "keep $.a as all"),
        ),
        (
            'printf \'{"a": 1}\\n{"a": 2}\\n\'',
            ("json lines $ counts 2", "json lines $[*].a is [1, 2]", 'json lines $[1] is {"a": 2.0}'),
            ("json $.a is 1", "json lines $ counts 1", "json lines $[*].a is [2, 1]"),
        ),
        ("printf '%03000d' 0 | tr 0 '['", ('output has "[["',), ("json $ is []", "json $ is a list")),
        ("yes 0123456789 | head -c 1100000", ("exit code is 0",), ('output has "0123"', 'output lacks "never"')),
    ],
    ids=["long", "wide", "coloured", "blank", "silent", "json", "json lines", "deep json", "too long"],
)
def test_what_a_program_printed_is_looked_at_whole(
    ground: "Ground", command: str, holds: tuple[str, ...], fails: tuple[str, ...]
) -> None:
    """Neither the height nor the width of a screen, nor colours, say what a program's output is."""

    async def story(terminal: TerminalDriver) -> None:
        await terminal.perform(StartProgram(command=command))
        seen = {line: await terminal.check(_expectation(line), 6.0) for line in (*holds, *fails)}

        assert {line: one.happened for line, one in seen.items()} == {
            **dict.fromkeys(holds, True),
            **dict.fromkeys(fails, False),
        }
        assert all(
            one.kept == (("one", "1"),) for line, one in seen.items() if line.startswith("keep") and one.happened
        )

    in_a_terminal(ground, story)


def _expectation(line: str) -> Expectation:
    step = read_step(line)
    assert isinstance(step, Expectation)
    return step


def test_an_ended_program_takes_no_input_and_says_how_it_ended(ground: "Ground") -> None:
    """Typing into the void is told as such; a signal shows in the exit code."""

    async def story(terminal: TerminalDriver) -> None:
        ended = await terminal.perform(StartProgram(command="echo bye; kill -TERM $$"))
        typed = await terminal.perform(Type(text="hello"))
        missing = await terminal.perform(StartProgram(command="no-such-program"))

        assert ended.text == "bye\n[the program ended with exit code 143]"
        assert not typed.happened
        assert "the program has ended and takes no more input" in typed.text
        assert "not found" in missing.text
        assert "exit code 127" in missing.text

    in_a_terminal(ground, story)


def test_starting_again_ends_the_program_before(ground: "Ground") -> None:
    """One terminal holds one program: the old one is gone, with its children."""

    async def story(terminal: TerminalDriver) -> None:
        before = ground.alive()
        await terminal.perform(StartProgram(command="sleep 1000 & sleep 1000"))
        assert len(ground.alive() - before) >= 2
        await terminal.perform(StartProgram(command="echo done"))
        assert ground.gone_but(before) == set()

    in_a_terminal(ground, story)


def test_what_makes_no_sense_goes_back_to_the_model(ground: "Ground") -> None:
    """No program yet, an unknown key, an impossible size: refused with what to do instead."""

    async def story(terminal: TerminalDriver) -> None:
        with pytest.raises(AskModelAgain, match="start one first"):
            await terminal.perform(Look())
        await terminal.perform(StartProgram(command="cat"))
        with pytest.raises(AskModelAgain, match="'Entre' is no key"):
            await terminal.perform(Keys(names=("x", "Entre")))
        with pytest.raises(AskModelAgain, match="is no size of a terminal"):
            await terminal.perform(Resize(rows=0, columns=80))
        assert (await terminal.perform(Look())).text.startswith("\n[running")

    in_a_terminal(ground, story)


def test_keys_are_spelled_as_terminals_do() -> None:
    """Named keys, control and alt, and the other spelling that full-screen programs ask for."""
    assert [key_bytes(name) for name in ("Enter", "ctrl-c", "alt-x", "F1", "f5", "é")] == [
        *("\r", "\x03", "\x1bx", "\x1bOP", "\x1b[15~", "é")
    ]
    assert [key_bytes("Up", application=asked) for asked in (False, True)] == ["\x1b[A", "\x1bOA"]


def in_a_terminal(ground: "Ground", story: Callable[[TerminalDriver], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with ground.arena() as arena, open_terminal(arena) as terminal:
            await story(terminal)

    anyio.run(whole)
