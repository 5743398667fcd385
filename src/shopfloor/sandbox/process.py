"""A long-lived process inside, seen from the host: its output, its input, its terminal.

It does not know how the process was started, only through which open files it speaks.
"""

import contextlib
import os
import termios

import anyio
import anyio.lowlevel

from shopfloor.domain.errors import AskModelAgain, Broken
from shopfloor.sandbox.link import Program


class RunningProcess:
    """`output` and `input` are this side's ends of its pipes, or one and the same end of its terminal."""

    def __init__(self, program: Program, output: int, input_: int, *, terminal: bool) -> None:
        self._program = program
        self._output = output
        self._input = input_
        self._terminal = terminal
        self._open = True
        os.set_blocking(output, False)
        os.set_blocking(input_, False)

    async def read(self, limit: int = 65536) -> bytes:
        await anyio.lowlevel.checkpoint()  # who never stops writing keeps nobody else waiting
        while self._open:
            try:
                return os.read(self._output, limit)
            except BlockingIOError:
                await self._readable()
            except OSError:  # How a terminal says that nobody is left at its other end.
                break
        return b""

    async def _readable(self) -> None:
        with contextlib.suppress(anyio.ClosedResourceError):  # The sandbox was closed while somebody read.
            await anyio.wait_readable(self._output)

    async def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._input, left) :]
            except BlockingIOError:
                await anyio.wait_writable(self._input)
            except OSError:
                raise AskModelAgain("the process has ended or closed its input: start it again") from None

    async def wait(self) -> int:
        return (await self._program.exit()).code

    async def kill(self) -> None:
        await self._program.end()

    def resize(self, rows: int, columns: int) -> None:
        if not self._terminal:
            raise Broken("a process without a terminal cannot be resized: open it with `terminal`")
        with contextlib.suppress(OSError):  # It has ended.
            termios.tcsetwinsize(self._input, (rows, columns))

    def close(self) -> None:
        """Lets go of its files; whoever still reads finds the end. Idempotent."""
        if self._open:
            self._open = False
            for fd in {self._output, self._input}:
                anyio.notify_closing(fd)
                os.close(fd)
