"""What a mission does next: a table over how it stands, and the laws of its history."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.contract import Assertion, Brief, Contract, SealedChecks, Spec
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
from shopfloor.domain.exits import Exit
from shopfloor.domain.mission import (
    AssertionVerdict,
    CheckOutcome,
    CostRange,
    Evidence,
    Feature,
    Judge,
    Judged,
    Milestone,
    Plan,
    Verdict,
)
from shopfloor.domain.spending import Budget
from shopfloor.missions.fixes import plan_fix
from shopfloor.missions.moves import (
    MAX_ATTEMPTS,
    MAX_ROUNDS,
    WHOLE,
    AskApproval,
    CallForHelp,
    Deliver,
    End,
    Land,
    MakePlan,
    Move,
    PlanFix,
    Scrutinise,
    Seal,
    Verify,
    Wait,
    Work,
    WorkAlone,
    next_move,
    next_solo_move,
)
from shopfloor.missions.moves import (
    TestAsUser as AsUser,
)
from shopfloor.missions.state import Mission, evolve, fold

BASE = "base"
M1, M2 = Milestone(id="m1", title="Export"), Milestone(id="m2", title="Import")


def feature(name: str, milestone: str, *claims: str) -> Feature:
    return Feature(id=name, title=name.title(), description=f"Build {name}.", claims=claims, milestone=milestone)


def assertion(name: str, surface: str) -> Assertion:
    return msgspec.convert(
        {"id": name, "title": name, "behaviour": "When …, then …", "surface": surface}, type=Assertion
    )


CSV = feature("csv", "m1", "VAL-CSV-001", "VAL-CSV-002")
PAGE = feature("page", "m1", "VAL-PAGE-001")
LOAD = feature("load", "m2", "VAL-LOAD-001")
CONTRACT = Contract(
    title="Orders",
    assertions=(
        assertion("VAL-CSV-001", "library"),
        assertion("VAL-CSV-002", "http"),
        assertion("VAL-PAGE-001", "web"),
        assertion("VAL-LOAD-001", "library"),
    ),
)
PLAN = Plan(spec=Spec(text="Orders."), contract=CONTRACT, milestones=(M1, M2), features=(CSV, PAGE, LOAD))

REQUESTED = MissionRequested(
    brief=Brief(text="Orders travel."),
    repository="/repo",
    base=BASE,
    target="main",
    models=(),
    autonomy="medium",
    budget=Budget(),
    sandbox="none",
)
PLANNED = MissionPlanned(plan=PLAN, expected=CostRange(tokens=(1, 2)))
SEALED = ContractSealed(seal="seal", contract="blob", checks=SealedChecks(), services="")
APPROVED = PlanApproved(by="a person")
READY_TO_WORK = (REQUESTED, PLANNED, SEALED, APPROVED)
SHOWN = (Evidence(kind="transcript", blob="b", caption="c"),)


def started(name: str, attempt: int = 1) -> AttemptStarted:
    return AttemptStarted(feature=name, attempt=attempt, base=BASE, agent="agent")


def ended(name: str, commit: str = "", attempt: int = 1, leave: Exit = "done") -> AttemptEnded:
    return AttemptEnded(feature=name, attempt=attempt, exit=leave, reason=f"was {leave}", commit=commit)


def attempt(name: str, commit: str = "", number: int = 1, leave: Exit = "done") -> tuple[MissionEvent, ...]:
    return started(name, number), ended(name, commit, number, leave)


COMMANDS = Judge()


def scrutiny(
    name: str, commit: str, *, passed: bool, number: int = 1, seal: str = "seal", judge: Judge = COMMANDS
) -> VerdictReached:
    check = CheckOutcome(name="tests", passed=passed, command="make test", detail="exit code 1")
    verdict = Verdict(kind="scrutiny", subject=name, commit=commit, contract=seal, judge=judge, checks=(check,))
    return VerdictReached(verdict=verdict, round=number)


def tried(milestone: str, commit: str, number: int = 1, **words: AssertionVerdict) -> VerdictReached:
    """A user tester's verdict: VAL_CSV_002="passed"."""
    judged = tuple(
        Judged(assertion=name.replace("_", "-"), verdict=word, reason="seen", evidence=SHOWN)
        for name, word in words.items()
    )
    verdict = Verdict(
        kind="user_testing", subject=milestone, commit=commit, contract="seal", judge=Judge(), judged=judged
    )
    return VerdictReached(verdict=verdict, round=number)


