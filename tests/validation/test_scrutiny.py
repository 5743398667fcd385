"""Scrutiny over real clones in real sandboxes: what passes, what is refused, and what the verdict shows for it."""

import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.contract import Check, SealedChecks
from shopfloor.domain.mission import CheckOutcome, Verdict
from shopfloor.sandbox.probe import probe
from shopfloor.sandbox.protocol import Level
from shopfloor.testing.courtroom import Courtroom, open_courtroom
from shopfloor.testing.tools import works
from shopfloor.validation.scrutiny import refusals

needs_pytest = pytest.mark.skipif(not works("python3", "-c", "import pytest"), reason="python3 has no pytest here")

CALC = "def add(a, b):\n    return a + b\n"
CALC_TEST = """\
import unittest

from calc import add


class AddTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(add(1, 2), 3)
"""
DOUBLE = CALC + "\n\ndef double(x):\n    return x + x\n"
DOUBLE_TEST = """\
import unittest

from calc import double


class DoubleTest(unittest.TestCase):
    def test_doubles(self):
        self.assertEqual(double(2), 4)

    def test_doubles_text(self):
        self.assertEqual(double("a"), "aa")
"""
BASE = {"calc.py": CALC, "test_calc.py": CALC_TEST}
NAME = "VAL-CALC-001"
RUN = "python3 -m unittest test_double"
CHECK = Check(assertions=(NAME,), command=RUN, files=("test_double.py",))

Story = Callable[[Courtroom], Awaitable[None]]


@pytest.fixture(autouse=True)
def enforced() -> None:
    if probe().why_no_bubblewrap:
        pytest.skip(probe().why_no_bubblewrap)


def in_court(
    folder: Path, story: Story, files: Mapping[str, str] = BASE, *, level: Level = "bubblewrap", timeout_s: float = 60
) -> None:
    async def whole() -> None:
        async with open_courtroom(folder, files, level=level, command_timeout_s=timeout_s) as room:
            await story(room)

    anyio.run(whole)


def double_checks(room: Courtroom, *checks: Check, test: str = DOUBLE_TEST) -> SealedChecks:
    return room.sealed(checks or (CHECK,), {"test_double.py": test})


def named(verdict: Verdict, name: str) -> CheckOutcome:
    return next(check for check in verdict.checks if check.name == name)


def words(room: Courtroom, outcome: CheckOutcome) -> str:
    return room.court.desk.blobs.get(outcome.evidence[0].blob).decode()


def test_right_work_passes_with_evidence(tmp_path: Path) -> None:
    """Each check stands by itself with a transcript that can be read; the assertion passed, by someone independent."""

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit({"calc.py": DOUBLE}), double_checks(room))

        assert verdict.passed
        assert [(check.name, check.passed, check.detail) for check in verdict.checks] == [
            (f"sealed-checks: {NAME}", True, "exit code 0"),
            ("control", True, "tests that were made to fail were seen to fail"),
            ("tests", True, "exit code 0"),
            ("control", True, "tests that were made to fail were seen to fail"),
        ]
        transcript = words(room, verdict.checks[0])
        assert transcript.startswith(f"$ {RUN}\n..\n")
        assert "Ran 2 tests in" in transcript and "\n[exit code 0, " in transcript
        assert [(one.assertion, one.verdict, one.evidence) for one in verdict.judged] == [
            (NAME, "passed", verdict.checks[0].evidence)
        ]
        assert verdict.judge.independence == "enforced"
        assert refusals(verdict) == ()

    in_court(tmp_path, story)


def test_wrong_work_is_refused_with_what_was_seen(tmp_path: Path) -> None:
    """A failing sealed check fails its assertion; nobody asks for a counterproof of a failure; the rest is run too."""

    async def story(room: Courtroom) -> None:
        wrong = DOUBLE.replace("x + x", "x + 2")
        verdict = await room.judge(room.commit({"calc.py": wrong}), double_checks(room))

        assert verdict.caught_by == (f"sealed-checks: {NAME}", NAME)
        assert [check.name for check in verdict.checks] == [f"sealed-checks: {NAME}", "tests", "control"]
        assert "test_doubles_text" in words(room, verdict.checks[0])
        assert refusals(verdict) == (
            f"sealed-checks: {NAME}: {RUN} -> exit code 1",
            f"{NAME} failed: {RUN!r}: exit code 1",
        )

    in_court(tmp_path, story)


