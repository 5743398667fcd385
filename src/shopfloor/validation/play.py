"""Plays the compiled steps of an assertion on a driver, and believes nothing that a dead app could show.

Steps fall into turns: what is done, and what is then expected. Before the last deed of a turn the judge looks whether
all that is expected is there already, then waits without doing anything and looks again; only what was not there, did
not come by itself, and came after the deed is an effect. What was there before must still be there after the same wait.
An assertion without any effect has failed, whatever it shows. A picture that changed says less than words do, and
counts from the second time on. It does not know which kind of app is driven, and no model is near.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, TypeAlias

import anyio
import anyio.lowlevel

from shopfloor.domain.contract import Assertion, Control
from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.validation.drivers import actions
from shopfloor.validation.drivers.actions import Action
from shopfloor.validation.drivers.expectations import Changes, Keep, KeepScreen
from shopfloor.validation.drivers.protocol import Driver, Exhibit
from shopfloor.validation.drivers.steps import Unspeakable, filled, free_words, read_step
from shopfloor.validation.turns import (
    MOST_BY_CHANCE,
    Shown,
    Turn,
    Unkept,
    changes,
    changes_a_picture,
    deeds_and_looks,
    drawn,
    is_of_pictures,
    meant,
    starts,
    turns_of,
)

PATIENCE_S = 6.0
"""How long an effect may take to be seen."""
IDLE_S = 0.4
"""How long an app is watched doing nothing, before a deed and after one that should change nothing."""
REST_S = 1.5
"""How long an app is left alone before its page is left: nobody reloads sooner, and some write a moment later."""

Reason: TypeAlias = Literal[
    "",
    "not-seen",
    "not-possible",
    "breaks-interface",
    "no-effect",
    "moves-by-itself",
    "did-not-last",
    "did-not-survive",
    "did-not-start",
    "died",
    "no-steps",
    "bad-steps",
    "cannot-restart",
    "no-driver",
    "driver-broke",
]
BLOCKED: frozenset[Reason] = frozenset(("no-steps", "bad-steps", "cannot-restart", "no-driver", "driver-broke"))


class Frame(Fact):
    """One step as it was played: what was said, what came of it, and what shows it."""

    step: str
    text: str
    happened: bool
    evidence: tuple[Exhibit, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of playing an assertion. `controls` says of each control whether it held, or why it did not apply."""

    reason: Reason
    detail: str = ""
    frames: tuple[Frame, ...] = ()
    controls: Mapping[str, str] = field(default_factory=dict[str, str])
    trace: bytes = b""
    """The recording of a browser in which it failed, where one was asked for."""

    @property
    def verdict(self) -> Literal["passed", "failed", "blocked"]:
        return "passed" if not self.reason else "blocked" if self.reason in BLOCKED else "failed"


