"""Drives a library: imports it in a process of its own inside the arena, calls it, and compares out here.

What a call gives comes back as JSON over a pipe (hands.library); the process that holds the library never hears what is
expected of it. A process that has ended is begun anew with nothing in it. It does not know which language is called.
"""

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Process, Sandbox
from shopfloor.validation.drivers import json_path
from shopfloor.validation.drivers.actions import Action, Ask, Call, Import, LibraryAction
from shopfloor.validation.drivers.arguments import read_arguments
from shopfloor.validation.drivers.expectations import (
    Expectation,
    Json,
    JsonIsA,
    Keep,
    LibraryExpectation,
    Output,
    Raises,
    Result,
)
from shopfloor.validation.drivers.hands import library
from shopfloor.validation.drivers.protocol import Exhibit, Observation, Transcript, capped, describe, foreign

PYTHON = ("python3", "-I", "-B", "-u", "-c", Path(library.__file__).read_text("utf-8"))
"""The one that the arena has first in its PATH: where dependencies were set up, theirs."""
IMPORTING_S = 60.0
LINE_CAP = 8_000_000
_KNOWN = "Import, Call and Ask"


class Given(msgspec.Struct):
    """One argument; one without a name has "" for it."""

    value: object
    name: str


class Asked(msgspec.Struct):
    """A line to the library's process."""

    id: str
    do: str
    place: str
    member: str = ""
    arguments: tuple[Given, ...] | None = None
    keep: str = ""


class Told(msgspec.Struct):
    """What it says of one ask. `json` is None for what is no JSON; `printed` None for more than anybody reads."""

    id: str
    json: str | None = None
    kind: str = ""
    raised: tuple[str, ...] = ()
    words: str = ""
    missing: str = ""
    printed: str | None = ""


class LibraryDriver:
    """One process with the library in it. Closing ends it, and the next action begins another."""

    def __init__(self, sandbox: Sandbox, program: Sequence[str]) -> None:
        self._sandbox = sandbox
        self._program = program
        self._process: Process | None = None
        self._unread = bytearray()
        self._last: Told | None = None
        self._unexpected = ""
        self.transcript = Transcript()

    async def begin(self) -> None:
        """A new session, which knows nothing of the one before."""
        await self.close()
        self.transcript = Transcript()

    async def close(self) -> None:
        """Ends the process, if there is one; nothing of its answers is left."""
        process, self._process = self._process, None
        self._last, self._unexpected = None, ""
        self._unread.clear()
        if process is not None:
            with anyio.CancelScope(shield=True):
                await process.kill()

    async def perform(self, action: Action) -> Observation:
        """An error that a call raised must have been expected before anything more is done."""
        if not isinstance(action, LibraryAction):
            raise foreign("library", action, _KNOWN)
        told, problem = await self._answer(action)
        text = f"not done: {problem}" if problem or told is None else _laid_out(told)
        caption = describe(action)
        exhibit = Exhibit(kind="transcript", content=f"{caption}\n\n{text}\n".encode(), caption=caption)
        seen = Observation(text=capped(text), happened=not problem, evidence=(exhibit,))
        return self.transcript.note(action, seen)

    async def check(self, expectation: Expectation, patience_s: float) -> Observation:
        """What a call gave does not change any more: there is nothing to wait for."""
        if not isinstance(expectation, LibraryExpectation):
            raise foreign("library", expectation, _KNOWN)
        if self._last is None:
            raise AskModelAgain("nothing was called whose result could be looked at")
        problem, kept = _differs(expectation, self._last)
        if isinstance(expectation, Raises) and not problem:
            self._unexpected = ""
        text = capped(f"{describe(expectation)}: {f'but {problem}' if problem else 'so it is'}")
        exhibit = Exhibit(kind="transcript", content=text.encode(), caption=describe(expectation))
        seen = Observation(text=text, happened=not problem, evidence=(exhibit,), kept=kept)
        return self.transcript.note(expectation, seen)

    async def _answer(self, action: LibraryAction) -> tuple[Told | None, str]:
        """What came of it, and why it could not be done."""
        ask, before = _to_ask(action), self._unexpected
        self._unexpected = ""
        if before:
            return None, before
        told, problem = await self._asked(ask, _seconds(action))
        if told is None or problem:
            return told, problem
        self._last = told
        if isinstance(action, Call) and told.raised:
            self._unexpected = f"`{describe(action)}` {_raised(told)}"
        return told, f"it {_raised(told)}" if isinstance(action, Import) and told.raised else ""

    async def _asked(self, ask: Asked, seconds: float) -> tuple[Told | None, str]:
        """The answer, and why there is none or none that counts. A process that gave none is ended."""
        told, problem = None, f"no answer within {seconds:g} s"
        with anyio.move_on_after(seconds):
            told, problem = await self._exchanged(ask)
        if told is None:
            await self.close()
        return told, problem

    async def _exchanged(self, ask: Asked) -> tuple[Told | None, str]:
        if self._process is None:
            self._process = await self._sandbox.open(self._program, view="app")
        process = self._process
        try:
            await process.write(msgspec.json.encode(ask) + b"\n")
            line = await self._line(process)
        except AskModelAgain:
            line = None
        if line is None:
            said = bytes(self._unread[-400:]).decode(errors="replace").strip()
            return (
                None,
                f"its process ended with exit code {await process.wait()}{f', saying {said!r}' if said else ''}",
            )
        told = _decoded(line)
        if told is None:
            return None, f"its process said what is no answer: {line[:400]!r}"
        if told.id != ask.id or self._unread:
            return None, "its process said more than it was asked"
        return told, f"nothing is known under the name {told.missing!r}" if told.missing else ""

    async def _line(self, process: Process) -> bytes | None:
        """The next line; None at the end, or for one that never ends."""
        while (end := self._unread.find(b"\n")) < 0:
            chunk = await process.read()
            if not chunk or len(self._unread) > LINE_CAP:
                return None
            self._unread += chunk
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line