EQUALS_ALL = CALC + "\nclass Any:\n    def __eq__(self, other): return True\n\ndef double(x): return Any()\n"
READS_ANSWERS = (
    CALC
    + """
import ast, linecache, sys

def double(x):
    caller = sys._getframe(1)
    line = linecache.getline(caller.f_code.co_filename, caller.f_lineno).strip()
    return eval(compile(ast.Expression(ast.parse(line).body[0].value.args[1]), "", "eval"))
"""
)
SPARES_ONE = (
    DOUBLE.replace("x + x", "4")
    + """

import sys
_case = sys.modules["unit" + "test"].TestCase
_run = _case.run

def _spare(self, result=None):
    if self._testMethodName != "test_doubles_text":
        return _run(self, result)
    result.startTest(self)
    result.addSuccess(self)
    result.stopTest(self)

setattr(_case, "run", _spare)
"""
)


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (EQUALS_ALL, "did not fail under"),
        (READS_ANSWERS, "did not fail under"),
        (SPARES_ONE, "1 of 2 tests that were made to fail were reported as passed"),
    ],
    ids=["equals everything", "reads the answers out of the test", "lets one test pass"],
)
def test_the_counterproof_catches_what_passes_the_checks(work: str, why: str, tmp_path: Path) -> None:
    """The sealed checks passed, and are not believed: the assertion failed by the control."""

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit({"calc.py": work}), double_checks(room))

        assert named(verdict, f"sealed-checks: {NAME}").passed
        assert {"control", NAME} <= set(verdict.caught_by)
        assert why in named(verdict, "control").detail
        assert "proves nothing" in verdict.judged[0].reason
        assert words(room, named(verdict, "control")).startswith(f"$ {RUN}\n")

    in_court(tmp_path, story)


@needs_pytest
def test_checks_that_are_picked_by_name_are_believed(tmp_path: Path) -> None:
    """A command may select a class, a test, or run under pytest: honest work passes by each."""

    async def story(room: Courtroom) -> None:
        commands = (
            "python3 -m unittest test_double.DoubleTest",
            "python3 -m unittest test_double.DoubleTest.test_doubles",
            "python3 -m unittest -v test_double.DoubleTest",
            "python3 -m unittest -k text test_double",
            "python3 -m pytest -q test_double.py -k 'doubles and not text'",
        )
        checks = [Check(assertions=(NAME,), command=command, files=("test_double.py",)) for command in commands]
        another = "\n\nclass OtherTest(unittest.TestCase):\n    def test_nothing(self):\n        pass\n"
        sealed = double_checks(room, *checks, test=DOUBLE_TEST + another)
        verdict = await room.judge(room.commit({"calc.py": DOUBLE}), sealed)

        assert verdict.passed, refusals(verdict)
        assert named(verdict, "control").detail == "tests that were made to fail were seen to fail"

    in_court(tmp_path, story)


def test_checks_that_nobody_can_make_fail_are_taken_as_they_are(tmp_path: Path) -> None:
    """A check in a language without known twins passes, and the verdict says that there was no control."""

    async def story(room: Courtroom) -> None:
        check = Check(assertions=(NAME,), command="sh check.sh", files=("check.sh",))
        sealed = room.sealed((check,), {"check.sh": "python3 -c 'from calc import double; assert double(2) == 4'\n"})
        verdict = await room.judge(room.commit({"calc.py": DOUBLE}), sealed)

        assert verdict.passed
        assert named(verdict, "control").detail == "not checked: no known way to make these tests fail"

    in_court(tmp_path, story)


