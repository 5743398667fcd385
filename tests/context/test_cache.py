"""How well the provider's cache served a conversation: each call that read less than it could, and why."""

import pytest

from shopfloor.context.cache import LIFETIME_S, CacheBreak, CachedCall, Cause, cache_breaks
from shopfloor.domain.spending import Usage


def asked(turn: int, prompt: int, read: int = 0, *, at: float = 0.0, model: str = "a:b") -> CachedCall:
    return CachedCall(turn=turn, model=model, usage=Usage(fresh=prompt - read, cache_read=read, output=9), at=at)


def test_a_conversation_that_reads_what_it_sent_has_no_breaks() -> None:
    """To the last block: providers cache in blocks, so two per cent less is none less."""
    calls = [asked(1, 10_000), asked(2, 12_000, 10_000), asked(3, 15_000, 11_800)]
    assert cache_breaks(calls) == ()


@pytest.mark.parametrize(
    ("before", "call", "cause"),
    [
        (asked(1, 10_000, model="a:b"), asked(2, 12_000, model="a:c"), "other model"),
        (asked(1, 10_000, at=0), asked(2, 12_000, at=LIFETIME_S + 1), "expired"),
        (asked(1, 10_000), asked(2, 12_000), "not reported"),
        (asked(1, 10_000, 8_000), asked(2, 12_000), "evicted or partial"),
        (asked(1, 10_000), asked(2, 12_000, 9_700), "evicted or partial"),
    ],
)
def test_a_break_is_named_by_its_likeliest_cause(before: CachedCall, call: CachedCall, cause: Cause) -> None:
    """What it could have read, what it did read, and why not."""
    expected = CacheBreak(turn=2, could_read=10_000, did_read=call.usage.cache_read, cause=cause)
    assert cache_breaks([before, call]) == (expected,)


def test_what_no_provider_caches_is_no_break() -> None:
    """Prompts below a thousand tokens, and a first call, have nothing to read."""
    assert cache_breaks([]) == cache_breaks([asked(1, 50_000)]) == cache_breaks([asked(1, 900), asked(2, 5_000)]) == ()
