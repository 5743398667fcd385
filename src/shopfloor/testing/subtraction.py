"""A story to test factories with: a small library gets a function, with a plan, sealed checks, a worker, a reviewer.

It does not know which factory plays it, nor on what level.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from shopfloor.models.script import Address, Answer
from shopfloor.models.scripted import ScriptedModel
from shopfloor.settings import Settings
from shopfloor.testing.workshop import Workshop, call, calls, make_repository, plan

Script: TypeAlias = Mapping[Address, Sequence[Answer | str]]

BRIEF = "Add subtraction to the calculator"
MISSION = "add-subtraction-calculator-1"
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
GOOD = CALC + "\n\ndef subtract(a, b):\n    return a - b\n"
WRONG = CALC + "\n\ndef subtract(a, b):\n    return 2\n"
FILES = {"calc.py": CALC, "test_calc.py": CALC_TEST}
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
REVIEW = (call("submit_review", findings=[]),)


def build(calc: str, exit_code: int) -> tuple[Answer, ...]:
    """A worker who writes the library, runs the check, and says honestly how it ended."""
    return (
        call("write", path="calc.py", content=calc),
        call("shell", command=CHECK_COMMAND),
        call(
            "hand_off",
            summary="subtract is there",
            done="calc.subtract",
            commands=[{"command": CHECK_COMMAND, "exit_code": exit_code}],
        ),
    )


BUILD = build(GOOD, 0)
SCRIPT: Script = {("orchestrator",): (PLAN,), ("test-writer",): CHECKS, ("worker",): BUILD, ("reviewer",): REVIEW}
SCRIPT_WITH_FIX: Script = {**SCRIPT, ("worker", "subtract"): build(WRONG, 1), ("worker", "fix-subtract-1"): BUILD}
"""The first attempt is refused by the sealed checks, and a fix feature mends it."""
ALONE: Script = {
    ("solo",): (
        calls(
            call("write", path="calc.py", content=GOOD), call("write", path="test_subtract.py", content=SUBTRACT_CHECK)
        ),
        call("shell", command="python3 -m unittest"),
        "calc.py has subtract(a, b) now; the tests pass.",
    )
}
"""One agent does it without a plan."""


def subtraction(folder: Path, script: Script = SCRIPT, settings: Settings = Settings()) -> Workshop:  # noqa: B008
    """A fresh workshop in a folder, with the small library and a model that plays by the script."""
    repository = make_repository(folder / "repo", FILES)
    return Workshop(repository=repository, state=folder / "state", model=ScriptedModel(script), settings=settings)
