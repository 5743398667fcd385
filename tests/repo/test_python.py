"""Python that strangers wrote is read, or said to be unreadable; never is anything raised."""

import pytest

from shopfloor.repo.python import parsed, unparsed


@pytest.mark.parametrize(
    "text", ["def f(:", "x = '\0'", f"x = {'-' * 20_000}1", f"x = {'[' * 1_000}", "x = 1 +" + " 1 +" * 60_000 + " 1"]
)
def test_what_cannot_be_parsed_is_a_value(text: str) -> None:
    """Broken, with a null byte, too deep for the parser, or too deep for its result."""
    assert parsed(text) is None


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    """Editors of another system put it there."""
    tree = parsed("\ufeffx = 1")

    assert tree is not None and unparsed(tree) == "x = 1"
