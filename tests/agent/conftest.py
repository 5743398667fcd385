"""A desk in a folder: a real journal, a lease, honest little tools, and agents that are employed one call at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import anyio
import pytest

from shopfloor.agent.desk import Desk, employ, stream_of
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Outcome, Question, Suspended
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.events import AgentEvent, InboxEvent
from shopfloor.domain.exits import Exit
from shopfloor.domain.messages import Conversation, ConversationKey, Message, Model, OnDelta, Reply, ToolSpec
from shopfloor.domain.roles import RoleName
from shopfloor.domain.spending import Budget, Spent, Usage
from shopfloor.guard.actions import ReadFile, RunCommand
from shopfloor.guard.permit import Policy
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, inbox_of
from shopfloor.journal.views import spent
from shopfloor.missions.inbox import Inbox
from shopfloor.models.script import Answer as ScriptedAnswer
from shopfloor.models.scripted import Answering, Script, ScriptedModel
from shopfloor.tools.talk import ask_tool
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, always, never

MISSION = "mission/m1"
FREE = Policy(autonomy="high", sandboxed=True, person_present=True)
Act = Callable[[Journal, str], Awaitable[None]]
"""What a command of the little shell really does, besides being written into the log."""


class Look(Arguments):
    path: str


class Do(Arguments):
    command: str


class HandIn(Arguments):
    summary: str
    tests: int


class Overheard:
    """A model behind another one, that keeps what each of its conversations was sent: what a provider would see."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.sent: list[list[Message]] = []

    @property
    def name(self) -> str:
        return self._model.name

    def price(self, usage: Usage) -> float | None:
        return self._model.price(usage)

    def open(self, key: ConversationKey, system: str, tools: tuple[ToolSpec, ...]) -> Conversation:
        self.sent.append([])
        return _Overheard(self._model.open(key, system, tools), self.sent[-1])


class _Overheard:
    def __init__(self, inner: Conversation, sent: list[Message]) -> None:
        self._inner = inner
        self._sent = sent

    @property
    def prompt_bytes(self) -> int:
        return self._inner.prompt_bytes

    @property
    def unanswered(self) -> int:
        return self._inner.unanswered

    def append(self, message: Message) -> None:
        self._sent.append(message)
        self._inner.append(message)

    async def reply(self, on_delta: OnDelta | None = None) -> Reply:
        return await self._inner.reply(on_delta)


