"""Drives a program with windows on a display of its own: types, presses keys, clicks, looks at windows and pictures.

The display (hands.display) stands on the judge's side of the arena and is reached over the arena's network, so the
program finds no other one and cannot reach what the judge sees it by. No text is read from pictures. It does not know
what the program should show.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic
from typing import assert_never

import anyio
from anyio.abc import TaskGroup

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Process, Sandbox
from shopfloor.validation.drivers.actions import (
    Action,
    ClickAt,
    DesktopAction,
    Keys,
    Look,
    StartProgram,
    Target,
    Type,
    WaitFor,
)
from shopfloor.validation.drivers.drive import Drive, open_drive
from shopfloor.validation.drivers.expectations import (
    Changes,
    Copied,
    Counts,
    DesktopExpectation,
    Exit,
    Expectation,
    KeepScreen,
    LooksLike,
    Saved,
    Sees,
)
from shopfloor.validation.drivers.hands.wire import Compare, Open, Paste, Shown, TopWindow, Touch
from shopfloor.validation.drivers.protocol import Exhibit, Observation, Transcript, capped, describe, foreign

STARTING_S = 20.0
"""How long a program may take until its first window stands there."""
ENDING_S = 2.0
LOOK_S = 0.1
SAID_CAP = 400
FILE_CAP = 1_000_000
_KNOWN = "StartProgram, Type, Keys, ClickAt, Look and WaitFor"
_MODIFIER = re.compile(r"(ctrl|alt|shift|super)[-+](?=.)", re.IGNORECASE)
_NAMED = {
    "enter": "Return",
    "esc": "Escape",
    "pageup": "Prior",
    "pagedown": "Next",
    "backspace": "BackSpace",
    "space": "space",
    **{name.lower(): name for name in ("Return", "Tab", "Escape", "Delete", "Insert", "Home", "End")},
    **{name.lower(): name for name in ("Up", "Down", "Left", "Right", *(f"F{number}" for number in range(1, 13)))},
}


class DesktopDriver:
    """One display, and the program that was started on it last. GiveUp where there can be no display."""

    def __init__(self, sandbox: Sandbox, drive: Drive, tasks: TaskGroup, starting_s: float) -> None:
        self._sandbox = sandbox
        self._drive = drive
        self._tasks = tasks
        self._starting_s = starting_s
        self._process: Process | None = None
        self._exit_code: int | None = None
        self._said = b""
        """The last that the program printed."""
        self._shown = Shown()
        self.transcript = Transcript()

    async def begin(self) -> None:
        """A new display with nothing on it, and nothing in its clipboard."""
        await self.close()
        self.transcript = Transcript()
        self._shown = await self._drive.on_display(Open(shared=self._sandbox.level != "none"))

    async def close(self) -> None:
        """Ends the program, if one was started."""
        process, self._process = self._process, None
        self._exit_code, self._said = None, b""
        if process is not None:
            with anyio.CancelScope(shield=True):
                await process.kill()

    async def remember(self) -> None:
        """From now on, what changes is what looks different from now; each action says so by itself."""
        self._shown = await self._drive.on_display(Touch(do="remember"))

    async def perform(self, action: Action) -> Observation:
        if not isinstance(action, DesktopAction):
            raise foreign("desktop", action, _KNOWN)
        problem = await self._carry_out(action)
        state = self._state()
        words = f"not done: {problem}; {state}" if problem else state
        return self._noted(action, f"{_laid_out(self._shown)}\n[{words}]", happened=not problem)

    async def check(self, expectation: Expectation, patience_s: float) -> Observation:
        if not isinstance(expectation, DesktopExpectation):
            raise foreign("desktop", expectation, _KNOWN)
        self._running()
        deadline = monotonic() + patience_s
        problem = await self._differs(expectation, patience_s)
        while problem and (left := deadline - monotonic()) > 0 and not isinstance(expectation, Changes | LooksLike):
            await anyio.sleep(min(left, LOOK_S))
            problem = await self._differs(expectation, left)
        if patience_s:
            self._shown = await self._drive.on_display(Touch(do="look"))
        words = f"{describe(expectation)}: {f'but {problem}' if problem else 'so it is'}"
        return self._noted(expectation, f"{_laid_out(self._shown)}\n[{words}]", happened=not problem)

    # --- what is done -------------------------------------------------------------------------------------------

    async def _carry_out(self, action: DesktopAction) -> str:
        """Does it; why it could not be done, or ""."""
        match action:
            case StartProgram(command=command):
                return await self._start(command)
            case Type(text=text):
                return await self._touch(Touch(do="type", text=text))
            case Keys(names=names):
                return await self._touch(Touch(do="keys", names=tuple(map(key_name, names))))
            case ClickAt():
                return await self._click(action)
            case Look():
                self._shown = await self._drive.on_display(Touch(do="look"))
                return ""
            case WaitFor(text=text, seconds=seconds, gone=gone):
                return await self._wait(text, seconds, gone=gone)
            case _:
                assert_never(action)

    async def _start(self, command: str) -> str:
        """Until a window stands there that was not there before, or the program has ended."""
        if not self._shown.address:
            await self.begin()
        await self.close()
        before = await self._left_behind()
        environment = {"DISPLAY": self._shown.address}
        process = self._process = await self._sandbox.open(command, environment=environment, view="app")
        self._tasks.start_soon(self._listen, process)
        self._tasks.start_soon(self._see_it_end, process)
        deadline = monotonic() + self._starting_s
        while self._exit_code is None and not {one.id for one in _windows(await self._glance())} - before:
            if monotonic() > deadline:
                return f"no window within {self._starting_s:g} s"
            await anyio.sleep(LOOK_S)
        self._shown = await self._drive.on_display(Touch(do="look"))
        return ""

    async def _left_behind(self) -> set[int]:
        """The windows that do not go with the program that had them."""
        await self.remember()
        deadline = monotonic() + ENDING_S
        while (left := {one.id for one in self._shown.windows}) and monotonic() < deadline:
            await anyio.sleep(LOOK_S)
            await self._glance()
        return left

    async def _listen(self, process: Process) -> None:
        """Reads what it prints, so that it never waits for a reader."""
        while chunk := await process.read():
            if process is self._process:
                self._said = (self._said + chunk)[-SAID_CAP:]

    async def _see_it_end(self, process: Process) -> None:
        exit_code = await process.wait()
        if process is self._process:
            self._exit_code = exit_code

    async def _click(self, action: ClickAt) -> str:
        x, y = action.x, action.y
        if action.title:
            found = [one for one in _windows(await self._glance()) if one.title == action.title]
            if len(found) != 1:
                return f"there are {len(found)} windows {action.title!r}" if found else f"no window {action.title!r}"
            x, y = found[0].x + x, found[0].y + y
        button, times = (3 if action.button == "right" else 1), (2 if action.double else 1)
        return await self._touch(Touch(do="click", x=x, y=y, button=button, times=times))

    async def _touch(self, touch: Touch) -> str:
        self._running()
        if not _windows(await self._glance()):
            return "there is no window that could take it"
        self._shown = await self._drive.on_display(touch)
        if not _windows(self._shown):
            await self._end_seen()
        if "No such key name" in self._shown.problem:
            raise AskModelAgain(f"{' '.join(touch.names)!r}: {self._shown.problem}")
        return self._shown.problem

    async def _end_seen(self) -> None:
        """A program without windows is about to end, as a rule."""
        process = self._running()
        with anyio.move_on_after(ENDING_S):
            self._exit_code = await process.wait()

    async def _wait(self, text: str, seconds: float, *, gone: bool) -> str:
        deadline = monotonic() + seconds
        while any(text in one.title for one in _windows(await self._glance())) is gone:
            if monotonic() > deadline:
                return f"after {seconds:g} s {'a' if gone else 'no'} window {'still ' if gone else ''}has {text!r}"
            await anyio.sleep(LOOK_S)
        self._shown = await self._drive.on_display(Touch(do="look"))
        return ""

    # --- what is seen -------------------------------------------------------------------------------------------

    async def _differs(self, expectation: DesktopExpectation, patience_s: float) -> str:
        """How what is there is not as expected, or ""."""
        match expectation:
            case Exit(code=code):
                return "" if self._exit_code == code else self._state()
            case Saved(file=file):
                return _text_differs(expectation, await self._file(file), f"there is no file {file!r}")
            case _ if self._exit_code:
                return self._state()
            case Copied():
                copied = await self._drive.on_display(Paste())
                return _text_differs(expectation, copied.copied, copied.problem)
            case Sees() | Counts():
                return _windows_differ(expectation, _windows(await self._glance()))
            case KeepScreen(name=name):
                return (await self._drive.on_display(Touch(do="remember", text=name))).problem
            case Changes(changed=changed):
                return await self._compared(Compare(differs=changed, seconds=patience_s))
            case LooksLike(name=name, alike=alike):
                return await self._compared(Compare(differs=not alike, picture=name, seconds=patience_s))

    async def _compared(self, compare: Compare) -> str:
        """A display that was left shows no difference, whatever it looks like."""
        self._shown = await self._drive.on_display(compare)
        return self._shown.problem if _windows(self._shown) else f"no window is left: {self._state()}"

    async def _file(self, file: str) -> str | None:
        path = file
        if file.startswith("~/"):
            shell = await self._sandbox.open('printf %s "$HOME"', view="app")
            path = f"{(await _all_of(shell)).decode()}/{file[2:]}"
        try:
            return (await self._sandbox.read(path, FILE_CAP)).decode(errors="replace")
        except OSError:
            return None

    async def _glance(self) -> Shown:
        self._shown = await self._drive.on_display(Touch(do="glance"))
        return self._shown

    def _running(self) -> Process:
        if self._process is None:
            raise AskModelAgain("no program was started on this display: start one first")
        return self._process

    def _state(self) -> str:
        if self._exit_code is None:
            return "running"
        said = capped(self._said.decode(errors="replace")).strip()
        return f"the program ended with exit code {self._exit_code}{f', saying {said!r}' if said else ''}"

    def _noted(self, step: DesktopAction | DesktopExpectation, text: str, *, happened: bool) -> Observation:
        caption, picture = describe(step), self._shown.picture
        shot = (Exhibit(kind="screenshot", content=picture, caption=caption),) if picture else ()
        return self.transcript.note(step, Observation(text=capped(text), happened=happened, evidence=shot))


@asynccontextmanager
async def open_desktop(sandbox: Sandbox, *, starting_s: float = STARTING_S) -> AsyncGenerator[DesktopDriver]:
    """A display in the judge's view of `sandbox`, whose programs run in the app's. GiveUp where there can be none."""
    try:
        async with anyio.create_task_group() as tasks, open_drive(sandbox) as drive:
            driver = DesktopDriver(sandbox, drive, tasks, starting_s)
            try:
                await driver.begin()
                yield driver
            finally:
                await driver.close()
                tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        match group.exceptions:
            case (BaseException() as only,):
                raise only from None  # who drives a desktop need not know that tasks listen to its program
            case _:
                raise


def key_name(name: str) -> str:
    """A key as X names it; AskModelAgain for what can be none."""
    modifiers: list[str] = []
    rest = name
    while found := _MODIFIER.match(rest):
        modifiers.append(found[1].lower())
        rest = rest[found.end() :]
    if len(rest) == 1 and not rest.isalnum():
        rest = f"U{ord(rest):04X}"
    elif not re.fullmatch(r"\w+", rest, re.ASCII) and len(rest) != 1:
        raise AskModelAgain(f"{name!r} is no key: use one character, ctrl-s, alt-F4, Return, Tab, Up, F1 and the like")
    return "+".join((*modifiers, _NAMED.get(rest.lower(), rest) if len(rest) > 1 else rest))


async def _all_of(process: Process) -> bytes:
    said = b""
    while chunk := await process.read():
        said += chunk
    return said


def _windows(shown: Shown) -> tuple[TopWindow, ...]:
    """Without menus and hints."""
    return tuple(window for window in shown.windows if not window.popup)


def _windows_differ(expectation: Sees | Counts, windows: tuple[TopWindow, ...]) -> str:
    wanted = _title(expectation.target)
    found = [window for window in windows if wanted in ("", window.title)]
    there = ", ".join(f'"{window.title}"' for window in windows) or "none"
    match expectation:
        case Counts(number=number):
            return "" if len(found) == number else f"there are {len(found)}"
        case Sees(state="absent"):
            return "it is there" if found else ""
        case Sees(state="focused"):
            return "" if any(window.focused for window in found) else f"it has not the focus; there is {there}"
        case Sees(state="shown"):
            return "" if found else f"it is not there; there is {there}"
        case Sees(state=state):
            raise AskModelAgain(f"no window is {state}: it is shown, absent or focused")


def _title(target: Target) -> str:
    if target.by != "role" or target.role != "window" or target.number or target.within:
        raise AskModelAgain(f'{target} is nothing that can be seen on a desktop: it knows window "TITLE"')
    return target.name


def _text_differs(expectation: Copied | Saved, text: str | None, instead: str) -> str:
    if text is None:
        return instead
    if expectation.relation == "is":
        same = text.rstrip("\n") == expectation.text.rstrip("\n")
        return "" if same else f"it is {text[-400:]!r}"
    there = expectation.text in text
    return "" if there is (expectation.relation == "has") else f"it {'has' if there else 'lacks'} it: {text[-400:]!r}"


def _laid_out(shown: Shown) -> str:
    """What a judge reads of a display: its windows, and where it looks different."""
    lines = [
        f"{'menu' if one.popup else 'window'} {one.title!r}, {one.width} x {one.height} at {one.x} {one.y}"
        f"{', focused' if one.focused else ''}"
        for one in shown.windows
    ]
    changed = shown.changed
    where = f"changed from {changed[0]} {changed[1]} to {changed[2]} {changed[3]}" if changed else "nothing changed"
    return "\n".join([*(lines or ["no window"]), where])
