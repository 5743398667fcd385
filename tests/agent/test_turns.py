"""The turn loop: from a first prompt to a named exit, through everything that a model, a person and a purse can do."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from shopfloor.agent.history import replay
from shopfloor.domain.errors import GiveUp, TryLater
from shopfloor.domain.events import (
    AgentCorrected,
    AgentEnded,
    AgentStarted,
    ModelCalled,
    ModelFailed,
    ModelReplied,
    ToolCalled,
    ToolReturned,
)
from shopfloor.domain.messages import (
    Call,
    Conversation,
    ConversationKey,
    Message,
    Model,
    OnDelta,
    Reply,
    Result,
    Text,
    ToolSpec,
)
from shopfloor.domain.spending import Budget, Usage
from shopfloor.models.prices import Price, PriceBook
from shopfloor.models.script import Answer
from shopfloor.models.scripted import ScriptedModel
from shopfloor.testing.workshop import call

if TYPE_CHECKING:
    from conftest import Office

HAND_OFF = call("hand_off", summary="built", tests=3)
HANDED = '{"summary":"built","tests":3}'


def raw(name: str, arguments: str) -> Message:
    """A reply that calls a tool with this very text."""
    return Message(role="assistant", parts=(Call(id="raw", name=name, arguments=arguments),))


def results(office: "Office") -> list[Result]:
    return [event.result for event in office.events() if isinstance(event, ToolReturned)]


def endless(key: ConversationKey, turn: int, newest: Message | None) -> Message:
    """Does something new each turn, and never comes to an end."""
    arguments = f'{{"command":"step {turn}"}}'
    return Message(role="assistant", parts=(Call(id=f"c{turn}", name="shell", arguments=arguments),))


class Priced:
    """A model behind another one, whose replies cost what a price list says."""

    def __init__(self, model: Model, price: Price) -> None:
        self._model = model
        self._book = PriceBook(own={"scripted:*": price})

    def price(self, usage: Usage) -> float | None:
        return self._book.price(usage, "scripted", "endless", public=False)

    @property
    def name(self) -> str:
        return self._model.name

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        return _Priced(self._model.open(key, system, tools), self.price)


class _Priced:
    def __init__(self, inner: Conversation, price: Callable[[Usage], float | None]) -> None:
        self._inner = inner
        self._price = price

    @property
    def prompt_bytes(self) -> int:
        return self._inner.prompt_bytes

    @property
    def unanswered(self) -> int:
        return self._inner.unanswered

    def append(self, message: Message) -> None:
        self._inner.append(message)

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        free = await self._inner.reply(on_delta)
        usd = self._price(free.usage)
        return Reply(message=free.message, usage=free.usage, model=free.model, stop=free.stop, usd=usd, seconds=0.25)


# --- how an agent ends well --------------------------------------------------------------------------------------


def test_a_role_without_a_finish_tool_is_done_by_its_words(office: "Office") -> None:
    """The last words are the result; every effect stands between its intent and its outcome."""
    outcome = office.run([call("shell", command="make"), "All is built."], role="solo")

    assert (outcome.exit, outcome.result) == ("done", "All is built.")
    kinds = [type(event) for event in office.events()]
    turn = [ModelCalled, ModelReplied]
    assert kinds == [AgentStarted, *turn, ToolCalled, ToolReturned, *turn, AgentEnded]
    assert office.deeds == ["make"]


def test_a_role_with_a_finish_tool_hands_in_a_checked_value(office: "Office") -> None:
    """What counts is what the tool accepted, not what the model says beside it."""
    outcome = office.run([Answer(text="Done!", calls=HAND_OFF.calls)])

    assert (outcome.exit, outcome.result, outcome.question) == ("done", HANDED, None)


def test_a_refused_finish_is_mended_and_only_then_ends_the_work(office: "Office") -> None:
    """A hand-over that is not good enough goes back with the reason; the agent is not done."""
    outcome = office.run([call("hand_off", summary="built", tests=0), call("shell", command="test"), HAND_OFF])

    assert (outcome.exit, outcome.result) == ("done", HANDED)
    refused, *_ = results(office)
    assert (refused.ok, refused.text) == (False, "run the tests before you hand in")
    assert office.deeds == ["test"]


def test_a_finish_beside_other_calls_lets_them_happen_first(office: "Office") -> None:
    """Calls of one reply are performed in their order, and all of them before the agent leaves."""
    outcome = office.run([Answer(calls=(*HAND_OFF.calls, *call("shell", command="tidy").calls))])

    assert outcome.exit == "done"
    assert [result.text for result in results(office)] == [HANDED, "did tidy"]


# --- what a model gets wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (call("shel", command="make"), "There is no tool 'shel'; did you mean 'shell'?"),
        (call("search", text="x"), "There is no tool 'search'"),
        (raw("shell", '{"command":'), "the arguments are not valid JSON"),
        (raw("shell", ""), "missing required field `command`"),
        (call("hand_off", summary="built"), "missing required field `tests`"),
        (call("hand_off", summary="built", tests="3"), "Expected `int`, got `str`"),
        (call("shell", command="make", sudo=True), "unknown field `sudo`"),
        (call("read", path="gone.txt"), "there is no file 'gone.txt'; list the folder first"),
    ],
)
def test_a_call_that_cannot_be_is_answered_in_words_and_the_model_goes_on(
    office: "Office", mistake: Answer | Message, words: str
) -> None:
    """A mistake costs a turn, never the work; nothing is done in the world."""
    outcome = office.run([mistake, HAND_OFF])

    assert outcome.exit == "done"
    first = results(office)[0]
    assert (first.ok, words in first.text) == (False, True), first.text
    assert [deed for deed in office.deeds if not deed.startswith("read")] == []


def test_silence_is_reminded_and_then_ends_as_stuck(office: "Office") -> None:
    """Words are no work: the role that must hand in is told how, once corrected, and then it has to leave."""
    outcome = office.run(["Hm.", "Well.", "So.", "Hm!", "Well!", "So!"])

    assert (outcome.exit, outcome.reason) == ("stuck", "3 replies in a row called no tool")
    said = [event for event in office.events() if isinstance(event, AgentCorrected)]
    assert [event.why for event in said] == ["silent", "silent", "circle", "silent", "silent"]
    assert "`hand_off`" in said[0].message.text
    assert said[0].message.text.startswith("[shopfloor] ")


def test_one_reminder_is_enough_for_a_model_that_listens(office: "Office") -> None:
    """A model that only announces its work is not taken for done."""
    assert office.run(["I will now hand in.", HAND_OFF]).exit == "done"


# --- limits ------------------------------------------------------------------------------------------------------


def test_a_model_that_never_stops_is_out_of_budget_at_its_role_s_turns(office: "Office") -> None:
    """However inventive it is, a reviewer has 60 turns."""

    def reading(key: ConversationKey, turn: int, newest: Message | None) -> Message:
        (office.files / f"{turn}.txt").write_text(f"text {turn}")
        arguments = f'{{"path":"{turn}.txt"}}'
        return Message(role="assistant", parts=(Call(id=f"c{turn}", name="read", arguments=arguments),))

    outcome = office.run(reading, role="reviewer")

    assert outcome.exit == "out_of_budget"
    assert outcome.reason == "60 turns"
    assert len(office.deeds) == 60


def test_turns_given_on_purpose_hold(office: "Office") -> None:
    """The third reply's calls are still performed; a fourth is not asked for."""
    outcome = office.run(endless, budget=Budget(steps=3))

    assert (outcome.exit, office.deeds) == ("out_of_budget", ["step 1", "step 2", "step 3"])


