"""The turn loop: ask the model, perform its calls, record around every effect, leave by a named exit.

It does not know what a mission is, nor how a call is performed.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from shopfloor.agent.history import History, interrupted, reminder
from shopfloor.agent.stuck import WINDOW, stuck
from shopfloor.domain.errors import GiveUp, NeedsHuman, TryLater
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
from shopfloor.domain.exits import Exit
from shopfloor.domain.messages import (
    Call,
    Conversation,
    ConversationKey,
    Message,
    Model,
    OnDelta,
    Reply,
    Result,
    said,
)
from shopfloor.domain.roles import Role
from shopfloor.domain.spending import Budget, Spent, Usage
from shopfloor.guard.permit import Allowed, Ask, Denied, Policy, permit
from shopfloor.loop import Progress, exit_of
from shopfloor.tools.toolbox import Toolbox

BYTES_PER_TOKEN = 4
LONGEST_QUOTE = 300
CORRECTION_HOLDS_TURNS = WINDOW
"""A circle seen within so many turns after a correction ends the agent; a later one is corrected anew.

As many as the longest circle takes: else it would be corrected again and again, and never end.
"""


class Record(Protocol):
    """Appends facts to the agent's stream; returns once they are durable."""

    async def __call__(self, *events: AgentEvent) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Word:
    """A person's words for the agent, with their place in the inbox."""

    seq: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What came into the inbox since the last look: words, and whether the person wants the agent to pause or end."""

    words: tuple[Word, ...] = ()
    pause: bool = False
    cancel: bool = False


async def no_mail(after: int) -> Mail:
    """An inbox that nobody writes to."""
    return Mail()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What only a person can answer; `id` names the agent, the turn and the call that asks."""

    id: str
    text: str
    options: tuple[str, ...] = ()
    """Answers to choose from by their numbers; any other words will do too."""


class Suspended(Exception):
    """The agent has not ended and cannot go on now: a person paused it, it waits for an answer, or for more budget."""

    def __init__(self, question: Question | None = None) -> None:
        super().__init__(question.text if question else "paused, or the shared budget is used up")
        self.question = question


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that one agent needs.

    `mail(after)` reads the inbox past a place, `system_blob` is where the prompt is kept, `answers` are a person's
    answers to questions, by their id.
    """

    key: ConversationKey
    role: Role
    system: str
    system_blob: str
    task: Message
    model: Model
    toolbox: Toolbox
    policy: Policy
    budget: Budget
    record: Record
    history: History = field(default_factory=History)
    mail: Callable[[int], Awaitable[Mail]] = no_mail
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    on_delta: OnDelta | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the agent left its loop. `result` is what its finish tool accepted, or its last words if it has none."""

    exit: Exit
    reason: str
    spent: Spent
    result: str = ""


async def run_agent(job: Job) -> Outcome:
    """Runs an agent to its end, or goes on where its history stops.

    Raises Suspended when it must wait for a person or for more of the shared budget, TryLater while its model cannot
    be reached, NeedsHuman when its model refuses what a person can put right (a key, an account): all leave its
    stream open.
    """
    history = job.history
    if history.started is None:
        await _note(job, _started(job))
    if history.ended is None:
        await _turns(job)
    last = history.ended
    assert last is not None
    return Outcome(exit=last.exit, reason=last.reason, spent=last.spent, result=last.result)


async def _turns(job: Job) -> None:
    """Turns until the agent has ended."""
    history = job.history
    conversation = job.model.open(job.key, job.system, job.toolbox.specs)
    sent = 0
    while True:
        await _perform_waiting_calls(job)
        if history.refused:
            words = history.messages[-1].text.strip()[:LONGEST_QUOTE]
            await _note(job, _ended(job, "gave_up", f"the model refused to answer: {words or '(without a word)'}"))
            return
        mail = await job.mail(history.steered_up_to)
        if leave := _exit(job, mail):
            await _note(job, _ended(job, leave))
            return
        if exit_of(Progress(spent=history.spent_for_sure), _shared(job.budget)) is not None:
            raise Suspended
        for word in mail.words:
            await _note(job, AgentSteered(message=said(word.text), inbox_seq=word.seq))
        if mail.pause:
            raise Suspended
        await _correct(job)
        for message in history.messages[sent:]:
            conversation.append(message)
        sent = len(history.messages)
        try:
            await _ask_model(job, conversation)
        except GiveUp as trouble:
            await _note(job, _ended(job, "gave_up", str(trouble)))
            return


def _exit(job: Job, mail: Mail) -> Exit | None:
    """Why the agent leaves now. A person's words keep it from leaving by words of its own, or as stuck."""
    history = job.history
    progress = Progress(
        steps=history.turn,
        spent=history.spent_for_sure,
        done=_result(job) is not None and not (mail.words and not job.role.finish),
        stopped=mail.cancel,
        stuck=stuck(history.turns_since_correction) if _freshly_corrected(history) and not mail.words else None,
    )
    # Money, tokens and time are shared by all agents of a job: one that meets those limits waits, it has not ended.
    turns = job.role.max_turns if job.budget.steps is None else job.budget.steps
    return exit_of(progress, Budget(steps=turns))


def _shared(budget: Budget) -> Budget:
    return Budget(usd=budget.usd, tokens=budget.tokens, seconds=budget.seconds)


def _result(job: Job) -> str | None:
    """What the agent hands in: what its finish tool accepted, or its last words if it has none."""
    if job.role.finish:
        return job.history.accepted(job.role.finish)
    last = job.history.messages[-1]
    whole = last.role == "assistant" and not last.calls and not job.history.cut
    return (last.text.strip() or None) if whole else None


