"""What came of a job, as one value that text, JSON and a colleague can be shown.

Read from the journal, and from the repository whether its branch is still there. It does not know how it is laid out.
"""

from datetime import datetime
from pathlib import Path
from typing import cast

import msgspec

from shopfloor.context.cache import CacheBreak, CachedCall, cache_breaks
from shopfloor.domain.errors import GiveUp
from shopfloor.domain.events import AgentEvent, AgentStarted, MissionPlanned, ModelReplied
from shopfloor.domain.exits import Exit
from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import AssertionVerdict, CheckOutcome, Evidence, Feature, Finding
from shopfloor.domain.spending import Budget, Spent
from shopfloor.floor.carry import mission_of
from shopfloor.floor.delivery import verified
from shopfloor.floor.kept import Delivered, Unaccepted, delivered, unaccepted
from shopfloor.floor.standing import doing, standing, waiting
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.store import Journal, Recorded
from shopfloor.journal.views import spent
from shopfloor.missions.shop import mission_stream
from shopfloor.missions.state import Mission

TAIL_LINES = 12


class AssertionLine(Fact):
    """An assertion, the last word on it, and what shows it."""

    id: str
    title: str
    surface: str
    behaviour: str = ""
    verdict: AssertionVerdict | None = None
    reason: str = ""
    rounds: int = 0
    evidence: tuple[Evidence, ...] = ()


class CheckLine(CheckOutcome):
    """A check, and whether it could be made at all: one that was not has passed only in that it refuses nobody."""

    checked: bool = True


class AgentLine(Fact):
    """One agent's run."""

    name: str
    role: str
    model: str
    spent: Spent
    breaks: tuple[CacheBreak, ...] = ()


class FeatureLine(Fact):
    """A planned feature or a fix: whether it landed, and what its worker said of it. A claim, never a proof."""

    id: str
    title: str
    attempts: int = 0
    commit: str = ""
    """Where it landed, "" while it has not."""
    summary: str = ""
    undone: str = ""
    issues: tuple[str, ...] = ()


class FixLine(Fact):
    """A fix feature, what had refused the work, and whether that judge has been satisfied since."""

    id: str
    because: str
    mended: bool = False


class Report(Fact):
    """The whole job."""

    id: str
    form: str
    brief: str
    state: str
    """How it was left, or how it stands: running, interrupted, paused, waits for a person, out of budget, out of time,
    to be tried later."""
    exit: Exit | None
    reason: str
    """Why it ended so, or waits."""
    verified: bool
    autonomy: str
    sandbox: str
    network: str
    repository: str
    started: datetime
    """When a person asked for it, in this machine's time."""
    base: str
    budget: Budget = Budget()
    budget_from: str = ""
    """Where it came from: a default, a settings file, the environment, a flag; "" where nobody wrote it down."""
    remarks: tuple[str, ...] = ()
    plan: MissionPlanned | None = None
    needs_approval: bool = False
    """The plan is sealed, and waits for a person's yes."""
    question: str = ""
    """What only a person can answer, and it waits for."""
    seal: str = ""
    doing: str = ""
    """What whoever carries it is at, "" when nobody does."""
    heard_at: datetime | None = None
    """When the latest fact was put on record, by it or one of its agents, in this machine's time."""
    again_at: datetime | None = None
    """When it may go on, where it waits for something that passes by itself, in this machine's time."""
    assertions: tuple[AssertionLine, ...] = ()
    checks: tuple[CheckLine, ...] = ()
    failed_output: tuple[str, ...] = ()
    """The end of what each failed check printed, in their order."""
    findings: tuple[Finding, ...] = ()
    features: tuple[FeatureLine, ...] = ()
    fixes: tuple[FixLine, ...] = ()
    branch: str = ""
    commit: str = ""
    merge_command: str = ""
    """What merges the branch, "" once it has been merged, or is not there any more."""
    merged: str = ""
    """The branch that holds it by now, merged by a policy or by a person; "" if its target does not."""
    undo_command: str = ""
    diff: str = ""
    diff_missing: str = ""
    """Why the change cannot be shown, "" when it can: its repository may be gone."""
    unaccepted: Unaccepted | None = None
    """The latest work that is on no branch, while there is any."""
    answer: str = ""
    agents: tuple[AgentLine, ...] = ()
    spent: Spent = Spent()
    seconds: float = 0.0
    """Of work, as budgets count it: models, tools and judges. Nobody works while a mission waits."""


