"""A model that answers from a script: for tests of one's own factory, with no key and no network.

It does not know whether its answers make sense.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.messages import Conversation, ConversationKey, Message, OnDelta, Reply, Text, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.replay import Transcript
from shopfloor.models.script import Address, Answer, addresses, call_prefix, load_conversations, message_of

Script: TypeAlias = Mapping[Address, Sequence[Answer | Message | str]]
Answering: TypeAlias = Callable[[ConversationKey, int, Message | None], Message]
"""Makes an answer from the conversation's key, the turn (from 1) and the newest message."""


class ScriptedModel:
    """Answers from a mapping (role[, feature[, attempt]]) -> answers, or by a function.

    Every conversation starts with the first answer.
    """

    def __init__(self, answers: Script | Answering, name: str = "scripted:script") -> None:
        self._answers = answers
        self._name = name

    @classmethod
    def load(cls, path: Path) -> "ScriptedModel":
        """The model that a script file describes."""
        return cls(load_conversations(path), name=f"scripted:{path.stem}")

    @property
    def name(self) -> str:
        return self._name

    def price(self, usage: Usage, /) -> float | None:
        return None

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        return _ScriptedConversation(self, key, Transcript(system, tools))

    def answer(self, key: ConversationKey, turn: int, newest: Message | None) -> Message:
        """The answer for a turn. GiveUp, naming conversation and turn, if the script has none."""
        if callable(self._answers):
            return self._answers(key, turn, newest)
        found = next((self._answers[place] for place in addresses(key) if place in self._answers), ())
        if turn > len(found):
            raise GiveUp(f"The script {self._name!r} has no answer for {str(key)!r}, turn {turn}.")
        answer = found[turn - 1]
        if isinstance(answer, Message):
            return answer
        answer = Answer(text=answer) if isinstance(answer, str) else answer
        return message_of(answer, call_prefix(key, turn))


class _ScriptedConversation:
    unanswered = 1

    def __init__(self, model: ScriptedModel, key: ConversationKey, transcript: Transcript) -> None:
        self._model = model
        self._key = key
        self._transcript = transcript

    @property
    def prompt_bytes(self) -> int:
        return self._transcript.size

    def append(self, message: Message) -> None:
        self._transcript.append(message)

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        transcript = self._transcript
        if calls := transcript.calls_to_repeat:
            message = Message(role="assistant", parts=(Text(text="It was interrupted. Again."), *calls))
        else:
            message = self._model.answer(self._key, transcript.turn, transcript.newest)
        if on_delta is not None and message.text:
            on_delta(message.text)
        stop = "calls" if message.calls else "end"
        return Reply(message=message, usage=transcript.usage(message), model=self._model.name, stop=stop)