def built(name: str, commit: str) -> tuple[MissionEvent, ...]:
    """Built, judged and landed at the first try."""
    passed = scrutiny(name, commit, passed=True)
    return *attempt(name, commit), passed, FeatureLanded(feature=name, commit=commit)


def fix(name: str, of: Feature, *, mends: str, starts_from: str | None = None, claims: Sequence[str] = ()) -> Feature:
    return Feature(
        id=name,
        title=of.title,
        description="Mend it.",
        claims=tuple(claims) or of.claims,
        milestone=of.milestone,
        fixes=mends,
        starts_from=starts_from,
    )


FIX_1 = fix("fix-csv-1", CSV, mends="csv", starts_from="c1")
REFUSED_ONCE = (
    *READY_TO_WORK,
    *attempt("csv", "c1"),
    scrutiny("csv", "c1", passed=False),
    FixPlanned(because="tests", features=(FIX_1,)),
)
M1_BUILT = (*READY_TO_WORK, *built("csv", "c1"), *built("page", "c2"))
M1_BLOCKED = (*M1_BUILT, tried("m1", "c2", VAL_CSV_002="passed", VAL_PAGE_001="blocked"))
M1_REFUSED = (*M1_BUILT, tried("m1", "c2", VAL_CSV_002="passed", VAL_PAGE_001="failed"))
PAGE_FIX = fix("fix-page-1", PAGE, mends="page")
M1_MENDED = (*M1_REFUSED, FixPlanned(because="VAL-PAGE-001", features=(PAGE_FIX,)), *built("fix-page-1", "c3"))
M1_PASSED = (*M1_BUILT, tried("m1", "c2", VAL_CSV_002="passed", VAL_PAGE_001="passed"))
ALL_LANDED = (*M1_PASSED, *built("load", "c3"))
WHOLE_REFUSED = (*ALL_LANDED, tried("whole", "c3", VAL_CSV_002="passed", VAL_PAGE_001="failed"))
WHOLE_FIX = msgspec.structs.replace(PAGE_FIX, milestone="whole")
WHOLE_PASSED = (*ALL_LANDED, tried("whole", "c3", VAL_CSV_002="passed", VAL_PAGE_001="passed"))