@asynccontextmanager
async def open_library(sandbox: Sandbox, program: Sequence[str] = PYTHON) -> AsyncGenerator[LibraryDriver]:
    """A driver whose library runs in the app's view of `sandbox`, asked by that program."""
    driver = LibraryDriver(sandbox, program)
    try:
        yield driver
    finally:
        await driver.close()


def _decoded(line: bytes) -> Told | None:
    """An answer that can be relied on to be one; what it says is another matter."""
    try:
        told = msgspec.json.decode(line, type=Told)
        msgspec.json.decode(told.json or "null")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return told


def _to_ask(action: LibraryAction) -> Asked:
    """A new `id` each time: an answer that was written beforehand answers nothing."""
    number = secrets.token_hex(8)
    match action:
        case Import(module=module, member=member):
            return Asked(id=number, do="import", place=module, member=member)
        case Call(place=place, arguments=arguments, kept=kept):
            return Asked(id=number, do="call", place=place, arguments=_given(arguments), keep=kept)
        case Ask(place=place, arguments=arguments):
            given = None if arguments is None else _given(arguments)
            return Asked(id=number, do="look", place=place, arguments=given)


def _given(arguments: str) -> tuple[Given, ...]:
    return tuple(Given(value=one.value, name=one.name) for one in read_arguments(arguments))


def _seconds(action: LibraryAction) -> float:
    return action.seconds if isinstance(action, Call) else IMPORTING_S if isinstance(action, Import) else 10.0


def _raised(told: Told) -> str:
    name = told.raised[0].removeprefix("builtins.")
    return f"raised {name}: {told.words}" if told.words else f"raised {name}"


def _laid_out(told: Told) -> str:
    """An answer as a judge reads it: what came, and what was printed meanwhile."""
    if told.raised:
        came = _raised(told)
    elif told.json is None:
        came = f"(a {told.kind}: keep it under a name, and ask for its parts)"
    else:
        came = msgspec.json.format(told.json, indent=2)
    return f"{came}\n\nprinted:\n{told.printed}" if told.printed else came


def _differs(expectation: LibraryExpectation, told: Told) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How an answer is not as expected, or "", and what is to be kept of it."""
    match expectation:
        case Raises(error=error, text=text):
            return _raised_differs(told, error, text), ()
        case Output():
            return _printed_differs(expectation, told.printed), ()
        case Result(relation=relation, json=json):
            return _value_differs(Json(path="$", relation=relation, json=json), told)
        case Json() | JsonIsA() | Keep():
            return _value_differs(expectation, told)


def _value_differs(expectation: Json | JsonIsA | Keep, told: Told) -> tuple[str, tuple[tuple[str, str], ...]]:
    if told.raised:
        return f"it {_raised(told)}", ()
    if told.json is None:
        return f"it is a {told.kind}, which is no JSON: keep it under a name, and ask for its parts", ()
    return json_path.looked_up(expectation, told.json.encode())


def _raised_differs(told: Told, error: str, text: str) -> str:
    if not told.raised:
        return f"it gave {told.json if told.json is not None else f'a {told.kind}'}"
    named = any(name == error or name.endswith(f".{error}") for name in told.raised)
    return "" if named and text in told.words else f"it {_raised(told)}"


def _printed_differs(expectation: Output, printed: str | None) -> str:
    if printed is None:
        return "it has printed more than can be looked at"
    if expectation.relation == "is":
        return "" if printed.rstrip("\n") == expectation.text.rstrip("\n") else f"it is {printed[-400:]!r}"
    there = expectation.text in printed
    return "" if there is (expectation.relation == "has") else f"the output {'has' if there else 'lacks'} it"