class _Failed(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Stagehand:
    """What playing needs besides a driver: an empty session, a way to start the app anew (None if there is none)."""

    fresh: Callable[[], Awaitable[None]]
    restart: Callable[[], Awaitable[str]] | None = None
    """Ends the app and starts it again; why it did not come up, or ""."""
    remember: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint
    """What changes is what looks different from now on."""
    patience_s: float = PATIENCE_S
    idle_s: float = IDLE_S


async def play(driver: Driver, assertion: Assertion, stagehand: Stagehand, chance: random.Random) -> Played:
    """Plays an assertion with all its controls. Never raises for what an app does."""
    if not assertion.steps:
        return Played(reason="no-steps", detail="nothing was compiled for it; `shopfloor explore` does that")
    try:
        turns = turns_of(assertion.steps)
    except (Unspeakable, AskModelAgain) as wrong:
        return Played(reason="bad-steps", detail=str(wrong))
    session = _Session(driver, stagehand, chance)
    try:
        await stagehand.fresh()
        await session.play(turns)
        await session.go_through(turns, assertion.controls)
    except _Failed as failed:
        return session.played(failed.reason, failed.detail)
    except AskModelAgain as wrong:
        return session.played("bad-steps", str(wrong))
    except GiveUp as broken:
        return session.played("driver-broke", str(broken))
    return session.played("", "")


class _Session:
    """One assertion on one driver."""

    def __init__(self, driver: Driver, stagehand: Stagehand, chance: random.Random) -> None:
        self._driver = driver
        self._stagehand = stagehand
        self._chance = chance
        self._words: dict[str, str] = {}
        self._frames: list[Frame] = []
        self._controls: dict[str, str] = {}
        self._effects = 0
        self._pictures = 0
        """Effects that only the picture shows."""
        self._slow: list[tuple[Turn, float]] = []
        self._shown = Shown()

    def played(self, reason: Reason, detail: str) -> Played:
        return Played(reason=reason, detail=detail, frames=tuple(self._frames), controls=self._controls)

    async def play(self, turns: Sequence[Turn]) -> None:
        """All turns once, with words drawn anew; then sees that the last one lasts and that anything had an effect."""
        self._draw(turns)
        for turn in turns:
            await self._play(turn)
        await anyio.sleep(self._stagehand.idle_s)
        await self._expect(turns[-1], "did-not-last", 0.5)
        if not self._effects and self._pictures <= MOST_BY_CHANCE:
            only = "only a picture changed, and only once, as where a field takes the focus"
            nothing = "nothing that was done changed anything of what is expected"
            raise _Failed("no-effect", only if self._pictures else nothing)
        effects = self._effects + self._pictures
        self._controls["effect"] = f"held: {effects} of {len(turns)} turns changed what is seen"
        await self._watch_longer(turns)

    async def go_through(self, turns: Sequence[Turn], controls: Sequence[Control]) -> None:
        """The controls that the contract asks for."""
        for control in controls:
            match control:
                case "reload":
                    await self._survives(control, turns, ("reload",))
                case "second tab":
                    await self._survives(control, turns, (f"open in a new tab {self._place(turns)}",))
                case "restart":
                    await self._restart(turns)
                    await self._survives(control, turns, self._looks_again(turns))
                case "two inputs" | "repeat":
                    if control == "two inputs":
                        await self._stagehand.fresh()
                    self._draw(turns)
                    for turn in turns:
                        await self._play(turn)
            self._controls[control] = "held"

    # --- turns --------------------------------------------------------------------------------------------------

    def _draw(self, turns: Sequence[Turn]) -> None:
        lines = [line for turn in turns for line in (*turn.deeds, *turn.expected)]
        kept = {step.name for line in lines if isinstance(step := meant(line, lines), Keep)}
        free = {name: kind for name, kind in free_words(lines).items() if name not in kept}
        self._words = drawn(free, self._chance)

    async def _play(self, turn: Turn) -> None:
        deeds, looks = deeds_and_looks(turn, self._words)
        for line in deeds[:-1]:
            await self._do(line)
        await self._stagehand.remember()
        missing = await self._missing(turn, looks)
        if missing and await self._idle_shows(turn, looks):
            raise _Failed("moves-by-itself", f"{turn.expected[0]!r} came without {deeds[-1]!r}")
        began = monotonic()
        await self._do(deeds[-1])
        for line in looks:
            await self._do(line)
        if not missing:
            await anyio.sleep(self._stagehand.idle_s)
        await self._expect(turn, "not-seen", self._stagehand.patience_s)
        differs = self._shown.differs(turn, self._words)
        effect = self._count(missing, deeds, looks, differs=differs)
        if effect and (took := monotonic() - began) > self._stagehand.idle_s:
            self._slow.append((turn, took))

    def _count(self, missing: Sequence[str], deeds: Sequence[str], looks: Sequence[str], *, differs: bool) -> bool:
        """Whether what was missing came by the last deed: an effect, told by words or shown by a picture alone."""
        by_words = not all(map(is_of_pictures, missing))
        if by_words and (differs or changes(deeds, looks, self._words)):
            self._effects += 1
            return True
        if missing and not by_words and changes_a_picture(deeds[-1], self._words):
            self._pictures += 1
            return True
        return False

    async def _idle_shows(self, turn: Turn, looks: Sequence[str]) -> bool:
        if not changes(turn.deeds[: len(turn.deeds) - len(looks)], looks, self._words):
            return False
        await anyio.sleep(self._stagehand.idle_s)
        return not await self._missing(turn, looks)

    async def _missing(self, turn: Turn, looks: Sequence[str]) -> tuple[str, ...]:
        """What does not hold of all that a turn expects, before its last deed; as far as the first that words tell."""
        missing: list[str] = []
        try:
            for line in looks:
                if not (await self._driver.perform(_action(filled(line, self._words)))).happened:
                    return turn.expected
            for line in turn.expected:
                step = read_step(filled(line, self._words))
                assert not isinstance(step, Action)
                if isinstance(step, Keep | KeepScreen) or (await self._driver.check(step, 0.0)).happened:
                    continue
                missing.append(line)
                if not is_of_pictures(line):
                    break
        except (AskModelAgain, KeyError):
            return turn.expected  # there is nothing yet to look at: no page, no program, nothing kept
        return tuple(missing)

    async def _do(self, line: str) -> None:
        said = filled(line, self._words)
        if self._frames and isinstance(_action(said), actions.Reload | actions.OpenTab | actions.OpenPage):
            await anyio.sleep(REST_S)
        seen = await self._driver.perform(_action(said))
        self._frames.append(Frame(step=said, text=seen.text, happened=seen.happened, evidence=seen.evidence))
        if not seen.happened:
            raise _Failed("not-possible", f"{said}: {_last_line(seen.text).removeprefix(f'{said}: ')}")
        if seen.breach:
            raise _Failed("breaks-interface", seen.breach)

    async def _expect(self, turn: Turn, reason: Reason, patience_s: float) -> None:
        for line in turn.expected:
            said = filled(line, self._words)
            step = read_step(said)
            assert not isinstance(step, Action)
            seen = await self._driver.check(step, patience_s)
            self._frames.append(Frame(step=said, text=seen.text, happened=seen.happened, evidence=seen.evidence))
            self._words.update(seen.kept)
            if not seen.happened:
                raise _Failed(reason, _last_line(seen.text))

    # --- controls -----------------------------------------------------------------------------------------------

    async def _watch_longer(self, turns: Sequence[Turn]) -> None:
        """An effect that took longer than the wait before it might have come by itself: that wait is made up for.

        All turns are played to their end, since the controls that follow look at what they left.
        """
        if not self._slow:
            self._controls["idle"] = "held"
            return
        slowest, took = max(self._slow, key=lambda one: one[1])
        await self._stagehand.fresh()
        self._draw(turns)
        for turn in turns:
            deeds, looks = deeds_and_looks(turn, self._words)
            for line in deeds[:-1]:
                await self._do(line)
            if turn is slowest:
                await self._stagehand.remember()
                await anyio.sleep(took * 1.5)
                if not await self._missing(turn, looks):
                    raise _Failed("moves-by-itself", f"{turn.expected[0]!r} came without {deeds[-1]!r}")
            for line in (deeds[-1], *looks):
                await self._do(line)
            await self._expect(turn, "not-seen", self._stagehand.patience_s)
        self._controls["idle"] = "held"

    async def _survives(self, control: Control, turns: Sequence[Turn], again: Sequence[str]) -> None:
        for line in again:
            await self._do(line)
        said = {line: read_step(filled(line, Unkept(self._words))) for line in turns[-1].expected}
        lasting = tuple(line for line, step in said.items() if not isinstance(step, Changes))
        if not lasting:
            raise _Failed("bad-steps", f"after {control}: a change is over, so nothing is expected that could be there")
        try:
            await self._expect(Turn((), lasting), "did-not-survive", self._stagehand.patience_s)
        except _Failed as failed:
            self._controls[control] = "did not hold"
            raise _Failed(failed.reason, f"after {control}: {failed.detail}") from None

    async def _restart(self, turns: Sequence[Turn]) -> None:
        """Starts the app again; where there is none, the program that the steps start is started again after this."""
        if self._stagehand.restart is None and not starts(turns):
            raise _Failed("cannot-restart", "the app was not started here, so it cannot be started again")
        await anyio.sleep(REST_S)
        if self._stagehand.restart is not None and (problem := await self._stagehand.restart()):
            raise _Failed("did-not-start", problem)

    def _place(self, turns: Sequence[Turn]) -> str:
        opened = [line for turn in turns for line in turn.deeds if line.startswith("open ")]
        return opened[-1].rpartition(" ")[2] if opened else "/"

    def _looks_again(self, turns: Sequence[Turn]) -> tuple[str, ...]:
        _, looks = deeds_and_looks(turns[-1], self._words)
        return looks or starts(turns)[-1:] or ("reload",)


def _action(said: str) -> Action:
    step = read_step(said)
    assert isinstance(step, Action)
    return step


def _last_line(text: str) -> str:
    """The end of an observation: brackets around it set it off from a screen, those within are the app's."""
    line = text.rstrip().rpartition("\n")[2]
    return line[1:-1] if line.startswith("[") and line.endswith("]") else line
