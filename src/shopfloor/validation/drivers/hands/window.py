"""One fresh browser: acts through real input events only, and notes what goes wrong on its pages.

No script acts, no check is forced: what a user could not click is not clicked. It does not know what a page
should show.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shopfloor.validation.drivers.hands.finding import Names, as_seen, found, playwright, shown_frames
from shopfloor.validation.drivers.hands.troubles import Troubles
from shopfloor.validation.drivers.hands.wire import PATIENCE_S, Act, Expect, Seen, Where

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Frame, Locator

LAUNCH_S = 20.0
SETTLE_S = 2.0
TRACE_CAP = 30_000_000
STILL_LOADING_S = 5.0
"""What a page that can be used already may go on loading before it is used: some never end, for a picture streams."""
TREE_CAP = 1_000_000
"""Characters of a page's tree that are looked at."""
READ_CAP = 1_000
"""Characters of what is read instead of what was expected."""
_WAYS_OUT = ("open", "tab", "switch")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TYPED_BY_PICKER = ("date", "time", "datetime-local", "month", "week", "color", "range")


class NoBrowser(Exception):
    """There is no browser to drive here; the text says what is missing."""


class Window:
    """A browser with one session, and the tab that is in front."""

    def __init__(self, chromium: str) -> None:
        self._chromium = chromium
        self._stop: Callable[[], None] = lambda: None
        self._browser = self._launched()
        self._empty({})

    def _empty(self, names: Names) -> None:
        """Everything as in a browser that was never used."""
        self._names = names
        self._hangs = False
        self._context = self._new_context()
        self._troubles = Troubles(self._context)
        self._page = self._context.new_page()

    def begin(self, names: Names, *, traced: bool = False) -> Seen:
        """A new session, with nothing in it; the old one is gone, and so is what was recorded of it."""
        self._context.close()
        self._empty(names)
        if traced:
            self._context.tracing.start(screenshots=True, snapshots=True)
        return Seen(url=self._page.url)

    def trace(self) -> bytes:
        """What was recorded of this session; nothing of it is recorded from now on."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "trace.zip"
            try:
                self._context.tracing.stop(path=place)
            except playwright().Error:
                return b""  # it was not recorded, or its browser is gone
            return place.read_bytes() if place.is_file() and place.stat().st_size <= TRACE_CAP else b""

    def _launched(self) -> "Browser":
        try:
            api = playwright()
        except ImportError as error:
            raise NoBrowser("playwright is not installed (pip install 'shopfloor[browser]')") from error
        executable = self._chromium or next(filter(None, map(shutil.which, _BROWSERS)), "")
        if not executable:
            raise NoBrowser("no chromium is installed (searched for " + ", ".join(_BROWSERS) + ")")
        driver = api.sync_playwright().start()
        self._stop = driver.stop
        try:
            browser = driver.chromium.launch(
                executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=LAUNCH_S * 1000
            )
        except api.Error as error:
            driver.stop()
            raise NoBrowser(f"{executable} does not start: {' '.join(error.message.split())[:400]}") from error
        return browser

    def _new_context(self) -> "BrowserContext":
        context = self._browser.new_context(viewport={"width": 1100, "height": 750}, accept_downloads=False)
        context.set_default_timeout(PATIENCE_S * 1000)
        return context

    def close(self) -> None:
        """Ends the browser and everything it started."""
        self._browser.close()
        self._stop()

    def act(self, act: Act) -> Seen:
        """Does it, waits until the page is quiet, and says what is seen before and after."""
        api = playwright()
        seen = Seen(before="" if act.quiet or act.do in ("open", "tab", "start") else self._snapshot())
        if self._hangs and act.do not in _WAYS_OUT:
            return self._given_up(seen)
        try:
            self._carry_out(act)
        except api.TimeoutError as error:
            if not _was_done(error.message):
                seen.problem, seen.missing = _why_not(error.message), "locator resolved to" not in error.message
            self._hangs = not self._answers()
        except api.Error as error:
            seen.problem = _why_not(error.message)
        if not self._hangs and (seen.problem or not act.quiet):
            seen.after = self._settled()  # and a page that hangs is noticed
        if self._hangs:
            return self._given_up(seen)
        self._describe(
            seen, with_picture=act.picture or bool(seen.problem), whole=act.do == "screenshot" and act.number == 1
        )
        return seen

    def expect(self, expect: Expect) -> Seen:
        """Waits until it holds, no longer than asked; says what is there instead."""
        until, seen = time.monotonic() + expect.seconds, Seen()
        while (problem := self._differs(expect)) and time.monotonic() < until:
            self._page.wait_for_timeout(min(50, max(0, 1000 * (until - time.monotonic()))))
        seen.problem = problem
        self._describe(seen, with_picture=expect.picture, whole=False)
        return seen

    def _differs(self, expect: Expect) -> str:
        """What is there instead of what is expected, or ""."""
        self._leave_closed()
        self._hangs = not self._answers()
        if self._hangs:
            return "the page does not answer"
        try:
            return self._compared(expect)
        except playwright().Error as error:
            return f"the page does not answer: {_why_not(error.message)}"

    def _answers(self) -> bool:
        """Whether the page does: counting has no limit of time of its own, and a page may hang."""
        try:
            self._page.locator("html").wait_for(state="attached", timeout=PATIENCE_S * 1000)
        except playwright().TimeoutError:
            return False
        except playwright().Error:
            pass  # it is just being left for another, which will be asked
        return True

    def _leave_closed(self) -> None:
        """Goes on in another tab when the one in front was closed."""
        if self._page.is_closed():
            self._page = self._context.pages[-1] if self._context.pages else self._context.new_page()

    def _compared(self, expect: Expect) -> str:
        match expect.that:
            case "calm":
                return "; ".join(self._troubles.errors)
            case "address_is" | "address_has":
                address = re.sub(r"^\w+://[^/]*", "", self._page.url) or "/"
                held = address == expect.text if expect.that == "address_is" else expect.text in address
                return "" if held else f"the address is {address!r}"
            case _:
                return self._compared_things(expect, self._find(expect.where)[1].filter(visible=True))

    def _compared_things(self, expect: Expect, things: "Locator") -> str:
        count = things.count()
        match expect.that:
            case "shown":
                return "" if count else "it is not there, or not visible"
            case "absent":
                return f"{count} of it can be seen" if count else ""
            case "count":
                return "" if count == expect.number else f"there are {count}"
            case "texts":
                texts = tuple(" ".join(text.split()) for text in things.all_inner_texts())
                read = ", ".join(map(repr, texts))[:READ_CAP] or "nothing"
                return "" if texts == expect.texts else f"they read {read}"
            case _ if expect.that in ("checked", "unchecked"):
                _, things = self._find(expect.where)  # what shows a box as ticked is often not the box itself
                count = things.count()
            case _:
                pass
        if count != 1:
            return f"there are {count}" if count else "it is not there, or not visible"
        return _state_differs(expect, things)

    def _given_up(self, seen: Seen) -> Seen:
        advice = "the page hangs, only opening one anew helps"
        seen.problem, seen.missing = f"{seen.problem}; {advice}".removeprefix("; "), False
        self._describe(seen, with_picture=False, whole=False)
        return seen

    def _describe(self, seen: Seen, *, with_picture: bool, whole: bool) -> None:
        seen.url, pages = self._page.url, self._context.pages
        seen.tabs = tuple(f"{page.url}{' (here)' if page is self._page else ''}" for page in pages)
        if not self._hangs:
            try:
                seen.title = self._page.title()
                seen.picture = self._page.screenshot(full_page=whole) if with_picture else b""
            except playwright().Error as error:
                self._troubles.note(f"no picture: {error.message.splitlines()[0]}")
        seen.troubles = self._troubles.told()

    def _carry_out(self, act: Act) -> None:
        patience = act.seconds * 1000
        match act.do:
            case "start" | "look" | "screenshot":
                pass
            case "open" | "tab":
                self._go_to(act.text, fresh=act.do == "tab" or self._hangs, timeout=patience)
            case "switch":
                self._switch(act.number, time.monotonic() + act.seconds)
            case "reload":
                self._page.reload(timeout=patience, wait_until="commit")
                self._load(patience)
            case "back":
                if self._page.go_back(timeout=patience, wait_until="commit") is None:
                    self._troubles.note("back: the tab has no earlier page, or only changed its address")
                self._load(patience)
            case "accept" | "dismiss":
                self._troubles.accepts, self._troubles.reply = act.do == "accept", act.text
            case "wait" | "wait_gone":
                self._wait(act.text, gone=act.do == "wait_gone", until=time.monotonic() + act.seconds)
            case "press" if not act.where:
                self._page.keyboard.press(act.text)
            case "type":
                self._page.keyboard.type(act.text)
            case _:
                self._touch(act, *self._find(act.where, act.seconds), patience)

    def _touch(self, act: Act, frame: "Frame", thing: "Locator", patience: float) -> None:
        match act.do:
            case "click":
                self._click(as_seen(thing, frame, patience), patience)
            case "double_click":
                thing.dblclick(timeout=patience)
            case "hover":
                thing.hover(timeout=patience)
            case "press":
                thing.press(act.text, timeout=patience)
            case "select":
                thing.select_option(act.text, timeout=patience)
            case "check" | "uncheck":
                if thing.is_checked(timeout=patience) is not (act.do == "check"):
                    self._click(as_seen(thing, frame, patience), patience)
                if thing.is_checked(timeout=patience) is not (act.do == "check"):
                    raise playwright().Error(f"it cannot be {act.do}ed: a click on it did not change it")
            case _:
                self._type_into(thing, act.text, patience)

    def _click(self, thing: "Locator", patience: float) -> None:
        """What never rests is clicked where it is, as a user would: a button may pulse all day."""
        try:
            thing.click(timeout=patience)
        except playwright().TimeoutError as error:
            box = thing.bounding_box(timeout=patience) if _why_not(error.message) == _RESTLESS else None
            if box is None:
                raise
            self._page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def _type_into(self, thing: "Locator", text: str, patience: float) -> None:
        """As a user: click, select all, delete, type. Only pickers, which take no plain typing, are set."""
        if thing.get_attribute("type", timeout=patience) in _TYPED_BY_PICKER:
            thing.fill(text, timeout=patience)
            return
        if not thing.is_editable(timeout=patience):
            raise playwright().Error("element is not editable")
        thing.click(timeout=patience)
        thing.press("ControlOrMeta+a", timeout=patience)
        thing.press("Delete", timeout=patience)
        thing.press_sequentially(text, timeout=patience + 30 * len(text))

    def _go_to(self, url: str, *, fresh: bool, timeout: float) -> None:
        if fresh:
            left, hung = self._page, self._hangs
            self._page, self._hangs = self._context.new_page(), False
            if hung:
                left.close()
        self._page.goto(url, timeout=timeout, wait_until="commit")
        self._load(timeout)

    def _load(self, timeout: float) -> None:
        """Waits until the page has loaded; one that can be seen but does not come to an end is used as it is."""
        try:
            self._page.wait_for_load_state("domcontentloaded", timeout=timeout)
            self._page.wait_for_load_state("load", timeout=min(timeout, STILL_LOADING_S * 1000))
        except playwright().TimeoutError:
            self._troubles.note("the page was used while it was still loading: it did not come to an end")

    def _switch(self, number: int, until: float) -> None:
        """A window takes a moment to open."""
        while len(self._context.pages) < number and time.monotonic() < until:
            self._page.wait_for_timeout(50)
        pages = self._context.pages
        if not 1 <= number <= len(pages):
            raise playwright().Error(f"there is no tab {number}: {len(pages)} are open")
        self._page, self._hangs = pages[number - 1], False
        self._page.bring_to_front()

    def _wait(self, text: str, *, gone: bool, until: float) -> None:
        while self._shows(text) is gone:
            if self._hangs or time.monotonic() > until:
                raise playwright().Error(f"{text!r} is {'still' if gone else 'not'} there")
            self._page.wait_for_timeout(100)

    def _shows(self, text: str) -> bool:
        found = text in self._snapshot()
        return found or (not self._hangs and self._page.get_by_text(text).filter(visible=True).count() > 0)

    def _find(self, where: tuple[Where, ...], seconds: float = 0.0) -> "tuple[Frame, Locator]":
        """In the page itself, or else in the first frame that has it; in frames it is waited for so long."""
        until = time.monotonic() + seconds
        while len(frames := self._frames()) > 1 and self._answers():
            ways = [(frame, found(frame, where, self._names)) for frame in frames]
            for frame, things in ways:
                if things.filter(visible=True).count():
                    return frame, things
            if time.monotonic() > until:
                return next((way for way in ways if way[1].count()), ways[0])
            self._page.wait_for_timeout(50)
        return self._page.main_frame, found(self._page.main_frame, where, self._names)

    def _snapshot(self) -> str:
        """The page as a screen reader would tell it; "" when the page does not answer."""
        self._leave_closed()
        try:
            trees = [frame.locator("body").aria_snapshot(timeout=PATIENCE_S * 1000) for frame in self._frames()]
        except playwright().Error:
            self._hangs = True
            return ""
        self._hangs = False
        tree = "\n- in a frame:\n".join(trees)
        return tree if len(tree) <= TREE_CAP else f"{tree[:TREE_CAP]}\n- (the page goes on, and was not read further)"

    def _frames(self) -> "tuple[Frame, ...]":
        return shown_frames(self._page) if len(self._page.frames) > 1 else (self._page.main_frame,)

    def _settled(self) -> str:
        """The tree once two looks agree and no request is open, or after two seconds at most."""
        until, tree = time.monotonic() + SETTLE_S, self._snapshot()
        while not self._hangs and time.monotonic() < until:
            self._page.wait_for_timeout(100)
            later = self._snapshot()
            if later == tree and not self._troubles.open_requests:
                break
            tree = later
        return tree


def _state_differs(expect: Expect, thing: "Locator") -> str:
    """How one thing is, where that is not as expected."""
    patience = 1000.0
    match expect.that:
        case "value":
            value = thing.input_value(timeout=patience)
            return "" if value == expect.text else f"it holds {value!r}"
        case "focused":
            return "" if thing.evaluate(_HAS_FOCUS, timeout=patience) else "it has not the focus"
        case "checked" | "unchecked":
            checked = thing.is_checked(timeout=patience)
            return "" if checked is (expect.that == "checked") else f"it is {'' if checked else 'not '}checked"
        case _:
            enabled = thing.is_enabled(timeout=patience)
            return "" if enabled is (expect.that == "enabled") else f"it is {'en' if enabled else 'dis'}abled"


_HAS_FOCUS = "e => e.getRootNode().activeElement === e && document.hasFocus()"


_REASONS = re.compile(r"not (visible|enabled|stable|editable)|intercepts pointer|outside of the viewport|did not find")

_RESTLESS = "element is not stable"
_WHERE_RAISED = re.compile(r"^(Locator|Page|Keyboard)\.\w+: (Error: )?")


def _why_not(message: str) -> str:
    """Playwright's message, reduced to the one line a judge can use."""
    lines = [line.strip(" -") for line in message.splitlines()]
    if several := re.search(r"resolved to (\d+) elements", lines[0]):
        return f"{several[1]} things match: say which with #1 to #{several[1]}"
    if reasons := [line for line in lines if _REASONS.search(line)]:
        return reasons[-1]
    if exceeded := re.search(r"Timeout (\d+)ms exceeded", lines[0]):
        return f"it did not happen within {int(exceeded[1]) / 1000:g} s"
    return _WHERE_RAISED.sub("", lines[0])


def _was_done(message: str) -> bool:
    """Whether time ran out only after the deed: the page may still be busy with it."""
    return any(line.strip(" -").startswith("performing") for line in message.splitlines())
