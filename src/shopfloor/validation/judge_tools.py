"""A judge's hands: drivers as tools of a model. Each step goes into the docket before the judge hears of it.

A driver is opened at its first use and stays open for the session. It does not know what is being judged.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Annotated, Literal

import msgspec

from shopfloor.domain.contract import Surface
from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.guard.actions import Drive
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, always
from shopfloor.validation.docket import Docket
from shopfloor.validation.drivers import actions
from shopfloor.validation.drivers.actions import Action, parse_target
from shopfloor.validation.drivers.app import App
from shopfloor.validation.drivers.desktop import open_desktop
from shopfloor.validation.drivers.expectations import Expectation
from shopfloor.validation.drivers.http import open_http
from shopfloor.validation.drivers.protocol import Driver, Observation, describe
from shopfloor.validation.drivers.steps import Unspeakable, read_step
from shopfloor.validation.drivers.terminal import open_terminal
from shopfloor.validation.drivers.web import open_web
from shopfloor.validation.published import Published

PATIENCE_S = 3.0
_NEED_PROGRAMS: tuple[Surface, ...] = ("web", "desktop")
"""Surfaces whose drivers need what a machine may not have."""

Where = Annotated[
    str, msgspec.Meta(description='button "Add", textbox "Title", label "Email", checkbox in listitem "Milk"')
]


class Browse(Arguments):
    """One step in the browser."""

    do: Literal[
        "open",
        "look",
        "click",
        "double_click",
        "hover",
        "fill",
        "press",
        "select",
        "check",
        "uncheck",
        "reload",
        "back",
        "open_tab",
        "switch_tab",
        "accept_dialogs",
        "dismiss_dialogs",
        "screenshot",
    ]
    target: Where = ""
    text: Annotated[
        str,
        msgspec.Meta(
            description="what to fill in, the key to press, the option, the path to open, the number of the tab, "
            "or the answer to dialogs from now on (until told, they are dismissed)"
        ),
    ] = ""


class SendRequest(Arguments):
    """One HTTP request."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class UseTerminal(Arguments):
    """One step in a terminal."""

    do: Literal["start", "type", "keys", "screen"]
    text: Annotated[
        str,
        msgspec.Meta(
            description="start: a published command with arguments of yours; type: text (\\n is Enter); "
            "keys: names such as enter, ctrl-c, up, f1, or single characters, with spaces between"
        ),
    ] = ""


class UseDesktop(Arguments):
    """One step on the desktop, or a look at what it holds."""

    do: Literal["start", "type", "keys", "click", "double_click", "right_click", "look", "expect"]
    text: Annotated[
        str,
        msgspec.Meta(
            description="start: a published command; keys: Return ctrl+s F1; click: the window's title; expect: "
            'see window "TITLE", screen changes, clipboard has "TEXT", file "~/PATH" has "TEXT", exit code is 0'
        ),
    ] = ""
    x: int = 0
    y: int = 0


class WaitUntil(Arguments):
    """Wait until a text is seen, or is gone."""

    text: str
    seconds: float = 5.0
    gone: bool = False
    where: Annotated[
        Literal["", "browser", "terminal", "desktop"], msgspec.Meta(description="where you acted last, unless told")
    ] = ""


class Restart(Arguments):
    """Stop the product and start it again."""


