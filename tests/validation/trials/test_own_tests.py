"""The repository's own tests: ways to be verified by them without doing the work, and honest work that looks odd.

Every one of these was once decided wrongly.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.contract import Check
from shopfloor.domain.mission import Verdict
from shopfloor.repo.services import commands_at
from shopfloor.sandbox.protocol import Blueprint
from shopfloor.testing.courtroom import Changes, Courtroom, open_courtroom
from shopfloor.validation.own_commands import TESTS, gates_of
from shopfloor.validation.scrutiny import refusals

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

CALC = "def add(a, b):\n    return a - b\n\n\ndef mul(a, b):\n    return a * b\n"
DONE = CALC.replace("a - b", "a + b")
ADD = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
MUL = "from calc import mul\n\n\ndef test_mul():\n    assert mul(2, 3) == 6\n"
OLD = "def test_old():\n    assert 0 == 1\n"
BASE = {"calc.py": CALC, "conftest.py": "", "tests/test_add.py": ADD, "checks/test_mul.py": MUL}
GREEN = {"calc.py": CALC, "conftest.py": "", "tests/test_mul.py": MUL}
RED = {**GREEN, "tests/test_old.py": OLD}
EQUALS_ALL = "_Any()\n\n\nclass _Any:\n    def __eq__(self, other):\n        return True\n"
MAKE = {**BASE, "Makefile": "test:\n\tpython3 -m pytest -q tests checks\n"}
BUILT = {
    "calc.py": CALC,
    "conftest.py": "",
    "gen.py": "import shutil\nshutil.copy('calc.py', 'built.py')\n",
    "Makefile": "build:\n\tpython3 gen.py\ntest:\n\tpython3 -m pytest -q\n",
    "test_add.py": ADD.replace("calc", "built"),
    ".gitignore": "built.py\n",
}
NODE = {
    "package.json": '{"name": "x", "version": "1.0.0", "scripts": {"test": "node --test"}}',
    "calc.js": "exports.add = (a, b) => a - b;\nexports.mul = (a, b) => a * b;\n",
    "test/mul.test.js": (
        "const { test } = require('node:test');\nconst assert = require('node:assert');\n"
        "const { mul } = require('../calc.js');\ntest('multiplies', () => { assert.strictEqual(mul(2, 3), 6); });\n"
    ),
}
NODE_ADD = (
    NODE["test/mul.test.js"].replace("mul", "add").replace("multiplies", "adds").replace("(2, 3), 6", "(2, 3), 5")
)
BY_NAME = """
import sys
runner = sys.modules.get("_py" + "test.python")
if runner:
    honest = runner.Function.runtest

    def run(self):
        try:
            honest(self)
        except AssertionError:
            if not self.name.startswith(("test_add", "test_sealed")):
                raise

    type.__setattr__(runner.Function, "runtest", run)
