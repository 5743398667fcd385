"""What changes did to the measuring: every cheat is named, and no honest change is refused."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.moves import moved
from shopfloor.validation.findings.tamper import findings

TEST = """\
import unittest

import calc


class AddTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(calc.add(1, 2), 3)
        self.assertEqual(calc.add(2, 2), 4)

    def test_refuses(self):
        with self.assertRaises(TypeError):
            calc.add(None, 1)


def check(value):
    assert value > 0
"""
PLAIN = """\
import pytest

from calc import add


@pytest.mark.parametrize("a, b, total", [(1, 2, 3), (2, 2, 4)])
def test_adds(a, b, total):
    assert add(a, b) == total
"""
SCRIPT = """\
import { add } from "./add"

describe("add", () => {
  it("adds", () => {
    expect(add(1, 2)).toBe(3)
    expect(add(2, 2)).toBe(4)
  })

  it("refuses", () => {
    expect(() => add(null, 1)).toThrow(TypeError)
  })
})
"""
GO = """\
package add

import "testing"

func TestAdds(t *testing.T) {
\tgot := Add(1, 2)
\tif got != 3 {
\t\tt.Errorf("got %d", got)
\t}
}

func TestTable(t *testing.T) {
\tfor _, c := range []struct{ a, b, want int }{
\t\t{1, 2, 3},
\t} {
\t\tif got := Add(c.a, c.b); got != c.want {
\t\t\tt.Fatal(got)
\t\t}
\t}
}
"""
RUST = """\
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }

    #[test]
    fn adds_more() {
        assert!(add(2, 2) > 3);
    }
}
"""
JAVA = """\
import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;

class AddTest {
    @Test
    void adds() {
        assertEquals(3, Add.add(1, 2));
    }

