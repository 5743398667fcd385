"""The byte ledger: a prompt that only grows, at a flat cost per message."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.messages import Call, Message, Part, Result, Text, Thinking, ToolSpec, said
from shopfloor.models.anthropic_messages import AnthropicMessages
from shopfloor.models.ledger import LONGEST_STRIDE, MOST_MARKS, Encoded, Ledger
from shopfloor.models.openai_chat import OpenAIChat
from shopfloor.models.wire import Wire

TOOLS = (ToolSpec(name="shell", description="Runs a command", schema='{"type":"object"}'),)
MARK = AnthropicMessages().mark

texts = st.text(max_size=12)
user_parts = st.one_of(st.builds(Text, text=texts), st.builds(Result, call_id=st.just("c1"), text=texts))
model_parts = st.one_of(
    st.builds(Text, text=texts),
    st.builds(Thinking, text=texts, signature=st.just("sig")),
    st.builds(Call, id=st.just("c1"), name=st.just("shell"), arguments=texts),
)


def _message(role: str, parts: list[Part]) -> Message:
    return Message(role="assistant" if role == "assistant" else "user", parts=tuple(parts))


turns = st.lists(
    st.tuples(st.lists(user_parts, max_size=30), st.lists(model_parts, max_size=4)), min_size=1, max_size=8
)


def opened(wire: Wire) -> Ledger:
    return Ledger(wire.head("m", "You are careful.", TOOLS), wire.tail, wire.mark)


def requests(wire: Wire, exchange: list[tuple[list[Part], list[Part]]]) -> list[bytes]:
    """The requests of a whole conversation, one per turn."""
    ledger = opened(wire)
    bodies: list[bytes] = []
    for user, model in exchange:
        ledger.append(wire.message(_message("user", user)), from_model=False)
        bodies.append(ledger.body())
        ledger.append(wire.message(_message("assistant", model)), from_model=True)
    return bodies


def marked_blocks(body: bytes) -> list[str]:
    """The content of every block with a mark, as JSON text without the mark."""
    prompt = json.loads(body)
    blocks = [*prompt["tools"], *prompt["system"], *(block for one in prompt["messages"] for block in one["content"])]
    return [json.dumps({**block, "cache_control": 0}) for block in blocks if "cache_control" in block]


@pytest.mark.parametrize("wire", [OpenAIChat(), AnthropicMessages()], ids=["openai", "anthropic"])
@given(exchange=turns)
def test_each_request_begins_with_the_bytes_of_the_one_before(
    wire: Wire, exchange: list[tuple[list[Part], list[Part]]]
) -> None:
    """Nothing that was sent is ever sent differently, marks aside: the provider's prefix cache always hits."""
    bare = [body.replace(MARK, b"").removesuffix(wire.tail) for body in requests(wire, exchange)]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(bare))
    for body in requests(wire, exchange):
        json.loads(body)


@given(exchange=turns)
def test_never_more_than_four_marks_and_the_previous_one_is_kept(
    exchange: list[tuple[list[Part], list[Part]]],
) -> None:
    """The block up to which the last request was cached is still marked, so it is found whatever came since."""
    bodies = requests(AnthropicMessages(), exchange)
    assert all(0 < body.count(MARK) <= MOST_MARKS for body in bodies)
    for earlier, later in itertools.pairwise(bodies):
        assert marked_blocks(earlier)[-1] in marked_blocks(later)


@given(exchange=turns)
def test_a_rebuilt_conversation_sends_the_same_bytes(exchange: list[tuple[list[Part], list[Part]]]) -> None:
    """After a crash the request is built from the journal alone, never having sent the ones before."""
    wire = AnthropicMessages()
    rebuilt = opened(wire)
    for user, model in exchange[:-1]:
        rebuilt.append(wire.message(_message("user", user)), from_model=False)
        rebuilt.append(wire.message(_message("assistant", model)), from_model=True)
    rebuilt.append(wire.message(_message("user", exchange[-1][0])), from_model=False)
    assert rebuilt.body() == requests(wire, exchange)[-1]


def test_the_marks_are_the_last_tool_the_system_text_and_two_that_roll() -> None:
    """Four marks in the usual case, on exactly these blocks."""
    exchange = [([Text(text=f"question {turn}")], [Text(text=f"answer {turn}")]) for turn in range(3)]
    marked = marked_blocks(requests(AnthropicMessages(), exchange)[-1])
    assert [json.loads(block).get("name") or json.loads(block)["text"] for block in marked] == [
        "shell",
        "You are careful.",
        "question 1",
        "question 2",
    ]


def test_a_long_stride_gets_a_mark_in_between() -> None:
    """A provider looks back twenty blocks: thirty results in one turn take the tools' mark for a step in the middle."""
    results: list[Part] = [Result(call_id=f"c{number}", text=str(number)) for number in range(30)]
    exchange: list[tuple[list[Part], list[Part]]] = [([Text(text="go")], [Text(text="ok")]), (results, [])]
    body = requests(AnthropicMessages(), exchange)[-1]
    content = [block for message in json.loads(body)["messages"] for block in message["content"]]
    places = [index for index, block in enumerate(content) if "cache_control" in block]
    assert body.count(MARK) == MOST_MARKS
    assert places == [0, LONGEST_STRIDE, 31]


def test_a_thousand_messages_cost_the_same_each() -> None:
    """The thousandth message costs as many encoded bytes as the first: nothing before it is encoded again."""
    encoded: list[int] = []

    class Counting(OpenAIChat):
        def message(self, message: Message) -> Encoded:
            done = super().message(message)
            encoded.append(len(done.data))
            return done

    wire = Counting()
    ledger = opened(wire)
    head = ledger.size
    for number in range(1000):
        ledger.append(wire.message(said(f"message {number:04}")), from_model=False)
        ledger.body()
    assert len(encoded) == 1000
    assert len(set(encoded)) == 1
    assert ledger.size - head == sum(encoded) + 999
