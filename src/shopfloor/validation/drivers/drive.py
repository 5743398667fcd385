"""The line to a drive server inside an arena: asks, waits for the answer, and ends it with all it started.

It does not know what it asks for.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec

from shopfloor.domain.errors import AskModelAgain, Broken, GiveUp
from shopfloor.sandbox.protocol import Process, Sandbox
from shopfloor.validation.drivers.hands import (
    display,
    finding,
    picture,
    requests,
    serve,
    troubles,
    window,
    wire,
    xclient,
)
from shopfloor.validation.drivers.hands.wire import (
    Act,
    Answer,
    Ask,
    Close,
    Compare,
    Exchanged,
    Expect,
    Forget,
    Fresh,
    Knock,
    OnDisplay,
    Open,
    Paste,
    Seen,
    Send,
    Shown,
    Touch,
    Trace,
    Traced,
    Where,
)

GRACE_S = 25.0
"""What a deed may take on top of its own patience before the drive server counts as lost."""


_HANDS = (wire, requests, finding, troubles, window, xclient, picture, display, serve)
"""In the order in which they import each other."""
_BEGIN = """\
import json, sys, types
for name, text in json.loads(sys.argv[1]):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), vars(module))
module.serve(sys.argv[2])"""


class Drive:
    """One drive server. After a GiveUp it answers nothing more."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._unread = bytearray()
        self._answers = msgspec.json.Decoder(Answer)

    async def send(self, send: Send) -> Exchanged:
        return _exchanged(await self._ask(send, send.seconds * 5 + GRACE_S))

    async def knock(self, host: str, port: int) -> Exchanged:
        return _exchanged(await self._ask(Knock(host=host, port=port), GRACE_S))

    async def forget(self) -> None:
        """Drops all cookies of plain requests."""
        await self._ask(Forget(), GRACE_S)

    async def begin(self, names: dict[str, tuple[tuple[Where, ...], ...]], *, traced: bool = False) -> Seen:
        """A new session of the browser, with nothing in it."""
        return _seen(await self._ask(Fresh(names=names, traced=traced), GRACE_S))

    async def trace(self) -> bytes:
        """What was recorded of the session, if it is traced."""
        answer = await self._ask(Trace(), GRACE_S)
        return answer.content if isinstance(answer, Traced) else b""

    async def act(self, act: Act) -> Seen:
        return _seen(await self._ask(act, act.seconds + 0.03 * len(act.text) + GRACE_S))

    async def expect(self, expect: Expect) -> Seen:
        return _seen(await self._ask(expect, expect.seconds + GRACE_S))

    async def on_display(self, ask: OnDisplay) -> Shown:
        """Opens a display, does something on it, or looks. GiveUp when there is none, or none any more."""
        answer = await self._ask(ask, _patience(ask) + GRACE_S)
        match answer:
            case Shown(broken=True, problem=problem):
                raise GiveUp(f"no desktop here: {problem}")
            case Shown():
                return answer
            case _:
                raise Broken(f"the drive server answered for its display with {type(answer).__name__}")

    async def close(self) -> None:
        """Asks it to end its browser; ends it by force if it does not."""
        with anyio.move_on_after(5, shield=True):
            try:
                await self._process.write(msgspec.json.encode(Close()) + b"\n")
                await self._process.wait()
            except (OSError, AskModelAgain):
                pass  # it is gone already
        with anyio.CancelScope(shield=True):
            await self._process.kill()

    async def _ask(self, ask: Ask, deadline_s: float) -> Answer:
        with anyio.move_on_after(deadline_s):
            try:
                await self._process.write(msgspec.json.encode(ask) + b"\n")
                return self._decoded(await self._line())
            except (OSError, AskModelAgain) as error:
                await self._process.kill()
                raise GiveUp(f"the judge's drive server broke off: {error}; what it judges is blocked") from error
        await self._process.kill()
        raise GiveUp(f"the judge's drive server did not answer within {deadline_s:g} s; what it judges is blocked")

    def _decoded(self, line: bytes) -> Answer:
        try:
            return self._answers.decode(line)
        except msgspec.DecodeError as error:
            raise OSError(f"it said {(line + self._unread)[:2000].decode(errors='replace')!r}") from error

    async def _line(self) -> bytes:
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            chunk = await self._process.read()
            if not chunk:
                raise OSError(f"it ended, saying {bytes(self._unread[-500:]).decode(errors='replace')!r}")
            self._unread += chunk
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line


def _patience(ask: OnDisplay) -> float:
    """How long it may take by itself."""
    match ask:
        case Touch(text=text, names=names):
            return 0.1 * (len(text) + len(names))
        case Compare(seconds=seconds):
            return seconds
        case Open() | Paste():
            return 0.0


def _exchanged(answer: Answer) -> Exchanged:
    if isinstance(answer, Exchanged):
        return answer
    raise Broken(f"the drive server answered a request with {answer!r}")


def _seen(answer: Answer) -> Seen:
    match answer:
        case Seen(no_browser=True, problem=problem):
            raise GiveUp(f"no browser here: {problem}")
        case Seen():
            return answer
        case Exchanged() | Traced() | Shown():
            raise Broken(f"the drive server answered a browser's ask with {type(answer).__name__}")


@asynccontextmanager
async def open_drive(sandbox: Sandbox, *, python: str = sys.executable, chromium: str = "") -> AsyncGenerator[Drive]:
    """A drive server in the judge's view of `sandbox`; `chromium` is a program inside, "" to look for one."""
    sources = [(module.__name__, Path(module.__file__ or "").read_text("utf-8")) for module in _HANDS]
    words = [python, "-I", "-c", _BEGIN, msgspec.json.encode(sources).decode(), chromium]
    drive = Drive(await sandbox.open(words, view="judge"))
    try:
        yield drive
    finally:
        await drive.close()