def test_the_base_judges_with_its_own_tests(tmp_path: Path) -> None:
    """A change that breaks old behaviour and weakens the test of it is judged by the test as it was."""

    async def story(room: Courtroom) -> None:
        broken = DOUBLE.replace("return a + b", "return a - b")
        weaker = CALC_TEST.replace("self.assertEqual(add(1, 2), 3)", "self.assertTrue(add)")
        verdict = await room.judge(room.commit({"calc.py": broken, "test_calc.py": weaker}), double_checks(room))

        assert verdict.caught_by == ("tests", "tests-weakened")
        assert (
            named(verdict, "tests").detail == "exit code 1; the base's version of test_calc.py judges, not the change's"
        )
        assert "test_adds" in words(room, named(verdict, "tests"))
        assert verdict.judged[0].verdict == "passed"

    in_court(tmp_path, story)


def test_what_failed_before_refuses_nobody(tmp_path: Path) -> None:
    """The repository's own tests failed on the base: they are run and shown, and refuse no one."""

    async def story(room: Courtroom) -> None:
        commit = room.commit({"calc.py": DOUBLE})
        lenient = await room.judge(commit, double_checks(room), failing_on_base=("tests",))
        strict = await room.judge(commit, double_checks(room))

        assert lenient.passed
        assert named(lenient, "tests").detail == "exit code 1; it failed on the base too"
        assert strict.caught_by == ("tests",)

    in_court(tmp_path, story, {**BASE, "test_old.py": CALC_TEST.replace("3)", "4)")})


def test_success_without_a_test_is_no_success(tmp_path: Path) -> None:
    """A check that ran no test, or skipped them all, proves nothing though it exits 0."""

    async def story(room: Courtroom) -> None:
        empty = await room.judge(room.commit({"calc.py": DOUBLE}), double_checks(room, test="import unittest\n"))
        skips = DOUBLE.replace("return x + x", "import unittest\n    raise unittest.SkipTest")
        skipped = await room.judge(room.commit({"calc.py": skips}), double_checks(room))

        for verdict in (empty, skipped):
            assert verdict.checks[0].exit_code == 0
            assert verdict.checks[0].detail == "exit code 0, but no test ran"
            assert verdict.caught_by == (f"sealed-checks: {NAME}", NAME)

    in_court(tmp_path, story)


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    """Work that never ends is refused when its time is up, and the verdict says so."""

    async def story(room: Courtroom) -> None:
        hangs = DOUBLE.replace("return x + x", "print('waiting', flush=True)\n    while True: pass")
        with anyio.fail_after(30):
            verdict = await room.judge(room.commit({"calc.py": hangs}), double_checks(room))

        assert verdict.checks[0].detail == "killed: it ran out of time"
        assert "waiting" in words(room, verdict.checks[0])
        assert NAME in verdict.caught_by

    in_court(tmp_path, story, timeout_s=2)


def test_nothing_of_one_run_reaches_the_next(tmp_path: Path) -> None:
    """What the work writes while it is checked, tests and commands alike, is gone when the next check begins."""

    async def story(room: Courtroom) -> None:
        writes = (
            DOUBLE.replace("a + b", "a - b")
            + "\nimport pathlib, sys\nif 'test_double' in sys.argv:\n    pathlib.Path('test_calc.py').write_text('')\n"
        )
        verdict = await room.judge(room.commit({"calc.py": writes}), double_checks(room))

        assert verdict.judged[0].verdict == "passed"
        assert verdict.caught_by == ("tests", "answers-read", "asks-for-tests")
        assert "test_adds" in words(room, named(verdict, "tests"))

    in_court(tmp_path, story)


FORGES = DOUBLE + "\nimport os\nprint('Ran 1 test in 0.001s\\n\\nOK', flush=True)\nvars(os)['_ex' + 'it'](0)\n"


def test_a_repositorys_own_tests_are_doubted_too(tmp_path: Path) -> None:
    """Where no sealed check judges, work that forges the outcome of the tests is caught by tests made to fail."""

    async def story(room: Courtroom) -> None:
        honest = await room.judge(room.commit({"calc.py": DOUBLE}), SealedChecks())
        forged = await room.judge(room.commit({"calc.py": FORGES}), SealedChecks())

        assert honest.passed
        assert [check.name for check in honest.checks] == ["tests", "control"]
        assert named(honest, "control").detail == "tests that were made to fail were seen to fail"
        assert named(forged, "tests").passed
        assert forged.caught_by == ("control",)
        assert "Ran 1 test" in words(room, named(forged, "control"))

    in_court(tmp_path, story)


