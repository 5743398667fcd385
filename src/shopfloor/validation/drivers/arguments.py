"""What is given to a call: JSON values, names of what was imported or kept, and `name=` before one of them.

`"Hello World", separator="_"`, `[first, {"amount": 3}]`: nothing is computed in it. Pure; it does not know who is
called.
"""

import re
from typing import cast

import msgspec

from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.fact import Fact

PLACE = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*"
"""A name with dots. None begins with an underscore: what is private is nobody's to call."""
_TOKEN = re.compile(
    rf'(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<before>[A-Za-z]\w*) *=|(?P<name>{PLACE})'
)
_JSON = ("true", "false", "null")
_PYTHON = {"True": "true", "False": "false", "None": "null"}


class Argument(Fact):
    """One value as it goes over the line: objects are {"object": {…}}, names are {"kept": NAME}."""

    value: object
    name: str = ""


def read_arguments(text: str) -> tuple[Argument, ...]:
    """What stands between the parentheses of a call. AskModelAgain if it is no list of values and names."""
    try:
        values = msgspec.json.decode(f"[{_TOKEN.sub(_as_json, text)}]", type=list[object])
    except msgspec.DecodeError as wrong:
        raise _no_arguments(text, str(wrong)) from None
    found: list[Argument] = []
    name = ""
    for value in values:
        if (before := _marked(value, "before")) is not None:
            name = before
            continue
        if not name and any(one.name for one in found):
            raise _no_arguments(text, "values without a name come first")
        found.append(Argument(name=name, value=_on_the_line(value, text)))
        name = ""
    return tuple(found)


_MARK = "\x00"
"""No key of an object that anybody writes begins so."""


def _as_json(token: re.Match[str]) -> str:
    """A name as an object that says what it is; anything else as it stands."""
    if token["before"]:
        return f'{{"\\u0000before": "{token["before"]}"}},'
    if token["name"] is None or token["name"] in _JSON:
        return token[0]
    if token["name"] in _PYTHON:
        raise AskModelAgain(f"{token['name']!r} is written as in JSON: {_PYTHON[token['name']]}")
    return f'{{"\\u0000kept": "{token["name"]}"}}'


def _marked(value: object, mark: str) -> str | None:
    fields = cast("dict[str, str]", value) if isinstance(value, dict) else {}
    return fields.get(f"{_MARK}{mark}")


def _on_the_line(value: object, text: str) -> object:
    if isinstance(value, list):
        return [_on_the_line(one, text) for one in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    if (name := _marked(fields, "kept")) is not None:
        return {"kept": name}
    if any(name.startswith(_MARK) for name in fields):
        raise _no_arguments(text, "`name=` stands before a whole value only")
    return {"object": {name: _on_the_line(one, text) for name, one in fields.items()}}


def _no_arguments(text: str, why: str) -> AskModelAgain:
    return AskModelAgain(
        f'({text}) are no arguments ({why}): write JSON values and kept names, as in "a", 3, unit=euro'
    )
