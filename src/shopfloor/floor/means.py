"""What a job's commands run in: the sandbox that really holds, with the repository's dependencies set up once in it.

It does not know whose commands they are.
"""

import hashlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from shopfloor.domain.errors import GiveUp, NeedsHuman
from shopfloor.repo.services import services_at
from shopfloor.repo.store import Store
from shopfloor.sandbox.dependencies import Dependencies, Setup, furnished, set_up
from shopfloor.sandbox.probe import probe, start
from shopfloor.sandbox.protocol import Blueprint, Level, Sandbox
from shopfloor.validation.court import StartSandbox


def level_that_holds(wanted: str, autonomy: str) -> Level:
    """The level that will hold. GiveUp when more is wanted than this machine has.

    Without a sandbox the commands of agents and judges run as the person, so only their own word allows that.
    """
    found = probe()
    level = found.best if wanted == "auto" else "none" if wanted == "none" else "bubblewrap"
    if level == "bubblewrap" and found.best != "bubblewrap":
        raise GiveUp(f"No bubblewrap sandbox can be had: {found.why_no_bubblewrap}.")
    if level == "none" and autonomy != "high":
        why = found.why_no_bubblewrap or "the settings ask for none"
        raise NeedsHuman(
            f"There is no sandbox here ({why}), so the commands of agents and judges would run as you, unconfined. "
            "Install bubblewrap, or say --auto high to allow that."
        )
    return level


async def sandboxes(
    store: Store, base: str, level: Level, *, repository: str, online: bool, scratch: Path, cache: Path
) -> StartSandbox:
    """Starts sandboxes of a level with what the repository depends on, set up once for each content of its lock files.

    `online` allows its set-up the network, if it asks for it. GiveUp when the set-up fails.
    """
    setup = await _wanted(store, base, repository, online=online)
    done = await _set_up(setup, store, base, level, scratch=scratch, cache=cache) if setup else None

    def opened(blueprint: Blueprint) -> AbstractAsyncContextManager[Sandbox]:
        return start(furnished(blueprint, done) if done else blueprint, level)

    return opened


async def _wanted(store: Store, base: str, repository: str, *, online: bool) -> Setup | None:
    """What the repository says of its set-up; None if it says nothing."""
    wanted = (await services_at(store, base)).setup
    if wanted.command is None:
        return None
    locks = hashlib.sha256(f"{repository}\0{wanted.command}\0".encode())
    if not wanted.lock:  # nobody can say when to install anew, so every new tree does
        locks.update((await store.tree(base)).encode())
    for path in wanted.lock:
        content = await store.show(base, path) or b""
        locks.update(f"{path}\0{len(content)}\0".encode() + content)
    return Setup(command=wanted.command, lock_hash=locks.hexdigest(), network=wanted.network and online)


async def _set_up(setup: Setup, store: Store, base: str, level: Level, *, scratch: Path, cache: Path) -> Dependencies:
    with TemporaryDirectory(dir=scratch) as folder:
        checkout = Path(folder) / "checkout"
        await store.clone(base, checkout)
        done = await set_up(setup, Blueprint(checkout=str(checkout)), cache, level)
    if done.exit_code != 0:
        tail = Path(done.log).read_text(errors="replace")[-800:]
        raise GiveUp(f"The set-up command {setup.command!r} ended with exit code {done.exit_code}:\n{tail}")
    return done
