"""What decides which tests run, and whether their failure is seen: no setting of it gets by unnamed."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.rigging import rigged
from shopfloor.validation.findings.tamper import findings

SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["-ra", "-m", "not slow"]
xfail_strict = true
filterwarnings = ["error"]
"""
MAKE = "test:\n\tpytest\n"
TOX = "[testenv]\ncommands = pytest {posargs}\n"


def of(path: str, before: str | None, after: str) -> Change:
    return Change(path=path, before=before, after=after)


def options(more: str) -> Change:
    return of("pyproject.toml", SETTINGS, SETTINGS.replace('"-ra"', f'"-ra", {more}'))


REFUSED = {
    "deselects beside an option that was there": options('"--deselect", "tests/test_a.py::test_a"'),
    "selects by another mark": options('"-m", "not fast"'),
    "runs what failed last": options('"--lf"'),
    "runs nothing": options('"--setup-plan"'),
    "writes what is expected": options('"--snapshot-update"'),
    "an ini that leaves out": of("tox.ini", "[pytest]\naddopts =\n", "[pytest]\naddopts =\n    -q\n    -k nothing\n"),
    "a variable in a file": of(".env", None, "PYTEST_ADDOPTS=-k nothing\n"),
    "a variable in a recipe": of("Makefile", MAKE, f"export PYTEST_ADDOPTS = --deselect a::b\n{MAKE}"),
    "a start of Python": of("calc.pth", None, "import calc_hook\n"),
    "hooks in a module": of(
        "calc_hook.py", None, "def pytest_runtest_logreport(report):\n    report.outcome = 'passed'\n"
    ),
    "an assertion that says yes": of(
        "tests/test_a.py",
        None,
        "from unittest import TestCase\n\n\nclass A(TestCase):\n    def assertEqual(self, a, b):\n        pass\n",
    ),
    "an assertion patched by name": of("calc.py", "", "mock.patch('unittest.TestCase.assertEqual').start()\n"),
    "a recipe that runs nothing": of("tox.ini", TOX, TOX.replace("pytest {posargs}", "true")),
    "a script that runs nothing": of("package.json", '{"scripts": {"test": "jest"}}', '{"scripts": {"test": "echo"}}'),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_keeps_tests_from_running_refuses(change: Change) -> None:
    """Also without a contract: nobody means that by the way."""
    found = (*findings((change,), by_contract=False), *rigged((change,), by_contract=False))

    assert "test-runner-patched" in {one.check for one in found if one.refuses}


TOLD = {
    "tries again": options('"--reruns=50"'),
    "brings a plugin": options('"-p", "calc_plugin"'),
    "brings a plugin to everybody": of(
        "pyproject.toml", SETTINGS, f"{SETTINGS}\n[project.entry-points.pytest11]\ncalc = 'calc.plugin'\n"
    ),
    "expects failures loosely": of("pyproject.toml", SETTINGS, SETTINGS.replace("xfail_strict = true\n", "")),
    "lets warnings pass": of("pyproject.toml", SETTINGS, SETTINGS.replace('filterwarnings = ["error"]\n', "")),
    "takes assertions out": of("tox.ini", TOX, f"{TOX}setenv = PYTHONOPTIMIZE=1\n"),
}


@pytest.mark.parametrize("change", TOLD.values(), ids=TOLD)
def test_what_makes_tests_milder_is_told_and_refused_by_a_contract(change: Change) -> None:
    """An author may have reasons; nobody asked a worker for it."""
    assert [one.severity for one in findings((change,), by_contract=False) if one.severity != "P3"] == ["P2"]
    assert any(one.refuses for one in findings((change,)))


HONEST = {
    "more to see": options('"--showlocals", "-vv"'),
    "without a plugin": options('"-p", "no:cacheprovider"'),
    "options in one line": of(
        "pyproject.toml",
        SETTINGS,
        SETTINGS.replace('["-ra", "-m", "not slow"]', "\"-ra -m 'not slow'\""),
    ),
    "prose about it": of("README.md", "", "Set PYTEST_ADDOPTS=-k fast to be quick.\n"),
    "another recipe": of("Makefile", MAKE, f"{MAKE}\nlint:\n\truff check\n"),
}


@pytest.mark.parametrize("change", HONEST.values(), ids=HONEST)
def test_settings_that_leave_all_tests_in_are_let_through(change: Change) -> None:
    """Whatever is said of them."""
    assert [one for one in (*findings((change,)), *rigged((change,))) if one.refuses] == []


def test_expected_data_of_tests_is_told() -> None:
    """The base's version judges; whoever reads the verdict sees that there is another."""
    change = of("tests/golden/sum.json", "[1]\n", "[2]\n")

    assert [(one.check, one.severity) for one in findings((change,))] == [("expected-data-changed", "P2")]


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("tests/calc.py", ("calc/__init__.py", "tests/test_calc.py")),
        ("tests/calc.py", ("src/calc/__init__.py",)),
        ("calc/__init__.py", ("src/calc/__init__.py",)),
    ],
)
def test_a_namesake_of_the_product_where_tests_import_it_refuses(path: str, files: tuple[str, ...]) -> None:
    """Tests would ask it instead, and the product could say anything."""
    change = of(path, None, "def add(a, b):\n    return 3\n")

    assert any(one.refuses for one in findings((change,), by_contract=False, files=files))
    assert findings((change,), by_contract=False, files=("calc.txt",)) == ()