async def report_of(journal: Journal, blobs: Blobs, missions: Path | None, mission_id: str) -> Report:
    """The report on a mission or run. GiveUp when there is none of that name.

    Missions keep their folders in `missions`; None leaves out what is read from there and from repositories: what
    changed, what became of the branch, and work that nobody accepted.
    """
    recorded = await journal.read(mission_stream(mission_id))
    mission = await mission_of(journal, mission_id)
    if mission.request is None:
        raise GiveUp(f"There is no mission {mission_id!r}; `shopfloor mission list` shows those there are.")
    agents = await _agents(journal, mission_id)
    asked, ready = mission.request, mission.ready
    leave, reason = standing(mission)
    is_verified = verified(mission) and leave == "done"
    change = await delivered(mission, missions / mission_id) if missions else Delivered()
    merged = mission.merged.target if mission.merged else change.merged
    holder = await journal.holder(mission_stream(mission_id)) if leave is None else None
    all_spent = sum((agent.spent for agent in agents), Spent(seconds=mission.own_seconds))
    return Report(
        id=mission_id,
        form=asked.form,
        brief=asked.brief.text,
        state=leave or waiting(mission, holder),
        exit=leave,
        reason=reason,
        verified=is_verified,
        autonomy=asked.autonomy,
        sandbox=asked.sandbox,
        network=asked.network,
        repository=asked.repository,
        started=_moment(recorded[0].at),
        base=asked.base,
        budget=mission.budget,
        budget_from="flag" if mission.new_budget else asked.budget_from,
        remarks=asked.remarks,
        plan=mission.planned,
        needs_approval=mission.sealed is not None and not mission.approved and leave is None,
        question=mission.open_question.text if mission.open_question and leave is None else "",
        seal=mission.sealed.seal if mission.sealed else "",
        doing=doing(mission) if holder else "",
        heard_at=await _heard_at(journal, mission_id, recorded) if holder else None,
        again_at=_again_at(mission, recorded) if holder is None else None,
        assertions=_assertions(mission),
        checks=_last_checks(mission),
        findings=_standing_findings(mission),
        features=_features(mission),
        fixes=tuple(
            FixLine(id=fix.id, because=one.because, mended=_is_mended(mission, fix))
            for one in mission.fixes
            for fix in one.features
        ),
        branch=ready.branch if ready else "",
        commit=ready.commit if ready else "",
        merge_command=ready.merge_command if ready and change.has_branch and not merged else "",
        merged=merged,
        undo_command=_undo(mission, merged) if change.has_branch or merged else "",
        failed_output=tuple(_tail_of(check, blobs) for check in _last_checks(mission) if not check.passed),
        diff=change.diff,
        diff_missing=change.missing,
        unaccepted=await unaccepted(mission, mission_id, missions / mission_id) if missions else None,
        answer=await _last_words(journal, mission_id) if asked.form == "solo" else "",
        agents=agents,
        spent=all_spent,
        seconds=all_spent.seconds,
    )


async def _heard_at(journal: Journal, mission_id: str, recorded: list[Recorded]) -> datetime:
    agents = await journal.streams(f"agent/{mission_id}/")
    return _moment(max((recorded[-1].at, *(stream.last_at for stream in agents))))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(int(at)).astimezone()


def _again_at(mission: Mission, recorded: list[Recorded]) -> datetime | None:
    paused = mission.paused
    if paused is None or paused.after_s is None or mission.ended is not None:
        return None
    return _moment(max(one.at for one in recorded if one.kind == "MissionPaused") + paused.after_s)


def _undo(mission: Mission, merged: str) -> str:
    """What takes back all that the person's repository got; how they take back a merge of their own, they know."""
    if mission.ready is None or (merged and mission.merged is None):
        return ""
    if mission.merged is not None:
        return f"git revert --mainline 1 {mission.merged.commit[:12]}  # on {mission.merged.target}"
    return f"git branch -D {mission.ready.branch}"


def _tail_of(check: CheckOutcome, blobs: Blobs) -> str:
    texts = [blobs.get(one.blob).decode(errors="replace") for one in check.evidence[:1]]
    return "\n".join("".join(texts).rstrip().splitlines()[-TAIL_LINES:])


