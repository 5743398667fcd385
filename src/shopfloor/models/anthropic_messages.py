"""Anthropic messages: one codec for both directions, with signed thinking carried back unharmed and cache marks.

It does not know where bytes go, nor which blocks get a mark (ledger).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from shopfloor.domain.messages import Call, Image, Message, Part, Result, StopReason, Text, Thinking, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.canonical import canonical, canonical_text, mended, parsed, sendable_arguments
from shopfloor.models.failures import ErrorBody, Failure
from shopfloor.models.ledger import NO_MARK, Encoded
from shopfloor.models.sse import ServerEvent
from shopfloor.models.wire import WireReply, with_own_ids

VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 16_384
STOPS: Mapping[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "tool_use": "calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}
STATUS_OF_ERROR: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")
NOTHING_SAID = "(nothing)"

# --- what comes in -----------------------------------------------------------------------------------------------


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, object] = {}


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None


class _Reply(msgspec.Struct):
    content: list[_Block] = []
    stop_reason: str | None = None
    usage: _Usage | None = None
    error: ErrorBody | None = None


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: _Reply | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: ErrorBody | None = None


# --- what goes out -----------------------------------------------------------------------------------------------


class _SentText(msgspec.Struct, tag="text", tag_field="type"):
    text: str


class _SentThinking(msgspec.Struct, tag="thinking", tag_field="type"):
    thinking: str
    signature: str


class _SentRedacted(msgspec.Struct, tag="redacted_thinking", tag_field="type"):
    data: str


class _SentSource(msgspec.Struct, tag="base64", tag_field="type"):
    media_type: str
    data: str


class _SentImage(msgspec.Struct, tag="image", tag_field="type"):
    source: _SentSource


class _SentCall(msgspec.Struct, tag="tool_use", tag_field="type"):
    id: str
    name: str
    input: msgspec.Raw


class _SentResult(msgspec.Struct, tag="tool_result", tag_field="type", omit_defaults=True):
    tool_use_id: str
    content: str | list[_SentText | _SentImage]
    is_error: bool = False


class _SentTool(msgspec.Struct):
    name: str
    description: str
    input_schema: msgspec.Raw


@dataclass(frozen=True, kw_only=True)
class AnthropicMessages:
    """The codec."""

    stream: bool = True
    max_tokens: int | None = None
    path: str = "/v1/messages"
    tail: bytes = b"]}"
    mark: bytes = b',"cache_control":{"type":"ephemeral"}'

    def headers(self, key: str) -> Mapping[str, str]:
        version = {"anthropic-version": VERSION}
        return {**version, "x-api-key": key} if key else version

    def head(self, model: str, system: str, tools: tuple[ToolSpec, ...]) -> Encoded:
        fields: dict[str, object] = {"model": model, "max_tokens": self.max_tokens or DEFAULT_MAX_TOKENS}
        if self.stream:
            fields["stream"] = True
        data = canonical(fields).removesuffix(b"}")
        marks: list[int] = []
        if tools:
            sent = canonical([_sent_tool(tool) for tool in sorted(tools, key=lambda tool: tool.name)])
            data += b',"tools":' + sent
            marks.append(len(data) - len(b"}]"))
        if system.strip():
            data += b',"system":' + canonical([_SentText(text=mended(system))])
            marks.append(len(data) - len(b"}]"))
        return Encoded(data + b',"messages":[', tuple(marks))

    def message(self, message: Message) -> Encoded:
        blocks = [block for part in _results_first(message.parts) if (block := _sent(part)) is not None]
        data = b'{"role":"' + message.role.encode() + b'","content":['
        places: list[int] = []
        for block in blocks or [_SentText(text=NOTHING_SAID)]:
            data += canonical(block)
            places.append(NO_MARK if isinstance(block, _SentThinking | _SentRedacted) else len(data) - 1)
            data += b","
        return Encoded(data[:-1] + b"]}", tuple(places))

    def assembly(self, turn: int) -> "MessageAssembly":
        return MessageAssembly(turn)

    def whole(self, data: bytes, turn: int) -> WireReply | Failure:
        reply = parsed(data, _Reply)
        if reply.error is not None:
            return _failure(reply.error)
        if reply.stop_reason is None:
            return Failure(kind="malformed", words="a reply without a stop reason")
        parts = [part for block in reply.content if (part := _part(_Growing(block))) is not None]
        return _reply(parts, turn, reply.stop_reason, reply.usage)


def _results_first(parts: tuple[Part, ...]) -> list[Part]:
    """Results must open the message that answers calls."""
    return sorted(parts, key=lambda part: not isinstance(part, Result))


_SentBlock: TypeAlias = _SentText | _SentThinking | _SentRedacted | _SentImage | _SentCall | _SentResult


def _sent(part: Part) -> _SentBlock | None:
    """A part as a block, or None for what this format refuses: blank text, and thinking without its signature."""
    match part:
        case Text(text=text):
            return _SentText(text=mended(text)) if text.strip() else None
        case Thinking(redacted=str(data)):
            return _SentRedacted(data=data)
        case Thinking(text=text, signature=str(signature)):
            return _SentThinking(thinking=text, signature=signature)
        case Thinking():
            return None
        case Image():
            return _sent_image(part)
        case Call():
            arguments = msgspec.Raw(sendable_arguments(part.arguments))
            return _SentCall(id=_sent_id(part.id), name=part.name, input=arguments)
        case Result():
            return _sent_result(part)


def _sent_result(result: Result) -> _SentResult:
    content: str | list[_SentText | _SentImage] = mended(result.text)
    if result.images:
        words: list[_SentText | _SentImage] = [_SentText(text=mended(result.text))] if result.text.strip() else []
        content = [*words, *(_sent_image(image) for image in result.images)]
    return _SentResult(tool_use_id=_sent_id(result.call_id), content=content, is_error=not result.ok)


def _sent_image(image: Image) -> _SentImage:
    return _SentImage(source=_SentSource(media_type=image.media_type, data=image.data))


def _sent_tool(tool: ToolSpec) -> _SentTool:
    return _SentTool(name=tool.name, description=mended(tool.description), input_schema=msgspec.Raw(tool.schema))


def _sent_id(call_id: str) -> str:
    """An id as this format takes it: calls may come from a conversation that began on another provider."""
    return NOT_IN_IDS.sub("_", call_id)


# --- putting a reply together ------------------------------------------------------------------------------------


@dataclass
class _Growing:
    """One block, growing."""

    start: _Block
    text: list[str] = field(default_factory=list[str])
    signature: list[str] = field(default_factory=list[str])
    arguments: list[str] = field(default_factory=list[str])


class MessageAssembly:
    """One reply, from its events."""

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._blocks: dict[int, _Growing] = {}
        self._stop: str | None = None
        self._usage = _Usage()
        self._ended = False
        self._failure: Failure | None = None

    def take(self, event: ServerEvent) -> str:
        if not event.data.startswith(b"{"):
            return ""
        told = parsed(event.data, _Event)
        match told.type:
            case "message_start" if told.message is not None:
                self._count(told.message.usage)
            case "content_block_start" if told.content_block is not None:
                self._blocks[told.index] = _Growing(told.content_block)
                return told.content_block.text
            case "content_block_delta" if told.delta is not None:
                return self._grow(told.index, told.delta)
            case "message_delta":
                self._stop = (told.delta and told.delta.stop_reason) or self._stop
                self._count(told.usage)
            case "message_stop":
                self._ended = True
            case "error":
                self._failure = _failure(told.error or ErrorBody())
            case _:
                pass  # pings, block ends, and kinds that come later
        return ""

    def outcome(self) -> WireReply | Failure:
        if self._failure is not None:
            return self._failure
        if not self._ended or self._stop is None:
            return Failure(kind="cut", words="the stream ended before message_stop")
        parts = [part for _, block in sorted(self._blocks.items()) if (part := _part(block)) is not None]
        usage = None if self._usage == _Usage() else self._usage
        return _reply(parts, self._turn, self._stop, usage)

    def _grow(self, index: int, delta: _Delta) -> str:
        block = self._blocks.get(index)
        if block is None:
            raise ValueError(f"a delta for block {index}, which never started")
        match delta.type:
            case "text_delta":
                block.text.append(delta.text)
                return delta.text
            case "thinking_delta":
                block.text.append(delta.thinking)
            case "signature_delta":
                block.signature.append(delta.signature)
            case "input_json_delta":
                block.arguments.append(delta.partial_json)
            case _:
                pass
        return ""

    def _count(self, usage: _Usage | None) -> None:
        """Counts are cumulative: a later one replaces an earlier one, and adds nothing to it."""
        if usage is not None:
            known = {name: count for name, count in msgspec.structs.asdict(usage).items() if count is not None}
            self._usage = msgspec.structs.replace(self._usage, **known)


def _part(block: _Growing) -> Part | None:
    start = block.start
    match start.type:
        case "text":
            text = mended(start.text + "".join(block.text))
            return Text(text=text) if text else None
        case "thinking":
            signature = start.signature + "".join(block.signature)
            return Thinking(text=mended(start.thinking + "".join(block.text)), signature=signature or None)
        case "redacted_thinking":
            return Thinking(redacted=start.data)
        case "tool_use":
            arguments = "".join(block.arguments) or canonical_text(start.input)
            return Call(id=start.id, name=start.name, arguments=mended(arguments))
        case _:
            return None


def _reply(parts: list[Part], turn: int, stop_reason: str, usage: _Usage | None) -> WireReply:
    stop = STOPS.get(stop_reason, "end")
    has_calls = any(isinstance(part, Call) for part in parts)
    return WireReply(
        message=Message(role="assistant", parts=with_own_ids(parts, turn)),
        stop="calls" if has_calls and stop == "end" else stop,
        usage=_counted(usage),
    )


def _counted(usage: _Usage | None) -> Usage | None:
    """Usage with each token counted once: this format already counts cached tokens apart from fresh ones."""
    if usage is None:
        return None
    return Usage(
        fresh=usage.input_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write=usage.cache_creation_input_tokens or 0,
        output=usage.output_tokens or 0,
    )


def _failure(error: ErrorBody) -> Failure:
    """An error that came in place of a reply, under HTTP status 200."""
    code = error.type or ""
    return Failure(kind="status", status=STATUS_OF_ERROR.get(code, 500), words=error.message, code=code)