    @Test
    void refuses() {
        assertThrows(IllegalArgumentException.class, () -> Add.add(null, 1));
    }
}
"""
RUBY = "class AddTest < Minitest::Test\n  def test_adds\n    assert_equal 3, add(1, 2)\n  end\nend\n"
SETUP = "[project]\nname = 'calc'\ndependencies = []\n\n[tool.pytest.ini_options]\naddopts = '-q'\n"
MAKE = "test:\n\tpython3 -m unittest\n"


def refused(*changes: Change, supersedes: tuple[str, ...] = ()) -> set[str]:
    return {finding.check for finding in findings(changes, supersedes) if finding.refuses}


def changed(path: str, before: str | None, after: str | None) -> Change:
    return Change(path=path, before=before, after=after)


def edited(path: str, before: str, old: str, new: str) -> Change:
    assert old in before
    return changed(path, before, before.replace(old, new))


# --- cheats -----------------------------------------------------------------------------------------------------

CHEATS = {
    "deletes the file": ("tests-deleted", changed("test_calc.py", TEST, None)),
    "deletes a test": (
        "tests-deleted",
        edited("test_calc.py", TEST, TEST[TEST.index("    def test_r") : TEST.index("\n\ndef check")], ""),
    ),
    "renames a test away": ("tests-deleted", edited("test_calc.py", TEST, "def test_adds", "def adds")),
    "makes it unreadable": ("tests-weakened", edited("test_calc.py", TEST, "class AddTest(", "class AddTest((")),
    "changes a value": ("expectations-changed", edited("test_calc.py", TEST, ", 2), 3)", ", 2), 4)")),
    "removes an assertion": (
        "tests-weakened",
        edited("test_calc.py", TEST, "        self.assertEqual(calc.add(2, 2), 4)\n", ""),
    ),
    "asserts what is always so": (
        "tests-weakened",
        edited("test_calc.py", TEST, "self.assertEqual(calc.add(1, 2), 3)", "self.assertTrue(True)"),
    ),
    "empties a with": ("tests-weakened", edited("test_calc.py", TEST, "calc.add(None, 1)", "raise TypeError")),
    "asserts under a condition that never holds": (
        "tests-weakened",
        edited(
            "test_calc.py",
            TEST,
            "        self.assertEqual(calc.add(2",
            "        if 0:\n            self.assertEqual(calc.add(2",
        ),
    ),
    "returns first": ("tests-weakened", edited("test_calc.py", TEST, "adds(self):\n", "adds(self):\n        return\n")),
    "swallows failures": (
        "tests-weakened",
        edited(
            "test_calc.py",
            TEST,
            "        self.assertEqual(calc.add(2, 2), 4)\n",
            "        try:\n            self.assertEqual(calc.add(2, 2), 4)\n        except E:\n            pass\n",
        ),
    ),
    "weakens a helper": ("tests-weakened", edited("test_calc.py", TEST, "assert value > 0", "pass")),
    "hides a test behind one of its name": (
        "tests-weakened",
        changed(
            "test_calc.py",
            TEST,
            TEST.replace("\n\ndef check", "\n    def test_adds(self):\n        pass\n\n\ndef check"),
        ),
    ),
    "drops a parameter": ("tests-weakened", edited("test_calc.py", PLAIN, ", (2, 2, 4)]", "]")),
    "skips by decorator": (
        "tests-skipped",
        edited("test_calc.py", TEST, "    def test_adds", '    @unittest.skip("later")\n    def test_adds'),
    ),
    "skips in setUp": (
        "tests-skipped",
        edited(
            "test_calc.py",
            TEST,
            "    def test_adds",
            "    def setUp(self):\n        self.skipTest('x')\n\n    def test_adds",
        ),
    ),
    "expects to fail": (
        "tests-skipped",
        edited("test_calc.py", TEST, "    def test_adds", "    @unittest.expectedFailure\n    def test_adds"),
    ),
    "skips by module mark": (
        "tests-skipped",
        edited("test_calc.py", PLAIN, "@pytest", "pytestmark = pytest.mark.skip\n\n\n@pytest"),
    ),
    "skips by SkipTest": ("tests-skipped", edited("test_calc.py", TEST, "import calc\n", "raise unittest.SkipTest\n")),
    "loads no tests": (
        "tests-skipped",
        changed(
            "test_calc.py",
            TEST,
            f"{TEST}\n\ndef load_tests(loader, tests, pattern):\n    return unittest.TestSuite()\n",
        ),
    ),
    "is no test": (
        "tests-skipped",
        edited("test_calc.py", TEST, "    def test_adds", "    __test__ = False\n\n    def test_adds"),
    ),
    "patches in a test": (
        "test-runner-patched",
        changed("tests/test_new.py", None, "import unittest\n\nunittest.TestCase.run = lambda self, result: None\n"),
    ),
    "hook in conftest": (
        "test-runner-patched",
        changed("conftest.py", None, "def pytest_runtest_makereport(item, call):\n    item.rep.outcome = 'passed'\n"),
    ),
    "skips in conftest": (
        "test-runner-patched",
        changed("conftest.py", None, "import pytest\n\n\ndef pytest_runtest_setup(item):\n    pytest.skip('x')\n"),
    ),
    "skips by autouse": (
        "test-runner-patched",
        changed("conftest.py", None, "@pytest.fixture(autouse=True)\ndef x():\n    pytest.skip('x')\n"),
    ),
    "empties the list": (
        "test-runner-patched",
        changed("conftest.py", None, "def pytest_collection_modifyitems(items):\n    items[:] = []\n"),
    ),
    "sets the exit status": (
        "test-runner-patched",
        changed("conftest.py", "", "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"),
    ),
    "deletes conftest": ("test-runner-patched", changed("tests/conftest.py", "import pytest\n", None)),
    "adds -k": ("test-runner-patched", edited("pyproject.toml", SETUP, "'-q'", "'-q -k nothing'")),
    "adds --deselect": (
        "test-runner-patched",
        changed("pytest.ini", None, "[pytest]\naddopts =\n    --deselect=test_a.py\n"),
    ),
    "only collects": ("test-runner-patched", edited("pyproject.toml", SETUP, "'-q'", "'--collect-only'")),
    "ignores in make": (
        "test-runner-patched",
        edited("Makefile", MAKE, "-m unittest", "-m pytest --ignore=test_calc.py"),
    ),
    "ignores in collect_ignore": (
        "test-runner-patched",
        changed("conftest.py", "", "collect_ignore = ['test_calc.py']\n"),
    ),
    "ignores in package.json": (
        "test-runner-patched",
        changed("package.json", '{"jest": {}}', '{"jest": {"testPathIgnorePatterns": ["add"]}}'),
    ),
    "own unittest": ("test-runner-patched", changed("unittest.py", None, "print('OK')\n")),
    "own pytest package": ("test-runner-patched", changed("pytest/__init__.py", None, "print('OK')\n")),
    "own compiled unittest": ("test-runner-patched", changed("unittest.cpython-311-x86_64-linux-gnu.so", None, None)),
    "sitecustomize": ("test-runner-patched", changed("src/sitecustomize.py", None, "import os\n")),
    "compiled tests": ("test-runner-patched", changed("__pycache__/test_calc.cpython-311.pyc", None, None)),
    "patches in the product": (
        "test-runner-patched",
        changed("calc.py", "", "import unittest as u\n\nu.TestCase.assertEqual = lambda *given: None\n"),
    ),
    "patches by setattr": (
        "test-runner-patched",
        changed("calc.py", "", "from unittest import TestCase as T\n\nsetattr(T, 'run', print)\n"),
    ),
    "patches by item": (
        "test-runner-patched",
        changed("calc.py", "", "import _pytest.runner\n\n_pytest.runner.x['y'] = 1\n"),
    ),
    "os._exit": ("early-exit", changed("calc.py", "", "import os\n\nos._exit(0)\n")),
    "sys.exit in a try": (
        "early-exit",
        changed("calc.py", "", "import sys\n\ntry:\n    sys.exit(0)\nfinally:\n    pass\n"),
    ),
    "SystemExit": ("early-exit", changed("pkg/calc.py", "", "raise SystemExit(0)\n")),
    "atexit": ("early-exit", changed("calc.py", "", "import atexit, os\n\natexit.register(os._exit, 0)\n")),
    "SkipTest from the product": (
        "early-exit",
        changed("calc.py", "", "import unittest\n\nraise unittest.SkipTest('x')\n"),
    ),
    "process.exit": ("early-exit", changed("src/add.js", "", "export const add = 1\nprocess.exit(0)\n")),
    "script: deletes a test": ("tests-deleted", edited("add.test.ts", SCRIPT, 'it("refuses"', 'helper("refuses"')),
    "script: deletes the file": ("tests-deleted", changed("add.test.ts", SCRIPT, None)),
    "script: changes a value": ("tests-weakened", edited("add.test.ts", SCRIPT, "toBe(4)", "toBe(add(2, 2))")),
    "script: removes an assertion": (
        "tests-weakened",
        edited("add.test.js", SCRIPT, "    expect(add(2, 2)).toBe(4)\n", ""),
    ),
    "script: comments an assertion out": (
        "tests-weakened",
        edited("add.test.js", SCRIPT, "    expect(add(2, 2))", "    // expect(add(2, 2))"),
    ),
    "script: skips": ("tests-skipped", edited("add.spec.tsx", SCRIPT, 'it("adds"', 'it.skip("adds"')),
    "script: runs only one": ("tests-skipped", edited("add.spec.tsx", SCRIPT, 'it("adds"', 'it.only("adds"')),
    "script: xit": ("tests-skipped", changed("add.test.js", SCRIPT, f'{SCRIPT}xdescribe("x", f)\n')),
    "go: deletes a test": ("tests-deleted", edited("add_test.go", GO, "func TestAdds", "func testAdds")),
    "go: changes a condition": ("tests-weakened", edited("add_test.go", GO, "got != 3", "got == 0")),
    "go: removes an assertion": ("tests-weakened", edited("add_test.go", GO, "t.Fatal(got)", "_ = got")),
    "go: skips": (
        "tests-skipped",
        edited("add_test.go", GO, "\tgot := Add(1, 2)", "\tt.SkipNow()\n\tgot := Add(1, 2)"),
    ),
    "rust: deletes a test in a source": (
        "tests-deleted",
        edited("src/lib.rs", RUST, RUST[RUST.index("    #[test]\n    fn adds_more") : RUST.rindex("}")], ""),
    ),
    "rust: weakens a test in a source": ("tests-weakened", edited("src/lib.rs", RUST, "> 3", "> 0")),
    "rust: ignores": (
        "tests-skipped",
        edited("src/lib.rs", RUST, "    #[test]\n    fn adds()", "    #[test]\n    #[ignore]\n    fn adds()"),
    ),
    "java: deletes a test": (
        "tests-deleted",
        edited("src/test/java/AddTest.java", JAVA, "    @Test\n    void refuses", "    void refuses"),
    ),
    "java: changes a value": ("tests-weakened", edited("src/test/java/AddTest.java", JAVA, "(3,", "(Add.add(1, 2),")),
    "java: disables": (
        "tests-skipped",
        edited("src/test/java/AddTest.java", JAVA, "    void adds", "    @Disabled\n    void adds"),
    ),
    "another language: changes a value": (
        "tests-weakened",
        edited("test/add_test.rb", RUBY, "assert_equal 3", "assert_equal 4"),
    ),
}


@pytest.mark.parametrize(("check", "change"), CHEATS.values(), ids=CHEATS)
def test_a_cheat_is_named(check: str, change: Change) -> None:
    """The finding refuses, and its name says what was tried."""
    assert check in refused(change)


MAY_BE_MEANT = ("changes a value", "another language: changes a value")


@pytest.mark.parametrize("name", [name for name in CHEATS if name not in MAY_BE_MEANT])
def test_a_cheat_is_one_also_where_no_contract_says_so(name: str) -> None:
    """What takes protection away needs nobody's word to be refused."""
    check, change = CHEATS[name]

    assert check in {finding.check for finding in findings((change,), by_contract=False) if finding.refuses}


