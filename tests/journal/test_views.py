"""What faces show of an agent's stream."""

from collections.abc import Sequence

import pytest

from shopfloor.domain.events import CancelAsked, Event, ModelCalled, ModelFailed, ModelReplied, ToolCalled, ToolReturned
from shopfloor.domain.messages import Call, Result, said
from shopfloor.domain.spending import Spent, Usage
from shopfloor.journal.codec import encode
from shopfloor.journal.store import Recorded
from shopfloor.journal.views import spent

USAGE = Usage(fresh=100, cache_read=20, output=10)
UNKNOWN = Recorded(stream="a", seq=1, epoch=1, at=0.0, kind="DreamDreamt", body=b"{}")


def recorded(events: Sequence[Event]) -> list[Recorded]:
    coded = [encode(event) for event in events]
    return [
        Recorded(stream="a", seq=seq, epoch=1, at=0.0, kind=kind, body=body)
        for seq, (kind, body) in enumerate(coded, 1)
    ]


def replied(usd: float | None = 0.5, lost: int = 0) -> ModelReplied:
    return ModelReplied(turn=1, message=said("hi"), usage=USAGE, model="m", stop="end", usd=usd, seconds=2.0, lost=lost)


def began(call_id: str) -> ToolCalled:
    return ToolCalled(turn=1, call=Call(id=call_id, name="read", arguments="{}"))


def returned(call_id: str) -> ToolReturned:
    return ToolReturned(turn=1, result=Result(call_id=call_id, text="ok"), seconds=3.0)


def test_answered_calls_count_what_they_used() -> None:
    """Replies and the time of tools add up; a reply without a price is counted as unpriced, not as free."""
    asked = ModelCalled(turn=1, estimate=900)
    events = [asked, replied(), began("1"), returned("1"), asked, replied(usd=None)]
    assert spent(recorded(events)) == Spent(usage=USAGE + USAGE, usd=0.5, unpriced=1, seconds=7.0, calls=2)


def test_a_call_without_a_reply_counts_its_estimate() -> None:
    """A prompt that failed, that a crash cut off, or that is in flight has its estimate counted, each exactly once."""
    events = [
        ModelCalled(turn=1, estimate=1_000, usd=0.25),
        ModelFailed(turn=1, reason="overloaded", seconds=3.0),
        ModelCalled(turn=1, estimate=200, usd=0.05),
        ModelCalled(turn=1, estimate=30, usd=0.01),
        replied(lost=2),
        ModelCalled(turn=2, estimate=4, usd=0.001),
    ]
    counted = spent(recorded(events))

    assert counted.usage == Usage(fresh=1_000 + 200 + 2 * 30 + 4) + USAGE
    assert (counted.calls, counted.unpriced, counted.seconds) == (6, 0, 5.0)
    assert counted.usd == pytest.approx(0.25 + 0.05 + 2 * 0.01 + 0.5 + 0.001)


def test_what_nobody_can_price_is_unknown() -> None:
    """A first prompt that was never answered, and whose price nobody asked for, is not free."""
    assert spent(recorded([ModelCalled(turn=1, estimate=1_000)])).unpriced == 1


def test_an_unanswered_call_is_priced_like_those_before_it() -> None:
    """Once a price is known, a prompt that was never answered costs the average so far: more than nothing."""
    counted = spent(recorded([replied(), ModelCalled(turn=2, estimate=USAGE.total)]))

    assert counted.usd == pytest.approx(1.0)
    assert counted.unpriced == 0


def test_other_facts_count_for_nothing() -> None:
    """Kinds of another version and events that cost nothing leave the views alone."""
    facts = [UNKNOWN, *recorded([CancelAsked()])]
    assert spent(facts) == Spent()
