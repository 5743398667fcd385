"""A contract is read critically before anything is built: what cannot be judged, or proves nothing, is sent back."""

import pytest

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.validation.contract_file import Draft
from shopfloor.validation.lint import Complaint, lint

GOOD = 'Given an empty list, when "milk" is added, then the list shows "milk" and the count is 1.'


def test_a_good_contract_has_nothing_to_mend() -> None:
    """Concrete, tried by an action, with its wrong way: what a judge wants."""
    assert complained(assertion()) == []


@pytest.mark.parametrize(
    ("behaviour", "kind", "better"),
    [
        ("When an order is added, then it works correctly.", "vague", "instead of 'works correctly', name the value"),
        ("When the page is opened, then it shall load fast for 10 users.", "vague", "instead of 'fast'"),
        ("When the page is opened, the list is displayed.", "vacuous", "say which action changes what"),
        ("The list shall display a title.", "untestable", "Given … When … Then …"),
        ("Orders.", "untestable", "Given … When … Then …"),
        ("When added, the class OrderList uses a heap and the list is sorted.", "untestable", "its user would notice"),
    ],
)
def test_words_that_nobody_could_judge_by_are_sent_back(behaviour: str, kind: str, better: str) -> None:
    """Each with a wording that would do."""
    found = lint(Draft(contract=contract(assertion(behaviour=behaviour))))

    assert [one.kind for one in found if one.refuses][:1] == [kind]
    assert better in found[0].better


def test_words_in_quotes_are_data() -> None:
    """What a page shows may be vague; what an assertion says may not."""
    assert complained(assertion(behaviour='When it is saved, then the page shows "works correctly, fast".')) == []


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        (("open /", 'see heading "Orders"'), "vacuous"),
        (("GET /orders", "status is 200"), "vacuous"),
        (('start "orders --help"', 'screen has "usage"'), "vacuous"),
        (("open /", "click the button", 'see text "a"'), "bad-steps"),
        (("open /", 'click button "Add"'), "bad-steps"),
        (('see text "a"', "open /"), "bad-steps"),
        (("open /", "click @add", 'see text "a"'), "bad-steps"),
        (("open /", 'click class "add"', 'see text "a"'), "bad-steps"),
    ],
)
def test_steps_that_a_dead_dummy_would_pass_are_sent_back(steps: tuple[str, ...], kind: str) -> None:
    """So are steps that say nothing, expect nothing, or reach for what is not published."""
    assert complained(assertion(steps=steps)) == [kind]


@pytest.mark.parametrize(
    "steps",
    [
        ("open /", 'click button "Add"', 'see text "a"'),
        ('POST /orders {"a": 1}', "GET /orders", "json $ counts 1"),
        ('start "add 1 2"', 'screen has "3"', 'start "add 2 2"', 'screen has "4"'),
        ('start "echo {{word}}"', 'screen has "{{word}}"'),
        ('POST /@ann/notes {"to": "@ben", "cc": "ann @ben"}', 'body has "for @ben"'),
    ],
)
def test_steps_with_an_effect_or_two_results_are_fine(steps: tuple[str, ...]) -> None:
    """An action whose effect is seen; the same with two inputs; a word that nobody could know."""
    assert complained(assertion(steps=steps)) == []


def test_every_assertion_is_claimed_by_exactly_one_feature() -> None:
    """Where a contract makes claims at all."""
    three = tuple(assertion(id=f"VAL-ORDER-00{number}") for number in (1, 2, 3))
    claims = (("VAL-ORDER-001", ("list",)), ("VAL-ORDER-002", ("list", "add")))
    found = lint(Draft(contract=contract(*three), claims=claims))

    assert [(one.assertion[-1], one.kind) for one in found] == [("2", "claimed-twice"), ("3", "unclaimed")]


def test_what_a_contract_lacks_is_named() -> None:
    """No assertion, one id twice, nothing published, no wrong way: the last is advice."""
    assert [one.kind for one in lint(Draft(contract=Contract(title="x", assertions=())))] == ["empty"]
    twice = contract(assertion(), assertion(negative=""), published="")
    found = lint(Draft(contract=twice))

    assert [one.kind for one in found] == ["no-negative", "used-twice", "no-surface"]
    assert [one.refuses for one in found] == [False, True, True]
    assert str(found[0]) == "VAL-ORDER-001: says nothing of the wrong way; add `- never:` and what must not happen."


def complained(*assertions: Assertion) -> list[str]:
    found: tuple[Complaint, ...] = lint(Draft(contract=contract(*assertions)))
    return [one.kind for one in found]


def contract(*assertions: Assertion, published: str = "A page at `/`.") -> Contract:
    return Contract(title="Orders", assertions=assertions, published=published)


def assertion(
    id: str = "VAL-ORDER-001",  # noqa: A002
    behaviour: str = GOOD,
    negative: str = "the list stays empty",
    steps: tuple[str, ...] = (),
) -> Assertion:
    return Assertion(id=id, title="adds", behaviour=behaviour, surface="web", negative=negative, steps=steps)