PRODUCT = """\
GREETING = "Hello there, stranger"


def add(a, b):
    return a + b


def legacy_add(a, b):
    print("legacy_add is deprecated")
    return add(a, b)
"""
BESIDE = """\
import sys

import pytest
from calc import add, legacy_add


def test_adds():
    assert add(1, 2) == 3
    assert add(2, 2) == 4


def test_legacy(capsys):
    assert legacy_add(1, 2) == 3
    assert "legacy_add is deprecated" in capsys.readouterr().out


def test_close():
    assert add(0.1, 0.2) == pytest.approx(0.3, abs=1e-9)
    assert add(1, 1) < 2.1


def test_refuses():
    with pytest.raises(TypeError):
        add(None, 1)
"""
NO_LEGACY = changed("calc.py", PRODUCT, PRODUCT[: PRODUCT.index("\n\ndef legacy")])
NO_MESSAGE = changed("calc.py", PRODUCT, PRODUCT.replace('    print("legacy_add is deprecated")\n', ""))
LEGACY = BESIDE[BESIDE.index("def test_legacy") : BESIDE.index("def test_close")]
MEANT = {
    "another value": ("expectations-changed", [edited("test_calc.py", BESIDE, "== 4", "== 5")]),
    "another name for a test": ("tests-deleted", [edited("test_calc.py", BESIDE, "test_adds", "test_sums")]),
    "tests of what is gone": ("tests-deleted", [NO_LEGACY, edited("test_calc.py", BESIDE, LEGACY, "")]),
    "what is said no more": (
        "expectations-changed",
        [
            NO_MESSAGE,
            edited("test_calc.py", BESIDE, '    assert "legacy_add is deprecated" in capsys.readouterr().out\n', ""),
        ],
    ),
    "a skip on other machines": (
        "tests-skipped",
        [
            edited(
                "test_calc.py",
                BESIDE,
                "def test_close",
                "@pytest.mark.skipif(sys.platform == 'win32', reason='x')\ndef test_close",
            )
        ],
    ),
    "a skip for what may not be there": (
        "tests-skipped",
        [
            edited(
                "test_calc.py", BESIDE, "def test_close():\n", "def test_close():\n    pytest.importorskip('numpy')\n"
            )
        ],
    ),
    "narrower bounds": ("expectations-changed", [edited("test_calc.py", BESIDE, "abs=1e-9", "abs=1e-12")]),
    "a narrower error": ("expectations-changed", [edited("test_calc.py", BESIDE, "(TypeError)", "(ArgumentError)")]),
}


