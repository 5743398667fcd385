"""Whether tests ran at all, as the common runners tell it."""

import pytest

from shopfloor.validation.trials import testrun

UNITTEST = "python3 -m unittest discover"


@pytest.mark.parametrize(
    ("command", "output", "ran"),
    [
        (UNITTEST, "...\n-----\nRan 3 tests in 0.001s\n\nOK\n", True),
        (UNITTEST, "F\n-----\nRan 1 test in 0.001s\n\nFAILED (failures=1)\n", True),
        (UNITTEST, "Ran 3 tests in 0.001s\n\nOK (skipped=2)\n", True),
        (UNITTEST, "sss\n-----\nRan 3 tests in 0.001s\n\nOK (skipped=3)\n", False),
        (UNITTEST, "-----\nRan 0 tests in 0.000s\n\nOK\n", False),
        (UNITTEST, "-----\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n", False),
        (UNITTEST, "", False),
        ("python3 -m pytest -q", "..\n2 passed in 0.01s\n", True),
        ("python3 -m pytest", "===== 1 failed, 2 passed, 1 skipped in 0.12s =====\n", True),
        ("pytest", "ss\n2 skipped in 0.01s\n", False),
        ("pytest", "no tests ran in 0.00s\n", False),
        ("pytest", "collected 0 items\n", False),
        ("pytest --color=yes", "\x1b[32m\x1b[32m\x1b[1m4 passed\x1b[0m\x1b[32m in 0.1s\x1b[0m\n", True),
        ("npx jest", "Test Suites: 1 passed, 1 total\nTests:       5 passed, 5 total\n", True),
        ("npx jest", "No tests found, exiting with code 0\n", False),
        ("npx vitest run", " Test Files  1 passed (1)\n      Tests  5 passed (5)\n", True),
        ("npx vitest run", "No test files found, exiting with code 0\n", False),
        ("npm test", "\n  5 passing (12ms)\n", True),
        ("npm run test", "\n  0 passing (1ms)\n", False),
        ("node --test", "# tests 2\n# pass 2\n# fail 0\n", True),
        ("node --test", "ℹ tests 2\nℹ pass 2\nℹ fail 0\n", True),
        ("node --test", "# tests 0\n# pass 0\n# fail 0\n", False),
        ("go test ./...", "ok  \texample.org/add\t0.003s\n", True),
        ("go test ./...", "ok  \texample.org/add\t(cached)\n", True),
        ("go test ./...", "?   \texample.org/add\t[no test files]\n", False),
        ("go test -run Nothing ./...", "ok  \texample.org/add\t0.003s [no tests to run]\n", False),
        ("cargo test", "test result: ok. 3 passed; 0 failed; 0 ignored\n", True),
        ("cargo test", "test result: ok. 0 passed; 0 failed; 2 ignored\n", False),
        ("mvn test", "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0\n", True),
        ("sh check.sh", "all is well\n", None),
        ("make check", "ruff: fine\n", None),
        ("sh tap.sh", "1..1\nok 1 - it adds\n", True),
    ],
)
def test_what_a_run_says(command: str, output: str, ran: bool | None) -> None:
    """True when a test ran, False when none did or all were skipped, None when nobody can tell."""
    assert testrun.tests_ran(command, output) is ran


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        ("FAILED test_a.py::x\n1 failed, 3 passed in 1s", "FAILED test_a.py::x\n1 failed, 4 passed in 1s", ""),
        ("FAILED test_a.py::x\n1 failed, 3 passed in 1s", "FAILED test_a.py::y\n1 failed, 3 passed in 1s", "but not"),
        ("FAILED test_a.py::x\n1 failed, 3 passed in 1s", "FAILED test_a.py::x\n1 failed in 1s", "and now none"),
        ("FAILED test_a.py::x\n1 failed, 3 passed in 1s", "1 failed, 2 passed in 1s", "3 tests passed, and now 2"),
        ("FAILED test_a.py::x\n1 failed, 3 passed in 1s", "Segmentation fault", "and now none"),
        ("  ● sums › adds\nTests: 1 failed, 3 passed", "  ● sums › adds\nTests: 1 failed, 3 passed", ""),
        ("  ● sums › adds\nTests: 1 failed, 3 passed", "  ● sums › takes\nTests: 1 failed, 3 passed", "but not sums ›"),
        ("--- FAIL: TestA\nok  a/b 0.1s\nok  a/c 0.1s", "--- FAIL: TestA\nok  a/b 0.1s", "2 tests passed, and now 1"),
        ("--- FAIL: TestA\n", "--- FAIL: TestA\n", ""),
        ("  3 passing\n  1 failing\n  1) adds", "  3 passing\n  1 failing\n  1) takes", "does not show"),
        ("FAILED t.py::a[x y]\n1 failed, 1 passed in 1s", "FAILED t.py::a[x z]\n1 failed, 1 passed in 1s", "but not"),
        ("FAILED t.py::a - x\n1 failed, 1 passed in 1s", "FAILED t.py::a - y\n1 failed, 1 passed in 1s", ""),
        ("FAILED t.py::a\n1 failed, 9 passed in 1s", "FAILED t.py::a\n3 failed, 9 passed in 1s", "does not show"),
        ("oh no", "oh no", "does not show"),
    ],
)
def test_whether_a_failing_run_got_worse(before: str, now: str, why: str) -> None:
    """A run that was cut short, or that nobody can read, is never taken for one that is no worse."""
    worse = testrun.got_worse(before, now)
    assert why in worse and bool(worse) == bool(why)


