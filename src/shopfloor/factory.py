"""The composition root: the only place where the rooms are put together, from settings and an environment.

It does not decide anything about the work.
"""

import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

from shopfloor.agent.desk import Desk, Heard, nobody
from shopfloor.agent.run import Outcome
from shopfloor.domain.contract import Assertion, Brief, Contract
from shopfloor.domain.errors import Conflict, GiveUp, NeedsHuman
from shopfloor.domain.events import Event, MissionRequested
from shopfloor.domain.messages import ConversationKey, Model, OnDelta
from shopfloor.domain.mission import Verdict
from shopfloor.domain.roles import RoleName
from shopfloor.domain.spending import Budget, Usage
from shopfloor.floor.carry import LEASE_S, carry, mission_of
from shopfloor.floor.means import level_that_holds, sandboxes
from shopfloor.floor.names import slug
from shopfloor.floor.report import Report, report_of
from shopfloor.guard.permit import Policy
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.durable import make_folder
from shopfloor.journal.holder import this_process
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, Lease
from shopfloor.missions.inbox import Inbox
from shopfloor.missions.plan import BRIEF_CAP
from shopfloor.missions.run import Left, Orders
from shopfloor.missions.shop import Shop, mission_stream
from shopfloor.models.names import Endpoint
from shopfloor.models.prices import PriceBook
from shopfloor.models.roster import Roster
from shopfloor.repo.origin import Origin
from shopfloor.repo.services import commands_at, refuse_bad_services, services_at
from shopfloor.repo.store import Store
from shopfloor.router.choose import LIKE, choose
from shopfloor.sandbox.protocol import Level
from shopfloor.settings import Settings, parse_budget, state_folder
from shopfloor.validation.court import Court
from shopfloor.validation.explore import Expedition, Explored, explore
from shopfloor.validation.judging import Bench, Site
from shopfloor.validation.readers import unplanned
from shopfloor.validation.scrutiny import review_change
from shopfloor.validation.trials.power import THOROUGH

ALONE: Mapping[str, tuple[RoleName, ...]] = {
    "solo": ("solo",),
    "explore": ("explorer",),
    "review": ("reviewer", "refuter"),
}
"""Jobs that few roles do by themselves; all other roles share a mission."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person asks of one job, beyond the settings."""

    model: str | None = None
    carry_dirty: bool = False
    person_present: bool = False
    approve: bool = False
    plan_only: bool = False
    new_budget: Budget | None = None


@dataclass(frozen=True, kw_only=True)
class ReviewedChange:
    """A change that anybody made: where it began, what scrutiny says of it, and its diff."""

    base: str
    verdict: Verdict
    diff: str