TABLE: dict[str, tuple[Sequence[MissionEvent], Move | None]] = {
    "just asked": ((REQUESTED,), MakePlan()),
    "planned": ((REQUESTED, PLANNED), Seal()),
    "sealed": ((REQUESTED, PLANNED, SEALED), AskApproval()),
    "approved": (READY_TO_WORK, Work(feature=CSV, attempt=1)),
    "paused changes nothing about what is next": (
        (*READY_TO_WORK, MissionPaused(reason="lunch")),
        Work(feature=CSV, attempt=1),
    ),
    "an attempt was cut off": ((*READY_TO_WORK, started("csv")), Work(feature=CSV, attempt=1)),
    "a question is open": ((*READY_TO_WORK, started("csv"), QuestionAsked(id="q", text="?")), Wait()),
    "a question was answered": (
        (*READY_TO_WORK, started("csv"), QuestionAsked(id="q", text="?"), QuestionAnswered(id="q", text="tab")),
        Work(feature=CSV, attempt=1),
    ),
    "a question of planning": ((REQUESTED, QuestionAsked(id="q", text="?")), Wait()),
    "a worker handed in": (
        (*READY_TO_WORK, *attempt("csv", "c1")),
        Scrutinise(feature=CSV, candidate=ended("csv", "c1"), round=1),
    ),
    "it passed": (
        (*READY_TO_WORK, *attempt("csv", "c1"), scrutiny("csv", "c1", passed=True)),
        Land(feature=CSV, candidate=ended("csv", "c1")),
    ),
    "it was refused": (
        (*READY_TO_WORK, *attempt("csv", "c1"), scrutiny("csv", "c1", passed=False)),
        PlanFix(verdict=scrutiny("csv", "c1", passed=False).verdict, feature=CSV, candidate=ended("csv", "c1")),
    ),
    "the fix goes first in line": (REFUSED_ONCE, Work(feature=FIX_1, attempt=1)),
    "a fix is judged in the second round": (
        (*REFUSED_ONCE, *attempt("fix-csv-1", "c2")),
        Scrutinise(feature=FIX_1, candidate=ended("fix-csv-1", "c2"), round=2),
    ),
    "a fix that lands brings its feature along": (
        (*REFUSED_ONCE, *built("fix-csv-1", "c2")),
        Work(feature=PAGE, attempt=1),
    ),
    "a worker got stuck": ((*READY_TO_WORK, *attempt("csv", leave="stuck")), Work(feature=CSV, attempt=2)),
    "workers got stuck too often": (
        (
            *READY_TO_WORK,
            *(event for n in range(MAX_ATTEMPTS) for event in attempt("csv", number=n + 1, leave="stuck")),
        ),
        End(exit="stuck", reason="csv: 3 attempts, the last ended stuck: was stuck"),
    ),
    "the second feature of a milestone": ((*READY_TO_WORK, *built("csv", "c1")), Work(feature=PAGE, attempt=1)),
    "a milestone is built": (
        M1_BUILT,
        AsUser(milestone=M1, assertions=("VAL-CSV-002", "VAL-PAGE-001"), round=1),
    ),
    "a user refused it": (M1_REFUSED, PlanFix(verdict=M1_REFUSED[-1].verdict, feature=None, candidate=None)),
    "mended, only what failed is tried again": (
        M1_MENDED,
        AsUser(milestone=M1, assertions=("VAL-PAGE-001",), round=2),
    ),
    "mended without any change, it is tried again all the same": (
        (*M1_REFUSED, FixPlanned(because="", features=(PAGE_FIX,)), *built("fix-page-1", "c2")),
        AsUser(milestone=M1, assertions=("VAL-PAGE-001",), round=2),
    ),
    "blocked is not passed, and no worker's to mend": (
        (*M1_BUILT, tried("m1", "c2", VAL_CSV_002="passed", VAL_PAGE_001="blocked")),
        CallForHelp(reason="the judge of m1 could not judge: seen. Mend that and resume."),
    ),
    "helped, the judge tries again": (
        (*M1_BLOCKED, MissionPaused(reason="no browser", exit="needs_person"), MissionResumed()),
        AsUser(milestone=M1, assertions=("VAL-PAGE-001",), round=2),
    ),
    "a crash is no help": (
        (*M1_BLOCKED, MissionResumed(cut_off_s=2.0)),
        CallForHelp(reason="the judge of m1 could not judge: seen. Mend that and resume."),
    ),
    "a user was content": (M1_PASSED, Work(feature=LOAD, attempt=1)),
    "what passed before something else landed is judged as it is handed over": (
        ALL_LANDED,
        AsUser(milestone=WHOLE, assertions=("VAL-CSV-002", "VAL-PAGE-001"), round=1),
    ),
    "a mend may have broken what had passed": (
        (*M1_MENDED, tried("m1", "c3", 2, VAL_PAGE_001="passed"), *built("load", "c3")),
        AsUser(milestone=WHOLE, assertions=("VAL-CSV-002",), round=1),
    ),
    "the whole was refused": (WHOLE_REFUSED, PlanFix(verdict=WHOLE_REFUSED[-1].verdict, feature=None, candidate=None)),
    "what mends the whole is built": (
        (*WHOLE_REFUSED, FixPlanned(because="VAL-PAGE-001", features=(WHOLE_FIX,))),
        Work(feature=WHOLE_FIX, attempt=1),
    ),
    "and all of it is judged again": (
        (*WHOLE_REFUSED, FixPlanned(because="VAL-PAGE-001", features=(WHOLE_FIX,)), *built("fix-page-1", "c4")),
        AsUser(milestone=WHOLE, assertions=("VAL-CSV-002", "VAL-PAGE-001"), round=2),
    ),
    "a user was content with the whole": (WHOLE_PASSED, Deliver()),
    "delivered but not ended": (
        (*WHOLE_PASSED, MissionReady(branch="b", commit="c3", merge_command="git merge b")),
        Deliver(),
    ),
    "ended": ((*READY_TO_WORK, MissionEnded(exit="stopped")), None),
    "ended with a question open": ((REQUESTED, QuestionAsked(id="q", text="?"), MissionEnded(exit="stopped")), None),
}


