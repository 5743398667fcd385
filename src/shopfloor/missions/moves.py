"""What a mission does next: a pure function of how it stands.

The runner, never the orchestrator, brings in the judges: scrutiny after every feature, user testing after every
milestone. It does not know how a move is made.
"""

from typing import TypeAlias

from shopfloor.domain.events import AttemptEnded, QuestionAsked
from shopfloor.domain.exits import Exit
from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Feature, Milestone, Verdict
from shopfloor.missions.conflicts import contradiction, declined, left_standing
from shopfloor.missions.state import Mission, root

MAX_ATTEMPTS = 3
"""Fresh starts of one feature whose worker did not come to an end."""
WHOLE = Milestone(id="whole", title="everything, as it is handed over")
"""What passed before something else landed is judged once more, with all that landed since."""
MAX_ROUNDS = 4
"""Judgements of one line of work (a feature and its fixes, a milestone and its fixes)."""


class MakePlan(Fact, tag=True):
    """Spec, contract, features."""


class Seal(Fact, tag=True):
    """Have the checks written by someone who will not build, and seal them with the contract."""


class AskApproval(Fact, tag=True):
    """Show the plan and wait for a yes."""


class Work(Fact, tag=True):
    """Give a feature to a worker; `attempt` goes on where it was cut off."""

    feature: Feature
    attempt: int


class Scrutinise(Fact, tag=True):
    """Judge what a worker left, from the inside."""

    feature: Feature
    candidate: AttemptEnded
    round: int


class Land(Fact, tag=True):
    """Put a feature that passed on the mission's branch."""

    feature: Feature
    candidate: AttemptEnded


class TestAsUser(Fact, tag=True):
    """Judge a milestone from the outside: only assertions that have not passed yet; at the end, WHOLE."""

    milestone: Milestone
    assertions: tuple[str, ...]
    round: int


class PlanFix(Fact, tag=True):
    """Turn a refusal into a feature that goes first in line."""

    verdict: Verdict
    feature: Feature | None
    candidate: AttemptEnded | None


class WorkAlone(Fact, tag=True):
    """Have one agent do the whole task."""


class Verify(Fact, tag=True):
    """Run the repository's own checks on what it left."""


class CallForHelp(Fact, tag=True):
    """Only a person can take away what stands in the judge's way; a resume lets it try again."""

    reason: str


class Ask(Fact, tag=True):
    """Put a question that only a person can answer: something contradicts something else."""

    question: QuestionAsked


class Wait(Fact, tag=True):
    """A person must answer first."""


class Deliver(Fact, tag=True):
    """Every assertion has passed: hand the branch over."""


class End(Fact, tag=True):
    """Leave the loop under this name."""

    exit: Exit
    reason: str


Move: TypeAlias = (
    MakePlan
    | Seal
    | AskApproval
    | Work
    | Scrutinise
    | Land
    | TestAsUser
    | PlanFix
    | WorkAlone
    | Verify
    | CallForHelp
    | Ask
    | Wait
    | Deliver
    | End
)


def next_move(mission: Mission) -> Move | None:
    """The one thing to do now; None when the mission has ended."""
    if mission.ended is not None:
        return None
    if mission.open_question is not None:
        return Wait()
    if mission.planned is None:
        return MakePlan()
    if mission.sealed is None:
        return Seal()
    if not mission.approved:
        return AskApproval()
    if (question := contradiction(mission)) is not None:
        return Ask(question=question)
    if mission.open_attempt is not None:
        return Work(feature=_queued(mission, mission.open_attempt.feature), attempt=mission.open_attempt.attempt)
    if mission.candidate is not None:
        return _judge(mission, mission.candidate)
    return _advance(mission)


def next_solo_move(mission: Mission) -> Move | None:
    """The one thing to do now for a job of one agent: work, be checked, hand over."""
    if mission.ended is not None:
        return None
    if mission.open_question is not None:
        return Wait()
    if mission.open_attempt is not None or not mission.attempts:
        return WorkAlone()
    attempt = mission.attempts[-1]
    if attempt.exit != "done":
        return End(exit=attempt.exit, reason=attempt.reason)
    if not mission.verdicts:
        return Verify()
    return Deliver()


def _queued(mission: Mission, feature_id: str) -> Feature:
    return next(feature for feature in mission.queue if feature.id == feature_id)


