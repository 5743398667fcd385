"""Ways to keep a test's name and take its teeth: each is named, whoever may have meant what."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.tamper import findings

PATH = "tests/test_calc.py"
TEST = """\
import pytest
from calc import add, sub

CASES = [(1, 2, 3), (2, 2, 4), (3, 3, 6)]


def check(a, b, c):
    assert add(a, b) == c


def test_adds():
    assert add(1, 2) == 3
    result = add(2, 2)
    assert result == 4


def test_table():
    for a, b, c in CASES:
        assert add(a, b) == c


@pytest.mark.parametrize("a, b, c", CASES)
def test_rows(a, b, c):
    assert add(a, b) == c


@pytest.mark.parametrize("a", [1, 2])
def test_zero(a):
    assert add(a, 0) == a


class TestMore:
    def test_more(self):
        assert add(5, 5) == 10

    def test_close(self):
        assert add(0.1, 0.2) == pytest.approx(0.3)


def test_inner():
    def handler():
        assert sub(2, 1) == 1

    handler()


def test_helper():
    check(1, 1, 2)
"""
CATCHES = """\
def tolerant(function):
    def inner():
        try:
            function()
        except AssertionError:
            pass

    return inner
"""
LENIENT = "@contextlib.contextmanager\ndef lenient():\n    try:\n        yield\n    except Exception:\n        pass\n"


def edited(old: str, new: str, *, at_the_top: str = "", at_the_end: str = "") -> Change:
    assert old in TEST
    after = TEST.replace(old, new, 1).replace("CASES =", f"{at_the_top}\n\nCASES =", 1)
    return Change(path=PATH, before=TEST, after=after + at_the_end)


def ended(code: str) -> Change:
    return edited("import", "import", at_the_end=f"\n\n{code}\n")


TEETH = {
    "an empty table": ("tests-weakened", edited("[(1, 2, 3), (2, 2, 4), (3, 3, 6)]", "[]")),
    "a shorter table": ("tests-weakened", edited(", (3, 3, 6)]", "]")),
    "a slice of the table": ("tests-weakened", edited("in CASES:", "in CASES[:1]:")),
    "all rows but one": ("tests-weakened", edited('c", CASES', 'c", [row for row in CASES if row != (3, 3, 6)]')),
    "a row that is passed over": (
        "tests-weakened",
        edited("in CASES:", "in CASES:\n        if a == 3:\n            continue"),
    ),
    "a table that is cut": ("tests-weakened", edited("def check", "del CASES[1:]\n\n\ndef check")),
    "a row that may fail": ("tests-weakened", edited("[1, 2]", "[1, pytest.param(2, marks=pytest.mark.xfail)]")),
    "no rows": ("tests-skipped", edited("def test_adds()", "@pytest.mark.parametrize('a', [])\ndef test_adds(a)")),
    "a tuple": ("tests-weakened", edited("add(1, 2) == 3", "(add(1, 2) == 3, 'is three')")),
    "a huge tolerance": ("tests-weakened", edited("approx(0.3)", "approx(0.3, rel=1e9)")),
    "itself by another name": (
        "tests-weakened",
        edited("    assert result == 4", "    expected = add(2, 2)\n    assert result == expected"),
    ),
    "a decorator that catches": (
        "tests-weakened",
        edited("def test_adds", "@tolerant\ndef test_adds", at_the_top=CATCHES),
    ),
    "a context that catches": (
        "tests-weakened",
        edited("    assert add(1, 2) == 3", "    with lenient():\n        assert add(1, 2) == 3", at_the_top=LENIENT),
    ),
    "a function that nobody calls": ("tests-weakened", edited("\n    handler()\n", "")),
    "less in an inner function": ("tests-weakened", edited("sub(2, 1) == 1", "sub(2, 1) is not None")),
    "a helper that is not asked": ("tests-weakened", edited("    check(1, 1, 2)\n", "    pass\n")),
    "a class that nobody can make": (
        "tests-deleted",
        edited("class TestMore:\n", "class TestMore:\n    def __init__(self):\n        pass\n\n"),
    ),
    "a test that is None": ("tests-deleted", ended("test_adds = None")),
    "a test that is taken back": ("tests-deleted", ended("del test_adds")),
    "a method that is another": ("tests-deleted", ended("TestMore.test_more = lambda self: None")),
    "a namesake from elsewhere": ("tests-deleted", ended("from helpers import test_adds")),
    "a generator": ("tests-deleted", edited("    result = add(2, 2)\n", "    result = add(2, 2)\n    yield\n")),
    "a fixture": ("tests-deleted", edited("def test_adds", "@pytest.fixture\ndef test_adds")),
    "under a condition": (
        "tests-deleted",
        edited("def test_helper():\n    check", "if False:\n    def test_helper():\n        check"),
    ),
    "a mark under another name": (
        "tests-skipped",
        edited("def test_adds", "@later\ndef test_adds", at_the_top="later = pytest.mark.skip('x')"),
    ),
    "no test file": ("tests-skipped", edited("def check", "__test__ = False\n\n\ndef check")),
    "a skip that is raised": (
        "tests-skipped",
        edited("    result", "    raise pytest.skip.Exception('x')\n    result"),
    ),
}


@pytest.mark.parametrize(("check", "change"), TEETH.values(), ids=TEETH)
def test_a_test_without_teeth_refuses(check: str, change: Change) -> None:
    """Also without a contract, and beside a new test that stands for nothing of it."""
    more = Change(
        path=PATH, before=change.before, after=f"{change.after}\n\ndef test_new():\n    assert add(7, 7) == 14\n"
    )

    for one in (change, more):
        assert check in {found.check for found in findings((one,), by_contract=False) if found.refuses}


PRODUCT = "def add(a, b):\n    return a + b\n\n\ndef legacy(a):\n    return a\n"
WITHOUT = Change(path="calc.py", before=PRODUCT, after=PRODUCT[: PRODUCT.index("\n\ndef legacy")])
LEGACY = "from calc import legacy\n\n\ndef test_legacy():\n    assert legacy(1) == 1\n"


@pytest.mark.parametrize("name", ["_test_legacy", "check_legacy", "disabled"])
def test_another_name_that_no_runner_collects_is_no_farewell(name: str) -> None:
    """The test is about what is gone, and still it is there."""
    change = Change(path="tests/test_legacy.py", before=LEGACY, after=LEGACY.replace("test_legacy", name))

    assert any(found.refuses for found in findings((WITHOUT, change), by_contract=False))


@pytest.mark.parametrize("place", ["tests/test_legacy.py.disabled", "tests/legacy_test_old.txt", "tests/legacy.py"])
def test_who_keeps_a_test_aside_did_not_mean_to_be_rid_of_it(place: str) -> None:
    """A test of what is gone may go with it; one that waits where no runner looks was put away."""
    gone = Change(path="tests/test_legacy.py", before=LEGACY, after=None)
    kept = Change(path=place, before=None, after=LEGACY)

    assert [found.severity for found in findings((WITHOUT, gone), by_contract=False)] == ["P2"]
    assert any(found.refuses for found in findings((WITHOUT, gone, kept), by_contract=False))


def test_retries_are_told_and_refused_by_a_contract() -> None:
    """Who tries until it passes asks for less; an author may know why."""
    change = edited("def test_adds", "@pytest.mark.flaky(reruns=50)\ndef test_adds")

    assert [(one.check, one.severity) for one in findings((change,), by_contract=False)] == [("tests-weakened", "P2")]
    assert any(one.refuses for one in findings((change,)))


def test_a_decorator_out_of_another_file_is_followed_there() -> None:
    """What catches may stand beside the tests."""
    helpers = Change(path="tests/helpers.py", before=None, after=CATCHES)
    change = edited("def test_adds", "@tolerant\ndef test_adds")

    assert any(found.refuses for found in findings((change, helpers), by_contract=False))


HONEST = {
    "a longer table": edited("(3, 3, 6)]", "(3, 3, 6), (4, 4, 8)]"),
    "rows in other lines": edited(
        "[(1, 2, 3), (2, 2, 4), (3, 3, 6)]", "[\n    (1, 2, 3),\n    (2, 2, 4),\n    (3, 3, 6),\n]"
    ),
    "the same rows in place": edited("in CASES:", "in [(1, 2, 3), (2, 2, 4), (3, 3, 6)]:"),
    "a name for an answer": edited(
        "    assert add(1, 2) == 3", "    three = add(1, 2)\n    assert add(1, 2) == 3\n    assert three"
    ),
    "a new test with a mark": ended("@pytest.mark.skip\ndef test_later():\n    assert add(1, 0) == 1"),
    "a new class with a mark": ended(
        "@pytest.mark.skip\nclass TestLater:\n    def test_later(self):\n        assert add(1, 0) == 1"
    ),
    "a context of its own": edited("    check(1, 1, 2)", "    with open('x'):\n        check(1, 1, 2)"),
}


@pytest.mark.parametrize("change", HONEST.values(), ids=HONEST)
def test_a_test_that_demands_as_much_is_let_through(change: Change) -> None:
    """Tables grow, and tests are written in other words."""
    assert [found for found in findings((change,)) if found.refuses] == []


def test_a_test_of_a_class_that_others_are_made_of_is_one() -> None:
    """It runs wherever they do."""
    before = (
        "class Cases:\n    def test_a(self):\n        assert f() == 1\n\n\nclass TestIt(Cases, TestCase):\n    pass\n"
    )
    change = Change(path=PATH, before=before, after=before.replace("test_a", "disabled_test_a"))

    assert any(found.refuses for found in findings((change,), by_contract=False))
