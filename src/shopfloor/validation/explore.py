"""Has a model find out how an assertion is judged, and keeps only what a judge can do again without one.

The explorer tries lines of the language of steps on the running app and hands in those that show an assertion. They
count when a fresh session plays them from the beginning, with every control, and they pass: nothing that was seen on
the way is believed. It does not know how the app was built, nor what is done with the steps.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec

from shopfloor.agent.desk import Desk, employ
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Outcome
from shopfloor.context.prompt import Fragment, assemble, fill, prompt_file
from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.spending import Budget
from shopfloor.guard.actions import Drive
from shopfloor.guard.permit import Policy
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, never
from shopfloor.validation.drivers.actions import Action, StartProgram
from shopfloor.validation.drivers.protocol import Driver, Observation, capped, quoted
from shopfloor.validation.drivers.steps import Unspeakable, filled, free_words, language, read_step
from shopfloor.validation.judging import Bench, Here, Lane, Site
from shopfloor.validation.play import Played
from shopfloor.validation.published import published
from shopfloor.validation.turns import drawn
from shopfloor.validation.user_testing import is_foreign

TRY_PATIENCE_S = 3.0


class TrySteps(Arguments):
    """Lines to try on the running app."""

    steps: tuple[str, ...]
    fresh: Annotated[bool, msgspec.Meta(description="begin with an empty session instead of where you are")] = False
    surface: Annotated[Surface | None, msgspec.Meta(description="needed only where the contract has several")] = None


class SubmitSteps(Arguments):
    """The steps that show one assertion, from an empty session on."""

    assertion: str
    steps: tuple[str, ...]


class Cannot(Arguments):
    """An assertion that no steps can show."""

    assertion: str
    reason: Annotated[str, msgspec.Meta(description="what you did, expected and saw instead")]


class Finish(Arguments):
    """Ends the session."""


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one assertion: steps that pass, or why there are none."""

    assertion: str
    steps: tuple[str, ...] = ()
    reason: str = ""


