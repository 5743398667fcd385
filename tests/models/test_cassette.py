"""Recording a model and playing the recording."""

from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.messages import Conversation, ConversationKey, Message, Model, Reply, Result, said
from shopfloor.models.cassette import Cassette, Recorder
from shopfloor.models.connect import connect
from shopfloor.models.script import Answer, ScriptedCall
from shopfloor.models.scripted import ScriptedModel

WORKER = ConversationKey(mission="m1", role="worker", feature="export")
REVIEWER = ConversationKey(mission="m1", role="reviewer", feature="export")
LISTS = Answer(text="Looking.", calls=(ScriptedCall(name="shell", arguments={"command": "ls"}),))
LIVE = ScriptedModel({("worker",): [LISTS, LISTS, "done"], ("reviewer",): ["fine"]})


def talk(model: Model, key: ConversationKey = WORKER, system: str = "system") -> list[Reply]:
    """A whole conversation: every call gets a result, until the model calls nothing."""

    async def talking() -> list[Reply]:
        conversation = model.open(key, system, ())
        conversation.append(said("go"))
        replies: list[Reply] = []
        while not replies or replies[-1].message.calls:
            replies.append(await conversation.reply())
            conversation.append(replies[-1].message)
            conversation.append(results_of(replies[-1].message))
        return replies

    return anyio.run(talking)


def results_of(message: Message, *, interrupted: bool = False) -> Message:
    results = (Result(call_id=call.id, text="a.py", interrupted=interrupted) for call in message.calls)
    return Message(role="user", parts=tuple(results))


def rebuilt(model: Model, *messages: Message) -> Conversation:
    conversation = model.open(WORKER, "system", ())
    for message in messages:
        conversation.append(message)
    return conversation


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A recording of a worker and a reviewer."""
    path = tmp_path / "tape.jsonl"
    recorder = Recorder(LIVE, path)
    talk(recorder)
    talk(recorder, REVIEWER)
    return path


def test_a_recording_plays_back_the_very_same_replies(tape: Path) -> None:
    """Text, calls, usage, model: what was said is said again, in whatever order the conversations come."""
    cassette = Cassette(tape)
    assert talk(cassette, REVIEWER) == talk(LIVE, REVIEWER)
    assert talk(cassette) == talk(LIVE)
    assert cassette.warnings == []
    assert len(tape.read_bytes().splitlines()) == 4


def test_a_conversation_rebuilt_after_a_crash_goes_on_at_its_turn(tape: Path) -> None:
    """The turn follows from the assistant messages that were appended, not from how often somebody asked."""
    first, second, third = talk(LIVE)
    cassette = Cassette(tape)
    conversation = rebuilt(cassette, said("go"), first.message, results_of(first.message))
    assert anyio.run(conversation.reply) == second
    assert anyio.run(conversation.reply) == second
    conversation.append(second.message)
    conversation.append(results_of(second.message))
    assert anyio.run(conversation.reply) == third


def test_an_interrupted_call_is_made_again_and_the_tape_does_not_move(tape: Path) -> None:
    """A crash while a tool ran costs one more turn of the conversation and none of the recording."""
    first, second, _ = talk(LIVE)
    cassette = Cassette(tape)
    conversation = rebuilt(cassette, said("go"), first.message, results_of(first.message, interrupted=True))
    again = anyio.run(conversation.reply)
    assert [call.name for call in again.message.calls] == ["shell"]
    assert again.message.calls[0].id != first.message.calls[0].id
    conversation.append(again.message)
    conversation.append(results_of(again.message))
    assert anyio.run(conversation.reply) == second


def test_a_changed_prompt_is_a_warning_once_and_no_error(tape: Path) -> None:
    """Prompts improve; a recording does not rot for that, but whoever plays it should know."""
    cassette = Cassette(tape)
    assert talk(cassette, system="a better system text") == talk(LIVE)
    assert cassette.warnings == [
        "The prompt of 'm1/worker/export/1' has changed since it was recorded, first at turn 1."
    ]


def test_a_reply_that_was_never_recorded_names_conversation_and_turn(tape: Path) -> None:
    """Another attempt, another mission, another turn: nothing is made up."""
    with pytest.raises(GiveUp, match=r"no reply for 'm1/worker/export/2', turn 1"):
        talk(Cassette(tape), ConversationKey(mission="m1", role="worker", feature="export", attempt=2))


def test_who_asks_for_another_mission_is_told_what_the_tape_holds(tape: Path, tmp_path: Path) -> None:
    """A tape answers to the id of its own mission; what it holds is named, as far as anybody would read it."""
    with pytest.raises(GiveUp) as raised:
        talk(Cassette(tape), ConversationKey(mission="m2", role="worker", feature="export"))
    words = "'cassette:tape' holds no reply for 'm2/worker/export/1', turn 1; it holds "
    held = "m1/worker/export/1 (3 turns), m1/reviewer/export/1 (1 turn). A conversation is found by its mission's id"
    assert str(raised.value).startswith(words + held)

    long, empty = tmp_path / "long.jsonl", tmp_path / "empty.jsonl"
    empty.touch()
    for number in range(10):
        talk(Recorder(LIVE, long), ConversationKey(mission=f"m{number}", role="reviewer"))
    for path, end in ((long, "m7/reviewer/1 (1 turn) and 2 more. A"), (empty, "it holds nothing. A")):
        with pytest.raises(GiveUp) as raised:
            talk(Cassette(path))
        assert end in str(raised.value)


def test_a_line_torn_by_a_crash_is_neither_played_nor_built_upon(tape: Path) -> None:
    """The power failed in the middle of a line: it is ignored, and the next recording starts on a line of its own."""
    tape.write_bytes(tape.read_bytes() + b'{"key":{"mission":"m1","ro')
    assert talk(Cassette(tape)) == talk(LIVE)
    talk(Recorder(LIVE, tape), REVIEWER)
    assert len(tape.read_bytes().splitlines()) == 5
    assert talk(Cassette(tape), REVIEWER) == talk(LIVE, REVIEWER)


def test_of_two_recordings_of_a_turn_the_later_one_holds(tape: Path) -> None:
    """A reply recorded just before a crash was asked for again after it; the mission went on from the second."""
    other = ScriptedModel({("reviewer",): ["not so fine"]})
    talk(Recorder(other, tape), REVIEWER)
    assert talk(Cassette(tape), REVIEWER)[0].message.text == "not so fine"


def test_a_tape_can_be_listened_to(tape: Path) -> None:
    """Who listens to a reply hears its words."""
    conversation = rebuilt(connect(f"cassette:{tape}", {}), said("go"))
    heard: list[str] = []
    reply = anyio.run(conversation.reply, heard.append)
    assert "".join(heard) == reply.message.text != ""


def test_a_tape_that_is_none_says_so(tmp_path: Path) -> None:
    """Missing or broken, by name."""
    (tmp_path / "broken.jsonl").write_text("hello\n")
    for name, trouble in (("missing", "cannot be opened"), ("broken", "cannot be read")):
        with pytest.raises(GiveUp, match=rf"{name}\.jsonl.*{trouble}"):
            Cassette(tmp_path / f"{name}.jsonl")
