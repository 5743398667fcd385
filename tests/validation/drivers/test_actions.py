"""Targets and actions are data: what is written down reads back as the same thing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.drivers.actions import Action, Click, Target, parse_target
from shopfloor.validation.drivers.protocol import capped, local_url

numbers = st.integers(min_value=0, max_value=999_999)
by_role = st.builds(
    Target, by=st.just("role"), role=st.sampled_from(("button", "listitem", "textbox")), name=st.text(), number=numbers
)
by_words = st.builds(
    Target, by=st.sampled_from(("label", "placeholder", "testid", "text")), name=st.text(min_size=1), number=numbers
)
targets = st.recursive(
    by_role | by_words,
    lambda inner: st.tuples(by_role | by_words, inner).map(lambda two: msgspec.structs.replace(two[0], within=two[1])),
    max_leaves=4,
)


@given(targets)
def test_a_target_reads_back_as_it_was_written(target: Target) -> None:
    """Whatever words a thing carries, its written form names the same thing."""
    assert parse_target(str(target)) == target


@given(targets)
def test_a_recorded_action_can_be_stored_and_done_again(target: Target) -> None:
    """Actions survive JSON whole, so recorded steps can be judged again without a model."""
    action = Click(target=target, double=True)

    assert msgspec.json.decode(msgspec.json.encode(action), type=Action) == action


@pytest.mark.parametrize(
    "text", ["", "Add", "#add", ".button", "label", 'text ""', 'button "Add', 'button "Add" x', "//a"]
)
def test_what_names_nothing_goes_back_with_the_spelling_explained(text: str) -> None:
    """CSS, XPath and unfinished names are refused with a way to write them right."""
    with pytest.raises(AskModelAgain, match='button "Add"'):
        parse_target(text)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://example.com/", "//example.com/", "view-source:http://localhost/"]
)
def test_only_the_app_itself_can_be_visited(url: str) -> None:
    """A judge reaches neither files nor strangers through a driver."""
    with pytest.raises(AskModelAgain, match="is not an address of the app"):
        local_url("http://localhost:8000", url)


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    """A judge sees that something is left out, and how much."""
    assert capped("a" * 10 + "b" * 10, 10) == "aaaaa\n[... 10 characters left out ...]\nbbbbb"
    assert capped("bell\x07 and nul\x00") == "bell· and nul·"
