"""Resuming is the same call as starting: cut an agent's stream anywhere, and it comes to the same end."""

from itertools import pairwise
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.agent.desk import stream_of
from shopfloor.agent.history import replay
from shopfloor.agent.run import Outcome
from shopfloor.domain.events import AgentEvent, ModelCalled, ModelReplied, ToolCalled, ToolReturned
from shopfloor.domain.messages import Message
from shopfloor.domain.spending import Spent
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal
from shopfloor.journal.views import spent
from shopfloor.models.script import Answer
from shopfloor.models.scripted import ScriptedModel
from shopfloor.testing.workshop import call

if TYPE_CHECKING:
    from conftest import Office

LOOK, MAKE, TEST = call("read", path="a.txt"), call("shell", command="make"), call("shell", command="test")
SCRIPT = [
    Answer(text="Looking.", calls=(*LOOK.calls, *MAKE.calls)),
    Answer(calls=(*TEST.calls, *call("read", path="b.txt").calls)),
    call("hand_off", summary="built", tests=3),
]
EVENTS = 18
"""Of the whole run: a start, three turns of two (prompt, reply), five calls of two (begun, returned), an end."""


def prepared(office: "Office") -> "Office":
    for name in ("a.txt", "b.txt"):
        (office.files / name).write_text(f"text of {name}")
    return office


def is_well_formed(messages: list[Message]) -> bool:
    """What every provider asks: each call answered, once, by the very next message, and nothing else answered."""
    pairs = pairwise([*messages, Message(role="user", parts=())])
    answered = [
        [call.id for call in message.calls] == [result.call_id for result in after.results]
        for message, after in pairs
        if message.role == "assistant"
    ]
    asked = sum(len(message.calls) for message in messages)
    return all(answered) and asked == sum(len(message.results) for message in messages)


def open_call(events: list[AgentEvent]) -> ToolCalled | None:
    """The call that was begun when the power failed."""
    return events[-1] if isinstance(events[-1], ToolCalled) else None


def whole_run(office: "Office") -> tuple[Outcome, list[AgentEvent]]:
    outcome = prepared(office).run(SCRIPT)
    return outcome, office.events()


@pytest.mark.parametrize("cut", range(EVENTS + 1))
def test_cut_after_any_event_it_comes_to_the_same_end(office: "Office", cut: int) -> None:
    """The same result; what is harmless is repeated, what is not is left to the model, who is told."""
    outcome, events = whole_run(office)
    assert len(events) == EVENTS
    again = prepared(office.beside("again"))
    again.write(*events[:cut])

    resumed = again.run(SCRIPT)

    assert (resumed.exit, resumed.result) == (outcome.exit, outcome.result)
    assert again.events()[:cut] == events[:cut], "what was written stays as it was"
    history = replay(again.events())
    assert is_well_formed(history.messages)
    cut_off = open_call(events[:cut]) if cut else None
    if cut_off is None or cut_off.repeatable:
        assert history.messages == replay(events).messages, "the conversation does not show that it was cut"
    else:
        (interrupted,) = [result for message in history.messages for result in message.results if result.interrupted]
        assert (interrupted.call_id, interrupted.ok) == (cut_off.call.id, False)
        assert "it may have happened" in interrupted.text


@pytest.mark.parametrize("cut", range(EVENTS + 1))
def test_deeds_of_the_first_runner_are_not_done_again(office: "Office", cut: int) -> None:
    """Whatever has returned is never performed a second time."""
    _, events = whole_run(office)
    again = prepared(office.beside("again"))
    again.write(*events[:cut])
    again.run(SCRIPT)

    returned = sum(isinstance(event, ToolReturned) for event in events[:cut])
    done_before = office.deeds[:returned]
    assert sorted(done_before + again.deeds) == sorted(office.deeds)


@pytest.mark.parametrize("cut", range(1, EVENTS + 1))
def test_what_was_spent_is_one_sum_at_every_moment(office: "Office", cut: int) -> None:
    """The history that the agent is limited by and the view that faces show agree, also over unanswered prompts."""
    _, events = whole_run(office)
    again = office.beside("again")
    again.write(*events[:cut])

    async def shown() -> Spent:
        journal = open_sqlite(again.folder / "journal.db")
        facts = await journal.read(stream_of(again.key))
        await journal.close()
        return spent(facts)

    assert anyio.run(shown) == replay(events[:cut]).spent_for_sure


def test_a_prompt_that_was_never_answered_counts_against_the_budget(office: "Office") -> None:
    """Crashing does not make tokens cheaper: each unanswered prompt counts as its estimate."""
    _, events = whole_run(office)
    again = prepared(office.beside("again"))
    called = events[1]
    assert isinstance(called, ModelCalled)
    again.write(*events[:2])
    again.write(called)

    resumed = again.run(SCRIPT)
    asked = [event for event in again.events() if isinstance(event, ModelReplied)]
    assert resumed.spent.usage.total == 2 * called.estimate + sum(event.usage.total for event in asked)
    assert resumed.spent.calls == 2 + len(asked)


def test_stopped_in_the_middle_of_a_tool_it_goes_on_with_a_valid_history(office: "Office", overheard: type) -> None:
    """Ctrl-C while a command runs: its call is answered as interrupted, and the model decides what to do."""
    prepared(office)

    async def interrupted() -> None:
        begun = anyio.Event()

        async def hang(journal: Journal, command: str) -> None:
            begun.set()
            await anyio.sleep_forever()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(office.employ, ScriptedModel({("worker",): SCRIPT}), "worker", hang)
            await begun.wait()
            tasks.cancel_scope.cancel()

    anyio.run(interrupted)
    assert isinstance(office.events()[-1], ToolCalled)

    model = overheard(ScriptedModel({("worker",): SCRIPT}))
    outcome = office.run(model)

    assert outcome.exit == "done"
    assert office.deeds == ["read a.txt", "make", "make", "test", "read b.txt"]
    assert is_well_formed(replay(office.events()).messages)
    assert model.sent[0][2].results[1].interrupted


def test_stopped_while_the_model_thinks_only_the_prompt_is_lost(office: "Office") -> None:
    """Nothing half said is ever kept: the same prompt is sent again."""
    _, events = whole_run(office)
    again = prepared(office.beside("again"))
    again.write(*events[:2])

    again.run(SCRIPT)
    turns = [event.turn for event in again.events() if isinstance(event, ModelCalled | ModelReplied)]
    assert turns == [1, 1, 1, 2, 2, 3, 3]
