"""What all tests of the sandbox share: a checkout, and a way to live in one sandbox for the length of a story."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from shopfloor.sandbox.host import RunnerSandbox
from shopfloor.sandbox.probe import probe, start
from shopfloor.sandbox.protocol import Blueprint, Finished, Level

Story = Callable[[RunnerSandbox], Awaitable[None]]


@pytest.fixture(params=["bubblewrap", "none"])
def level(request: pytest.FixtureRequest) -> Level:
    why = probe().why_no_bubblewrap
    if request.param == "bubblewrap" and why:
        pytest.skip(why)
    return request.param


@pytest.fixture
def enforced() -> None:
    """For tests that make sense only where the kernel enforces the sandbox."""
    if probe().why_no_bubblewrap:
        pytest.skip(probe().why_no_bubblewrap)


@pytest.fixture
def arena_works() -> None:
    if probe().why_no_arena:
        pytest.skip(probe().why_no_arena)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return folder


@pytest.fixture
def said(tmp_path: Path) -> "Said":
    return Said(tmp_path)


class Said:
    """Runs a command and gives back its exit code and words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    async def finished(self, sandbox: RunnerSandbox, command: Any, **wishes: Any) -> tuple[Finished, bytes]:
        self.count += 1
        output = self.folder / f"output-{self.count}"
        finished = await sandbox.run(command, output=output, **{"timeout_s": 30.0, **wishes})
        return finished, output.read_bytes()

    async def __call__(self, sandbox: RunnerSandbox, command: Any, **wishes: Any) -> tuple[int, str]:
        finished, words = await self.finished(sandbox, command, **wishes)
        return finished.exit_code, words.decode()


@pytest.fixture
def live() -> Callable[..., None]:
    """Lives a story in a sandbox of its own; a story that hangs fails."""

    def within(story: Story, checkout: Path, level: Level | None = None, **plan: Any) -> None:
        async def begin() -> None:
            with anyio.fail_after(60):
                async with start(Blueprint(checkout=str(checkout), **plan), level) as sandbox:
                    assert isinstance(sandbox, RunnerSandbox)
                    await story(sandbox)

        anyio.run(begin)

    return within


@pytest.fixture
def eventually() -> Callable[..., Awaitable[bool]]:
    """Whether something comes true soon."""

    async def wait(holds: Callable[[], bool], within_s: float = 5.0) -> bool:
        with anyio.move_on_after(within_s):
            while not holds():  # noqa: ASYNC110 - what it waits for happens in other processes
                await anyio.sleep(0.02)
        return holds()

    return wait
