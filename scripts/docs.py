"""Writes the pages of docs/ that the program itself knows best; with --check, only says which are out of date.

Help is laid out for a width of its own, never the terminal's. It does not know any command, setting or event by name.
"""

import argparse
import inspect
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import typer

from shopfloor.domain import contract, errors, events, exits, messages, mission, roles, spending
from shopfloor.domain.fact import Fact
from shopfloor.faces.cli.app import app
from shopfloor.faces.cli.exits import MEANINGS
from shopfloor.guard import permit
from shopfloor.models.prices import Price
from shopfloor.repo.discovery import Commands
from shopfloor.repo.services import App, Judging, Setup
from shopfloor.settings import PREFIX, Provider, Settings
from shopfloor.validation import meanings

DOCS = Path(__file__).resolve().parent.parent / "docs"
MARK = "<!-- Written by `make docs`; edit the source it comes from. -->"
WIDTH = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is out of date")
    pages = {f"{name}.md": f"{MARK}\n\n{text.strip()}\n" for name, text in _pages().items()}
    stale = [name for name, text in pages.items() if _on_disk(name) != text]
    if parser.parse_args().check:
        print("\n".join(f"docs/{name} is out of date: run `make docs`" for name in stale) or "all pages are up to date")
        return 1 if stale else 0
    DOCS.mkdir(exist_ok=True)
    for name in stale:
        (DOCS / name).write_text(pages[name], encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def _on_disk(name: str) -> str:
    page = DOCS / name
    return page.read_text(encoding="utf-8") if page.exists() else ""


def _pages() -> dict[str, str]:
    return {
        "cli": _cli(),
        "settings": _settings(),
        "services": _services(),
        "autonomy": _autonomy(),
        "exit-codes": _exit_codes(),
        "findings": _findings(),
        "glossary": _glossary(),
    }


def _cli() -> str:
    parts = ["# The command line"]
    for words, help_text in commands():
        parts.append(f"## {words}\n\n```text\n{help_text}\n```")
    return "\n\n".join(parts)


def commands() -> Iterator[tuple[str, str]]:
    """Each command with its help, groups before what is in them."""
    yield from _helped(typer.main.get_command(app), "shopfloor", None)


def _helped(command: typing.Any, words: str, parent: typing.Any) -> Iterator[tuple[str, str]]:
    """typer keeps the types of its commands to itself, hence Any."""
    context = command.context_class(
        command, info_name=words.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield words, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helped(inner, f"{words} {name}", context)


def _settings() -> str:
    rows = [
        f"| `{field.name}` | {_variable(field)} | {_type(field.type)} | {_default(field)} | {_described(field)} |"
        for field in msgspec.structs.fields(Settings)
    ]
    return "\n\n".join(
        (
            "# Settings",
            "Read once, at the start, each from the last of these places that names it: the default, your settings "
            "file, the environment, the flags of the command. The repository under work sets nothing. "
            "`shopfloor config show` says which value holds, and where it came from.",
            "Your settings file is `$XDG_CONFIG_HOME/shopfloor/config.toml` (else `~/.config/shopfloor/config.toml`). "
            "Keys of providers never stand in it: it names the environment variable that holds one.",
            "| Setting | Variable | Value | Default | Meaning |\n|---|---|---|---|---|\n" + "\n".join(rows),
            _table("[providers.NAME]", Provider),
            _table('[prices."PROVIDER:MODEL"]', Price),
            f"## An example\n\n```toml\n{_EXAMPLE}```",
        )
    )


def _services() -> str:
    example = (DOCS.parent / "README.md").read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    return "\n\n".join(
        (
            "# services.toml",
            "What a repository says of itself, at its root or as `.shopfloor/services.toml`: how it is set up, "
            "checked, started and judged. All of it may be left out; the usual commands are found without it. It is "
            "read from the commit a mission starts from, never from a worker's checkout, and has the last word: a "
            'command in it takes the place of one that was found, and `""` says that there is none.',
            f"```toml\n{example}```",
            _table("[setup]", Setup),
            "The set-up command runs once per content of the lock files, with the network only if it asks for it and "
            "the settings allow it. What it puts below `$DEPS` is seen by all later commands, read-only, and comes "
            "before everything else in `PATH` (`$DEPS/bin`, `$DEPS/venv/bin`).",
            _table("[commands]", Commands),
            _table("[app]", App),
            "The app is started in a clean checkout with `PORT` in its environment, and is up when its `health` says "
            "so; `stop` ends it politely before it is killed.",
            _table("[judge]", Judging),
        )
    )


_EXAMPLE = """\
model = "anthropic:claude-sonnet-5-5"
budget = "5usd|2h"

[models]
reviewer = "openrouter:openai/gpt-5.5"

[providers.lab]
base_url = "http://lab.example:8000/v1"
key_env = "LAB_KEY"

[prices."lab:*"]
input = 0.2
output = 0.8
"""


def _table(heading: str, kind: type[Fact]) -> str:
    rows = [f"| `{field.name}` | {_type(field.type)} | {_default(field)} |" for field in msgspec.structs.fields(kind)]
    head = "| Key | Value | Default |\n|---|---|---|\n"
    return f"## `{heading}`\n\n{inspect.getdoc(kind)}\n\n{head}" + "\n".join(rows)


def _variable(field: msgspec.structs.FieldInfo) -> str:
    return f"`{PREFIX}{field.name.upper()}`" if isinstance(field.default, str) else "-"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    return f"`{field.default}`" if isinstance(field.default, str) and field.default else "-"


def _described(field: msgspec.structs.FieldInfo) -> str:
    return str(typing.get_args(field.type)[1].description).replace("|", "\\|")


def _type(kind: object) -> str:
    """A type in the words of TOML."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is not None and arguments and type(None) in arguments:
        return _type(arguments[0])
    if origin is not None and typing.get_origin(arguments[0]) is typing.Literal:
        return f"table, keys {_type(arguments[0])}"
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    names = {str: "text", float: "number", int: "number", bool: "`true` or `false`"}
    return names.get(typing.cast("type", kind), "table")


def _autonomy() -> str:
    return "\n\n".join(
        (
            "# Autonomy",
            "What agents may do without asking: `--auto LEVEL`, or the setting `auto`. Where the table says *asks*, a "
            "person at the terminal is asked; with nobody there, the call is refused and the agent is told what it "
            "can do instead. What a sandbox shows and hides holds at every level.",
            permit.table().strip(),
        )
    )


def _exit_codes() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in MEANINGS]
    return "# Exit codes\n\n| Code | Meaning |\n|--:|---|\n" + "\n".join(rows)


def _findings() -> str:
    rows = [f"| {name} | {meaning} |" for name, meaning in meanings.MEANINGS.items()]
    about = (
        "What scrutiny and `shopfloor review` may say of a change. P0 and P1 refuse it, unless refuted; P2 and P3 are "
        "advice. How grave a finding is depends on the case, and stands in front of it."
    )
    return f"# Findings\n\n{about}\n\n| Finding | Meaning |\n|---|---|\n" + "\n".join(rows)


GLOSSARY = (contract, mission, roles, spending, messages, events, exits, errors)


def _glossary() -> str:
    parts = ["# Glossary", "The words of `shopfloor.domain`, as the source explains them."]
    for module in GLOSSARY:
        parts.append(f"## {module.__name__.rpartition('.')[2]}\n\n{inspect.getdoc(module)}")
        parts += [f"**{name}**: {text}" for name, text in words_of(module)]
    return "\n\n".join(parts)


def words_of(module: ModuleType) -> Iterator[tuple[str, str]]:
    """What a module defines, in its order: classes with what their docstrings say, and the values of an alias."""
    own = inspect.get_annotations(module)
    for name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield name, inspect.getdoc(value) or ""
        elif name in own and typing.get_origin(value) is typing.Literal:
            yield name, ", ".join(f"`{choice}`" for choice in typing.get_args(value))


if __name__ == "__main__":
    sys.exit(main())
