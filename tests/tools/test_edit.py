"""Exact edits, and what the model is told when they do not fit."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shopfloor.domain.errors import AskModelAgain
from shopfloor.tools.edit import Edited, edit, settles

FILE = """def area(width, height):
    return width * height


def price(area):
    return area * 3
"""

PIECE = st.text(alphabet="ab\n ", max_size=6)


def told(text: str, old: str, new: str) -> str:
    with pytest.raises(AskModelAgain) as mistake:
        edit(text, old, new)
    return str(mistake.value)


def test_the_one_place_is_replaced() -> None:
    """A text that is there once is replaced, and the line is said."""
    assert edit(FILE, "area * 3", "area * 4") == Edited(text=FILE.replace("* 3", "* 4"), lines=(6,))


def test_several_places_need_all() -> None:
    """Of several places none is guessed."""
    assert (
        told(FILE, "return", "yield")
        == "`old` is there 2 times, at lines 2, 6: add lines around it, or set all to true"
    )
    assert edit(FILE, "return", "yield", every=True) == Edited(text=FILE.replace("return", "yield"), lines=(2, 6))


def test_other_spaces_are_shown() -> None:
    """When only spaces differ the model sees the file's own lines."""
    assert told(FILE, "def price(area):\n\treturn area * 3", "x") == (
        "`old` is not in the file. Only spaces differ; the file has:\n5\tdef price(area):\n6\t    return area * 3"
    )


def test_the_closest_lines_are_shown() -> None:
    """A misremembered line is found again."""
    assert told(FILE, "    return width * heigth\n", "x") == (
        "`old` is not in the file. The closest lines are:\n2\t    return width * height\n6\t    return area * 3"
    )


def test_nothing_like_it() -> None:
    """Where nothing is close, no line is offered."""
    assert told(FILE, "%%%%", "x") == "`old` is not in the file. Nothing like it is there; read it again."


def test_applied_already_is_recognised() -> None:
    """An edit sent twice changes nothing the second time."""
    once = edit(FILE, "area * 3", "area * 4")
    assert edit(once.text, "area * 3", "area * 4") == Edited(text=once.text, lines=(6,), already=True)


@pytest.mark.parametrize(("old", "new"), [("", "x"), ("same", "same")])
def test_edits_that_mean_nothing(old: str, new: str) -> None:
    """An empty or equal text is refused with words."""
    assert "`old`" in told(FILE, old, new)


def test_crlf_stays() -> None:
    """A file with CRLF line ends keeps every one of them, however the model writes the lines."""
    text = FILE.replace("\n", "\r\n")
    for old in ("price(area):\n    return area", "price(area):\r\n    return area"):
        assert edit(text, old, "cost(a):\n    return a").text == text.replace(
            "price(area):\r\n    return area", "cost(a):\r\n    return a"
        )


@given(PIECE, PIECE, PIECE, PIECE)
def test_an_edit_changes_only_its_place(before: str, old: str, new: str, after: str) -> None:
    """What stands around the place is byte for byte the same, the missing last newline too."""
    text = before + old + after
    assume(old and old != new and _places(text, old) == 1)
    edited = edit(text, old, new)
    assume(not edited.already)  # what stands there looks as if it had been done, and is left alone
    assert edited.text == before + new + after


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # few pairs of pieces settle
@given(PIECE, PIECE, PIECE, st.booleans())
def test_an_edit_that_settles_is_safe_to_repeat(text: str, old: str, new: str, every: bool) -> None:
    """Where `settles` says so, doing it twice by accident is the same as doing it once."""
    assume(old and settles(old, new))
    try:
        once = edit(text, old, new, every)
    except AskModelAgain:
        return
    with suppress(AskModelAgain):
        assert edit(once.text, old, new, every).text == once.text


@pytest.mark.parametrize(
    ("old", "new"), [("a", "ab"), ("ab", "a"), ("x", ""), ("\nfoo\n", "\nbar\n"), ("  b", "  "), ("ab", "b")]
)
def test_edits_that_could_apply_twice_do_not_settle(old: str, new: str) -> None:
    """Growing, shrinking and dovetailing texts might be found again."""
    assert not settles(old, new)


def test_an_ordinary_edit_settles() -> None:
    """Most edits of code can be repeated."""
    assert settles("    return area * 3", "    return area * 4")


def _places(text: str, part: str) -> int:
    """Also overlapping ones."""
    return sum(text.startswith(part, at) for at in range(len(text)))


def test_an_insertion_is_not_made_twice() -> None:
    """`old` stands in `new`, so a call that was cut off and is made again would find it: it sees that it was done."""
    once = edit("a\nb\n", "a\n", "a\nx\n")
    assert edit(once.text, "a\n", "a\nx\n") == Edited(text=once.text, lines=(1,), already=True)
