"""JSON as it travels: fixed key order, no whitespace, whole characters only.

It does not know what the JSON means.
"""

import json
from typing import TypeVar

import msgspec

T = TypeVar("T")


def canonical(value: object) -> bytes:
    """The one encoding of a value: keys in the order given, no whitespace, UTF-8."""
    return msgspec.json.encode(value)


def canonical_text(value: object) -> str:
    """The same encoding as text, of a value that may hold halves of characters."""
    try:
        return canonical(value).decode()
    except UnicodeEncodeError:
        return mended(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def mended(text: str) -> str:
    """The text with split surrogate pairs joined and lonely halves replaced, so that it can be encoded at all."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def parsed(data: bytes, kind: type[T]) -> T:
    """JSON from outside, as `kind`; ValueError if it is no such thing.

    Some servers cut a text between the two halves of a character and send half of it as an escape. That is no valid
    Unicode but valid JSON: the patient parser of the standard library takes it, and `mended` joins the halves later.
    """
    try:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.convert(json.loads(data.decode("utf-8", "replace")), kind)
    except RecursionError as deep:
        raise ValueError("it is nested too deeply to be read") from deep


def sendable_arguments(arguments: str) -> str:
    """A call's arguments as an endpoint can read them back: as the model wrote them if they are a JSON object.

    What is no object (truncated, nonsense) is wrapped, because providers refuse the whole conversation for it.
    """
    if not arguments.strip():
        return "{}"
    try:
        if isinstance(msgspec.json.decode(arguments), dict):
            return arguments
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pass
    return canonical({"unparsable": mended(arguments)}).decode()
