"""The web driver with a real browser on a real page."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.validation.drivers.actions import (
    AnswerDialogs,
    Back,
    Check,
    Click,
    Fill,
    Look,
    OpenPage,
    OpenTab,
    Press,
    Reload,
    Screenshot,
    Select,
    SwitchTab,
    parse_target,
)
from shopfloor.validation.drivers.web import WebDriver, open_web

if TYPE_CHECKING:
    from .conftest import Ground

WHAT = parse_target('placeholder "What needs to be done?"')


def test_a_page_is_used_as_a_user_would_use_it(ground: "Ground") -> None:
    """Typing, keys, boxes, lists, dialogs, reload, tabs and history: each shows what it changed."""

    async def story(web: WebDriver) -> None:
        await web.perform(OpenPage())
        await web.perform(Fill(target=WHAT, text="milk"))
        filled = await web.perform(Fill(target=WHAT, text="eggs"))
        added = await web.perform(Press(key="Enter"))
        ticked = await web.perform(Check(target=parse_target('checkbox in listitem "eggs"')))
        sorted_ = await web.perform(Select(target=parse_target('label "Sort"'), option="Newest first"))
        refused = await web.perform(Click(target=parse_target('button "Clear"')))
        await web.perform(AnswerDialogs(accept=True))
        cleared = await web.perform(Click(target=parse_target('button "Clear"')))
        reloaded = await web.perform(Reload())
        broken = await web.perform(Click(target=parse_target('button "Fail"')))
        tab = await web.perform(OpenTab(url="/dead"))
        back = await web.perform(SwitchTab(number=1))
        await web.perform(OpenPage(url="/dead"))
        returned = await web.perform(Back())

        assert "-   - text: milk\n" in filled.text
        assert "+   - text: eggs" in filled.text
        assert '+     - checkbox "eggs"' in added.text
        assert '+     - checkbox "eggs" [checked]' in ticked.text
        assert '+ - paragraph: "Sorted: Newest first"' in sorted_.text
        assert "confirm dialog 'Clear all?' was dismissed" in refused.text
        assert "nothing changed on the page" in refused.text
        assert '-     - checkbox "eggs" [checked]' in cleared.text
        assert 'checkbox "eggs"' in reloaded.text
        assert "! uncaught error: the button is broken" in broken.text
        assert f"404 (Not Found) ({ground.base_url}/nowhere)" in broken.text
        assert f"tab 2: {ground.base_url}/dead (here)" in tab.text
        assert 'button "Fail"' in back.text
        assert f'{ground.base_url}/ "To do"' in returned.text
        assert all(step.observation.happened for step in web.transcript.steps)

    on_the_page(ground, story)


def test_what_cannot_be_done_says_what_is_there_instead(ground: "Ground") -> None:
    """A missing, a disabled and an ambiguous target each get their own words, and a picture."""

    async def story(web: WebDriver) -> None:
        await web.perform(OpenPage())
        missing = await web.perform(Click(target=parse_target('button "Ad"')))
        disabled = await web.perform(Click(target=parse_target('button "Archive"')))
        ambiguous = await web.perform(Click(target=parse_target("button")))
        no_field = await web.perform(Fill(target=parse_target('button "Add"'), text="milk"))
        first = await web.perform(Click(target=parse_target("button #1")))

        assert 'there is no button "Ad". There is: button "Add", button "Archive" [disabled]' in missing.text
        assert "not done: element is not enabled" in disabled.text
        assert "5 things match: say which with #1 to #5" in ambiguous.text
        assert "not done: Element is not an <input>" in no_field.text
        assert "+ - list:" in first.text
        assert [exhibit.kind for exhibit in (*missing.evidence, *disabled.evidence)] == ["screenshot", "screenshot"]
        assert missing.evidence[0].content.startswith(b"\x89PNG")

    on_the_page(ground, story)


def test_a_dead_page_shows_no_effect_and_a_hanging_one_can_be_left(ground: "Ground") -> None:
    """The dead twin changes nothing when clicked; a page in an endless loop is told as such, and a new one opens."""

    async def story(web: WebDriver) -> None:
        await web.perform(OpenPage(url="/dead"))
        await web.perform(Fill(target=WHAT, text="milk"))
        dead = await web.perform(Click(target=parse_target('button "Add"')))
        await web.perform(OpenPage())
        hung = await web.perform(Click(target=parse_target('button "Hang"')))
        looked = await web.perform(Look())
        opened = await web.perform(OpenPage())
        picture = await web.perform(Screenshot(whole_page=True))

        assert dead.happened
        assert "nothing changed on the page" in dead.text
        assert "the page hangs, only opening one anew helps" in hung.text
        assert "the page hangs, only opening one anew helps" in looked.text
        assert 'button "Add"' in opened.text
        assert picture.evidence[0].content.startswith(b"\x89PNG")

    on_the_page(ground, story)


def test_without_a_browser_what_needs_one_is_blocked(ground: "Ground") -> None:
    """No chromium is a reason in words before the first step, never a page that looks empty."""

    async def story() -> None:
        async with ground.arena() as arena:
            with pytest.raises(GiveUp, match=r"no browser here: .*/nowhere/chromium"):
                async with open_web(arena, chromium="/nowhere/chromium"):
                    pytest.fail("there is no browser to drive")

    anyio.run(story)


def on_the_page(ground: "Ground", story: Callable[[WebDriver], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with ground.arena() as arena, ground.todo_app(arena), open_web(arena, ground.base_url) as web:
            await story(web)

    anyio.run(whole)
