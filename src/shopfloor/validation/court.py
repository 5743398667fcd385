"""What a judge works with: a fresh clone, a sandbox, a place for evidence. Never the worker's checkout.

It does not know what is judged.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from shopfloor.agent.desk import Desk
from shopfloor.domain.contract import SealedChecks
from shopfloor.domain.mission import CheckOutcome, Evidence
from shopfloor.repo.store import Store
from shopfloor.sandbox.probe import find_chromium
from shopfloor.sandbox.protocol import Blueprint, Finished, Sandbox
from shopfloor.validation.trials.testrun import READABLE

StartSandbox: TypeAlias = Callable[[Blueprint], AbstractAsyncContextManager[Sandbox]]

COMMAND_TIMEOUT_S = 900.0
TRANSCRIPT_CAP = 2_000_000
"""Bytes of a command's output kept as evidence; the head and the tail of a longer one."""


@dataclass(frozen=True, kw_only=True)
class Court:
    """The means of a judge. `folder` is scratch space outside every sandbox."""

    desk: Desk
    store: Store
    start: StartSandbox
    folder: Path
    command_timeout_s: float = COMMAND_TIMEOUT_S
    find_browser: Callable[[], str] = find_chromium
    """The path of a Chromium, "" if there is none."""
    remembered: dict[str, tuple[Finished, str]] = field(default_factory=dict[str, tuple[Finished, str]])
    """Runs on the base, which says the same each time it is asked."""

    async def checkout(self, commit: str, name: str) -> Path:
        """A fresh clone at that commit; what a judge before a crash left there is thrown away."""
        place = self.folder / f"{name}-{secrets.token_hex(4)}"
        await self.store.clone(commit, place)
        return place

    def scratch(self) -> Path:
        """A new file name for a command's output."""
        place = self.folder / "output"
        place.mkdir(parents=True, exist_ok=True)
        return place / secrets.token_hex(8)

    def sealed(self, checks: SealedChecks) -> Mapping[str, bytes]:
        """The sealed files, by their path in the checkout."""
        return {path: self.desk.blobs.get(blob) for path, blob in checks.files}

    async def run(
        self, sandbox: Sandbox, command: str, environment: Mapping[str, str] = READABLE
    ) -> tuple[Finished, str]:
        """Runs a command to its end; how it ended, and its output (the head and tail of a very long one)."""
        output = self.scratch()
        finished = await sandbox.run(command, output=output, timeout_s=self.command_timeout_s, environment=environment)
        text = read_transcript(output)
        output.unlink()
        return finished, text

    def transcript(self, command: str, finished: Finished, output: str, caption: str) -> Evidence:
        """A command's transcript, kept as evidence."""
        text = f"$ {command}\n{output.rstrip()}\n[{ending(finished)}, {finished.seconds:.1f} s]\n"
        return Evidence(kind="transcript", blob=self.desk.blobs.put(text.encode(errors="replace")), caption=caption)

    async def outcome(self, sandbox: Sandbox, name: str, command: str) -> CheckOutcome:
        """Runs a command as a check: it passes when it exits 0."""
        finished, output = await self.run(sandbox, command)
        return CheckOutcome(
            name=name,
            passed=finished.exit_code == 0,
            detail=ending(finished),
            command=command,
            exit_code=finished.exit_code,
            evidence=(self.transcript(command, finished, output, f"{name}: {command}"),),
        )


def ending(finished: Finished) -> str:
    """How a command ended, in words."""
    if finished.timed_out:
        return "killed: it ran out of time"
    if finished.overflowed:
        return "killed: it printed too much"
    return f"exit code {finished.exit_code}"


def read_transcript(path: Path) -> str:
    """A command's output as text; only the head and tail of one larger than the cap."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if size <= TRANSCRIPT_CAP:
            return file.read().decode(errors="replace")
        head = file.read(TRANSCRIPT_CAP // 2)
        file.seek(size - TRANSCRIPT_CAP // 2)
        tail = file.read()
    left_out = size - TRANSCRIPT_CAP
    return f"{head.decode(errors='replace')}\n[… {left_out:,} bytes left out …]\n{tail.decode(errors='replace')}"
