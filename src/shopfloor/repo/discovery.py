"""Which commands test, type-check, lint and build a repository that does not say so itself.

Pure over a list of paths and a function that reads one. It does not know whether the tools are installed.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

import msgspec

from shopfloor.domain.fact import Fact

ReadText: TypeAlias = Callable[[str], str]

_MOST_TESTS_READ = 40
"""Enough test files to see what they are written for; a repository may have thousands."""

_SETTINGS = (
    *("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini", "mypy.ini", ".mypy.ini"),
    *("package.json", "Makefile", "makefile", "GNUmakefile"),
)
_NPM_PLACEHOLDER = "no test specified"


class Commands(Fact, forbid_unknown_fields=True):
    """Shell commands, run in the root of a checkout. None: not known; "" in a services file: there is none."""

    test: str | None = None
    types: str | None = None
    lint: str | None = None
    build: str | None = None


class Found(Fact):
    """A command, and why it was chosen."""

    command: str
    why: str


class FoundCommands(Fact):
    """What was found, each with its reason."""

    test: Found | None = None
    types: Found | None = None
    lint: Found | None = None
    build: Found | None = None


class _Package(msgspec.Struct):
    """The one part of a package.json that matters here."""

    scripts: dict[str, str] = {}


class _Repository:
    """Paths and texts, read at most once each."""

    def __init__(self, files: Sequence[str], read: ReadText) -> None:
        self.files = frozenset(files)
        self._read = read
        self._texts: dict[str, str] = {}

    def text(self, path: str) -> str:
        """A file's text; "" if there is no such file."""
        if path not in self.files:
            return ""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def first(self, *paths: str) -> str | None:
        """The first of these paths that exists."""
        return next((path for path in paths if path in self.files), None)


def found_commands(files: Sequence[str], read: ReadText) -> FoundCommands:
    """Chooses commands by what the repository holds: the settings of its tools first, then what its tests look like."""
    repository = _Repository(files, read)
    return FoundCommands(
        test=_first_of(_test_candidates(repository)),
        types=_first_of(_types_candidates(repository)),
        lint=_first_of(_lint_candidates(repository)),
        build=_first_of(_build_candidates(repository)),
    )


def files_to_read(files: Sequence[str]) -> tuple[str, ...]:
    """The paths that `found_commands` may ask for, so that they can be fetched beforehand."""
    return (*(path for path in _SETTINGS if path in files), *_python_tests(files)[:_MOST_TESTS_READ])


def _first_of(candidates: Iterable[Found | None]) -> Found | None:
    return next((found for found in candidates if found is not None), None)


def _test_candidates(repository: _Repository) -> Iterable[Found | None]:
    yield _configured_pytest(repository)
    yield _script(repository, "test")
    yield _marker(repository, "Cargo.toml", "cargo test")
    yield _marker(repository, "go.mod", "go test ./...")
    yield _make(repository, "test")
    yield _python_by_its_tests(repository)
    yield _make(repository, "check")


def _types_candidates(repository: _Repository) -> Iterable[Found | None]:
    yield _script(repository, "typecheck", "type-check", "types", "check-types", "tsc")
    yield _make(repository, "typecheck", "types", "type-check")
    yield _python_tool(repository, "mypy", "python3 -m mypy .", ("mypy.ini", ".mypy.ini"), r"^\[mypy\]")
    yield _python_tool(repository, "pyright", "pyright", ("pyrightconfig.json",), None)
    yield _marker(repository, "tsconfig.json", "npx --no-install tsc --noEmit")
    yield _marker(repository, "Cargo.toml", "cargo check --all-targets")
    yield _marker(repository, "go.mod", "go vet ./...")


def _lint_candidates(repository: _Repository) -> Iterable[Found | None]:
    yield _script(repository, "lint")
    yield _make(repository, "lint")
    yield _python_tool(repository, "ruff", "ruff check .", ("ruff.toml", ".ruff.toml"), None)
    yield _python_tool(repository, "flake8", "python3 -m flake8", (".flake8",), r"^\[flake8\]")


def _build_candidates(repository: _Repository) -> Iterable[Found | None]:
    yield _script(repository, "build")
    yield _make(repository, "build")
    yield _marker(repository, "Cargo.toml", "cargo build")
    yield _marker(repository, "go.mod", "go build ./...")


# --- tools with a file of their own -----------------------------------------------------------------------------


def _marker(repository: _Repository, path: str, command: str) -> Found | None:
    return Found(command=command, why=f"there is a {path}") if path in repository.files else None


def _script(repository: _Repository, *names: str) -> Found | None:
    """A script of package.json, run by the package manager whose lock file is there."""
    try:
        scripts = msgspec.json.decode(repository.text("package.json") or "{}", type=_Package).scripts
    except (msgspec.DecodeError, RecursionError):
        return None
    for name in names:
        if scripts.get(name, "").strip() and _NPM_PLACEHOLDER not in scripts[name]:
            return Found(
                command=f"{_package_manager(repository)} run {name}", why=f"package.json has a script {name!r}"
            )
    return None


