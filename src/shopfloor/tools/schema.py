"""The JSON Schema of a tool's arguments, as short canonical text. It does not know any provider's dialect."""

from functools import cache
from typing import TypeAlias

import msgspec

from shopfloor.tools.tool import Arguments

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@cache
def schema_of(arguments: type[Arguments]) -> str:
    """Sorted, without titles and references; the descriptions of fields stay, those of classes go."""
    (root,), components = msgspec.json.schema_components((arguments,))
    bodies = {f"#/$defs/{name}": _bare(body) for name, body in components.items()}
    return msgspec.json.encode(_inlined(root, bodies), order="sorted").decode()


def _bare(body: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in body.items() if key not in ("title", "description")}


def _inlined(node: Json, bodies: dict[str, dict[str, Json]]) -> Json:
    if isinstance(node, list):
        return [_inlined(item, bodies) for item in node]
    if not isinstance(node, dict):
        return node
    target = node.get("$ref")
    if isinstance(target, str):
        node = bodies[target] | {key: value for key, value in node.items() if key != "$ref"}
    return {key: _inlined(value, bodies) for key, value in node.items()}
