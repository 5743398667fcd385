"""A model behind HTTP: one ledger per conversation, one retry loop, no half replies.

It does not know any wire format, nor the library that carries the bytes.
"""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from shopfloor.domain.errors import Problem
from shopfloor.domain.messages import Conversation, ConversationKey, Message, OnDelta, Reply, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.anthropic_messages import AnthropicMessages
from shopfloor.models.canonical import canonical
from shopfloor.models.failures import Failure, described, problem
from shopfloor.models.ledger import Ledger
from shopfloor.models.names import Target
from shopfloor.models.openai_chat import OpenAIChat
from shopfloor.models.reading import Reading, StreamReading, WholeReading
from shopfloor.models.retry import retry_delay
from shopfloor.models.transport import Transport
from shopfloor.models.wire import Wire, WireReply

BYTES_PER_TOKEN = 4
LISTED_MODELS = 12
LISTING_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How time passes between two tries: real waiting, unless a test brings its own. `told` hears of each wait."""

    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    jitter: Callable[[], float] = random.random
    told: Callable[[str], None] = lambda words: None


def wire_of(target: Target, *, stream: bool = True, max_tokens: int | None = None) -> Wire:
    """The codec that a target's endpoint speaks."""
    endpoint = target.endpoint
    if endpoint.wire == "anthropic-messages":
        path = "/messages" if endpoint.base_url.endswith("/v1") else "/v1/messages"
        return AnthropicMessages(stream=stream, max_tokens=max_tokens, path=path)
    return OpenAIChat(
        stream=stream,
        max_tokens=max_tokens,
        limit_field=endpoint.limit_field,
        reasoning_field=endpoint.reasoning_field,
        asks_for_usage=endpoint.asks_for_usage,
        seals_calls=endpoint.seals_calls,
    )


class HttpModel:
    """One model at one endpoint. Close it when done: it keeps one connection alive."""

    def __init__(
        self,
        target: Target,
        wire: Wire,
        key: str,
        *,
        price: Callable[[Usage], float | None],
        patience: Patience | None = None,
    ) -> None:
        endpoint = target.endpoint
        self.target = target
        self.wire = wire
        self._price = price
        self.patience = patience or Patience()
        self.transport = Transport(endpoint.base_url, wire.headers(key), loopback=endpoint.is_loopback)

    @property
    def name(self) -> str:
        return self.target.name

    def price(self, usage: Usage, /) -> float | None:
        return self._price(usage)

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        return HttpConversation(self, system, tools)

    async def known_models(self, timeout_s: float = LISTING_TIMEOUT_S) -> tuple[str, ...]:
        """The models that the endpoint lists, () if it lists none."""
        path = self.wire.path.removesuffix("/chat/completions").removesuffix("/messages") + "/models"
        return await self.transport.models(path, timeout_s) or ()

    async def aclose(self) -> None:
        """Closes the connection. Idempotent."""
        await self.transport.aclose()


class HttpConversation:
    """An append-only exchange. Every request begins with the bytes of the one before."""

    def __init__(self, model: HttpModel, system: str, tools: tuple[ToolSpec, ...]) -> None:
        self._model = model
        self._ledger = Ledger(model.wire.head(model.target.model, system, tools), model.wire.tail, model.wire.mark)
        self._turn = 1
        self._unanswered = 0

    @property
    def prompt_bytes(self) -> int:
        return self._ledger.size

    @property
    def unanswered(self) -> int:
        return self._unanswered

    def append(self, message: Message) -> None:
        from_model = message.role == "assistant"
        self._turn += from_model
        self._ledger.append(self._model.wire.message(message), from_model=from_model)

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        model = self._model
        body = self._ledger.body()
        started = time.monotonic()
        attempt, lost = 0, 0
        while True:
            attempt += 1
            self._unanswered = lost + 1
            outcome = await model.transport.post(model.wire.path, body, lambda kind: self._reading(kind, on_delta))
            if isinstance(outcome, WireReply):
                return self._priced(outcome, time.monotonic() - started, lost)
            lost += outcome.may_cost
            self._unanswered = lost
            delay = retry_delay(attempt, outcome, model.patience.jitter())
            if delay is None:
                raise await self._problem(outcome)
            model.patience.told(f"{model.name}: {described(outcome)}; asking again in {delay:.0f} s")
            await model.patience.sleep(delay)

    def _reading(self, content_type: str, on_delta: OnDelta | None) -> Reading:
        if "event-stream" in content_type or not content_type:
            return StreamReading(self._model.wire, self._turn, on_delta)
        return WholeReading(self._model.wire, self._turn)

    def _priced(self, reply: WireReply, seconds: float, lost: int) -> Reply:
        usage = reply.usage or self._estimated(reply.message)
        return Reply(
            message=reply.message,
            usage=usage,
            model=self._model.name,
            stop=reply.stop,
            usd=self._model.price(usage),
            seconds=seconds,
            lost=lost,
        )

    def _estimated(self, message: Message) -> Usage:
        """Usage from an endpoint that does not count. A guess, because zero would be a lie."""
        output = len(canonical(message)) // BYTES_PER_TOKEN
        return Usage(fresh=self._ledger.size // BYTES_PER_TOKEN, output=output)

    async def _problem(self, failure: Failure) -> Problem:
        target = self._model.target
        known = await self._model.known_models() if failure.status == 404 else ()
        return problem(failure, target.endpoint, target.model, known[:LISTED_MODELS])
