"""What people do to an agent at work: they speak, pause, cancel, answer, allow and forbid."""

from typing import TYPE_CHECKING

import pytest

from shopfloor.domain.events import (
    AgentEnded,
    AgentSteered,
    CancelAsked,
    ModelCalled,
    ModelReplied,
    PauseAsked,
    Steered,
    ToolCalled,
    ToolReturned,
)
from shopfloor.domain.messages import Message, Text
from shopfloor.domain.roles import Autonomy
from shopfloor.domain.spending import Usage
from shopfloor.guard.permit import Policy
from shopfloor.journal.store import Journal, inbox_of
from shopfloor.models.script import Answer, message_of
from shopfloor.models.scripted import ScriptedModel
from shopfloor.testing.workshop import call

if TYPE_CHECKING:
    from conftest import Office

MISSION_INBOX = inbox_of("mission/m1")
HAND_OFF = call("hand_off", summary="built", tests=3)


async def say(journal: Journal, command: str) -> None:
    """Somebody writes to the mission while a command runs: what follows `say`, or a wish."""
    match command.split(" ", 1):
        case ["say", words]:
            await journal.append(MISSION_INBOX, (Steered(text=words),))
        case ["pause"]:
            await journal.append(MISSION_INBOX, (PauseAsked(),))
        case ["cancel"]:
            await journal.append(MISSION_INBOX, (CancelAsked(),))
        case _:
            pass


def words_heard(messages: list[Message]) -> list[str]:
    return [message.text for message in messages if message.role == "user" and message.text]


def _said(text: str) -> tuple[ModelCalled, ModelReplied]:
    """A second turn that came to an end just before the power failed."""
    message = Message(role="assistant", parts=(Text(text=text),))
    reply = ModelReplied(turn=2, message=message, usage=Usage(), model="scripted:script", stop="end")
    return ModelCalled(turn=2, estimate=10), reply


def policy(autonomy: Autonomy, *, person_present: bool = True) -> Policy:
    return Policy(autonomy=autonomy, sandboxed=True, person_present=person_present)


# --- words -------------------------------------------------------------------------------------------------------


def test_words_are_heard_between_two_turns_and_once(office: "Office", overheard: type) -> None:
    """What a person says while a tool runs is the next thing the model reads, and is never repeated."""
    script = [call("shell", command="say use CSV"), call("shell", command="make"), HAND_OFF]
    model = overheard(ScriptedModel({("worker",): script}))

    assert office.run(model, act=say).exit == "done"
    (sent,) = model.sent
    assert words_heard(sent) == ["Export orders.", "use CSV"]
    assert [message.role for message in sent[:4]] == ["user", "assistant", "user", "user"]


def test_words_said_before_a_runner_began_are_heard_at_once(office: "Office", overheard: type) -> None:
    """The inbox waits for whoever comes."""
    office.mail(Steered(text="use CSV"), Steered(text="and UTF-8"))
    model = overheard(ScriptedModel({("worker",): [HAND_OFF]}))

    office.run(model)
    assert words_heard(model.sent[0]) == ["Export orders.", "use CSV", "and UTF-8"]


@pytest.mark.parametrize("cut", range(1, 11))
def test_words_are_heard_once_wherever_the_power_fails(office: "Office", overheard: type, cut: int) -> None:
    """Resumed after any event, the model has read them exactly once in the end."""
    script = [call("shell", command="say use CSV"), call("read", path="a.txt"), HAND_OFF]
    office.run(script, act=say)
    events = office.events()
    assert len(events) > 10
    again = office.beside("again")
    again.mail(Steered(text="use CSV"))
    again.write(*events[:cut])
    model = overheard(ScriptedModel({("worker",): script}))

    assert again.run(model).exit == "done"
    assert words_heard(model.sent[0]).count("use CSV") == 1
    assert [event.inbox_seq for event in again.events() if isinstance(event, AgentSteered)] == [1]


def test_words_keep_a_solo_agent_from_leaving(office: "Office", overheard: type) -> None:
    """Said while its last words were on their way, they are still answered."""
    office.run([call("shell", command="pause"), "Built."], role="solo", act=say)
    office.write(*_said("Built."))
    office.mail(Steered(text="use CSV"))
    model = overheard(ScriptedModel({("worker",): [call("shell", command="pause"), "Built.", "With CSV."]}))

    assert office.run(model, role="solo").result == "With CSV."
    assert words_heard(model.sent[0]) == ["Export orders.", "use CSV"]


def test_words_that_come_too_late_are_left_for_the_next_agent(office: "Office") -> None:
    """An agent that hands in its work in the same moment leaves; it does not take a person's words with it."""
    script = [Answer(calls=(*call("shell", command="say use CSV").calls, *HAND_OFF.calls))]

    assert office.run(script, act=say).exit == "done"
    assert not any(isinstance(event, AgentSteered) for event in office.events())


def test_words_give_a_stuck_agent_a_fresh_start(office: "Office") -> None:
    """A person who helps is not answered by an agent that leaves: what it circled in before is forgotten."""
    circle = [call("read", path="gone.txt")] * 7
    helps = Answer(calls=(*call("shell", command="say it is called b.txt").calls, *call("read", path="gone.txt").calls))
    outcome = office.run([*circle, helps, HAND_OFF], act=say)

    assert outcome.exit == "done"


# --- pause and cancel --------------------------------------------------------------------------------------------


