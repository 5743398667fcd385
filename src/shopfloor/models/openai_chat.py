"""OpenAI chat completions, the format that most model servers share: one codec for both directions.

Only what every such server takes is sent: no `strict`, no `parallel_tool_calls`. It does not know where bytes go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from shopfloor.domain.messages import Call, Image, Message, Part, StopReason, Text, Thinking, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.canonical import canonical, canonical_text, mended, parsed, sendable_arguments
from shopfloor.models.failures import ErrorBody, Failure
from shopfloor.models.ledger import Encoded
from shopfloor.models.sse import ServerEvent
from shopfloor.models.wire import WireReply, with_own_ids

STOPS: Mapping[str, StopReason] = {
    "stop": "end",
    "tool_calls": "calls",
    "function_call": "calls",
    "length": "length",
    "content_filter": "refused",
}
END_MARK = b"[DONE]"

# --- what comes in: loose, because servers differ ----------------------------------------------------------------


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, object] | None = None


class _ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None
    extra_content: msgspec.Raw = msgspec.Raw()


class _Piece(msgspec.Struct):
    text: str = ""


class _Said(msgspec.Struct):
    content: str | list[_Piece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    prompt_cache_hit_tokens: int | None = None


class _Completion(msgspec.Struct):
    """A whole reply, or one chunk of a streamed one."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: ErrorBody | str | None = None


# --- what goes out -----------------------------------------------------------------------------------------------


class _SentFunction(msgspec.Struct):
    name: str
    arguments: str


class _SentCall(msgspec.Struct, tag="function", tag_field="type"):
    id: str
    function: _SentFunction
    extra_content: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _SentText(msgspec.Struct, tag="text", tag_field="type"):
    text: str


class _SentUrl(msgspec.Struct):
    url: str


class _SentImage(msgspec.Struct, tag="image_url", tag_field="type"):
    image_url: _SentUrl


class _SentTool(msgspec.Struct):
    name: str
    description: str
    parameters: msgspec.Raw


