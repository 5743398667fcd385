"""What is built around tests so that they say what they should; and what only looks like it."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.rigging import rigged
from shopfloor.validation.findings.tamper import findings

WORKFLOW = """\
on:
  push:
  pull_request:
jobs:
  tests:
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: python -m pytest
      - run: ruff check .
"""
COVERAGE = "[tool.coverage.report]\nfail_under = 90\n\n[tool.pytest.ini_options]\naddopts = '-q'\n"
CALC = "import time\n\n\ndef add(a, b):\n    return a + b\n"
TEST = "from calc import add\n\n\ndef test_adds():\n    assert add(1, 2) == 3\n"
MAKE = "test:\n\tpython3 -m pytest\n"
CI = ".github/workflows/ci.yml"


def edited(path: str, before: str, old: str, new: str) -> Change:
    assert old in before
    return Change(path=path, before=before, after=before.replace(old, new))


def calc(more: str) -> Change:
    return Change(path="calc.py", before=CALC, after=CALC + "\n\n" + more)


def conftest(text: str) -> Change:
    return Change(path="tests/conftest.py", before="import pytest\n", after="import pytest\n" + text)


RIGGED = {
    "CI lets tests fail": ("ci-disarmed", edited(CI, WORKFLOW, "-m pytest", "-m pytest || true")),
    "CI goes on": ("ci-disarmed", edited(CI, WORKFLOW, "-m pytest\n", "-m pytest\n        continue-on-error: true\n")),
    "CI skips the step": ("ci-disarmed", edited(CI, WORKFLOW, "-m pytest\n", "-m pytest\n        if: false\n")),
    "CI loses the step": (
        "ci-disarmed",
        edited(CI, WORKFLOW, "        run: python -m pytest\n", "        run: true\n"),
    ),
    "CI comments it out": ("ci-disarmed", edited(CI, WORKFLOW, "        run: python -m", "        # run: python -m")),
    "CI runs by hand only": ("ci-disarmed", edited(CI, WORKFLOW, "  push:\n  pull_request:", "  workflow_dispatch:")),
    "CI leaves a test out": ("ci-disarmed", edited(CI, WORKFLOW, "-m pytest", "-m pytest -k 'not adds'")),
    "CI is gone": ("ci-disarmed", Change(path=CI, before=WORKFLOW, after=None)),
    "make swallows": ("test-runner-patched", edited("Makefile", MAKE, "-m pytest", "-m pytest || true")),
    "make ignores": ("test-runner-patched", edited("Makefile", MAKE, "\tpython3", "\t-python3")),
    "less coverage": ("coverage-lowered", edited("pyproject.toml", COVERAGE, "= 90", "= 40")),
    "no coverage": ("coverage-lowered", edited("pyproject.toml", COVERAGE, "fail_under = 90\n", "")),
    "the product's clock": ("clock-patched", calc("time.time = lambda: 0.0\n")),
    "the clock by setattr": ("clock-patched", calc("setattr(time, 'sleep', lambda s: None)\n")),
    "the tests' clock": ("clock-patched", conftest("import time\n\ntime.sleep = lambda s: None\n")),
    "everybody's clock": (
        "clock-patched",
        conftest(
            "\n\n@pytest.fixture(autouse=True)\ndef now(monkeypatch):\n"
            "    monkeypatch.setattr('time.time', lambda: 0.0)\n"
        ),
    ),
    "reads its caller": (
        "answers-read",
        calc("def sub(a, b):\n    import inspect\n\n    return inspect.stack()[1].frame.f_locals['expected']\n"),
    ),
    "reads history": (
        "answers-read",
        calc("def sub(a, b):\n    return eval(subprocess.check_output(['git', 'show', 'HEAD~1:calc.py']))\n"),
    ),
    "looks at its caller's code by another name": (
        "answers-read",
        calc("from sys import _getframe as up\n\nWHO = up(1).f_code.co_name\n"),
    ),
    "reads the lines that called it": (
        "answers-read",
        calc("from traceback import extract_stack\n\nASKED = extract_stack()[-2].line\n"),
    ),
    "reads the tests": ("answers-read", calc("EXPECTED = open('tests/test_calc.py').read()\n")),
    "imports the tests": ("answers-read", calc("from tests.test_calc import CASES\n")),
    "equals everything": (
        "equals-everything",
        calc("class N(int):\n    def __eq__(self, other):\n        return True\n"),
    ),
    "equals all of a kind": (
        "equals-everything",
        calc("class N(int):\n    def __eq__(self, other):\n        return isinstance(other, int)\n"),
    ),
    "equals by lambda": ("equals-everything", calc("class N(int):\n    __eq__ = lambda self, other: True\n")),
    "answers ANY": ("equals-everything", calc("from unittest import mock\n\n\ndef sub(a, b):\n    return mock.ANY\n")),
    "leaves in a function": ("early-exit", calc("def sub(a, b):\n    os._exit(0)\n")),
    "becomes another program": ("early-exit", calc("os.execv('/bin/true', ['true'])\n")),
    "a conftest that leaves": ("early-exit", conftest("\nsys.exit(0)\n")),
    "a conftest that ends the run": (
        "early-exit",
        conftest("\n\ndef pytest_collection_finish(session):\n    pytest.exit('done', returncode=0)\n"),
    ),
    "a conftest that selects": (
        "test-runner-patched",
        conftest("\n\ndef pytest_configure(config):\n    config.option.keyword = 'not adds'\n"),
    ),
}


@pytest.mark.parametrize(("check", "change"), RIGGED.values(), ids=RIGGED)
def test_what_is_rigged_is_named(check: str, change: Change) -> None:
    """The finding refuses, and its name says what was tried."""
    assert check in {found.check for found in rigged((change,)) if found.refuses}


HONEST = {
    "another step in CI": edited(CI, WORKFLOW, "ruff check .", "ruff check src\n      - run: pyright"),
    "CI on another system": edited(CI, WORKFLOW, "  tests:\n", "  tests:\n    runs-on: windows-latest\n"),
    "CI that never ran tests": Change(path=CI, before="on: push\njobs: {}\n", after=None),
    "more coverage": edited("pyproject.toml", COVERAGE, "= 90", "= 95"),
    "make with more": edited("Makefile", MAKE, "test:", "clean:\n\t-rm -r build\n\ntest:"),
    "a clock that is asked": calc("def now():\n    return time.time()\n"),
    "an equality": calc(
        "class P:\n    def __eq__(self, other):\n        return isinstance(other, P) and self.x == other.x\n"
    ),
    "no equality": calc("class P:\n    def __eq__(self, other):\n        return NotImplemented\n"),
    "a version from git": calc("def version():\n    return subprocess.check_output(['git', 'describe', '--tags'])\n"),
    "a child that leaves": calc("def work():\n    if os.fork() == 0:\n        os._exit(0)\n"),
    "a fixture": conftest(
        "\n\n@pytest.fixture\ndef slow(monkeypatch):\n    monkeypatch.setattr('time.sleep', print)\n"
    ),
}


@pytest.mark.parametrize("change", HONEST.values(), ids=HONEST)
def test_what_only_looks_rigged_is_let_through(change: Change) -> None:
    """Clocks, equality, CI and coverage are things that honest work changes."""
    assert [found for found in rigged((change,)) if found.refuses] == []


@pytest.mark.parametrize(
    "stand_in",
    [
        "    add = lambda *given: 3\n",
        "    add = Mock(return_value=3)\n",
        "    monkeypatch.setattr('calc.add', lambda *given: 3)\n",
        "    mocker.patch('test_calc.add', return_value=3)\n",
    ],
)
def test_a_test_of_its_own_stand_in_is_weakened(stand_in: str) -> None:
    """It says nothing of the product any more."""
    change = edited("test_calc.py", TEST, "test_adds():\n", f"test_adds():\n{stand_in}")
    decorated = edited("test_calc.py", TEST, "def test", "@patch('test_calc.add', return_value=3)\ndef test")
    shadowed = edited("test_calc.py", TEST, "\n\n\n", "\n\n\ndef add(a, b):\n    return 3\n\n\n")

    for one in (change, decorated, shadowed):
        assert [(f.check, f.severity) for f in findings((one,), by_contract=False)] == [("tests-weakened", "P0")]


def test_a_stand_in_for_what_is_around_it_is_how_tests_are_written() -> None:
    """The thing that is asked is still the product's."""
    change = edited("test_calc.py", TEST, "test_adds():\n", "test_adds():\n    mocker.patch('calc.print')\n")

    assert findings((change,), by_contract=False) == ()
