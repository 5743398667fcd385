"""The HTTP driver against a real server, polite and otherwise."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.drivers.actions import Request
from shopfloor.validation.drivers.http import HttpDriver, open_http

if TYPE_CHECKING:
    from .conftest import Ground


def test_cookies_are_kept_and_redirects_followed_only_when_asked(ground: "Ground") -> None:
    """A redirect is shown as it is; the cookie it set opens the door afterwards."""

    async def story(http: HttpDriver) -> None:
        stranger = await http.perform(Request(url="/me"))
        login = await http.perform(Request(url="/login"))
        known = await http.perform(Request(url="/me"))
        followed = await http.perform(Request(url="/login", follow=True))

        assert "-> 401 Unauthorized" in stranger.text
        assert "-> 302 Found" in login.text
        assert "location: /me" in login.text
        assert "set-cookie: who=ada; HttpOnly" in login.text
        assert '"name": "ada"' in known.text
        assert f"GET {ground.base_url}/me -> 200 OK" in followed.text

    with_the_app(ground, story)


def test_the_evidence_is_the_whole_exchange(ground: "Ground") -> None:
    """What was sent and what came back, headers and bodies, as on the line."""

    async def story(http: HttpDriver) -> None:
        seen = await http.perform(
            Request(method="post", url="/todos", headers=(("X-Asked-By", "judge"),), body='{"title": "milk"}')
        )
        sent, answer = seen.evidence[0].content.split(b"\r\n\r\nHTTP/1.1 ")

        assert sent.startswith(b"POST /todos HTTP/1.1\r\nHost: localhost:%d\r\n" % ground.port)
        assert b"\r\nX-Asked-By: judge\r\n" in sent
        assert b"\r\nContent-Type: application/json\r\n" in sent
        assert sent.endswith(b'\r\n\r\n{"title": "milk"}')
        assert answer.startswith(b"201 Created\r\n")
        assert answer.endswith(b'\r\n\r\n{"title": "milk"}')

    with_the_app(ground, story)


def test_garbage_is_told_as_what_it_is(ground: "Ground") -> None:
    """No HTTP, half a body, a binary body, nobody there: each in its own words, and the driver goes on."""

    async def story(http: HttpDriver) -> None:
        garbage = await http.perform(Request(url="/garbage"))
        cut = await http.perform(Request(url="/cut"))
        binary = await http.perform(Request(url="/binary"))
        nobody = await http.perform(Request(url="http://localhost:1/"))

        assert not garbage.happened
        assert "no HTTP answer: BadStatusLine" in garbage.text
        assert "(the body ended after 11 of 1000 bytes)" in cut.text
        assert "(binary, 256 bytes, beginning with" in binary.text
        assert "nothing listens at localhost:1" in nobody.text
        assert (await http.perform(Request(url="/todos"))).happened

    with_the_app(ground, story)


def test_what_cannot_be_sent_goes_back_to_the_model(ground: "Ground") -> None:
    """A header with a line break and a foreign address are refused before anything is sent."""

    async def story(http: HttpDriver) -> None:
        with pytest.raises(AskModelAgain, match="must be one printable line"):
            await http.perform(Request(headers=(("X", "a\r\nHost: b"),)))
        with pytest.raises(AskModelAgain, match="is not an address of the app"):
            await http.perform(Request(url="https://example.com/"))

    with_the_app(ground, story)


def with_the_app(ground: "Ground", story: Callable[[HttpDriver], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with ground.arena() as arena, ground.todo_app(arena), open_http(arena, ground.base_url) as http:
            await story(http)

    anyio.run(whole)
