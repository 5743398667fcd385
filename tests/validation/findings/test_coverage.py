"""Who counts less of the product as code that tests must reach is found, however it is written."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.rigging import rigged

TOML = "[tool.coverage.run]\nbranch = true\n\n[tool.coverage.report]\nexclude_also = ['@overload']\n"
CALC = "def add(a, b):\n    return a + b\n"


def of(path: str, before: str | None, after: str) -> Change:
    return Change(path=path, before=before, after=after)


LEFT_OUT = {
    "a file": of("pyproject.toml", TOML, TOML.replace("branch = true", 'branch = true\nomit = ["calc/add.py"]')),
    "a pattern": of("pyproject.toml", TOML, TOML.replace("['@overload']", "['@overload', 'def add']")),
    "another pattern in its place": of("pyproject.toml", TOML, TOML.replace("'@overload'", "'def '")),
    "a file of its own": of(".coveragerc", None, "[run]\nomit =\n    calc/add.py\n"),
    "in setup.cfg": of("setup.cfg", "", "[coverage:report]\nexclude_lines =\n    def add\n"),
    "by a remark": of("calc.py", CALC, CALC.replace("b):", "b):  # pragma: no cover")),
}


@pytest.mark.parametrize("change", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_left_out_is_told_and_refused_by_a_contract(change: Change) -> None:
    """Honest people leave things out now and then, and say why; a worker was not asked to."""
    by_contract, without = rigged((change,)), rigged((change,), by_contract=False)

    assert [(one.check, one.severity) for one in without] == [("coverage-lowered", "P2")]
    assert [(one.check, one.severity) for one in by_contract] == [("coverage-lowered", "P1")]


def test_a_threshold_in_a_script_counts_too() -> None:
    """Wherever it is asked for."""
    change = of("scripts/coverage", "coverage report --fail-under=100\n", "coverage report --fail-under=0\n")

    assert [(one.check, one.severity) for one in rigged((change,), by_contract=False)] == [("coverage-lowered", "P1")]


@pytest.mark.parametrize(
    "change",
    [
        of("pyproject.toml", TOML, TOML.replace("['@overload']", "['@overload', 'if TYPE_CHECKING:', 'tests/*']")),
        of("calc.py", CALC, f"{CALC}\n\ndef debug():  # pragma: no cover\n    print(1)\n"),
        of("pyproject.toml", TOML, TOML.replace("branch", "parallel = true\nbranch")),
    ],
)
def test_what_no_test_is_for_may_be_left_out(change: Change) -> None:
    """Lines that never run, and code that is new."""
    assert [found for found in rigged((change,)) if found.refuses] == []
