"""Python that strangers wrote is read, or said to be unreadable; never is anything raised."""

import ast

import pytest

from shopfloor.repo.python import TRIES, parsed, unparsed


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


@pytest.mark.parametrize("trouble", range(1, TRIES))
def test_an_interpreter_that_miscounts_is_asked_again(trouble: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parse that another thread's came between says so by a SystemError, and nothing is wrong with the text."""
    left = [SystemError("AST constructor recursion depth mismatch (before=111, after=110)")] * trouble
    honest = ast.parse

    def sometimes(text: str) -> ast.Module:
        if left:
            raise left.pop()
        return honest(text)

    monkeypatch.setattr(ast, "parse", sometimes)

    assert parsed("x = 1") is not None
