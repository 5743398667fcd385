"""Where candidates are tried: a fresh clone in a fresh sandbox each time, with what judges by laid over it.

Nothing that one run leaves behind, neither a file nor a process, reaches the next. It does not know what is tried.
"""

import shlex
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shopfloor.sandbox.protocol import Blueprint, Sandbox
from shopfloor.validation.court import Court


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A commit, and the files that are laid over it whatever it holds there."""

    court: Court
    commit: str
    laid: Mapping[str, bytes]
    gone: Sequence[str] = ()
    """Files of the commit that are taken away before anything runs."""

    @asynccontextmanager
    async def sandbox(self, more: Mapping[str, bytes] | None = None) -> AsyncGenerator[Sandbox]:
        """The commit as it is tried, with `more` laid over all; everything in it ends with the block."""
        place = await self.court.checkout(self.commit, "scrutiny")
        async with self.court.start(Blueprint(checkout=str(place))) as sandbox:
            if self.gone:
                await self.court.run(sandbox, shlex.join(("rm", "-f", "--", *self.gone)))
            await sandbox.lay({**self.laid, **(more or {})})
            yield sandbox
