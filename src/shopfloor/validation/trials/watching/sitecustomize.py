"""Watches functions of a product while their tests run, then asks them what no test asks.

Python runs this file by itself where its folder is on the path. What the functions were given and said, which of their
lines that took, and what the neighbours of these inputs get, is left in a file beside it, one for each process.
Standard library only, and any Python: it runs in the product's. It does not know what any answer ought to be.
"""

import ast
import atexit
import json
import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, cast

HERE = Path(__file__).resolve().parent
WATCHED_S, ASKED_S, ONE_S = 10.0, 3.0, 0.2
MOST_CASES, MOST_NEIGHBOURS, MOST_TEXT = 200, 40, 4000
PLAIN = (int, float, str, bytes, bool, type(None))
MANY = (list, tuple, dict, set, frozenset)


def is_plain(value: Any, depth: int = 6) -> bool:
    if type(value) in PLAIN:
        return True
    if type(value) not in MANY or depth == 0:
        return False
    parts: list[Any] = list(value)
    if isinstance(value, dict):
        parts += list(cast("dict[Any, Any]", value).values())
    return all(is_plain(part, depth - 1) for part in parts)


class Watch:
    """What was seen so far. `sources` are the files of the product that are watched, by their full path."""

    def __init__(self, sources: "dict[str, str]") -> None:
        self.sources = sources
        self.until = time.monotonic() + WATCHED_S
        self.watched: dict[str, str] = {}
        self.open: dict[int, tuple[tuple[str, str], str]] = {}
        self.cases: dict[tuple[str, str], dict[str, str | None]] = {}
        self.codes: dict[tuple[str, str], CodeType] = {}

    def path_of(self, code: CodeType) -> str:
        """The watched file that a function stands in; "" for any other."""
        if code.co_filename not in self.watched:
            self.watched[code.co_filename] = self.sources.get(os.path.realpath(code.co_filename), "")
        return self.watched[code.co_filename]

    def see(self, frame: FrameType, event: str, value: Any) -> None:
        if event == "call":
            path = self.path_of(frame.f_code)
            if path and not (frame.f_back and self.path_of(frame.f_back.f_code)):
                self.asked(path, frame)
            elif time.monotonic() > self.until:
                self.finish()
                os._exit(0)
        elif event == "return" and id(frame) in self.open:
            key, given = self.open.pop(id(frame))
            said = repr(value) if value is not None and is_plain(value) else None
            self.cases.setdefault(key, {}).setdefault(given, said)

    def asked(self, path: str, frame: FrameType) -> None:
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if code.co_name.startswith("<") or code.co_flags & 0x2A0 or names[:1] in (("self",), ("cls",)):
            return
        given: list[Any] = [frame.f_locals[name] for name in names]
        if code.co_flags & 0x04:
            given += frame.f_locals[code.co_varnames[len(names)]]
        key = (path, code.co_name)
        if code.co_flags & 0x08 or not is_plain(given) or len(self.cases.get(key, ())) >= MOST_CASES:
            return
        text = repr(tuple(given))
        if len(text) <= MOST_TEXT:
            self.codes[key] = code
            self.open[id(frame)] = key, text

    def finish(self) -> None:
        sys.setprofile(None)
        seen = [self.told(key, cases) for key, cases in self.cases.items()]
        (HERE / f"{os.getpid()}.json").write_text(json.dumps(seen))

    def told(self, key: "tuple[str, str]", cases: "dict[str, str | None]") -> "dict[str, Any]":
        path, name = key
        function = self.found(self.codes[key])
        lines: set[int] = set()
        outcomes: list[str] = []
        others: list[str] = []
        if function is not None:
            end = time.monotonic() + ASKED_S
            outcomes = [outcome(function, given, self.sources, lines) for given in cases if time.monotonic() < end]
            near = [given for given in neighbours(list(cases)) if given not in cases]
            others = [outcome(function, given, self.sources, None) for given in near if time.monotonic() < end]
        return {
            "path": path,
            "function": name,
            "cases": list(cases.items()),
            "lines": sorted(lines),
            "outcomes": outcomes,
            "others": others,
        }

    def found(self, code: CodeType) -> "FunctionType | None":
        """The function that has this code, if it stands at the top of a module and takes what the code takes."""
        for module in list(sys.modules.values()):
            one: Any = vars(module).get(code.co_name)
            if isinstance(one, FunctionType) and one.__code__ is code and not code.co_kwonlyargcount:
                return one
        return None


def outcome(function: FunctionType, given: str, sources: "dict[str, str]", lines: "set[int] | None") -> str:
    """What a function does with that, in words; the lines it takes are added to `lines`."""

    def local(frame: FrameType, event: str, value: Any) -> Any:
        if event == "line" and lines is not None:
            lines.add(frame.f_lineno)
        return local

    def trace(frame: FrameType, event: str, value: Any) -> Any:
        return local if os.path.realpath(frame.f_code.co_filename) in sources else None

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, ONE_S)
    said = "raised"
    with suppress(BaseException):  # whatever a stranger's function throws is its answer
        if lines is not None:
            sys.settrace(trace)
        said = "returned " + repr(function(*ast.literal_eval(given)))[:MOST_TEXT]
    sys.settrace(None)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return said


def too_long(number: int, frame: "FrameType | None") -> None:
    raise TimeoutError


# --- neighbours -------------------------------------------------------------------------------------------------


def neighbours(cases: "list[str]") -> "list[str]":
    """Inputs of the same kind as these: put together anew, or changed a little."""
    chance = random.Random(0)
    givens: list[tuple[Any, ...]] = [ast.literal_eval(case) for case in cases]
    found: list[str] = []
    for _ in range(4 * MOST_NEIGHBOURS):
        one, other = chance.choice(givens), chance.choice(givens)
        if not one:
            continue
        at = chance.randrange(len(one))
        if len(one) > 1 and len(other) > at and type(other[at]) is type(one[at]) and chance.random() < 0.5:
            changed = other[at]
        else:
            changed = near(one[at], chance)
        text = repr((*one[:at], changed, *one[at + 1 :]))
        if text not in found and len(found) < MOST_NEIGHBOURS:
            found.append(text)
    return found


def near(value: Any, chance: random.Random) -> Any:
    """A value much like this one."""
    kind = cast(Any, type(value))
    if kind is bool:
        return not value
    if kind in (int, float):
        return value + chance.choice((-1, 1, 2, 10))
    if kind in (str, bytes, list, tuple) and len(value) > 0:
        return rearranged(value, kind, chance)
    if kind in (dict,) and value:
        key: Any = chance.choice(list(value))
        return {**value, key: near(value[key], chance)}
    return value


def rearranged(value: Any, kind: Any, chance: random.Random) -> Any:
    """A sequence without one of its parts, with one twice, with some in another order, or with one changed."""
    at = chance.randrange(len(value))
    ways: list[Any] = [
        value[:at] + value[at + 1 :],
        value + value[at : at + 1],
        value[:at] + value[at:][::-1],
        value[at:] + value[:at],
    ]
    if kind is str:
        ways.append(value[:at] + chr(ord(value[at]) + chance.choice((1, 2, 3))) + value[at + 1 :])
    if kind in (list, tuple):
        changed: list[Any] = list(value)
        changed[at] = near(changed[at], chance)
        ways.append(kind(changed))
    return chance.choice(ways)


def begin() -> None:
    wanted = HERE / "watched.json"
    if wanted.exists():
        root = HERE.parent
        watch = Watch({os.path.realpath(root / path): path for path in json.loads(wanted.read_text())})
        atexit.register(watch.finish)
        sys.setprofile(watch.see)


begin()
