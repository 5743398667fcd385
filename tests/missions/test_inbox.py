"""The inbox: people write whenever they like; one runner reads, and gives each word to one agent, once."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import anyio

from shopfloor.agent.run import Mail, Word
from shopfloor.domain.events import AgentSteered, Answered, CancelAsked, InboxEvent, PauseAsked, Steered
from shopfloor.domain.messages import said
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, inbox_of
from shopfloor.missions.inbox import Inbox

T = TypeVar("T")
STREAM, AGENTS = "mission/m1", "agent/m1/"


def with_journal(folder: Path, act: Callable[[Journal], Awaitable[T]]) -> T:
    async def run() -> T:
        journal = open_sqlite(folder / "journal.db")
        try:
            return await act(journal)
        finally:
            await journal.close()

    return anyio.run(run)


async def write(journal: Journal, *letters: InboxEvent) -> None:
    await journal.append(inbox_of(STREAM), letters)


async def heard_by(journal: Journal, agent: str, seq: int) -> AgentSteered:
    """An agent was given the words of that place."""
    steered = AgentSteered(message=said("…"), inbox_seq=seq)
    await journal.append(f"agent/m1/{agent}", (steered,))
    return steered


def test_words_wait_for_an_agent_and_go_to_one(tmp_path: Path) -> None:
    """What one agent was given no later one hears again."""

    async def act(journal: Journal) -> list[Mail]:
        await write(journal, Steered(text="use CSV"))
        inbox = await Inbox.open(journal, STREAM, AGENTS)
        seen = [await inbox.mail(0), await inbox.mail(0)]
        inbox.hear(await heard_by(journal, "worker/csv/1", 1))
        seen.append(await inbox.mail(0))
        await write(journal, Steered(text="and UTF-8"))
        return [*seen, await inbox.mail(0)]

    first = Mail(words=(Word(seq=1, text="use CSV"),))
    assert with_journal(tmp_path, act) == [first, first, Mail(), Mail(words=(Word(seq=2, text="and UTF-8"),))]


def test_the_next_runner_knows_what_was_heard(tmp_path: Path) -> None:
    """From the agents' streams: nothing is remembered anywhere else."""

    async def act(journal: Journal) -> Mail:
        await write(journal, Steered(text="use CSV"), Steered(text="and UTF-8"))
        await heard_by(journal, "orchestrator/1", 1)
        return await (await Inbox.open(journal, STREAM, AGENTS)).mail(0)

    assert with_journal(tmp_path, act).words == (Word(seq=2, text="and UTF-8"),)


def test_an_agent_never_gets_what_lies_before_its_own_place(tmp_path: Path) -> None:
    """An agent that goes on after a crash says how far it had heard."""

    async def act(journal: Journal) -> Mail:
        await write(journal, Steered(text="use CSV"), Steered(text="and UTF-8"))
        return await (await Inbox.open(journal, STREAM, AGENTS)).mail(1)

    assert with_journal(tmp_path, act).words == (Word(seq=2, text="and UTF-8"),)


def test_a_pause_is_granted_once_and_a_cancel_for_ever(tmp_path: Path) -> None:
    """Who resumes a mission takes the pause back; a cancel cannot be taken back."""

    async def act(journal: Journal) -> list[tuple[bool, bool]]:
        first = await Inbox.open(journal, STREAM, AGENTS)
        await write(journal, PauseAsked())
        seen = [await first.mail(0)]
        second = await Inbox.open(journal, STREAM, AGENTS)
        seen.append(await second.mail(0))
        await write(journal, CancelAsked())
        seen.append(await second.mail(0))
        seen.append(await (await Inbox.open(journal, STREAM, AGENTS)).mail(0))
        return [(mail.pause, mail.cancel) for mail in seen]

    assert with_journal(tmp_path, act) == [(True, False), (False, False), (False, True), (False, True)]


def test_the_latest_answer_counts(tmp_path: Path) -> None:
    """People may think again, as long as nobody has acted on it."""

    async def act(journal: Journal) -> dict[str, str]:
        await write(journal, Answered(question="q1", text="tab"), Answered(question="q2", text="yes"))
        inbox = await Inbox.open(journal, STREAM, AGENTS)
        await write(journal, Answered(question="q1", text="comma"))
        return await inbox.answers()

    assert with_journal(tmp_path, act) == {"q1": "comma", "q2": "yes"}


def test_other_missions_are_other_people_s_business(tmp_path: Path) -> None:
    """Also those whose names begin alike."""

    async def act(journal: Journal) -> Mail:
        await journal.append(inbox_of("mission/m10"), (CancelAsked(), Steered(text="not for you")))
        await journal.append("agent/m10/worker/1", (AgentSteered(message=said("…"), inbox_seq=9),))
        await write(journal, Steered(text="for you"))
        return await (await Inbox.open(journal, STREAM, AGENTS)).mail(0)

    assert with_journal(tmp_path, act) == Mail(words=(Word(seq=1, text="for you"),))
