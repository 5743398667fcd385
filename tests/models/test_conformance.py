"""What every model promises, whatever is behind it: HTTP in two formats, a script, a recording."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.messages import ConversationKey, Message, Model, Reply, Result, ToolSpec, said
from shopfloor.models.cassette import Cassette, Recorder
from shopfloor.models.connect import connect
from shopfloor.models.http_model import HttpModel
from shopfloor.models.mock_provider import MockProvider, Served
from shopfloor.models.script import Answer, ScriptedCall
from shopfloor.models.scripted import ScriptedModel

KEY = ConversationKey(mission="m1", role="worker")
TOOLS = (ToolSpec(name="shell", description="Runs a command", schema='{"type":"object"}'),)
TWO_CALLS = (
    ScriptedCall(name="shell", arguments={"command": "ls — 😀"}),
    ScriptedCall(name="shell", arguments={"command": "pwd"}),
)
ANSWERS = (Answer(text="Let me look at both.", thinking="Hm.", signature="seal", calls=TWO_CALLS), Answer(text="Done."))
SERVED = [Served(text=one.text, thinking=one.thinking, signature=one.signature, calls=one.calls) for one in ANSWERS]
SCRIPTED = ScriptedModel({("worker",): ANSWERS})


@contextmanager
def over_http(provider: str, *, stream: bool) -> Iterator[Model]:
    with MockProvider(SERVED) as mock:
        yield connect(f"{provider}:mock-model", mock.environment, stream=stream)


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Model]:
    """A model of that kind, which will give the two answers."""
    if kind == "scripted":
        yield SCRIPTED
    elif kind == "cassette":
        talk(Recorder(SCRIPTED, folder / "tape.jsonl"))
        yield Cassette(folder / "tape.jsonl")
    elif kind == "recorder":
        yield Recorder(SCRIPTED, folder / "tape.jsonl")
    else:
        provider, _, how = kind.partition(" ")
        with over_http(provider, stream=how == "streamed") as model:
            yield model


KINDS = pytest.mark.parametrize(
    "kind",
    ["scripted", "cassette", "recorder", "openai streamed", "openai whole", "anthropic streamed", "anthropic whole"],
)


def talk(model: Model, heard: list[str] | None = None) -> tuple[list[Reply], list[int]]:
    """The whole exchange: its replies, and the size of the prompt before each of them."""

    async def talking() -> tuple[list[Reply], list[int]]:
        conversation = model.open(KEY, "You are careful.", TOOLS)
        conversation.append(said("go"))
        replies: list[Reply] = []
        sizes: list[int] = []
        for _ in ANSWERS:
            sizes.append(conversation.prompt_bytes)
            replies.append(await conversation.reply(heard.append if heard is not None else None))
            assert conversation.prompt_bytes == sizes[-1]
            conversation.append(replies[-1].message)
            results = tuple(Result(call_id=call.id, text="a.py") for call in replies[-1].message.calls)
            conversation.append(Message(role="user", parts=results) if results else said("thanks"))
        if isinstance(model, HttpModel):
            await model.aclose()
        return replies, sizes

    return anyio.run(talking)


@KINDS
def test_the_same_answers_come_back_from_everywhere(kind: str, tmp_path: Path) -> None:
    """Text, order of parallel calls and their arguments, and why the reply ended."""
    with opened(kind, tmp_path) as model:
        replies, _ = talk(model)
    first, second = (reply.message for reply in replies)
    assert (first.text, second.text) == ("Let me look at both.", "Done.")
    assert [call.arguments for call in first.calls] == ['{"command":"ls — 😀"}', '{"command":"pwd"}']
    assert len({call.id for call in first.calls}) == 2
    assert [reply.stop for reply in replies] == ["calls", "end"]
    assert {message.role for message in (first, second)} == {"assistant"}


@KINDS
def test_asking_appends_nothing_and_appending_grows_the_prompt(kind: str, tmp_path: Path) -> None:
    """A reply joins the conversation only when it is appended."""
    with opened(kind, tmp_path) as model:
        _, sizes = talk(model)
    assert 0 < sizes[0] < sizes[1]


@KINDS
def test_what_is_heard_adds_up_to_what_is_said(kind: str, tmp_path: Path) -> None:
    """A listener hears the plain words, and no thinking. An unstreamed reply may be heard not at all."""
    heard: list[str] = []
    with opened(kind, tmp_path) as model:
        replies, _ = talk(model, heard)
    assert "".join(heard) == ("" if kind.endswith("whole") else "".join(reply.message.text for reply in replies))


@KINDS
def test_no_call_is_free_of_tokens_and_no_price_is_made_up(kind: str, tmp_path: Path) -> None:
    """Usage is always there; a price is there only where somebody knows it."""
    with opened(kind, tmp_path) as model:
        replies, _ = talk(model)
    assert all(reply.usage.prompt > 0 and reply.usage.output > 0 for reply in replies)
    assert [reply.usd for reply in replies] == [None, None]
    assert {reply.model for reply in replies} <= {model.name, SCRIPTED.name}


@KINDS
def test_a_rebuilt_conversation_has_the_size_of_the_lost_one(kind: str, tmp_path: Path) -> None:
    """Resuming is the same as starting: the messages alone decide."""
    with opened(kind, tmp_path) as model:
        replies, sizes = talk(model)
        again = model.open(KEY, "You are careful.", TOOLS)
        again.append(said("go"))
        again.append(replies[0].message)
        results = tuple(Result(call_id=call.id, text="a.py") for call in replies[0].message.calls)
        again.append(Message(role="user", parts=results))
    assert again.prompt_bytes == sizes[1]
