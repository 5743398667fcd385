"""What keeps the house in order and no linter knows: quiet imports, light help, words in their places."""

import ast
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
import typer

from shopfloor.domain import events
from shopfloor.faces.cli.app import app
from shopfloor.faces.cli.exits import MEANINGS
from shopfloor.settings import Settings

TOP = Path(__file__).resolve().parent.parent
ROOMS = TOP / "src" / "shopfloor"
SOURCES = sorted(ROOMS.rglob("*.py"))
ROOM_SOURCES = [path for path in SOURCES if "testing" not in path.relative_to(ROOMS).parts[:1]]
"""`testing` stands beside the house; it holds whole files that pretended workers write."""
TESTS = sorted((TOP / "tests").rglob("*.py"))
LONGEST_LITERAL = 200
HEAVY = ("rich", "httpx2", "playwright", "genai_prices", "pydantic", "sqlite3", "anyio", "msgspec")
HELP_NEEDS = {
    *("shopfloor", "shopfloor.__main__", "shopfloor.faces", "shopfloor.faces.cli", "shopfloor.faces.cli.app"),
    *("shopfloor.faces.cli.exits", "shopfloor.faces.cli.output", "shopfloor.domain", "shopfloor.domain.errors"),
    "shopfloor.domain.exits",
}
WIDE_EXCEPTS = {"validation/drivers/hands/serve.py": 1}
"""Where `except Exception` may stand, and how often: the border of the judge's hands, which tells and raises again."""

WATCH = """
import json, os, pkgutil, sys
seen = []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"opens {arguments[0]} to write")
    elif event.startswith(("socket.", "subprocess.", "os.system", "os.mkdir", "os.exec", "os.fork", "os.posix_spawn")):
        seen.append(f"{event} {arguments}")
sys.addaudithook(hook)
import shopfloor
modules = [found.name for found in pkgutil.walk_packages(shopfloor.__path__, "shopfloor.")]
for name in modules:
    if name != "shopfloor.__main__":
        __import__(name)
sys.stdout.write(json.dumps([len(modules), seen]))
"""


def test_importing_does_nothing_else(tmp_path: Path) -> None:
    """Importing every module of shopfloor writes no file, prints nothing, connects nowhere, starts no process."""
    done = subprocess.run(
        (sys.executable, "-B", "-c", WATCH), capture_output=True, text=True, check=True, cwd=tmp_path, env=_plain_env()
    )

    count, seen = json.loads(done.stdout)
    assert (seen, done.stderr, sorted(tmp_path.iterdir())) == ([], "", [])
    assert count >= len(SOURCES) - 20


def test_help_imports_nothing_but_the_command_line() -> None:
    """`shopfloor --help` answers at once, because nothing that does any work is imported for it."""
    words = (sys.executable, "-X", "importtime", "-m", "shopfloor", "--help")
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=_plain_env())
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}

    assert {name for name in imported if name.partition(".")[0] in HEAVY} == set()
    assert {name for name in imported if name.partition(".")[0] == "shopfloor"} <= HELP_NEEDS