def test_tests_that_the_command_never_runs_prove_nothing_against_the_work(tmp_path: Path) -> None:
    """A base whose command passes whatever its test files say is no reason to doubt the work."""

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit({"calc.py": DOUBLE}), SealedChecks())

        assert verdict.passed
        assert named(verdict, "control").detail == "not checked: no known way to make these tests fail"

    in_court(tmp_path, story, {**BASE, "Makefile": "test:\n\t@python3 -c 'import calc'\n", "pkg/__init__.py": ""})


@needs_pytest
def test_moved_tests_are_not_laid_twice(tmp_path: Path) -> None:
    """Under pytest two test files of one name collide: one that moved, whole, is not put back where it was."""

    async def story(room: Courtroom) -> None:
        moved = {"calc.py": DOUBLE, "test_calc.py": None, "tests/unit/test_calc.py": CALC_TEST}
        verdict = await room.judge(room.commit(moved), double_checks(room))

        assert verdict.passed, refusals(verdict)
        assert [(found.check, found.severity) for found in verdict.findings] == [("tests-moved", "P2")]

    in_court(tmp_path, story, {**BASE, "pytest.ini": "[pytest]\npythonpath = .\n"})


def test_a_symlink_in_place_of_a_test_gives_way(tmp_path: Path) -> None:
    """A test that became a link to nowhere is named, and the base's own is a real file again when it is run."""

    async def story(room: Courtroom) -> None:
        (room.repository / "test_calc.py").unlink()
        (room.repository / "test_calc.py").symlink_to("/dev/null")
        commit = room.commit({"calc.py": DOUBLE.replace("a + b", "a - b")}, keep=True)
        verdict = await room.judge(commit, double_checks(room))

        assert set(verdict.caught_by) == {"tests", "tests-weakened"}

    in_court(tmp_path, story)


def test_without_a_sandbox_the_verdict_says_so(tmp_path: Path) -> None:
    """Judging as a plain process works, and claims no independence."""

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit({"calc.py": DOUBLE}), double_checks(room))

        assert verdict.passed
        assert verdict.judge.independence == "not enforced: no sandbox"

    in_court(tmp_path, story, level="none")


JS_CHECK = Check(assertions=(NAME,), command="node --test double.test.mjs", files=("double.test.mjs",))
JS_TEST = """\
import { test } from "node:test";
import assert from "node:assert";
import { double } from "./double.mjs";

test("doubles", () => assert.equal(double(2), 4));
"""
JS_RIGHT = "export const double = (x) => x + x;\n"
JS_LEAVES = "export const double = (x) => process.exit(0);\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_scripts_are_doubted_too(tmp_path: Path) -> None:
    """Under Node, right work passes and work that leaves at its first call is caught by the control."""

    async def story(room: Courtroom) -> None:
        sealed = room.sealed((JS_CHECK,), {"double.test.mjs": JS_TEST})
        right = await room.judge(room.commit({"double.mjs": JS_RIGHT}), sealed)
        leaves = await room.judge(room.commit({"double.mjs": JS_LEAVES}), sealed)

        assert right.passed, refusals(right)
        assert named(right, "control").detail == "tests that were made to fail were seen to fail"
        assert leaves.caught_by == ("control", NAME)

    in_court(tmp_path, story)


RUST_CHECK = Check(assertions=(NAME,), command="cargo test --offline --test double", files=("tests/double.rs",))
RUST_BASE = {
    "Cargo.toml": '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": "",
    "services.toml": '[commands]\ntest = ""\ntypes = ""\nbuild = ""\n',
}
RUST_TEST = "#[test]\nfn doubles() {\n    assert_eq!(calc::double(2), 4);\n}\n"
RUST_RIGHT = "pub fn double(x: i32) -> i32 {\n    x + x\n}\n"
RUST_LEAVES = "pub fn double(_: i32) -> i32 {\n    std::process::exit(0)\n}\n"