class Hands:
    """The drivers of one session. Opened on first use, closed with `stack`."""

    def __init__(
        self,
        sandbox: Sandbox,
        docket: Docket,
        stack: AsyncExitStack,
        *,
        address: str,
        published: Published,
        app: App | None,
        browser: str,
    ) -> None:
        self.sandbox = sandbox
        self._docket = docket
        self._stack = stack
        self._address = address
        self._published = published
        self._last: Surface = "web"
        self._app = app
        self._browser = browser
        self._drivers: dict[Surface, Driver] = {}

    async def cannot_drive(self, surfaces: frozenset[Surface]) -> dict[Surface, str]:
        """Which of these surfaces cannot be driven on this machine, and why: a browser or a display may be missing."""
        cannot: dict[Surface, str] = {}
        for surface in _NEED_PROGRAMS:
            if surface in surfaces:
                try:
                    await self._driver(surface)
                except GiveUp as trouble:
                    cannot[surface] = str(trouble)
        return cannot

    def tools(self, surfaces: frozenset[Surface]) -> tuple[AnyTool, ...]:
        """The tools that these surfaces call for."""
        chosen: list[AnyTool] = []
        if "web" in surfaces:
            chosen.append(
                _tool(
                    "browser",
                    "Use the product's pages in a real browser. `open`, `reload` and `look` tell the whole page, the "
                    "others what changed; `screenshot` keeps a picture as evidence, which you are not shown.",
                    Browse,
                    self._browse,
                )
            )
        if surfaces & {"web", "http"}:
            chosen.append(_tool("request", "Send an HTTP request to the product.", SendRequest, self._request))
        if "terminal" in surfaces:
            chosen.append(
                _tool("terminal", "Use the product in a real terminal (24 x 80).", UseTerminal, self._terminal)
            )
        if "desktop" in surfaces:
            chosen.append(
                _tool(
                    "desktop",
                    "Use the product's windows (1024 x 768; titles are read, pictures compared).",
                    UseDesktop,
                    self._desktop,
                )
            )
        if surfaces & {"web", "terminal", "desktop"}:
            chosen.append(_tool("wait_for", "Wait until a text is seen, or gone.", WaitUntil, self._wait))
        if self._app is not None:
            chosen.append(
                _tool("restart", "Restart the product: what must survive is still there.", Restart, self._restart)
            )
        return tuple(chosen)

    async def _browse(self, step: Browse) -> Answer:
        return await self._perform("web", _browser_action(step))

    async def _request(self, step: SendRequest) -> Answer:
        headers = tuple(step.headers.items())
        request = actions.Request(method=step.method.upper(), url=step.path, headers=headers, body=step.body)
        return await self._perform("http", request)

    async def _terminal(self, step: UseTerminal) -> Answer:
        if step.do == "start":
            step = msgspec.structs.replace(step, text=self._published.admit(step.text))
        return await self._perform("terminal", _terminal_action(step))

    async def _desktop(self, step: UseDesktop) -> Answer:
        if step.do == "start":
            step = msgspec.structs.replace(step, text=self._published.admit(step.text))
        if step.do != "expect":
            return await self._perform("desktop", _desktop_action(step))
        expectation = _expectation(step.text)
        driver = await self._driver("desktop")
        return self._docket.enter(await driver.check(expectation, PATIENCE_S), describe(expectation))

    async def _wait(self, step: WaitUntil) -> Answer:
        wait = actions.WaitFor(text=step.text, seconds=min(step.seconds, 60.0), gone=step.gone)
        named: dict[str, Surface] = {"browser": "web", "terminal": "terminal", "desktop": "desktop"}
        return await self._perform(named.get(step.where, self._last), wait)

    async def _restart(self, step: Restart) -> Answer:
        assert self._app is not None
        health = await self._app.restart()
        return self._docket.enter(Observation(text=health.text, happened=health.healthy), "restart of the product")

    async def _perform(self, surface: Surface, action: Action) -> Answer:
        driver = await self._driver(surface)
        self._last = surface if surface in ("web", "terminal", "desktop") else self._last
        return self._docket.enter(await driver.perform(action), describe(action))

    async def _driver(self, surface: Surface) -> Driver:
        if surface not in self._drivers:
            self._drivers[surface] = await self._stack.enter_async_context(self._open(surface))
        return self._drivers[surface]

    def _open(self, surface: Surface):
        if surface == "web":
            return open_web(self.sandbox, self._address, chromium=self._browser)
        if surface == "http":
            return open_http(self.sandbox, self._address)
        if surface == "desktop":
            return open_desktop(self.sandbox)
        return open_terminal(self.sandbox)


def _tool(name: str, description: str, arguments: type[Arguments], run: Callable[..., Awaitable[Answer]]) -> AnyTool:
    return Tool(
        name=name,
        description=description,
        arguments=arguments,
        run=run,
        action=lambda step: Drive(what=f"{name} {step}"),
        repeatable=always,
    )


def _browser_action(step: Browse) -> Action:
    match step.do:
        case "open":
            return actions.OpenPage(url=step.text or "/")
        case "open_tab":
            return actions.OpenTab(url=step.text or "/")
        case "look":
            return actions.Look()
        case "click" | "double_click":
            return actions.Click(target=parse_target(step.target), double=step.do == "double_click")
        case "hover":
            return actions.Hover(target=parse_target(step.target))
        case "switch_tab":
            return actions.SwitchTab(number=_number(step.text))
        case "accept_dialogs" | "dismiss_dialogs":
            return actions.AnswerDialogs(accept=step.do == "accept_dialogs", text=step.text)
        case "fill":
            return actions.Fill(target=parse_target(step.target), text=step.text)
        case "press":
            return actions.Press(key=step.text, target=parse_target(step.target) if step.target else None)
        case "select":
            return actions.Select(target=parse_target(step.target), option=step.text)
        case "check" | "uncheck":
            return actions.Check(target=parse_target(step.target), checked=step.do == "check")
        case "reload":
            return actions.Reload()
        case "back":
            return actions.Back()
        case "screenshot":
            return actions.Screenshot()


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise AskModelAgain(f"{text!r} is no number of a tab: give it in `text`, as the page's text shows it.")
    return int(text)


def _terminal_action(step: UseTerminal) -> Action:
    match step.do:
        case "start":
            return actions.StartProgram(command=step.text)
        case "type":
            return actions.Type(text=step.text)
        case "keys":
            return actions.Keys(names=tuple(step.text.split()))
        case "screen":
            return actions.Look()


def _desktop_action(step: UseDesktop) -> Action:
    match step.do:
        case "start":
            return actions.StartProgram(command=step.text)
        case "type":
            return actions.Type(text=step.text)
        case "keys":
            return actions.Keys(names=tuple(step.text.split()))
        case "look" | "expect":
            return actions.Look()
        case "click" | "double_click" | "right_click":
            button = "right" if step.do == "right_click" else "left"
            return actions.ClickAt(x=step.x, y=step.y, title=step.text, button=button, double=step.do == "double_click")


def _expectation(line: str) -> Expectation:
    try:
        step = read_step(line)
    except Unspeakable as wrong:
        raise AskModelAgain(str(wrong)) from None
    if isinstance(step, Action):
        raise AskModelAgain(f"{line!r} is done, not expected: say it with another `do`")
    return step