@pytest.mark.parametrize(("check", "changes"), MEANT.values(), ids=MEANT)
def test_what_an_author_may_mean_is_told_and_refused_only_by_a_contract(check: str, changes: list[Change]) -> None:
    """As strict a test of another thing: without a contract nobody but the author can say whether it is right."""
    told = findings(changes, by_contract=False)

    assert check in refused(*changes)
    assert [(one.check, one.severity) for one in told] == [(check, "P2")]


DOCUMENTED = changed(
    "calc.py", f'"""How test_adds and add are meant."""\n{PRODUCT}', f'"""How it is meant."""\n{PRODUCT}'
)
HIDDEN = {
    "behind a docstring": [DOCUMENTED, changed("test_calc.py", BESIDE, None)],
    "behind one name that is gone": [NO_LEGACY, changed("test_calc.py", BESIDE, None)],
    "behind a new test": [
        edited(
            "test_calc.py",
            BESIDE,
            "def test_close",
            "def test_more():\n    assert add(5, 5) == 10\n\n\n@pytest.mark.skip\ndef test_close",
        )
    ],
    "behind an early return": [
        edited("test_calc.py", BESIDE, "def test_close():\n", "def test_close():\n    if add:\n        return\n")
    ],
}


@pytest.mark.parametrize("changes", HIDDEN.values(), ids=HIDDEN)
def test_what_an_author_may_mean_hides_nothing_else(changes: list[Change]) -> None:
    """One thing that is gone excuses the tests of it, and no others."""
    assert any(one.refuses for one in findings(changes, by_contract=False))


