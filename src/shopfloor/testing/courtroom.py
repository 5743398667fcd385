"""A courtroom in a folder: a real repository, a real store, real sandboxes, and whoever judges a change to it.

For people who test their own judges. It does not know what a good verdict is.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from shopfloor.agent.desk import Desk
from shopfloor.domain.contract import Assertion, Check, Contract, SealedChecks
from shopfloor.domain.messages import ConversationKey, Model
from shopfloor.domain.mission import Verdict
from shopfloor.domain.spending import Budget
from shopfloor.guard.permit import Policy
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.holder import this_process
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal
from shopfloor.models.scripted import ScriptedModel
from shopfloor.repo.origin import Origin
from shopfloor.repo.services import commands_at
from shopfloor.repo.store import Store
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint, Level, Sandbox
from shopfloor.testing.workshop import git, make_repository
from shopfloor.validation.case import Case
from shopfloor.validation.court import Court
from shopfloor.validation.readers import ReviewCase
from shopfloor.validation.scrutiny import scrutinise

Changes: TypeAlias = Mapping[str, str | bytes | None]
"""Files by path, None for one that goes."""

NOBODY = ScriptedModel({})
LEASE_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Courtroom:
    """A repository at its base commit, and a court over its store."""

    repository: Path
    base: str
    court: Court
    journal: Journal

    def commit(self, changes: Changes, *, keep: bool = False) -> str:
        """A commit on the base with these files, and what lies about in the checkout if `keep`.

        No branch moves, and the store can read it.
        """
        git(self.repository, "checkout", "-q", "--detach", *(() if keep else ("-f",)), self.base)
        if not keep:
            git(self.repository, "clean", "-fdqx")
        for name, content in changes.items():
            place = self.repository / name
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        git(self.repository, "add", "-Af")
        git(self.repository, "commit", "-q", "--allow-empty", "-m", "Change")
        return git(self.repository, "rev-parse", "HEAD")

    def sealed(self, checks: Sequence[Check], files: Mapping[str, str]) -> SealedChecks:
        """Checks sealed with their files."""
        put = self.court.desk.blobs.put
        return SealedChecks(
            checks=tuple(checks), files=tuple(sorted((path, put(text.encode())) for path, text in files.items()))
        )

    async def judge(
        self,
        commit: str,
        checks: SealedChecks,
        *,
        supersedes: tuple[str, ...] = (),
        failing_on_base: tuple[str, ...] = (),
        reviewed: bool = False,
    ) -> Verdict:
        """The verdict of scrutiny on a commit: every assertion that a check names is claimed."""
        claims = tuple(dict.fromkeys(name for check in checks.checks for name in check.assertions))
        contract = Contract(
            title="A change", assertions=tuple(_assertion(name) for name in claims), supersedes=supersedes
        )
        case = Case(
            subject="change",
            commit=commit,
            base=self.base,
            contract=contract,
            seal="",
            claims=claims,
            checks=checks,
            commands=await commands_at(self.court.store, self.base),
            failing_on_base=failing_on_base,
            review=await self._review(commit) if reviewed else None,
        )
        return await scrutinise(self.court, case)

    async def _review(self, commit: str) -> ReviewCase:
        return ReviewCase(
            checks="",
            key=ConversationKey(mission="court", role="reviewer", feature="change"),
            commit=commit,
            title="A change",
            contract="",
            diff=await self.court.store.diff(self.base, commit),
            commands=(),
            budget=Budget(),
        )


def _assertion(name: str) -> Assertion:
    return Assertion(id=name, title=name, behaviour="When it is called, then it is right.", surface="library")


@asynccontextmanager
async def open_courtroom(
    folder: Path,
    files: Mapping[str, str],
    *,
    model: Model = NOBODY,
    level: Level | None = None,
    command_timeout_s: float = 120.0,
) -> AsyncGenerator[Courtroom]:
    """A courtroom over a repository of these files; an existing folder is used again, with all that it remembers."""
    repository = folder / "repository"
    if not repository.exists():
        make_repository(repository, files)
    origin = await Origin.open(repository)
    base = git(repository, "rev-parse", "main")
    store = await Store.create(folder / "store.git", origin, base)
    journal = open_sqlite(folder / "journal.db")
    try:
        lease = await journal.acquire("court", this_process(), LEASE_S)
        desk = Desk(
            journal=journal,
            blobs=Blobs(folder / "blobs"),
            lease=lease,
            model_for=lambda role: model,
            policy=Policy(autonomy="high", sandboxed=level != "none", person_present=False),
        )

        def opened(blueprint: Blueprint) -> AbstractAsyncContextManager[Sandbox]:
            return start(blueprint, level)

        court = Court(
            desk=desk, store=store, start=opened, folder=folder / "court", command_timeout_s=command_timeout_s
        )
        try:
            yield Courtroom(repository=repository, base=base, court=court, journal=journal)
        finally:
            await journal.release(lease)
    finally:
        await journal.close()
