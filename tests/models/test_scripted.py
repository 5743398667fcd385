"""The scripted model."""

from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.messages import Call, ConversationKey, Message, Result, Text, ToolSpec, said
from shopfloor.models.connect import connect
from shopfloor.models.script import Answer, ScriptedCall
from shopfloor.models.scripted import ScriptedModel

KEY = ConversationKey(mission="m1", role="worker", feature="export", attempt=2)
LISTS = Answer(text="Looking.", calls=(ScriptedCall(name="shell", arguments={"command": "ls"}),))


def reply_to(model: ScriptedModel, *messages: Message, key: ConversationKey = KEY) -> Message:
    conversation = model.open(key, "system", ())
    for message in messages:
        conversation.append(message)
    return anyio.run(conversation.reply).message


def test_the_most_precise_script_wins() -> None:
    """Role, feature and attempt narrow a script down; what is not written for one falls back to the wider one."""
    model = ScriptedModel({("worker",): ["any"], ("worker", "export"): ["export"], ("worker", "export", 2): ["second"]})
    first = ConversationKey(mission="m1", role="worker", feature="export")
    other = ConversationKey(mission="m1", role="worker", feature="import")
    assert [reply_to(model, said("go"), key=key).text for key in (KEY, first, other)] == ["second", "export", "any"]


def test_answers_come_in_turn_and_a_rebuilt_conversation_goes_on_where_it_was() -> None:
    """The place in the script follows from the messages alone."""
    model = ScriptedModel({("worker",): ["one", "two", "three"]})
    one, two = (Message(role="assistant", parts=(Text(text=text),)) for text in ("one", "two"))
    assert reply_to(model, said("go"), one, said("on"), two, said("on")).text == "three"


def test_an_interrupted_call_is_made_again_and_uses_up_no_answer() -> None:
    """After a crash a sensible model looks and repeats; then the script goes on as if nothing had happened."""
    model = ScriptedModel({("worker",): [LISTS, "done"]})
    first = reply_to(model, said("go"))
    (call,) = first.calls
    cut = Message(role="user", parts=(Result(call_id=call.id, text="Interrupted.", ok=False, interrupted=True),))
    again = reply_to(model, said("go"), first, cut)
    assert again.calls == (Call(id=f"{call.id}_again", name="shell", arguments='{"command":"ls"}'),)
    fine = Message(role="user", parts=(Result(call_id=again.calls[0].id, text="a.py"),))
    assert reply_to(model, said("go"), first, cut, again, fine).text == "done"


def test_only_what_was_interrupted_is_repeated_even_if_somebody_spoke_since() -> None:
    """Of two calls one had its result; a person's words after it change nothing."""
    both = Message(
        role="assistant", parts=(Call(id="a", name="x", arguments="{}"), Call(id="b", name="y", arguments="{}"))
    )
    results = (Result(call_id="a", text="fine"), Result(call_id="b", text="?", interrupted=True))
    model = ScriptedModel({("worker",): ["one", "two"]})
    again = reply_to(model, said("go"), both, Message(role="user", parts=results), said("hurry up"))
    assert [call.id for call in again.calls] == ["b_again"]


def test_call_ids_differ_between_turns_and_conversations_and_repeat_between_replays() -> None:
    """Ids are facts of the recording: the same tomorrow, and never the same for two calls."""
    model = ScriptedModel({("worker",): [LISTS, LISTS]})
    first = reply_to(model, said("go"))
    second = reply_to(model, said("go"), first, said("on"))
    elsewhere = reply_to(model, said("go"), key=ConversationKey(mission="m1", role="worker", feature="import"))
    ids = [message.calls[0].id for message in (first, second, elsewhere)]
    assert ids == ["call_worker_export_2_1_1", "call_worker_export_2_2_1", "call_worker_import_1_1_1"]


def test_a_function_can_answer() -> None:
    """Where a list is too stiff, a function of key, turn and newest message decides."""

    def answer(key: ConversationKey, turn: int, newest: Message | None) -> Message:
        return Message(role="assistant", parts=(Text(text=f"{key} {turn} {newest.text if newest else ''}"),))

    assert reply_to(ScriptedModel(answer), said("hello")).text == "m1/worker/export/2 1 hello"


def test_the_end_of_the_script_names_conversation_and_turn() -> None:
    """Whoever wrote the script learns what is missing."""
    with pytest.raises(GiveUp, match=r"no answer for 'm1/worker/export/2', turn 1"):
        reply_to(ScriptedModel({("reviewer",): ["no"]}), said("go"))


def test_usage_is_that_of_a_perfect_prefix_cache() -> None:
    """All that the last request held is read from the cache, the rest is fresh, at four bytes a token."""
    tools = (ToolSpec(name="shell", description="d", schema="{}"),)
    model = ScriptedModel({("worker",): ["first answer", "second answer"]})
    conversation = model.open(KEY, "system " * 50, tools)
    conversation.append(said("question " * 50))
    first = anyio.run(conversation.reply)
    size = conversation.prompt_bytes
    conversation.append(first.message)
    conversation.append(said("and then?"))
    second = anyio.run(conversation.reply)
    assert (first.usage.fresh, first.usage.cache_read) == (size // 4, 0)
    assert (second.usage.cache_read, second.usage.prompt) == (size // 4, conversation.prompt_bytes // 4)


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_script_file_becomes_a_model(suffix: str, tmp_path: Path) -> None:
    """`scripted:PATH`, in TOML or JSON, arguments as a table or as raw text."""
    toml = """
    [[conversation]]
    role = "worker"
    feature = "export"
    answers = [
        {text = "Look.", thinking = "Hm.", calls = [{name = "shell", arguments = {command = "ls"}}]},
        {calls = [{name = "shell", arguments = "not json"}]},
    ]
    """
    json = (
        '{"conversation":[{"role":"worker","feature":"export","answers":[{"text":"Look.","thinking":"Hm.","calls":'
        '[{"name":"shell","arguments":{"command":"ls"}}]},{"calls":[{"name":"shell","arguments":"not json"}]}]}]}'
    )
    path = tmp_path / f"play{suffix}"
    path.write_text(toml if suffix == ".toml" else json)
    model = connect(f"scripted:{path}", {})
    assert isinstance(model, ScriptedModel)
    assert model.name == "scripted:play"
    first = reply_to(model, said("go"))
    assert first.calls[0].arguments == '{"command":"ls"}'
    assert reply_to(model, said("go"), first, said("on")).calls[0].arguments == "not json"


@pytest.mark.parametrize(
    "text", ["[[conversation]]", "[[conversation]]\nrole = 'worker'\nanswers = [{txt = 'typo'}]", "["]
)
def test_a_script_with_a_mistake_says_where(text: str, tmp_path: Path) -> None:
    """A typing error in a script is not an empty answer."""
    path = tmp_path / "play.toml"
    path.write_text(text)
    with pytest.raises(GiveUp, match=r"play\.toml.*cannot be read"):
        connect(f"scripted:{path}", {})
    with pytest.raises(GiveUp, match=r"missing\.toml.*cannot be opened"):
        connect(f"scripted:{tmp_path / 'missing.toml'}", {})
