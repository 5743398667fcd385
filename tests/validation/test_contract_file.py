"""A contract is one plain file: what is written reads back, and what cannot be read is said line by line."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.domain.errors import GiveUp
from shopfloor.validation.contract_file import Draft, read_contract, steps_put_in, written
from shopfloor.validation.lint import lint

EXAMPLES = Path(__file__).parents[2] / "examples"

line = st.from_regex(r"[A-Za-z][A-Za-z ,.'\"]{0,30}[a-z]", fullmatch=True)
assertions = st.builds(
    Assertion,
    id=st.integers(1, 999).map(lambda number: f"VAL-A-{number:03}"),
    title=line,
    behaviour=st.lists(line, min_size=1, max_size=3).map("\n".join),
    surface=st.sampled_from(("library", "terminal", "http", "web", "desktop")),
    negative=st.just("") | line,
    kind=st.sampled_from(("new", "guard")),
    evidence=st.just(()) | st.just(("screenshot", "transcript")),
    controls=st.just(()) | st.just(("reload", "two inputs")),
    steps=st.just(()) | st.just(("open /", 'see text "a"')),
)
drafts = st.builds(
    Draft,
    contract=st.builds(
        Contract,
        title=line,
        assertions=st.lists(assertions, max_size=3, unique_by=lambda one: one.id).map(tuple),
        published=st.just("") | line,
        start=st.just("") | st.just("python3 app.py"),
        supersedes=st.just(()) | st.just(("tests/test_a.py",)),
        names=st.just(()) | st.just((("new-todo", 'class "new-todo" or id "new-todo"'),)),
        state=st.sampled_from(("app", "browser")),
        interface=st.sampled_from(("", "api/openapi.yaml")),
    ),
    assumptions=st.just(()) | st.lists(line, min_size=1, max_size=2).map(tuple),
)


@given(drafts)
def test_a_contract_reads_back_as_it_was_written(draft: Draft) -> None:
    """The file is the contract: nothing of it is lost on the way."""
    assert read_contract(written(draft)) == draft


@pytest.mark.parametrize(("name", "assertions"), [("todomvc", 31), ("realworld", 33)])
def test_a_contract_that_ships_is_whole(name: str, assertions: int) -> None:
    """What ships as an example has nothing to mend, and reads back byte for byte."""
    text = (EXAMPLES / name / "contract.md").read_text(encoding="utf-8")
    draft = read_contract(text)

    assert len(draft.contract.assertions) == assertions
    assert lint(draft) == ()
    assert written(draft) == text


def test_a_person_writes_one_by_hand() -> None:
    """Free text around it, a fence of another kind, lists in the behaviour: what a person would write is understood."""
    draft = read_contract(BY_HAND)
    (first, second) = draft.contract.assertions

    assert draft.contract.title == "Orders"
    assert draft.contract.names == (("rows", 'element "tr" in class "orders"'),)
    assert "GET /orders" in draft.contract.published and "```" in draft.contract.published
    assert first.behaviour.endswith("- and keeps it") and first.steps == ("open /", 'see text "a"')
    assert (first.negative, second.kind) == ("the row stays\nafter a reload", "guard")
    assert draft.claims == (("VAL-ORDER-001", ("export", "import")),)


@pytest.mark.parametrize("assertion", ["VAL-ORDER-001", "VAL-ORDER-002"])
def test_steps_are_put_into_a_file_and_nothing_else_is_touched(assertion: str) -> None:
    """In place of those that were there, or after all that is said; what a person wrote around it stays."""
    put_in = steps_put_in(BY_HAND, assertion, ("GET /", "status is 200"))
    before, after = read_contract(BY_HAND), read_contract(put_in)
    steps = {one.id: one.steps for one in before.contract.assertions} | {assertion: ("GET /", "status is 200")}

    assert {one.id: one.steps for one in after.contract.assertions} == steps
    assert written(msgspec.structs.replace(after, contract=before.contract)) == written(before)
    assert steps_put_in(put_in, assertion, ("GET /", "status is 200")) == put_in
    assert set(BY_HAND.splitlines()) - set(put_in.splitlines()) <= {*before.contract.assertions[0].steps}


BY_HAND = """\
# Orders

Start: `python3 app.py`

## Published

A page at `/`, and:

```
GET /orders
```

- @rows: element "tr" in class "orders"

## Assertions

### VAL-ORDER-001: an order is added

When it is added, then the list
- shows it
- and keeps it

- never: the row stays
after a reload
- surface: web
- claimed by: export, import

```steps
open /
see text "a"
```

### VAL-ORDER-002
GET /orders shall answer 200.
- surface: http
- kind: guard
"""


def test_what_cannot_be_read_is_said_all_at_once() -> None:
    """Whoever mends a contract sees every line that is wrong, and what would be right."""
    with pytest.raises(GiveUp) as refused:
        read_contract("stray\n\n## Pub\n\n### VAL-A-001: a\n\nx\n\n- surface: screen\n- kind: old\n- controls: luck\n")

    said = str(refused.value)
    for words in (
        "begins with its title",
        "'stray' stands before",
        "there is no section 'Pub'",
        "surface 'screen' is none",
        "kind 'old' is none",
        "controls 'luck' is none; there are two inputs, reload",
    ):
        assert words in said
