"""Drives a page in a real browser: clicks, typing and looking as a user would, inside the arena.

After each deed it tells what changed on the page, so an action without an effect is seen at once.
It does not know what a page should show.
"""

import difflib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import assert_never

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.validation.drivers.actions import (
    Action,
    AnswerDialogs,
    Back,
    Check,
    Click,
    Fill,
    Hover,
    Look,
    OpenPage,
    OpenTab,
    Press,
    Reload,
    Screenshot,
    Select,
    SwitchTab,
    Target,
    Type,
    WaitFor,
    WebAction,
    parse_published,
)
from shopfloor.validation.drivers.drive import Drive, open_drive
from shopfloor.validation.drivers.expectations import (
    At,
    Calm,
    Counts,
    Expectation,
    Holds,
    Reads,
    Sees,
    WebExpectation,
)
from shopfloor.validation.drivers.hands.wire import Act, Expect, Seen, Where
from shopfloor.validation.drivers.protocol import (
    Exhibit,
    Observation,
    Transcript,
    below,
    capped,
    describe,
    foreign,
    local_url,
)

LOADING_S = 15.0
MOST_BESIDES = 3
"""Troubles of a page that are told with a failure: the last ones, which are the nearest."""
_KNOWN = (
    "OpenPage, OpenTab, SwitchTab, Click, Hover, Fill, Press, Select, Check, Reload, Back, AnswerDialogs, Look, "
    "Screenshot and WaitFor"
)
_WHOLE_PAGE = (Look, OpenPage, OpenTab, SwitchTab, Reload, Back)
_FIELDS = ("textbox", "searchbox", "combobox", "checkbox", "radio", "spinbutton", "slider", "listbox", "switch")


class WebDriver:
    """One fresh browser. Without a chromium it cannot be opened: GiveUp says "no browser here"."""

    def __init__(self, drive: Drive, base_url: str, *, watched: bool = True, traced: bool = False) -> None:
        self._drive = drive
        self._base_url = base_url
        self._watched = watched
        self._traced = traced
        self._published: frozenset[str] = frozenset()
        self._besides: dict[str, None] = {}
        """What went wrong on the pages since the beginning, where nobody is told of each step."""
        self.transcript = Transcript()

    async def begin(self, names: tuple[tuple[str, str], ...]) -> None:
        """A new session with nothing in it, in which `names` are published. AskModelAgain for a name that is none."""
        ways = {name: tuple(_where(target) for target in parse_published(meaning)) for name, meaning in names}
        self.transcript, self._published, self._besides = Transcript(), frozenset(ways), {}
        await self._drive.begin(ways, traced=self._traced)

    async def trace(self) -> bytes:
        """What was recorded of the session so far, for playwright's viewer; b"" if it is not traced."""
        return await self._drive.trace()

    async def perform(self, action: Action) -> Observation:
        if not isinstance(action, WebAction):
            raise foreign("web", action, _KNOWN)
        self._refuse_unknown(getattr(action, "target", None))
        act = _to_act(action, self._base_url)
        act.quiet = not self._watched
        seen = await self._drive.act(act)
        text = (
            told(action, seen) if self._watched else f"{describe(action)}: {_outcome(action, seen)}{self._told(seen)}"
        )
        return self._noted(action, text, seen)

    async def check(self, expectation: Expectation, patience_s: float) -> Observation:
        if not isinstance(expectation, WebExpectation):
            raise foreign("web", expectation, _KNOWN)
        self._refuse_unknown(getattr(expectation, "target", None))
        expect = _to_expect(expectation, self._base_url)
        expect.seconds, expect.picture = patience_s, patience_s > 0
        seen = await self._drive.expect(expect)
        held = f"but {seen.problem}{self._told(seen)}" if seen.problem else "so it is"
        return self._noted(expectation, f"{describe(expectation)}: {held}", seen)

    def _told(self, seen: Seen) -> str:
        """What may be the reason, where something is not as expected: a dialog, a window, an error of the page."""
        self._besides |= dict.fromkeys(seen.troubles)
        if self._watched or not seen.problem:
            return ""
        others = [f"{len(seen.tabs)} tabs are open, and this one is looked at"] if len(seen.tabs) > 1 else []
        words = [*others, *list(self._besides)[-MOST_BESIDES:]]
        return f" (besides: {'; '.join(words)})" if words else ""

    def _refuse_unknown(self, target: Target | None) -> None:
        while target is not None:
            if target.by == "published" and target.role not in self._published:
                known = ", ".join(f"@{name}" for name in sorted(self._published)) or "no name"
                raise AskModelAgain(f"no @{target.role} is published; there is {known}")
            target = target.within

    def _noted(self, step: WebAction | WebExpectation, text: str, seen: Seen) -> Observation:
        caption = f"{describe(step)} at {seen.url}"
        picture = (Exhibit(kind="screenshot", content=seen.picture, caption=caption),) if seen.picture else ()
        return self.transcript.note(step, Observation(text=capped(text), happened=not seen.problem, evidence=picture))


