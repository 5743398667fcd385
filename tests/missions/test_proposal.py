"""What is wrong with a plan, before any work begins: every complaint has a case, and honest assertions have none."""

import msgspec
import pytest

from shopfloor.domain.contract import Surface
from shopfloor.missions.proposal import (
    MAX_FEATURES,
    Proposal,
    ProposedAssertion,
    ProposedFeature,
    ProposedMilestone,
    complaints,
    plan_of,
)

GOOD = "When subtract(5, 3) is called, then it returns 2; subtract(3, 5) returns -2."


def assertion(
    behaviour: str = GOOD, name: str = "VAL-CALC-001", surface: Surface = "library", **more: bool
) -> ProposedAssertion:
    return ProposedAssertion(id=name, title="subtract", behaviour=behaviour, surface=surface, **more)


def feature(name: str = "subtract", *claims: str) -> ProposedFeature:
    return ProposedFeature(id=name, title="Subtract", description="calc.py", claims=claims or ("VAL-CALC-001",))


def proposal(
    *assertions: ProposedAssertion, features: tuple[ProposedFeature, ...] | None = None, **more: object
) -> Proposal:
    whole = Proposal(
        title="Subtraction",
        spec="Numbers can be subtracted.",
        assertions=assertions or (assertion(),),
        milestones=(ProposedMilestone(title="All", features=(feature(),) if features is None else features),),
    )
    return msgspec.structs.replace(whole, **more)


HONEST = {
    "given when then": (
        "Given two orders of 3 and 4 euros, when the user presses Export, "
        "then orders.csv has the lines '3.00' and '4.00' and no third one."
    ),
    "when then, two inputs": GOOD,
    "ears, event": "When the user presses Export, the system shall download orders.csv with one line for each order.",
    "ears, state": (
        "While no order is selected, the button Export shall be disabled; while one is selected, it shall be enabled."
    ),
    "ears, unwanted": (
        'If the amount is negative, then the service shall answer 422 with {"error": "amount"} and store nothing.'
    ),
    "ears, option": "Where --json is given, the command shall print one object a line with the keys id and total.",
    "ears, complex": (
        "While the cart holds one item, when the user clicks Remove, the cart shall show 'Your cart is empty'."
    ),
    "ears, always, with its input": "The command `calc 2 + 3` shall print 5, and `calc 2 - 3` shall print -1.",
    "a request and its answer": 'POST /orders with {"qty": 2} answers 201; with {"qty": 0} it answers 400.',
    "calls and values": "subtract(5, 3) == 2 and subtract(3, 5) == -2.",
    "an error": "Calling parse('') raises ValueError('empty input'); parse('1,2') gives [1, 2].",
    "a program": "Running `todo add milk; todo list` prints '1. milk'; `todo done 1; todo list` prints nothing.",
    "what survives": "Given 'milk' was added, when the page is reloaded, then 'milk' is still in the list, once.",
    "what goes away": "When the user deletes the order 7, then its row disappears and the count drops from 3 to 2.",
    "a text that is shown": "When the last todo is deleted, then the text 'Nothing to do' is shown.",
    "a vague word that is data": "When search('fast food') is called, then it returns the shops tagged 'fast food'.",
    "a path with a vague name": "When /etc/app.toml says port = 9000, then the server listens on 9000, else on 8000.",
    "an exit code": "When the file is missing, the program exits with 2 and names it on standard error.",
    "a redirect": "After signing in, the browser is redirected to /orders and greets 'Anna'.",
    "a table": "Once a price changes from 3 to 4, the total of an open cart with two pieces goes from 6 to 8.",
}


@pytest.mark.parametrize("behaviour", HONEST.values(), ids=HONEST.keys())
def test_an_honest_assertion_is_taken_in_whatever_style(behaviour: str) -> None:
    """An action, an effect, concrete values: nobody is sent back for a matter of taste."""
    assert complaints(proposal(assertion(behaviour))) == ()


CHEAP = {
    "nothing": ("", "say what is done"),
    "a wish": ("Export orders as CSV.", "say what is done"),
    "no action": ("The export button is visible.", "say what is done"),
    "no effect": ("When the user clicks Export.", "say what is done"),
    "about the code": ("The exporter is refactored into a class of its own.", "say what is done"),
    "always good": ("The system shall be robust.", "say what is done"),
    "works correctly": ("When an order is exported, then the export works correctly.", "'works correctly' cannot"),
    "as expected": ("When the user logs in, everything must work as expected.", "'work as expected' cannot"),
    "gracefully": ("If an error occurs, the system shall handle it gracefully.", "'gracefully' cannot"),
    "fast": ("When orders are exported, then the export is fast.", "'fast' cannot"),
    "and so on": ("When exported, the file must contain id, total, etc.", "'etc' cannot"),
    "friendly": ("When a form is wrong, the message must be user-friendly.", "'user-friendly' cannot"),
    "appropriate": ("When input is wrong, then an appropriate message is returned.", "'appropriate' cannot"),
    "a page": ("When the user opens /orders, then the page is displayed.", "a dead page would pass"),
    "a button": ("When the user opens /orders, then an export button exists.", "a dead page would pass"),
    "it loads": ("When the app is started, then the start page loads.", "a dead page would pass"),
    "something appears": ("If the file is missing, then an error message appears.", "a dead page would pass"),
    "shall display": ("When Export is clicked, the system shall display a dialog.", "a dead page would pass"),
    "is present": ("Given an order, when the list is opened, then the order is present.", "a dead page would pass"),
}


