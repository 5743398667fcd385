"""What people wrote to a mission: words for the agent at work, answers, and wishes to pause or cancel.

Read only by the mission's runner. It does not know who wrote.
"""

from typing import cast

from shopfloor.agent.run import Mail, Word
from shopfloor.domain.events import AgentSteered, Answered, CancelAsked, Event, InboxEvent, PauseAsked, Steered
from shopfloor.journal.store import Journal, inbox_of


class Inbox:
    """A mission's inbox, seen by one runner. A wish to pause that is older than the runner was already granted."""

    def __init__(self, journal: Journal, stream: str, *, begun_at: int, delivered: int) -> None:
        self._journal = journal
        self._stream = inbox_of(stream)
        self._begun_at = begun_at
        self._delivered = delivered
        self._seen = 0
        self._letters: list[tuple[int, InboxEvent]] = []

    @classmethod
    async def open(cls, journal: Journal, stream: str, agents: str) -> "Inbox":
        """The inbox of a mission stream, whose agents' streams begin with `agents`."""
        letters = await journal.read(inbox_of(stream))
        delivered = 0
        for agent in await journal.streams(agents):
            for recorded in await journal.read(agent.name):
                if isinstance(recorded.event, AgentSteered):
                    delivered = max(delivered, recorded.event.inbox_seq)
        return cls(journal, stream, begun_at=letters[-1].seq if letters else 0, delivered=delivered)

    async def mail(self, after: int) -> Mail:
        """What is new: words that no agent has been given, and whether a person wants to pause or to cancel."""
        await self._fetch()
        unread = max(after, self._delivered)
        words = tuple(
            Word(seq=seq, text=letter.text)
            for seq, letter in self._letters
            if isinstance(letter, Steered) and seq > unread
        )
        pause = any(isinstance(letter, PauseAsked) and seq > self._begun_at for seq, letter in self._letters)
        cancel = any(isinstance(letter, CancelAsked) for _, letter in self._letters)
        return Mail(words=words, pause=pause, cancel=cancel)

    async def answers(self) -> dict[str, str]:
        """The latest answer to each question, by the question's id."""
        await self._fetch()
        return {letter.question: letter.text for _, letter in self._letters if isinstance(letter, Answered)}

    def hear(self, event: Event) -> None:
        """Keeps in mind which words have been given to an agent."""
        if isinstance(event, AgentSteered):
            self._delivered = max(self._delivered, event.inbox_seq)

    async def _fetch(self) -> None:
        for recorded in await self._journal.read(self._stream, after=self._seen):
            self._seen = recorded.seq
            if recorded.event is not None:
                self._letters.append((recorded.seq, cast("InboxEvent", recorded.event)))
