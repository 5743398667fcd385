"""What every driver promises, whatever it drives: one suite for terminal, HTTP, web, desktop and library."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from shopfloor.domain.contract import EvidenceKind
from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.testing.desktops import why_no_desktop
from shopfloor.validation.drivers.actions import (
    Action,
    Ask,
    Call,
    Click,
    Fill,
    Import,
    Keys,
    Look,
    OpenPage,
    Request,
    StartProgram,
    Type,
    WaitFor,
    parse_target,
)
from shopfloor.validation.drivers.app import App
from shopfloor.validation.drivers.desktop import open_desktop
from shopfloor.validation.drivers.expectations import Exit, Expectation, Json, Screen, Sees, Status
from shopfloor.validation.drivers.http import open_http
from shopfloor.validation.drivers.library import open_library
from shopfloor.validation.drivers.protocol import Driver
from shopfloor.validation.drivers.terminal import open_terminal
from shopfloor.validation.drivers.web import open_web

if TYPE_CHECKING:
    from .conftest import Ground


@dataclass(frozen=True)
class Case:
    """One driver, and how to show each promise with it."""

    open: Callable[[Sandbox, str], AbstractAsyncContextManager[Driver]]
    evidence: EvidenceKind
    begin: tuple[Action, ...]
    act: tuple[Action, ...]
    effect: str
    look: Action
    in_vain: Action
    its_words: str
    crash: Action
    crash_words: str
    foreign: Action
    holds: Expectation
    never: Expectation
    instead: str
    strange: Expectation


CASES = {
    "terminal": Case(
        open=lambda sandbox, _: open_terminal(sandbox),
        evidence="transcript",
        begin=(StartProgram(command="exec $PYTHON echo.py"),),
        act=(Type(text="milk"), Keys(names=("Enter",))),
        effect="you said milk",
        look=Look(),
        in_vain=WaitFor(text="butter", seconds=0.3),
        its_words="after 0.3 s 'butter' is not on the screen",
        crash=Type(text="crash\n"),
        crash_words="the program ended with exit code 134",
        foreign=Request(),
        holds=Screen(text="you said milk"),
        never=Screen(text="butter"),
        instead="but the screen lacks it",
        strange=Status(code=200),
    ),
    "http": Case(
        open=open_http,
        evidence="exchange",
        begin=(Request(url="/todos"),),
        act=(Request(method="POST", url="/todos", body='{"title": "milk"}'),),
        effect='"milk"',
        look=Request(url="/todos"),
        in_vain=Request(url="/slow", seconds=0.3),
        its_words="no answer within 0.3 s",
        crash=Request(url="/crash"),
        crash_words="no HTTP answer",
        foreign=OpenPage(),
        holds=Json(path="$", relation="has", json='"milk"'),
        never=Json(path="$", relation="has", json='"butter"'),
        instead='but $ is ["milk"]',
        strange=Screen(text="milk"),
    ),
    "web": Case(
        open=open_web,
        evidence="screenshot",
        begin=(OpenPage(),),
        act=(Fill(target=parse_target('label "What"'), text="milk"), Click(target=parse_target('button "Add"'))),
        effect='checkbox "milk"',
        look=Look(),
        in_vain=WaitFor(text="butter", seconds=0.3),
        its_words="'butter' is not there",
        crash=OpenPage(url="/crash"),
        crash_words="not done: net::ERR_",
        foreign=Keys(names=("x",)),
        holds=Sees(target=parse_target('checkbox "milk"')),
        never=Sees(target=parse_target('checkbox "butter"')),
        instead="but it is not there, or not visible",
        strange=Exit(code=0),
    ),
    "desktop": Case(
        open=lambda sandbox, _: open_desktop(sandbox),
        evidence="screenshot",
        begin=(StartProgram(command="exec $PYTHON desk.py"),),
        act=(Type(text="milk"), Keys(names=("Enter",))),
        effect="To do: milk",
        look=Look(),
        in_vain=WaitFor(text="butter", seconds=0.3),
        its_words="after 0.3 s no window has 'butter'",
        crash=Keys(names=("F12",)),
        crash_words="the program ended with exit code 134",
        foreign=OpenPage(),
        holds=Sees(target=parse_target('window "To do: milk"')),
        never=Sees(target=parse_target('window "To do: butter"')),
        instead='but it is not there; there is "To do: milk"',
        strange=Status(code=200),
    ),
    "library": Case(
        open=lambda sandbox, _: open_library(sandbox),
        evidence="transcript",
        begin=(Import(module="listed"), Call(place="listed.Todos", kept="todos")),
        act=(Call(place="todos.add", arguments='"milk"'), Call(place="todos.titles", arguments="")),
        effect='"milk"',
        look=Ask(place="todos.titles", arguments=""),
        in_vain=Call(place="listed.wait", arguments="30", seconds=0.3),
        its_words="no answer within 0.3 s",
        crash=Call(place="listed.crash"),
        crash_words="its process ended with exit code 134",
        foreign=OpenPage(),
        holds=Json(path="$", relation="has", json='"milk"'),
        never=Json(path="$", relation="has", json='"butter"'),
        instead='but $ is ["milk"]',
        strange=Status(code=200),
    ),
}

WHY_NOT = {"desktop": why_no_desktop()}
cases = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=pytest.mark.skipif(bool(WHY_NOT.get(name)), reason=WHY_NOT.get(name, "")))
        for name, case in CASES.items()
    ],
)


@cases
def test_an_action_has_an_effect_that_is_seen_and_proved(case: Case, ground: "Ground") -> None:
    """What a user does shows, was not there before, and leaves evidence of the driver's kind."""

    async def story(driver: Driver, _: App) -> None:
        before = [(await driver.perform(action)).text for action in case.begin]
        told = [(await driver.perform(action)).text for action in case.act]
        seen = await driver.perform(case.look)

        assert case.effect not in before[-1]
        assert case.effect in told[-1]
        assert seen.happened
        assert case.effect in seen.text
        assert [exhibit.kind for exhibit in seen.evidence] == [case.evidence]
        assert len(seen.evidence[0].content) > 20

    play(case, ground, story)