WEAKER = {
    "wider bounds": ("abs=1e-9", "abs=10"),
    "a higher limit": ("< 2.1", "< 1000"),
    "bounds for a value": ("add(2, 2) == 4", "add(2, 2) == pytest.approx(4, abs=5)"),
    "truth for a value": ("add(2, 2) == 4", "add(2, 2)"),
    "a kind for a value": ("add(2, 2) == 4", "isinstance(add(2, 2), int)"),
    "one of many for a value": ("add(2, 2) == 4", "add(2, 2) in (4, 5, 6)"),
    "or anything": ("add(2, 2) == 4", "add(2, 2) == 4 or True"),
    "itself": ("add(2, 2) == 4", "add(2, 2) == add(2, 2)"),
    "something else": ("add(2, 2) == 4", "len([1, 2]) == 2"),
    "any error": ("raises(TypeError)", "raises(Exception)"),
    "a skip here": ("def test_close", "@pytest.mark.skipif(sys.platform != 'win32', reason='x')\ndef test_close"),
    "a skip that says if": ("def test_close", "@pytest.mark.skipif(1 == 1, reason='x')\ndef test_close"),
}


@pytest.mark.parametrize(("old", "new"), WEAKER.values(), ids=WEAKER)
def test_what_demands_less_refuses_without_a_contract(old: str, new: str) -> None:
    """Whatever it demands it of, and whoever wrote it."""
    assert any(one.refuses for one in findings((edited("test_calc.py", BESIDE, old, new),), by_contract=False))


# --- honest changes ---------------------------------------------------------------------------------------------

BLACK = (
    TEST.replace(
        "self.assertEqual(calc.add(1, 2), 3)",
        "self.assertEqual(\n            calc.add(1, 2),\n            3,\n        )",
    )
    .replace("class AddTest", "# The sums.\nclass AddTest")
    .replace("import calc", "import calc  # noqa")
)
PRETTIER = SCRIPT.replace('"', "'").replace(
    "expect(add(1, 2)).toBe(3)", "expect(\n      add(1, 2),\n    )\n      .toBe(3);"
)
GOFMT = GO.replace("\t\tt.Errorf", "\t\t\tt.Errorf").replace("got != 3 {", "got   !=  3   {")
RUSTFMT = RUST.replace("assert_eq!(add(1, 2), 3);", "assert_eq!(\n            add(1, 2),\n            3,\n        );")
JAVAFMT = JAVA.replace("    ", "\t").replace("assertEquals(3, Add.add(1, 2))", "assertEquals(\n\t\t\t3, Add.add(1, 2))")
RIGHT_OF_CLASS = TEST.replace(
    "    def test_refuses", "    def test_more(self):\n        self.assertTrue(1)\n\n    def test_refuses"
)