def _freshly_corrected(history: History) -> bool:
    return history.corrected and len(history.turns_since_correction) <= CORRECTION_HOLDS_TURNS


async def _correct(job: Job) -> None:
    """The first time it circles, the agent is told; leaving is for the second time."""
    history = job.history
    if why := stuck(history.turns_since_correction):
        text = f"You seem stuck: {why}. Stop repeating it; look at what is really wrong and try a different way."
        await _note(job, AgentCorrected(why="circle", reason=why, message=reminder(text)))
    elif history.messages[-1].role == "assistant":
        text = _how_to_finish(job)
        await _note(job, AgentCorrected(why="silent", reason="no tool was called", message=reminder(text)))


def _how_to_finish(job: Job) -> str:
    if job.history.cut:
        return "Your reply was cut off at its limit. Go on, in smaller pieces."
    finish = f"calling `{job.role.finish}`" if job.role.finish else "saying in words what you did"
    return f"No tool was called. Go on with the work, or finish by {finish}."


async def _ask_model(job: Job, conversation: Conversation) -> None:
    """One turn of the model, no longer than the job's time lasts. A failure is on record before it is raised."""
    turn = job.history.turn + 1
    estimate = conversation.prompt_bytes // BYTES_PER_TOKEN
    began = time.monotonic()
    usd = None if job.budget.usd is None else job.model.price(Usage(fresh=estimate))
    await _note(job, ModelCalled(turn=turn, estimate=estimate, usd=usd))

    async def note_failure(reason: str) -> None:
        seconds, lost = time.monotonic() - began, conversation.unanswered
        await _note(job, ModelFailed(turn=turn, reason=reason, seconds=seconds, lost=lost))

    reply: Reply | None = None
    try:
        with anyio.move_on_after(_seconds_left(job)):
            reply = await conversation.reply(job.on_delta)
    except (GiveUp, NeedsHuman, TryLater) as trouble:
        await note_failure(str(trouble))
        raise
    if reply is None:
        await note_failure("the time was used up before it had answered")
    else:
        await _note(job, _replied(turn, reply))


def _seconds_left(job: Job) -> float | None:
    """How long the job may still take; None when nobody set a limit."""
    seconds = job.budget.seconds
    return None if seconds is None else max(0.0, seconds - job.history.spent_for_sure.seconds)


async def _perform_waiting_calls(job: Job) -> None:
    """Performs what the last reply asked for, one after the other."""
    for call in job.history.waiting_calls:
        started = time.monotonic()
        result = await _perform(job, call)
        await _note(job, ToolReturned(turn=job.history.turn, result=result, seconds=time.monotonic() - started))


async def _perform(job: Job, call: Call) -> Result:
    """One call: permitted, recorded, done. A call that a crash cut off is repeated only where that is harmless."""
    begun = job.history.begun(call)
    if begun is not None and not begun.repeatable:
        return interrupted(call)
    match permit(job.toolbox.action(call), job.policy):
        case Denied(why=why):
            return Result(call_id=call.id, text=f"Not allowed: {why}", ok=False)
        case Ask(question=question):
            if not yes(_answer(job, call, question)):
                return Result(call_id=call.id, text="A person said no to this. Find another way.", ok=False)
        case Allowed():
            pass
    if begun is None:
        await _note(job, ToolCalled(turn=job.history.turn, call=call, repeatable=job.toolbox.repeatable(call)))
    try:
        with anyio.move_on_after(_seconds_left(job)):
            return await job.toolbox.perform(call)
        return Result(call_id=call.id, text="Ended while it ran: the job's time is used up.", ok=False)
    except NeedsHuman as need:
        return Result(call_id=call.id, text=_chosen(_answer(job, call, need.question, need.options), need.options))


def _answer(job: Job, call: Call, question: str, options: tuple[str, ...] = ()) -> str:
    """A person's answer to what this call asks; without one yet, the agent waits.

    Some servers give every call the same id, so the question's name says which call of which agent it was.
    """
    name = f"{job.key}/{job.history.turn}/{call.id}"
    if name not in job.answers:
        raise Suspended(Question(id=name, text=question, options=options))
    return job.answers[name]


def _chosen(answer: str, options: tuple[str, ...]) -> str:
    """The option whose number this is; any other answer as it was given."""
    return {str(number): option for number, option in enumerate(options, 1)}.get(answer.strip(), answer)


def yes(answer: str) -> bool:
    """Whether a person's answer is a yes."""
    return answer.strip().lower() in ("y", "yes", "ok", "allow")


async def _note(job: Job, event: AgentEvent) -> None:
    """Makes it durable first, then believes it."""
    await job.record(event)
    job.history.apply(event)


def _started(job: Job) -> AgentStarted:
    return AgentStarted(
        role=job.role.name,
        model=job.model.name,
        system=job.system_blob,
        tools=tuple(spec.name for spec in job.toolbox.specs),
        task=job.task,
        autonomy=job.policy.autonomy,
        budget=job.budget,
    )


def _replied(turn: int, reply: Reply) -> ModelReplied:
    return ModelReplied(
        turn=turn,
        message=reply.message,
        usage=reply.usage,
        model=reply.model,
        stop=reply.stop,
        usd=reply.usd,
        seconds=reply.seconds,
        lost=reply.lost,
    )


def _ended(job: Job, leave: Exit, reason: str = "") -> AgentEnded:
    history = job.history
    reasons: dict[Exit, str] = {
        "stuck": stuck(history.turns_since_correction) or "",
        "stopped": "a person cancelled it",
        "out_of_budget": f"{history.turn} turns",
    }
    result = (_result(job) or "") if leave == "done" else ""
    return AgentEnded(exit=leave, reason=reason or reasons.get(leave, ""), spent=history.spent_for_sure, result=result)