@asynccontextmanager
async def open_web(
    sandbox: Sandbox,
    base_url: str = "http://localhost:8000",
    *,
    chromium: str = "",
    watched: bool = True,
    traced: bool = False,
) -> AsyncGenerator[WebDriver]:
    """A browser in the judge's view of `sandbox`. GiveUp if there is none: what needs it is blocked, never passed.

    One that is not `watched` does not tell what every step changed, and is faster: for steps that say what they expect.
    One that is `traced` records each session from its beginning.
    """
    async with open_drive(sandbox, chromium=chromium) as drive:
        await drive.act(Act(do="start"))
        yield WebDriver(drive, base_url, watched=watched, traced=traced)


def told(action: WebAction, seen: Seen) -> str:
    """What a judge reads: what happened, where we are, what changed or stands on the page, what went wrong."""
    lines = [f"{describe(action)}: {_outcome(action, seen)}", f'{seen.url} "{seen.title}"']
    if len(seen.tabs) > 1:
        lines += [f"tab {number}: {tab}" for number, tab in enumerate(seen.tabs, start=1)]
    lines += [f"! {trouble}" for trouble in seen.troubles]
    if isinstance(action, _WHOLE_PAGE):
        return "\n".join([*lines, "", seen.after or "(the page shows nothing)"])
    if seen.problem and not seen.after:
        return "\n".join(lines)
    return "\n".join([*lines, *_changes(seen.before, seen.after)])


def _outcome(action: WebAction, seen: Seen) -> str:
    if not seen.problem:
        return "done"
    target = getattr(action, "target", None)
    if seen.missing and isinstance(target, Target):
        return f"not done: there is no {target}. {_instead(target, seen.after)}"
    return f"not done: {seen.problem}"


def _instead(target: Target, tree: str) -> str:
    """The names of what is there of the same kind: a judge who misspelt sees it, one who was promised it knows."""
    if target.by in ("text", "testid"):
        return "Look shows what the page has."
    roles = (target.role,) if target.by == "role" else _FIELDS
    there = [line.strip(" -:'") for line in tree.splitlines() if re.match(rf"\s*- '?({'|'.join(roles)})\b", line)]
    if not there:
        return f"The page has no {' or '.join(roles)}."
    return "There is: " + ", ".join(list(dict.fromkeys(there))[:20])


def _changes(before: str, after: str) -> list[str]:
    """Lines that went and came. Whole lines: to look for what is alike within them takes hours on a large page."""
    old, new = before.splitlines(), after.splitlines()
    changed: list[str] = []
    for kind, first, last, start, end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            changed += [*(f"- {line}" for line in old[first:last]), *(f"+ {line}" for line in new[start:end])]
    return ["", "changed on the page:", *changed] if changed else ["", "nothing changed on the page"]


def _to_act(action: WebAction, base: str) -> Act:
    match action:
        case OpenPage(url=url):
            return Act(do="open", text=local_url(base, url), seconds=LOADING_S)
        case OpenTab(url=url):
            return Act(do="tab", text=local_url(base, url), seconds=LOADING_S)
        case SwitchTab(number=number):
            return Act(do="switch", number=number)
        case Click(target=target, double=double):
            return Act(do="double_click" if double else "click", where=_where(target))
        case Hover(target=target):
            return Act(do="hover", where=_where(target))
        case Fill(target=target, text=text):
            return Act(do="fill", where=_where(target), text=text)
        case Type(text=text):
            return Act(do="type", text=text)
        case Press(key=key, target=target):
            return Act(do="press", where=_where(target), text=key)
        case Select(target=target, option=option):
            return Act(do="select", where=_where(target), text=option)
        case Check(target=target, checked=checked):
            return Act(do="check" if checked else "uncheck", where=_where(target))
        case Reload():
            return Act(do="reload", seconds=LOADING_S)
        case Back():
            return Act(do="back", seconds=LOADING_S)
        case AnswerDialogs(accept=accept, text=text):
            return Act(do="accept" if accept else "dismiss", text=text)
        case Look():
            return Act(do="look", picture=True)
        case Screenshot(whole_page=whole_page):
            return Act(do="screenshot", picture=True, number=int(whole_page))
        case WaitFor(text=text, seconds=seconds, gone=gone):
            return Act(do="wait_gone" if gone else "wait", text=text, seconds=seconds)
        case _:
            assert_never(action)


def _to_expect(expectation: WebExpectation, base: str) -> Expect:
    match expectation:
        case Sees(target=target, state=state):
            return Expect(that=state, where=_where(target))
        case Counts(target=target, number=number):
            return Expect(that="count", where=_where(target), number=number)
        case Reads(target=target, texts=texts):
            return Expect(that="texts", where=_where(target), texts=texts)
        case Holds(target=target, value=value):
            return Expect(that="value", where=_where(target), text=value)
        case At(address=address, whole=whole):
            text = below(base, address) if whole else address
            return Expect(that="address_is" if whole else "address_has", text=text)
        case Calm():
            return Expect(that="calm")


def _where(target: Target | None) -> tuple[Where, ...]:
    """From the outermost container inward."""
    if target is None:
        return ()
    here = Where(by=target.by, name=target.name, role=target.role, number=target.number)
    return (*_where(target.within), here)