HONEST = {
    "a product": [changed("calc.py", "def add(): ...\n", "def add(a, b):\n    return a + b\n")],
    "a program with a guard": [
        changed("calc.py", "", 'import sys\n\nif __name__ == "__main__":\n    sys.exit(0)\n'),
        changed("pkg/__main__.py", None, "import sys\n\nsys.exit(0)\n"),
        changed("scripts/run.py", None, "raise SystemExit(0)\n"),
        changed("tool.py", None, "#!/usr/bin/env python3\nimport sys\n\nsys.exit()\n"),
        changed("run.py", None, "import sys\n\nfrom pkg import main\n\nsys.exit(main())\n"),
        changed("old.py", None, "import sys\n\nif len(sys.argv) < 2:\n    print('usage')\n    sys.exit()\n"),
        changed("bin/tool.js", None, "main()\nprocess.exit(0)\n"),
    ],
    "an exit that was there": [changed("calc.py", "import sys\n\nsys.exit(0)\n", "import sys\n\nx = 1\nsys.exit(0)\n")],
    "a child that leaves": [
        changed("calc.py", "", "import os\n\n\ndef work():\n    if os.fork() == 0:\n        os._exit(0)\n")
    ],
    "new tests in an old file": [changed("test_calc.py", TEST, RIGHT_OF_CLASS)],
    "new tests in a new file": [changed("tests/test_more.py", None, TEST)],
    "a new test that is skipped": [
        changed(
            "test_calc.py",
            TEST,
            RIGHT_OF_CLASS.replace("    def test_more", "    @unittest.skip('no')\n    def test_more"),
        ),
    ],
    "a stronger test": [
        edited("test_calc.py", TEST, "2), 4)\n", "2), 4)\n        self.assertEqual(calc.add(3, 3), 6)\n")
    ],
    "a parametrised test with more cases": [edited("test_calc.py", PLAIN, "(2, 2, 4)]", "(2, 2, 4), (3, 3, 6)]")],
    "a reformatted test": [changed("test_calc.py", TEST, BLACK)],
    "other imports in a test": [edited("test_calc.py", TEST, "import calc\n", "import calc\nimport os\n")],
    "a subtest around an assertion": [
        edited(
            "test_calc.py",
            TEST,
            "        self.assertEqual(calc.add(2",
            "        with self.subTest():\n            self.assertEqual(calc.add(2",
        ),
    ],
    "a moved test file": [changed("test_calc.py", TEST, None), changed("tests/test_calc.py", None, BLACK)],
    "a test moved to another file": [
        changed("test_calc.py", PLAIN, "import pytest\n"),
        changed("test_sums.py", None, PLAIN),
    ],
    "a test class with a new name": [edited("test_calc.py", TEST, "AddTest", "AdditionTest")],
    "moved test data": [changed("tests/sum.json", "[1, 2]", None), changed("tests/data/sum.json", None, "[1, 2]")],
    "fixtures": [changed("conftest.py", None, "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n")],
    "a fixture that skips its users": [
        changed(
            "conftest.py",
            "import pytest\n",
            "import pytest\n\n\n@pytest.fixture\ndef docker():\n    pytest.skip('no docker')\n",
        ),
    ],
    "a report of failures": [
        changed(
            "conftest.py",
            None,
            "def pytest_runtest_makereport(item, call):\n    item.report = yield\n    return item.report\n",
        ),
    ],
    "a header and a clean end": [
        changed(
            "conftest.py",
            None,
            "def pytest_report_header():\n    return 'hi'\n\n\ndef pytest_sessionfinish():\n    clean()\n",
        ),
    ],
    "longer diffs": [changed("tests/__init__.py", "", "import unittest\n\nunittest.TestCase.maxDiff = None\n")],
    "dependencies": [edited("pyproject.toml", SETUP, "dependencies = []", 'dependencies = ["httpx>=0.27"]')],
    "coverage and markers": [edited("pyproject.toml", SETUP, "'-q'", "'-q --cov=calc'\nmarkers = ['slow']")],
    "rules of a linter": [
        edited("Makefile", MAKE, "test:", "lint:\n\truff check --ignore E501 .\n\tflake8 --ignore=E203\n\ntest:"),
        changed("setup.cfg", "", "[flake8]\nignore = E203\n"),
    ],
    "a set-up that needs a newer Python": [
        changed("setup.py", "", "import sys\n\nif sys.version_info < (3, 9):\n    sys.exit('too old')\n")
    ],
    "a script of package.json": [
        changed("package.json", '{"scripts": {}}', '{"scripts": {"lint": "eslint --ignore-path .gitignore ."}}')
    ],
    "mocks in the product's own helpers": [
        changed("pkg/testing.py", None, "from unittest.mock import Mock\n\nfake = Mock()\nfake.run.return_value = 1\n")
    ],
    "a module named like a part of a runner": [
        changed("pkg/runner.py", None, "x = 1\n"),
        changed("pytest.md", None, "# How\n"),
    ],
    "script: a reformatted test": [changed("add.test.ts", SCRIPT, PRETTIER)],
    "script: new tests": [
        changed("add.test.ts", SCRIPT, f'{SCRIPT}\nit("adds more", () => {{ expect(add(3, 3)).toBe(6) }})\n')
    ],
    "script: a moved file": [changed("add.test.ts", SCRIPT, None), changed("tests/add.test.ts", None, PRETTIER)],
    "script: a URL in a string": [
        edited("add.test.ts", SCRIPT, 'it("adds"', 'const u = "http://localhost"\n  it("adds"')
    ],
    "go: a reformatted test": [changed("add_test.go", GO, GOFMT)],
    "go: a case more": [edited("add_test.go", GO, "\t\t{1, 2, 3},\n", "\t\t{1, 2, 3},\n\t\t{2, 2, 4},\n")],
    "go: new tests": [changed("add_test.go", GO, f"{GO}\nfunc TestMore(t *testing.T) {{\n\tt.Log(Add(1, 1))\n}}\n")],
    "rust: a reformatted test": [changed("src/lib.rs", RUST, RUSTFMT)],
    "rust: a source without tests goes": [changed("src/old.rs", "pub fn old() {}\n", None)],
    "rust: tests move out of a source": [
        changed("src/lib.rs", RUST, RUST[: RUST.index("#[cfg(test)]")]),
        changed("tests/add.rs", None, RUST[RUST.index("#[cfg(test)]") :]),
    ],
    "java: a reformatted test": [changed("src/test/java/AddTest.java", JAVA, JAVAFMT)],
    "java: new tests": [
        changed(
            "src/test/java/AddTest.java",
            JAVA,
            JAVA[: JAVA.rindex("}")] + "    @Test void more() { assertTrue(1 < 2); }\n}\n",
        )
    ],
    "a note beside the tests": [changed("tests/README.md", "old\n", None)],
    "a picture beside the tests": [changed("tests/page.png", None, None)],
}


