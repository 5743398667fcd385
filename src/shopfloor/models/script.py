"""Answers written down in advance, and the TOML or JSON files that hold them.

    [[conversation]]
    role = "worker"             # feature and attempt narrow it down further
    feature = "export"
    answers = [
        {text = "Let me look.", calls = [{name = "shell", arguments = {command = "ls"}}]},
        {text = "Done."},
    ]

It does not know who gives the answers: a scripted model here, a mock provider over HTTP.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import Call, ConversationKey, Message, Part, Text, Thinking
from shopfloor.models.canonical import canonical_text

T = TypeVar("T")
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


class ScriptedCall(Fact, forbid_unknown_fields=True):
    """A call. `arguments` is an object, or a text that is sent exactly as it stands, JSON or not."""

    name: str
    arguments: Mapping[str, object] | str = "{}"


class Answer(Fact, forbid_unknown_fields=True):
    """One reply."""

    text: str = ""
    thinking: str = ""
    signature: str = ""
    calls: tuple[ScriptedCall, ...] = ()


class ScriptedConversation(Fact, forbid_unknown_fields=True):
    """The answers of one conversation, or of all of a role or feature."""

    role: str
    answers: tuple[Answer, ...]
    feature: str = ""
    attempt: int = 0


class ConversationScript(Fact, forbid_unknown_fields=True):
    """What a script file for a scripted model holds."""

    conversation: tuple[ScriptedConversation, ...]


Address: TypeAlias = tuple[str] | tuple[str, str] | tuple[str, str, int]
"""Whose answers: role, or role and feature, or role, feature and attempt. The most precise one wins."""


def message_of(answer: Answer, prefix: str) -> Message:
    """The answer as a message; its calls get ids that begin with `prefix`, the same in every replay."""
    parts: list[Part] = []
    if answer.thinking:
        parts.append(Thinking(text=answer.thinking, signature=answer.signature or None))
    if answer.text:
        parts.append(Text(text=answer.text))
    for number, call in enumerate(answer.calls, 1):
        arguments = call.arguments if isinstance(call.arguments, str) else canonical_text(call.arguments)
        parts.append(Call(id=f"{prefix}_{number}", name=call.name, arguments=arguments))
    return Message(role="assistant", parts=tuple(parts))


def call_prefix(key: ConversationKey, turn: int) -> str:
    """Begins the ids of a turn's calls: unlike those of every other turn of every conversation of the mission."""
    words = filter(None, ("call", key.role, key.feature, str(key.attempt), str(turn)))
    return NOT_IN_IDS.sub("-", "_".join(words))


def addresses(key: ConversationKey) -> tuple[Address, ...]:
    """Where answers for a conversation may be found, the most precise first."""
    return (key.role, key.feature, key.attempt), (key.role, key.feature), (key.role,)


def load_conversations(path: Path) -> dict[Address, tuple[Answer, ...]]:
    """The answers in a script file. GiveUp, naming the place, if it cannot be read."""
    script = decode_file(path, ConversationScript)
    return {_address(conversation): conversation.answers for conversation in script.conversation}


def decode_file(path: Path, kind: type[T]) -> T:
    """A .toml or .json file as `kind`. GiveUp, naming the place, if it cannot be read."""
    try:
        data = path.read_bytes()
        return msgspec.json.decode(data, type=kind) if path.suffix == ".json" else msgspec.toml.decode(data, type=kind)
    except OSError as error:
        raise GiveUp(f"The script {str(path)!r} cannot be opened: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GiveUp(f"The script {str(path)!r} cannot be read: {error}.") from error


def _address(conversation: ScriptedConversation) -> Address:
    if conversation.attempt:
        return conversation.role, conversation.feature, conversation.attempt
    return (conversation.role, conversation.feature) if conversation.feature else (conversation.role,)