@dataclass(frozen=True, kw_only=True)
class Factory:
    """A factory over one state folder. Listeners hear every fact, what streams in, and why a reply is late."""

    settings: Settings
    environment: Mapping[str, str]
    folder: Path
    journal: Journal
    blobs: Blobs
    models: Roster
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each setting came from, where that is known."""
    heard: Heard = nobody
    on_delta: OnDelta | None = None

    async def request(
        self, brief: str, repository: Path, form: Literal["mission", "solo"], wishes: Wishes
    ) -> tuple[str, MissionRequested]:
        """Takes a brief in; the mission's id, and what was requested. Nothing has been done yet.

        GiveUp when the brief is too long, the repository unfit, no model named, or its price needed and unknown;
        NeedsHuman when uncommitted work is in the way.
        """
        if (size := len(brief.encode())) > BRIEF_CAP:
            raise GiveUp(
                f"The brief has {size:,} bytes, and an agent is given at most {BRIEF_CAP:,}. Put the details into "
                "files of the repository, and say in the brief where they are."
            )
        origin = await Origin.open(repository)
        head = await origin.head()
        base, carried = await self._base(origin, wishes)
        await refuse_bad_services(origin, base)
        requested = MissionRequested(
            brief=Brief(text=brief),
            repository=str(origin.top),
            base=base,
            target=head.branch or head.commit,
            models=await self._model_names(form, wishes),
            autonomy=self.settings.auto,
            budget=parse_budget(self.settings.budget),
            budget_from=self.sources.get("budget", ""),
            sandbox=self._level(),
            network=self.settings.network,
            person_present=wishes.person_present,
            merge_policy=self.settings.merge,
            form=form,
            remarks=(*origin.remarks, *carried),
        )
        mission_id = await self._taken_in(brief, origin, requested)
        self.heard(mission_stream(mission_id), requested)
        return mission_id, requested

    async def unfinished(self, mission_id: str, requested: MissionRequested) -> list[str]:
        """Other missions of the same words in the same repository that have not ended."""
        siblings = await self.journal.streams(mission_stream(mission_id.rstrip("0123456789")))
        names = [stream.name.removeprefix(mission_stream("")) for stream in siblings]
        found: list[str] = []
        for name in names:
            other = await mission_of(self.journal, name)
            asked = other.request
            same = asked and (asked.brief, asked.repository) == (requested.brief, requested.repository)
            if name != mission_id and same and other.ended is None:
                found.append(name)
        return found

    async def review(self, repository: Path, base: str, wishes: Wishes | None = None) -> ReviewedChange:
        """What scrutiny says of a change that anybody made, uncommitted work included.

        With `wishes`, models read it too, when nothing else refuses it. Nothing of it is kept but the evidence, and
        what the models said. Raises GiveUp like `Origin.open`, when there is no such base or no difference, and like
        `request`.
        """
        names = dict(await self._model_names("review", wishes)) if wishes is not None else {}
        origin = await Origin.open(repository)
        commit = await origin.snapshot_commit()
        began = await origin.base_of_change(base, commit)
        level = self._level()
        with TemporaryDirectory(dir=self.folder, prefix="review-", ignore_cleanup_errors=True) as scratch:
            folder = Path(scratch)
            store = await Store.create(folder / "store.git", origin, commit)
            if await store.tree(began) == await store.tree(commit):
                raise GiveUp(
                    f"Nothing differs from {began[:12]}, so there is nothing to review. Name an earlier --base."
                )
            opened = await sandboxes(
                store,
                began,
                level,
                repository=str(origin.top),
                online=self.settings.network == "setup",
                scratch=folder,
                cache=self.folder / "dependencies",
            )
            name = f"review-{secrets.token_hex(8)}"
            async with self._desk(name, names) as desk:
                timeout_s = (await services_at(store, began)).judge.timeout_s
                court = Court(
                    desk=desk, store=store, start=opened, folder=folder / "court", command_timeout_s=timeout_s
                )
                diff = await store.diff(began, commit)
                key = ConversationKey(mission=name, role="reviewer")
                readers = unplanned(key, commit, origin.top.name, diff, parse_budget(self.settings.budget))
                commands = await commands_at(store, began)
                verdict = await review_change(
                    court, commands, began, commit, readers=readers if names else None, patience=THOROUGH
                )
                return ReviewedChange(base=began, verdict=verdict, diff=diff)

    async def explore(
        self,
        bench: Bench,
        contract: Contract,
        site: Site,
        wanted: tuple[Assertion, ...],
        wishes: Wishes,
        told: Callable[[Explored], None],
    ) -> tuple[Outcome, tuple[Explored, ...]]:
        """Has a model find steps for these assertions on a running app; how it left, and what it found.

        GiveUp when the app does not come up, or like `request` for a model that cannot be had.
        """
        names = dict(await self._model_names("explore", wishes))
        name = f"explore-{slug(contract.title)}"
        before = await self.journal.streams(f"agent/{name}/")
        expedition = Expedition(
            key=ConversationKey(mission=name, role="explorer", attempt=len(before) + 1),
            contract=contract,
            site=site,
            wanted=wanted,
            budget=parse_budget(self.settings.budget),
            told=told,
        )
        async with self._desk(f"{name}/{secrets.token_hex(8)}", names) as desk:
            return await explore(desk, bench, expedition)

    @asynccontextmanager
    async def _desk(self, name: str, models: Mapping[RoleName, str]) -> AsyncGenerator[Desk]:
        """A desk for a job that is no mission, under a lease of its own, with the names of its roles' models."""
        lease = await self.journal.acquire(name, this_process(), LEASE_S)
        try:
            yield Desk(
                journal=self.journal,
                blobs=self.blobs,
                lease=lease,
                model_for=lambda role: self.models.model(models[role]),
                policy=Policy(autonomy="off", sandboxed=True, person_present=False),
                heard=self.heard,
                on_delta=self.on_delta,
            )
        finally:
            await self.journal.release(lease)

    async def refuse_unreachable(self, mission_id: str, wishes: Wishes) -> None:
        """GiveUp when a mission's models cannot be reached, as far as names and keys tell; nothing happens to it."""
        mission = await mission_of(self.journal, mission_id)
        if mission.request is not None and mission.ended is None:
            for name in {wishes.model} if wishes.model else {name for _, name in mission.asked.models}:
                self.models.model(name)

    async def carry(self, mission_id: str, wishes: Wishes, begun: Callable[[], None] = lambda: None) -> Left:
        """Carries a mission on to its end, or to where it must wait. TryLater while another runner has it.

        Calls `begun` once it is this runner's, and nothing is in the way of its going on.
        """
        if (await mission_of(self.journal, mission_id)).request is None:
            raise GiveUp(f"There is no mission {mission_id!r}; `shopfloor mission list` shows those there are.")

        async def build(lease: Lease) -> tuple[Shop, Origin]:
            shop = await self._shop(mission_id, lease, wishes)
            begun()
            return shop

        orders = Orders(approve=wishes.approve, plan_only=wishes.plan_only, budget=wishes.new_budget)
        return await carry(self.journal, mission_id, build, orders)

    async def report(self, mission_id: str, *, diff: bool = True) -> Report:
        """What came of a mission so far, its change left out unless `diff`. GiveUp when there is none of that name."""
        return await report_of(self.journal, self.blobs, self.folder / "missions" if diff else None, mission_id)

    async def _shop(self, mission_id: str, lease: Lease, wishes: Wishes) -> tuple[Shop, Origin]:
        mission = await mission_of(self.journal, mission_id)
        asked = mission.asked
        origin = await Origin.open(Path(asked.repository))
        folder = self.folder / "missions" / mission_id
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "store.git").exists():
            await origin.keep(mission_id, asked.base)
        store = await Store.create(folder / "store.git", origin, asked.base)
        inbox = await Inbox.open(self.journal, mission_stream(mission_id), f"agent/{mission_id}/")
        names = dict(asked.models)

        def heard(stream: str, event: Event) -> None:
            inbox.hear(event)
            self.heard(stream, event)

        def model_for(role: RoleName) -> Model:
            like = LIKE.get(role, role)  # a mission that began before there was such a role
            return self.models.model(wishes.model or names.get(role) or names.get(like) or next(iter(names.values())))

        desk = Desk(
            journal=self.journal,
            blobs=self.blobs,
            lease=lease,
            model_for=model_for,
            policy=Policy(
                autonomy=asked.autonomy, sandboxed=asked.sandbox != "none", person_present=wishes.person_present
            ),
            mail=inbox.mail,
            answers={**{answer.id: answer.text for answer in mission.answers}, **await inbox.answers()},
            heard=heard,
            on_delta=self.on_delta,
        )
        start_sandbox = await sandboxes(
            store,
            asked.base,
            "none" if asked.sandbox == "none" else "bubblewrap",  # what was promised, whatever is set now
            repository=asked.repository,
            online=asked.network == "setup",
            scratch=folder,
            cache=self.folder / "dependencies",
        )
        shop = Shop(
            id=mission_id,
            desk=desk,
            store=store,
            start=start_sandbox,
            folder=folder,
            person_present=wishes.person_present,
            command_timeout_s=(await services_at(store, asked.base)).judge.timeout_s,
        )
        return shop, origin

    def _level(self) -> Level:
        return level_that_holds(self.settings.sandbox, self.settings.auto)

    async def _base(self, origin: Origin, wishes: Wishes) -> tuple[str, tuple[str, ...]]:
        """The commit to begin from, and what a person should know of it."""
        dirty = await origin.dirty()
        if not dirty:
            return (await origin.head()).commit, ()
        shown = ", ".join(dirty[:5]) + (f" and {len(dirty) - 5} more" if len(dirty) > 5 else "")
        if wishes.carry_dirty:
            words = (
                f"uncommitted work is carried along, so the branch holds it too: {shown}; your files stay as they are"
            )
            return await origin.snapshot_commit(), (words,)
        raise NeedsHuman(
            f"{str(origin.top)!r} has uncommitted changes ({shown}). Commit or stash them, "
            "or start again with --carry to build on them as they are; nothing was touched."
        )

    async def _taken_in(self, brief: str, origin: Origin, requested: MissionRequested) -> str:
        """Puts the request on record under a new name; another process may take a name at the same instant."""
        while True:
            mission_id = await self._new_id(brief, origin)
            try:
                await self.journal.append(mission_stream(mission_id), (requested,), expected=0)
            except Conflict:
                continue
            return mission_id

    async def _new_id(self, brief: str, origin: Origin) -> str:
        """A short name that says what it is about; the same brief on a fresh factory gets the same name."""
        stem = slug(brief) or "mission"
        taken = {stream.name for stream in await self.journal.streams(mission_stream(stem))}
        number = 1
        while mission_stream(f"{stem}-{number}") in taken or await origin.branch(f"shopfloor/{stem}-{number}"):
            number += 1
        return f"{stem}-{number}"

    async def _model_names(self, form: str, wishes: Wishes) -> tuple[tuple[RoleName, str], ...]:
        """Which model each role uses; all of them can be reached as far as names and keys tell."""
        default = self.settings.model or (None if wishes.model else await self.models.usual())
        chosen: list[tuple[RoleName, str]] = []
        for role in _roles_of(form):
            choice = choose(role, asked=wishes.model, by_role=self.settings.models, default=default)
            if choice is None:
                raise GiveUp(NO_MODEL)
            model = self.models.model(choice.model)
            if parse_budget(self.settings.budget).usd is not None and model.price(Usage(fresh=1)) is None:
                raise GiveUp(
                    f"The price of {choice.model!r} is unknown, so a budget in money cannot hold: give one in tokens, "
                    f'or its price in the settings: [prices."{choice.model}"] with input and output in USD per MTok.'
                )
            chosen.append((role, choice.model))
        return tuple(chosen)


