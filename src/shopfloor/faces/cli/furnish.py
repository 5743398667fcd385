"""Sets up what a folder depends on, as its services file says, before what is in it is judged.

Once per content of its lock files, or of the whole folder where it names none. It does not know what is judged.
"""

import hashlib
import os
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from shopfloor.domain.errors import GiveUp
from shopfloor.repo.services import Setup as Wanted
from shopfloor.sandbox.dependencies import Dependencies, Setup, furnished, set_up
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint, Level, Sandbox
from shopfloor.settings import Settings, state_folder
from shopfloor.validation.court import StartSandbox


def opening(repo: Path, wanted: Wanted, settings: Settings, level: Level) -> StartSandbox:
    """Starts sandboxes with the folder's dependencies in them; the first one waits until they are set up."""
    lock, ready = anyio.Lock(), list[Dependencies]()
    cache = state_folder(settings, os.environ) / "dependencies"

    @asynccontextmanager
    async def opened(blueprint: Blueprint) -> AsyncGenerator[Sandbox]:
        async with lock:
            if wanted.command and not ready:
                ready.append(await _set_up(repo, wanted.command, _setup(repo, wanted, settings), cache, level))
        async with start(furnished(blueprint, ready[0]) if ready else blueprint, level) as sandbox:
            yield sandbox

    return opened


def _setup(repo: Path, wanted: Wanted, settings: Settings) -> Setup:
    locks = hashlib.sha256(f"{repo.resolve()}\0{wanted.command}\0".encode())
    for path in wanted.lock or sorted(_files(repo)):
        content = (repo / path).read_bytes() if (repo / path).is_file() else b""
        locks.update(f"{path}\0{len(content)}\0".encode() + content)
    network = wanted.network and settings.network == "setup"
    return Setup(command=wanted.command or "", lock_hash=locks.hexdigest(), network=network)


def _files(repo: Path) -> Iterator[str]:
    """Whatever lies in the folder but its history."""
    for folder, inner, names in os.walk(repo):
        if ".git" in inner:
            inner.remove(".git")
        yield from (str((Path(folder) / name).relative_to(repo)) for name in names)


async def _set_up(repo: Path, command: str, setup: Setup, cache: Path, level: Level) -> Dependencies:
    with TemporaryDirectory(prefix="shopfloor-setup-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder) / "checkout"
        shutil.copytree(repo, checkout, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        done = await set_up(setup, Blueprint(checkout=str(checkout)), cache, level)
    if done.exit_code != 0:
        tail = Path(done.log).read_text(errors="replace")[-800:]
        raise GiveUp(f"The set-up command {command!r} ended with exit code {done.exit_code}:\n{tail}")
    return done
