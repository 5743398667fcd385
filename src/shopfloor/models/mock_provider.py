"""A provider to test against: real HTTP, both wire formats, streamed or not, with scripted replies and faults.

    with MockProvider([Served(fault="status", status=429, retry_after="1"), Served(text="Hello.")]) as provider:
        model = connect("openai:any", provider.environment)

Standard library only; listens on loopback only. It does not know what the replies mean.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from socket import socket
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import Call, Message
from shopfloor.domain.spending import Usage
from shopfloor.models import mock_wire
from shopfloor.models.canonical import canonical, parsed
from shopfloor.models.script import Answer, decode_file, message_of

BYTES_PER_TOKEN = 4
CACHE_MARK = b',"cache_control":{"type":"ephemeral"}'

FaultName: TypeAlias = Literal[
    "", "status", "cut", "malformed", "empty", "slow", "truncated_call", "nonsense", "refused", "endless"
]
STOPS: Mapping[FaultName, mock_wire.Stop] = {"truncated_call": "length", "refused": "refused"}


class Served(Answer, forbid_unknown_fields=True):
    """An answer, or what goes wrong instead of it.

    `status` answers with that HTTP status (and `retry_after`, as it stands); `cut` closes the connection after
    `after_events` events; `slow` waits `seconds` first; `truncated_call` stops in the middle of the last call's
    arguments; `malformed` sends half a JSON document, `nonsense` a page for people, `empty` nothing at all; `refused`
    says its text and that it will not answer; `endless` streams its text again and again until nobody listens.
    """

    fault: FaultName = ""
    status: int = 503
    retry_after: str = ""
    message: str = "a fault on demand"
    after_events: int = 2
    seconds: float = 1.0


class ServedScript(Fact, forbid_unknown_fields=True):
    """What a script file for the provider holds: its answers, in order."""

    answers: tuple[Served, ...]


class Request(NamedTuple):
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def face(self) -> mock_wire.Face:
        return "anthropic" if self.path.endswith("/messages") else "openai"


Serving: TypeAlias = Sequence[Served] | Callable[[Request], Served]


def echo(request: Request) -> Served:
    """Says back the last message that is plain words."""
    body = parsed(request.body, _Body)
    said = next((message.words for message in reversed(body.messages) if message.words), "nothing")
    return Served(text=f"You said: {said}")


class MockProvider:
    """The server; a context manager.

    `key` refuses every request without it, `models` are what it lists. `counts` is False for a server that reports no
    usage, `ids` for one that gives its calls no ids.
    """

    def __init__(
        self,
        serving: Serving = echo,
        *,
        key: str = "",
        models: tuple[str, ...] = ("mock-model",),
        counts: bool = True,
        ids: bool = True,
        port: int = 0,
    ) -> None:
        self.serving = serving
        self.key = key
        self.models = models
        self.requests: list[Request] = []
        self.connections = 0
        self._counts = counts
        self._ids = ids
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "MockProvider":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The root, without /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send the providers openai and anthropic here."""
        key = self.key or "mock"
        return {
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "OPENAI_API_KEY": key,
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": key,
        }

    def take(self, request: Request) -> tuple[Served, mock_wire.Sent]:
        """Files a request: what to serve for it, and the reply as it would be sent."""
        body = parsed(request.body, _Body)
        with self._lock:
            cached = _cached(request, self.requests)
            self.requests.append(request)
            number = len(self.requests)
        served = self._served(request, number)
        message = message_of(served, f"call_{number}")
        if served.fault == "truncated_call":
            message = _truncated(message)
        if not self._ids:
            message = _anonymous(message)
        prompt = len(request.body) // BYTES_PER_TOKEN
        usage = Usage(fresh=prompt - cached, cache_read=cached, output=len(canonical(message)) // BYTES_PER_TOKEN)
        stop = STOPS.get(served.fault, "")
        return served, mock_wire.Sent(number, body.model, message, usage if self._counts else None, stop)

    def _served(self, request: Request, number: int) -> Served:
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key and key != self.key:
            return Served(fault="status", status=401, message="the key is not the right one")
        if callable(self.serving):
            return self.serving(request)
        if number > len(self.serving):
            return Served(fault="status", status=400, message=f"the script is over after {number - 1} answers")
        return self.serving[number - 1]


def serve(port: int, script: Path | None, ready: Callable[["MockProvider"], None]) -> None:
    """Serves until interrupted: the answers of a script file in order, or an echo of what is said.

    `ready` hears of the provider once it listens. GiveUp when it cannot listen there.
    """
    serving: Serving = decode_file(script, ServedScript).answers if script else echo
    try:
        provider = MockProvider(serving, port=port)
    except OSError as trouble:
        raise GiveUp(f"Nothing can listen at port {port}: {trouble.strerror}; 0 takes a free one.") from trouble
    with provider:
        ready(provider)
        threading.Event().wait()


class _Words(msgspec.Struct):
    text: str = ""


class _Said(msgspec.Struct):
    role: str
    content: str | list[_Words] | None = None

    @property
    def words(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(piece.text for piece in self.content or ())


class _Body(msgspec.Struct):
    messages: list[_Said]
    model: str = ""
    stream: bool = False


def _truncated(message: Message) -> Message:
    *parts, last = message.parts
    if isinstance(last, Call):
        last = msgspec.structs.replace(last, arguments=last.arguments[: len(last.arguments) // 2])
    return Message(role="assistant", parts=(*parts, last))


def _anonymous(message: Message) -> Message:
    parts = (msgspec.structs.replace(part, id="") if isinstance(part, Call) else part for part in message.parts)
    return Message(role="assistant", parts=tuple(parts))


def _cached(request: Request, earlier: Sequence[Request]) -> int:
    """Tokens that a prefix cache would give: the longest beginning shared with one of the last requests."""
    prompt = request.body.replace(CACHE_MARK, b"")
    others = [other.body.replace(CACHE_MARK, b"") for other in earlier[-8:] if other.path == request.path]
    return max((_shared(prompt, other) for other in others), default=0) // BYTES_PER_TOKEN


def _shared(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], provider: MockProvider) -> None:
        super().__init__(address, partial(_Handler, provider))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, provider: MockProvider, request: socket, client_address: object, server: _Server) -> None:
        self._provider = provider
        provider.connections += 1
        super().__init__(request, client_address, server)

    def do_GET(self) -> None:
        listed = [{"id": model, "object": "model"} for model in self._provider.models]
        self._send(200, canonical({"object": "list", "data": listed}))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path.partition("?")[0], headers, raw)
        if not request.path.endswith(("/messages", "/chat/completions")):
            return self._send(404, mock_wire.error("openai", "not_found_error", f"no such endpoint: {self.path}"))
        served, sent = self._provider.take(request)
        if served.fault == "slow":
            time.sleep(served.seconds)
        match served.fault:
            case "status":
                body = mock_wire.error(request.face, _error_name(served.status), served.message)
                return self._send(served.status, body, {"retry-after": served.retry_after})
            case "malformed" | "empty" | "nonsense":
                return self._send_broken(request, served.fault, sent)
            case "endless":
                return self._stream_for_ever(request.face, sent)
            case "" | "cut" | "slow" | "truncated_call" | "refused":
                cut_after = served.after_events if served.fault == "cut" else None
        if parsed(raw, _Body).stream:
            return self._stream(request.face, sent, cut_after)
        return self._send(200, mock_wire.whole(request.face, sent), cut=cut_after is not None)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _send_broken(self, request: Request, fault: str, sent: mock_wire.Sent) -> None:
        whole = mock_wire.whole(request.face, sent)
        pages = {"empty": b"", "nonsense": b"<html><body>Please log in.</body></html>"}
        self._send(200, pages.get(fault, whole[: len(whole) // 2]))

    def _stream(self, face: mock_wire.Face, sent: mock_wire.Sent, cut_after: int | None) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in islice(mock_wire.events(face, sent), cut_after):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        if cut_after is None:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _stream_for_ever(self, face: mock_wire.Face, sent: mock_wire.Sent) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        begun = list(mock_wire.events(face, sent))[: 4 if face == "anthropic" else 2]
        self.close_connection = True
        with suppress(ConnectionError):
            while True:
                for event in begun:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                begun = begun[-1:] * 100

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Quiet: requests are kept in `requests`."""


def _error_name(status: int) -> str:
    names = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
    return names.get(status, "invalid_request_error" if status < 500 else "api_error")
