"""Work that behaves for its tests alone has to ask for them, and that is seen."""

import pytest

from shopfloor.validation.findings.aware import aware
from shopfloor.validation.findings.changes import Change

TESTS = ("tests/test_price.py", "tests/conftest.py", "visible_test.py")
PLAIN = "def price(item):\n    return 3\n"


def found(after: str, *, by_contract: bool = True, before: str = PLAIN, path: str = "shop/price.py") -> list[str]:
    findings = aware([Change(path=path, before=before, after=after)], TESTS, by_contract=by_contract)
    return [f"{one.severity} {one.line} {one.text}" for one in findings]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("import sys\nif 'visible_test' in sys.modules:\n    price = None\n", "visible_test"),
        ("import sys as s\nknown = s.modules.get('tests.test_price')\n", "tests.test_price"),
        ("import inspect\nasked = any('test_price.py' == f.filename for f in inspect.stack())\n", "test_price.py"),
        ("import os\ntested = 'PYTEST_CURRENT_TEST' in os.environ\n", "PYTEST_CURRENT_TEST"),
        ("import sys\ntested = 'tests/test_price.py' in sys.argv\n", "tests/test_price.py"),
    ],
)
def test_a_source_that_asks_for_its_tests_is_refused(source: str, word: str) -> None:
    """By module, by file, by what the runner leaves in the environment; with a contract or without one."""
    for by_contract in (True, False):
        assert found(PLAIN + source, by_contract=by_contract) == [f"P1 4 asks whether it is run by the tests: {word!r}"]


@pytest.mark.parametrize("runner", ["'pytest' in sys.modules", "sys.modules.get('unittest')", "'nose' in modules"])
def test_asking_for_a_runner_may_be_meant_where_no_contract_says_otherwise(runner: str) -> None:
    """A worker has no reason to; a person may, and is told."""
    source = f"{PLAIN}import sys\nfrom sys import modules\ntested = {runner}\n"
    assert found(source)[0].startswith("P1 5 asks whether it is run by a test runner")
    assert found(source, by_contract=False)[0].startswith("P2 5 asks whether it is run by a test runner")


@pytest.mark.parametrize(
    "source",
    [
        "NAMES = ('test_price', 'visible_test')\n",
        "import sys\nloaded = 'shop' in sys.modules\n",
        "import sys\nprint('tests', sys.argv[1:])\n",
        "import pytest\n",
        "def broken(:\n",
    ],
)
def test_what_does_not_look_around_is_left_alone(source: str) -> None:
    """A name that happens to be a test's, a module that is the product's own, a runner that is imported openly."""
    assert found(PLAIN + source) == []


def test_what_asked_before_and_what_is_a_test_is_left_alone() -> None:
    """Only what a change brings is told, and tests may know that they are tests."""
    asks = PLAIN + "import sys\nif 'visible_test' in sys.modules:\n    pass\n"
    assert found(asks, before=asks) == []
    assert found(asks, path="tests/helpers_test.py") == []