def _judge(mission: Mission, candidate: AttemptEnded) -> Move:
    feature = _queued(mission, candidate.feature)
    verdict = mission.last_verdict(feature.id)
    if verdict is None or verdict.commit != candidate.commit:
        return Scrutinise(feature=feature, candidate=candidate, round=_rounds(mission, feature) + 1)
    if verdict.passed:
        return Land(feature=feature, candidate=candidate)
    if _rounds(mission, feature) >= MAX_ROUNDS:
        return End(
            exit="stuck", reason=f"{root(feature)} was refused {MAX_ROUNDS} times, last by: {verdict.refused_by}"
        )
    return PlanFix(verdict=verdict, feature=feature, candidate=candidate)


def _rounds(mission: Mission, feature: Feature) -> int:
    """How often this line of work was judged: the feature, and what it mends as far back as nothing has landed."""
    rounds = mission.rounds(feature.id)
    if feature.starts_from is None:
        return rounds
    fixes = [fix for planned in mission.fixes for fix in planned.features]
    mended = next((fix for fix in fixes if fix.id == feature.fixes), None)
    return rounds + (_rounds(mission, mended) if mended else mission.rounds(root(feature)))


def _advance(mission: Mission) -> Move:
    assert mission.planned is not None
    for milestone in (*mission.planned.plan.milestones, WHOLE):
        waiting = [feature for feature in mission.queue if feature.milestone == milestone.id]
        if waiting:
            return _start(mission, waiting[0])
        pending = mission.unproved if milestone == WHOLE else _pending(mission, milestone)
        if pending:
            return _test(mission, milestone, pending)
    if (question := left_standing(mission)) is not None:
        return Ask(question=question)
    if words := declined(mission):
        return End(exit="gave_up", reason=f"a person did not want it as it is: {words}")
    return Deliver()


def _start(mission: Mission, feature: Feature) -> Move:
    attempts = mission.attempts_of(feature.id)
    broken_off = [attempt for attempt in attempts if attempt.exit != "done"]
    if len(broken_off) >= MAX_ATTEMPTS:
        last = broken_off[-1]
        reason = f"{feature.id}: {MAX_ATTEMPTS} attempts, the last ended {last.exit}: {last.reason}"
        return End(exit="stuck", reason=reason)
    return Work(feature=feature, attempt=len(attempts) + 1)


def _pending(mission: Mission, milestone: Milestone) -> tuple[str, ...]:
    """Assertions of the milestone that only a user could judge, and that have not passed in its own judgements."""
    assert mission.planned is not None
    plan = mission.planned.plan
    claimed = [claim for feature in plan.features if feature.milestone == milestone.id for claim in feature.claims]
    words = (word for word in mission.words if word.subject == milestone.id)
    standing = {judged.assertion: judged.verdict for word in words for judged in word.judged}
    return tuple(
        claim
        for claim in claimed
        if plan.contract.assertion(claim).surface != "library" and standing.get(claim) != "passed"
    )


def _test(mission: Mission, milestone: Milestone, pending: tuple[str, ...]) -> Move:
    """Each refusal is answered by fixes, and when those have landed, whatever they changed, the user tries again."""
    verdict = mission.last_verdict(milestone.id)
    if verdict is not None and verdict.only_blocked and not mission.resumed_since_verdict:
        return CallForHelp(reason=_obstacle(verdict))
    rounds = sum(one.subject == milestone.id and not one.only_blocked for one in mission.words)
    if verdict is None or rounds == _answered(mission, milestone):
        return TestAsUser(milestone=milestone, assertions=pending, round=mission.rounds(milestone.id) + 1)
    if rounds >= MAX_ROUNDS:
        return End(exit="stuck", reason=f"{milestone.id} failed user testing {rounds} times: {', '.join(pending)}")
    return PlanFix(verdict=verdict, feature=None, candidate=None)


def _obstacle(verdict: Verdict) -> str:
    """What kept a judge from judging: nothing that a worker could mend."""
    reasons = dict.fromkeys(judged.reason for judged in verdict.judged if judged.verdict == "blocked")
    return f"the judge of {verdict.subject} could not judge: {'; '.join(reasons)}. Mend that and resume."


def _answered(mission: Mission, milestone: Milestone) -> int:
    """How many refusals of the milestone became fixes; a fix of what has not landed answers a feature's refusal."""
    return sum(
        any(fix.starts_from is None and fix.milestone == milestone.id for fix in planned.features)
        for planned in mission.fixes
    )
