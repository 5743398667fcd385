"""How much tests see of a change that passed them: what they run, what they would notice, what passes by chance."""

from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.mission import Finding, Verdict
from shopfloor.repo.services import commands_at
from shopfloor.sandbox.probe import probe
from shopfloor.testing.courtroom import Changes, open_courtroom
from shopfloor.testing.tools import works
from shopfloor.validation.scrutiny import refusals, review_change
from shopfloor.validation.trials.coverage import COVERAGE
from shopfloor.validation.trials.mutation import MUTATION
from shopfloor.validation.trials.order import FLAKY, ORDER
from shopfloor.validation.trials.power import POWER, Patience

pytestmark = [
    pytest.mark.skipif(bool(probe().why_no_bubblewrap), reason=probe().why_no_bubblewrap or "-"),
    pytest.mark.skipif(not works("python3", "-c", "import pytest"), reason="python3 has no pytest here"),
]

PATIENCE = Patience(mutation_s=60.0, order_s=60.0)
CALC = '"""Grades."""\n\n\ndef add(a, b):\n    return a + b\n'
GRADE = """

LIMIT = 10


def grade(points):
    if points < 0:
        raise ValueError(points)
    if points >= LIMIT:
        return "good"
    return "bad"
"""
ADD_TEST = "import calc\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n"
POOR = 'from calc import grade\n\n\ndef test_good():\n    assert grade(12) == "good"\n'
GOOD = f"""import pytest

{POOR}

@pytest.mark.parametrize(("points", "wanted"), [(0, "bad"), (9, "bad"), (10, "good")])
def test_limits(points, wanted):
    assert grade(points) == wanted


def test_refuses():
    with pytest.raises(ValueError):
        grade(-1)
"""
BASE = {"calc.py": CALC, "conftest.py": "", "test_add.py": ADD_TEST}
UNITTEST = {
    "calc.py": CALC,
    "tests/__init__.py": "",
    "tests/test_add.py": "import unittest\n\nfrom calc import add\n\n\nclass AddTest(unittest.TestCase):\n"
    "    def test_adds(self):\n        self.assertEqual(add(1, 2), 3)\n",
}
POOR_UNITTEST = (
    "import unittest\n\nfrom calc import grade\n\n\nclass GradeTest(unittest.TestCase):\n"
    "    def test_good(self):\n        self.assertEqual(grade(12), 'good')\n"
)


def reviewed(folder: Path, base: Mapping[str, str], change: Changes, patience: Patience = PATIENCE) -> Verdict:
    async def story() -> Verdict:
        async with open_courtroom(folder, base) as room:
            commands = await commands_at(room.court.store, room.base)
            return await review_change(room.court, commands, room.base, room.commit(change), patience=patience)

    return anyio.run(story)


def said(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.detail for check in verdict.checks if check.name in (COVERAGE, MUTATION, ORDER, POWER)}


def told(verdict: Verdict, check: str) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.check == check]


def test_poor_tests_are_told_from_good_ones(tmp_path: Path) -> None:
    """The same change passes with both; what they run and what they would notice is measured, and refuses nothing."""
    poor = reviewed(tmp_path / "poor", BASE, {"calc.py": CALC + GRADE, "test_grade.py": POOR})
    good = reviewed(tmp_path / "good", BASE, {"calc.py": CALC + GRADE, "test_grade.py": GOOD})

    assert poor.passed and good.passed
    assert said(poor)[COVERAGE] == "4 of 6 changed statements run"
    assert [finding.text for finding in told(poor, COVERAGE)] == ["no test runs calc.py:13, 16"]
    assert (told(poor, COVERAGE)[0].severity, told(poor, COVERAGE)[0].line) == ("P3", 13)
    assert said(good)[COVERAGE] == "6 of 6 changed statements run" and not told(good, COVERAGE)
    assert said(poor)[MUTATION] == "killed 4 of 10 tried", said(poor)
    assert said(good)[MUTATION] == "killed 13 of 13 tried" and not told(good, MUTATION)
    survivors = {(finding.line, finding.text) for finding in told(poor, MUTATION)}
    assert (14, "no test would notice `>=` turned into `>`") in survivors and len(survivors) == 5
    assert said(good)[ORDER].startswith("they also pass when one runs test_grade.py twice in one process, all tests")


def test_unittest_is_told_what_to_do_as_well(tmp_path: Path) -> None:
    """Tests are chosen, reversed and run twice there, too, and each is heard by its name."""
    verdict = reviewed(tmp_path, UNITTEST, {"calc.py": CALC + GRADE, "tests/test_grade.py": POOR_UNITTEST})

    assert said(verdict)[COVERAGE] == "4 of 6 changed statements run"
    assert said(verdict)[MUTATION] == "killed 4 of 10 tried"
    assert said(verdict)[ORDER].startswith("they also pass when one runs tests/test_grade.py twice in one process")


