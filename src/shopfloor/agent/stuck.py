"""Is this agent going round in circles? A pure function of its last turns.

A turn is compared by what was called *and what came back*: polling whose answer changes, tests run again after an
edit, and the same edit over many files are no circle. A circle of one to four turns is seen after three rounds
(a single repeated turn after four); waiting commands get more patience, since for them time is the change.
It does not know what to do about it: the loop corrects first and stops second.
"""

import hashlib
import re
from collections.abc import Sequence

from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import Message, Result

PERIODS = (1, 2, 3, 4)
ROUNDS = {1: 4, 2: 3, 3: 3, 4: 3}
PATIENCE = 20
"""Rounds granted to a circle in which a turn waits for something: for those, time is the change."""
SILENT_TURNS = 3
FAILING_TURNS = 6
WINDOW = 4 * PATIENCE

_WAITS = re.compile(r"\b(sleep|wait|wait_for|watch|tail\s+-[fF]|poll|timeout)\b")
_VOLATILE = re.compile(
    r"\b\d+(?:\.\d+)?\s*(?:ms|us|µs|ns|s|sec|secs|seconds|m|min|minutes)\b"  # durations
    r"|\b\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?\b"  # clock times
    r"|\b0x[0-9a-fA-F]+\b"  # addresses
    r"|/tmp/\S+"  # names of temporary files
)


class Turn(Fact):
    """One turn, as far as stuckness is concerned."""

    what: str
    """Hash of the calls and their results, free of durations and addresses."""
    waits: bool = False
    silent: bool = False
    """No call was made."""
    failing: str = ""
    """The tool, when every call of the turn was refused or malformed."""


def turn_of(reply: Message, results: Sequence[Result]) -> Turn:
    """The shape of a turn."""
    calls = [f"{call.name} {call.arguments}" for call in reply.calls]
    outcomes = [_VOLATILE.sub("#", result.text) for result in results]
    said = [] if reply.calls else [reply.text]
    bad = bool(results) and not any(result.ok for result in results)
    return Turn(
        what=hashlib.blake2b("\x00".join(calls + outcomes + said).encode(errors="replace"), digest_size=12).hexdigest(),
        waits=bool(calls) and all(_WAITS.search(call) for call in calls),
        silent=not calls,
        failing=reply.calls[0].name if bad else "",
    )


def stuck(turns: Sequence[Turn]) -> str | None:
    """Why the agent looks stuck, in words it can act on, or None. `turns` are those since the last correction."""
    recent = turns[-WINDOW:]
    for period in PERIODS:
        if _circles(recent, period):
            return f"the last {_spelled(period)} repeated with the same results"
    if len(recent) >= SILENT_TURNS and all(turn.silent for turn in recent[-SILENT_TURNS:]):
        return f"{SILENT_TURNS} replies in a row called no tool"
    tail = recent[-FAILING_TURNS:]
    if len(tail) == FAILING_TURNS and tail[0].failing and len({turn.failing for turn in tail}) == 1:
        return f"{FAILING_TURNS} calls of {tail[0].failing!r} in a row failed"
    return None


def _circles(turns: Sequence[Turn], period: int) -> bool:
    unit = turns[-period:]
    if len(unit) < period or (period > 1 and len({turn.what for turn in unit}) == 1):
        return False
    rounds = PATIENCE if any(turn.waits for turn in unit) else ROUNDS[period]
    span = turns[-period * rounds :]
    return len(span) == period * rounds and all(
        turn.what == unit[index % period].what for index, turn in enumerate(span)
    )


def _spelled(period: int) -> str:
    return "turn" if period == 1 else f"{period} turns"
