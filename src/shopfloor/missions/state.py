"""What a mission's stream amounts to so far. State is the fold of the journal; nothing else is remembered.

It decides nothing: `moves.next_move` does.
"""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from shopfloor.domain.errors import Broken
from shopfloor.domain.events import (
    AttemptEnded,
    AttemptStarted,
    ContractSealed,
    FeatureLanded,
    FixPlanned,
    Landed,
    MissionEnded,
    MissionEvent,
    MissionPaused,
    MissionPlanned,
    MissionReady,
    MissionRequested,
    MissionResumed,
    PlanApproved,
    QuestionAnswered,
    QuestionAsked,
    VerdictReached,
)
from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import AssertionVerdict, Feature, Verdict
from shopfloor.domain.spending import Budget
from shopfloor.missions.independence import objection


class Mission(Fact):
    """A mission as it stands."""

    request: MissionRequested | None = None
    planned: MissionPlanned | None = None
    sealed: ContractSealed | None = None
    approved: bool = False
    queue: tuple[Feature, ...] = ()
    """Features that have not landed, first in line first."""
    attempts: tuple[AttemptEnded, ...] = ()
    open_attempt: AttemptStarted | None = None
    candidate: AttemptEnded | None = None
    """A finished attempt that waits for its verdict, or for what follows from it."""
    idle: tuple[AttemptEnded, ...] = ()
    """Attempts that were to mend something, and handed in the very commit that was refused."""
    verdicts: tuple[VerdictReached, ...] = ()
    landed: tuple[FeatureLanded, ...] = ()
    fixes: tuple[FixPlanned, ...] = ()
    questions: tuple[QuestionAsked, ...] = ()
    answers: tuple[QuestionAnswered, ...] = ()
    paused: MissionPaused | None = None
    new_budget: Budget | None = None
    cut_off_s: float = 0.0
    """Seconds of work that crashes cut off before they were on record."""
    resumed_since_verdict: bool = False
    ready: MissionReady | None = None
    merged: Landed | None = None
    ended: MissionEnded | None = None

    @property
    def asked(self) -> MissionRequested:
        if self.request is None:
            raise Broken("A mission's stream does not begin with MissionRequested; the journal is damaged.")
        return self.request

    @property
    def budget(self) -> Budget:
        """What the whole mission may use: the latest word of a person."""
        return self.new_budget or self.asked.budget

    @property
    def seal(self) -> str:
        """The hash of the contract, "" while there is none; a job of one agent never has one."""
        return self.sealed.seal if self.sealed else ""

    @property
    def tip(self) -> str:
        """The commit that the mission's own branch stands at."""
        return self.landed[-1].commit if self.landed else self.asked.base

    @property
    def all_landed(self) -> bool:
        """Every planned feature is on the mission's branch, and every assertion has passed: silence is no pass."""
        if self.planned is None or self.queue or self.unproved:
            return False
        standing = self.standing
        return all(standing.get(one.id) == "passed" for one in self.planned.plan.contract.assertions)

    @property
    def unproved(self) -> tuple[str, ...]:
        """Assertions that only a user can judge, and that have not passed on the mission's branch as it stands.

        Checks of the others are run again whenever something lands.
        """
        assert self.planned is not None
        words = {judged.assertion: (judged.verdict, word.commit) for word in self.words for judged in word.judged}
        contract = self.planned.plan.contract
        return tuple(
            one.id
            for one in contract.assertions
            if one.surface != "library" and words.get(one.id) != ("passed", self.tip)
        )

    @property
    def open_question(self) -> QuestionAsked | None:
        answered = {answer.id for answer in self.answers}
        return next((question for question in self.questions if question.id not in answered), None)

    @property
    def standing(self) -> dict[str, AssertionVerdict]:
        """The latest word on each assertion that was judged at all."""
        return {judged.assertion: judged.verdict for reached in self.verdicts for judged in reached.verdict.judged}

    @property
    def words(self) -> tuple[Verdict, ...]:
        """Every verdict, oldest first."""
        return tuple(reached.verdict for reached in self.verdicts)

    @property
    def own_seconds(self) -> float:
        """How long it worked beside its agents' models and tools: for judges, and until crashes cut it off."""
        judging = (self.sealed.seconds if self.sealed else 0.0) + sum(reached.seconds for reached in self.verdicts)
        return judging + self.cut_off_s

    @property
    def unaccepted(self) -> AttemptEnded | None:
        """The latest work that is kept and on no branch: judges refused it, or its agent came to no end."""
        last = next((attempt for attempt in reversed(self.attempts) if attempt.commit), None)
        if last is None or self._is_handed_over(last) or last.commit in (self.tip, self.asked.base):
            return None
        return last

    def _is_handed_over(self, attempt: AttemptEnded) -> bool:
        if self.asked.form == "solo":
            return self.ready is not None
        return any(landed.feature == attempt.feature for landed in self.landed)

    def last_verdict(self, subject: str) -> Verdict | None:
        """The latest verdict on a feature or milestone."""
        return next((v.verdict for v in reversed(self.verdicts) if v.verdict.subject == subject), None)

    def rounds(self, subject: str) -> int:
        """How often a feature or milestone was judged."""
        return sum(reached.verdict.subject == subject for reached in self.verdicts)

    def attempts_of(self, feature: str) -> tuple[AttemptEnded, ...]:
        return tuple(attempt for attempt in self.attempts if attempt.feature == feature)


