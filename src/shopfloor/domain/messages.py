"""What a model and an agent say to each other, free of any provider's wire format."""

from typing import Literal, Protocol, TypeAlias

from shopfloor.domain.fact import Fact
from shopfloor.domain.spending import Usage


class Text(Fact, tag="text"):
    """Plain words."""

    text: str


class Thinking(Fact, tag="thinking"):
    """A model's reasoning, carried back to the wire it came from unharmed.

    `signature` is the provider's seal (Anthropic); `redacted` is an opaque block that replaces the text.
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None


class Image(Fact, tag="image"):
    """A picture, base64-encoded."""

    media_type: str
    data: str


class Call(Fact, tag="call"):
    """A model's wish to use a tool. `arguments` is the JSON text exactly as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str
    sealed: str = ""
    """What else the provider put on the call and wants back unharmed, as JSON text: Gemini keeps its thinking there."""


class Result(Fact, tag="result"):
    """What came of a call, in words the model can act on.

    `ok` is False when the call was refused, malformed or failed as a call; a command that exits 1 is ok.
    `output` is the blob that holds the whole output when `text` was trimmed.
    """

    call_id: str
    text: str
    ok: bool = True
    exit_code: int | None = None
    output: str | None = None
    images: tuple[Image, ...] = ()
    interrupted: bool = False


Part: TypeAlias = Text | Thinking | Image | Call | Result


class Message(Fact):
    """One message of a conversation. Results travel in a user message, calls and thinking in an assistant message."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The plain words of the message, without thinking, calls and results."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(part for part in self.parts if isinstance(part, Call))

    @property
    def results(self) -> tuple[Result, ...]:
        return tuple(part for part in self.parts if isinstance(part, Result))


def said(text: str) -> Message:
    """A user message of plain words."""
    return Message(role="user", parts=(Text(text=text),))


class ToolSpec(Fact):
    """A tool as a model sees it; `schema` is the JSON Schema of its arguments, as canonical JSON text."""

    name: str
    description: str
    schema: str


StopReason: TypeAlias = Literal["end", "calls", "length", "refused"]


class Reply(Fact):
    """One whole reply of a model, with what it cost. `usd` is None when the price is unknown, never 0."""

    message: Message
    usage: Usage
    model: str
    stop: StopReason
    usd: float | None = None
    seconds: float = 0.0
    lost: int = 0
    """Earlier tries of the same request that broke off: the provider may have charged for their prompts."""


class ConversationKey(Fact):
    """Which conversation this is, in names that stay the same from one replay to the next."""

    mission: str
    role: str
    feature: str = ""
    attempt: int = 1

    def __str__(self) -> str:
        return "/".join(filter(None, (self.mission, self.role, self.feature, str(self.attempt))))


class OnDelta(Protocol):
    """Hears the text of a reply while it streams; may be called any number of times, also none."""

    def __call__(self, text: str, /) -> None: ...


class Conversation(Protocol):
    """An append-only exchange with one model. What was appended is encoded once and never changes."""

    def append(self, message: Message) -> None:
        """Adds a message to the end."""
        ...

    @property
    def prompt_bytes(self) -> int:
        """Size of the prompt that the next call would send, in bytes of tools, system and messages."""
        ...

    @property
    def unanswered(self) -> int:
        """Prompts that the last `reply`, were it broken off now, has sent in vain; each may have been charged for."""
        ...

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        """Asks for the next reply; does not append it.

        Raises TryLater (busy or unreachable after all retries), GiveUp (refused key, unknown model, a request the
        provider will never accept). A stream cut in the middle is asked again whole: no half reply ever returns.
        """
        ...


class Model(Protocol):
    """A way to reach one model."""

    @property
    def name(self) -> str:
        """`provider:model`."""
        ...

    def price(self, usage: Usage, /) -> float | None:
        """What that usage costs, in US dollars; None when the price is unknown, never 0."""
        ...

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        """Starts a conversation; sends nothing."""
        ...
