"""When a failure is worth another try, and how long to wait."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.models.failures import Failure
from shopfloor.models.retry import FIRST_DELAY_S, LONGEST_DELAY_S, TRIES, retry_after, retry_delay

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def status(code: int, retry_after_s: float | None = None, name: str = "") -> Failure:
    return Failure(kind="status", words="", status=code, code=name, retry_after_s=retry_after_s)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 529])
def test_passing_troubles_are_retried(code: int) -> None:
    """Busy and broken servers may answer a moment later."""
    assert retry_delay(1, status(code), jitter=0.0) == FIRST_DELAY_S


@pytest.mark.parametrize("kind", ["silent", "cut", "malformed", "empty"])
def test_replies_that_did_not_arrive_whole_are_asked_for_again(kind: str) -> None:
    """A cut stream is a lost reply, not half of one."""
    failure = Failure(kind=kind, words="")
    assert retry_delay(1, failure, jitter=0.0) == FIRST_DELAY_S


@pytest.mark.parametrize(
    "failure", [*map(status, (400, 401, 402, 403, 404, 413, 422)), status(429, None, "insufficient_quota")]
)
def test_refusals_are_not_retried(failure: Failure) -> None:
    """The same request would be refused again; an empty account is not a busy server."""
    assert retry_delay(1, failure, jitter=0.0) is None


def test_what_the_provider_asks_for_is_honoured() -> None:
    """Retry-After wins over our own delays, and jitter does not shorten it."""
    assert retry_delay(1, status(429, 7.5), jitter=1.0) == 7.5
    assert retry_delay(3, status(503, 0.0), jitter=0.5) == 0.0


def test_nobody_sits_waiting_for_an_hour() -> None:
    """A very long Retry-After ends the tries: the lease snoozes instead."""
    assert retry_delay(1, status(429, 3600.0), jitter=0.0) is None


@given(attempt=st.integers(1, 20), jitter=st.floats(0, 1))
def test_delays_grow_stay_bounded_and_end(attempt: int, jitter: float) -> None:
    """However often and however unlucky: between half of the delay and all of it, and never for ever."""
    delay = retry_delay(attempt, status(500), jitter)
    if attempt >= TRIES:
        assert delay is None
    else:
        assert delay is not None
        assert FIRST_DELAY_S / 2 <= delay <= LONGEST_DELAY_S


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("-3", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    """Both forms of the header, and nonsense."""
    assert retry_after(header, NOW) == seconds
