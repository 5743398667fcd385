"""Imports a library and calls it, asked line by line. It compares nothing, and never hears what is expected.

An ask is a line of JSON: `id`, `do` (import, call, look), `place` with dots, `member`, `keep`, and `arguments`, null or
[{"value": VALUE, "name": NAME}], in which an object is {"object": {…}} and a name that stands for one {"kept": NAME}.
An answer is a line with the same `id`: `json`, the text of what came where that is JSON, else null; `kind`, the name of
its type; `raised`, the names of an error's types, nearest first, and its `words`; `missing`, a name that stands for
nothing; and what was `printed` since, null where that is too much. A hand in another language answers the same lines.

This one runs beside the library, on any Python from 3.8 on, with its standard library alone: so a
library could answer in its stead, and gains nothing by it, since what it answers could as well be what it returns.
It does not know the protocol's other side.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

OPEN_TO_ALL = (
    *(bool, bytearray, bytes, dict, float, frozenset, int, len, list, max, min, next, repr, reversed, round, set),
    *(sorted, str, sum, tuple),
)
"""What may be called without importing it: how one makes a value that JSON has not, and looks into one."""
LIST: type[list[Any]] = list
TUPLE: type[tuple[Any, ...]] = tuple
DICT: type[dict[Any, Any]] = dict
TOLD_CAP = 1_000_000
"""Characters of one value, or of what was printed meanwhile."""


class NoJson(Exception):
    """A value that JSON has no word for."""


class Missing(Exception):
    """A name that stands for nothing here."""


class Border:
    """Whatever a library raises stops here, the wish to end the process too: it is what is being judged."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Border:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.error = error
        return True


def serve() -> None:
    """Answers until nobody asks any more. What the library prints goes into a file, what it reads is empty."""
    asks, answers = os.fdopen(os.dup(0), "rb"), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    printed = tempfile.TemporaryFile()  # noqa: SIM115 - it ends with the process
    os.dup2(printed.fileno(), 1)
    os.dup2(printed.fileno(), 2)
    own = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "src"), *own]
    hand = Hand(printed)
    for line in asks:
        left = json.dumps(hand.answer(json.loads(line))).encode() + b"\n"
        while left:
            left = left[os.write(answers, left) :]


class Hand:
    """What has been imported and kept, by name."""

    def __init__(self, printed: BinaryIO) -> None:
        self._known: dict[str, Any] = {thing.__name__: thing for thing in OPEN_TO_ALL}
        self._printed = printed
        self._read = 0

    def answer(self, ask: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        with Border() as border:
            told = self._told(self._done(ask))
        if border.error is not None:
            told = _error_told(border.error)
        return {"id": ask["id"], **told, "printed": self._since()}

    def _done(self, ask: dict[str, Any]) -> Any:
        place: str = ask["place"]
        if ask["do"] == "import":
            return self._imported(place, ask["member"])
        value = self._found(place)
        if ask["arguments"] is not None:
            given = [(one["name"], self._meant(one["value"])) for one in ask["arguments"]]
            value = value(*[one for name, one in given if not name], **{name: one for name, one in given if name})
            if inspect.iscoroutine(value):
                value = _loop().run_until_complete(value)
        if ask["keep"]:
            self._known[ask["keep"]] = value
        return value

    def _imported(self, place: str, member: str) -> None:
        module = importlib.import_module(place)
        if not member:
            top = place.partition(".")[0]
            self._known[top] = importlib.import_module(top)
        elif hasattr(module, member):
            self._known[member] = getattr(module, member)
        else:
            self._known[member] = importlib.import_module(f"{place}.{member}")

    def _found(self, place: str) -> Any:
        head, *parts = place.split(".")
        if head not in self._known:
            raise Missing(head)
        value = self._known[head]
        for part in parts:
            value = getattr(value, part)
        return value

    def _meant(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._meant(one) for one in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        if "kept" in value:
            return self._found(cast("dict[str, str]", value)["kept"])
        fields = cast("dict[str, dict[str, Any]]", value)["object"]
        return {name: self._meant(one) for name, one in fields.items()}

    def _told(self, value: Any) -> dict[str, Any]:
        kind = type(value).__name__
        try:
            text = json.dumps(plain(value))
        except (NoJson, RecursionError, ValueError):
            return {"json": None, "kind": kind}
        return {"json": text if len(text) <= TOLD_CAP else None, "kind": kind}

    def _since(self) -> str | None:
        file = self._printed.fileno()
        begin, self._read = self._read, os.fstat(file).st_size
        if self._read - begin > TOLD_CAP:
            return None
        return os.pread(file, self._read - begin, begin).decode(errors="replace")


def plain(value: Any) -> Any:
    """What JSON says of a value, by what it really is: no method of its own is asked."""
    kind = type(cast("object", value))
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__int__(value)
    if issubclass(kind, float) and math.isfinite(number := float.__float__(value)):
        return number
    if issubclass(kind, list):
        return [plain(one) for one in LIST.__iter__(value)]
    if issubclass(kind, tuple):
        return [plain(one) for one in TUPLE.__iter__(value)]
    if issubclass(kind, dict) and all(issubclass(type(name), str) for name in DICT.keys(value)):
        return {str.__str__(name): plain(one) for name, one in DICT.items(value)}
    raise NoJson


def _error_told(error: BaseException) -> dict[str, Any]:
    if isinstance(error, Missing):
        return {"missing": str(error)}
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    words = ""
    with Border() as border:
        words = str.__str__(str(error))[:TOLD_CAP]
    return {"raised": names, "words": "(it cannot say what is wrong)" if border.error else words}


def _loop() -> asyncio.AbstractEventLoop:
    """One loop for all that is awaited, so that what one call opened the next one can use."""
    global _running  # noqa: PLW0603 - the process has one library, and one loop
    _running = _running or asyncio.new_event_loop()
    return _running


_running: asyncio.AbstractEventLoop | None = None

if __name__ == "__main__":
    serve()
