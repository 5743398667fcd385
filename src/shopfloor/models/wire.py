"""What a wire format can do: one codec per format, chosen by an endpoint.

It does not know where the bytes go.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import Call, Message, Part, StopReason, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.failures import Failure
from shopfloor.models.ledger import Encoded
from shopfloor.models.sse import ServerEvent


class WireReply(Fact):
    """One whole reply as it came. `usage` is None from an endpoint that does not count."""

    message: Message
    stop: StopReason
    usage: Usage | None = None


class Assembly(Protocol):
    """One streamed reply, put together from its events."""

    def take(self, event: ServerEvent) -> str:
        """Adds an event; the new words for a person to read, "" if none. ValueError if it cannot be read."""
        ...

    def outcome(self) -> WireReply | Failure:
        """The whole reply, or why there is none: an error in the stream, or an end before its end mark."""
        ...


class Wire(Protocol):
    """One format, both directions. Encoding is canonical: the same values give the same bytes, always."""

    @property
    def path(self) -> str:
        """Where requests go, below the endpoint's base URL."""
        ...

    @property
    def tail(self) -> bytes:
        """What closes a request after its last message."""
        ...

    @property
    def mark(self) -> bytes:
        """What marks a block for the provider's cache, b"" where caching needs no marks."""
        ...

    def headers(self, key: str) -> Mapping[str, str]:
        """Request headers; `key` may be "" on an endpoint that wants none."""
        ...

    def head(self, model: str, system: str, tools: tuple[ToolSpec, ...]) -> Encoded:
        """The request up to its first message."""
        ...

    def message(self, message: Message) -> Encoded: ...

    def assembly(self, turn: int) -> Assembly:
        """An empty assembly; `turn` names calls that come without a usable id."""
        ...

    def whole(self, data: bytes, turn: int) -> WireReply | Failure:
        """An unstreamed reply. ValueError if it cannot be read."""
        ...


def with_own_ids(parts: Iterable[Part], turn: int) -> tuple[Part, ...]:
    """The parts with an id of its own on every call: some servers send none, or the same one twice."""
    seen: set[str] = set()
    named: list[Part] = []
    for number, part in enumerate(parts, 1):
        if isinstance(part, Call):
            call_id = part.id if part.id and part.id not in seen else f"call_{turn}_{number}"
            seen.add(call_id)
            named.append(msgspec.structs.replace(part, id=call_id))
        else:
            named.append(part)
    return tuple(named)