@cases
def test_recorded_steps_can_be_stored_and_done_again(case: Case, ground: "Ground") -> None:
    """The transcript holds every step in order, as data that performs again; what a driver cannot do is no step."""

    async def story(driver: Driver, _: App) -> None:
        with pytest.raises(AskModelAgain, match="it knows"):
            await driver.perform(case.foreign)
        for action in (*case.begin, *case.act, case.look):
            await driver.perform(action)
        stored = msgspec.json.encode(driver.transcript.actions)

        assert msgspec.json.decode(stored, type=tuple[Action, ...]) == (*case.begin, *case.act, case.look)
        assert case.effect.encode() in driver.transcript.exhibit("all of it").content
        again = [await driver.perform(action) for action in msgspec.json.decode(stored, type=tuple[Action, ...])]
        assert case.effect in again[-1].text

    play(case, ground, story)


@cases
def test_what_is_expected_is_waited_for_and_what_is_not_there_is_said(case: Case, ground: "Ground") -> None:
    """An expectation holds or says what there is instead; looking changes nothing, and at once means at once."""

    async def story(driver: Driver, _: App) -> None:
        for action in case.begin:
            await driver.perform(action)
        before = await driver.check(case.holds, 0.0)
        for action in (*case.act, case.look):
            await driver.perform(action)
        held = [await driver.check(case.holds, patience) for patience in (3.0, 0.0)]
        began = time.monotonic()
        missed = await driver.check(case.never, 0.5)
        took = time.monotonic() - began
        with pytest.raises(AskModelAgain, match="it knows"):
            await driver.check(case.strange, 0.0)

        assert (before.happened, [seen.happened for seen in held], missed.happened) == (False, [True, True], False)
        assert case.instead in missed.text
        assert took < 4
        assert driver.transcript.actions == (*case.begin, *case.act, case.look)

    play(case, ground, story)


@cases
def test_what_never_comes_ends_with_words_and_in_time(case: Case, ground: "Ground") -> None:
    """Waiting in vain is an observation that says so, not an error and not an endless wait."""

    async def story(driver: Driver, _: App) -> None:
        for action in case.begin:
            await driver.perform(action)
        began = time.monotonic()
        seen = await driver.perform(case.in_vain)

        assert not seen.happened
        assert case.its_words in seen.text
        assert time.monotonic() - began < 3

    play(case, ground, story)


@cases
def test_an_app_that_dies_is_seen_to_die_and_can_be_driven_again(case: Case, ground: "Ground") -> None:
    """A crash is an observation; after a restart the same driver goes on."""

    async def story(driver: Driver, app: App) -> None:
        for action in case.begin:
            await driver.perform(action)
        seen = await driver.perform(case.crash)
        assert case.crash_words in seen.text

        assert (await app.restart()).healthy
        assert all([(await driver.perform(action)).happened for action in case.begin])

    play(case, ground, story)


def play(case: Case, ground: "Ground", story: Callable[[Driver, App], Awaitable[None]]) -> None:
    """Plays a story in an arena where the to-do app runs; no process of app or driver outlives them."""

    async def whole() -> None:
        async with (
            ground.arena() as arena,
            left_as_found(ground),
            ground.todo_app(arena) as app,
            case.open(arena, ground.base_url) as driver,
        ):
            await story(driver, app)
            assert ground.alive()

    anyio.run(whole)


@asynccontextmanager
async def left_as_found(ground: "Ground") -> AsyncGenerator[None]:
    before = ground.alive()
    yield
    assert ground.gone_but(before) == set()
