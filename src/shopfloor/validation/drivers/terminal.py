"""Drives a program in a real terminal: types, presses keys, reads the screen.

The program is read only while a step is performed; in between a flood of output waits in the terminal, as when
someone holds the scroll key. It does not know what the program should show.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic
from typing import assert_never

import anyio

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Process, Sandbox
from shopfloor.validation.drivers import json_path
from shopfloor.validation.drivers.actions import (
    Action,
    Keys,
    Look,
    Resize,
    StartProgram,
    TerminalAction,
    Type,
    WaitFor,
)
from shopfloor.validation.drivers.expectations import (
    Exit,
    Expectation,
    Json,
    JsonExpectation,
    JsonIsA,
    Keep,
    Output,
    Screen,
    TerminalExpectation,
)
from shopfloor.validation.drivers.protocol import Exhibit, Observation, Transcript, capped, describe, foreign
from shopfloor.validation.drivers.screen import PRINTED_CAP, TerminalScreen

QUIET_S = 0.15
"""No output for so long counts as quiet: the program has reacted."""
PATIENCE_S = 3.0
"""A program that never falls quiet is looked at after so long."""
STARTING_S = 0.6
"""A program that has just started may take so long until its first output."""
_KNOWN = "StartProgram, Type, Keys, Resize, Look and WaitFor"
_NAMED = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "esc": "\x1b",
    "backspace": "\x7f",
    "space": " ",
    "shift-tab": "\x1b[Z",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    **{f"f{number}": f"\x1bO{letter}" for number, letter in enumerate("PQRS", start=1)},
    **{f"f{number}": f"\x1b[{code}~" for number, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), start=5)},
}
_ARROWS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}


class TerminalDriver:
    """One terminal. Closing it ends the program in it."""

    def __init__(self, sandbox: Sandbox, rows: int, columns: int) -> None:
        self._sandbox = sandbox
        self._size = (rows, columns)
        self._screen = TerminalScreen(rows, columns)
        self._process: Process | None = None
        self._exit_code: int | None = None
        self.transcript = Transcript()

    async def perform(self, action: Action) -> Observation:
        if not isinstance(action, TerminalAction):
            raise foreign("terminal", action, _KNOWN)
        problem = await self._carry_out(action)
        shown = self._screen.text
        words = f"not done: {problem}\n{self._state()}" if problem else self._state()
        text, caption = f"{shown}\n[{words}]", describe(action)
        exhibit = Exhibit(kind="transcript", content=f"{caption}\n\n{text}".encode(), caption=caption)
        seen = Observation(text=capped(text), happened=not problem, evidence=(exhibit,))
        return self.transcript.note(action, seen)

    async def check(self, expectation: Expectation, patience_s: float) -> Observation:
        if not isinstance(expectation, TerminalExpectation):
            raise foreign("terminal", expectation, _KNOWN)
        self._running()
        deadline = monotonic() + patience_s
        problem, kept = self._looked_at(expectation)
        while problem and self._exit_code is None and (left := deadline - monotonic()) > 0:
            await self._read(min(left, QUIET_S))
            problem, kept = self._looked_at(expectation)
        caption = describe(expectation)
        text = f"{self._screen.text}\n[{caption}: {f'but {problem}' if problem else 'so it is'}]"
        exhibit = Exhibit(kind="transcript", content=text.encode(), caption=caption)
        seen = Observation(text=capped(text), happened=not problem, evidence=(exhibit,), kept=kept)
        return self.transcript.note(expectation, seen)

    def _looked_at(self, expectation: TerminalExpectation) -> tuple[str, tuple[tuple[str, str], ...]]:
        """How what is seen is not as expected, or "", and what is to be kept of it."""
        match expectation:
            case Screen(text=text, relation="is"):
                same = _trimmed(self._screen.text) == _trimmed(text)
                return ("" if same else "the screen shows something else"), ()
            case Screen(text=text, relation=relation):
                there = text in self._screen.text
                return ("" if there is (relation == "has") else f"the screen {'has' if there else 'lacks'} it"), ()
            case Exit(code=code):
                return ("" if self._exit_code == code else self._state()), ()
            case Output() | Json() | JsonIsA() | Keep():
                return _printed_differs(expectation, self._screen.printed)

    async def close(self) -> None:
        """Ends the program, if one is left."""
        if self._process is not None:
            with anyio.CancelScope(shield=True):
                await self._process.kill()
            self._process = None

    async def _carry_out(self, action: TerminalAction) -> str:
        """Does it; why it could not be done, or ""."""
        match action:
            case StartProgram(command=command):
                return await self._start(command)
            case Type(text=text):
                return await self._send(text.replace("\r\n", "\n").replace("\n", "\r"))
            case Keys(names=names):
                return await self._press(names)
            case Resize(rows=rows, columns=columns):
                return await self._resize(rows, columns)
            case Look():
                return await self._until_quiet()
            case WaitFor(text=text, seconds=seconds, gone=gone):
                return await self._wait(text, seconds, gone=gone)
            case _:
                assert_never(action)

    async def _start(self, command: str) -> str:
        await self.close()
        self._screen, self._exit_code = TerminalScreen(*self._size), None
        environment = {"TERM": "xterm-256color"}
        self._process = await self._sandbox.open(command, terminal=self._size, environment=environment, view="app")
        return await self._until_quiet(first_s=STARTING_S)

    async def _press(self, names: tuple[str, ...]) -> str:
        spelled = [key_bytes(name, application=self._screen.wants_application_keys) for name in names]
        for key in spelled:
            if problem := await self._send(key):
                return problem
        return ""

    async def _send(self, text: str) -> str:
        process = self._running()
        if self._exit_code is not None:
            return "the program has ended and takes no more input"
        data = text.encode()
        for start in range(0, len(data), 1024):
            with anyio.move_on_after(PATIENCE_S) as patience:
                try:
                    await process.write(data[start : start + 1024])
                except (OSError, AskModelAgain):  # how a process says that it does not read any more
                    await self._until_quiet()
                    return "the program ended before it could read this"
            if patience.cancelled_caught:
                return f"the program did not read its input for {PATIENCE_S:g} s"
            await self._until_quiet()
        return ""

    async def _resize(self, rows: int, columns: int) -> str:
        if not (1 <= rows <= 500 and 1 <= columns <= 500):
            raise AskModelAgain(f"{rows} rows and {columns} columns is no size of a terminal: use 1 to 500 of each")
        self._size = (rows, columns)
        self._screen.resize(rows, columns)
        if self._process is not None and self._exit_code is None:
            self._process.resize(rows, columns)
            await self._until_quiet()
        return ""

    async def _wait(self, text: str, seconds: float, *, gone: bool) -> str:
        deadline = monotonic() + seconds
        while (text in self._screen.text) is gone:
            left = deadline - monotonic()
            if left <= 0 or self._exit_code is not None:
                when = "the program ended and" if self._exit_code is not None else f"after {seconds:g} s"
                return f"{when} {text!r} is {'still' if gone else 'not'} on the screen"
            await self._read(min(left, QUIET_S))
        return ""

    async def _until_quiet(self, first_s: float = QUIET_S) -> str:
        """Reads until nothing comes for a moment. A program that never pauses is no problem, only looked at."""
        deadline, wait_s = monotonic() + PATIENCE_S, first_s
        while monotonic() < deadline and await self._read(wait_s):
            wait_s = QUIET_S
        return ""

    async def _read(self, seconds: float) -> bool:
        """Draws what comes within `seconds`; False if nothing came."""
        process = self._running()
        if self._exit_code is not None:
            return False
        output: bytes | None = None
        with anyio.move_on_after(seconds):
            output = await process.read()
        if output is None:
            return False
        if not output:
            self._exit_code = await process.wait()
            return False
        if answer := self._screen.feed(output):
            with anyio.move_on_after(PATIENCE_S):
                await process.write(answer)
        return True

    def _running(self) -> Process:
        if self._process is None:
            raise AskModelAgain("no program was started in this terminal: start one first")
        return self._process

    def _state(self) -> str:
        if self._exit_code is not None:
            return f"the program ended with exit code {self._exit_code}"
        row, column = self._screen.cursor
        return f"running; cursor at row {row}, column {column}"


@asynccontextmanager
async def open_terminal(sandbox: Sandbox, *, rows: int = 24, columns: int = 80) -> AsyncGenerator[TerminalDriver]:
    """A terminal whose programs run in the app's view of `sandbox`."""
    driver = TerminalDriver(sandbox, rows, columns)
    try:
        yield driver
    finally:
        await driver.close()


