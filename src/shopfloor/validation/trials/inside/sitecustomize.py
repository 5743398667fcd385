"""What a Python imports when it starts: where it was started to run unittest, unittest does as it is told.

The same as shopfloor_steering does for pytest. It does not know why.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = os.environ.get("SHOPFLOOR_STEERING", "")

if FOLDER and any("unittest" in word for word in getattr(sys, "orig_argv", sys.argv)):
    import unittest

    import shopfloor_faults

    ORDERS: dict[str, Any] = json.loads((Path(FOLDER) / "orders.json").read_text(encoding="utf-8"))
    ONLY: list[str] | None = ORDERS.get("only")

    class Told(unittest.TestSuite):
        """Tests one after the other, each known by its name while it runs, and how it ended."""

        def __iter__(self) -> Iterator[Any]:
            for test in super().__iter__():
                name = "" if isinstance(test, unittest.TestSuite) else test.id()
                os.environ["PYTEST_CURRENT_TEST"] = name
                began = time.monotonic()
                yield test
                if not ORDERS.get("faults"):
                    told("took", f"{time.monotonic() - began:.4f} {name}")

        def run(self, result: unittest.TestResult, debug: bool = False) -> unittest.TestResult:
            for _ in range(2 if ORDERS.get("how") == "twice" else 1):
                super().run(result, debug)
                vars(result).pop("_previousTestClass", None)
            return result

    def one_by_one(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
        for test in suite:
            if isinstance(test, unittest.TestSuite):
                yield from one_by_one(test)
            else:
                yield test

    def is_wanted(test: unittest.TestCase) -> bool:
        """By its own name, or by the file in which it stands."""
        file = getattr(sys.modules.get(type(test).__module__), "__file__", None) or ""
        return ONLY is None or test.id() in ONLY or os.path.relpath(file) in ONLY

    plain_run = unittest.TextTestRunner.run
    plain_stop = unittest.TestResult.stopTest

    def steered(self: unittest.TextTestRunner, test: Any) -> Any:
        tests = [one for one in one_by_one(test) if is_wanted(one)]
        if ORDERS.get("how") == "reversed":
            tests.reverse()
        if ORDERS.get("faults"):
            shopfloor_faults.try_faults(ORDERS["faults"], lambda names: passes(tests, names), told)
        self.failfast = ORDERS.get("stop", False) or self.failfast
        suite = Told(tests)
        suite._cleanup = False  # type: ignore[attr-defined]
        return plain_run(self, suite)

    def passes(tests: list[unittest.TestCase], names: set[str]) -> bool:
        result = unittest.TestResult()
        result.failfast = True
        Told(one for one in tests if one.id() in names).run(result)
        return result.wasSuccessful()

    def told(outcome: str, name: str) -> None:
        with (Path(FOLDER) / "told").open("a", encoding="utf-8") as file:
            file.write(f"{outcome} {name}\n")

    def stopped(self: unittest.TestResult, test: unittest.TestCase) -> None:
        bad = any(getattr(one, "test_case", one) is test for one, _ in (*self.failures, *self.errors))
        told("failed" if bad else "passed", test.id())
        plain_stop(self, test)

    unittest.TextTestRunner.run = steered
    unittest.TestResult.stopTest = stopped
