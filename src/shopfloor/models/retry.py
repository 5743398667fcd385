"""When to ask again after a failure: a pure decision. It does not know what a request is."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shopfloor.models.failures import Failure

TRIES = 6
TRIES_WHEN_UNREACHABLE = 3
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
LONGEST_RETRY_AFTER_S = 120.0
"""A provider that asks for more than this gets its wish through TryLater: the lease snoozes, nobody sits waiting."""


def retry_delay(attempt: int, failure: Failure, jitter: float) -> float | None:
    """Seconds to wait before trying again after `attempt` tries, or None to stop trying.

    `jitter` is a random number from 0 to 1; it takes away up to half of a delay that we chose ourselves.
    """
    tries = TRIES_WHEN_UNREACHABLE if failure.kind == "unreachable" else TRIES
    if not failure.passing or attempt >= tries:
        return None
    if failure.retry_after_s is not None:
        return failure.retry_after_s if failure.retry_after_s <= LONGEST_RETRY_AFTER_S else None
    delay = min(FIRST_DELAY_S * 2 ** (attempt - 1), LONGEST_DELAY_S)
    return delay * (1 - jitter / 2)


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as an HTTP date; None if it says nothing."""
    text = header.strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
