"""What the tests of drivers share: an arena with small real apps in it, and a way to see who is left alive."""

import shutil
import socket
import sys
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint, Sandbox
from shopfloor.validation.drivers.app import App, Recipe, app_under_test

PYTHON = f"{sys.base_prefix}/bin/python3"


@dataclass(frozen=True)
class Ground:
    """A checkout with the test apps in it, a free port, and a mark that every process of the arena carries."""

    checkout: Path
    log: Path
    port: int
    mark: str

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @asynccontextmanager
    async def arena(self) -> AsyncGenerator[Sandbox]:
        blueprint = Blueprint(
            checkout=str(self.checkout), environment=(("MARK", self.mark), ("PYTHON", PYTHON)), arena=True
        )
        async with start(blueprint) as sandbox:
            yield sandbox

    @asynccontextmanager
    async def todo_app(self, sandbox: Sandbox) -> AsyncGenerator[App]:
        command = f"exec $PYTHON todo.py {self.port}"
        async with app_under_test(sandbox, Recipe(command=command, address=self.base_url), self.log) as app:
            health = await app.start()
            assert health.healthy, health.text
            yield app

    def alive(self) -> set[int]:
        """Processes that carry the mark."""
        return {
            int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if self.mark.encode() in _read(path)
        }

    def gone_but(self, before: set[int], patience_s: float = 3.0) -> set[int]:
        """Processes that came after `before` and do not go away."""
        deadline = time.monotonic() + patience_s
        while (left := self.alive() - before) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    checkout = tmp_path / "checkout"
    shutil.copytree(Path(__file__).parent / "apps", checkout)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Ground(checkout=checkout, log=tmp_path / "app.log", port=port, mark=uuid.uuid4().hex)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