def _last_checks(mission: Mission) -> tuple[CheckLine, ...]:
    """The checks of the latest scrutiny: they cover everything that had landed by then."""
    last = next((one.verdict.checks for one in reversed(mission.verdicts) if one.verdict.checks), ())
    return tuple(CheckLine(**msgspec.structs.asdict(check), checked=check.was_made) for check in last)


def _standing_findings(mission: Mission) -> tuple[Finding, ...]:
    """What judges found and nobody had to mend, and whatever refuses the work as it stands."""
    last = mission.verdicts[-1:]
    standing = [one for one in mission.verdicts if one.verdict.passed or one in last]
    return tuple(finding for one in standing for finding in one.verdict.findings)


def _features(mission: Mission) -> tuple[FeatureLine, ...]:
    if mission.planned is None:
        return ()
    landed = {landed.feature: landed.commit for landed in mission.landed}
    fixes = [fix for planned in mission.fixes for fix in planned.features]
    for fix in reversed(fixes):  # what was mended before it had landed has landed with its fix
        if fix.starts_from is not None and fix.fixes is not None and fix.id in landed:
            landed.setdefault(fix.fixes, landed[fix.id])
    lines: list[FeatureLine] = []
    for feature in (*mission.planned.plan.features, *fixes):
        attempts = mission.attempts_of(feature.id)
        said = next((attempt.handoff for attempt in reversed(attempts) if attempt.handoff), None)
        lines.append(
            FeatureLine(
                id=feature.id,
                title=feature.title,
                attempts=len(attempts),
                commit=landed.get(feature.id, ""),
                summary=said.summary if said else "",
                undone=said.undone if said else "",
                issues=said.issues if said else (),
            )
        )
    return tuple(lines)


def _is_mended(mission: Mission, fix: Feature) -> bool:
    """Landed, and where a user had refused, they have said since that it passes."""
    if all(landed.feature != fix.id for landed in mission.landed):
        return False
    words = (word for word in mission.words if fix.starts_from is None and word.subject == fix.milestone)
    standing = {judged.assertion: judged.verdict for word in words for judged in word.judged}
    return all(standing.get(claim, "passed") == "passed" for claim in fix.claims)


def _assertions(mission: Mission) -> tuple[AssertionLine, ...]:
    if mission.planned is None:
        return ()
    words = [judged for one in mission.verdicts for judged in one.verdict.judged]
    lines: list[AssertionLine] = []
    for assertion in mission.planned.plan.contract.assertions:
        said = [word for word in words if word.assertion == assertion.id]
        lines.append(
            AssertionLine(
                id=assertion.id,
                title=assertion.title,
                surface=assertion.surface,
                behaviour=assertion.behaviour,
                verdict=said[-1].verdict if said else None,
                reason=said[-1].reason if said else "",
                rounds=len(said),
                evidence=said[-1].evidence if said else (),
            )
        )
    return tuple(lines)


async def _agents(journal: Journal, mission_id: str) -> tuple[AgentLine, ...]:
    lines: list[AgentLine] = []
    streams = await journal.streams(f"agent/{mission_id}/")
    for stream in sorted(streams, key=lambda stream: stream.first_at):
        recorded = await journal.read(stream.name)
        started = recorded[0].event
        if isinstance(started, AgentStarted):
            name = stream.name.removeprefix(f"agent/{mission_id}/")
            breaks = cache_breaks(_calls(recorded))
            lines.append(
                AgentLine(name=name, role=started.role, model=started.model, spent=spent(recorded), breaks=breaks)
            )
    return tuple(lines)


def _calls(recorded: list[Recorded]) -> list[CachedCall]:
    calls: list[CachedCall] = []
    for one in recorded:
        match cast("AgentEvent | None", one.event):
            case ModelReplied(turn=turn, model=model, usage=usage):
                calls.append(CachedCall(turn=turn, model=model, usage=usage, at=one.at))
            case _:
                pass
    return calls


async def _last_words(journal: Journal, mission_id: str) -> str:
    for one in reversed(await journal.read(f"agent/{mission_id}/solo/1")):
        if isinstance(one.event, ModelReplied):
            return one.event.message.text
    return ""
