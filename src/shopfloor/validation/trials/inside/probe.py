"""Run inside a file that was given probes: writes down, once for each test, which of them were passed.

It does not know what the numbers stand for. What it writes to is told by who runs it, as FOLDER.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def _probe(target: str) -> Callable[[int], None]:
    """Holds on to what it needs: tests put other things in the place of `open` and of the environment."""
    seen: set[tuple[int, str]] = set()
    test_now, open_, write, close = os.environ.get, os.open, os.write, os.close
    how = os.O_WRONLY | os.O_APPEND | os.O_CREAT

    def at(number: int) -> None:
        passed = (number, test_now("PYTEST_CURRENT_TEST", ""))
        if passed in seen:
            return
        seen.add(passed)
        try:
            place = open_(target, how)
        except OSError:  # The product may have taken the right to write away from itself.
            return
        write(place, f"{number} {passed[1]}\n".encode(errors="replace"))
        close(place)

    return at


at = _probe(globals()["FOLDER"] + "/passed")
