"""Judges a whole contract by its compiled steps: several assertions beside each other, each on a session of its own.

Where the app keeps what its users do, each assertion meets an app of its own, started from a clean copy of its folder;
where their browsers keep it, one app serves all. No model is near. It does not know how steps are played.
"""

import os
import random
import shutil
import stat
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TypeAlias

import anyio

from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.domain.errors import GiveUp
from shopfloor.sandbox.probe import judge_mounts
from shopfloor.sandbox.protocol import Blueprint, Sandbox
from shopfloor.validation.court import StartSandbox
from shopfloor.validation.drivers.app import App, Recipe, app_under_test
from shopfloor.validation.drivers.desktop import DesktopDriver, open_desktop
from shopfloor.validation.drivers.http import HttpDriver, open_http
from shopfloor.validation.drivers.interface import Interface
from shopfloor.validation.drivers.library import LibraryDriver, open_library
from shopfloor.validation.drivers.protocol import Driver
from shopfloor.validation.drivers.terminal import TerminalDriver, open_terminal
from shopfloor.validation.drivers.web import WebDriver, open_web
from shopfloor.validation.play import Played, Stagehand, play

LANES = 3
"""Assertions judged beside each other: more than two cores can serve is of no use, since much of it is waiting."""
WATCHED_S = 3.0
"""How long a desktop is left alone before a deed: telling whether a picture changed takes about as long."""
TRIES = 2
"""A driver that breaks says nothing of the app."""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """An app that runs already; nobody here can start it anew."""

    url: str


@dataclass(frozen=True, kw_only=True)
class Here:
    """An app that is started from a copy of `folder`. Without a command there is only what is started or called."""

    folder: Path
    recipe: Recipe
    starting_s: float = 60.0


Site: TypeAlias = Elsewhere | Here


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What came of one assertion, and how long it took."""

    assertion: Assertion
    played: Played
    seconds: float
    independence: str


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The means of judging without a model."""

    start: StartSandbox
    chromium: str = ""
    lanes: int = LANES
    seed: int | None = None
    traced: bool = False
    """Whether browsers are recorded, and what was recorded kept of assertions that fail."""
    interface: Interface | None = None
    """What every answer over HTTP is held to, where the contract names a document of it."""
    told: Callable[[Ruling], None] = lambda ruling: None


async def judge(
    bench: Bench, contract: Contract, site: Elsewhere | Here, only: Sequence[str] = ()
) -> tuple[Ruling, ...]:
    """A ruling on every assertion that is asked for, in the contract's order."""
    wanted = [one for one in contract.assertions if not only or one.id in only]
    rulings: dict[str, Ruling] = {}
    waiting = list(reversed(wanted))
    shared = contract.state == "browser"
    lanes = bench.lanes if shared or isinstance(site, Here) else 1

    def ruled(ruling: Ruling) -> None:
        rulings[ruling.assertion.id] = ruling
        bench.told(ruling)

    async def work() -> None:
        while waiting:
            async with Lane.open(bench, contract, site) as lane:
                while waiting:
                    ruling = await _ruling(bench, lane, waiting.pop())
                    ruled(ruling)
                    if lane.worn or not (shared or isinstance(site, Elsewhere)):
                        break

    async with anyio.create_task_group() as tasks:
        for _ in range(min(lanes, len(wanted))):
            tasks.start_soon(work)
    return tuple(rulings[one.id] for one in wanted)


async def _ruling(bench: Bench, lane: "Lane", assertion: Assertion) -> Ruling:
    began = monotonic()
    chance = random.Random(None if bench.seed is None else f"{bench.seed} {assertion.id}")
    played = await lane.play(assertion, chance)
    return Ruling(assertion=assertion, played=played, seconds=monotonic() - began, independence=lane.independence)