@pytest.mark.parametrize(("events", "move"), TABLE.values(), ids=TABLE.keys())
def test_there_is_one_next_move(events: Sequence[MissionEvent], move: Move | None) -> None:
    """A pure function of how the mission stands; the runner, never an agent, brings in the judges."""
    assert next_move(fold(events)) == move


def refusals(count: int) -> tuple[list[MissionEvent], Mission]:
    """A feature that is refused so often, its fixes planned as the runner plans them."""
    events: list[MissionEvent] = [*READY_TO_WORK]
    mission = fold(events)
    for number in range(1, count + 1):
        working = next_move(mission)
        assert isinstance(working, Work)
        new = [*attempt(working.feature.id, f"c{number}"), scrutiny(working.feature.id, f"c{number}", passed=False)]
        mission = fold([*events, *new])
        planning = next_move(mission)
        if isinstance(planning, PlanFix):
            new.append(plan_fix(mission, planning))
        events += new
        mission = fold(events)
    return events, mission


def test_after_four_refusals_of_one_line_of_work_it_is_stuck() -> None:
    """A feature and its fixes are one line; its end names what it was and who refused it last."""
    _, mission = refusals(MAX_ROUNDS)
    assert next_move(mission) == End(exit="stuck", reason="csv was refused 4 times, last by: tests")


def test_what_has_landed_is_a_line_that_is_over() -> None:
    """Three refusals before it landed are not held against the fix that a user asks for later."""
    events, mission = refusals(MAX_ROUNDS - 1)
    last = next_move(mission)
    assert isinstance(last, Work)
    events += [*built(last.feature.id, "c9"), *built("page", "c10")]
    events.append(tried("m1", "c10", VAL_CSV_002="failed", VAL_PAGE_001="passed"))
    asked = next_move(fold(events))
    assert isinstance(asked, PlanFix)
    events.append(plan_fix(fold(events), asked))
    working = next_move(fold(events))
    assert isinstance(working, Work)
    events += [*attempt(working.feature.id, "c11"), scrutiny(working.feature.id, "c11", passed=False)]

    assert isinstance(next_move(fold(events)), PlanFix)


@pytest.mark.parametrize("changes_something", [True, False])
def test_a_milestone_that_users_refuse_four_times_is_stuck(changes_something: bool) -> None:
    """Whether its fixes change anything or not: no mission goes round for ever."""
    events: list[MissionEvent] = [*M1_BUILT]
    for number in range(1, MAX_ROUNDS + 1):
        testing = next_move(fold(events))
        assert testing == AsUser(milestone=M1, assertions=("VAL-CSV-002", "VAL-PAGE-001"), round=number)
        tip = fold(events).tip
        events.append(tried("m1", tip, number, VAL_CSV_002="failed", VAL_PAGE_001="blocked"))
        planning = next_move(fold(events))
        if not isinstance(planning, PlanFix):
            break
        events.append(plan_fix(fold(events), planning))
        for place, mending in enumerate(fold(events).queue[:2]):
            events += built(mending.id, f"d{number}-{place}" if changes_something else tip)

    reason = "m1 failed user testing 4 times: VAL-CSV-002, VAL-PAGE-001"
    assert next_move(fold(events)) == End(exit="stuck", reason=reason)


SOLO = (REQUESTED,)
ALONE = (started("task"), ended("task", "c1"))
SOLO_TABLE: dict[str, tuple[Sequence[MissionEvent], Move | None]] = {
    "just asked": (SOLO, WorkAlone()),
    "cut off": ((*SOLO, started("task")), WorkAlone()),
    "a question is open": ((*SOLO, started("task"), QuestionAsked(id="q", text="?")), Wait()),
    "answered": (
        (*SOLO, started("task"), QuestionAsked(id="q", text="?"), QuestionAnswered(id="q", text="!")),
        WorkAlone(),
    ),
    "it says that it is done": ((*SOLO, *ALONE), Verify()),
    "verified": ((*SOLO, *ALONE, scrutiny("task", "c1", passed=True, seal="")), Deliver()),
    "not verified, but a person may still look at it": (
        (*SOLO, *ALONE, scrutiny("task", "c1", passed=False, seal="")),
        Deliver(),
    ),
    "it got stuck": (
        (*SOLO, started("task"), ended("task", leave="stuck")),
        End(exit="stuck", reason="was stuck"),
    ),
    "ended": ((*SOLO, *ALONE, MissionEnded(exit="done")), None),
}


