"""A whole factory in a folder: a real git repository, a real journal, real sandboxes, and models from a script.

It does not know what is tested with it.
"""

import subprocess
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import anyio
import msgspec

from shopfloor.domain.messages import Model
from shopfloor.factory import Factory, Wishes, open_factory
from shopfloor.floor.report import Report
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal
from shopfloor.models.script import Answer, ScriptedCall
from shopfloor.settings import Settings
from shopfloor.testing.power import Moment, Supply, open_later, power_cut

MODEL = "scripted:story"
GIT = ("git", "-c", "user.name=A Person", "-c", "user.email=person@example.org", "-c", "init.defaultBranch=main")


def call(name: str, **arguments: object) -> Answer:
    """An answer that makes one call."""
    return Answer(calls=(ScriptedCall(name=name, arguments=arguments),))


def calls(*answers: Answer) -> Answer:
    """An answer that makes the calls of these, one after the other."""
    return Answer(calls=tuple(one for answer in answers for one in answer.calls))


def make_repository(place: Path, files: Mapping[str, str]) -> Path:
    """A git repository with one commit of these files."""
    place.mkdir(parents=True)
    write_files(place, files)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "Begin")):
        subprocess.run([*GIT, *words], cwd=place, check=True, stdin=subprocess.DEVNULL)
    return place


def write_files(place: Path, files: Mapping[str, str]) -> None:
    """Writes the files below a folder."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def git(place: Path, *words: str) -> str:
    """What git says, run as the person."""
    return subprocess.run([*GIT, *words], cwd=place, check=True, capture_output=True, text=True).stdout.strip()


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A repository and a state folder. Every call opens the factory anew, as every command does."""

    repository: Path
    state: Path
    model: Model
    settings: Settings = field(default_factory=Settings)
    journal: Callable[[Path], Journal] = open_sqlite
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def mission(self, brief: str, wishes: Wishes = Wishes(approve=True)) -> Report:  # noqa: B008 - a frozen value
        """Runs a mission from its brief to where it ends or waits."""
        return self._run(brief, "mission", wishes)

    def solo(self, task: str, wishes: Wishes = Wishes()) -> Report:  # noqa: B008 - a frozen value
        """Runs one agent on one task."""
        return self._run(task, "solo", wishes)

    def resume(self, mission: str, wishes: Wishes = Wishes(approve=True)) -> Report:  # noqa: B008 - a frozen value
        """Goes on with a mission."""

        async def act() -> Report:
            async with self.factory() as factory:
                await factory.carry(mission, wishes)
                return await factory.report(mission)

        return anyio.run(act)

    @asynccontextmanager
    async def factory(self) -> AsyncGenerator[Factory]:
        """The factory over this workshop's state folder."""
        settings = msgspec.structs.replace(self.settings, model=MODEL, state=str(self.state))
        self.state.mkdir(parents=True, exist_ok=True)
        journal = self.journal(self.state / "journal.db")
        async with open_factory(settings, self.environment, models={MODEL: self.model}, journal=journal) as factory:
            yield factory

    @contextmanager
    def power_cut(self, moment: Moment) -> Generator["Workshop"]:
        """This workshop, with power that fails at that moment; afterwards its disk is as it was then."""
        with power_cut((self.repository, self.state), moment) as supply:
            yield replace(self, journal=supply.open)

    def restarted(self) -> "Workshop":
        """This workshop when the leases of whoever died in it have run out."""
        return replace(self, journal=open_later)

    def appends(self, story: Callable[["Workshop"], object]) -> int:
        """How many appends a story makes when nothing goes wrong."""
        supply = Supply(())
        story(replace(self, journal=supply.open))
        return supply.appends

    def kinds(self, mission: str) -> list[str]:
        """The kinds of a mission's facts, in order."""

        async def act() -> list[str]:
            async with self.factory() as factory:
                return [fact.kind for fact in await factory.journal.read(f"mission/{mission}")]

        return anyio.run(act)

    def _run(self, brief: str, form: Literal["mission", "solo"], wishes: Wishes) -> Report:
        async def act() -> Report:
            async with self.factory() as factory:
                mission, _ = await factory.request(brief, self.repository, form, wishes)
                await factory.carry(mission, wishes)
                return await factory.report(mission)

        return anyio.run(act)


def plan(
    title: str,
    assertions: Sequence[Mapping[str, object]],
    features: Sequence[Mapping[str, object]],
    **more: object,
) -> Answer:
    """The orchestrator's proposal with one milestone."""
    milestones = [{"title": title, "features": list(features)}]
    return call("propose_plan", title=title, spec=title, assertions=list(assertions), milestones=milestones, **more)
