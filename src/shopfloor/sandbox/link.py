"""The host's end of the socket to one runner: sends requests, hands answers to whoever waits for them.

A runner that dies wakes everyone who waits, and says so. It does not know what sandbox lies at the other end.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

import anyio
import msgspec

from shopfloor.domain.errors import AskModelAgain, Broken

LARGEST_REQUEST = 160_000
GRACE_S = 2.0


class Start(msgspec.Struct, tag="start"):
    id: int
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    limit: int | None = None
    terminal: tuple[int, int] | None = None


class Kill(msgspec.Struct, tag="kill"):
    id: int
    target: int
    signal: int


class Read(msgspec.Struct, tag="read"):
    id: int
    path: str


class Write(msgspec.Struct, tag="write"):
    id: int
    path: str


class Lay(msgspec.Struct, tag="lay"):
    id: int
    root: str
    path: str


Request: TypeAlias = Start | Kill | Read | Write | Lay


class Ready(msgspec.Struct, tag="ready"):
    id: int


class Done(msgspec.Struct, tag="done"):
    id: int


class Failed(msgspec.Struct, tag="failed"):
    id: int
    errno: int


class Exited(msgspec.Struct, tag="exited"):
    id: int
    code: int
    overflowed: int = 0
    errno: int = 0


Answer: TypeAlias = Ready | Done | Failed | Exited
_decode = msgspec.json.Decoder[Answer](Answer).decode


class Letter:
    """An answer on its way; none, once it is sure that it will never come."""

    def __init__(self) -> None:
        self.arrived = anyio.Event()
        self.answer: Answer | None = None
        self.fds: list[int] = []

    def deliver(self, answer: Answer | None, fds: list[int]) -> None:
        self.answer, self.fds = answer, fds
        self.arrived.set()

    def discard(self) -> None:
        """Nobody will read it: closes what came with it."""
        for fd in self.fds:
            os.close(fd)


class Link:
    """One socket to one runner. `explain` tells, when it died, what it left on standard error."""

    def __init__(self, sock: socket.socket, explain: Callable[[], str]) -> None:
        self._socket = sock
        self._explain = explain
        self._answers: dict[int, Letter] = {}
        self._exits: dict[int, Letter] = {}
        self._last_id = 0
        self._closed = False
        self.dead = False
        sock.setblocking(False)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._hear)

    async def ready(self, within_s: float) -> None:
        """Waits for the runner's first word. Broken if it does not come in time."""
        letter = self._answers[0] = Letter()
        with anyio.move_on_after(within_s):
            await self._opened(letter)
            return
        raise Broken(f"the runner of a sandbox did not start within {within_s:g} s{self._explain()}")

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    async def ask(self, request: Request, fds: Sequence[int] = ()) -> list[int]:
        """Sends it and waits for the answer: the open files that came with it. OSError as the runner met it."""
        packet = _encode(request)
        letter = self._answers[request.id] = Letter()
        try:
            await self._send(packet, fds)
            return await self._opened(letter)
        except BaseException:
            self._answers.pop(request.id, None)
            letter.discard()
            raise

    async def tell(self, request: Kill) -> None:
        """Sends what needs no answer."""
        await self._send(_encode(request), ())

    def expect_exit(self, program: int, letter: Letter) -> None:
        """From now on, `letter` is where the end of that program will be told."""
        self._exits[program] = letter

    def gone(self) -> Broken:
        if self._closed:
            return Broken("the sandbox was closed: start a new one")
        return Broken(f"the sandbox died while it was in use; start a new one{self._explain()}")

    def close(self) -> None:
        """Hangs up: the runner ends everything and itself. Idempotent."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            anyio.notify_closing(self._socket)
            self._socket.close()
        self._closed = True
        self._give_up()

    async def _opened(self, letter: Letter) -> list[int]:
        await letter.arrived.wait()
        match letter.answer:
            case None:
                raise self.gone()
            case Failed(errno=number):
                raise OSError(number, os.strerror(number))
            case _:
                return letter.fds

    async def _send(self, packet: bytes, fds: Sequence[int]) -> None:
        while not self.dead:
            try:
                socket.send_fds(self._socket, [packet], fds)
                return
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError:
                self._give_up()
        raise self.gone()

    def _hear(self) -> None:
        """Called by the loop whenever there is something to read: takes all of it."""
        while not self.dead:
            try:
                packet, fds, _, _ = socket.recv_fds(self._socket, 4096, 2, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                packet, fds = b"", []
            if packet:
                self._deliver(_decode(packet), fds)
            else:
                asyncio.get_running_loop().remove_reader(self._socket.fileno())
                self._give_up()

    def _deliver(self, answer: Answer, fds: list[int]) -> None:
        letters = self._exits if isinstance(answer, Exited) else self._answers
        letter = letters.pop(answer.id, None)
        if letter is not None:
            letter.deliver(answer, fds)
            return
        for fd in fds:  # Whoever asked was cancelled.
            os.close(fd)

    def _give_up(self) -> None:
        self.dead = True
        for letters in (self._answers, self._exits):
            for letter in letters.values():
                letter.deliver(None, [])
            letters.clear()


class Program:
    """One program inside, from before it starts until it has ended."""

    def __init__(self, link: Link) -> None:
        self.id = link.next_id()
        self._link = link
        self._exit = Letter()

    @property
    def ended(self) -> bool:
        return self._exit.arrived.is_set()

    async def start(self, order: Start, fds: Sequence[int]) -> list[int]:
        """Starts it. Not to be cancelled half-way: nobody would know what runs."""
        self._link.expect_exit(self.id, self._exit)
        opened: list[int] = []
        with anyio.CancelScope(shield=True):
            opened += await self._link.ask(order, fds)
        return opened

    async def exit(self) -> Exited:
        await self._exit.arrived.wait()
        if not isinstance(self._exit.answer, Exited):
            raise self._link.gone()
        return self._exit.answer

    async def end(self) -> None:
        """TERM to all of it, KILL to whoever is left when it has ended or two seconds have passed."""
        with anyio.CancelScope(shield=True), contextlib.suppress(Broken):
            await self._signal(signal.SIGTERM)
            with anyio.move_on_after(GRACE_S):
                await self._exit.arrived.wait()
            await self._signal(signal.SIGKILL)
            with anyio.move_on_after(GRACE_S):
                await self._exit.arrived.wait()

    async def _signal(self, number: int) -> None:
        await self._link.tell(Kill(id=0, target=self.id, signal=number))


def _encode(request: Request) -> bytes:
    """The packet, or a word to the model when no kernel would take what it asked for."""
    try:
        packet = msgspec.json.encode(request)
    except UnicodeEncodeError:
        raise AskModelAgain("the text is no valid Unicode (a lone surrogate): write it in UTF-8") from None
    if rb"\u0000" in packet.replace(rb"\\", b""):
        raise AskModelAgain("the text holds a NUL character, which no command and no path can")
    if len(packet) > LARGEST_REQUEST:
        raise AskModelAgain(f"the command is {len(packet)} bytes long: put it into a file and run that")
    return packet
