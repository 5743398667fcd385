"""The other end of both wire formats: a reply written out as a provider would send it.

It does not know over what it is sent.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from shopfloor.domain.messages import Call, Message, Text, Thinking
from shopfloor.domain.spending import Usage
from shopfloor.models.canonical import canonical, sendable_arguments

Json: TypeAlias = Mapping[str, object]
Face: TypeAlias = Literal["openai", "anthropic"]
Stop: TypeAlias = Literal["", "length", "refused"]
PIECE = 16
"""Characters in one delta: small, so that every text of a test is streamed in several."""


class Sent(NamedTuple):
    """A reply, ready to be written in either format."""

    number: int
    model: str
    message: Message
    usage: Usage | None
    stop: Stop = ""


def whole(face: Face, sent: Sent) -> bytes:
    """The reply as one JSON document."""
    return canonical(_completion(sent) if face == "openai" else _message(sent))


def events(face: Face, sent: Sent) -> Iterator[bytes]:
    """The reply as server-sent events, each with its blank line."""
    if face == "openai":
        for chunk in _chunks(sent):
            yield b"data: " + canonical(chunk) + b"\n\n"
        yield b"data: [DONE]\n\n"
        return
    for event in _message_events(sent):
        yield b"event: " + str(event["type"]).encode() + b"\ndata: " + canonical(event) + b"\n\n"


def error(face: Face, kind: str, words: str) -> bytes:
    """An error's body."""
    body = {"type": kind, "message": words}
    return canonical({"error": body} if face == "openai" else {"type": "error", "error": body})


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def _thinking(message: Message) -> Thinking | None:
    return next((part for part in message.parts if isinstance(part, Thinking)), None)


# --- OpenAI chat -------------------------------------------------------------------------------------------------


def _openai_finish(sent: Sent) -> str:
    if sent.stop:
        return "length" if sent.stop == "length" else "content_filter"
    return "tool_calls" if sent.message.calls else "stop"


def _openai_usage(usage: Usage | None) -> Json | None:
    return usage and {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
    }


def _openai_call(call: Call) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _completion(sent: Sent) -> Json:
    said: dict[str, object] = {"role": "assistant", "content": sent.message.text or None}
    if thinking := _thinking(sent.message):
        said["reasoning_content"] = thinking.text
    if sent.message.calls:
        said["tool_calls"] = [_openai_call(call) for call in sent.message.calls]
    choice = {"index": 0, "message": said, "finish_reason": _openai_finish(sent)}
    return {
        "id": f"chatcmpl-{sent.number}",
        "object": "chat.completion",
        "created": 0,
        "model": sent.model,
        "choices": [choice],
        "usage": _openai_usage(sent.usage),
    }


def _chunks(sent: Sent) -> Iterator[Json]:
    base = {"id": f"chatcmpl-{sent.number}", "object": "chat.completion.chunk", "created": 0, "model": sent.model}

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant"})
    if thinking := _thinking(sent.message):
        yield from (chunk({"reasoning_content": piece}) for piece in _pieces(thinking.text))
    yield from (chunk({"content": piece}) for piece in _pieces(sent.message.text))
    for index, call in enumerate(sent.message.calls):
        opened = {"index": index, **_openai_call(msgspec.structs.replace(call, arguments=""))}
        yield chunk({"tool_calls": [opened]})
        for piece in _pieces(call.arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, _openai_finish(sent))
    yield {**base, "choices": [], "usage": _openai_usage(sent.usage)}


# --- Anthropic messages ------------------------------------------------------------------------------------------


def _anthropic_stop(sent: Sent) -> str:
    if sent.stop:
        return "max_tokens" if sent.stop == "length" else "refusal"
    return "tool_use" if sent.message.calls else "end_turn"


def _anthropic_usage(usage: Usage | None) -> dict[str, object]:
    if usage is None:
        return {}
    return {
        "input_tokens": usage.fresh,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "output_tokens": usage.output,
    }


def _message(sent: Sent) -> Json:
    return {
        "id": f"msg_{sent.number}",
        "type": "message",
        "role": "assistant",
        "model": sent.model,
        "content": [_whole_block(part) for part in sent.message.parts],
        "stop_reason": _anthropic_stop(sent),
        "stop_sequence": None,
        "usage": _anthropic_usage(sent.usage),
    }


def _whole_block(part: object) -> Json:
    match part:
        case Thinking(text=text, signature=signature):
            return {"type": "thinking", "thinking": text, "signature": signature or "mock"}
        case Call(id=call_id, name=name, arguments=arguments):
            return {
                "type": "tool_use",
                "id": call_id,
                "name": name,
                "input": msgspec.Raw(sendable_arguments(arguments)),
            }
        case Text(text=text):
            return {"type": "text", "text": text}
        case _:
            raise TypeError(f"a model says no {type(part).__name__}")


def _message_events(sent: Sent) -> Iterator[Json]:
    opened = {**_message(sent._replace(message=Message(role="assistant", parts=()))), "stop_reason": None}
    opened["usage"] = {**_anthropic_usage(sent.usage), **({"output_tokens": 1} if sent.usage else {})}
    yield {"type": "message_start", "message": opened}
    for index, part in enumerate(sent.message.parts):
        yield {"type": "content_block_start", "index": index, "content_block": _empty_block(part)}
        for delta in _block_deltas(part):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": _anthropic_stop(sent), "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": sent.usage.output} if sent.usage else {}}
    yield {"type": "message_stop"}


def _empty_block(part: object) -> Json:
    match part:
        case Thinking():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case Call(id=call_id, name=name):
            return {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        case _:
            return {"type": "text", "text": ""}


def _block_deltas(part: object) -> Iterator[Json]:
    match part:
        case Thinking(text=text, signature=signature):
            yield from ({"type": "thinking_delta", "thinking": piece} for piece in _pieces(text))
            yield {"type": "signature_delta", "signature": signature or "mock"}
        case Call(arguments=arguments):
            yield from ({"type": "input_json_delta", "partial_json": piece} for piece in _pieces(arguments))
        case Text(text=text):
            yield from ({"type": "text_delta", "text": piece} for piece in _pieces(text))
        case _:
            raise TypeError(f"a model says no {type(part).__name__}")
