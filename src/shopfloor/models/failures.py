"""What can go wrong between a request and a whole reply, as values, and what each means for whoever asked.

It does not know how often anything is tried again (retry), nor which library carried the bytes (transport).
"""

from typing import Literal, TypeAlias

import msgspec

from shopfloor.domain.errors import GiveUp, NeedsHuman, Problem, TryLater
from shopfloor.domain.fact import Fact
from shopfloor.models.canonical import parsed
from shopfloor.models.names import Endpoint

FailureKind: TypeAlias = Literal["unreachable", "silent", "cut", "malformed", "empty", "endless", "status"]
PASSING_STATUSES = frozenset({408, 409, 425, 429})
ELSEWHERE = frozenset({301, 302, 303, 307, 308})
PERSONS_STATUSES = frozenset({401, 402, 403, 404}) | ELSEWHERE
"""A key, an account, a name or an address that only a person can put right; the same request may then succeed."""
QUOTA = "insufficient_quota"
LONGEST_QUOTE = 600
TRY_LATER_S = 30.0
OVERFLOW_SIGNS = (
    "context_length_exceeded",
    "context length",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "request_too_large",
)


class Failure(Fact):
    """One request that brought no whole reply.

    `words` are the provider's own where it said something; `code` is its name for the trouble.
    """

    kind: FailureKind
    words: str
    status: int = 0
    code: str = ""
    retry_after_s: float | None = None

    @property
    def passing(self) -> bool:
        """Whether the very same request may succeed a little later."""
        if self.kind != "status":
            return self.kind != "endless"
        if self.code == QUOTA:
            return False
        return self.status in PASSING_STATUSES or self.status >= 500

    @property
    def may_cost(self) -> bool:
        """Whether the provider may have begun to answer, and charge for it."""
        return self.kind not in ("unreachable", "status")

    @property
    def persons(self) -> bool:
        """Whether a person can put it right, outside of the request."""
        return self.status in PERSONS_STATUSES or self.code == QUOTA

    @property
    def overflowed(self) -> bool:
        """Whether the prompt is longer than the model can take."""
        said = f"{self.code} {self.words}".lower()
        return self.status in (400, 413, 422) and any(sign in said for sign in OVERFLOW_SIGNS)


class ErrorBody(msgspec.Struct):
    """The part of an error that all providers have in some form."""

    message: str = ""
    type: str | None = None
    code: str | int | None = None


class _ErrorEnvelope(msgspec.Struct):
    error: ErrorBody | str


def refusal(status: int, body: bytes, retry_after_s: float | None = None) -> Failure:
    """The failure behind an HTTP status other than 200, in the provider's own words where it used any."""
    try:
        envelope = parsed(body.strip().removeprefix(b"[").removesuffix(b"]"), _ErrorEnvelope)
    except ValueError:
        text = " ".join(body.decode("utf-8", "replace").split())[:LONGEST_QUOTE]
        return Failure(kind="status", status=status, words=text, retry_after_s=retry_after_s)
    error = envelope.error if isinstance(envelope.error, ErrorBody) else ErrorBody(message=envelope.error)
    return Failure(
        kind="status",
        status=status,
        words=error.message[:LONGEST_QUOTE],
        code=str(error.code or error.type or ""),
        retry_after_s=retry_after_s,
    )


def problem(failure: Failure, endpoint: Endpoint, model: str, known: tuple[str, ...] = ()) -> Problem:
    """What to raise for a failure that will not be retried (any more): who must act, and how.

    `known` are the models that the endpoint lists, if it was asked.
    """
    name = f"{endpoint.provider}:{model}"
    if failure.overflowed:
        return GiveUp(f"The prompt no longer fits the context of {name!r}: {failure.words}")
    if failure.kind == "unreachable" and endpoint.is_loopback:
        return TryLater(_start_it(endpoint), after_s=TRY_LATER_S)
    if failure.passing and failure.retry_after_s is not None:
        words = f"{name!r} wants to be asked again in {failure.retry_after_s:,.0f} s, not sooner: {described(failure)}"
        return TryLater(words, after_s=failure.retry_after_s)
    if failure.passing:
        words = f"{name!r} did not answer after several tries: {described(failure)}"
        return TryLater(words, after_s=TRY_LATER_S)
    words = f"{name!r} refused: {described(failure)}{_advice(failure, endpoint, model, known)}"
    return NeedsHuman(words) if failure.persons else GiveUp(words)


def described(failure: Failure) -> str:
    """What went wrong, in a line."""
    status = f"HTTP {failure.status}" if failure.status else failure.kind
    code = f" {failure.code}" if failure.code else ""
    return f"{status}{code}: {failure.words}" if failure.words else f"{status}{code}"


def _advice(failure: Failure, endpoint: Endpoint, model: str, known: tuple[str, ...]) -> str:
    if failure.status in (401, 403) and endpoint.key_env:
        return f". Check the key in the environment variable {endpoint.key_env}."
    if failure.status == 402 or failure.code == QUOTA:
        return ". Add credit there, or name another model with --model."
    if failure.status in ELSEWHERE:
        return f". Requests with a key follow nobody elsewhere: is {endpoint.base_url} the right address?"
    if failure.status == 404:
        listed = f" It knows {', '.join(known)}." if known else ""
        return f". Is {model!r} a model of {endpoint.base_url}?{listed}"
    return ""


def _start_it(endpoint: Endpoint) -> str:
    how = endpoint.start or f"the server behind {endpoint.provider!r}"
    return f"Nothing answers at {endpoint.base_url}. Start it: {how}"
