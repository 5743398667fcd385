"""Where agents are employed: a stream, a lease, a model, a person's mail, and one call that runs a role to its end.

It does not know what the roles are for.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from shopfloor.agent.history import replay
from shopfloor.agent.roles import ROLES
from shopfloor.agent.run import Job, Mail, Outcome, no_mail, run_agent
from shopfloor.domain.events import AgentEvent, Event
from shopfloor.domain.messages import ConversationKey, Model, OnDelta, said
from shopfloor.domain.roles import RoleName
from shopfloor.domain.spending import Budget, Spent
from shopfloor.guard.permit import Policy
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.store import Journal, Lease
from shopfloor.tools.tool import AnyTool
from shopfloor.tools.toolbox import Toolbox


class Heard(Protocol):
    """Hears of every fact once it is durable; must not raise and must be quick."""

    def __call__(self, stream: str, event: Event, /) -> None: ...


def nobody(stream: str, event: Event) -> None:
    """A listener that does not listen."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every agent of one job shares. All of them write under one lease."""

    journal: Journal
    blobs: Blobs
    lease: Lease
    model_for: Callable[[RoleName], Model]
    policy: Policy
    mail: Callable[[int], Awaitable[Mail]] = no_mail
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    heard: Heard = nobody
    on_delta: OnDelta | None = None

    async def record(self, stream: str, *events: Event) -> None:
        """Makes facts durable under the lease, then tells who listens."""
        await self.journal.append(stream, events, lease=self.lease)
        for event in events:
            self.heard(stream, event)


def stream_of(key: ConversationKey) -> str:
    """The name of an agent's stream."""
    return f"agent/{key}"


async def employ(
    desk: Desk,
    key: ConversationKey,
    *,
    role: RoleName,
    system: str,
    task: str,
    tools: Sequence[AnyTool],
    budget: Budget,
    policy: Policy | None = None,
    steerable: bool = False,
) -> Outcome:
    """Runs an agent in that role to its end, or goes on where its stream stops. Raises what run_agent raises.

    Tools beyond the role's own are left out.
    """
    stream = stream_of(key)
    events = [recorded.event for recorded in await desk.journal.read(stream)]
    history = replay([cast("AgentEvent", event) for event in events if event is not None])
    wanted = {*ROLES[role].tools, ROLES[role].finish}

    async def record(*events: AgentEvent) -> None:
        await desk.record(stream, *events)

    return await run_agent(
        Job(
            key=key,
            role=ROLES[role],
            system=system,
            system_blob=desk.blobs.put(system.encode()),
            task=said(task),
            model=desk.model_for(role),
            toolbox=Toolbox(tuple(tool for tool in tools if not ROLES[role].tools or tool.name in wanted)),
            policy=policy or desk.policy,
            budget=_with_own(budget, history.spent_for_sure),
            record=record,
            history=history,
            mail=desk.mail if steerable else _only_cancels(desk.mail),
            answers=desk.answers,
            on_delta=desk.on_delta,
        )
    )


def _with_own(left: Budget, own: Spent) -> Budget:
    """What is left for everybody, plus what this agent had used when it was cut off: its limit from its beginning."""
    return Budget(
        usd=None if left.usd is None else left.usd + own.usd,
        tokens=None if left.tokens is None else left.tokens + own.usage.total,
        seconds=None if left.seconds is None else left.seconds + own.seconds,
        steps=left.steps,
    )


def _only_cancels(mail: Callable[[int], Awaitable[Mail]]) -> Callable[[int], Awaitable[Mail]]:
    """Who judges is not steered, and finishes before a pause: a judge that was cut short would have refused."""

    async def cancels(after: int) -> Mail:
        return Mail(cancel=(await mail(after)).cancel)

    return cancels
