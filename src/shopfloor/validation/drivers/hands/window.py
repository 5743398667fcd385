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

from shopfloor.validation.drivers.hands.wire import PATIENCE_S, Act, Expect, Seen, Where

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Locator, Page, WebError
    from playwright.sync_api import Request as Sent

LAUNCH_S = 20.0
SETTLE_S = 2.0
TRACE_CAP = 30_000_000
_HOLD_WORDS = ("listitem", "paragraph", "article", "blockquote", "term", "definition", "status", "alert", "log")
"""Roles of things that are named by nothing but what is read in them."""
Names = dict[str, tuple[tuple[Where, ...], ...]]
"""What published names stand for: ways that lead to a thing."""
_WAYS_OUT = ("open", "tab", "switch")
_ENDLESS = ("eventsource", "websocket", "media", "ping")
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
        self._troubles: list[str] = []
        self._errors: list[str] = []
        self._open_requests: set[Sent] = set()
        self._accepts, self._reply = False, ""
        self._hangs = False
        self._context = self._new_context()
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
            except _playwright().Error:
                return b""  # it was not recorded, or its browser is gone
            return place.read_bytes() if place.is_file() and place.stat().st_size <= TRACE_CAP else b""

    def _launched(self) -> "Browser":
        try:
            api = _playwright()
        except ImportError as error:
            raise NoBrowser("playwright is not installed (pip install 'shopfloor[browser]')") from error
        executable = self._chromium or next(filter(None, map(shutil.which, _BROWSERS)), "")
        if not executable:
            raise NoBrowser("no chromium is installed (searched for " + ", ".join(_BROWSERS) + ")")
        playwright = api.sync_playwright().start()
        self._stop = playwright.stop
        try:
            browser = playwright.chromium.launch(
                executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=LAUNCH_S * 1000
            )
        except api.Error as error:
            playwright.stop()
            raise NoBrowser(f"{executable} does not start: {' '.join(error.message.split())[:400]}") from error
        return browser

    def _new_context(self) -> "BrowserContext":
        context = self._browser.new_context(viewport={"width": 1100, "height": 750})
        context.set_default_timeout(PATIENCE_S * 1000)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("dialog", self._asked)
        context.on("page", self._opened)
        context.on("request", self._requested)
        context.on("requestfinished", self._request_finished)
        context.on("requestfailed", self._request_failed)
        return context

    def close(self) -> None:
        """Ends the browser and everything it started."""
        self._browser.close()
        self._stop()

    def act(self, act: Act) -> Seen:
        """Does it, waits until the page is quiet, and says what is seen before and after."""
        api = _playwright()
        seen = Seen(before="" if act.quiet or act.do in ("open", "tab", "start") else self._snapshot())
        if self._hangs and act.do not in _WAYS_OUT:
            return self._given_up(seen)
        try:
            self._carry_out(act)
        except api.TimeoutError as error:
            seen.problem, seen.missing = _why_not(error.message), "locator resolved to" not in error.message
        except api.Error as error:
            seen.problem = _why_not(error.message)
        if seen.problem or not act.quiet:
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
        if self._page.is_closed():
            self._page = self._context.pages[-1] if self._context.pages else self._context.new_page()
        try:
            # counting has no limit of time of its own, and a page may hang
            self._page.locator("html").wait_for(state="attached", timeout=PATIENCE_S * 1000)
            self._hangs = False
            return self._compared(expect)
        except _playwright().TimeoutError:
            self._hangs = True
            return "the page does not answer"
        except _playwright().Error as error:
            return f"the page does not answer: {_why_not(error.message)}"

    def _compared(self, expect: Expect) -> str:
        match expect.that:
            case "calm":
                return "; ".join(self._errors)
            case "address_is" | "address_has":
                address = re.sub(r"^\w+://[^/]*", "", self._page.url) or "/"
                held = address == expect.text if expect.that == "address_is" else expect.text in address
                return "" if held else f"the address is {address!r}"
            case _:
                return self._compared_things(expect, self._find(expect.where).filter(visible=True))

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
                return "" if texts == expect.texts else f"they read {', '.join(map(repr, texts)) or 'nothing'}"
            case _ if expect.that in ("checked", "unchecked"):
                things = self._find(expect.where)  # what shows a box as ticked is often not the box itself
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
            except _playwright().Error as error:
                self._troubles.append(f"no picture: {error.message.splitlines()[0]}")
        seen.troubles, self._troubles = tuple(dict.fromkeys(self._troubles)), []

    def _carry_out(self, act: Act) -> None:
        patience = act.seconds * 1000
        match act.do:
            case "start" | "look" | "screenshot":
                pass
            case "open" | "tab":
                self._go_to(act.text, fresh=act.do == "tab" or self._hangs, timeout=patience)
            case "switch":
                self._switch(act.number)
            case "reload":
                self._page.reload(timeout=patience, wait_until="load")
            case "back":
                if self._page.go_back(timeout=patience, wait_until="load") is None:
                    self._troubles.append("back: the tab has no earlier page, or only changed its address")
            case "accept" | "dismiss":
                self._accepts, self._reply = act.do == "accept", act.text
            case "wait" | "wait_gone":
                self._wait(act.text, gone=act.do == "wait_gone", until=time.monotonic() + act.seconds)
            case "press" if not act.where:
                self._page.keyboard.press(act.text)
            case "type":
                self._page.keyboard.type(act.text)
            case _:
                self._touch(act, self._find(act.where), patience)

    def _touch(self, act: Act, thing: "Locator", patience: float) -> None:
        match act.do:
            case "click":
                _as_seen(thing, patience).click(timeout=patience)
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
                    _as_seen(thing, patience).click(timeout=patience)
                if thing.is_checked(timeout=patience) is not (act.do == "check"):
                    raise _playwright().Error(f"it cannot be {act.do}ed: a click on it did not change it")
            case _:
                self._type_into(thing, act.text, patience)

    def _type_into(self, thing: "Locator", text: str, patience: float) -> None:
        """As a user: click, select all, delete, type. Only pickers, which take no plain typing, are set."""
        if thing.get_attribute("type", timeout=patience) in _TYPED_BY_PICKER:
            thing.fill(text, timeout=patience)
            return
        if not thing.is_editable(timeout=patience):
            raise _playwright().Error("element is not editable")
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
        self._page.goto(url, timeout=timeout, wait_until="load")

    def _switch(self, number: int) -> None:
        pages = self._context.pages
        if not 1 <= number <= len(pages):
            raise _playwright().Error(f"there is no tab {number}: {len(pages)} are open")
        self._page, self._hangs = pages[number - 1], False
        self._page.bring_to_front()

    def _wait(self, text: str, *, gone: bool, until: float) -> None:
        while self._shows(text) is gone:
            if self._hangs or time.monotonic() > until:
                raise _playwright().Error(f"{text!r} is {'still' if gone else 'not'} there")
            self._page.wait_for_timeout(100)

    def _shows(self, text: str) -> bool:
        found = text in self._snapshot()
        return found or (not self._hangs and self._page.get_by_text(text).filter(visible=True).count() > 0)

    def _find(self, where: tuple[Where, ...]) -> "Locator":
        scope: Page | Locator = self._page
        for step in where[:-1]:
            scope = self._container(scope, step)
        return self._thing(scope, where[-1])

    def _thing(self, scope: "Page | Locator", step: Where) -> "Locator":
        """The things at one step of the way; by a published name, all that it may stand for."""
        if step.by != "published":
            return _thing(scope, step)
        if step.role not in self._names:
            raise _playwright().Error(f"no @{step.role} is published")
        found: Locator | None = None
        for way in self._names[step.role]:
            inner: Page | Locator = scope
            for one in way[:-1]:
                inner = self._container(inner, one)
            last = self._thing(inner, way[-1])
            found = last if found is None else found.or_(last)
        assert found is not None
        if step.name:
            found = found.filter(has_text=step.name)
        return found.nth(step.number - 1) if step.number else found

    def _container(self, scope: "Page | Locator", step: Where) -> "Locator":
        """Containers seldom have a name of their own, so what stands in them counts as one."""
        if step.by != "role" or not step.name:
            return self._thing(scope, step)
        named = scope.get_by_role(step.role, name=step.name, exact=True)  # type: ignore[arg-type]
        found = named.or_(scope.get_by_role(step.role).filter(has_text=step.name))  # type: ignore[arg-type]
        return found.nth(step.number - 1) if step.number else found

    def _snapshot(self) -> str:
        """The page as a screen reader would tell it; "" when the page does not answer."""
        if self._page.is_closed():
            self._page = self._context.pages[-1] if self._context.pages else self._context.new_page()
        try:
            tree = self._page.locator("body").aria_snapshot(timeout=PATIENCE_S * 1000)
        except _playwright().Error:
            self._hangs = True
            return ""
        self._hangs = False
        return tree

    def _settled(self) -> str:
        """The tree once two looks agree and no request is open, or after two seconds at most."""
        until, tree = time.monotonic() + SETTLE_S, self._snapshot()
        while not self._hangs and time.monotonic() < until:
            self._page.wait_for_timeout(100)
            later = self._snapshot()
            if later == tree and not self._open_requests:
                break
            tree = later
        return tree

    def _heard(self, message: "ConsoleMessage") -> None:
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self._went_wrong(f"console error: {message.text[:500]} ({message.location['url']})")

    def _failed(self, failure: "WebError") -> None:
        self._went_wrong(f"uncaught error: {str(failure.error)[:500]}")

    def _went_wrong(self, words: str) -> None:
        self._troubles.append(words)
        self._errors.append(words)

    def _asked(self, dialog: "Dialog") -> None:
        said = "accepted" if self._accepts else "dismissed"
        advice = "say beforehand how dialogs are to be answered"
        self._troubles.append(f"{dialog.type} dialog {dialog.message[:500]!r} was {said}; {advice}")
        if self._accepts:
            dialog.accept(self._reply)
        else:
            dialog.dismiss()

    def _opened(self, page: "Page") -> None:
        page.on("crash", lambda _: self._troubles.append("the page crashed"))
        page.on("download", lambda file: self._troubles.append(f"a download began: {file.suggested_filename!r}"))

    def _requested(self, sent: "Sent") -> None:
        if sent.resource_type not in _ENDLESS:
            self._open_requests.add(sent)

    def _request_finished(self, sent: "Sent") -> None:
        self._open_requests.discard(sent)

    def _request_failed(self, sent: "Sent") -> None:
        self._open_requests.discard(sent)
        if sent.failure and "ERR_ABORTED" not in sent.failure and not sent.url.endswith("/favicon.ico"):
            self._troubles.append(f"request failed: {sent.method} {sent.url}: {sent.failure}")