def test_a_pause_leaves_after_the_turn_and_a_resume_goes_on(office: "Office") -> None:
    """Paused is no end: nothing is repeated and nothing is lost when it goes on."""
    script = [call("shell", command="pause"), call("shell", command="make"), HAND_OFF]

    paused = office.run(script, act=say)
    assert (paused.exit, paused.question) == (None, None)
    assert office.deeds == ["pause"]
    assert not any(isinstance(event, AgentEnded) for event in office.events())

    assert office.run(script, act=say).exit == "done"
    assert office.deeds == ["pause", "make"]


def test_a_pause_does_not_swallow_words(office: "Office", overheard: type) -> None:
    """Words and a wish to pause in one breath: the words are there after the resume, once."""
    script = [call("shell", command="pause"), HAND_OFF]
    office.mail(Steered(text="use CSV"))
    model = overheard(ScriptedModel({("worker",): script}))
    office.run(model, act=say)
    office.run(model, act=say)

    assert [words_heard(sent).count("use CSV") for sent in model.sent] == [1, 1]


def test_a_cancel_ends_it_as_stopped(office: "Office") -> None:
    """The turn that runs is finished, no other is begun, and the end is on record."""
    outcome = office.run([call("shell", command="cancel"), HAND_OFF], act=say)

    assert (outcome.exit, outcome.reason) == ("stopped", "a person cancelled it")
    assert office.deeds == ["cancel"]
    assert isinstance(office.events()[-1], AgentEnded)


def test_a_cancel_outlives_the_runner_that_did_not_hear_it(office: "Office") -> None:
    """Written before anybody carried the agent, it still counts: no model is asked."""
    office.mail(CancelAsked())

    assert office.run([HAND_OFF]).exit == "stopped"
    assert not any(isinstance(event, ModelReplied) for event in office.events())


# --- questions and permission ------------------------------------------------------------------------------------

ASKS = call("ask", question="Which delimiter?", options=["comma", "tab"])


def test_a_question_waits_and_its_answer_comes_back_as_the_tool_s_result(office: "Office") -> None:
    """Waiting is a state: the process may end, and the answer finds its call days later."""
    script = [ASKS, HAND_OFF]
    waiting = office.run(script, role="solo")

    assert waiting.exit is None
    assert waiting.question is not None
    assert waiting.question.text == "Which delimiter?\n1. comma\n2. tab"

    assert office.run([ASKS, "Tabs it is."], role="solo", answers={waiting.question.id: "tab"}).result == "Tabs it is."
    (answer,) = [event.result for event in office.events() if isinstance(event, ToolReturned)]
    assert (answer.text, answer.ok) == ("tab", True)


@pytest.mark.parametrize(
    ("typed", "heard"),
    [("2", "tab"), (" 1 ", "comma"), ("3", "3"), ("0", "0"), ("02", "02"), ("2, or both", "2, or both"), ("²", "²")],
)
def test_an_option_can_be_answered_by_its_number(office: "Office", typed: str, heard: str) -> None:
    """The model hears the words it gave; an answer that is no option's number is heard as it is."""
    waiting = office.run([ASKS, "So be it."], role="solo")
    assert waiting.question is not None

    office.run([ASKS, "So be it."], role="solo", answers={waiting.question.id: typed})

    (answer,) = [event.result for event in office.events() if isinstance(event, ToolReturned)]
    assert answer.text == heard


def test_resumed_without_an_answer_it_waits_on(office: "Office") -> None:
    """The same question, under the same name, and no second record of it."""
    first = office.run([ASKS], role="solo")
    before = office.events()

    assert office.run([ASKS], role="solo") == first
    assert office.events() == before


@pytest.mark.parametrize(("word", "deeds"), [("yes", ["rm -r build"]), ("Y ", ["rm -r build"]), ("no", []), ("", [])])
def test_a_person_allows_or_forbids_a_call(office: "Office", word: str, deeds: list[str]) -> None:
    """Only a yes is a yes; after a no the model hears of it and goes on."""
    script = [call("shell", command="rm -r build"), HAND_OFF]
    waiting = office.run(script, policy=policy("low"))

    assert waiting.question is not None
    assert "run 'rm -r build'" in waiting.question.text
    assert office.deeds == []

    outcome = office.run(script, policy=policy("low"), answers={waiting.question.id: word})
    assert (outcome.exit, office.deeds) == ("done", deeds)
    result = next(event.result for event in office.events() if isinstance(event, ToolReturned))
    assert result.ok == bool(deeds)
    forbidden = [event for event in office.events() if isinstance(event, ToolCalled) and event.call.name == "shell"]
    assert len(forbidden) == len(deeds), "what was not allowed was never begun"


def test_where_nobody_can_be_asked_the_answer_is_no(office: "Office") -> None:
    """No question is left open that nobody would answer; the model is told what it can do instead."""
    outcome = office.run([call("shell", command="make"), HAND_OFF], policy=policy("low", person_present=False))

    assert (outcome.exit, office.deeds) == ("done", [])
    result = next(event.result for event in office.events() if isinstance(event, ToolReturned))
    assert result.text.startswith("Not allowed: ")


def test_one_yes_is_not_a_yes_to_what_comes_later_under_the_same_name(office: "Office") -> None:
    """Servers exist that call every call `call_0`: an answer belongs to one call of one turn of one agent."""

    def same_id(command: str) -> Message:
        return message_of(call("shell", command=command), "call")

    script = [same_id("touch a"), same_id("rm -rf ."), HAND_OFF]
    first = office.run(script, policy=policy("low"))
    assert first.question is not None

    second = office.run(script, policy=policy("low"), answers={first.question.id: "yes"})
    assert second.question is not None
    assert "rm -rf ." in second.question.text
    assert office.deeds == ["touch a"]
