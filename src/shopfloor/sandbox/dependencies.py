"""Sets up what a repository depends on, once per lock file, in a sandbox; later sandboxes get it read-only.

A folder counts only when its mark is there, and the mark is written last: a crash in the middle leaves nothing that
anyone would use. It does not know what a package is; the set-up command does.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec

from shopfloor.domain.fact import Fact
from shopfloor.sandbox.probe import probe, start
from shopfloor.sandbox.protocol import Blueprint, Level, Mount

INSIDE = "/deps"
MARK = "complete"
LOOK_AGAIN_S = 0.1


class Setup(Fact):
    """What to run so that /deps (also in $DEPS) holds all that the repository needs, and what it depends on."""

    command: str
    lock_hash: str
    """Hash of the lock files' bytes: another hash is another set-up."""
    network: bool = False
    timeout_s: float = 1800.0


class Dependencies(Fact):
    """What came of a set-up. A failing command is a value: `folder` is "" and the log says why."""

    level: Level
    folder: str
    log: str
    exit_code: int = 0
    reused: bool = False


async def set_up(setup: Setup, blueprint: Blueprint, cache: Path, level: Level | None = None) -> Dependencies:
    """Runs the command on a checkout, unless this cache already holds its result. Safe to call from many at once."""
    chosen = level or (await anyio.to_thread.run_sync(probe)).best
    place = cache / _key(setup, chosen)
    cache.mkdir(parents=True, exist_ok=True)
    async with _alone(place.with_suffix(".lock")):
        if (place / MARK).exists():
            return Dependencies(level=chosen, folder=str(place / "deps"), log=str(place / "log"), reused=True)
        shutil.rmtree(place, ignore_errors=True)
        (place / "deps").mkdir(parents=True)
        exit_code = await _run(setup, blueprint, place, chosen)
        if exit_code == 0:
            await anyio.to_thread.run_sync(os.sync)  # The mark must not outlive a power cut that its folder did not.
            (place / MARK).touch()
        folder = str(place / "deps") if exit_code == 0 else ""
        return Dependencies(level=chosen, folder=folder, log=str(place / "log"), exit_code=exit_code)


def furnished(blueprint: Blueprint, dependencies: Dependencies) -> Blueprint:
    """The blueprint with these dependencies in it: read-only, before everything else in PATH, their place in $DEPS."""
    return _with_deps(blueprint, dependencies.folder, dependencies.level, writable=False)


async def _run(setup: Setup, blueprint: Blueprint, place: Path, level: Level) -> int:
    furnishing = _with_deps(blueprint, str(place / "deps"), level, writable=True)
    async with start(msgspec.structs.replace(furnishing, network=setup.network), level) as sandbox:
        finished = await sandbox.run(setup.command, output=place / "log", timeout_s=setup.timeout_s)
    return finished.exit_code


def _with_deps(blueprint: Blueprint, folder: str, level: Level, *, writable: bool) -> Blueprint:
    seen = INSIDE if level == "bubblewrap" else folder
    return msgspec.structs.replace(
        blueprint,
        mounts=(*blueprint.mounts, Mount(source=folder, target=INSIDE, writable=writable)),
        environment=(*blueprint.environment, ("DEPS", seen)),
        path_first=(f"{seen}/bin", f"{seen}/venv/bin", *blueprint.path_first),
    )


def _key(setup: Setup, level: Level) -> str:
    """The level is part of it: what was built to lie at /deps does not work anywhere else."""
    words = "\0".join((level, setup.lock_hash, setup.command))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


@asynccontextmanager
async def _alone(path: Path) -> AsyncGenerator[None]:
    """Held by one set-up at a time on this machine; a crash lets go of it."""
    with path.open("w") as file:
        while not _locked(file.fileno()):  # noqa: ASYNC110 - nothing tells when another process lets go
            await anyio.sleep(LOOK_AGAIN_S)
        yield


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