def test_tokens_hold(office: "Office") -> None:
    """No prompt is sent once the tokens are used up: more than the limit by at most one turn."""
    outcome = office.run(endless, budget=Budget(tokens=2_000))

    assert outcome.exit is None
    *before, last = [event for event in office.events() if isinstance(event, ModelReplied)]
    assert sum(reply.usage.total for reply in before) < 2_000 <= outcome.spent.usage.total
    assert outcome.spent.usage.total == sum(reply.usage.total for reply in (*before, last))


def test_money_holds(office: "Office") -> None:
    """Known prices add up to the limit, and the loop is left there."""
    model = Priced(ScriptedModel(endless), Price(input=10.0, output=50.0))
    outcome = office.run(model, budget=Budget(usd=0.02))

    assert outcome.exit is None
    assert 0.02 <= outcome.spent.usd < 0.04
    assert outcome.spent.unpriced == 0


def test_time_holds(office: "Office") -> None:
    """Time is what models and tools take: four replies of a quarter of a second are a second."""
    model = Priced(ScriptedModel(endless), Price(input=0.0, output=0.0))
    outcome = office.run(model, budget=Budget(seconds=1.0))

    assert (outcome.exit, outcome.spent.calls) == (None, 4)


def test_an_unknown_price_is_no_price_of_nothing(office: "Office") -> None:
    """A budget in money cannot hold at unknown prices, so the agent waits after one call."""
    outcome = office.run(endless, budget=Budget(usd=100.0))

    assert (outcome.exit, outcome.spent.unpriced, outcome.spent.usd) == (None, 1, 0.0)


