"""The RealWorld app in which some operations are dead: they answer, always the same, and do nothing.

It stands beside examples/realworld/app.py and reads answers.json: which operations are dead, what they answer with, and
whether they at least put in what they were asked. It knows no OpenAPI; bench/realworld.py does.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app import Body, Handler, matched, serve

DEAD: list[dict[str, Any]] = json.loads(Path(__file__).with_name("answers.json").read_text())


class Canned(Handler):
    def routed(self, body: dict[str, Any]) -> tuple[int, Body]:
        parts = urlsplit(self.path)
        for dead in DEAD:
            path = matched(dead["path"], parts.path)
            if dead["method"] == self.command and path is not None:
                asked = {**path, **dict(parse_qsl(parts.query)), **leaves(body)} if dead["echoes"] else {}
                return dead["status"], echoed(dead["body"], asked)
        return super().routed(body)


def leaves(value: object) -> dict[str, Any]:
    """All that stands in a body, by its nearest name."""
    found: dict[str, Any] = {}
    for name, inner in value.items() if isinstance(value, dict) else ():
        found |= leaves(inner) if isinstance(inner, dict) else {name: inner}
    return found


def echoed(value: Any, asked: dict[str, Any]) -> Any:
    """The same words, but where something of that name was asked."""
    if isinstance(value, dict):
        return {
            name: asked[name] if name in asked and not isinstance(inner, dict) else echoed(inner, asked)
            for name, inner in value.items()
        }
    return [echoed(one, asked) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    serve(Canned)
