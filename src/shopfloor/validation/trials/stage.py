"""Where candidates are tried: a fresh clone in a fresh sandbox each time, with what judges by laid over it.

Nothing that one run leaves behind, neither a file nor a process, reaches the next. It does not know what is tried.
"""

import shlex
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shopfloor.sandbox.protocol import Blueprint, Finished, Sandbox
from shopfloor.validation.court import Court

AT_ONCE = 200
"""Files that one command takes away: a command may not be longer than the system allows."""


def batched(items: Sequence[str], size: int) -> list[Sequence[str]]:
    """The items, so many at a time."""
    return [items[at : at + size] for at in range(0, len(items), size)]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A commit, and the files that are laid over it whatever it holds there."""

    court: Court
    commit: str
    laid: Mapping[str, bytes]
    gone: Sequence[str] = ()
    """Files of the commit that are taken away before anything runs."""
    build: str = ""
    """What tests need done first. It belongs to the work, so what is laid is laid again after it."""

    @asynccontextmanager
    async def sandbox(self, more: Mapping[str, bytes] | None = None, *, built: bool = False) -> AsyncGenerator[Sandbox]:
        """The commit as it is tried, with `more` laid over all; everything in it ends with the block."""
        place = await self.court.checkout(self.commit, "scrutiny")
        async with self.court.start(Blueprint(checkout=str(place))) as sandbox:
            for some in batched(self.gone, AT_ONCE):
                await self.court.run(sandbox, shlex.join(("rm", "-f", "--", *some)))
            await sandbox.lay({**self.laid, **(more or {})})
            if built and self.build:
                await self.court.run(sandbox, self.build)
                await sandbox.lay({**self.laid, **(more or {})})
            yield sandbox

    async def run(self, command: str, more: Mapping[str, bytes] | None = None) -> tuple[Finished, str]:
        """Runs a command once, in a sandbox of its own where the product was built; how it ended, and its output."""
        async with self.sandbox(more, built=True) as sandbox:
            return await self.court.run(sandbox, command)