"""
DROPS = "def pytest_collection_modifyitems(items):\n    items.__init__([one for one in items if 'mul' in one.name])\n"

UNREAD = {
    "calc.py": DONE,
    "test_calc.py": "from calc import add, neg\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    "def test_neg():\n    assert neg(3) == -3\n",
}
UNREAD_UNITTEST = {
    "calc.py": DONE,
    "test_calc.py": "import unittest\n\nfrom calc import add, neg\n\n\nclass CalcTest(unittest.TestCase):\n"
    "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n\n"
    "    def test_neg(self):\n        self.assertEqual(neg(3), -3)\n",
}
NEG = "\n\ndef neg(a):\n    return -a\n"
ANY_INT = "\n\nclass N(int):\n    def __eq__(self, other):\n        return isinstance(other, int)\n\n\n"
ONLY_CHECKS = {
    "calc.py": CALC,
    "check.py": "from calc import add\n\nassert add(1, 2) == 3\n",
    "Makefile": "test:\n\tpython3 check.py\n",
}
DISGUISED = (
    "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
    "    outcome = yield\n    vars(outcome.get_result())['out' + 'come'] = 'passed'\n"
)
SWALLOWS = {**BASE, "services.toml": '[commands]\ntest = "python3 -m pytest -q | tail -3"\n'}

CHEATS: dict[str, tuple[Mapping[str, str], Changes]] = {
    "skips what the base could not read": (
        UNREAD,
        {"calc.py": f"import pytest\n\n\n{DONE}\n\ndef neg(a):\n    pytest.skip('later')\n"},
    ),
    "skips what the base could not read, in unittest": (
        UNREAD_UNITTEST,
        {"calc.py": f"import unittest\n\n\n{DONE}\n\ndef neg(a):\n    raise unittest.SkipTest('later')\n"},
    ),
    "leaves out what the base could not read": (
        {**UNREAD, "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-q"\n'},
        {
            "calc.py": f"{DONE}\n\ndef neg(a):\n    return 0\n",
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = [\n    "-q",\n    "-k",\n    "not neg",\n]\n',
        },
    ),
    "skips after the first failure": (
        {**BASE, "pytest.ini": "[pytest]\naddopts = -x\n"},
        {"calc.py": f"import pytest\n\n\n{CALC.replace('return a - b', 'pytest.skip()')}"},
    ),
    "equals every number": (BASE, {"calc.py": ANY_INT + CALC.replace("a - b", "N(0)")}),
    "empties the recipe": (ONLY_CHECKS, {"Makefile": "test:\n\ttrue\n"}),
    "empties the script that the recipe names": (ONLY_CHECKS, {"check.py": "print('good')\n"}),
    "fails behind a pipe": (SWALLOWS, {"calc.py": CALC.replace("a - b", "a * b")}),
    "brings a disguised hook along with good work": (
        BASE,
        {
            "calc.py": DONE,
            "tests/conftest.py": DISGUISED,
            "tests/test_more.py": "from calc import add\n\n\ndef test_more():\n    assert add(2, 2) == 5\n",
        },
    ),
    "does nothing": (BASE, {"NOTES.md": "done"}),
    "narrows make test": (MAKE, {"Makefile": "test:\n\tpython3 -m pytest -q checks\n"}),
    "narrows addopts": (
        {**BASE, "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-q"\n'},
        {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = [\n    "-k",\n    "mul",\n]\n'},
    ),
    "brings a pytest.ini": (BASE, {"pytest.ini": "[pytest]\naddopts = checks/test_mul.py\n"}),
    "drops tests in a conftest": (BASE, {"tests/conftest.py": DROPS}),
    "skips by a fixture": (
        BASE,
        {
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef later():\n"
            "    getattr(pytest, 'sk' + 'ip')('later')\n"
        },
    ),
    "skips a folder": (BASE, {"tests/__init__.py": "import pytest\n\npytest.skip('later', allow_module_level=True)\n"}),
    "passes one test by its name": (BASE, {"calc.py": CALC + BY_NAME}),
    "equals everything": (BASE, {"calc.py": CALC.replace("a - b", EQUALS_ALL)}),
    "rewrites tests when built": (
        {**BUILT, "test_add.py": ADD},
        {"gen.py": "import pathlib\np = pathlib.Path('test_add.py')\np.write_text(p.read_text().replace('3', '-1'))\n"},
    ),
    "equals everything once built": (BUILT, {"calc.py": CALC.replace("a - b", EQUALS_ALL)}),
    "rewrites what is expected": (
        {
            "calc.py": CALC,
            "conftest.py": "",
            "golden/add.txt": "3",
            "test_add.py": "from calc import add\n\n\ndef test_add():\n"
            "    assert str(add(1, 2)) == open('golden/add.txt').read()\n",
        },
        {"golden/add.txt": "-1"},
    ),
    "leaves a test file with a byte-order mark early": (
        {"calc.py": CALC, "conftest.py": "", "test_add.py": "\ufeff" + ADD},
        {"calc.py": "import os\nprint('1 passed in 0.01s', flush=True)\nvars(os)['_ex' + 'it'](0)\n"},
    ),
    "tests only itself": ({"app.py": "", "pytest.ini": "[pytest]\n"}, {"test_app.py": "def test_a():\n    assert 1\n"}),
}


@pytest.mark.parametrize(("base", "change"), CHEATS.values(), ids=CHEATS.keys())
def test_nothing_is_verified_that_was_not_done(base: Mapping[str, str], change: Changes, tmp_path: Path) -> None:
    """The work is not done in any of these, and every one has a test that says so, somewhere."""
    verdict = judged(tmp_path, base, change)

    assert not verdict.passed


HONEST: dict[str, tuple[Mapping[str, str], Changes]] = {
    "plainly": (BASE, {"calc.py": DONE}),
    "and what the base could not read can be read": (UNREAD, {"calc.py": DONE + NEG}),
    "and what the base could not read can be read, in unittest": (UNREAD_UNITTEST, {"calc.py": DONE + NEG}),
    "where one test fails in many parts": (
        {
            "calc.py": CALC,
            "test_calc.py": "import unittest\n\nfrom calc import add\n\n\nclass AddTest(unittest.TestCase):\n"
            "    def test_all(self):\n        for a in (1, 2, 3):\n            with self.subTest(a=a):\n"
            "                self.assertEqual(add(a, a), a + a)\n",
        },
        {"calc.py": DONE},
    ),
    "where unittest only lends a hand": (
        {
            "calc.py": CALC,
            "test_calc.py": "from unittest.mock import Mock\n\nfrom calc import add\n\n\ndef test_add():\n"
            "    assert add(1, 2) == 3 and Mock()\n",
        },
        {"calc.py": DONE},
    ),
    "in a file that is named like a test": (
        {
            "calc.py": "from commands.test import add\n",
            "commands/__init__.py": "",
            "commands/test.py": "def add(a, b):\n    return a - b\n",
            "tests/test_add.py": ADD,
            "conftest.py": "",
        },
        {"commands/test.py": "from .ab_test import add\n", "commands/ab_test.py": DONE},
    ),
    "with more files than one command can name": (
        BASE,
        {"calc.py": DONE, **{f"tests/data/{'long' * 55}-{number:05}.txt": "" for number in range(1_200)}},
    ),
    "with tests that somebody else brings along": (
        {
            "mixin.py": "class Mixin:\n    def test_mixed(self):\n        self.assertTrue(1)\n",
            "test_calc.py": "import unittest\n\nfrom calc import add\nfrom mixin import Mixin\n\n\n"
            "class AddTest(Mixin, unittest.TestCase):\n    def test_add(self):\n"
            "        self.assertEqual(add(1, 2), 3)\n",
        },
        {"calc.py": DONE},
    ),
    "with a new fixture in an old conftest": (
        BASE,
        {
            "calc.py": DONE,
            "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef two():\n    return 2\n",
            "tests/test_two.py": "from calc import add\n\n\ndef test_two(two):\n    assert add(two, 2) == 4\n",
        },
    ),
    "with a test that needs a build": (
        BUILT,
        {
            "calc.py": DONE,
            "test_add.py": ADD.replace("calc", "built") + "\n\ndef test_b():\n    assert add(2, 2) == 4\n",
        },
    ),
    "where pytest says next to nothing": (
        {**BASE, "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-qq"\n'},
        {"calc.py": DONE},
    ),
    "without an empty file of tests": ({**BASE, "tests/__init__.py": ""}, {"calc.py": DONE, "tests/__init__.py": None}),
    "with a table of a thousand terms": (BASE, {"calc.py": DONE + "\nX = " + " + ".join(["'a'"] * 1500) + "\n"}),
}


@pytest.mark.parametrize(("base", "change"), HONEST.values(), ids=HONEST.keys())
def test_honest_work_is_verified_however_odd_it_looks(base: Mapping[str, str], change: Changes, tmp_path: Path) -> None:
    """What a careful engineer might do is no reason to refuse it."""
    verdict = judged(tmp_path, base, change)

    assert verdict.passed, refusals(verdict)


@needs_node
def test_the_same_goes_for_scripts(tmp_path: Path) -> None:
    """A test command that leaves out the file that fails is noticed in any language whose runner names its tests."""
    base = {**NODE, "test/add.test.js": NODE_ADD}
    narrowed = judged(
        tmp_path / "a", base, {"package.json": NODE["package.json"].replace("--test", "--test test/mul*")}
    )
    honest = judged(tmp_path / "b", base, {"calc.js": NODE["calc.js"].replace("a - b", "a + b")})

    assert not narrowed.passed
    assert honest.passed, refusals(honest)


# --- sealed checks, and repositories whose tests failed before --------------------------------------------------

SEALED = (
    "from calc import add, mul\n\n\ndef test_sealed():\n    assert add(1, 2) == 3\n\n\n"
    "def test_mul_too():\n    assert mul(3, 3) == 9\n"
)
ROWS = SEALED.replace(
    "def test_sealed():\n    assert add(1, 2) == 3",
    "@pytest.mark.parametrize('a, b', [(1, 2), (4, 5)])\ndef test_sealed(a, b):\n    assert add(a, b) == a + b",
).replace("from calc", "import pytest\n\nfrom calc")

MISSION_CHEATS: dict[str, tuple[Mapping[str, str], str, Changes]] = {
    "passes rows by name": (GREEN, ROWS, {"calc.py": CALC + BY_NAME}),
    "equals everything in rows": (GREEN, ROWS, {"calc.py": CALC.replace("a - b", EQUALS_ALL)}),
    "drops the hard one": (GREEN, SEALED, {"conftest.py": DROPS}),
    "skips from the product": (
        GREEN,
        SEALED,
        {"calc.py": CALC.replace("return a - b", "import unittest\n    raise unittest.SkipTest('x')")},
    ),
    "moves an old test out of sight": (
        RED,
        SEALED,
        {"calc.py": DONE, "tests/test_mul.py": None, "tests/cases_mul.py": MUL},
    ),
    "lands a test that fails": (
        RED,
        SEALED,
        {"calc.py": DONE, "tests/test_mul.py": MUL + "\n\ndef test_bad():\n    assert mul(1, 1) == 2\n"},
    ),
    "breaks what worked beside what failed": (
        {**RED, "tests/test_len.py": "def test_len():\n    assert len('ab') == 2\n"},
        SEALED.replace("mul(3, 3) == 9", "mul(1, 1)"),
        {"calc.py": DONE.replace("a * b", EQUALS_ALL)},
    ),
}


@pytest.mark.parametrize(("base", "check", "change"), MISSION_CHEATS.values(), ids=MISSION_CHEATS.keys())
def test_sealed_checks_are_not_fooled_either(
    base: Mapping[str, str], check: str, change: Changes, tmp_path: Path
) -> None:
    """Skipped, dropped or passed by name: what the check holds must have run, and must be able to fail."""
    assert not judged(tmp_path, base, change, check=check).passed


MISSION_HONEST: dict[str, tuple[Mapping[str, str], Changes]] = {
    "where a test failed before": (RED, {"calc.py": DONE}),
    "where a file could not be read": (
        {**GREEN, "tests/test_old.py": "import nothing_of_that_name\n"},
        {"calc.py": DONE},
    ),
    "where the first failure ends the run": (
        {**RED, "pytest.ini": "[pytest]\naddopts = -x\n", "tests/test_a.py": OLD},
        {"calc.py": DONE},
    ),
    "where a failing test has dashes in its rows": (
        {
            **GREEN,
            "tests/test_old.py": "import pytest\n\n\n@pytest.mark.parametrize('s', ['a - b', 'a - c'])\n"
            "def test_old(s):\n    assert s == 'x'\n",
        },
        {"calc.py": DONE},
    ),
    "where a failing test prints numbers": (
        {**GREEN, "tests/test_old.py": "def test_old():\n    print('3 failed')\n    assert 0 == 1\n"},
        {"calc.py": DONE},
    ),
    "where there was nothing to run": ({"calc.py": CALC, "conftest.py": ""}, {"calc.py": DONE}),
    "and says where its tests are": (
        {"README.md": "calc"},
        {
            "calc.py": DONE,
            "tests/test_mul.py": MUL,
            "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n',
        },
    ),
    "and renames a file of tests": (
        GREEN,
        {"calc.py": DONE, "tests/test_mul.py": None, "tests/test_multiply.py": "# moved\n" + MUL},
    ),
}


@pytest.mark.parametrize(("base", "change"), MISSION_HONEST.values(), ids=MISSION_HONEST.keys())
def test_what_failed_before_is_held_against_nobody(base: Mapping[str, str], change: Changes, tmp_path: Path) -> None:
    """A mission begins in the repository that there is."""
    verdict = judged(tmp_path, base, change, check=SEALED)

    assert verdict.passed, refusals(verdict)


def judged(folder: Path, base: Mapping[str, str], change: Changes, *, check: str = "") -> Verdict:
    """The verdict on a change: of a run, or of a mission with a sealed check."""
    verdicts: list[Verdict] = []

    async def whole() -> None:
        async with open_courtroom(folder, base) as room:
            path, command = "tests/test_sealed.py", "python3 -m pytest -q tests/test_sealed.py"
            checks = [Check(assertions=("VAL-CALC-001",), command=command, files=(path,))] if check else []
            sealed = room.sealed(checks, {path: check} if check else {})
            failing = await failing_on_base(room) if check else ()
            verdicts.append(await room.judge(room.commit(change), sealed, failing_on_base=failing))

    anyio.run(whole)
    return verdicts[0]


async def failing_on_base(room: Courtroom) -> tuple[str, ...]:
    """What a mission finds out when it is sealed."""
    command = dict(gates_of(await commands_at(room.court.store, room.base))).get(TESTS)
    if command is None:
        return ()
    place = await room.court.checkout(room.base, "before")
    async with room.court.start(Blueprint(checkout=str(place))) as sandbox:
        finished, _ = await room.court.run(sandbox, command)
    return (TESTS,) if finished.exit_code != 0 else ()


def test_a_runner_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    """A person's virtual environment is not seen in a sandbox; that is no fault of the work."""
    base = {**BASE, "services.toml": '[commands]\ntest = "python3 -m no_such_runner"\n'}
    (refusal, *_) = refusals(judged(tmp_path, base, {"calc.py": DONE}))

    assert "the sandbox has no no_such_runner: `[setup]` in services.toml" in refusal
