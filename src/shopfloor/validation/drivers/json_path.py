"""A place in a JSON value: `$.items[0].title`, `$.items[*].id`, `$["odd name"]`; and how what stands there compares.

Pure; it does not know whether the JSON was answered or printed.
"""

import re
from typing import cast

import msgspec

from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.drivers.expectations import Json, JsonExpectation, JsonIsA, JsonType, Keep, Relation

_PART = re.compile(r'\.([A-Za-z_$][\w$-]*)|\[(\d+|\*|"(?:[^"\\]|\\.)*")\]')
_TYPES: dict[type, JsonType] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    list: "list",
    dict: "object",
    type(None): "null",
}


def looked_up(expectation: JsonExpectation, text: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How a JSON text is not as expected, or "", and what is to be kept of it."""
    try:
        value = _values(text) if isinstance(expectation, Json) and expectation.lines else msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"this is no JSON ({error})", ()
    values = found(expectation.path, value)
    match expectation:
        case JsonIsA(kind=kind):
            there = type_of(values)
            return ("" if there == kind else f"it is {'absent' if there == 'absent' else f'a {there}'}"), ()
        case Keep(path=path, name=name):
            if not values or isinstance(values[0], dict | list | None):
                return f"there is no text and no number at {path}", ()
            return "", ((name, values[0] if isinstance(values[0], str) else msgspec.json.encode(values[0]).decode()),)
        case Json(path=path, relation=relation, json=wanted):
            return differs(path, values, relation, wanted), ()


def _values(text: bytes) -> list[object]:
    return [msgspec.json.decode(line) for line in text.split(b"\n") if line.strip()]


def found(path: str, value: object) -> list[object]:
    """All that stands at a path; empty if nothing does. AskModelAgain for a path that is none."""
    here, rest = [value], path.removeprefix("$")
    while rest:
        part = _PART.match(rest)
        if part is None or not path.startswith("$"):
            raise AskModelAgain(f"{path!r} is no place in JSON: write $.items[0].title, or [*] for all of a list")
        rest = rest[part.end() :]
        key = part[1] if part[1] is not None else part[2]
        here = [inner for one in here for inner in _inside(one, key, named=part[1] is not None)]
    return here


def _inside(value: object, key: str, *, named: bool) -> list[object]:
    if not named and key.isdecimal():
        items = cast("list[object]", value) if isinstance(value, list) else []
        return items[int(key) : int(key) + 1]
    if not named and key == "*":
        return cast("list[object]", value) if isinstance(value, list) else []
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    name = key if named else cast("str", msgspec.json.decode(key))
    return [fields[name]] if name in fields else []


def type_of(values: list[object]) -> JsonType:
    """What kind of value stands at a place."""
    return _TYPES[type(values[0])] if values else "absent"


def differs(path: str, values: list[object], relation: Relation, wanted: str) -> str:
    """How what stands at a place is not as wanted (a JSON text), or ""."""
    want, many = msgspec.json.decode(wanted), "[*]" in path
    if not values and not (many and relation in ("lacks", "counts")):
        return f"there is nothing at {path}"
    here = values if many else values[0]
    match relation:
        case "is":
            held = same(here, want)
        case "counts":
            held = isinstance(here, list) and len(cast("list[object]", here)) == want
        case "has":
            held = _has(here, want)
        case "lacks":
            held = not _has(here, want)
    return "" if held else f"{path} is {msgspec.json.encode(here).decode()[:400]}"


def same(one: object, other: object) -> bool:
    """Equal as JSON: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = cast("list[object]", one), cast("list[object]", other)
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = cast("dict[str, object]", one), cast("dict[str, object]", other)
        return mine.keys() == yours.keys() and all(same(mine[key], yours[key]) for key in mine)
    return one == other


def _has(here: object, want: object) -> bool:
    if isinstance(here, str):
        return isinstance(want, str) and want in here
    if isinstance(here, list):
        return any(same(one, want) for one in cast("list[object]", here))
    return isinstance(here, dict) and isinstance(want, str) and want in here
