"""A provider that answers at once and keeps the time: one process, one clock, both wire formats, streamed or not.

Used by the benches beside it. A client is started as a real process against it; a turn's time runs from the end of a
reply to the whole arrival of the next request, so what is done in here is in nobody's figure.
It does not know what a client does in between.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shopfloor.domain.messages import Call, Message, Text
from shopfloor.domain.spending import Usage
from shopfloor.models import mock_wire

TASK = "Run the shell commands you need, one per turn, then say that you are done."
END_OF_HEAD = b"\r\n\r\n"
SAMPLE_EVERY = 10
"""Looking at memory costs some milliseconds, between a request and its reply, where no figure sees it."""
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")

Counting = Callable[[mock_wire.Face, bytes], Usage]
"""What a request's prompt costs: which of its tokens a cache could have given."""


class _Asked(msgspec.Struct):
    model: str = ""
    stream: bool = False


class Memory(msgspec.Struct, frozen=True):
    """Bytes resident and CPU seconds used: of the client's first process, and of all below it too."""

    main: int
    tree: int
    cpu_s: float


@dataclass(kw_only=True)
class Exchange:
    """One request and its reply, in seconds of the one clock."""

    arrived: float
    size: int
    memory: Memory | None = None
    answered: float = 0.0


@dataclass(kw_only=True)
class Play:
    """What became of one client."""

    started: float
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    first: bytes = b""
    exit_code: int = 0
    output: str = ""

    @property
    def turns_ms(self) -> list[float]:
        """Each turn, from the end of a reply to the arrival of the next request."""
        pairs = zip(self.exchanges, self.exchanges[1:], strict=False)
        return [1000 * (after.arrived - before.answered) for before, after in pairs]

    @property
    def memory(self) -> list[Memory]:
        return [exchange.memory for exchange in self.exchanges if exchange.memory]


def uncached(face: mock_wire.Face, body: bytes) -> Usage:
    """A provider without a cache."""
    return Usage(fresh=len(body) // 4)


def echoes(turns: int) -> list[Message]:
    """A script: `echo step-k` through the tool `shell`, then plain words."""
    said = [reply(f"Step {turn}.", (f"echo step-{turn}",), turn) for turn in range(1, turns + 1)]
    return [*said, Message(role="assistant", parts=(Text(text="All steps are done."),))]


def reply(text: str, commands: Sequence[str], turn: int) -> Message:
    """A reply that calls `shell` once for each command."""
    calls = tuple(
        Call(id=f"call_{turn}_{number}", name="shell", arguments=msgspec.json.encode({"command": command}).decode())
        for number, command in enumerate(commands, 1)
    )
    return Message(role="assistant", parts=(Text(text=text), *calls))


async def play(
    words: Sequence[str],
    script: Sequence[Message],
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    counting: Counting = uncached,
) -> Play:
    """Runs a client to its end against the script. `{url}` in its words and environment is where it finds us."""
    played = Play(started=0.0)
    loop = asyncio.get_running_loop()
    provider = Provider(script, counting, played)
    server = await loop.create_server(lambda: _Connection(provider), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    played.started = time.monotonic()
    client = await asyncio.create_subprocess_exec(
        *(word.replace("{url}", url) for word in words),
        env={name: value.replace("{url}", url) for name, value in environment.items()},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    provider.client = client.pid
    said, _ = await client.communicate()
    played.exit_code, played.output = client.returncode or 0, said.decode(errors="replace")
    server.close()
    return played


class Provider:
    """The script, and how far it has come."""

    def __init__(self, script: Sequence[Message], counting: Counting, played: Play) -> None:
        self._script = script
        self._counting = counting
        self._exchanges = played.exchanges
        self._played = played
        self.client = 0

    def exchange(self, face: mock_wire.Face, body: bytes, write: Callable[[bytes], None]) -> None:
        """Takes a request, which has just arrived whole, and writes its reply."""
        exchange = Exchange(arrived=time.monotonic(), size=len(body))
        number = len(self._exchanges) + 1
        self._played.first = self._played.first or body
        if self.client and (number % SAMPLE_EVERY == 0 or number == 1):
            exchange.memory = memory_of(self.client)
        self._exchanges.append(exchange)
        asked = msgspec.json.decode(body, type=_Asked)
        message = self._script[min(number, len(self._script)) - 1]
        sent = mock_wire.Sent(number, asked.model, message, self._counting(face, body))
        write(_streamed(face, sent) if asked.stream else _whole(face, sent))
        exchange.answered = time.monotonic()


class _Connection(asyncio.Protocol):
    """HTTP, as much of it as the clients speak: requests with a content length, one after the other."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(END_OF_HEAD)
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        start = end + len(END_OF_HEAD)
        _, _, length = head.partition(b"\r\ncontent-length:")
        size = int(length.split(b"\r\n")[0]) if length else 0
        if len(self._buffer) < start + size:
            return
        body = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        path = head.split(b" ")[1]
        self._provider.exchange("anthropic" if path.endswith(b"/messages") else "openai", body, self._write)


def _streamed(face: mock_wire.Face, sent: mock_wire.Sent) -> bytes:
    chunks = [b"%x\r\n%s\r\n" % (len(event), event) for event in mock_wire.events(face, sent)]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(chunks) + b"0\r\n\r\n"


def _whole(face: mock_wire.Face, sent: mock_wire.Sent) -> bytes:
    body = mock_wire.whole(face, sent)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    return head + body


def memory_of(pid: int) -> Memory:
    """Memory and CPU of a process and of all that it started; pages they share count once for each of them."""
    table = dict(_processes())
    if pid not in table:
        return Memory(main=0, tree=0, cpu_s=0.0)
    family, grew = {pid}, True
    while grew:
        more = {child for child, row in table.items() if row[0] in family} - family
        family, grew = family | more, bool(more)
    ticks = sum(table[member][1] for member in family)
    return Memory(
        main=table[pid][2] * _PAGE,
        tree=sum(table[member][2] for member in family) * _PAGE,
        cpu_s=ticks / _TICKS,
    )


def _processes() -> list[tuple[int, tuple[int, int, int]]]:
    """(pid, (parent, CPU ticks with those of ended children, resident pages)) of everything that runs."""
    found: list[tuple[int, tuple[int, int, int]]] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        found.append((int(folder.name), (int(fields[1]), sum(map(int, fields[11:15])), int(fields[21]))))
    return found
