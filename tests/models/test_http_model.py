"""A model behind real HTTP: a mock provider at the other end, faults on demand."""

import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import GiveUp, NeedsHuman, Problem, TryLater
from shopfloor.domain.messages import Call, ConversationKey, Message, Reply, Result, ToolSpec, said
from shopfloor.models.cassette import Recorder
from shopfloor.models.connect import connect, disconnect
from shopfloor.models.http_model import HttpModel, Patience
from shopfloor.models.mock_provider import MockProvider, Served
from shopfloor.models.names import Endpoint
from shopfloor.models.retry import TRIES
from shopfloor.models.script import ScriptedCall
from shopfloor.models.transport import LARGEST_REPLY

KEY = ConversationKey(mission="m1", role="worker", feature="export")
TOOLS = (ToolSpec(name="shell", description="Runs a command", schema='{"type":"object"}'),)
LISTS = Served(text="Let me look.", calls=(ScriptedCall(name="shell", arguments={"command": "ls"}),))

WIRES = pytest.mark.parametrize("provider", ["openai", "anthropic"])
STREAMS = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def ask(
    name: str,
    mock: MockProvider,
    patience: Patience,
    *,
    stream: bool = True,
    messages: Sequence[Message] = (said("hi"),),
    heard: list[str] | None = None,
) -> Reply:
    """One reply over HTTP."""

    async def asking() -> Reply:
        model = connect(f"{name}:mock-model", mock.environment, stream=stream, patience=patience)
        assert isinstance(model, HttpModel)
        conversation = model.open(KEY, "You are careful.", TOOLS)
        for message in messages:
            conversation.append(message)
        try:
            return await conversation.reply(heard.append if heard is not None else None)
        finally:
            await model.aclose()

    return anyio.run(asking)


@WIRES
@STREAMS
@pytest.mark.parametrize(
    "fault",
    [
        Served(fault="status", status=429),
        Served(fault="status", status=500),
        Served(fault="status", status=503),
        Served(fault="status", status=529),
        Served(fault="cut", after_events=3, text="half a reply that must never be seen"),
        Served(fault="malformed", text="half a document"),
        Served(fault="nonsense"),
        Served(fault="empty"),
    ],
    ids=lambda served: f"{served.fault}{served.status if served.fault == 'status' else ''}",
)
def test_a_passing_trouble_is_tried_again(provider: str, stream: bool, fault: Served, waiting) -> None:
    """Whatever went wrong, the same request is sent once more, and its whole reply is the only one that returns."""
    with MockProvider([fault, Served(text="All well.")]) as mock:
        reply = ask(provider, mock, waiting.patience, stream=stream)
    assert reply.message == Message(role="assistant", parts=said("All well.").parts)
    assert len(waiting.delays) == 1
    assert len(waiting.told) == 1 and waiting.told[0].endswith("; asking again in 0 s")
    first, second = mock.requests
    assert first.body == second.body


@WIRES
def test_a_stream_cut_in_the_middle_never_gives_a_call_twice(provider: str, waiting) -> None:
    """The calls of a half reply are lost with it; those of the whole one come exactly once."""
    cut = Served(fault="cut", after_events=5, text=LISTS.text, calls=LISTS.calls)
    with MockProvider([cut, LISTS]) as mock:
        reply = ask(provider, mock, waiting.patience)
    assert reply.message.calls == (Call(id="call_2_1", name="shell", arguments='{"command":"ls"}'),)


@WIRES
@pytest.mark.parametrize("wanted", ["3", "0"])
def test_retry_after_is_honoured(provider: str, wanted: str, waiting) -> None:
    """The provider knows best when to come back."""
    with MockProvider([Served(fault="status", status=429, retry_after=wanted), Served(text="Now.")]) as mock:
        ask(provider, mock, waiting.patience)
    assert waiting.delays == [float(wanted)]


def test_after_all_tries_it_is_try_later(waiting) -> None:
    """A provider that stays down does not end the attempt: the lease snoozes."""
    with (
        MockProvider(lambda _: Served(fault="status", status=529, message="Overloaded")) as mock,
        pytest.raises(TryLater, match=r"'anthropic:mock-model' did not answer.*529.*Overloaded"),
    ):
        ask("anthropic", mock, waiting.patience)
    assert len(mock.requests) == TRIES


def test_a_long_retry_after_reaches_the_lease(waiting) -> None:
    """An hour is not waited for inside a call."""
    hourly = Served(fault="status", status=429, retry_after="3600")
    with MockProvider([hourly]) as mock, pytest.raises(TryLater) as caught:
        ask("openai", mock, waiting.patience)
    assert caught.value.after_s == 3600
    assert waiting.delays == []