def test_what_runs_in_a_process_of_its_own_is_seen(tmp_path: Path) -> None:
    """A program that tests start finds the probes and the faults in its source."""
    program = "import sys\n\n\ndef main(words):\n    print(len(words) + 1)\n\n\nmain(sys.argv[1:])\n"
    test = (
        "import subprocess\nimport sys\n\n\ndef test_counts():\n"
        "    done = subprocess.run([sys.executable, 'count.py', 'a'], capture_output=True, env={})\n"
        "    assert done.stdout == b'2\\n'\n"
    )
    verdict = reviewed(tmp_path, BASE, {"count.py": program, "test_count.py": test})

    assert said(verdict)[COVERAGE] == "2 of 2 changed statements run"
    assert said(verdict)[MUTATION] == "killed 4 of 4 tried"


def test_tests_that_mind_the_probes_leave_it_unsaid(tmp_path: Path) -> None:
    """Nothing is claimed of lines where the tests do not pass as they do without probes."""
    minds = ADD_TEST + "\n\ndef test_source():\n    assert '_shopfloor' not in vars(__import__('calc'))\n"
    verdict = reviewed(tmp_path, BASE, {"calc.py": CALC + GRADE, "test_add.py": minds})

    why = "not checked: the tests do not pass with probes in what they test: test_add.py::test_source"
    assert verdict.passed
    assert (said(verdict)[COVERAGE], said(verdict)[MUTATION]) == (why, why)


TWICE = "SEEN = []\n\n\ndef test_first():\n    SEEN.append(1)\n    assert len(SEEN) == 1\n"
LEANS = "import calc\n\n\ndef test_begins():\n    calc.ready = 1\n\n\ndef test_goes_on():\n    assert calc.ready\n"
SPOILS = "import calc\n\n\ndef test_zz_spoils():\n    calc.add = None\n"
WEAK = ADD_TEST + "\n\ndef test_weak():\n    assert not hasattr(calc.add, 'seen')\n    calc.add.seen = 1\n"


@pytest.mark.parametrize(
    ("change", "name", "how"),
    [
        ({"test_more.py": TWICE}, "test_more.py::test_first", "test_more.py twice in one process"),
        ({"test_more.py": LEANS}, "test_more.py::test_goes_on", "all tests in reversed order"),
        ({"test_spoils.py": SPOILS}, "test_add.py::test_add", "all tests in reversed order"),
    ],
    ids=["fails the second time", "leans on another", "spoils an old one"],
)
def test_what_passes_by_chance_is_refused(change: Changes, name: str, how: str, tmp_path: Path) -> None:
    """It is said which test fails, and when: by how the change brings it, or by what it does to a test of the base."""
    verdict = reviewed(tmp_path, BASE, change)

    (found,) = told(verdict, FLAKY)
    assert not verdict.passed and found.severity == "P1"
    assert found.text.startswith(f"{name} passes, and fails when one runs {how}"), found.text
    assert found.path == name.partition("::")[0]
    assert any(line.startswith(f"{ORDER}: ") for line in refusals(verdict))


def test_what_was_weak_before_is_told_and_no_more(tmp_path: Path) -> None:
    """Whoever touches a file of tests is not to blame for what was in it."""
    base = {**BASE, "test_add.py": WEAK}
    verdict = reviewed(tmp_path, base, {"test_add.py": WEAK + "\n\ndef test_more():\n    assert calc.add(2, 2) == 4\n"})

    assert verdict.passed
    (found,) = told(verdict, FLAKY)
    assert found.severity == "P3" and found.text.endswith("; so it did before this change")


def test_nothing_is_said_where_nothing_was_changed_that_could_be_tried(tmp_path: Path) -> None:
    """Words and data; and of another language only that it was not tried."""
    words = reviewed(tmp_path / "words", BASE, {"README.md": "Grades.", "calc.py": CALC + "# More to come.\n"})
    script = reviewed(tmp_path / "script", BASE, {"page.js": "console.log(1);\n"})

    assert said(words) == {}
    assert said(script) == {POWER: "not checked: only changes of Python are"}


def test_tests_that_fail_as_they_did_are_not_tried(tmp_path: Path) -> None:
    """Nobody could tell a fault that is put in from the one that is there."""
    base = {**BASE, "test_old.py": "def test_old():\n    assert 0 == 1\n"}
    verdict = reviewed(tmp_path, base, {"calc.py": CALC + GRADE})

    assert verdict.passed
    assert said(verdict) == {POWER: "not checked: the tests fail, as they did on the base"}


def test_time_that_is_over_is_over(tmp_path: Path) -> None:
    """What could not be tried is said, and nothing is made of it."""
    slow = ADD_TEST + "\n\ndef test_slow():\n    __import__('time').sleep(2)\n"
    change: Changes = {"calc.py": CALC.replace("a + b", "b + a"), "test_add.py": slow}
    verdict = reviewed(tmp_path, BASE, change, Patience(mutation_s=0.0, order_s=0.5))

    assert verdict.passed
    assert said(verdict)[MUTATION] == "not checked: 0 s are too short for one run of these tests"
    assert said(verdict)[ORDER] == "not checked: 0.5 s are too short for one run of these tests"