class AllExplored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of all that were asked for."""

    explored: tuple[Explored, ...]


@dataclass(frozen=True, kw_only=True)
class Expedition:
    """What is to be explored, where, and by whom. `told` hears of each assertion as soon as it is settled."""

    key: ConversationKey
    contract: Contract
    site: Site
    wanted: tuple[Assertion, ...]
    budget: Budget
    told: Callable[[Explored], None] = field(default=lambda explored: None)


async def explore(desk: Desk, bench: Bench, expedition: Expedition) -> tuple[Outcome, tuple[Explored, ...]]:
    """How the explorer left, and what it found. GiveUp when the app does not come up."""
    async with Lane.open(bench, expedition.contract, expedition.site, watched=True) as lane:
        if lane.trouble:
            raise GiveUp(f"The app does not come up, so there is nothing to explore: {lane.trouble}")
        party = _Party(lane, expedition)
        system, task = first_prompt(expedition)
        outcome = await employ(
            desk,
            expedition.key,
            role="explorer",
            system=system,
            task=task,
            tools=party.tools(),
            budget=expedition.budget,
            # What it does stays with the app that it was pointed at.
            policy=Policy(autonomy="high", sandboxed=lane.independence == "enforced", person_present=False),
        )
        return outcome, party.explored


class _Party:
    """The explorer's hands, and what it has settled so far."""

    def __init__(self, lane: Lane, expedition: Expedition) -> None:
        self._lane = lane
        self._expedition = expedition
        self._wanted = {assertion.id: assertion for assertion in expedition.wanted}
        self._settled: dict[str, Explored] = {}
        self._begun: set[Surface] = set()
        self._words: dict[str, str] = {}
        site = expedition.site
        files = _files_below(site.folder) if isinstance(site, Here) else ()
        self._published = published(expedition.contract, files, is_foreign)
        self._chance = random.Random()

    @property
    def explored(self) -> tuple[Explored, ...]:
        return tuple(self._settled.values())

    def tools(self) -> tuple[AnyTool, ...]:
        async def accept(handed: Finish) -> AllExplored:
            if left := [name for name in self._wanted if name not in self._settled]:
                raise AskModelAgain(f"Not settled yet: {', '.join(left)}. Hand in steps, or say why there can be none.")
            return AllExplored(explored=self.explored)

        return (
            _tool("try_steps", "Do and expect things on the running app; says what came.", TrySteps, self._try),
            _tool("submit_steps", "Hand in an assertion's steps; they are played anew.", SubmitSteps, self._submit),
            _tool("cannot", "Say why an assertion cannot be shown: the app does not do it.", Cannot, self._cannot),
            finish_tool("finish", "When every assertion has its steps, or its reason.", Finish, accept),
        )

    async def _try(self, handed: TrySteps) -> Answer:
        surface = self._surface(handed.surface)
        driver = await self._lane.driver(surface)
        if handed.fresh or surface not in self._begun:
            await self._lane.fresh(driver)
            self._begun.add(surface)
            self._words.clear()
        lines = [line.strip() for line in handed.steps if line.strip()]
        new = {name: kind for name, kind in free_words(lines).items() if name not in self._words}
        self._words |= drawn(new, self._chance)
        said = [f"{{{{{name}}}}} is {self._words[name]!r} this time" for name in new]
        for line in lines:
            seen = await self._one(driver, line)
            said.append(f"{'ok' if seen.happened else 'NO'}  {line}\n{quoted(seen.text)}")
            self._words |= dict(seen.kept)
            if not seen.happened:
                return Answer(text="\n".join([*said, "The lines after it were not tried."]), ok=False)
        return Answer(text="\n".join(said))

    async def _one(self, driver: Driver, line: str) -> Observation:
        try:
            step = read_step(filled(line, self._words))
        except Unspeakable as wrong:
            raise AskModelAgain(str(wrong)) from None
        if isinstance(step, StartProgram):
            step = msgspec.structs.replace(step, command=self._published.admit(step.command))
        if isinstance(step, Action):
            return await driver.perform(step)
        return await driver.check(step, TRY_PATIENCE_S)

    async def _submit(self, handed: SubmitSteps) -> Answer:
        assertion = self._known(handed.assertion)
        lines = tuple(line.strip() for line in handed.steps if line.strip())
        self._starts_what_is_published(lines)
        played = await self._lane.play(msgspec.structs.replace(assertion, steps=lines), self._chance)
        self._begun.discard(assertion.surface)
        if played.verdict != "passed":
            return Answer(text=_why_not(played), ok=False)
        self._settle(Explored(assertion=assertion.id, steps=lines))
        held = "; ".join(f"{control}: {how}" for control, how in played.controls.items())
        return Answer(text=f"{assertion.id} is kept: its steps passed from an empty session on ({held}).")

    def _starts_what_is_published(self, lines: Sequence[str]) -> None:
        """AskModelAgain for steps that start anything else: it might show the source, or be no product at all."""
        words = drawn(free_words(lines), self._chance)
        for line in lines:
            try:
                step = read_step(filled(line, words))
            except Unspeakable:
                continue  # it is told when it is played
            if isinstance(step, StartProgram):
                self._published.admit(step.command)

    async def _cannot(self, handed: Cannot) -> Answer:
        assertion = self._known(handed.assertion)
        self._settle(Explored(assertion=assertion.id, reason=handed.reason.strip() or "no reason was given"))
        return Answer(text=f"{assertion.id} stays without steps.")

    def _settle(self, explored: Explored) -> None:
        self._settled[explored.assertion] = explored
        self._expedition.told(explored)

    def _known(self, name: str) -> Assertion:
        if name not in self._wanted:
            raise AskModelAgain(f"{name!r} was not asked for; there are {', '.join(self._wanted)}.")
        return self._wanted[name]

    def _surface(self, named: Surface | None) -> Surface:
        surfaces: list[Surface] = list(dict.fromkeys(assertion.surface for assertion in self._wanted.values()))
        if named is None and len(surfaces) > 1:
            raise AskModelAgain(f"Say on which `surface`: {', '.join(surfaces)}.")
        return named or surfaces[0]


def _files_below(folder: Path) -> tuple[str, ...]:
    return tuple(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _why_not(played: Played) -> str:
    done = "\n".join(f"{'ok' if frame.happened else 'NO'}  {frame.step}" for frame in played.frames)
    return f"Not kept: {played.reason}.\n{quoted(played.detail)}\nWhat was played:\n{capped(done)}"


def _tool(name: str, description: str, arguments: type[Arguments], run: Callable[..., Awaitable[Answer]]) -> AnyTool:
    return Tool(
        name=name,
        description=description,
        arguments=arguments,
        run=run,
        action=lambda handed: Drive(what=name),
        repeatable=never,
    )


def first_prompt(expedition: Expedition) -> tuple[str, str]:
    """What an explorer is told of its role, and of its task."""
    lines = f"{language()}\n\n{prompt_file(__file__, 'steps').rstrip()}"
    text = fill(prompt_file(__file__, "explorer"), {"language": lines})
    system = assemble([Fragment(source="explorer", text=text, cap=12_000, stability="role")])
    contract = expedition.contract
    names = "\n".join(f"- @{name}: {meaning}" for name, meaning in contract.names)
    assertions = "\n\n".join(_assertion(one) for one in expedition.wanted)
    published = f"# Published\n\n{contract.published}\n{names}"
    task = assemble(
        [
            Fragment(source="published", text=published, cap=10_000, stability="task"),
            Fragment(source="assertions", text=f"# Find the steps for\n\n{assertions}", cap=40_000, stability="task"),
        ]
    )
    return system, task


def _assertion(assertion: Assertion) -> str:
    lines = [f"## {assertion.id}: {assertion.title} ({assertion.surface})", assertion.behaviour]
    if assertion.negative:
        lines.append(f"Never: {assertion.negative}")
    if assertion.controls:
        lines.append(f"Also played: {', '.join(assertion.controls)}")
    return "\n".join(lines)