@pytest.mark.long
@pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo here")
def test_rust_is_doubted_too(tmp_path: Path) -> None:
    """Under cargo, right work passes and work that leaves at its first call is caught: no test ran to its end."""

    async def story(room: Courtroom) -> None:
        sealed = room.sealed((RUST_CHECK,), {"tests/double.rs": RUST_TEST})
        right = await room.judge(room.commit({"src/lib.rs": RUST_RIGHT}), sealed)
        leaves = await room.judge(room.commit({"src/lib.rs": RUST_LEAVES}), sealed)

        assert right.passed, refusals(right)
        assert named(right, "control").detail == "tests that were made to fail were seen to fail"
        assert leaves.caught_by == (f"sealed-checks: {NAME}", NAME)

    in_court(tmp_path, story, RUST_BASE)


def test_what_tests_look_at_is_left_alone(tmp_path: Path) -> None:
    """A check may bring Python that nobody runs, to be read by the work: it has no twins."""

    async def story(room: Courtroom) -> None:
        sample = "def test_sample():\n    assert 1 == 1\n"
        work = "def count(path):\n    return len(open(path).read().split())\n"
        test = (
            "import unittest\nfrom calc import count\n\n\nclass CountTest(unittest.TestCase):\n"
            '    def test_counts(self):\n        self.assertEqual(count("data/sample.py"), 6)\n'
        )
        check = Check(assertions=(NAME,), command="python3 -m unittest test_count", files=("test_count.py",))
        sealed = room.sealed((check,), {"test_count.py": test, "data/sample.py": sample})
        verdict = await room.judge(room.commit({"calc.py": CALC + work}), sealed)

        assert verdict.passed, refusals(verdict)
        assert named(verdict, "control").detail == "tests that were made to fail were seen to fail"

    in_court(tmp_path, story)


# --- found by strangers -----------------------------------------------------------------------------------------

SUITE = {"calc.py": CALC, "tests/__init__.py": "", "tests/test_calc.py": CALC_TEST, "tests/test_other.py": CALC_TEST}
WRONG = CALC.replace("a + b", "a - b")
OUT_OF_SIGHT = {"tests/test_calc.py": None, "tests/calc_cases.py": CALC_TEST}


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        ({**OUT_OF_SIGHT, "calc.py": WRONG, "tests/test_other.py": None}, ("tests", "tests-deleted")),
        (OUT_OF_SIGHT, ("tests as they land", "tests-deleted", "tests-moved")),
        ({"tests/test_calc.py": None, "tests/unit/__init__.py": "", "tests/unit/test_calc.py": CALC_TEST}, ()),
    ],
    ids=["hides a regression", "out of the runner's sight", "into a folder that is run"],
)
def test_moved_tests_are_run_where_they_stood_and_where_they_stand(
    change: dict[str, str | None], caught: tuple[str, ...], tmp_path: Path
) -> None:
    """The base's layout of tests must pass, and what the new layout no longer runs has been taken away."""

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit(change), SealedChecks())

        assert set(verdict.caught_by) == set(caught), refusals(verdict)

    in_court(tmp_path, story, SUITE)


@pytest.mark.parametrize(
    "body",
    ["    import os\n    os.kill(os.getpid(), 11)\n", "    while True:\n        pass\n", "    return a - b\n"],
    ids=["dies", "hangs", "is wrong"],
)
def test_a_failure_on_the_base_excuses_nothing_else(body: str, tmp_path: Path) -> None:
    """One test failed before anybody came; a run that ends before it can name another one is no such failure."""
    known = CALC_TEST + "\n    def test_what_never_worked(self):\n        self.assertEqual(1, 2)\n"

    async def story(room: Courtroom) -> None:
        honest = await room.judge(room.commit({"calc.py": DOUBLE}), SealedChecks(), failing_on_base=("tests",))
        broken = room.commit({"calc.py": f"def add(a, b):\n{body}"})
        verdict = await room.judge(broken, SealedChecks(), failing_on_base=("tests",))

        assert honest.passed, refusals(honest)
        assert verdict.caught_by == ("tests",)

    in_court(tmp_path, story, {"calc.py": CALC, "test_calc.py": known}, timeout_s=5)


