"""Faults tried by a process that has read all tests: one after the other, each in a child that ends with it.

A child begins where reading the tests ended, and takes the faulty functions in the place of those that were imported;
what it imports or starts afterwards finds the faulty file. It does not know whether a fault matters.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

Run = Callable[[set[str]], bool]
"""Runs the tests of these names up to the first failure; whether all passed."""
Tell = Callable[[str, str], None]


def try_faults(orders: dict[str, Any], run: Run, tell: Tell) -> None:
    """Tells of each fault whether it was killed, until time is over; and at last whether tests still pass without."""
    if threading.active_count() > 1:  # They would be missing in a child.
        return
    until = time.monotonic() + orders["seconds"]
    come_by: set[str] = set()
    for fault in orders["faults"]:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            passed = _with_fault(fault, run, min(left, fault["patience_s"]))
        except SyntaxError:
            continue
        if passed is None and left < fault["patience_s"]:
            break
        come_by.update(fault["tests"])
        tell("survived" if passed else "killed", str(fault["number"]))
    tell("sound" if _in_a_child(lambda: run(come_by), orders["patience_s"]) else "unsound", "")


def _with_fault(fault: dict[str, Any], run: Run, limit_s: float) -> bool | None:
    place = Path(fault["path"])
    plain = place.read_bytes()
    changed = plain[: fault["start"]] + fault["instead"].encode() + plain[fault["end"] :]
    # As long as no other: Python takes a compiled file for that of any source of the same length and second.
    changed += b"\n#" + b"~" * (len(plain) + 1000 + fault["number"] - len(changed))
    module = compile(changed, str(place), "exec", dont_inherit=True)

    functions = _functions_of(str(place))

    def faulty() -> bool:
        # What never ends is seldom idle: its own time runs out long before that of a machine with other things to do.
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_VIRTUAL, fault["busy_s"])
        _exchange(functions, module)
        return run(set(fault["tests"]))

    place.write_bytes(changed)
    try:
        return _in_a_child(faulty, limit_s)
    finally:
        place.write_bytes(plain)


def _in_a_child(run: Callable[[], bool], limit_s: float) -> bool | None:
    """Whether it went well; None where it did not end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            code = 0 if run() else 1
        finally:
            os._exit(code)
    until = time.monotonic() + limit_s
    well: bool | None = None
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            well = status == 0
            break
        time.sleep(0.002)
    with contextlib.suppress(OSError):  # What it started ends with it.
        os.killpg(child, signal.SIGKILL)
    if well is None:
        os.waitpid(child, 0)
    return well


@functools.cache
def _functions_of(path: str) -> list[FunctionType]:
    """Every function that was read from that file."""
    functions = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
    files = {one.__code__.co_filename for one in functions}
    own = {name for name in files if os.path.realpath(name) == os.path.realpath(path)}
    return [one for one in functions if one.__code__.co_filename in own]


def _exchange(functions: list[FunctionType], module: CodeType) -> None:
    """Gives each function the code that it has in the module now."""
    code = {(one.co_name, one.co_firstlineno): one for one in _within(module)}
    for function in functions:
        other = code.get((function.__code__.co_name, function.__code__.co_firstlineno))
        if other is not None and other.co_freevars == function.__code__.co_freevars:
            function.__code__ = other


def _within(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _within(one)