def _thing(scope: "Page | Locator", step: Where) -> "Locator":
    match step.by:
        case "label":
            # the words of a label around a drop-down list include its options: its name as a list does not
            by_name = scope.get_by_role("combobox", name=step.name, exact=True)
            found = scope.get_by_label(step.name, exact=True).or_(by_name)
        case "placeholder":
            found = scope.get_by_placeholder(step.name, exact=True)
        case "testid":
            found = scope.get_by_test_id(step.name)
        case "text":
            found = scope.get_by_text(step.name)
        case "class":
            found = scope.locator(f'[class~="{step.name}"]')
        case "id":
            found = scope.locator(f'[id="{step.name}"]')
        case "element":
            found = scope.locator(step.name)
        case _ if step.name and step.role in _HOLD_WORDS:
            found = scope.get_by_role(step.role).filter(has_text=step.name)  # type: ignore[arg-type]
        case _ if step.name:
            found = scope.get_by_role(step.role, name=step.name, exact=True)  # type: ignore[arg-type]
        case _:
            found = scope.get_by_role(step.role)  # type: ignore[arg-type]
    return found.nth(step.number - 1) if step.number else found


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
_HAS_LABEL = (
    "e => /^(checkbox|radio)$/.test(e.type) && (e.labels.length || e.nextElementSibling?.localName === 'label')"
)
_IS_HIT = """e => {
    const b = e.getBoundingClientRect();
    const hit = e.getRootNode().elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
    return hit === e && b.width > 2 && b.height > 2;
}"""
"""Whether a click in the middle of it would reach it."""