def _roles_of(form: str) -> tuple[RoleName, ...]:
    every: tuple[RoleName, ...] = get_args(RoleName)
    return ALONE.get(form, tuple(role for role in every if role not in ("solo", "explorer")))


NO_MODEL = (
    "No model is named. Name one with --model PROVIDER:MODEL or in the settings, set ANTHROPIC_API_KEY or "
    "OPENAI_API_KEY, or start a local server such as Ollama; `shopfloor doctor` shows which ones answer."
)


@asynccontextmanager
async def open_factory(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    heard: Heard = nobody,
    on_delta: OnDelta | None = None,
    told: Callable[[str], None] = lambda words: None,
    record_to: Path | None = None,
    sources: Mapping[str, str] | None = None,
    models: Mapping[str, Model] | None = None,
    journal: Journal | None = None,
) -> AsyncGenerator[Factory]:
    """A factory over the state folder that the settings name. Unwritable when it cannot be used.

    `sources` say where each setting came from. `models` are models at hand, by name, for those who test their factory
    without one; `journal` takes the place of the one in the state folder, and is closed too.
    """
    folder = state_folder(settings, environment)
    make_folder(folder)
    journal = journal or open_sqlite(folder / "journal.db")
    factory = Factory(
        settings=settings,
        environment=environment,
        folder=folder,
        journal=journal,
        blobs=Blobs(folder / "blobs"),
        models=Roster(
            environment=environment,
            own=tuple(
                Endpoint(provider=provider, base_url=given.base_url, wire=given.wire, key_env=given.key_env)
                for provider, given in settings.providers.items()
            ),
            prices=PriceBook(own=settings.prices),
            record_to=record_to,
            told=told,
            connected=dict(models or {}),
        ),
        sources=sources or {},
        heard=heard,
        on_delta=on_delta,
    )
    try:
        yield factory
    finally:
        await factory.models.aclose()
        await journal.close()