@pytest.mark.parametrize("sealed", [True, False], ids=["with sealed checks", "without"])
@pytest.mark.parametrize(
    "change",
    [
        {"Makefile": "test:\n\t@echo '1 passed'\n", "calc.py": DOUBLE.replace("a + b", "a - b")},
        {
            "calc.py": "import os, sys\nif 'test_calc' in sys.argv:\n    os._exit(0)\n"
            + DOUBLE.replace("a + b", "a - b")
        },
    ],
    ids=["another test target", "leaves when its own tests run"],
)
def test_the_repositorys_own_tests_are_controlled_too(
    change: dict[str, str | None], sealed: bool, tmp_path: Path
) -> None:
    """Sealed checks prove the new; whether the old still holds is for tests whose success means something."""
    files = {
        **BASE,
        "Makefile": "test:\n\tpython3 -m unittest test_calc\n",
        "services.toml": '[commands]\ntest = "make test"\n',
    }

    async def story(room: Courtroom) -> None:
        checks = double_checks(room) if sealed else SealedChecks()
        verdict = await room.judge(room.commit(change), checks)

        assert {"tests", "control"} & set(verdict.caught_by), refusals(verdict)

    in_court(tmp_path, story, files)


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        (
            {"tests/test_calc.py": CALC_TEST.replace("), 3)", "), 3)\n        self.assertEqual(add(1, 1), 3)")},
            "tests as they land",
        ),
        ({"tests/test_calc.py": "", "tests/attic.py": CALC_TEST}, "tests-moved"),
        ({"tests/test_calc.py": None, "tests/helpers.py": "HELP = 1\n" + CALC_TEST}, "tests-moved"),
    ],
    ids=["fails as it lands", "out of a kept file", "into a file that nobody runs"],
)
def test_what_lands_is_run_as_it_lands(change: dict[str, str | None], caught: str, tmp_path: Path) -> None:
    """The base's tests say that nothing broke; the change's own versions of them must pass, and still be run."""
    files = {**SUITE, "tests/helpers.py": "HELP = 1\n", "tests/test_other.py": "import unittest\n"}

    async def story(room: Courtroom) -> None:
        assert caught in (await room.judge(room.commit(change), SealedChecks())).caught_by

    in_court(tmp_path, story, files)


def test_a_forged_failure_excuses_nothing(tmp_path: Path) -> None:
    """Work that prints what failed on the base, and leaves, would be no worse by its own words."""
    known = CALC_TEST + "\n    def test_what_never_worked(self):\n        self.assertEqual(1, 2)\n"
    name = "test_what_never_worked"
    words = f"FAIL: {name} (test_calc.AddTest.{name})\\nRan 2 tests in 0.1s\\n\\nFAILED (failures=1)"
    forged = f"import os\n\n\ndef add(a, b):\n    print('{words}', flush=True)\n    os._exit(1)\n"

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit({"calc.py": forged}), SealedChecks(), failing_on_base=("tests",))

        assert verdict.caught_by == ("control", "early-exit")
        assert "made to fail were reported as passed" in refusals(verdict)[0]

    in_court(tmp_path, story, {"calc.py": CALC, "test_calc.py": known})


def test_where_nothing_passed_nothing_can_get_worse(tmp_path: Path) -> None:
    """A repository whose only test fails before anybody came: honest work is not refused for it."""
    failing = CALC_TEST.replace("add(1, 2), 3", "add(1, 2), 4")

    async def story(room: Courtroom) -> None:
        verdict = await room.judge(room.commit({"calc.py": DOUBLE}), double_checks(room), failing_on_base=("tests",))

        assert verdict.passed, refusals(verdict)

    in_court(tmp_path, story, {"calc.py": CALC, "test_calc.py": failing})
