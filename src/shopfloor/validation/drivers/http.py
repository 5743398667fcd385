"""Drives an HTTP interface: one request at a time, sent from inside the arena, cookies kept.

Where a document says what the interface promises, every answer is held to it. It does not know what a contract asks.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.validation.drivers import json_path
from shopfloor.validation.drivers.actions import Action, Request
from shopfloor.validation.drivers.drive import Drive, open_drive
from shopfloor.validation.drivers.expectations import (
    Body,
    Expectation,
    Header,
    HttpExpectation,
    Json,
    JsonIsA,
    Keep,
    Status,
)
from shopfloor.validation.drivers.hands.wire import Exchanged, Send
from shopfloor.validation.drivers.interface import Exchange, Interface
from shopfloor.validation.drivers.protocol import Exhibit, Observation, Transcript, capped, describe, foreign, local_url

_TELLING = (
    *("content-type", "content-disposition", "location", "link", "allow", "etag", "cache-control", "retry-after"),
    *("set-cookie", "www-authenticate", "access-control-allow-origin"),
)
_KNOWN = "Request"


class HttpDriver:
    """A client of the app's HTTP interface with one cookie jar."""

    def __init__(self, drive: Drive, base_url: str, interface: Interface | None = None) -> None:
        self._drive = drive
        self._base_url = base_url
        self._interface = interface
        self._last: Exchanged | None = None
        self.transcript = Transcript()

    async def begin(self) -> None:
        """A new session, which has no cookies."""
        self._last, self.transcript = None, Transcript()
        await self._drive.forget()

    async def perform(self, action: Action) -> Observation:
        if not isinstance(action, Request):
            raise foreign("HTTP", action, _KNOWN)
        done = self._last = await self._drive.send(_to_send(action, self._base_url))
        caption = f"{action.method} {action.url}: {done.status or done.problem}"
        exhibit = Exhibit(kind="exchange", content=raw_exchange(done), caption=caption)
        breach = self._breach(action, done)
        text = f"{told(action, done)}\n\n! {breach}" if breach else told(action, done)
        seen = Observation(text=text, happened=done.status > 0, evidence=(exhibit,), breach=breach)
        return self.transcript.note(action, seen)

    def _breach(self, action: Request, done: Exchanged) -> str:
        """How an answer breaks the interface's document; of one that a redirect led to nothing is said."""
        led_on = done.url != local_url(self._base_url, action.url)
        if self._interface is None or not done.status or led_on:
            return ""
        kind = next((value for name, value in done.headers if name == "content-type"), "")
        said = Exchange(method=action.method, url=action.url, status=done.status, content_type=kind, body=done.body)
        return self._interface.breach(said)

    async def check(self, expectation: Expectation, patience_s: float) -> Observation:
        """An answer does not change any more: there is nothing to wait for."""
        if not isinstance(expectation, HttpExpectation):
            raise foreign("HTTP", expectation, _KNOWN)
        if self._last is None:
            raise AskModelAgain("no request was sent whose answer could be looked at")
        problem, kept = _differs(expectation, self._last)
        text = f"{describe(expectation)}: {f'but {problem}' if problem else 'so it is'}"
        return self.transcript.note(expectation, Observation(text=capped(text), happened=not problem, kept=kept))


def _differs(expectation: HttpExpectation, done: Exchanged) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How an answer is not as expected, or "", and what is to be kept of it."""
    if not done.status:
        return done.problem, ()
    match expectation:
        case Status(code=code):
            also = f" ({done.problem})" if done.problem else ""
            return ("" if done.status == code else f"it is {done.status} {done.reason}{also}"), ()
        case Header(header=name, text=text):
            values = ", ".join(value for header, value in done.headers if header == name)
            return ("" if text in values else f"it is {values!r}"), ()
        case Body(text=text, lacks=False) if text in done.body.decode(errors="replace"):
            return "", ()
        case Body() | Json() | JsonIsA() | Keep() if done.problem:
            return f"the answer is not whole: {done.problem}", ()
        case Body(text=text, lacks=lacks):
            there = text in done.body.decode(errors="replace")
            return ("" if there is not lacks else f"the body {'has' if there else 'lacks'} it"), ()
        case Json() | JsonIsA() | Keep():
            return json_path.looked_up(expectation, done.body)


@asynccontextmanager
async def open_http(
    sandbox: Sandbox, base_url: str = "http://localhost:8000", interface: Interface | None = None
) -> AsyncGenerator[HttpDriver]:
    """A driver whose requests come from the judge's view of `sandbox`."""
    async with open_drive(sandbox) as drive:
        yield HttpDriver(drive, base_url, interface)


def told(action: Request, done: Exchanged) -> str:
    """The exchange as a judge reads it: status, the headers that matter, the body laid out."""
    line = f"{action.method} {done.url}"
    if not done.status:
        return capped(f"{line}: {done.problem}")
    lines = [f"{line} -> {done.status} {done.reason}"]
    lines += [f"{name}: {value}" for name, value in done.headers if name in _TELLING]
    if done.problem:
        lines.append(f"({done.problem})")
    return capped("\n".join([*lines, "", _laid_out(done.body)]))


def raw_exchange(done: Exchanged) -> bytes:
    """Request and answer, whole, as they went over the line."""
    if not done.status:
        return done.request + f"\n\n({done.problem})\n".encode()
    head = [f"HTTP/1.1 {done.status} {done.reason}", *(f"{name}: {value}" for name, value in done.headers), "", ""]
    return done.request + b"\r\n\r\n" + "\r\n".join(head).encode() + done.body


def _laid_out(body: bytes) -> str:
    if not body:
        return "(no body)"
    try:
        shown = msgspec.json.format(body, indent=2).decode()
        return shown if shown == body.decode() else f"(laid out; {len(body):,} bytes came)\n{shown}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # it is no JSON: shown as text if it is text
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"(binary, {len(body)} bytes, beginning with {body[:40]!r})"


def _to_send(action: Request, base_url: str) -> Send:
    for name, value in (("method", action.method), *action.headers):
        if not name or "\n" in name + value or "\r" in name + value or not (name + value).isprintable():
            raise AskModelAgain(f"header or method {name!r}: {value!r} cannot be sent: it must be one printable line")
    return Send(
        url=local_url(base_url, action.url),
        method=action.method.upper(),
        headers=_with_content_type(action),
        body=action.body.encode(),
        follow=action.follow,
        seconds=action.seconds,
    )


def _with_content_type(action: Request) -> tuple[tuple[str, str], ...]:
    """A body that is JSON says so, unless the judge says otherwise: forgetting it is never what is tested."""
    if not action.body or any(name.lower() == "content-type" for name, _ in action.headers):
        return action.headers
    try:
        msgspec.json.decode(action.body.encode())
    except (msgspec.DecodeError, RecursionError):
        return (*action.headers, ("Content-Type", "text/plain; charset=utf-8"))
    return (*action.headers, ("Content-Type", "application/json"))
