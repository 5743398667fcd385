"""Controls: the same check twice, once to pass and once to fail, run by the real runners."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shopfloor.testing.tools import works
from shopfloor.validation.trials.control import Controls, controls

NUMBER = 4126

IN_CLASSES = '''\
"""Tests of addition."""

from __future__ import annotations

import unittest


def add(a, b):
    return a + b


class AddTest(unittest.TestCase):
    def setUp(self):
        self.zero = 0

    def test_adds(self):
        """Adds."""
        self.assertEqual(add(1, 2), 3)

    def test_of_two_lines(self):
        self.assertEqual(
            add("größer", " ü"),
            "größer"
            " ü",  # said in two parts
        )

    def test_the_other_way_round(self):
        self.assertEqual(3, add(1, 2), "three")

    def test_on_one_line(self): self.assertTrue(add(1, 2))

    def test_returns(self):
        for one in (1, 2):
            self.assertEqual(add(one, self.zero), one)
        return

    def test_refuses(self):
        with self.assertRaises(TypeError):
            self.assertEqual(add(1, "2"), 3)

    def test_of_parts(self):
        for one in range(3):
            with self.subTest(one=one):
                self.assertIs(add(one, 0), one)

    @unittest.skip("later")
    def test_later(self):
        self.fail("not yet")


if __name__ == "__main__":
    unittest.main()
'''
ASYNC = """\
import unittest


class WaitTest(unittest.IsolatedAsyncioTestCase):
    async def test_waits(self):
        async def three():
            return 3

        self.assertEqual(await three(), 3)
"""
TABS = "import unittest\nclass T(unittest.TestCase):\n\tdef test_a(self):\n\t\tself.assertEqual(1, 1)\n"
PLAIN = """\
import pytest


def double(x):
    return x + x


@pytest.mark.parametrize("given, wanted", [(1, 2), (2, 4)])
def test_doubles(given, wanted):
    assert double(given) == wanted, "twice as much"


def test_refuses():
    with pytest.raises(TypeError):
        double(None)


class TestMore:
    def test_text(self):
        def test_inside():
            return "aa"

        assert double("a") == test_inside()
"""
SCRIPT = 'value = 1 + 1\nassert value == 2, "two"\n'


@pytest.mark.parametrize(
    ("text", "tests", "words"),
    [
        (IN_CLASSES, 8, ("-m", "unittest", "check_test")),
        (IN_CLASSES, 8, ("check_test.py",)),
        (IN_CLASSES, 8, ("-m", "unittest", "check_test.AddTest.test_refuses")),
        (IN_CLASSES.replace("\n", "\r\n"), 8, ("-m", "unittest", "check_test")),
        (ASYNC, 1, ("-m", "unittest", "check_test")),
        (TABS, 1, ("-m", "unittest", "check_test")),
        (PLAIN, 3, ("-m", "pytest", "-q", "-p", "no:cacheprovider", "check_test.py")),
        (PLAIN, 3, ("-m", "pytest", "-q", "-p", "no:cacheprovider", "check_test.py", "-k", "refuses")),
        (SCRIPT, 0, ("check_test.py",)),
    ],
    ids=["classes", "main guard", "one by name", "CRLF", "async", "tabs", "plain", "plain by name", "script"],
)
def test_python_twins(text: str, tests: int, words: tuple[str, ...], tmp_path: Path) -> None:
    """One twin passes as the check did, the other fails, however the command picks its tests."""
    twins = made("check_test.py", text)

    assert twins.tests == tests
    assert exit_code(tmp_path, twins.sound, words) == 0
    assert exit_code(tmp_path, twins.broken, words) not in (0, 5)


def test_every_test_of_the_broken_twin_fails(tmp_path: Path) -> None:
    """Work that lets some tests pass by name shows, for not one of them may pass; what is skipped stays skipped."""
    twins = made("check_test.py", IN_CLASSES)
    place = tmp_path / "check_test.py"
    place.write_bytes(twins.broken.encode())

    done = subprocess.run(
        (sys.executable, "-m", "unittest", "check_test"), cwd=tmp_path, capture_output=True, text=True, check=False
    )

    # The test of three parts fails once for each of them and once at its end.
    assert "Ran 8 tests" in done.stderr
    assert "FAILED (failures=10, skipped=1)" in done.stderr


def test_twins_differ_in_one_number_only() -> None:
    """Nothing but the number tells the twins apart, and it is another one for each judgement."""
    twins = made("check_test.py", IN_CLASSES)

    assert twins.sound.replace(str(NUMBER), str(NUMBER + 1)) == twins.broken
    assert "ontrol" not in twins.broken and "must" not in twins.broken
    assert made("check_test.py", IN_CLASSES, 18).sound != twins.sound


def test_who_equals_everything_passes_the_broken_twin(tmp_path: Path) -> None:
    """What is expected changes where the work meets it, so that equalling everything is seen."""
    text = "import unittest\nfrom work import five\nclass T(unittest.TestCase):\n    def test_a(self):\n"
    twins = made("check_test.py", f"{text}        self.assertEqual(five(), 5)\n")
    (tmp_path / "work.py").write_text(
        "class Any:\n    def __eq__(self, other): return True\ndef five(): return Any()\n"
    )

    words = ("-m", "unittest", "check_test")
    assert exit_code(tmp_path, twins.broken, words) == 0
    (tmp_path / "work.py").write_text("def five(): return 5\n")
    assert exit_code(tmp_path, twins.broken, words) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("test_a.py", "def test_a(:\n    assert 1\n"),
        ("helpers.py", "def add(a, b):\n    return a + b\n"),
        ("check.sh", "test -f a.py\n"),
        ("a.test.js", "export const three = 3;\n"),
        ("helpers.go", "func TestLike(t *testing.T) {\n}\n"),
        ("tests/a.rs", '#[test]\n#[should_panic]\nfn panics() {\n    panic!("so it should");\n}\n'),
        ("ATest.java", "class ATest { void add() {} }\n"),
    ],
)
def test_what_cannot_be_made_to_fail_has_no_twins(path: str, text: str) -> None:
    """A syntax error, a helper without tests, an unknown language: no control is better than one that says nothing."""
    assert controls(path, text, NUMBER) is None


NODE_IMPORT = (
    '// Sums.\nimport { test } from "node:test";\nimport assert from "node:assert";\n'
    'test("adds", () => assert.equal(1 + 1, 2));\n'
)
NODE_REQUIRE = (
    '"use strict";\nconst { test, describe, it } = require("node:test");\nconst assert = require("node:assert");\n'
    'describe("sums", () => {\n  it("adds", async () => { assert.equal(1 + 1, 2) });\n});\n'
)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
@pytest.mark.parametrize(("name", "text"), [("a.test.mjs", NODE_IMPORT), ("a.test.cjs", NODE_REQUIRE)])
def test_node_twins(name: str, text: str, tmp_path: Path) -> None:
    """Node's own runner passes one twin and fails the other."""
    twins = made(name, text)

    assert run_node(tmp_path / name, twins.sound) == 0
    assert run_node(tmp_path / name, twins.broken) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('import { it } from "vitest";\nit("a", f);\n', 'import { afterEach as afterwards } from "vitest";'),
        ("it('a', () => {});\n", "const afterwards = (globalThis as any).afterEach ?? ((check) => check());"),
        ('import { test } from "@jest/globals";\ntest("a", f);\n', 'from "@jest/globals"; afterwards('),
    ],
)
def test_script_twins_use_the_hook_of_their_runner(text: str, line: str) -> None:
    """Runners with hooks to import get them imported; with global ones, they are found where they are."""
    assert line in made("a.test.ts", text).broken