@dataclass(frozen=True, kw_only=True)
class OpenAIChat:
    """The codec. `limit_field` and `max_tokens` bound a reply, where asked; `reasoning_field` carries thinking back.

    What servers disagree on besides is explained at `names.Endpoint`.
    """

    stream: bool = True
    max_tokens: int | None = None
    limit_field: str = "max_tokens"
    reasoning_field: str = "reasoning_content"
    asks_for_usage: bool = True
    seals_calls: bool = False
    path: str = "/chat/completions"
    tail: bytes = b"]}"
    mark: bytes = b""

    def headers(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"} if key else {}

    def head(self, model: str, system: str, tools: tuple[ToolSpec, ...]) -> Encoded:
        fields: dict[str, object] = {"model": model}
        if self.max_tokens is not None:
            fields[self.limit_field] = self.max_tokens
        if self.stream:
            fields["stream"] = True
            if self.asks_for_usage:
                fields["stream_options"] = {"include_usage": True}
        if tools:
            fields["tools"] = [_sent_tool(tool) for tool in sorted(tools, key=lambda tool: tool.name)]
        fields["messages"] = [{"role": "system", "content": mended(system)}] if system else []
        opened = canonical(fields).removesuffix(self.tail)
        return Encoded(opened + b"," if system else opened)

    def message(self, message: Message) -> Encoded:
        sent = [self._assistant(message)] if message.role == "assistant" else _user(message)
        return Encoded(b",".join(canonical(one) for one in sent))

    def assembly(self, turn: int) -> "ChatAssembly":
        return ChatAssembly(turn)

    def whole(self, data: bytes, turn: int) -> WireReply | Failure:
        completion = parsed(data, _Completion)
        if completion.error is not None:
            return _failure(completion.error)
        if not completion.choices or completion.choices[0].message is None:
            return Failure(kind="malformed", words="a reply without a message")
        said = completion.choices[0].message
        for call in said.tool_calls or ():
            call.index = None  # in a whole reply each entry is a call, and some servers give all the same index
        assembly = ChatAssembly(turn)
        assembly.add(said)
        return assembly.reply(completion.choices[0].finish_reason or "stop", completion.usage)

    def _assistant(self, message: Message) -> dict[str, object]:
        thinking = "".join(part.text for part in message.parts if isinstance(part, Thinking) and part.signature is None)
        calls = [self._call(call) for call in message.calls]
        sent: dict[str, object] = {"role": "assistant", "content": mended(message.text) or (None if calls else "")}
        if thinking and self.reasoning_field:
            sent[self.reasoning_field] = mended(thinking)
        if calls:
            sent["tool_calls"] = calls
        return sent

    def _call(self, call: Call) -> _SentCall:
        function = _SentFunction(name=call.name, arguments=sendable_arguments(call.arguments))
        sealed = msgspec.Raw(call.sealed.encode()) if call.sealed and self.seals_calls else msgspec.UNSET
        return _SentCall(id=call.id, function=function, extra_content=sealed)


def _user(message: Message) -> list[dict[str, object]]:
    """Results first, each a message of its own; the pictures in them and all other parts follow as the user's."""
    sent: list[dict[str, object]] = [
        {"role": "tool", "tool_call_id": result.call_id, "content": mended(result.text)} for result in message.results
    ]
    for result in message.results:
        if result.images:
            lead = _SentText(text=f"Images that call {result.call_id} returned:")
            sent.append({"role": "user", "content": [lead, *(_sent_image(image) for image in result.images)]})
    rest = [part for part in message.parts if isinstance(part, Text | Image)]
    if any(isinstance(part, Image) for part in rest):
        sent.append({"role": "user", "content": [_sent_piece(part) for part in rest]})
    elif rest or not sent:
        sent.append({"role": "user", "content": mended(message.text)})
    return sent


def _sent_piece(part: Text | Image) -> _SentText | _SentImage:
    return _SentText(text=mended(part.text)) if isinstance(part, Text) else _sent_image(part)


def _sent_image(image: Image) -> _SentImage:
    return _SentImage(image_url=_SentUrl(url=f"data:{image.media_type};base64,{image.data}"))


def _sent_tool(tool: ToolSpec) -> dict[str, object]:
    function = _SentTool(name=tool.name, description=mended(tool.description), parameters=msgspec.Raw(tool.schema))
    return {"type": "function", "function": function}


# --- putting a reply together ------------------------------------------------------------------------------------


@dataclass
class _Slot:
    """One call, growing."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    sealed: str = ""


class ChatAssembly:
    """One reply, from its chunks."""

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._slots: list[_Slot] = []
        self._slot_at: dict[int, _Slot] = {}
        self._finish: str | None = None
        self._usage: _Usage | None = None
        self._ended = False
        self._failure: Failure | None = None

    def take(self, event: ServerEvent) -> str:
        if event.data == END_MARK:
            self._ended = True
            return ""
        chunk = parsed(event.data, _Completion)
        if chunk.error is not None:
            self._failure = _failure(chunk.error)
        self._usage = chunk.usage or self._usage
        words = ""
        for choice in chunk.choices or ():
            self._finish = choice.finish_reason or self._finish
            if choice.delta is not None:
                words += self.add(choice.delta)
        return words

    def add(self, said: _Said) -> str:
        """Adds what was said, whole or in part; its plain words."""
        words = said.content if isinstance(said.content, str) else "".join(piece.text for piece in said.content or ())
        words += said.refusal or ""
        if words:
            self._text.append(words)
        if thinking := said.reasoning_content or said.reasoning:
            self._thinking.append(thinking)
        for call in said.tool_calls or ():
            self._add_call(call)
        return words

    def outcome(self) -> WireReply | Failure:
        if self._failure is not None:
            return self._failure
        if not self._ended or self._finish is None:
            return Failure(kind="cut", words="the stream ended before its end mark")
        return self.reply(self._finish, self._usage)

    def reply(self, finish: str, usage: _Usage | None) -> WireReply:
        """All that was added, as one reply."""
        parts: list[Part] = []
        if self._thinking:
            parts.append(Thinking(text=mended("".join(self._thinking))))
        if text := mended("".join(self._text)):
            parts.append(Text(text=text))
        for slot in self._slots:
            arguments = mended("".join(slot.arguments))
            parts.append(Call(id=slot.id, name=slot.name, arguments=arguments, sealed=slot.sealed))
        stop = STOPS.get(finish, "end")
        return WireReply(
            message=Message(role="assistant", parts=with_own_ids(parts, self._turn)),
            stop="calls" if self._slots and stop == "end" else stop,
            usage=_counted(usage),
        )

    def _add_call(self, call: _ToolCall) -> None:
        slot = self._slot_for(call)
        slot.id = slot.id or call.id or ""
        if (sealed := bytes(call.extra_content)) not in (b"", b"null"):
            slot.sealed = sealed.decode()
        if call.function is None:
            return
        slot.name = slot.name or call.function.name or ""
        arguments = call.function.arguments
        if arguments is not None:
            slot.arguments.append(arguments if isinstance(arguments, str) else canonical_text(arguments))

    def _slot_for(self, call: _ToolCall) -> _Slot:
        """The call that this piece belongs to. Without an index, a new id or a name begins a new call."""
        if call.index is not None:
            current = self._slot_at.get(call.index)
            begins = bool(current and call.id and current.id and call.id != current.id)
        else:
            current = self._slots[-1] if self._slots else None
            begins = bool(current and call.function and call.function.name and current.name)
        if current is None or begins:
            current = _Slot()
            self._slots.append(current)
        if call.index is not None:
            self._slot_at[call.index] = current
        return current


def _counted(usage: _Usage | None) -> Usage | None:
    """Usage with each token counted once: this format counts cached tokens among those of the prompt.

    Some servers leave thinking out of the completion's tokens but not out of the total.
    """
    if usage is None:
        return None
    details = usage.prompt_tokens_details or _PromptDetails()
    read = details.cached_tokens or usage.prompt_cache_hit_tokens or 0
    write = details.cache_write_tokens or 0
    thought = usage.completion_tokens_details or _OutputDetails()
    return Usage(
        fresh=max(0, usage.prompt_tokens - read - write),
        cache_read=read,
        cache_write=write,
        output=max(usage.completion_tokens or 0, (usage.total_tokens or 0) - usage.prompt_tokens),
        reasoning=thought.reasoning_tokens or 0,
    )


def _failure(error: ErrorBody | str) -> Failure:
    """An error that came in place of a reply, under HTTP status 200."""
    if isinstance(error, str):
        return Failure(kind="status", status=500, words=error)
    status = error.code if isinstance(error.code, int) and error.code >= 400 else 500
    return Failure(kind="status", status=status, words=error.message, code=str(error.type or error.code or ""))