async def nothing(journal: Journal, command: str) -> None:
    """A command that changes nothing but the log."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """How the agent was left: ended, or waiting where `exit` is None."""

    exit: Exit | None
    reason: str
    spent: Spent
    result: str = ""
    question: Question | None = None


class Office:
    """One agent's desk. Everything it did in the world stands in `log`, one line for each deed."""

    key = ConversationKey(mission="m1", role="worker", feature="export")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.log = folder / "log"
        self.files.mkdir(parents=True)
        self.log.touch()

    def beside(self, name: str) -> "Office":
        """Another, empty office."""
        return Office(self.folder.parent / name)

    @property
    def deeds(self) -> list[str]:
        """What was done in the world, in order."""
        return self.log.read_text().splitlines()

    def run(
        self,
        script: Script | Answering | Model | Sequence[ScriptedAnswer | Message | str],
        *,
        role: RoleName = "worker",
        task: str = "Export orders.",
        budget: Budget = Budget(),  # noqa: B008 - a frozen value
        policy: Policy = FREE,
        answers: Mapping[str, str] | None = None,
        act: Act = nothing,
    ) -> Left:
        """Employs the agent, or goes on with it, as one process would: until it ends or can only wait."""
        try:
            done = anyio.run(self.employ, model_of(script), role, act, task, budget, policy, answers or {})
        except Suspended as suspended:
            return Left(exit=None, reason=str(suspended), spent=self.spent(), question=suspended.question)
        return Left(exit=done.exit, reason=done.reason, spent=done.spent, result=done.result)

    def spent(self) -> Spent:
        """What the agent's stream says it has used."""

        async def act() -> Spent:
            journal = open_sqlite(self.folder / "journal.db")
            try:
                return spent(await journal.read(stream_of(self.key)))
            finally:
                await journal.close()

        return anyio.run(act)

    async def employ(
        self,
        model: Model,
        role: RoleName,
        act: Act,
        task: str = "Export orders.",
        budget: Budget = Budget(),  # noqa: B008 - a frozen value
        policy: Policy = FREE,
        answers: Mapping[str, str] = {},
    ) -> Outcome:
        """One runner's part of the work: it takes the lease, and gives it back however it leaves."""
        journal = open_sqlite(self.folder / "journal.db")
        lease = await journal.acquire(MISSION, "runner", 60)
        try:
            inbox = await Inbox.open(journal, MISSION, "agent/m1/")
            desk = Desk(
                journal=journal,
                blobs=Blobs(self.folder / "blobs"),
                lease=lease,
                model_for=lambda _: model,
                policy=policy,
                mail=inbox.mail,
                answers=answers,
                heard=lambda stream, event: inbox.hear(event),
            )
            return await employ(
                desk,
                self.key,
                role=role,
                system="You build.",
                task=task,
                tools=self.tools(journal, act),
                budget=budget,
                steerable=True,
            )
        finally:
            with anyio.CancelScope(shield=True):
                await journal.release(lease)
                await journal.close()

    def events(self) -> list[AgentEvent]:
        """The agent's stream."""

        async def read() -> list[AgentEvent]:
            journal = open_sqlite(self.folder / "journal.db")
            recorded = await journal.read(stream_of(self.key))
            await journal.close()
            return [cast("AgentEvent", one.event) for one in recorded]

        return anyio.run(read)

    def write(self, *events: AgentEvent) -> None:
        """Puts events into the agent's stream, as an earlier runner left them."""
        anyio.run(self._append, stream_of(self.key), events)

    def mail(self, *letters: InboxEvent) -> None:
        """Writes to the mission's inbox, as a person does."""
        anyio.run(self._append, inbox_of(MISSION), letters)

    async def _append(self, stream: str, events: Sequence[AgentEvent | InboxEvent]) -> None:
        journal = open_sqlite(self.folder / "journal.db")
        await journal.append(stream, events)
        await journal.close()

    def tools(self, journal: Journal, act: Act) -> tuple[AnyTool, ...]:
        """Reading files, a shell that keeps a log, asking a person, and the ways to finish."""

        async def look(arguments: Look) -> Answer:
            self._done(f"read {arguments.path}")
            place = self.files / arguments.path
            if not place.is_file():
                raise AskModelAgain(f"there is no file {arguments.path!r}; list the folder first")
            return Answer(text=place.read_text())

        async def do(arguments: Do) -> Answer:
            self._done(arguments.command)
            await act(journal, arguments.command)
            return Answer(text=f"did {arguments.command}", exit_code=0)

        async def accept(handed: HandIn) -> HandIn:
            if handed.tests == 0:
                raise AskModelAgain("run the tests before you hand in")
            return handed

        def read_action(arguments: Look) -> ReadFile:
            return ReadFile(path=arguments.path)

        def shell_action(arguments: Do) -> RunCommand:
            return RunCommand(command=arguments.command)

        return (
            Tool(name="read", description="Read.", arguments=Look, run=look, action=read_action, repeatable=always),
            Tool(name="shell", description="Do.", arguments=Do, run=do, action=shell_action, repeatable=never),
            ask_tool(person_present=True),
            finish_tool("hand_off", "Hand in.", HandIn, accept),
            finish_tool("submit_review", "Hand in.", HandIn, accept),
        )

    def _done(self, deed: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{deed}\n")


def model_of(script: Script | Answering | Model | Sequence[ScriptedAnswer | Message | str]) -> Model:
    """A scripted model; a plain sequence is the script of the office's one conversation."""
    if isinstance(script, Sequence):
        return ScriptedModel({(Office.key.role,): script})
    if isinstance(script, Mapping) or callable(script):
        return ScriptedModel(cast("Script | Answering", script))
    return script


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "office")


@pytest.fixture
def overheard() -> type[Overheard]:
    """Wraps a model, to see what it was sent."""
    return Overheard