class Lane:
    """A sandbox with the app in it, if it runs here, and one driver for each surface. Worn when a driver broke."""

    def __init__(
        self, bench: Bench, contract: Contract, site: Site, sandbox: Sandbox, stack: AsyncExitStack, *, watched: bool
    ):
        self._bench = bench
        self._watched = watched
        self._contract = contract
        self._site = site
        self._sandbox = sandbox
        self._stack = stack
        self._app: App | None = None
        self._checkout = Path()
        self._drivers: dict[Surface, Driver] = {}
        self._used = False
        self.trouble = ""
        """Why the app did not come up, if it did not."""
        self.worn = False

    @property
    def independence(self) -> str:
        return "enforced" if self._sandbox.level != "none" else "not enforced: no sandbox"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, bench: Bench, contract: Contract, site: Site, *, watched: bool = False
    ) -> "AsyncGenerator[Lane]":
        """A lane of its own. In one that is `watched`, a browser tells what every step changed."""
        async with AsyncExitStack() as stack:
            folder = Path(
                stack.enter_context(TemporaryDirectory(prefix="shopfloor-judge-", ignore_cleanup_errors=True))
            )
            checkout = folder / "checkout"
            checkout.mkdir()
            blueprint = Blueprint(checkout=str(checkout), network=True, mounts=judge_mounts())
            if isinstance(site, Here):
                _copy(site.folder, checkout)
                port = site.recipe.address.rpartition(":")[2]
                blueprint = Blueprint(checkout=str(checkout), arena=True, environment=(("PORT", port),))
            sandbox = await stack.enter_async_context(bench.start(blueprint))
            lane = cls(bench, contract, site, sandbox, stack, watched=watched)
            lane._checkout = checkout
            if isinstance(site, Here) and site.recipe.command:
                lane._app = await stack.enter_async_context(app_under_test(sandbox, site.recipe, folder / "app.log"))
                lane.trouble = await lane._start_app()
            yield lane

    async def play(self, assertion: Assertion, chance: random.Random) -> Played:
        if self.trouble:
            return Played(reason="did-not-start", detail=self.trouble)
        played = Played(reason="driver-broke")
        for left in reversed(range(TRIES)):
            try:
                driver = await self.driver(assertion.surface)
            except GiveUp as trouble:
                return Played(reason="no-driver", detail=str(trouble))
            stagehand = Stagehand(
                fresh=lambda driver=driver: self.fresh(driver), restart=self._restart if self._app else None
            )
            if isinstance(driver, DesktopDriver):
                stagehand = replace(stagehand, remember=driver.remember, idle_s=WATCHED_S)
            played = await play(driver, assertion, stagehand, chance)
            if played.reason != "driver-broke":
                return self._with_log(await self._with_trace(await self._outlived(played), driver))
            self._drivers.pop(assertion.surface)
            self.worn = left == 0
        return played

    async def _outlived(self, played: Played) -> Played:
        """What an app shows that is dead is only what its page kept, and who comes next must not meet it so."""
        died = "" if self._app is None or played.verdict == "blocked" else await self._app.died()
        if not died:
            return played
        self.worn = True
        before = f"; before that, {played.reason}: {played.detail}" if played.reason else ""
        return replace(played, reason="died", detail=f"while it was judged, the app died: {died}{before}")

    async def driver(self, surface: Surface) -> Driver:
        """The driver of a surface, opened at its first use. GiveUp when there is none."""
        if surface not in self._drivers:
            self._drivers[surface] = await self._opened(surface)
        return self._drivers[surface]

    async def _opened(self, surface: Surface) -> Driver:
        address = self._site.url if isinstance(self._site, Elsewhere) else self._site.recipe.address
        match surface:
            case "web":
                chromium, traced = self._bench.chromium, self._bench.traced
                opening = open_web(self._sandbox, address, chromium=chromium, watched=self._watched, traced=traced)
                return await self._stack.enter_async_context(opening)
            case "http":
                return await self._stack.enter_async_context(open_http(self._sandbox, address, self._bench.interface))
            case "terminal" if isinstance(self._site, Here):
                return await self._stack.enter_async_context(open_terminal(self._sandbox))
            case "library" if isinstance(self._site, Here):
                return await self._stack.enter_async_context(open_library(self._sandbox))
            case "desktop" if isinstance(self._site, Here):
                return await self._stack.enter_async_context(open_desktop(self._sandbox))
            case "terminal" | "library" | "desktop":
                raise GiveUp(f"a {surface} needs the folder it is in: judge with --start or --repo")

    async def fresh(self, driver: Driver) -> None:
        """An empty session; and an app that has forgotten what the one before did, if the app keeps it."""
        if isinstance(driver, DesktopDriver):
            await driver.close()
        keeps = self._app is not None or isinstance(driver, DesktopDriver)
        if self._used and keeps and self._contract.state == "app":
            await self._begin_anew()
        self._used = True
        match driver:
            case WebDriver():
                await driver.begin(self._contract.names)
            case HttpDriver():
                await driver.begin()
            case LibraryDriver():
                await driver.begin()
            case TerminalDriver():
                await driver.close()
            case DesktopDriver():
                await driver.begin()
            case _:
                pass

    async def _begin_anew(self) -> None:
        """The folder as it was, an empty home, and nobody left who could remember anything."""
        assert isinstance(self._site, Here)
        if self._app is not None:
            await self._app.stop()
        await self._sandbox.renew()
        _clear(self._checkout)
        _copy(self._site.folder, self._checkout)
        if self._app is not None and (trouble := await self._start_app()):
            raise GiveUp(trouble)

    async def _start_app(self) -> str:
        assert self._app is not None
        assert isinstance(self._site, Here)
        health = await self._app.start(self._site.starting_s)
        return "" if health.healthy else health.text

    async def _restart(self) -> str:
        assert self._app is not None
        health = await self._app.restart()
        return "" if health.healthy else health.text

    async def _with_trace(self, played: Played, driver: Driver) -> Played:
        if played.verdict != "failed" or not self._bench.traced or not isinstance(driver, WebDriver):
            return played
        try:
            return replace(played, trace=await driver.trace())
        except GiveUp:
            return played  # a browser that is gone leaves its verdict behind

    def _with_log(self, played: Played) -> Played:
        """What failed may be told by what the app said last."""
        if played.verdict == "passed" or self._app is None:
            return played
        return replace(played, detail=f"{played.detail}\nThe app's last output:\n{self._app.output(600)}")


def _clear(folder: Path) -> None:
    """Empties a folder in which nobody is at work any more. GiveUp when something in it will not go."""
    for place, names, _ in os.walk(folder):
        for name in names:
            if not (inner := Path(place, name)).is_symlink():
                inner.chmod(0o700)
    for left in folder.iterdir():
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() and not left.is_symlink() else left.unlink()
    if remains := sorted(left.name for left in folder.iterdir()):
        raise GiveUp(f"the app's folder cannot be emptied for a fresh start: {', '.join(remains[:5])} will not go")


def _copy(folder: Path, into: Path) -> None:
    """Links stay links; sockets and the like, which an app that runs there has left, are no part of it."""
    try:
        shutil.copytree(folder, into, symlinks=True, dirs_exist_ok=True, ignore=_left_behind)
    except (OSError, shutil.Error) as trouble:
        raise GiveUp(f"{str(folder)!r} cannot be copied to be judged: {str(trouble)[:500]}") from trouble


def _left_behind(folder: str, names: list[str]) -> set[str]:
    modes = {name: os.lstat(f"{folder}/{name}").st_mode for name in names}
    kept = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    return {name for name, mode in modes.items() if name == ".git" or not any(kind(mode) for kind in kept)}