@pytest.mark.parametrize(
    ("output", "passed", "failed", "skipped"),
    [
        ("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n", 2, 2, 1),
        ("Ran 2 tests in 0.1s\n\nOK\n\nRan 3 tests in 0.1s\n\nOK (skipped=1)\n", 4, 0, 1),
        ("Ran 2 tests in 0.1s\n\nFAILED (failures=6)\n", 0, 2, 0),
        ("==== 1 failed, 17 passed, 1 skipped in 0.12s ====\n", 17, 1, 1),
        ("17 passed, 5 subtests passed in 0.12s\n", 17, 0, 0),
        ("3 failed said the program\n1 failed, 2 passed in 0.1s\n", 2, 1, 0),
        ("1 error in 0.12s\n", 0, 1, 0),
        ("Tests: 1 failed, 5 passed, 6 total\n", 5, 1, 0),
        ("# pass 2\n# fail 1\n# skipped 3\n", 2, 1, 3),
        ("[INFO] Tests run: 4, Failures: 1, Errors: 0, Skipped: 1\n", 2, 1, 1),
        ("PASSED t.py::a\nPASSED t.py::b[x - y]\n", 2, None, None),
        ("all is well", None, None, None),
    ],
)
def test_how_many_passed(output: str, passed: int | None, failed: int | None, skipped: int | None) -> None:
    """The numbers that a runner gives at its end, whatever the tests print before."""
    said = testrun.outcomes(output)
    assert (said.passed, said.failed, said.skipped) == (passed, failed, skipped)


def test_tests_are_named_whole() -> None:
    """A parameter may hold what else ends a name, and a sub-test has its own."""
    by_pytest = testrun.outcomes("PASSED t.py::a[x - y]\nFAILED t.py::b[p - q] - assert 1 == 2\nERROR t.py - no\n")
    by_unittest = testrun.outcomes("FAIL: test_a (t.T.test_a) (i=2)\nFAIL: test_a (t.T.test_a) (i=3)\n")

    assert by_pytest.names_passed == ("t.py::a[x - y]",)
    assert by_pytest.names_failed == ("t.py::b[p - q]", "t.py")
    assert by_unittest.names_failed == ("test_a (t.T.test_a) (i=2)", "test_a (t.T.test_a) (i=3)")


def test_what_is_left_out_is_named_or_counted() -> None:
    """Passing is not enough: what passed on the base must have run. What a test is run with may differ."""
    before = testrun.outcomes("PASSED t.py::a[0x1]\nPASSED t.py::b\n2 passed in 1s\n")

    assert testrun.left_out(before, testrun.outcomes("PASSED t.py::a[0x2]\nPASSED t.py::b\n2 passed in 1s\n")) == ""
    assert "t.py::b" in testrun.left_out(before, testrun.outcomes("PASSED t.py::a[0x2]\n1 passed in 1s\n"))
    assert "here 1" in testrun.left_out(testrun.outcomes("Ran 2 tests in 1s\nOK"), testrun.outcomes("Ran 1 test in 1s"))


def test_a_flood_of_empty_lines_is_read_in_no_time() -> None:
    """What a program prints costs the judge no more than its length: each of these took hours."""
    assert testrun.tests_ran("make check", "\n" * 200_000) is None
    assert testrun.failing_tests(" \n" * 200_000) == frozenset()
