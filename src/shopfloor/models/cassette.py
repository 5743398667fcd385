"""Recordings: what a model really said, replayed at no cost.

A reply is found by mission, feature, role, attempt and turn; a prompt that has changed since is a warning, never an
error. It does not know which model was recorded, beyond the name it gave.
"""

import hashlib
import os
import re
from collections import Counter
from pathlib import Path

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import (
    Conversation,
    ConversationKey,
    Message,
    Model,
    OnDelta,
    Reply,
    Text,
    ToolSpec,
)
from shopfloor.domain.spending import Usage
from shopfloor.models.canonical import canonical
from shopfloor.models.replay import Transcript

NAMED = 8
"""How many conversations are named to whoever asks for another one."""


class Recorded(Fact):
    """One line of a cassette. `prompt` is a hash of all that was sent for this reply."""

    key: ConversationKey
    turn: int
    prompt: str
    reply: Reply


class Recorder:
    """Wraps a model and keeps each of its replies, on disk before anybody sees it."""

    def __init__(self, model: Model, path: Path) -> None:
        self.inner = model
        self._path = path
        _drop_torn_line(path)

    @property
    def name(self) -> str:
        return self.inner.name

    def price(self, usage: Usage, /) -> float | None:
        return self.inner.price(usage)

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        return _RecordedConversation(self, key, self.inner.open(key, system, tools), _Prompt(system, tools))

    def keep(self, recorded: Recorded) -> None:
        """Appends one line, durably."""
        with self._path.open("ab") as file:
            file.write(canonical(recorded) + b"\n")
            file.flush()
            os.fsync(file.fileno())


class _RecordedConversation:
    def __init__(self, recorder: Recorder, key: ConversationKey, inner: Conversation, prompt: "_Prompt") -> None:
        self._recorder = recorder
        self._key = key
        self._inner = inner
        self._prompt = prompt
        self._turn = 1

    @property
    def prompt_bytes(self) -> int:
        return self._inner.prompt_bytes

    @property
    def unanswered(self) -> int:
        return self._inner.unanswered

    def append(self, message: Message) -> None:
        self._inner.append(message)
        self._prompt.append(message)
        self._turn += message.role == "assistant"

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        reply = await self._inner.reply(on_delta)
        self._recorder.keep(Recorded(key=self._key, turn=self._turn, prompt=self._prompt.hash, reply=reply))
        return reply


class Cassette:
    """A model that says what was recorded."""

    def __init__(self, path: Path) -> None:
        self.warnings: list[str] = []
        """Conversations whose prompt is not the recorded one, each named once, at the first turn that differs."""
        self._name = f"cassette:{path.stem}"
        self._replies = {(recorded.key, recorded.turn): recorded for recorded in _load(path)}
        self._drifted: set[ConversationKey] = set()

    @property
    def name(self) -> str:
        return self._name

    def price(self, usage: Usage, /) -> float | None:
        return None

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        return _ReplayedConversation(self, key, Transcript(system, tools), _Prompt(system, tools))

    def recorded(self, key: ConversationKey, turn: int, prompt: str) -> Reply:
        """The reply of a turn; GiveUp, naming it, if it was never recorded. Of two recordings the later one holds."""
        found = self._replies.get((key, turn))
        if found is None:
            raise GiveUp(f"{self._name!r} holds no reply for {str(key)!r}, turn {turn}; {self._held()}")
        if found.prompt != prompt and key not in self._drifted:
            self._drifted.add(key)
            self.warnings.append(f"The prompt of {str(key)!r} has changed since it was recorded, first at turn {turn}.")
        return found.reply

    def _held(self) -> str:
        """What is on the tape, and how it would be played."""
        turns = Counter(str(key) for key, _ in self._replies)
        held = [f"{name} ({count} {'turn' if count == 1 else 'turns'})" for name, count in turns.items()]
        shown = ", ".join(held[:NAMED]) + (f" and {len(held) - NAMED} more" if len(held) > NAMED else "")
        way = (
            "A conversation is found by its mission's id and all else in its name, so they must match; or record anew."
        )
        return f"it holds {shown or 'nothing'}. {way}"


class _ReplayedConversation:
    unanswered = 1

    def __init__(self, cassette: Cassette, key: ConversationKey, transcript: Transcript, prompt: "_Prompt") -> None:
        self._cassette = cassette
        self._key = key
        self._transcript = transcript
        self._prompt = prompt

    @property
    def prompt_bytes(self) -> int:
        return self._transcript.size

    def append(self, message: Message) -> None:
        self._transcript.append(message)
        self._prompt.append(message)

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        reply = self._next()
        if on_delta is not None and reply.message.text:
            on_delta(reply.message.text)
        return reply

    def _next(self) -> Reply:
        transcript = self._transcript
        if not (calls := transcript.calls_to_repeat):
            return self._cassette.recorded(self._key, transcript.turn, self._prompt.hash)
        message = Message(role="assistant", parts=(Text(text="It was interrupted. Again."), *calls))
        return Reply(message=message, usage=transcript.usage(message), model=self._cassette.name, stop="calls")


_MEASURED = re.compile(rb"[0-9a-f]{7,64}|(?:under )?\d+(?:\.\d+)?")
"""What differs from run to run in the results of tools: durations, counts, hashes."""


class _Prompt:
    """A hash over all that was sent, carried along so that no message is hashed twice."""

    def __init__(self, system: str, tools: tuple[ToolSpec, ...]) -> None:
        self._hash = hashlib.sha256(canonical((sorted(tools, key=lambda tool: tool.name), system)))

    def append(self, message: Message) -> None:
        sent = canonical(message)
        self._hash.update(b"\n" + (_MEASURED.sub(b"#", sent) if message.results else sent))

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()[:16]


def _load(path: Path) -> list[Recorded]:
    try:
        lines = path.read_bytes().split(b"\n")[:-1]  # a last line without its end was torn by a crash
        return [msgspec.json.decode(line, type=Recorded) for line in lines]
    except OSError as error:
        raise GiveUp(f"The cassette {str(path)!r} cannot be opened: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise GiveUp(f"The cassette {str(path)!r} cannot be read: {error}.") from error


def _drop_torn_line(path: Path) -> None:
    """Cuts off what a crash left of a last line, so that the next one begins on a line of its own."""
    if path.exists():
        data = path.read_bytes()
        if not data.endswith(b"\n"):
            os.truncate(path, data.rfind(b"\n") + 1)
