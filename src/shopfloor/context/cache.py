"""How well the provider's prefix cache served a conversation, and why it did not where it did not.

The prompt is append-only, so whatever a call sent the next one repeats: a cache could have read all of it.
It does not know any provider's cache; only what the replies' usage says.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

from shopfloor.domain.fact import Fact
from shopfloor.domain.spending import Usage

MINIMUM_TOKENS = 1024
"""Shorter prefixes are not cached by any provider we know."""
LIFETIME_S = 300.0
TOLERANCE = 0.98
"""Providers cache in blocks (64 to 128 tokens), so the last block of a prefix is not read."""

Cause: TypeAlias = Literal["expired", "other model", "not reported", "evicted or partial"]


class CachedCall(Fact):
    """One call of a conversation, in order."""

    turn: int
    model: str
    usage: Usage
    at: float
    """When its reply came, in seconds."""


class CacheBreak(Fact):
    """A call that read less from the cache than the call before had sent."""

    turn: int
    could_read: int
    did_read: int
    cause: Cause


def cache_breaks(calls: Sequence[CachedCall]) -> tuple[CacheBreak, ...]:
    """Each call of one conversation that did not read what an exact-prefix cache holds, with its cause."""
    found: list[CacheBreak] = []
    for before, call in pairwise(calls):
        could = before.usage.prompt
        if could < MINIMUM_TOKENS or call.usage.cache_read >= could * TOLERANCE:
            continue
        cause = _cause(before, call)
        found.append(CacheBreak(turn=call.turn, could_read=could, did_read=call.usage.cache_read, cause=cause))
    return tuple(found)


def _cause(before: CachedCall, call: CachedCall) -> Cause:
    if before.model != call.model:
        return "other model"
    if call.at - before.at > LIFETIME_S:
        return "expired"
    if call.usage.cache_read == 0 and before.usage.cache_read == 0:
        return "not reported"
    return "evicted or partial"
