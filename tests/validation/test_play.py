"""How steps fall into turns, and which words a judge draws: pure, and the same for every kind of app."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.validation.drivers.steps import Unspeakable, filled, free_words
from shopfloor.validation.turns import Turn, drawn, has_effect, turns_of

names = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), st.sampled_from(("word", "number", "email")), max_size=20
)


def test_a_turn_is_what_is_done_and_what_is_then_expected() -> None:
    """Deeds until the first expectation, expectations until the next deed."""
    lines = ("open /", 'fill label "A" with "{{a}}"', 'see text "{{a}}"', "count listitem is 1", "reload", "no errors")

    assert turns_of(lines) == (Turn(lines[:2], lines[2:4]), Turn(lines[4:5], lines[5:]))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (('see text "a"', "open /"), "before anything was done"),
        (("open /", 'see text "a"', "reload"), "nothing is expected after 'reload'"),
        (("open /", "sing"), "'sing' is no step"),
        (('start "a"', "screen looks like b"), "nothing was kept as 'b'"),
        (('start "a"', "keep screen as b", "screen looks like b"), "nothing was kept as 'b'"),
    ],
)
def test_steps_that_could_not_fail_are_none(lines: tuple[str, ...], words: str) -> None:
    """What is not expected proves nothing, and what was not done causes nothing."""
    with pytest.raises(Unspeakable, match=words):
        turns_of(lines)


@given(names, st.integers())
def test_words_that_are_drawn_are_told_apart(kinds: dict[str, str], seed: int) -> None:
    """No two alike and none within another: a list that shows one cannot pass for one that shows the other."""
    words = list(drawn(kinds, random.Random(seed)).values())

    assert len(set(words)) == len(kinds)
    assert not any(one in other for one in words for other in words if one is not other)


@given(st.integers())
def test_a_run_can_be_seen_again(seed: int) -> None:
    """The same seed draws the same words, and leaves none out."""
    line = "{{a}} {{b:email}} {{c:number}}"
    first, again = (filled(line, drawn(free_words([line]), random.Random(seed))) for _ in range(2))

    assert first == again
    assert "{{" not in first


@pytest.mark.parametrize(
    ("lines", "effect"),
    [
        (("open /", 'see text "a"'), False),
        (("open /", 'click button "A"', 'see text "a"'), True),
        (("GET /a", "status is 200"), False),
        (("DELETE /a", "status is 204"), True),
        (('start "a"', 'screen has "1"', 'start "b"', 'screen has "1"'), False),
        (('start "a"', 'screen has "1"', 'start "b"', 'screen has "2"'), True),
        (('start "a {{x}}"', 'screen has "{{x}}"'), True),
        (('start "a"', "screen changes", 'start "a"', "screen changes"), False),
        (('start "a"', "keys F2", "screen changes"), False),
        (('start "a"', "keys F2", "screen changes", "keys F2", "screen changes"), True),
        (('start "a"', 'type "a"', "screen changes", 'type "b"', "screen changes"), False),
        (('start "a"', "screen changes", "keep screen as a", 'start "a"', "screen looks like a"), False),
        (('start "a"', "keys F2", "screen changes", 'see window "B"'), True),
        (('start "a"', "screen changes", "keep screen as a", "keys F2", "screen looks unlike a"), False),
        (("import a", "ask a.b", "result is 1"), False),
        (("call a.f(1)", "result is 1", "call a.f(2)", "result is 1"), False),
        (("call a.f(1)", "result is 1", "call a.g(2)", "result is 2"), False),
        (("call a.f(1)", "result is 1", "call a.f(2)", "result is 2"), True),
        (("call a.f(1)", "result is 1", 'call a.f("")', "raises ValueError"), True),
        (('call a.f("{{x}}")', 'result has "{{x}}"'), True),
        (('call a.put("{{x}}")', "result is null", "ask a.get()", 'result is "{{x}}"'), True),
        (("call a.T(1) as t", "ask t.size", "result is 1"), False),
        (("call a.T(1) as t", "call t.grow()", "ask t.size", "result is 2"), True),
    ],
)
def test_to_look_is_no_effect(lines: tuple[str, ...], effect: bool) -> None:
    """A dead dummy can be looked at, too."""
    assert has_effect(turns_of(lines)) is effect
