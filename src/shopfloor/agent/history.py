"""What an agent's stream amounts to: its conversation, its open calls, what it has spent.

Resuming is the same call as starting: the same events, applied in the same order, give the same history.
It does not know where the events are stored, nor what a tool is.
"""

from typing import assert_never

from shopfloor.agent.stuck import Turn, turn_of
from shopfloor.domain.events import (
    AgentCorrected,
    AgentEnded,
    AgentEvent,
    AgentStarted,
    AgentSteered,
    ModelCalled,
    ModelFailed,
    ModelReplied,
    ToolCalled,
    ToolReturned,
)
from shopfloor.domain.messages import Call, Message, Result, said
from shopfloor.domain.spending import Spent


class History:
    """The one mutable thing of an agent; changed only by applying events."""

    def __init__(self) -> None:
        self.started: AgentStarted | None = None
        self.ended: AgentEnded | None = None
        self.messages: list[Message] = []
        self.turn = 0
        self.spent = Spent()
        self.turns_since_correction: list[Turn] = []
        self.corrected = False
        self.cut = False
        """The last reply ran into its limit of tokens."""
        self.refused = False
        """The last reply was the model's, or its provider's, refusal to answer."""
        self.steered_up_to = 0
        self._reply: Message | None = None
        self._called: dict[str, ToolCalled] = {}
        self._results: dict[str, Result] = {}
        self._asked: ModelCalled | None = None

    @property
    def waiting_calls(self) -> tuple[Call, ...]:
        """Calls of the last reply that have no result yet, in the order in which the model made them."""
        calls = self._reply.calls if self._reply else ()
        return tuple(call for call in calls if call.id not in self._results)

    def accepted(self, tool: str) -> str | None:
        """What the last reply's call of `tool` handed in, if that call was accepted."""
        for call in self._reply.calls if self._reply else ():
            result = self._results.get(call.id)
            if call.name == tool and result is not None and result.ok:
                return result.text
        return None

    @property
    def spent_for_sure(self) -> Spent:
        """What was spent, counting a prompt that was sent and never answered by its estimate."""
        return self._with_asked(1)

    def _with_asked(self, times: int) -> Spent:
        return self.spent.and_unanswered(self._asked.estimate, self._asked.usd, times) if self._asked else self.spent

    def begun(self, call: Call) -> ToolCalled | None:
        """The record that this call was about to be performed, if there is one."""
        return self._called.get(call.id)

    def apply(self, event: AgentEvent) -> None:
        """Takes one event into account. `messages` grows at its end only."""
        match event:
            case AgentStarted():
                self.started = event
                self.messages.append(event.task)
            case ModelCalled():
                self.spent, self._asked = self.spent_for_sure, event
            case ModelFailed():
                self.spent, self._asked = self._with_asked(event.lost) + Spent(seconds=event.seconds), None
            case ModelReplied():
                self.cut = event.stop == "length"
                self.refused = event.stop == "refused" and not event.message.calls
                self._replied(event)
            case ToolCalled():
                self._called[event.call.id] = event
            case ToolReturned():
                self._returned(event)
            case AgentCorrected():
                self.messages.append(event.message)
                if event.why == "circle":
                    self.corrected = True
                    self.turns_since_correction.clear()
            case AgentSteered():
                self.messages.append(event.message)
                self.steered_up_to = event.inbox_seq
                self.corrected = False
                self.turns_since_correction.clear()
            case AgentEnded():
                self.ended = event
            case _:
                assert_never(event)

    def _replied(self, event: ModelReplied) -> None:
        self.turn = event.turn
        self.spent = self._with_asked(event.lost).plus(event.usage, event.usd, event.seconds)
        self._asked = None
        self._reply = event.message
        self._called.clear()
        self._results.clear()
        self.messages.append(event.message)
        if not event.message.calls:
            self.turns_since_correction.append(turn_of(event.message, ()))

    def _returned(self, event: ToolReturned) -> None:
        self._results[event.result.call_id] = event.result
        self.spent = self.spent + Spent(seconds=event.seconds)
        if self._reply is not None and not self.waiting_calls:
            results = tuple(self._results[call.id] for call in self._reply.calls)
            self.messages.append(Message(role="user", parts=results))
            self.turns_since_correction.append(turn_of(self._reply, results))


def replay(events: list[AgentEvent]) -> History:
    """The history that these events add up to."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def interrupted(call: Call) -> Result:
    """The result of a call that a crash cut off: nobody knows how far it came."""
    text = "Interrupted before its result was known; it may have happened. Look before repeating it."
    return Result(call_id=call.id, text=text, ok=False, interrupted=True)


def reminder(text: str) -> Message:
    """Words of the loop itself, marked so that a model does not take them for a person's."""
    return said(f"[shopfloor] {text}")
