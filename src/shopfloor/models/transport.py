"""Bytes to an endpoint and back, over httpx2; the only module of the wire that knows that library.

What goes wrong comes back as a Failure. Nothing is tried twice here, and it does not know any wire format.
"""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx2
import msgspec

from shopfloor.models.canonical import parsed
from shopfloor.models.failures import Failure, refusal
from shopfloor.models.reading import Reading
from shopfloor.models.retry import retry_after
from shopfloor.models.wire import WireReply

CONNECT_S = 10.0
SILENCE_S = 600.0
LARGEST_REPLY = 64 << 20
"""Bytes of one response. Events of a stream weigh a few hundred each, so it holds any reply of an honest model."""
OK = 200
IDLE_S = 90.0
"""A kept-alive connection that rested longer is opened anew: many servers close theirs after a minute or two."""


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] | None = None


class Transport:
    """One endpoint, over one kept-alive client. It belongs to the event loop that first used it."""

    def __init__(self, base_url: str, headers: Mapping[str, str], *, loopback: bool) -> None:
        self._base_url = base_url
        self._headers = {**headers, "content-type": "application/json", "accept-encoding": "identity"}
        self._loopback = loopback
        self._opened: httpx2.AsyncClient | None = None

    async def post(
        self, path: str, body: bytes, reading_of: Callable[[str], Reading], silence_s: float = SILENCE_S
    ) -> WireReply | Failure:
        """Sends a request; `reading_of` gets the content type and says who reads the response."""
        timeout = httpx2.Timeout(silence_s, connect=CONNECT_S)
        try:
            async with self._client.stream("POST", self._base_url + path, content=body, timeout=timeout) as response:
                if response.status_code != OK:
                    return _refusal(response, await response.aread())
                reading = reading_of(response.headers.get("content-type", ""))
                received = 0
                async for chunk in response.aiter_bytes():
                    received += len(chunk)
                    if received > LARGEST_REPLY:
                        return Failure(kind="endless", words=f"its reply had not ended after {LARGEST_REPLY:,} bytes")
                    reading.feed(chunk)
        except httpx2.RequestError as error:
            return _failure(error)
        return reading.close()

    async def models(self, path: str, timeout_s: float) -> tuple[str, ...] | None:
        """The models that the endpoint lists, None if it does not answer in time or lists none."""
        try:
            response = await self._client.get(self._base_url + path, timeout=timeout_s)
            listed = parsed(response.content, _Models).data
        except (httpx2.RequestError, ValueError):
            return None
        return None if listed is None else tuple(model.id for model in listed)

    async def aclose(self) -> None:
        """Closes the connection. Idempotent."""
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    @property
    def _client(self) -> httpx2.AsyncClient:
        if self._opened is None:
            self._opened = httpx2.AsyncClient(
                headers=self._headers,
                limits=httpx2.Limits(keepalive_expiry=IDLE_S),
                trust_env=not self._loopback,  # a company's proxy is for the world outside
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self._base_url.startswith("http:") else True,
            )
        return self._opened


def _refusal(response: httpx2.Response, body: bytes) -> Failure:
    wanted = response.headers.get("retry-after")
    after_s = retry_after(wanted, datetime.now(UTC)) if wanted else None
    elsewhere = response.headers.get("location", "").partition("?")[0]
    return refusal(response.status_code, f"it sends one to {elsewhere}".encode() if elsewhere else body, after_s)


def _failure(error: httpx2.RequestError) -> Failure:
    if isinstance(error, httpx2.LocalProtocolError):  # its words may hold what could not be sent, a key among it
        return Failure(kind="unreachable", words="this request cannot be sent: its headers or address are malformed")
    words = str(error) or type(error).__name__
    if isinstance(error, httpx2.DecodingError | httpx2.TooManyRedirects):
        return Failure(kind="malformed", words=words)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
        return Failure(kind="unreachable", words=words)
    if isinstance(error, httpx2.TimeoutException):
        return Failure(kind="silent", words=words)
    return Failure(kind="cut", words=words)