@pytest.mark.parametrize("source", ROOM_SOURCES, ids=lambda path: str(path.relative_to(ROOMS)))
def test_no_prose_in_code(source: Path) -> None:
    """Long texts that a model or a person reads live in .md files beside the module."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    long = [f"line {line}: {size} characters" for line, size in _literals(tree) if size > LONGEST_LITERAL]

    assert long == []


def test_errors_are_caught_by_name() -> None:
    """`except Exception` stands only at its few addresses; `except BaseException` cleans up and raises again."""
    wide: dict[str, int] = {}
    for source in SOURCES:
        for handler in _handlers(source):
            place = str(source.relative_to(ROOMS))
            if _catches(handler) in ("", "Exception"):
                wide[place] = wide.get(place, 0) + 1
            if _catches(handler) in ("", "Exception", "BaseException"):
                assert any(isinstance(node, ast.Raise) for node in ast.walk(handler)), f"{place}:{handler.lineno}"

    assert wide == WIDE_EXCEPTS


def test_nothing_is_mocked() -> None:
    """Tests use the real parts, or a fake that the conformance suites hold to the same promises."""
    found = [f"{path.relative_to(TOP)}:{line}: {what}" for path in TESTS for line, what in _mocks(path)]

    assert found == []


def test_rooms_have_names() -> None:
    """A room that could be called anything would come to hold everything."""
    names = {path.stem for path in (*SOURCES, *(source.parent for source in SOURCES))}

    assert names & {"core", "common", "base", "shared", "utils", "util", "helpers", "misc"} == set()


@pytest.mark.parametrize("event", get_args(events.Event), ids=lambda event: event.__name__)
def test_every_event_is_explained(event: type) -> None:
    """Each kind of fact says what it means, and the glossary says it too."""
    said = inspect.getdoc(event)
    assert event.__doc__ and said
    assert f"**{event.__name__}**: {said}" in _page("glossary")


def test_every_setting_is_documented() -> None:
    """Each setting has a row of its own, with its meaning."""
    rows = {line.split("|")[1].strip(): line for line in _page("settings").splitlines() if line.startswith("| `")}
    for field in msgspec.structs.fields(Settings):
        (meaning,) = (note.description for note in get_args(field.type)[1:])
        assert meaning.replace("|", r"\|") in rows[f"`{field.name}`"]


def test_every_command_and_option_is_documented() -> None:
    """The page of the command line has each command under a heading, with each option and argument explained."""
    page = _page("cli")
    for words, command in _commands(typer.main.get_command(app), "shopfloor"):
        section = page.partition(f"## {words}\n")[2].partition("\n## ")[0]
        assert section, f"{words} has no section"
        assert command.help, f"{words} has no help"
        for parameter in command.params:
            assert all(name in section for name in (*parameter.opts, parameter.help or "?")[:1]), (words, parameter)
            assert parameter.name == "help" or parameter.help, f"{words}: {parameter.name} has no help"


def test_every_exit_code_is_documented() -> None:
    """Each code has a row, and no code has two meanings."""
    assert all(f"| {code} | {meaning} |" in _page("exit-codes") for code, meaning in MEANINGS)
    assert len({code for code, _ in MEANINGS}) == len(MEANINGS)


def test_forbidden_words_are_found(tmp_path: Path) -> None:
    """The check of tracked files names a secret, a package host, a foreign path and an endless prompt."""
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "files.py"
    script.write_bytes((TOP / "scripts" / "files.py").read_bytes())
    subprocess.run(("git", "init", "-q"), cwd=tmp_path, check=True)
    words = (sys.executable, "-B", str(script))
    before = subprocess.run(words, capture_output=True, text=True, check=False)
    host, key = "files.python" + "hosted.org", "sk-" + "a1" * 12
    (tmp_path / "notes.txt").write_text(f"fine\nsee {host}\nkey={key}\n{'/Us'}ers/x\n{tmp_path}/y\n")
    prompt = tmp_path / "src" / "room" / "prompts" / "endless.md"
    prompt.parent.mkdir(parents=True)
    prompt.write_text("word " * 2_000)

    after = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (before.returncode, before.stdout) == (0, "nothing found\n")
    assert (after.returncode, [line.partition(" ")[0] for line in after.stdout.splitlines()]) == (
        1,
        ["notes.txt:2", "notes.txt:3", "notes.txt:4", "notes.txt:5", "src/room/prompts/endless.md"],
    )


def _plain_env() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def _page(name: str) -> str:
    return (TOP / "docs" / f"{name}.md").read_text(encoding="utf-8")


def _literals(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Line and length of each text that is neither a docstring nor a pattern."""
    exempt = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            exempt.add(id(node.args[0]))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exempt:
            yield node.lineno, len(node.value)
        elif isinstance(node, ast.JoinedStr):
            texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            yield node.lineno, sum(len(text) for text in texts if isinstance(text, str))


def _handlers(source: Path) -> Iterator[ast.ExceptHandler]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


def _catches(handler: ast.ExceptHandler) -> str:
    return "" if handler.type is None else ast.unparse(handler.type)


def _mocks(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if any(name.split(".")[-1] in ("mock", "pytest_mock", "MagicMock", "patch") for name in names):
                yield node.lineno, "imports a mock"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("monkeypatch.setattr", "monkeypatch.setitem"):
            yield node.lineno, "replaces a part"
        elif isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "asks for a mock"


def _commands(command: typer.core.TyperCommand, words: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{words} {name}")
