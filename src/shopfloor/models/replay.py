"""Where a conversation stands in a script or recording: a pure reading of what was appended to it.

A conversation rebuilt after a crash stands where the lost one stood, because the place follows from its messages alone.
It does not know where answers come from.
"""

from shopfloor.domain.messages import Call, Message, ToolSpec
from shopfloor.domain.spending import Usage
from shopfloor.models.canonical import canonical

BYTES_PER_TOKEN = 4


class Transcript:
    """What one conversation consists of, kept so that each message costs the same however many came before."""

    def __init__(self, system: str, tools: tuple[ToolSpec, ...]) -> None:
        self.size = len(canonical((sorted(tools, key=lambda tool: tool.name), system)))
        self.replies = 0
        self.newest: Message | None = None
        self._consumed = 0
        self._sent_before = 0
        self._last_calls: tuple[Call, ...] = ()
        self._interrupted: list[str] = []

    @property
    def turn(self) -> int:
        """Which answer of the script comes next, from 1. Calls that were only issued again consumed none."""
        return self._consumed + 1

    @property
    def calls_to_repeat(self) -> tuple[Call, ...]:
        """Calls of the last reply that were interrupted: after looking, a sensible model would make them again.

        Each has a new id that follows from the old one, because every call of a conversation has an id of its own.
        """
        return tuple(
            Call(id=f"{call.id}_again", name=call.name, arguments=call.arguments)
            for call in self._last_calls
            if call.id in self._interrupted
        )

    def append(self, message: Message) -> None:
        if message.role == "assistant":
            self._consumed += not self.calls_to_repeat
            self.replies += 1
            self._sent_before = self.size
            self._last_calls, self._interrupted = message.calls, []
        else:
            self._interrupted += [result.call_id for result in message.results if result.interrupted]
        self.newest = message
        self.size += len(canonical(message))

    def usage(self, reply: Message) -> Usage:
        """What a provider with a perfect prefix cache would count, at four bytes a token."""
        prompt, cached = self.size // BYTES_PER_TOKEN, self._sent_before // BYTES_PER_TOKEN
        return Usage(fresh=prompt - cached, cache_read=cached, output=len(canonical(reply)) // BYTES_PER_TOKEN)
