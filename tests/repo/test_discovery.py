"""Which commands a repository is checked with when it does not say so itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shopfloor.repo.discovery import Commands, Found, FoundCommands, files_to_read, found_commands

UNITTEST = """import unittest
class T(unittest.TestCase):
    def test_it(self):
        import app
        self.assertEqual(app.ONE, 1)
"""
PLAIN = "import app\ndef test_it():\n    assert app.ONE == 1\n"
PYTEST = "import pytest\n" + PLAIN
APP = {"app.py": "ONE = 1\n"}
SOURCE_APP = {"src/app/__init__.py": "ONE = 1\n"}

PYTHON = {
    "unittest at the top": (APP | {"test_app.py": UNITTEST}, "python3 -m unittest discover"),
    "unittest with the other pattern": (APP | {"app_test.py": UNITTEST}, "python3 -m unittest discover -p '*_test.py'"),
    "unittest in a folder": (APP | {"tests/test_app.py": UNITTEST}, "python3 -m unittest discover -s tests"),
    "unittest in a package": (
        APP | {"tests/__init__.py": "", "tests/test_app.py": UNITTEST},
        "python3 -m unittest discover -s tests -t .",
    ),
    "unittest in a package in a package": (
        APP | {"tests/__init__.py": "", "tests/unit/__init__.py": "", "tests/unit/test_app.py": UNITTEST},
        "python3 -m unittest discover -s tests -t .",
    ),
    "unittest in two folders": (
        APP | {"tests/unit/test_app.py": UNITTEST, "tests/integration/test_app.py": UNITTEST},
        "python3 -m unittest discover -s tests/integration && python3 -m unittest discover -s tests/unit",
    ),
    "unittest in a folder with a space": (
        APP | {"my tests/test_app.py": UNITTEST},
        "python3 -m unittest discover -s 'my tests'",
    ),
    "unittest of a src layout": (
        SOURCE_APP | {"tests/test_app.py": UNITTEST, "pyproject.toml": "[project]\nname = 'app'\n"},
        "PYTHONPATH=src python3 -m unittest discover -s tests",
    ),
    "plain functions": (APP | {"test_app.py": PLAIN}, "python3 -m pytest"),
    "a test that imports pytest": (APP | {"tests/test_app.py": PYTEST}, "python3 -m pytest"),
    "pytest of a src layout": (SOURCE_APP | {"tests/test_app.py": PYTEST}, "PYTHONPATH=src python3 -m pytest"),
    "pytest beside unittest": (APP | {"test_a.py": UNITTEST, "test_b.py": PYTEST}, "python3 -m pytest"),
    "pytest.ini": (APP | {"pytest.ini": "[pytest]\n", "test_app.py": UNITTEST}, "python3 -m pytest"),
    "pyproject": (
        APP | {"pyproject.toml": "[tool.pytest.ini_options]\n", "test_app.py": UNITTEST},
        "python3 -m pytest",
    ),
    "setup.cfg": (APP | {"setup.cfg": "[tool:pytest]\n", "test_app.py": UNITTEST}, "python3 -m pytest"),
    "tox section": (APP | {"tox.ini": "[pytest]\n", "test_app.py": UNITTEST}, "python3 -m pytest"),
    "tox command": (APP | {"tox.ini": "[testenv]\ncommands = pytest -q\n", "test_app.py": PLAIN}, "python3 -m pytest"),
    "conftest": (APP | {"tests/conftest.py": "", "tests/test_app.py": UNITTEST}, "python3 -m pytest"),
}

OTHERS = {
    "nothing": ({"README.md": "x"}, Commands()),
    "no test in tests": ({"tests/data.json": "{}"}, Commands()),
    "a test that tests nothing": ({"test_data.py": "ROWS = 3\n"}, Commands()),
    "npm": (
        {"package.json": '{"scripts": {"test": "vitest run", "type-check": "tsc", "lint": "x", "build": "vite"}}'},
        Commands(test="npm run test", types="npm run type-check", lint="npm run lint", build="npm run build"),
    ),
    "pnpm": ({"package.json": '{"scripts": {"test": "x"}}', "pnpm-lock.yaml": ""}, Commands(test="pnpm run test")),
    "yarn": ({"package.json": '{"scripts": {"test": "x"}}', "yarn.lock": ""}, Commands(test="yarn run test")),
    "npm's placeholder": (
        {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
        Commands(),
    ),
    "broken package.json": ({"package.json": "{"}, Commands()),
    "odd package.json": ({"package.json": '{"scripts": {"test": 3}}'}, Commands()),
    "package.json without scripts": ({"package.json": '{"name": "x"}'}, Commands()),
    "typescript without scripts": ({"tsconfig.json": "{}"}, Commands(types="npx --no-install tsc --noEmit")),
    "make": (
        {"Makefile": ".PHONY: test\nTEST := no\nlint:=no\ntest lint: deps\n\tcheck: x\nbuild::\n\tx\n"},
        Commands(test="make test", lint="make lint", build="make build"),
    ),
    "make check": ({"Makefile": "check:\n\tx\n"}, Commands(test="make check")),
    "make variables only": ({"Makefile": "test = x\ntest := x\ntest ?= x\n"}, Commands()),
    "make check with python tests": (
        APP | {"Makefile": "check:\n\tx\n", "test_app.py": UNITTEST},
        Commands(test="python3 -m unittest discover"),
    ),
    "make test with python tests": (
        APP | {"Makefile": "test:\n\tx\n", "test_app.py": UNITTEST},
        Commands(test="make test"),
    ),
    "cargo": (
        {"Cargo.toml": "[package]"},
        Commands(test="cargo test", types="cargo check --all-targets", build="cargo build"),
    ),
    "go": ({"go.mod": "module x"}, Commands(test="go test ./...", types="go vet ./...", build="go build ./...")),
    "python tools": (
        {"pyproject.toml": "[tool.mypy]\nstrict = true\n[tool.ruff.lint]\n"},
        Commands(types="python3 -m mypy .", lint="ruff check ."),
    ),
    "mypy overrides": ({"pyproject.toml": "[[tool.mypy.overrides]]\n"}, Commands(types="python3 -m mypy .")),
    "pyright": ({"pyrightconfig.json": "{}", "ruff.toml": ""}, Commands(types="pyright", lint="ruff check .")),
    "setup.cfg tools": (
        {"setup.cfg": "[flake8]\n[mypy]\n"},
        Commands(types="python3 -m mypy .", lint="python3 -m flake8"),
    ),
}


def _commands(found: FoundCommands) -> Commands:
    def command(one: Found | None) -> str | None:
        return None if one is None else one.command

    return Commands(
        test=command(found.test), types=command(found.types), lint=command(found.lint), build=command(found.build)
    )


def _find(files: dict[str, str]) -> FoundCommands:
    return found_commands(tuple(files), files.__getitem__)


@pytest.mark.parametrize(("files", "command"), PYTHON.values(), ids=PYTHON.keys())
def test_python_tests_are_found_and_the_command_runs_them(files: dict[str, str], command: str, tmp_path: Path) -> None:
    """The command is the expected one, and for real: green as it is, red when the code breaks."""
    found = _find(files).test

    assert found is not None
    assert found.command == command
    assert _run(found.command, files, tmp_path / "green") == 0
    broken = {path: text.replace("ONE = 1", "ONE = 2") for path, text in files.items()}
    assert _run(found.command, broken, tmp_path / "red") == 1


def _run(command: str, files: dict[str, str], folder: Path) -> int:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    surroundings = {name: text for name, text in os.environ.items() if not name.startswith("PY")}
    surroundings["PATH"] = f"{Path(sys.executable).parent}:{surroundings['PATH']}"
    return subprocess.run(
        command, shell=True, cwd=folder, env=surroundings, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize(("files", "expected"), OTHERS.values(), ids=OTHERS.keys())
def test_other_tools_are_found_by_what_they_leave(files: dict[str, str], expected: Commands) -> None:
    """Scripts, targets and settings are believed; placeholders and broken files are not."""
    assert _commands(_find(files)) == expected


@pytest.mark.parametrize("files", [files for files, _ in (*PYTHON.values(), *OTHERS.values())])
def test_every_choice_names_its_reason_and_reads_only_what_was_announced(files: dict[str, str]) -> None:
    """What is to be read is known beforehand; each command says which file it was chosen for."""
    announced = set(files_to_read(tuple(files)))

    def read(path: str) -> str:
        assert path in announced
        return files[path]

    found = found_commands(tuple(files), read)

    for one in (found.test, found.types, found.lint, found.build):
        assert one is None or any(path in one.why for path in files), one


def test_a_thousand_tests_are_not_all_read() -> None:
    """The cost of looking does not grow with the repository."""
    files = {f"tests/test_{number:04}.py": UNITTEST for number in range(1000)}

    assert len(files_to_read(tuple(files))) == 40
    assert _commands(_find(files)).test == "python3 -m unittest discover -s tests"
