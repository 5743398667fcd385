"""Facts to bytes and back: an event is its kind and a JSON body that repeats the kind, so that it reads by itself.

The kinds are those of the closed unions in domain/events.py; none is listed a second time here.
It does not know where the bytes are kept.
"""

from typing import TypeAlias, cast, get_args

import msgspec

from shopfloor.domain.errors import Broken
from shopfloor.domain.events import Event

Encoded: TypeAlias = tuple[str, bytes]
"""(kind, body)"""

_CLASSES = cast("tuple[type[Event], ...]", get_args(Event))
_KINDS: dict[type[Event], str] = {cls: str(cls.__struct_config__.tag) for cls in _CLASSES}
KINDS = tuple(_KINDS.values())
"""Every kind that this version knows."""
_DECODERS: dict[str, msgspec.json.Decoder[Event]] = {kind: msgspec.json.Decoder(cls) for cls, kind in _KINDS.items()}
_ENCODER = msgspec.json.Encoder()


def encode(event: Event) -> Encoded:
    """The event as (kind, body). Raises Broken for text that is not Unicode (a lone surrogate)."""
    kind = _KINDS[type(event)]
    try:
        return kind, _ENCODER.encode(event)
    except UnicodeEncodeError as trouble:
        message = f"an event of kind {kind!r} holds text that is not Unicode ({trouble}); replace it where it came in"
        raise Broken(message) from trouble


def decode(kind: str, body: bytes) -> Event | None:
    """The event, or None for a kind that this version does not know. Raises Broken when the body is not of its kind."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        return None
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
        raise Broken(f"an event of kind {kind!r} cannot be read: {trouble}; its body begins {body[:80]!r}") from trouble
