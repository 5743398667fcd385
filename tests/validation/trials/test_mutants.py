"""Small faults: which there are of a statement, that each is Python of its own, and which are left out on purpose."""

import ast
from collections import Counter

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.statements import changed_statements
from shopfloor.validation.trials.mutants import Mutant, mutants, spread

TELLS = {
    "return a < b": ["`return a < b` turned into `return None`", "`<` turned into `<=`"],
    "if a and not b: pass": [
        "`a and (not b)` taken to be always true",
        "`a and (not b)` taken to be never true",
        "`and` turned into `or` in `a and (not b)`",
        "`not` left out of `not b`",
    ],
    "c = a + 1": ["`+` turned into `-` in `a + 1`", "`1` turned into `2`"],
    "a += b": ["`a += b` left out", "`+=` turned into `-=`"],
    "a.b = True": ["`a.b = True` left out", "`True` turned into `False`"],
    "call(a, key=b)": ["`call(a, key=b)` left out", "`key=` left out of `call(a, key=b)`"],
    "c = [a, 'x']": ["`[a, 'x']` emptied", "`'x'` emptied"],
    "raise ValueError(f'{a} is no b')": ["`raise ValueError(f'{a} is no b')` left out"],
    "for c in a: break": ["`break` left out"],
    "for c in a: continue": ["`continue` turned into `break`"],
}
NOTHING = [
    "logger.info('seen', a, key=1)",
    "self.log.debug('seen')",
    "assert a == 1",
    "c = f'{a + 1}'",
    "parser.add_argument(a, help='what it is')",
    "c: dict[str, Literal['x']] = a",
]


def found(body: str, head: str = "def f(a, b):") -> tuple[str, list[Mutant]]:
    text = f"{head}\n    {body}\n"
    return text, mutants(text, changed_statements(Change(path="app.py", before=None, after=text)))


@pytest.mark.parametrize(("body", "words"), TELLS.items())
def test_a_fault_is_told_in_words(body: str, words: list[str]) -> None:
    """Each is one small change that a reader understands at once, and the source with it is Python."""
    text, made = found(body)

    assert [one.words for one in made] == words
    sources = [one.of(text) for one in made]
    assert len({ast.dump(ast.parse(source)) for source in (text, *sources)}) == len(made) + 1


@pytest.mark.parametrize("body", NOTHING)
def test_what_no_test_should_notice_is_left_alone(body: str) -> None:
    """What is logged, asserted, shown on a screen, or only read by a type checker; a call as a whole may go."""
    assert [one.words for one in found(body)[1] if "left out" not in one.words] == []


def test_how_an_object_is_shown_is_left_alone() -> None:
    """Nobody tests a repr but by what they read in a failure."""
    assert found("return 'a' * 3", "def __repr__(self):")[1] == []


def test_defaults_belong_to_their_function() -> None:
    """A default that nobody relies on is as weak a spot as any other."""
    _, made = found("return a", "def f(a=3, *, b=False):")

    assert [one.words for one in made if one.line == 1] == ["`3` turned into `4`", "`False` turned into `True`"]


def test_any_first_part_is_spread_over_functions() -> None:
    """Where time is short, every function has had its share; and the order is always the same."""
    text = "".join(f"def f{n}(a):\n" + "    a += 1\n" * (10 * n + 1) + "    return a\n\n\n" for n in range(4))
    made = mutants(text, changed_statements(Change(path="app.py", before=None, after=text)))
    first = Counter(one.function for one in spread(made)[:12])

    assert first == {f"f{n}": 3 for n in range(4)}
    assert spread(made) == spread(list(reversed(made)))


def test_a_byte_order_mark_and_wide_letters_move_nothing() -> None:
    """Places are counted in bytes of the whole source."""
    text = "\ufeffü = 'größe'; b = 1 < 2\n"
    made = mutants(text, changed_statements(Change(path="app.py", before=None, after=text)))

    assert "\ufeffü = 'größe'; b = (1 <= 2)\n" in [one.of(text) for one in made]
