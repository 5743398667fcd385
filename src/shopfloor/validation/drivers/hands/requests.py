"""Sends HTTP requests and says what came back, whatever came back.

It does not know what the answers should be.
"""

import contextlib
import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Generator
from http.cookiejar import CookieJar
from urllib.parse import urljoin, urlsplit

import msgspec

from shopfloor.validation.drivers.hands.wire import Exchanged, Knock, Send

BODY_CAP = 2_000_000
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


def exchange(send: Send, jar: CookieJar) -> Exchanged:
    """Sends a request, and follows redirects if asked."""
    done = _one_exchange(send, jar)
    for _ in range(MOST_REDIRECTS if send.follow else 0):
        location = dict(done.headers).get("location")
        if done.status not in _REDIRECTS or not location:
            return done
        method, body = (send.method, send.body) if done.status in (307, 308) else ("GET", b"")
        send = msgspec.structs.replace(send, url=urljoin(send.url, location), method=method, body=body)
        done = _one_exchange(send, jar)
    if send.follow and done.status in _REDIRECTS:
        done.problem = f"it was redirected {MOST_REDIRECTS} times, the last time to {send.url}"
    return done


def _one_exchange(send: Send, jar: CookieJar) -> Exchanged:
    began = time.monotonic()
    parts = urlsplit(send.url)
    carrier = urllib.request.Request(send.url, method=send.method)
    jar.add_cookie_header(carrier)
    headers = _headers_to_send(send, parts.netloc, carrier.get_header("Cookie"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{send.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    done = Exchanged(request="\r\n".join([*lines, "", ""]).encode() + send.body, url=send.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=send.seconds)
    try:
        connection.connect()
        with _hung_up(connection.sock, send.seconds) as late:
            connection.putrequest(send.method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(send.body or None)
            response = connection.getresponse()
            if late.is_set():
                raise TimeoutError  # its head was cut off
            jar.extract_cookies(response, carrier)
            done.status, done.reason = response.status, response.reason
            done.headers = tuple((name.lower(), value) for name, value in response.getheaders())
            done.body, done.problem = _body_of(response, late)
    except TimeoutError:
        done.problem = f"no answer within {send.seconds:g} s"
    except ConnectionRefusedError:
        done.problem = f"nothing listens at {parts.netloc}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        done.problem = f"no HTTP answer: {type(error).__name__}: {error}"
    finally:
        connection.close()
    done.seconds = time.monotonic() - began
    return done


@contextlib.contextmanager
def _hung_up(line: socket.socket, seconds: float) -> Generator[threading.Event]:
    """Ends the connection when time is up, whoever still drips letters into it; the event says that it was so.

    TimeoutError when that came before any answer.
    """
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.start()
    try:
        yield late
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()


def _headers_to_send(send: Send, host: str, cookie: str | None) -> list[tuple[str, str]]:
    defaults = {"Host": host, "User-Agent": "shopfloor-judge", "Accept": "*/*"}
    if cookie:
        defaults["Cookie"] = cookie
    if send.body or send.method in ("POST", "PUT", "PATCH"):
        defaults["Content-Length"] = str(len(send.body))
    given = {name.lower() for name, _ in send.headers}
    return [(name, value) for name, value in defaults.items() if name.lower() not in given] + list(send.headers)


def _body_of(response: http.client.HTTPResponse, late: threading.Event) -> tuple[bytes, str]:
    """As much of the body as came, and why that is not all of it."""
    body, broke = bytearray(), ""
    try:
        while chunk := response.read1(65536):
            body += chunk
            if len(body) >= BODY_CAP:
                return bytes(body), f"the body is cut at {len(body)} bytes"
    except (OSError, http.client.HTTPException) as error:
        broke = f"the connection broke in the body: {type(error).__name__}"
    expected = response.headers.get("Content-Length", "")
    if late.is_set():
        return bytes(body), "the body was still coming when time was up"
    if expected.isdigit() and response.length:
        return bytes(body), f"the body ended after {len(body)} of {expected} bytes"
    return bytes(body), broke


def knock(door: Knock) -> Exchanged:
    """Tries to connect; a `problem` if nobody opens."""
    try:
        socket.create_connection((door.host, door.port), timeout=2).close()
    except OSError as error:
        return Exchanged(problem=f"nothing listens at {door.host}:{door.port} ({error})")
    return Exchanged()