@pytest.mark.parametrize(("events", "move"), SOLO_TABLE.values(), ids=SOLO_TABLE.keys())
def test_a_job_of_one_agent_has_fewer_moves(events: Sequence[MissionEvent], move: Move | None) -> None:
    """Work, be checked, hand over; who does not come to an end leaves under that name."""
    assert next_solo_move(fold(events)) == move


# --- the fold ----------------------------------------------------------------------------------------------------

EVERY_EVENT: tuple[MissionEvent, ...] = (
    *M1_MENDED,
    *REFUSED_ONCE[4:],
    QuestionAsked(id="q", text="?"),
    QuestionAnswered(id="q", text="!"),
    MissionPaused(reason="lunch"),
    MissionResumed(budget=Budget(tokens=5)),
    MissionReady(branch="b", commit="c", merge_command="git merge b"),
    Landed(target="main", commit="c"),
    MissionEnded(exit="done"),
)


@given(st.lists(st.sampled_from(EVERY_EVENT), max_size=40))
def test_any_history_can_be_read(events: list[MissionEvent]) -> None:
    """Folding never raises, in whatever order facts came: a journal that can be read can be shown."""
    mission = fold(events)
    assert mission.attempts == tuple(event for event in events if isinstance(event, AttemptEnded))
    assert set(mission.verdicts) <= {event for event in events if isinstance(event, VerdictReached)}


@given(st.lists(st.sampled_from(EVERY_EVENT), max_size=30), st.integers(0, 30))
def test_a_history_can_be_read_in_two_parts(events: list[MissionEvent], cut: int) -> None:
    """State is the fold of the journal and nothing else: going on from any point gives the same."""
    mission = fold(events[:cut])
    before = mission
    for event in events[cut:]:
        mission = evolve(mission, event)

    assert mission == fold(events)
    assert before == fold(events[:cut]), "a value that was handed out is never changed"


def test_a_stream_that_does_not_begin_with_a_request_is_named_as_damaged() -> None:
    """What cannot be a mission is our bug or a broken disk, and says so."""
    with pytest.raises(Exception, match="does not begin with MissionRequested"):
        _ = fold([PLANNED]).asked


def test_the_latest_word_on_an_assertion_counts() -> None:
    """Passed and later failed is failed."""
    mission = fold([*M1_BUILT, tried("m1", "c2", VAL_CSV_002="passed"), tried("m1", "c3", 2, VAL_CSV_002="failed")])
    assert mission.standing == {"VAL-CSV-002": "failed"}


def test_a_new_budget_is_for_the_whole_mission_and_stays() -> None:
    """A later resume without one takes nothing away."""
    mission = fold([REQUESTED, MissionResumed(budget=Budget(tokens=5)), MissionResumed()])
    assert mission.budget == Budget(tokens=5)


@pytest.mark.parametrize(
    ("judge", "seal", "counts"),
    [
        (Judge(agents=("agent/m-1/reviewer/csv/1", "agent/m-1/refuter/csv/1")), "seal", True),
        (Judge(agents=("agent/m-1/worker/csv/1",)), "seal", False),
        (Judge(agents=("agent/m-1/reviewer/csv/1", "agent/m-1/test-writer/1")), "seal", False),
        (Judge(agents=("agent/m-1/reviewer/csv/1",)), "another", False),
    ],
)
def test_a_verdict_of_a_contributor_or_by_another_contract_does_not_count(
    judge: Judge, seal: str, counts: bool
) -> None:
    """Neither who built it, nor who wrote what it is judged by, says whether it is done; the journal shows it."""
    said = scrutiny("csv", "c1", passed=True, judge=judge, seal=seal)
    move = next_move(fold((*READY_TO_WORK, *attempt("csv", "c1"), said)))

    assert isinstance(move, Land if counts else Scrutinise)
