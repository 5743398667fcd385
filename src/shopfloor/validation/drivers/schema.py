"""Whether a JSON value is as a schema of an OpenAPI document says: a small part of JSON Schema, and no more.

It knows `$ref`, `type` (with `nullable`), `enum`, `const`, `required`, `properties`, `items`, `allOf`, and `anyOf` and
`oneOf` as "at least one". It does not know lengths, formats, patterns, bounds, nor whether a further property may be.
"""

from collections.abc import Mapping
from typing import cast
from urllib.parse import unquote

import msgspec

from shopfloor.validation.drivers.json_path import same

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def fields(value: object) -> Mapping[str, object]:
    """The fields of an object; none of anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """The items of a list; none of anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def resolved(document: Mapping[str, object], value: object) -> Mapping[str, object]:
    """The object itself, or what its `$ref` points at. KeyError for one that points at nothing, or at itself."""
    for _ in range(20):
        reference = fields(value).get("$ref")
        if not isinstance(reference, str):
            return fields(value)
        here: object = document
        for name in reference.removeprefix("#/").split("/"):
            here = fields(here)[unquote(name).replace("~1", "/").replace("~0", "~")]
        value = here
    raise KeyError("a $ref that leads to itself")


def breach(document: Mapping[str, object], schema: object, value: object, place: str = "$") -> str:
    """How a value is not as its schema says, with the place of it; "" if it is."""
    rules = resolved(document, schema)
    if problem := _of_another_kind(rules, value):
        return f"{place} is {_shown(value)}, {problem}"
    for inner, part, at in _parts(rules, value, place):
        if problem := breach(document, inner, part, at):
            return problem
    if missing := _missing(rules, value):
        return f"{place}.{missing} is missing"
    for choices in (items(rules.get("anyOf")), items(rules.get("oneOf"))):
        problems = [breach(document, choice, value, place) for choice in choices]
        if problems and all(problems):
            return f"{place} is none of what it may be: {'; '.join(problems)}"
    return ""


def _of_another_kind(rules: Mapping[str, object], value: object) -> str:
    wanted = rules.get("type")
    kinds = [wanted] if isinstance(wanted, str) else list(map(str, items(wanted)))
    if value is None and rules.get("nullable") is True:
        return ""
    if kinds and not any(_is_a(value, kind) for kind in kinds):
        return f"not {' or '.join(kinds)}"
    allowed = items(rules["enum"]) if "enum" in rules else [rules["const"]] if "const" in rules else None
    if allowed is not None and not any(same(value, one) for one in allowed):
        return f"not {' or '.join(map(_shown, allowed))}"
    return ""


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    whole = not isinstance(value, float) or value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,))) and (kind != "integer" or whole)


def _missing(rules: Mapping[str, object], value: object) -> str:
    """The first field that an object must have and has not."""
    there = fields(value)
    wanted = map(str, items(rules.get("required"))) if isinstance(value, dict) else ()
    return next((name for name in wanted if name not in there), "")


def _parts(rules: Mapping[str, object], value: object, place: str) -> list[tuple[object, object, str]]:
    """What else is said of a value and of what is in it: the schema, the value, and its place."""
    there = fields(value)
    named = fields(rules.get("properties"))
    parts = [(schema, there[name], f"{place}.{name}") for name, schema in named.items() if name in there]
    if "items" in rules:
        parts += [(rules["items"], one, f"{place}[{number}]") for number, one in enumerate(items(value))]
    return [*((schema, value, place) for schema in items(rules.get("allOf"))), *parts]


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()[:80]