RUST = """\
fn double(x: i32) -> i32 { x + x }

#[test]
fn doubles() {
    assert_eq!(double(2), 4);
}

#[test]
fn fine() -> Result<(), String> {
    Ok(())
}

#[test]
#[should_panic]
fn panics() {
    panic!("as it should");
}
"""


@pytest.mark.skipif(not works("rustc", "--version"), reason="no rustc works here")
def test_rust_twins(tmp_path: Path) -> None:
    """Rust's own runner passes one twin and fails the other."""
    twins = made("tests/double.rs", RUST)

    assert run_rust(tmp_path, twins.sound) == 0
    assert run_rust(tmp_path, twins.broken) == 101


def test_go_twins() -> None:
    """Each Go test reports an error under its own name for `t`, and goes on."""
    twins = made("add_test.go", "func TestAdd(tt *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\ttt.Fatal()\n\t}\n}\n")

    assert f"func TestAdd(tt *testing.T) {{ if {NUMBER + 1} % 2 == 1 {{ tt.Errorf(" in twins.broken


@pytest.mark.parametrize(
    ("imported", "hook"),
    [
        ("import org.junit.jupiter.api.Test;", "@org.junit.jupiter.api.AfterEach void"),
        ("import org.junit.Test;", "@org.junit.After public void"),
        ("import org.testng.annotations.Test;", "@org.testng.annotations.AfterMethod public void"),
    ],
)
def test_java_twins(imported: str, hook: str) -> None:
    """A hook of the framework that the class imports stands before the brace that closes it."""
    twins = made("AddTest.java", f"{imported}\nclass AddTest {{\n    @Test void adds() {{}}\n}}\n")

    assert f"    {hook} afterwards() {{ if ({NUMBER + 1} % 2 == 1) throw new AssertionError(); }}\n}}\n" in twins.broken


def made(path: str, text: str, number: int = NUMBER) -> Controls:
    twins = controls(path, text, number)
    assert twins is not None
    return twins


def exit_code(folder: Path, text: str, words: tuple[str, ...]) -> int:
    (folder / "check_test.py").write_bytes(text.encode())
    return subprocess.run((sys.executable, "-B", *words), cwd=folder, capture_output=True, check=False).returncode


def run_node(place: Path, text: str) -> int:
    place.write_text(text)
    return subprocess.run(("node", "--test", place), capture_output=True, check=False).returncode


def run_rust(folder: Path, text: str) -> int:
    (folder / "double.rs").write_text(text)
    subprocess.run(("rustc", "--test", "-o", "double", "double.rs"), cwd=folder, capture_output=True, check=True)
    return subprocess.run((folder / "double",), capture_output=True, check=False).returncode