@WIRES
@pytest.mark.parametrize(
    ("fault", "said_so"),
    [
        (Served(fault="status", status=401, message="invalid x-api-key"), r"invalid x-api-key.*_API_KEY"),
        (Served(fault="status", status=403, message="not your region"), "not your region"),
        (
            Served(fault="status", status=404, message="no such model"),
            r"'mock-model'.*It knows mock-model, other-model",
        ),
        (Served(fault="status", status=402, message="credit balance too low"), "too low.*Add credit there"),
        (Served(fault="status", status=302, message="Moved"), r"HTTP 302.*is http://\S+ the right address\?"),
    ],
    ids=["refused key", "forbidden", "unknown model", "no credit", "moved"],
)
def test_what_a_person_can_put_right_waits_for_one(provider: str, fault: Served, said_so: str, waiting) -> None:
    """Nothing is tried twice, and the message has the provider's words and says what a person has to do."""
    with MockProvider([fault], models=("mock-model", "other-model")) as mock, pytest.raises(NeedsHuman, match=said_so):
        ask(provider, mock, waiting.patience)
    assert len(mock.requests) == 1


@WIRES
@pytest.mark.parametrize(
    ("fault", "said_so"),
    [
        (Served(fault="status", status=400, message="tools.0: bad schema"), r"tools\.0: bad schema"),
        (
            Served(fault="status", status=400, message="prompt is too long: 210000 tokens > 200000 maximum"),
            r"no longer fits the context.*210000",
        ),
    ],
    ids=["bad request", "context overflow"],
)
def test_a_refusal_gives_up_in_the_providers_own_words(provider: str, fault: Served, said_so: str, waiting) -> None:
    """Nobody can make the same request succeed, so it is not tried twice."""
    with MockProvider([fault], models=("mock-model", "other-model")) as mock, pytest.raises(GiveUp, match=said_so):
        ask(provider, mock, waiting.patience)
    assert len(mock.requests) == 1


@WIRES
def test_the_right_key_is_sent(provider: str, waiting) -> None:
    """Each format has its own header for the key."""
    with MockProvider([Served(text="Welcome.")], key="open sesame") as mock:
        assert ask(provider, mock, waiting.patience).message.text == "Welcome."


def test_a_silent_local_port_says_what_to_start(waiting) -> None:
    """Nobody listens: the message names the address and the command, not a stack of network errors."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def asking() -> Problem:
        environment = {"OLLAMA_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        model = connect("ollama:qwen3", environment, patience=waiting.patience)
        assert isinstance(model, HttpModel)
        conversation = model.open(KEY, "", ())
        conversation.append(said("hi"))
        with pytest.raises(TryLater) as caught:
            await conversation.reply()
        await model.aclose()
        return caught.value

    assert f"Nothing answers at http://127.0.0.1:{port}/v1. Start it: `ollama serve`" in str(anyio.run(asking))
    assert waiting.delays == [0.5, 1.0]


@WIRES
@STREAMS
def test_truncated_arguments_come_as_the_model_wrote_them(provider: str, stream: bool, waiting) -> None:
    """A reply that hit its limit is whole as a reply; its broken call goes to the model to mend, not into a retry."""
    with MockProvider([Served(fault="truncated_call", calls=LISTS.calls)]) as mock:
        reply = ask(provider, mock, waiting.patience, stream=stream)
    assert reply.stop == "length"
    (call,) = reply.message.calls
    assert "ls" not in call.arguments
    assert waiting.delays == []


@WIRES
def test_cached_tokens_are_counted_once(provider: str, waiting) -> None:
    """The second request repeats the first as its prefix: fresh and cached tokens add up to the prompt, no more."""
    exchange = (said("first " * 100), Message(role="assistant", parts=said("ok").parts), said("second"))
    with MockProvider([Served(text="ok"), Served(text="done")]) as mock:
        ask(provider, mock, waiting.patience, messages=exchange[:1])
        usage = ask(provider, mock, waiting.patience, messages=exchange).usage
    assert usage.cache_read > 0
    assert usage.prompt == len(mock.requests[1].body) // 4


@WIRES
def test_a_conversation_keeps_one_connection(provider: str, waiting) -> None:
    """Requests of a whole conversation travel over one kept-alive connection, each the prefix of the next."""

    async def talking() -> None:
        model = connect(f"{provider}:mock-model", mock.environment, patience=waiting.patience)
        assert isinstance(model, HttpModel)
        conversation = model.open(KEY, "You are careful.", TOOLS)
        conversation.append(said("go"))
        for _ in range(5):
            before = conversation.prompt_bytes
            reply = await conversation.reply()
            assert conversation.prompt_bytes == before
            conversation.append(reply.message)
            results = tuple(Result(call_id=call.id, text="a.py") for call in reply.message.calls)
            conversation.append(Message(role="user", parts=results))
        await model.aclose()

    with MockProvider([LISTS] * 5) as mock:
        anyio.run(talking)
    assert len({request.headers["host"] for request in mock.requests}) == 1
    assert mock.connections == 1


def test_disconnecting_closes_the_connection_under_a_recorder_too(waiting, tmp_path: Path) -> None:
    """Whoever opened a model closes it, whatever it is wrapped in; a closed one opens anew when it is asked again."""

    async def talking() -> None:
        model = Recorder(connect("openai:m", mock.environment, patience=waiting.patience), tmp_path / "tape.jsonl")
        conversation = model.open(KEY, "", ())
        conversation.append(said("hi"))
        for _ in range(2):
            await conversation.reply()
            await disconnect(model)

    with MockProvider() as mock:
        anyio.run(talking)
    assert mock.connections == 2


def test_calls_without_ids_get_their_own(waiting) -> None:
    """Some local servers name no calls: results must still find theirs, in every turn."""
    with MockProvider([LISTS, LISTS], ids=False) as mock:
        first = ask("openai", mock, waiting.patience).message
        second = ask("openai", mock, waiting.patience, messages=(said("hi"), first, said("on"))).message
    assert [message.calls[0].id for message in (first, second)] == ["call_1_2", "call_2_2"]


def test_an_endpoint_that_does_not_count_is_estimated(waiting) -> None:
    """Zero would be a lie that no budget survives."""
    with MockProvider([Served(text="Free of charge?")], counts=False) as mock:
        usage = ask("openai", mock, waiting.patience).usage
    assert usage.fresh > 20
    assert usage.output > 0


def test_a_slow_reply_is_waited_for(waiting) -> None:
    """Slow is not broken."""
    with MockProvider([Served(fault="slow", seconds=0.2, text="At last.")]) as mock:
        reply = ask("anthropic", mock, waiting.patience)
    assert reply.message.text == "At last."
    assert reply.seconds >= 0.2


def test_a_users_own_endpoint_with_a_versioned_base_url(waiting, tmp_path: Path) -> None:
    """Anthropic's format behind any base URL, with or without /v1 at its end."""

    async def asking(base_url: str) -> str:
        own = Endpoint(provider="house", wire="anthropic-messages", base_url=base_url)
        model = connect("house:big", {}, own=(own,), patience=waiting.patience)
        assert isinstance(model, HttpModel)
        conversation = model.open(KEY, "", ())
        conversation.append(said("hi"))
        try:
            return (await conversation.reply()).message.text
        finally:
            await model.aclose()

    with MockProvider() as mock:
        assert anyio.run(asking, mock.url) == "You said: hi"
        assert anyio.run(asking, f"{mock.url}/v1") == "You said: hi"
    assert {request.path for request in mock.requests} == {"/v1/messages"}
    assert json.loads(mock.requests[0].body)["model"] == "big"