@pytest.mark.parametrize(("behaviour", "words"), CHEAP.values(), ids=CHEAP.keys())
def test_what_proves_nothing_is_sent_back_with_its_remedy(behaviour: str, words: str) -> None:
    """Vague, or true of a dead page: better said now than judged for a day."""
    found = complaints(proposal(assertion(behaviour)))
    assert any(line.startswith("VAL-CALC-001: ") and words in line for line in found), found


@pytest.mark.parametrize("name", ["VAL-1", "val-calc-001", "VAL-CALC-1", "VAL-CALC-0001", "CALC-001", "VAL--001", ""])
def test_ids_have_one_form(name: str) -> None:
    """So that a name in a verdict is found again."""
    whole = proposal(assertion(name=name), features=(feature("subtract", name),))
    said = f"{name!r} is no id; an id looks like VAL-EXPORT-001."
    assert complaints(whole) == (f"{name}: {said}" if name else said,)


def test_longer_areas_are_fine() -> None:
    """Areas may have parts and digits."""
    whole = proposal(assertion(name="VAL-EXPORT-CSV2-010"), features=(feature("x", "VAL-EXPORT-CSV2-010"),))
    assert complaints(whole) == ()


PLANS = {
    "an assertion that nobody claims": (
        proposal(assertion(), assertion(name="VAL-CALC-002")),
        "VAL-CALC-002: no feature claims it.",
    ),
    "an assertion claimed twice": (
        proposal(features=(feature("a"), feature("b"))),
        "VAL-CALC-001: claimed 2 times; exactly one feature claims it.",
    ),
    "a claim of nothing": (
        proposal(features=(feature("a", "VAL-CALC-001", "VAL-CALC-009"),)),
        "VAL-CALC-009: claimed, but not in the contract.",
    ),
    "a feature without a claim": (
        proposal(features=(feature(), msgspec.structs.replace(feature("idle"), claims=()))),
        "idle: claims no assertion, so nobody could say that it is done.",
    ),
    "one id for two assertions": (
        proposal(assertion(), assertion()),
        "VAL-CALC-001: used for 2 assertions; ids are unique.",
    ),
    "one id for two features": (
        proposal(assertion(), assertion(name="VAL-CALC-002"), features=(feature("a"), feature("a", "VAL-CALC-002"))),
        "a: used for 2 features.",
    ),
    "a name with spaces": (
        proposal(features=(feature("Sub tract"),)),
        "'Sub tract': a feature id is short-kebab-case.",
    ),
    "a name of the runner": (
        proposal(features=(feature("fix-add-1"),)),
        "'fix-add-1': ids beginning with fix- are the runner's.",
    ),
    "no feature": (proposal(features=()), f"A plan has 1 to {MAX_FEATURES} features; this one has 0."),
    "no assertion": (
        proposal(assertions=()),
        "The contract has no assertion; there would be nothing to judge by.",
    ),
    "a page that nobody starts": (
        proposal(assertion(surface="web"), published="Button 'Export' on /orders"),
        "Assertions with surface web or http need `start`, the command that starts the app.",
    ),
    "a page that nobody knows": (
        proposal(assertion(surface="http"), start="python app.py"),
        "`published` is empty, but judges outside the source need URLs, names or commands to rely on.",
    ),
    "a program that nobody knows": (
        proposal(assertion(surface="terminal")),
        "`published` is empty, but judges outside the source need URLs, names or commands to rely on.",
    ),
}


@pytest.mark.parametrize(("whole", "line"), PLANS.values(), ids=PLANS.keys())
def test_every_hole_in_a_plan_is_named(whole: Proposal, line: str) -> None:
    """With what is missing, and where."""
    assert line in complaints(whole)


def test_a_plan_of_too_many_features_is_sent_back() -> None:
    """Forty are a mission; more are several."""
    names = [f"VAL-CALC-{number:03}" for number in range(MAX_FEATURES + 1)]
    features = tuple(feature(f"f{number}", name) for number, name in enumerate(names))
    whole = proposal(*(assertion(name=name) for name in names), features=features)
    assert complaints(whole) == (f"A plan has 1 to {MAX_FEATURES} features; this one has {MAX_FEATURES + 1}.",)


def test_all_complaints_come_at_once() -> None:
    """The orchestrator mends its plan in one turn, not in ten."""
    broken = proposal(assertion("It works well.", name="x", surface="web"), features=())
    assert len(complaints(broken)) == 7


def test_a_good_proposal_becomes_a_plan_in_the_words_of_the_domain() -> None:
    """Milestones are numbered, features know theirs, guards are guards."""
    second = assertion(name="VAL-CALC-002", guard=True)
    milestones = (
        ProposedMilestone(title="First", features=(feature(),)),
        ProposedMilestone(title="Second", features=(feature("keep", "VAL-CALC-002"),)),
    )
    plan = plan_of(proposal(assertion(), second, milestones=milestones, assumptions=("integers only",)))

    assert [(milestone.id, milestone.title) for milestone in plan.milestones] == [("m1", "First"), ("m2", "Second")]
    assert [(feature.id, feature.milestone, feature.fixes) for feature in plan.features] == [
        ("subtract", "m1", None),
        ("keep", "m2", None),
    ]
    assert [assertion.kind for assertion in plan.contract.assertions] == ["new", "guard"]
    assert plan.spec.assumptions == ("integers only",)
