"""The small decisions of a mission: its contract's text, its fixes, what lands, what a hand-over may claim."""

from collections.abc import Callable

import pytest

from shopfloor.domain.contract import Assertion, Brief, Check, Contract, SealedChecks, Spec
from shopfloor.domain.events import AttemptEnded, FeatureLanded, FixPlanned, MissionPlanned, MissionRequested
from shopfloor.domain.mission import (
    CheckOutcome,
    CostRange,
    Evidence,
    Feature,
    Finding,
    Judge,
    Judged,
    Milestone,
    Plan,
    Verdict,
)
from shopfloor.domain.spending import Budget
from shopfloor.missions.checks import to_be_checked
from shopfloor.missions.fixes import plan_fix
from shopfloor.missions.landing import landing_files
from shopfloor.missions.moves import PlanFix, root
from shopfloor.missions.plan import LARGE_AGENT, SMALL_AGENT, expected_cost
from shopfloor.missions.state import Mission, fold
from shopfloor.missions.work import ClaimedRun, checks_of, contradictions
from shopfloor.validation.contract_file import contract_of, contract_text

CSV = Feature(id="csv", title="CSV", description="Write orders.", claims=("VAL-CSV-001", "VAL-CSV-002"), milestone="m1")
PAGE = Feature(id="export-page", title="Page", description="A button.", claims=("VAL-PAGE-001",), milestone="m1")
CONTRACT = Contract(
    title="Orders travel",
    assertions=(
        Assertion(
            id="VAL-CSV-001",
            title="one line an order",
            behaviour="When export([]) is called, then it returns the header alone; with two orders, three lines.\n",
            surface="library",
        ),
        Assertion(
            id="VAL-CSV-002",
            title="separators are quoted",
            behaviour="When a name holds a comma, then its field is quoted.",
            surface="library",
            negative="A name without one is never quoted.",
            kind="guard",
        ),
        Assertion(
            id="VAL-PAGE-001",
            title="the button exports",
            behaviour="When Export is pressed, then orders.csv holds the orders on the page.",
            surface="web",
        ),
    ),
    published="Button 'Export' on /orders.\n",
    start="python3 app.py",
    supersedes=("tests/test_old_export.py",),
)
PLAN = Plan(
    spec=Spec(text="Orders travel."),
    contract=CONTRACT,
    milestones=(Milestone(id="m1", title="Export"),),
    features=(CSV, PAGE),
)


def mission(*events: FixPlanned | FeatureLanded) -> Mission:
    requested = MissionRequested(
        brief=Brief(text="Orders travel."),
        repository="/repo",
        base="base",
        target="main",
        models=(),
        autonomy="medium",
        budget=Budget(),
        sandbox="none",
    )
    return fold([requested, MissionPlanned(plan=PLAN, expected=CostRange(tokens=(1, 2))), *events])


# --- the contract's text -----------------------------------------------------------------------------------------


def test_the_contract_is_one_file_that_a_person_can_read(golden: Callable[[str, str], None]) -> None:
    """Its bytes are what is sealed, so every change of its form is a change of every seal."""
    golden("contract.md", contract_text(PLAN))


def test_a_part_of_the_contract_is_word_for_word_the_contract_s() -> None:
    """A worker and a reviewer read what was sealed, in its order."""
    part = contract_of(CONTRACT, ("VAL-PAGE-001", "VAL-CSV-001"))
    first, second = part.split("\n\n### ")
    assert first.startswith("### VAL-CSV-001: one line an order")
    assert second.startswith("VAL-PAGE-001")
    assert first in contract_text(PLAN)
    assert second in contract_text(PLAN)


def test_only_library_assertions_are_checked_by_commands() -> None:
    """The others are judged by driving the product."""
    assert to_be_checked(CONTRACT) == ("VAL-CSV-001", "VAL-CSV-002")


# --- fixes -------------------------------------------------------------------------------------------------------


def refused(subject: str, *, commit: str = "c1", judged: tuple[Judged, ...] = ()) -> Verdict:
    check = CheckOutcome(name="tests", passed=False, command="make test", detail="exit code 1")
    finding = Finding(check="review", severity="P1", text="loses the last order", path="csv.py", line=7)
    return Verdict(
        kind="user_testing" if judged else "scrutiny",
        subject=subject,
        commit=commit,
        contract="seal",
        judge=Judge(),
        checks=() if judged else (check,),
        findings=() if judged else (finding,),
        judged=judged,
    )


def candidate(feature: str, commit: str = "c1") -> AttemptEnded:
    return AttemptEnded(feature=feature, attempt=1, exit="done", commit=commit)


def test_a_feature_that_was_refused_is_mended_from_where_its_worker_left_it() -> None:
    """All that it claims is claimed again, and every reason is handed on, with its place."""
    planned = plan_fix(mission(), PlanFix(verdict=refused("csv"), feature=CSV, candidate=candidate("csv")))

    (fix,) = planned.features
    assert planned.because == "tests, review"
    assert (fix.id, fix.fixes, fix.starts_from, fix.claims, fix.milestone) == (
        "fix-csv-1",
        "csv",
        "c1",
        CSV.claims,
        "m1",
    )
    assert "is in your checkout" in fix.description
    assert "- tests: make test -> exit code 1" in fix.description
    assert "- review P1 (csv.py:7): loses the last order" in fix.description
    assert fix.description.endswith("Write orders.")