@WIRES
def test_a_reply_that_never_ends_is_cut_off(provider: str, waiting) -> None:
    """No honest reply is that large: it is given up, once, and not asked for again."""
    with (
        MockProvider([Served(text="and so on " * 9, fault="endless")]) as mock,
        pytest.raises(GiveUp, match=f"its reply had not ended after {LARGEST_REPLY:,} bytes"),
    ):
        ask(provider, mock, waiting.patience)
    assert waiting.delays == []


@WIRES
def test_tries_that_broke_off_are_counted(provider: str, waiting) -> None:
    """The provider may have charged for each; those it turned away at the door it has not."""
    faults = [Served(fault="status", status=503), Served(fault="cut", text="half a"), Served(fault="empty")]
    with MockProvider([*faults, Served(text="All well.")]) as mock:
        assert ask(provider, mock, waiting.patience).lost == 2


@WIRES
def test_what_nobody_took_is_not_counted(provider: str, waiting) -> None:
    """A provider that refuses at the door, or is not there, charges for nothing."""

    async def failing(environment: Mapping[str, str]) -> int:
        model = connect(f"{provider}:mock-model", environment, patience=waiting.patience)
        conversation = model.open(KEY, "You are careful.", TOOLS)
        conversation.append(said("hi"))
        with pytest.raises(Problem):
            await conversation.reply()
        await disconnect(model)
        return conversation.unanswered

    with MockProvider([Served(fault="status", status=401)]) as mock:
        assert anyio.run(failing, mock.environment) == 0
    assert anyio.run(failing, mock.environment) == 0


@WIRES
def test_tries_are_counted_when_time_runs_out_among_them(provider: str, waiting) -> None:
    """Two broke off; the third is under way as the caller leaves."""
    cut = Served(fault="cut", text="half a")

    async def leaving() -> int:
        model = connect(f"{provider}:mock-model", mock.environment, patience=waiting.patience)
        conversation = model.open(KEY, "You are careful.", TOOLS)
        conversation.append(said("hi"))
        with anyio.move_on_after(20) as time_left:
            await conversation.reply(lambda text: time_left.cancel() if "slow" in text else None)
        await disconnect(model)
        return conversation.unanswered

    with MockProvider([cut, cut, Served(text="slow " * 50, fault="endless")]) as mock:
        assert anyio.run(leaving) == 3
