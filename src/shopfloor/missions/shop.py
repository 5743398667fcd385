"""What a mission works with: a desk for its agents, its own repository, sandboxes, and folders outside every sandbox.

It does not know where any of it comes from; the factory builds it.
"""

import shutil
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import anyio

from shopfloor.agent.desk import Desk
from shopfloor.context.prompt import Fragment
from shopfloor.context.repository import RULE_FILES, map_fragment, rules_fragment
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.roles import RoleName
from shopfloor.journal.durable import sync_everything_under, sync_folder
from shopfloor.repo.discovery import FoundCommands
from shopfloor.repo.services import Services, commands_at, services_at, services_place
from shopfloor.repo.store import Store
from shopfloor.sandbox.protocol import Blueprint, Sandbox
from shopfloor.tools.tool import AnyTool
from shopfloor.tools.workbench import workbench
from shopfloor.validation.court import COMMAND_TIMEOUT_S, Court, StartSandbox


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The means of one mission."""

    id: str
    desk: Desk
    store: Store
    start: StartSandbox
    folder: Path
    person_present: bool = False
    command_timeout_s: float = COMMAND_TIMEOUT_S
    """How long a judge lets one command run."""

    @property
    def stream(self) -> str:
        return mission_stream(self.id)

    @cached_property
    def court(self) -> Court:
        """Where judges sit; one for the whole mission, so that what the base's tests said is asked once."""
        return Court(
            desk=self.desk,
            store=self.store,
            start=self.start,
            folder=self.folder / "court",
            command_timeout_s=self.command_timeout_s,
        )

    def key(self, role: RoleName, feature: str = "", attempt: int = 1) -> ConversationKey:
        return ConversationKey(mission=self.id, role=role, feature=feature, attempt=attempt)

    def sandbox(self, checkout: Path, *, writable: bool = True) -> AbstractAsyncContextManager[Sandbox]:
        return self.start(Blueprint(checkout=str(checkout), writable=writable))

    def bench(self, sandbox: Sandbox) -> tuple[AnyTool, ...]:
        """The ordinary tools, working in that sandbox."""
        spool = self.folder / "spool"
        spool.mkdir(parents=True, exist_ok=True)
        return workbench(sandbox, spool, self.desk.blobs.put_file, person_present=self.person_present)

    async def checkout(self, commit: str, name: str, hidden: Sequence[str] = ()) -> Path:
        """The private clone of that name, made once: an attempt that goes on finds it as it left it."""
        place = self.folder / "checkouts" / name
        if not place.exists():
            fresh = self.folder / "checkouts" / f"{name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            await self.store.clone(commit, fresh, hidden=hidden)
            # A name that survives a power cut must not lead to files that did not.
            await anyio.to_thread.run_sync(sync_everything_under, fresh)
            fresh.rename(place)
            sync_folder(place.parent)
        return place

    def clear_away(self) -> None:
        """Throws away what only work in progress needs: what was judged is in the store, what was seen is evidence."""
        for name in ("checkouts", "court", "spool"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    async def services(self, base: str) -> Services:
        """How the repository is set up and started, as its services file at the base commit says."""
        return await services_at(self.store, base)

    async def services_file(self, base: str) -> bytes:
        """The services file at the base commit, as it is; b"" if there is none."""
        place = services_place(await self.store.files(base))
        return b"" if place is None else await self.store.show(base, place) or b""

    async def commands(self, base: str) -> FoundCommands:
        """How the repository tests, types and lints itself: its services file's word, or what its files suggest."""
        return await commands_at(self.store, base)

    async def repository_fragments(self, commit: str) -> list[Fragment]:
        """The repository's own rules and a map of its files, for a first prompt."""
        files = await self.store.files(commit)
        fragments = [map_fragment(files)]
        for path in RULE_FILES:
            if path in files:
                text = (await self.store.show(commit, path) or b"").decode(errors="replace")
                return [rules_fragment(path, text), *fragments]
        return fragments


def mission_stream(mission_id: str) -> str:
    """The name of a mission's stream."""
    return f"mission/{mission_id}"