def test_a_fix_that_was_refused_is_numbered_on_and_starts_from_itself() -> None:
    """The line goes back to the planned feature, whose words it keeps, and no name is used twice."""
    first = plan_fix(mission(), PlanFix(verdict=refused("csv"), feature=CSV, candidate=candidate("csv")))
    (earlier,) = first.features
    again = PlanFix(verdict=refused(earlier.id, commit="c2"), feature=earlier, candidate=candidate(earlier.id, "c2"))
    (fix,) = plan_fix(mission(first), again).features

    assert (fix.id, fix.fixes, fix.starts_from) == ("fix-csv-2", "fix-csv-1", "c2")
    assert fix.description.count("The feature, as it was planned") == 1


def test_a_milestone_that_was_refused_is_mended_feature_by_feature() -> None:
    """Each fix claims again only what failed of its own; what was blocked is no worker's to mend."""
    shown = (Evidence(kind="screenshot", blob="b", caption="c"),)
    verdict = refused(
        "m1",
        judged=(
            Judged(assertion="VAL-CSV-001", verdict="passed", evidence=shown),
            Judged(assertion="VAL-CSV-002", verdict="failed", reason="not quoted", evidence=shown),
            Judged(assertion="VAL-PAGE-001", verdict="blocked", reason="there is no browser"),
        ),
    )
    planned = plan_fix(mission(), PlanFix(verdict=verdict, feature=None, candidate=None))

    assert [(fix.id, fix.claims, fix.starts_from) for fix in planned.features] == [
        ("fix-csv-1", ("VAL-CSV-002",), None),
    ]
    assert "has landed" in planned.features[0].description
    assert "- VAL-CSV-002 failed: not quoted" in planned.features[0].description


@pytest.mark.parametrize(
    ("name", "fixes", "line"),
    [("csv", None, "csv"), ("fix-csv-1", "csv", "csv"), ("fix-export-page-12", "fix-export-page-11", "export-page")],
)
def test_a_fix_knows_its_line(name: str, fixes: str | None, line: str) -> None:
    """Names with dashes and numbers above nine included."""
    assert root(Feature(id=name, title="", description="", claims=(), milestone="m1", fixes=fixes)) == line


# --- checks ------------------------------------------------------------------------------------------------------

CHECKS = SealedChecks(
    checks=(
        Check(assertions=("VAL-CSV-001",), command="unittest a", files=("a.py", "shared.py")),
        Check(assertions=("VAL-CSV-001", "VAL-PAGE-001"), command="unittest b", files=("b.py", "shared.py")),
        Check(assertions=("VAL-PAGE-001",), command="unittest c", files=("c.py",)),
    ),
    files=(("a.py", "1"), ("b.py", "2"), ("c.py", "3"), ("shared.py", "4")),
)


@pytest.mark.parametrize(
    ("claims", "files"),
    [
        (set[str](), []),
        ({"VAL-CSV-001"}, ["a.py"]),
        ({"VAL-PAGE-001"}, ["c.py"]),
        ({"VAL-CSV-001", "VAL-PAGE-001"}, ["a.py", "b.py", "c.py", "shared.py"]),
    ],
)
def test_a_check_lands_when_all_that_it_proves_has_landed(claims: set[str], files: list[str]) -> None:
    """Earlier it would only fail on the branch; a file that an early check needs waits for it."""
    assert [path for path, _ in landing_files(CHECKS, claims)] == files


def test_a_worker_gets_the_checks_of_its_claims_with_their_files() -> None:
    """Also those that prove more than its own."""
    mine = checks_of(CHECKS, ("VAL-CSV-001",))
    assert [check.command for check in mine.checks] == ["unittest a", "unittest b"]
    assert [path for path, _ in mine.files] == ["a.py", "b.py", "shared.py"]


# --- a hand-over's claims ----------------------------------------------------------------------------------------

RAN = {"make test": (1, 0), "make lint": (1,)}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ([], []),
        ([ClaimedRun(command="make test", exit_code=0)], []),
        ([ClaimedRun(command="make test", exit_code=1), ClaimedRun(command="make test", exit_code=0)], []),
        ([ClaimedRun(command="  make test\n", exit_code=0)], []),
        ([ClaimedRun(command="make lint", exit_code=1)], []),
        ([ClaimedRun(command="make lint", exit_code=0)], ["'make lint' ended with exit code 1, not 0."]),
        ([ClaimedRun(command="make tests", exit_code=0)], ["'make tests' was not run in this attempt"]),
        (
            [ClaimedRun(command="make lint", exit_code=0), ClaimedRun(command="make types", exit_code=0)],
            ["'make lint' ended", "'make types' was not run"],
        ),
    ],
)
def test_a_hand_over_is_held_against_the_record(claims: list[ClaimedRun], words: list[str]) -> None:
    """What was not run was not run, and red is not green; a failure that is admitted is no lie."""
    found = contradictions(claims, RAN)
    assert len(found) == len(words)
    assert all(line.startswith(said) for line, said in zip(found, words, strict=True))


# --- cost --------------------------------------------------------------------------------------------------------


def test_what_a_mission_will_cost_grows_with_its_features() -> None:
    """A planner, a test-writer, two agents a feature, one a milestone: all small, or all large and mended once."""
    found = expected_cost(PLAN, lambda usage: usage.total / 1_000_000)

    tokens = (7 * SMALL_AGENT.total, 14 * LARGE_AGENT.total)
    assert found.tokens == tokens
    assert found.usd == pytest.approx(tuple(amount / 1_000_000 for amount in tokens))


def test_an_unknown_price_makes_no_promise_in_money() -> None:
    """Tokens are still told; a price that is known for small calls only is not known."""
    assert expected_cost(PLAN, lambda usage: None).usd is None
    assert expected_cost(PLAN, lambda usage: 0.01 if usage == SMALL_AGENT else None).usd is None
