"""Both wire formats, both directions, against golden files."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from shopfloor.domain.messages import Call, Image, Message, Result, Text, Thinking, ToolSpec, said
from shopfloor.domain.spending import Usage
from shopfloor.models.anthropic_messages import AnthropicMessages
from shopfloor.models.failures import Failure
from shopfloor.models.ledger import NO_MARK, Ledger
from shopfloor.models.openai_chat import OpenAIChat
from shopfloor.models.reading import StreamReading, WholeReading
from shopfloor.models.wire import Wire, WireReply

OPENAI, ANTHROPIC = OpenAIChat(), AnthropicMessages()
TURN = 7
PIXEL = Image(media_type="image/png", data="iVBORw0KGgo=")
TOOLS = (
    ToolSpec(name="shell", description="Runs a command", schema='{"type":"object","properties":{}}'),
    ToolSpec(name="read", description="Reads a file — any file", schema='{"type":"object"}'),
)
EXCHANGE = (
    Message(role="user", parts=(Text(text="Look at this:"), PIXEL)),
    Message(
        role="assistant",
        parts=(
            Thinking(text="Look first.", signature="EqQBCgIYAhIM=="),
            Thinking(redacted="EmwKAhgBEgy3va3p"),
            Text(text="Looking — 😀."),
            Call(id="call_1", name="shell", arguments='{"command": "ls"}'),
            Call(id="call_2", name="read", arguments='{"path": "a'),
        ),
    ),
    Message(
        role="user",
        parts=(
            Result(call_id="call_1", text="a.py\n", exit_code=0, images=(PIXEL,)),
            Result(call_id="call_2", text="The arguments are no JSON.", ok=False),
        ),
    ),
    Message(role="assistant", parts=(Thinking(text="unsigned"), Text(text="Done."))),
    said("Thank you."),
)


def request(wire: Wire, *messages: Message, system: str = "You are careful.") -> bytes:
    ledger = Ledger(wire.head("some-model", system, TOOLS), wire.tail, wire.mark)
    for message in messages:
        ledger.append(wire.message(message), from_model=message.role == "assistant")
    return ledger.body()


def streamed(wire: Wire, data: bytes, on_delta: Callable[[str], None] | None = None) -> WireReply | Failure:
    reading = StreamReading(wire, TURN, on_delta)
    for start in range(0, len(data), 100):
        reading.feed(data[start : start + 100])
    return reading.close()


def whole(wire: Wire, data: bytes) -> WireReply | Failure:
    reading = WholeReading(wire, TURN)
    reading.feed(data)
    return reading.close()


@pytest.mark.parametrize(("wire", "name"), [(OPENAI, "openai"), (ANTHROPIC, "anthropic")])
def test_a_request_is_the_golden_one_to_the_byte(wire: Wire, name: str, golden: Path) -> None:
    """Tools sorted, fixed key order, no whitespace, images, results, thinking, and only fields every server takes."""
    assert request(wire, *EXCHANGE) + b"\n" == (golden / f"{name}_request.json").read_bytes()


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (OPENAI, "openai_parallel_calls"),
        (OPENAI, "deepseek_reasoning"),
        (OPENAI, "gemini_unindexed_calls"),
        (ANTHROPIC, "anthropic_thinking_and_calls"),
    ],
)
def test_a_stream_is_read_as_the_golden_reply(wire: Wire, name: str, golden: Path) -> None:
    """Interleaved and unindexed call deltas, keep-alive comments, thinking, and usage with cached tokens once."""
    expected = msgspec.json.decode((golden / f"{name}.reply.json").read_bytes(), type=WireReply)
    heard: list[str] = []
    assert streamed(wire, (golden / f"{name}.sse").read_bytes(), heard.append) == expected
    assert "".join(heard) == expected.message.text


@pytest.mark.parametrize(("wire", "name"), [(OPENAI, "openai_whole"), (ANTHROPIC, "anthropic_whole")])
def test_a_whole_reply_is_read_as_the_golden_one(wire: Wire, name: str, golden: Path) -> None:
    """Replies that are not streamed mean the same, also from servers that repeat an id for two calls."""
    expected = msgspec.json.decode((golden / f"{name}.reply.json").read_bytes(), type=WireReply)
    assert whole(wire, (golden / f"{name}.json").read_bytes()) == expected


@pytest.mark.parametrize(
    ("wire", "name"), [(OPENAI, "openai_parallel_calls"), (ANTHROPIC, "anthropic_thinking_and_calls")]
)
def test_a_stream_cut_after_any_event_gives_no_reply(wire: Wire, name: str, golden: Path) -> None:
    """However much has come, without the end mark there is no half reply."""
    events = (golden / f"{name}.sse").read_bytes().split(b"\n\n")[:-1]
    for count in range(1, len(events)):
        outcome = streamed(wire, b"\n\n".join(events[:count]) + b"\n\n")
        assert isinstance(outcome, Failure)
        assert outcome.kind == "cut"


@pytest.mark.parametrize(
    ("wire", "stream"),
    [
        (OPENAI, b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n'),
        (OPENAI, b'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'),
        (ANTHROPIC, b'data: {"type":"message_stop"}\n\n'),
    ],
    ids=["no finish reason", "no end mark", "no stop reason"],
)
def test_a_whole_stream_has_both_its_end_mark_and_a_reason(wire: Wire, stream: bytes) -> None:
    """A gateway that lost its upstream may still write the end mark: only both together make a reply whole."""
    outcome = streamed(wire, stream)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "cut"


def test_results_open_the_message_that_answers_calls() -> None:
    """Anthropic refuses words before results, chat completions anything between calls and results."""
    mixed = Message(role="user", parts=(Text(text="and hurry"), Result(call_id="a", text="1")))
    assert [block["type"] for block in json.loads(ANTHROPIC.message(mixed).data)["content"]] == ["tool_result", "text"]
    assert [one["role"] for one in json.loads(b"[" + OPENAI.message(mixed).data + b"]")] == ["tool", "user"]


def test_no_mark_stands_on_thinking() -> None:
    """Anthropic refuses a cache mark on sealed thoughts."""
    encoded = ANTHROPIC.message(EXCHANGE[1])
    assert [place == NO_MARK for place in encoded.blocks] == [True, True, False, False, False]
    assert all(encoded.data[place : place + 1] == b"}" for place in encoded.blocks if place != NO_MARK)


def test_thinking_returns_with_its_signature_unharmed(golden: Path) -> None:
    """What Anthropic sealed goes back byte for byte, sealed and redacted blocks in their old order."""
    reply = streamed(ANTHROPIC, (golden / "anthropic_thinking_and_calls.sse").read_bytes())
    assert isinstance(reply, WireReply)
    sent = json.loads(request(ANTHROPIC, said("go"), reply.message))["messages"][1]["content"]
    assert sent[:2] == [
        {
            "type": "thinking",
            "thinking": "I should look at the file first.",
            "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds9+/wX==",
        },
        {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"},
    ]


@pytest.mark.parametrize(("field", "sent"), [("reasoning_content", "unsigned"), ("reasoning", "unsigned"), ("", None)])
def test_reasoning_goes_back_in_the_field_the_endpoint_uses(field: str, sent: str | None) -> None:
    """Unsigned thinking returns where the endpoint expects it, or nowhere; sealed thinking never goes to strangers."""
    thinking = Message(role="assistant", parts=(Thinking(text="unsigned"), Thinking(text="sealed", signature="s")))
    message = json.loads(request(OpenAIChat(reasoning_field=field), thinking))["messages"][1]
    assert message.get(field) == sent
    assert "sealed" not in json.dumps(message)


def test_an_image_in_a_tool_result_arrives_in_both_formats() -> None:
    """Anthropic takes it inside the result; chat completions get it from the user, after all results."""
    results = EXCHANGE[2]
    inside = json.loads(ANTHROPIC.message(results).data)["content"][0]["content"]
    assert inside[1] == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL.data}}
    sent = json.loads(b"[" + OPENAI.message(results).data + b"]")
    assert [message["role"] for message in sent] == ["tool", "tool", "user"]
    assert sent[2]["content"][1] == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL.data}"}}


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
def test_halves_of_characters_can_be_sent(wire: Wire) -> None:
    """Output of a tool may hold half a character: it is replaced, two halves are joined, nothing breaks."""
    body = request(wire, said("lonely \ud83d, joined \ud83d\ude00"), system="half \udc80")
    assert "lonely \ufffd, joined 😀" in body.decode()


def test_a_character_split_between_two_deltas_is_whole_again() -> None:
    """Proxies that count in UTF-16 cut characters in two; each half comes as an escape of its own."""
    events = (
        b'data: {"choices":[{"delta":{"content":"smile \\ud83d"}}]}\n\n'
        b'data: {"choices":[{"delta":{"content":"\\ude00"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n"
    )
    reply = streamed(OPENAI, events)
    assert isinstance(reply, WireReply)
    assert reply.message.text == "smile 😀"


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ('{"a": ', {"unparsable": '{"a": '}),
        ("[1]", {"unparsable": "[1]"}),
        ("ls -la", {"unparsable": "ls -la"}),
    ],
)
def test_arguments_that_are_no_object_do_not_poison_the_conversation(arguments: str, sent: object) -> None:
    """A provider would refuse every later request for one broken call: it is shown to the model as text instead."""
    call = Message(role="assistant", parts=(Call(id="c", name="shell", arguments=arguments),))
    assert json.loads(ANTHROPIC.message(call).data)["content"][0]["input"] == sent
    assert json.loads(json.loads(OPENAI.message(call).data)["tool_calls"][0]["function"]["arguments"]) == sent


def test_parallel_calls_of_one_index_are_told_apart_by_their_ids() -> None:
    """Some servers number every call 0."""
    events = (
        b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"x","arguments":"{}"}}]}}]}'
        b"\n\n"
        b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"y","arguments":"{}"}}]},'
        b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    )
    reply = streamed(OPENAI, events)
    assert isinstance(reply, WireReply)
    assert [(call.id, call.name) for call in reply.message.calls] == [("a", "x"), ("b", "y")]
    assert reply.stop == "calls"


@pytest.mark.parametrize(
    ("wire", "event", "status"),
    [
        (OPENAI, b'data: {"error":{"message":"Upstream overloaded","code":502}}\n\n', 502),
        (OPENAI, b'data: {"error":{"message":"no","type":"server_error","code":null}}\n\n', 500),
        (
            ANTHROPIC,
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n',
            529,
        ),
        (
            ANTHROPIC,
            b'event: error\ndata: {"type":"error","error":{"type":"authentication_error","message":"No"}}\n\n',
            401,
        ),
    ],
)
def test_an_error_inside_a_stream_is_a_failure_with_its_status(wire: Wire, event: bytes, status: int) -> None:
    """HTTP said 200 before the trouble began; what matters is what the stream says."""
    outcome = streamed(wire, event)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.status) == ("status", status)


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
@pytest.mark.parametrize("garbage", [b'{"choices":[{"del', b'{"type":7,"choices":7}', b'{"\xff'])
def test_an_event_that_cannot_be_read_is_never_skipped(wire: Wire, garbage: bytes, golden: Path) -> None:
    """A reply with a hole in it is no reply, even if its end mark came."""
    name = "openai_parallel_calls" if wire is OPENAI else "anthropic_thinking_and_calls"
    outcome = streamed(wire, b"data: " + garbage + b"\n\n" + (golden / f"{name}.sse").read_bytes())
    assert isinstance(outcome, Failure)
    assert outcome.kind == "malformed"


def test_usage_counts_each_token_once() -> None:
    """Chat completions count cached tokens among those of the prompt, and some leave thinking out of the output."""
    body = {
        "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 10,
            "total_tokens": 1210,
            "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300},
            "completion_tokens_details": {"reasoning_tokens": 200},
        },
    }
    reply = whole(OPENAI, json.dumps(body).encode())
    assert isinstance(reply, WireReply)
    assert reply.usage == Usage(fresh=100, cache_read=600, cache_write=300, output=210, reasoning=200)


def test_only_what_every_server_takes_is_sent() -> None:
    """An endpoint that nobody knows gets no strict tools, no parallel flag, and no limit that nobody asked for."""
    fields = set(json.loads(request(OPENAI, said("hi"))))
    assert fields == {"model", "stream", "stream_options", "tools", "messages"}
    limited = json.loads(
        request(OpenAIChat(stream=False, max_tokens=9, limit_field="max_completion_tokens"), said("hi"))
    )
    assert limited["max_completion_tokens"] == 9
    assert "stream" not in limited


def test_what_a_provider_sealed_on_a_call_goes_back_to_it() -> None:
    """Gemini refuses the next turn without its signature; an endpoint that did not ask for it never sees it."""
    signed = {"google": {"thought_signature": "EqQBCgIYAhIM=="}}
    call = {"index": 0, "id": "call_1", "extra_content": signed, "function": {"name": "shell", "arguments": "{}"}}
    chunks = ({"choices": [{"delta": {"tool_calls": [call]}}]}, {"choices": [{"finish_reason": "tool_calls"}]})
    data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    reply = streamed(OPENAI, data)
    assert isinstance(reply, WireReply)

    back, elsewhere = (
        json.loads(request(wire, reply.message))["messages"][1]["tool_calls"][0]
        for wire in (OpenAIChat(seals_calls=True), OPENAI)
    )

    assert back["extra_content"] == signed
    assert "extra_content" not in elsewhere


def test_usage_is_not_asked_for_where_asking_is_an_error() -> None:
    """Mistral turns the option away and sends the usage anyway."""
    assert "stream_options" not in json.loads(request(OpenAIChat(asks_for_usage=False), said("hi")))


def test_a_silent_reply_can_be_sent_back() -> None:
    """A model that said nothing at all does not end the conversation: Anthropic refuses empty content."""
    silent = Message(role="assistant", parts=(Text(text=" "),))
    assert json.loads(ANTHROPIC.message(silent).data)["content"] == [{"type": "text", "text": "(nothing)"}]
    assert json.loads(OPENAI.message(Message(role="assistant", parts=())).data)["content"] == ""