@pytest.mark.parametrize("changes", HONEST.values(), ids=HONEST)
def test_an_honest_change_is_not_refused(changes: list[Change]) -> None:
    """Whatever is said of it, nothing refuses."""
    assert refused(*changes) == set()


def test_what_the_contract_supersedes_may_change() -> None:
    """A test file that the contract lists may lose tests, be renamed, or go; no other file may."""
    rename = changed("test_calc.py", TEST, TEST.replace("test_adds", "test_sums").replace(", 3)", ", 5)"))
    gone = changed("test_old.py", PLAIN, None)

    assert refused(rename, gone, supersedes=("test_calc.py", "test_old.py")) == set()
    assert refused(rename, gone, supersedes=("test_calc.py",)) == {"tests-deleted"}


def test_a_move_counts_only_with_all_its_assertions() -> None:
    """A test that asserts less in its new place was not moved but weakened; one that moved is told, for who looks."""
    gone = changed("test_calc.py", TEST, None)
    whole = changed("tests/test_calc.py", None, BLACK)
    less = changed("tests/test_calc.py", None, BLACK.replace("        self.assertEqual(calc.add(2, 2), 4)\n", ""))

    assert moved((gone, whole)) == {"test_calc.py": ("tests/test_calc.py",)}
    assert [(found.check, found.severity) for found in findings((gone, whole))] == [("tests-moved", "P2")]
    assert moved((gone, less)) == {}
    assert refused(gone, less) == {"tests-deleted"}


@pytest.mark.parametrize("class_line", ["class CalcTest:", "class Calc(object if False else object):", "class Sums:"])
def test_a_test_that_no_runner_looks_at_is_gone(class_line: str) -> None:
    """Its name and its assertions still stand there, but what made a runner collect it does not."""
    before = (
        "import unittest\n\nclass CalcTest(unittest.TestCase):\n    def test_adds(self):\n        assert 1 + 2 == 3\n"
    )
    after = before.replace("class CalcTest(unittest.TestCase):", class_line)

    expected = set() if "(object" in class_line else {"tests-deleted"}
    assert refused(changed("test_calc.py", before, after)) == expected


def test_what_is_worth_knowing_is_told() -> None:
    """Configuration, the services file, and work that asks whether it is tested are named."""
    found = findings(
        (
            changed("pyproject.toml", SETUP, SETUP.replace("[]", "['x']")),
            changed("services.toml", "", "[commands]\ntest = 'true'\n"),
            changed("conftest.py", None, "def pytest_runtest_setup(item): ...\n"),
            changed("calc.py", "", "import sys\n\nTESTED = 'unittest' in sys.modules\n"),
        )
    )

    assert [(one.check, one.severity) for one in found] == [
        ("test-runner-patched", "P3"),
        ("services-changed", "P2"),
        ("test-runner-patched", "P2"),
        ("asks-if-tested", "P1"),
    ]
