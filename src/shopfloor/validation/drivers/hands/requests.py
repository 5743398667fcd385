"""Sends HTTP requests and says what came back, whatever came back.

It does not know what the answers should be.
"""

import http.client
import socket
import time
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urljoin, urlsplit

import msgspec

from shopfloor.validation.drivers.hands.wire import Exchanged, Knock, Send

BODY_CAP = 2_000_000
_REDIRECTS = (301, 302, 303, 307, 308)


def exchange(send: Send, jar: CookieJar) -> Exchanged:
    """Sends a request, and follows redirects if asked."""
    done = _one_exchange(send, jar)
    for _ in range(5 if send.follow else 0):
        location = dict(done.headers).get("location")
        if done.status not in _REDIRECTS or not location:
            return done
        method, body = (send.method, send.body) if done.status in (307, 308) else ("GET", b"")
        send = msgspec.structs.replace(send, url=urljoin(send.url, location), method=method, body=body)
        done = _one_exchange(send, jar)
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
        connection.putrequest(send.method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(send.body or None)
        response = connection.getresponse()
        jar.extract_cookies(response, carrier)
        done.status, done.reason = response.status, response.reason
        done.headers = tuple((name.lower(), value) for name, value in response.getheaders())
        done.body, done.problem = _body_of(response, began + send.seconds)
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


def _headers_to_send(send: Send, host: str, cookie: str | None) -> list[tuple[str, str]]:
    defaults = {"Host": host, "User-Agent": "shopfloor-judge", "Accept": "*/*"}
    if cookie:
        defaults["Cookie"] = cookie
    if send.body or send.method in ("POST", "PUT", "PATCH"):
        defaults["Content-Length"] = str(len(send.body))
    given = {name.lower() for name, _ in send.headers}
    return [(name, value) for name, value in defaults.items() if name.lower() not in given] + list(send.headers)


def _body_of(response: http.client.HTTPResponse, deadline: float) -> tuple[bytes, str]:
    body = bytearray()
    try:
        while chunk := response.read1(65536):
            body += chunk
            if len(body) >= BODY_CAP:
                return bytes(body), f"the body is cut at {len(body)} bytes"
            if time.monotonic() > deadline:
                return bytes(body), "the body was still coming when time was up"
    except TimeoutError:
        return bytes(body), "the body stopped coming before its end"
    except (OSError, http.client.HTTPException) as error:
        return bytes(body), f"the connection broke in the body: {type(error).__name__}"
    expected = response.headers.get("Content-Length", "")
    if expected.isdigit() and response.length:
        return bytes(body), f"the body ended after {len(body)} of {expected} bytes"
    return bytes(body), ""


def knock(door: Knock) -> Exchanged:
    """Tries to connect; a `problem` if nobody opens."""
    try:
        socket.create_connection((door.host, door.port), timeout=2).close()
    except OSError as error:
        return Exchanged(problem=f"nothing listens at {door.host}:{door.port} ({error})")
    return Exchanged()