def _package_manager(repository: _Repository) -> str:
    managers = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lockb": "bun", "bun.lock": "bun"}
    return next((manager for lock, manager in managers.items() if lock in repository.files), "npm")


def _make(repository: _Repository, *names: str) -> Found | None:
    makefile = repository.first("GNUmakefile", "makefile", "Makefile")
    if makefile is None:
        return None
    rules = re.findall(r"^([A-Za-z0-9_][A-Za-z0-9_. /-]*?)[ \t]*::?(?!=)", repository.text(makefile), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    for name in names:
        if name in targets:
            return Found(command=f"make {name}", why=f"{makefile} has a target {name!r}")
    return None


def _python_tool(
    repository: _Repository, tool: str, command: str, own_files: tuple[str, ...], section: str | None
) -> Found | None:
    own = repository.first(*own_files)
    if own is not None:
        return Found(command=command, why=f"there is a {own}")
    if re.search(rf"^\[+tool\.{tool}[.\]]", repository.text("pyproject.toml"), re.MULTILINE):
        return Found(command=command, why=f"pyproject.toml configures {tool}")
    for path in ("setup.cfg", "tox.ini"):
        if section and re.search(section, repository.text(path), re.MULTILINE):
            return Found(command=command, why=f"{path} configures {tool}")
    return None


# --- Python tests -----------------------------------------------------------------------------------------------


def _configured_pytest(repository: _Repository) -> Found | None:
    why = _pytest_settings(repository)
    return None if why is None else Found(command=_with_source_path(repository, "python3 -m pytest"), why=why)


def _pytest_settings(repository: _Repository) -> str | None:
    own = repository.first("pytest.ini", ".pytest.ini")
    if own is not None:
        return f"there is a {own}"
    for path, section in (
        ("pyproject.toml", r"^\[tool\.pytest[.\]]"),
        ("setup.cfg", r"^\[tool:pytest\]"),
        ("tox.ini", r"^\[pytest\]|^\s*(commands\s*=\s*)?(python -m )?(py\.test|pytest)\b"),
    ):
        if re.search(section, repository.text(path), re.MULTILINE):
            return f"{path} configures pytest"
    conftest = next((path for path in sorted(repository.files) if PurePosixPath(path).name == "conftest.py"), None)
    return None if conftest is None else f"there is a {conftest}"


def _python_by_its_tests(repository: _Repository) -> Found | None:
    """pytest only when a test asks for it, or is written so that nothing else would run it; else unittest."""
    tests = _python_tests(repository.files)
    texts = {path: repository.text(path) for path in tests[:_MOST_TESTS_READ]}
    for path, text in texts.items():
        if re.search(r"^\s*(import|from)\s+pytest\b", text, re.MULTILINE):
            return Found(command=_with_source_path(repository, "python3 -m pytest"), why=f"{path} imports pytest")
    if any(_uses_unittest(text) for text in texts.values()):
        why = f"there are unittest-style tests, such as {next(p for p, text in texts.items() if _uses_unittest(text))}"
        return Found(command=_unittest_command(repository, tests), why=why)
    for path, text in texts.items():
        if re.search(r"^(async )?def test_|^class Test", text, re.MULTILINE):
            why = f"{path} has plain test functions, which only pytest runs"
            return Found(command=_with_source_path(repository, "python3 -m pytest"), why=why)
    return None


def _python_tests(files: Iterable[str]) -> list[str]:
    return sorted(path for path in files if re.search(r"(^|/)(test_[^/]*|[^/]*_test)\.py$", path))


def _uses_unittest(text: str) -> bool:
    return re.search(r"^class \w+\(.*TestCase\b|^def load_tests\b|\bFunctionTestCase\(", text, re.MULTILINE) is not None


def _unittest_command(repository: _Repository, tests: Sequence[str]) -> str:
    """One `discover` per place and pattern: discovery only descends into folders that are packages."""
    searches = dict.fromkeys(_search(repository, PurePosixPath(path)) for path in tests)
    commands = ["python3 -m unittest discover" + words for words in searches]
    return " && ".join(_with_source_path(repository, command) for command in commands)


def _search(repository: _Repository, test: PurePosixPath) -> str:
    start = test.parent
    is_package = _is_package(repository, start)
    while _is_package(repository, start.parent) and start.parent != PurePosixPath():
        if not is_package:
            break
        start = start.parent
    words = "" if start == PurePosixPath() else f" -s {shlex.quote(str(start))}"
    if is_package:
        words += f" -t {shlex.quote(str(start.parent))}"
    return words if test.name.startswith("test") else words + " -p '*_test.py'"


def _is_package(repository: _Repository, folder: PurePosixPath) -> bool:
    return folder != PurePosixPath() and str(folder / "__init__.py") in repository.files


def _with_source_path(repository: _Repository, command: str) -> str:
    """Lets tests import from a `src` folder whether or not the project is installed."""
    has_source = any(path.startswith("src/") and path.endswith(".py") for path in repository.files)
    return f"PYTHONPATH=src {command}" if has_source else command
