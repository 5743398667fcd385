"""A small library and the script of a mission that adds a function to it."""

from pathlib import Path

import pytest

from shopfloor.models.scripted import ScriptedModel
from shopfloor.testing.workshop import Workshop, call, make_repository, plan

CALC = "def add(a, b):\n    return a + b\n"
CALC_TEST = """\
import unittest

from calc import add


class AddTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(add(1, 2), 3)
"""
SUBTRACT_CHECK = """\
import unittest

import calc


class SubtractTest(unittest.TestCase):
    def test_subtracts(self):
        self.assertEqual(calc.subtract(5, 3), 2)
        self.assertEqual(calc.subtract(3, 5), -2)
"""
CHECK_COMMAND = "python3 -m unittest test_subtract -v"
PLAN = plan(
    "Subtraction",
    [
        {
            "id": "VAL-CALC-001",
            "title": "subtract takes away",
            "behaviour": "When subtract(5, 3) is called, then it returns 2; subtract(3, 5) returns -2.",
            "surface": "library",
        }
    ],
    [
        {
            "id": "subtract",
            "title": "Subtract numbers",
            "description": "calc.py gets subtract(a, b).",
            "claims": ["VAL-CALC-001"],
        }
    ],
)
CHECKS = (
    call("write", path="test_subtract.py", content=SUBTRACT_CHECK),
    call(
        "submit_checks",
        checks=[{"assertions": ["VAL-CALC-001"], "command": CHECK_COMMAND, "files": ["test_subtract.py"]}],
    ),
)
GOOD = CALC + "\n\ndef subtract(a, b):\n    return a - b\n"
BUILD = (
    call("write", path="calc.py", content=GOOD),
    call("shell", command=CHECK_COMMAND),
    call(
        "hand_off",
        summary="subtract is there",
        done="calc.subtract",
        commands=[{"command": CHECK_COMMAND, "exit_code": 0}],
    ),
)
REVIEW = (call("submit_review", findings=[]),)
SCRIPT = {("orchestrator",): (PLAN,), ("test-writer",): CHECKS, ("worker",): BUILD, ("reviewer",): REVIEW}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """The small library, with a model that plays the mission by the script."""
    repository = make_repository(tmp_path / "repo", {"calc.py": CALC, "test_calc.py": CALC_TEST})
    return Workshop(repository=repository, state=tmp_path / "state", model=ScriptedModel(SCRIPT))