def test_work_that_is_done_in_the_last_turn_is_done(office: "Office") -> None:
    """Done wins over a limit that is reached in the same step."""
    assert office.run([HAND_OFF], budget=Budget(steps=1, tokens=1)).exit == "done"


# --- the provider ------------------------------------------------------------------------------------------------


def test_a_provider_that_refuses_ends_the_agent_in_its_own_words(office: "Office") -> None:
    """The attempt is given up, with the provider's words on record, and the unanswered prompt is counted."""
    trouble = GiveUp("The key for 'openai' was refused (401).")

    def down(key: ConversationKey, turn: int, newest: Message | None) -> Message:
        if turn == 2:
            raise trouble
        return endless(key, turn, newest)

    outcome = office.run(down)

    assert (outcome.exit, outcome.reason) == ("gave_up", str(trouble))
    called, failed, ended = office.events()[-3:]
    assert isinstance(called, ModelCalled)
    assert isinstance(failed, ModelFailed) and failed.reason == str(trouble)
    assert isinstance(ended, AgentEnded)
    replied = next(event for event in office.events() if isinstance(event, ModelReplied))
    assert outcome.spent.usage.total == replied.usage.total + called.estimate


def test_a_provider_that_is_down_ends_nobody(office: "Office") -> None:
    """Whoever employs the agent hears of it; employed again, it asks the same question and goes on."""
    trouble = TryLater("'openai' has been down for 300 s.", 60)

    def down(key: ConversationKey, turn: int, newest: Message | None) -> Message:
        raise trouble

    with pytest.raises(TryLater, match="has been down"):
        office.run(down)
    failed = office.events()[-1]
    assert isinstance(failed, ModelFailed) and failed.reason == str(trouble)

    assert office.run([HAND_OFF]).exit == "done"


def test_an_agent_that_has_ended_stays_ended(office: "Office") -> None:
    """Asking again costs nothing, writes nothing, and gives the same outcome."""
    first = office.run([HAND_OFF])
    before = office.events()

    assert office.run(["Never asked for."]) == first
    assert office.events() == before


def test_what_was_spent_is_the_same_in_the_history_and_in_the_outcome(office: "Office") -> None:
    """One sum, however it is come by."""
    outcome = office.run([call("shell", command="make"), HAND_OFF])

    assert replay(office.events()).spent_for_sure == outcome.spent


def test_words_beside_calls_do_not_end_a_solo_agent(office: "Office") -> None:
    """Only a reply without calls is its last word."""
    chatty = Answer(text="I will build it.", calls=call("shell", command="make").calls)
    outcome = office.run([chatty, Message(role="assistant", parts=(Text(text="Built."),))], role="solo")

    assert (outcome.exit, outcome.result, office.deeds) == ("done", "Built.", ["make"])
