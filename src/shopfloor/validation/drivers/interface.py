"""What an OpenAPI document promises of an HTTP interface, and whether an exchange keeps it.

It reads documents of OpenAPI 3 in JSON, and in YAML where PyYAML is installed. It does not know what a contract asks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.validation.drivers.schema import breach, fields, items, resolved

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")


class Exchange(Fact):
    """A request and its answer, as far as a document says anything of them."""

    method: str
    url: str
    status: int
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path. `answers` are what the document says of each status: `200`, `4XX`, `default`."""

    name: str
    method: str
    path: str
    answers: Mapping[str, object]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{[^{}]*\}", self.path)
        return re.compile("[^/]+".join(map(re.escape, parts)))

    def answer(self, status: int) -> object | None:
        """What it says of a status; None if nothing."""
        for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if name in self.answers:
                return self.answers[name]
        return None

    def may_answer(self, status: int) -> bool:
        """Whether a status keeps to the document: no document lists every way to refuse a request, so a 4xx does."""
        return 400 <= status < 500 or self.answer(status) is not None

    def __str__(self) -> str:
        said = f"{self.method} {self.path}"
        return f"{self.name} ({said})" if self.name else said


@dataclass(frozen=True, kw_only=True)
class Interface:
    """A document that can be relied on: every reference in it leads somewhere."""

    name: str
    document: Mapping[str, object]
    operations: tuple[Operation, ...]

    def operation(self, method: str, url: str) -> Operation | None:
        """The operation that a request asks for; a path in plain words goes before one with anything in it."""
        path = urlsplit(url).path
        fitting = [one for one in self.operations if one.method == method.upper() and one.pattern.fullmatch(path)]
        return min(fitting, key=lambda one: one.path.count("{"), default=None)

    def breach(self, exchange: Exchange) -> str:
        """How an answer is not as the document says, or "". Of an operation that is not in it nothing is said."""
        operation = self.operation(exchange.method, exchange.url)
        if operation is None:
            return ""
        if not operation.may_answer(exchange.status):
            problem = f"{self.name} says nothing of {exchange.status}"
        else:
            problem = self._differs(operation.answer(exchange.status), exchange)
        return f"{operation} answered {exchange.status}, and {problem}" if problem else ""

    def _differs(self, answer: object, exchange: Exchange) -> str:
        documented = fields(resolved(self.document, answer).get("content"))
        if not documented or exchange.method.upper() == "HEAD":
            return ""
        kind = _media_type(exchange.content_type)
        wanted = next((name for name in documented if _covers(_media_type(name), kind)), None)
        if wanted is None:
            return f"its content type is {kind or 'not said'}, not {' or '.join(documented)}"
        schema = fields(documented[wanted]).get("schema")
        if schema is None or not (kind == "application/json" or kind.endswith("+json")):
            return ""
        try:
            value = msgspec.json.decode(exchange.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"its body is no JSON ({error})"
        return breach(self.document, schema, value)


def read_interface(content: bytes, name: str) -> Interface:
    """The interface in an OpenAPI document. GiveUp says what is wrong with it."""
    document = fields(_decoded(content, name))
    if not fields(document.get("paths")):
        raise GiveUp(f"{name!r} is no OpenAPI document: it has no `paths`.")
    for reference in _references(document):
        try:
            resolved(document, {"$ref": reference})
        except KeyError:
            here = "" if reference.startswith("#/") else ", and only references within one file are followed"
            raise GiveUp(f"{name!r}: nothing is at $ref {reference!r}{here}.") from None
    return Interface(name=name, document=document, operations=tuple(_operations(document)))


def _decoded(content: bytes, name: str) -> object:
    try:
        if name.endswith(".json"):
            return msgspec.json.decode(content)
        return _with_text_keys(msgspec.yaml.decode(content))
    except ImportError as error:
        raise GiveUp(
            f"{name!r} is YAML, which needs PyYAML: `pip install shopfloor[openapi]`, or name JSON."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GiveUp(f"{name!r} cannot be read: {error}.") from error


def _with_text_keys(value: object) -> object:
    """YAML takes a status without quotes for a number."""
    if listed := items(value):
        return [_with_text_keys(one) for one in listed]
    if named := fields(value):
        return {str(name): _with_text_keys(one) for name, one in named.items()}
    return value


def _references(value: object) -> Iterator[str]:
    """Every `$ref` in a document; a property of that name has no text for its value."""
    for name, inner in fields(value).items():
        if name == "$ref" and isinstance(inner, str):
            yield inner
        yield from _references(inner)
    for inner in items(value):
        yield from _references(inner)


def _operations(document: Mapping[str, object]) -> Iterator[Operation]:
    prefixes = [_prefix(fields(one).get("url")) for one in items(document.get("servers"))] or [""]
    for path, shared in fields(document["paths"]).items():
        for method, what in resolved(document, shared).items():
            if method in METHODS:
                told = fields(what)
                name, answers = str(told.get("operationId", "")), fields(told.get("responses"))
                for prefix in dict.fromkeys(prefixes):
                    yield Operation(name=name, method=method.upper(), path=f"{prefix}{path}", answers=answers)


def _prefix(url: object) -> str:
    """The path of a server, which stands before all others."""
    return urlsplit(url).path.rstrip("/") if isinstance(url, str) else ""


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def _covers(documented: str, kind: str) -> bool:
    return documented in (kind, "*/*") or (documented.endswith("/*") and kind.startswith(documented[:-1]))