def _printed_differs(
    expectation: Output | JsonExpectation, printed: str | None
) -> tuple[str, tuple[tuple[str, str], ...]]:
    if printed is None:
        return f"it has printed more than {PRINTED_CAP:,} characters", ()
    match expectation:
        case Output(text=text, relation="is"):
            same = printed.rstrip("\n") == text.rstrip("\n")
            return ("" if same else f"it is {printed[-400:]!r}"), ()
        case Output(text=text, relation=relation):
            there = text in printed
            return ("" if there is (relation == "has") else f"the output {'has' if there else 'lacks'} it"), ()
        case Json() | JsonIsA() | Keep():
            return json_path.looked_up(expectation, printed.encode())


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def key_bytes(name: str, *, application: bool = False) -> str:
    """What a terminal sends for a key; AskModelAgain for a key it does not have."""
    low = name.lower()
    if low in _ARROWS:
        return f"\x1b{'O' if application else '['}{_ARROWS[low]}"
    if low in _NAMED:
        return _NAMED[low]
    if len(name) == 1:
        return name
    if low.startswith("ctrl-") and len(low) == 6 and ("a" <= low[5] <= "z" or low[5] in "@[\\]^_"):
        return chr(ord(low[5].upper()) & 0x1F)
    if low.startswith("alt-"):
        return "\x1b" + key_bytes(name[4:], application=application)
    known = ", ".join([*_NAMED, *_ARROWS])
    raise AskModelAgain(f"{name!r} is no key of a terminal: use one character, ctrl-c, alt-x, or one of {known}")