def _as_seen(thing: "Locator", patience: float) -> "Locator":
    """What a user would click: a box that is drawn by its label is ticked by clicking the label."""
    if not thing.evaluate(_HAS_LABEL, timeout=patience):
        return thing
    thing.scroll_into_view_if_needed(timeout=patience)
    if thing.evaluate(_IS_HIT, timeout=patience):
        return thing
    return thing.page.locator("label").filter(visible=True).and_(_labels_of(thing)).first


def _labels_of(thing: "Locator") -> "Locator":
    """The labels that a box has: around it, with its id, or else the one drawn in its place, right behind it."""
    named = thing.get_attribute("id") or ""
    own = thing.locator("xpath=ancestor::label").or_(thing.page.locator(f'label[for="{named}"]'))
    return own if own.count() else thing.locator("xpath=following-sibling::*[1][self::label]")


def _playwright():
    """The library, imported when a browser is first wanted: it is optional, and takes half a second."""
    from playwright import sync_api

    return sync_api


_REASONS = re.compile(r"not (visible|enabled|stable|editable)|intercepts pointer|outside of the viewport|did not find")

_WHERE_RAISED = re.compile(r"^(Locator|Page|Keyboard)\.\w+: (Error: )?")


def _why_not(message: str) -> str:
    """Playwright's message, reduced to the one line a judge can use."""
    lines = [line.strip(" -") for line in message.splitlines()]
    if several := re.search(r"resolved to (\d+) elements", lines[0]):
        return f"{several[1]} things match: say which with #1 to #{several[1]}"
    if reasons := [line for line in lines if _REASONS.search(line)]:
        return reasons[-1]
    if any(line.startswith("performing") for line in lines):
        return "the page did not come back from it in time"
    if exceeded := re.search(r"Timeout (\d+)ms exceeded", lines[0]):
        return f"it did not happen within {int(exceeded[1]) / 1000:g} s"
    return _WHERE_RAISED.sub("", lines[0])
