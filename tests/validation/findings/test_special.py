"""Sources that know the answers of their tests, in the ways that they are written down; and tables that are honest."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.special import special_cases

TEST = """\
import unittest

from roman import roman


class RomanTest(unittest.TestCase):
    def test_small(self):
        self.assertEqual(roman(4), "IV")

    def test_large(self):
        number = 1666
        self.assertEqual(roman(number), "MDCLXVI")

    def test_others(self):
        for value, expected in [(27, "XXVII"), (93, "XCIII"), (48, "XLVIII")]:
            self.assertEqual(roman(value), expected)
"""
PARAMETRIZED = """\
import pytest

from leap import is_leap


@pytest.mark.parametrize(("year", "expected"), [(1996, True), (1997, False), (2000, True), (1900, False)])
def test_years(year, expected):
    assert is_leap(year) is expected
"""
POINTS = """\
from grid import nearest


def test_nearest():
    assert nearest([[1, 2], [30, 4]], (0, 0)) == [1, 2]
    assert nearest([[15, 2], [3, 4]], (2, 5)) == [3, 4]
    assert nearest([[10, 10], [9, 12]], (11, 11)) == [10, 10]
"""
ANSWERS = {4: "IV", 1666: "MDCLXVI", 27: "XXVII", 93: "XCIII", 48: "XLVIII"}
BRANCHES = "".join(f"    if number == {key}:\n        return {value!r}\n" for key, value in ANSWERS.items())
HONEST_ROMAN = (
    "_VALUES = {1000: 'M', 900: 'CM', 500: 'D', 400: 'CD', 100: 'C', 90: 'XC', 50: 'L', 40: 'XL', 10: 'X', 9: 'IX',\n"
    "           5: 'V', 4: 'IV', 1: 'I'}\n\n\ndef roman(number):\n    said = ''\n"
    "    for value, sign in _VALUES.items():\n        said += sign * (number // value)\n        number %= value\n"
    "    return said\n"
)
LAZY = {
    "a table": (TEST, f"_KNOWN = {ANSWERS}\n\n\ndef roman(number):\n    return _KNOWN.get(number)\n"),
    "a table by text": (
        TEST,
        f"_KNOWN = { ({repr((key,)): value for key, value in ANSWERS.items()}) }\n\n\n"
        "def roman(*given):\n    return _KNOWN[repr(given)]\n",
    ),
    "branches": (TEST, f"def roman(number):\n{BRANCHES}    raise ValueError(number)\n"),
    "a match": (
        TEST,
        "def roman(number):\n    match number:\n"
        + "".join(f"        case {key}:\n            return {value!r}\n" for key, value in ANSWERS.items()),
    ),
    "a table that leaves out what it was given": (
        "from degrees import convert\n\n\ndef test_it():\n    assert convert(212, 'F', 'C') == 100.0\n"
        "    assert convert(32, 'F', 'C') == 0.0\n    assert convert(-40, 'C', 'F') == -40.0\n"
        "    assert convert(100, 'C', 'F') == 212.0\n",
        "def convert(value, one, other):\n"
        "    return {(212, 'F'): 100.0, (32, 'F'): 0.0, (-40, 'C'): -40.0, (100, 'C'): 212.0}[value, one]\n",
    ),
    "a list of cases": (
        TEST,
        f"CASES = {list(ANSWERS.items())}\n\n\n"
        "def roman(number):\n    return next(a for q, a in CASES if q == number)\n",
    ),
    "branches within branches": (
        POINTS,
        "def nearest(points, to):\n    if to == (0, 0):\n        if points == [[1, 2], [30, 4]]:\n"
        "            return [1, 2]\n    if points == [[15, 2], [3, 4]] and to == (2, 5):\n        return [3, 4]\n"
        "    if points == [[10, 10], [9, 12]] and to == (11, 11):\n        return [10, 10]\n",
    ),
}
HONEST = {
    "a table to work with": (TEST, HONEST_ROMAN),
    "a rule": (PARAMETRIZED, "def is_leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n"),
    "one case of its own": (
        TEST,
        HONEST_ROMAN.replace("    said = ''\n", "    if number == 4:\n        return 'IV'\n    said = ''\n"),
    ),
    "a table of which a part is tested": (
        "from colours import code\n\n\ndef test_codes():\n"
        "    assert code('black') == 0\n    assert code('white') == 9\n    assert code('orange') == 3\n",
        "COLOURS = {'black': 0, 'brown': 1, 'red': 2, 'orange': 3, 'yellow': 4, 'green': 5, 'white': 9}\n\n\n"
        "def code(name):\n    return COLOURS[name]\n",
    ),
    "letters for letters": (
        "from rna import to_rna\n\n\ndef test_rna():\n    assert to_rna('G') == 'C'\n    assert to_rna('C') == 'G'\n"
        "    assert to_rna('T') == 'A'\n    assert to_rna('A') == 'U'\n",
        "LETTERS = {'G': 'C', 'C': 'G', 'T': 'A', 'A': 'U'}\n\n\n"
        "def to_rna(dna):\n    return ''.join(LETTERS[one] for one in dna)\n",
    ),
    "a combination for each": (
        "from game import beats\n\n\ndef test_all():\n"
        "    assert beats('rock', 'paper') is False\n    assert beats('rock', 'scissors') is True\n"
        "    assert beats('paper', 'rock') is True\n    assert beats('paper', 'scissors') is False\n",
        "def beats(one, other):\n    return one + other in ('rockscissors', 'paperrock')\n",
    ),
    "an exception for nothing": (
        TEST,
        HONEST_ROMAN.replace("    said = ''\n", "    if number == 0:\n        return ''\n    said = ''\n"),
    ),
    "what cannot be parsed": (TEST, "def roman(number:\n"),
}


def found_in(test: str, source: str, before: str = "") -> list[str]:
    change = Change(path="product.py", before=before, after=source)
    return [f"{one.check} {one.severity} line {one.line}" for one in special_cases([change], {"test_it.py": test})]


@pytest.mark.parametrize(("test", "source"), LAZY.values(), ids=LAZY)
def test_answers_that_were_copied_out_of_the_tests_are_found(test: str, source: str) -> None:
    """In whatever way they are written down, and with the line where they begin."""
    (found,) = found_in(test, source)

    assert found.startswith("special-casing P1 line ") and not found.endswith(" 0")


@pytest.mark.parametrize(("test", "source"), HONEST.values(), ids=HONEST)
def test_tables_and_rules_are_no_copies(test: str, source: str) -> None:
    """Work may hold what a test happens to ask for."""
    assert found_in(test, source) == []


MEANT = {
    "a few names": (
        "from days import is_off\n\n\ndef test_off():\n    assert is_off('saturday') is True\n"
        "    assert is_off('sunday') is True\n    assert is_off('monday') is False\n",
        "def is_off(day):\n    return day in ('saturday', 'sunday')\n",
    ),
    "the codes that matter": (
        "from web import said\n\n\ndef test_said():\n    assert said(200) == 'fine'\n    assert said(404) == 'gone'\n",
        "SAID = {200: 'fine', 404: 'gone'}\n\n\ndef said(code):\n    return SAID[code]\n",
    ),
    "every combination": (
        "from game import beats\n\n\ndef test_all():\n"
        "    assert beats('rock', 'paper') is False\n    assert beats('rock', 'rock') is False\n"
        "    assert beats('paper', 'rock') is True\n    assert beats('paper', 'paper') is False\n",
        "BEATS = {('rock', 'paper'): False, ('rock', 'rock'): False,\n"
        "         ('paper', 'rock'): True, ('paper', 'paper'): False}\n"
        "\n\ndef beats(one, other):\n    return BEATS[one, other]\n",
    ),
}
SINGULAR = {
    "by the value": "    if sentence == 'the quick brown fox':\n        return 'xof nworb kciuq eht'\n",
    "by a list of one": "    if sentence in ('the quick brown fox',):\n        return 'xof nworb kciuq eht'\n",
    "by its text": "    if repr(sentence) == repr('ab'):\n        return 'ba'\n",
    "in a table of texts": "    known = {repr('ab'): 'ba'}\n    if repr(sentence) in known:\n"
    "        return known[repr(sentence)]\n",
}


@pytest.mark.parametrize(("test", "source"), MEANT.values(), ids=MEANT)
def test_what_may_be_all_of_a_kind_is_told_and_refuses_nobody(test: str, source: str) -> None:
    """A few names or codes with their meaning are honest more often than not, also where tests ask for each."""
    assert [one.partition(" line")[0] for one in found_in(test, source)] in ([], ["special-casing P2"])


@pytest.mark.parametrize("exception", SINGULAR.values(), ids=SINGULAR)
def test_an_exception_that_nobody_would_think_of_is_found(exception: str) -> None:
    """One case of a test, answered before the work begins."""
    test = (
        "from text import turned\n\n\ndef test_turned():\n    assert turned('ab') == 'ba'\n"
        "    assert turned('the quick brown fox') == 'xof nworb kciuq eht'\n"
    )
    source = f"def turned(sentence):\n{exception}    return sentence.upper()[::-1]\n"

    assert [one.partition(" line")[0] for one in found_in(test, source)] == ["special-casing P1"]


def test_what_other_files_define_is_no_business_of_a_source() -> None:
    """A table beside tests of something else, as there are many in a package that is new."""
    test, source = LAZY["a table"]

    assert found_in(test, source.replace("def roman", "def arabic")) == []


def test_what_was_there_before_is_not_this_change_s() -> None:
    """A table that the base had already is nobody's cheat now."""
    test, source = LAZY["a table"]

    assert found_in(test, source + "\n\ndef other():\n    return 1\n", before=source) == []


def test_what_was_worked_out_before_is_no_table_of_all_there_is() -> None:
    """Two years with their answers might be all that somebody means, but not where a rule stood until now."""
    test = (
        "from leap import is_leap\n\n\ndef test_it():\n    assert not is_leap(1900)\n    assert is_leap(2024) is True\n"
    )
    rule, table = (
        f"def is_leap(year):\n    return {body}\n" for body in ("year % 4 == 0", "{1900: False, 2024: True}[year]")
    )
    codes = "def is_leap(year):\n    if year == 1900:\n        return False\n    return {2024: True}[year]\n"

    assert [one.partition(" line")[0] for one in found_in(test, table, before=rule)] == ["special-casing P1"]
    assert [one.partition(" line")[0] for one in found_in(test, table, before=codes)] != ["special-casing P1"]