def evolve(mission: Mission, event: MissionEvent) -> Mission:
    """The mission after one more fact."""
    change = msgspec.structs.replace
    match event:
        case MissionRequested():
            return change(mission, request=event)
        case MissionPlanned():
            return change(mission, planned=event, queue=event.plan.features)
        case ContractSealed():
            return change(mission, sealed=event)
        case PlanApproved():
            return change(mission, approved=True)
        case AttemptStarted():
            return change(mission, open_attempt=event)
        case AttemptEnded():
            return _attempt_ended(mission, event)
        case VerdictReached(verdict=verdict):
            if objection(verdict, mission.seal):
                return mission
            return change(mission, verdicts=(*mission.verdicts, event), resumed_since_verdict=False)
        case FixPlanned():
            return _fix_planned(mission, event)
        case FeatureLanded():
            queue = tuple(feature for feature in mission.queue if feature.id != event.feature)
            return change(mission, landed=(*mission.landed, event), queue=queue, candidate=None)
        case QuestionAsked():
            return change(mission, questions=(*mission.questions, event))
        case QuestionAnswered():
            return _answered(mission, event)
        case MissionPaused():
            return change(mission, paused=event)
        case MissionResumed():
            return change(
                mission,
                paused=None,
                new_budget=event.budget or mission.new_budget,
                cut_off_s=mission.cut_off_s + event.cut_off_s,
                resumed_since_verdict=mission.resumed_since_verdict or mission.paused is not None,
            )
        case MissionReady():
            return change(mission, ready=event)
        case Landed():
            return change(mission, merged=event)
        case MissionEnded():
            return change(mission, ended=mission.ended or event)
        case _:
            assert_never(event)


def root(feature: Feature) -> str:
    """The planned feature that a chain of fixes goes back to."""
    return feature.id if feature.fixes is None else feature.id.removeprefix("fix-").rsplit("-", 1)[0]


def line_of(mission: Mission, subject: str) -> str:
    """The planned feature that a feature or a fix of this name goes back to."""
    fixes = (fix for planned in mission.fixes for fix in planned.features)
    return next((root(fix) for fix in fixes if fix.id == subject), subject)


def fold(events: Iterable[MissionEvent]) -> Mission:
    """The mission that these facts add up to."""
    mission = Mission()
    for event in events:
        mission = evolve(mission, event)
    return mission


def _attempt_ended(mission: Mission, event: AttemptEnded) -> Mission:
    done = event.exit == "done" and event.commit
    fixes = any(feature.fixes for feature in mission.queue if feature.id == event.feature)
    idle = done and fixes and mission.open_attempt is not None and mission.open_attempt.base == event.commit
    conflict = event.handoff is not None and event.handoff.conflict
    return msgspec.structs.replace(
        mission,
        attempts=(*mission.attempts, event),
        open_attempt=None,
        candidate=event if done and not idle and not conflict else None,
        idle=(*mission.idle, event) if idle else mission.idle,
    )


def _answered(mission: Mission, event: QuestionAnswered) -> Mission:
    """A person may also say that what a worker left is to be judged as it is."""
    answers = (*mission.answers, event)
    left = mission.attempts[-1] if mission.attempts else None
    if left is None or not left.commit or event.id != conflict_of(left) or not wants_judging(event.text):
        return msgspec.structs.replace(mission, answers=answers)
    return msgspec.structs.replace(mission, answers=answers, candidate=left)


def conflict_of(attempt: AttemptEnded) -> str:
    """The name of the question that an attempt ends in when its worker does not go on."""
    return f"conflict/{attempt.feature}/{attempt.attempt}"


def wants_judging(answer: str) -> bool:
    return answer.strip().lower().startswith("judge")


def _fix_planned(mission: Mission, event: FixPlanned) -> Mission:
    """Fixes go first in line; a feature that is mended before it lands gives its place to its fix."""
    mended = {fix.fixes for fix in event.features if fix.starts_from is not None}
    rest = tuple(feature for feature in mission.queue if feature.id not in mended)
    queue = (*event.features, *rest)
    return msgspec.structs.replace(mission, queue=queue, candidate=None, fixes=(*mission.fixes, event))
