"""Code that a change brings and nothing reaches; and code that only looks so."""

from collections.abc import Collection

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.unused import IDLE, UNREACHABLE, UNUSED, names_of, sources_of, unused

BEFORE = "def add(a, b):\n    return a + b\n"


def told(after: str, *others: Change, path: str = "app.py", said: Collection[str] = ()) -> list[tuple[str, str, int]]:
    changes = [Change(path=path, before=BEFORE, after=after), *others]
    found = unused(changes, sources_of(changes), said)
    return [(one.check, one.severity, one.line) for one in found]


def function(body: str) -> str:
    return (
        BEFORE + "\n\ndef add_all(some):\n" + "".join(f"    {line}\n" for line in body.splitlines()) + "\nadd_all([])\n"
    )


UNREACHED = {
    "after a return": ("return 1\nprint(2)", 7),
    "after a raise": ("try:\n    add(1, 2)\nexcept ValueError:\n    raise\n    print(2)", 10),
    "after a break": ("for one in some:\n    break\n    print(one)", 8),
    "after continue": ("while some:\n    continue\n    print(1)", 8),
    "under False": ("if False:\n    print(1)\nreturn 2", 6),
    "under 0": ("while 0:\n    print(1)", 6),
}


@pytest.mark.parametrize("kind", UNREACHED)
def test_a_statement_that_cannot_run_is_told(kind: str) -> None:
    """Once for each block, at the first of them."""
    body, line = UNREACHED[kind]

    assert told(function(body)) == [(UNREACHABLE, "P2", line)]


@pytest.mark.parametrize(
    "body",
    [
        "raise NotImplementedError\nyield",
        "if False:\n    import typing\nreturn typing",
        "if some:\n    return 1\nreturn 2",
        "return 1",
    ],
)
def test_what_says_something_without_running_is_left_alone(body: str) -> None:
    """A yield makes a generator of it, an import tells a type; and branches may be taken."""
    assert told(function(body)) == []


def test_dead_code_that_was_there_is_nobodys_fault() -> None:
    """Also when it stands on another line now."""
    dead = function("return 1\nprint(2)")

    changes = [Change(path="app.py", before=dead, after="import os\n" + dead + "os.sep\n")]

    assert unused(changes, sources_of(changes), ()) == ()


UNSAID = {
    "function": "def sub(a, b):\n    return a - b\n",
    "recursive function": "def sub(a, b):\n    return sub(a - 1, b) if a else b\n",
    "class": "class Sum:\n    total = 0\n",
    "error": "class Overflow(ValueError):\n    pass\n",
    "constant": "LARGEST = 10\n",
    "private one": "_largest: int = 10\n",
    "private method": "class Sum:\n    def _doubled(self):\n        return 2\n\n\nprint(Sum())\n",
}


@pytest.mark.parametrize("kind", UNSAID)
def test_a_new_name_that_nothing_mentions_is_told(kind: str) -> None:
    """Whatever it names."""
    after = f"{BEFORE}\n\n{UNSAID[kind]}"
    line = 6 if kind == "private method" else 5

    assert told(after) == [(UNUSED, "P2", line)]


SAID = {
    "in its own file": ("def sub(a, b):\n    return a - b\n\n\nprint(sub(2, 1))\n", "app.py"),
    "in __all__": ('__all__ = ["sub"]\n\n\ndef sub(a, b):\n    return a - b\n', "app.py"),
    "by a decorator": ("@app.command()\ndef sub(a, b):\n    return a - b\n", "app.py"),
    "by a base": ("class Sub(Command):\n    pass\n", "app.py"),
    "by a stranger's base": ("class Sub(Command):\n    def _run(self):\n        pass\n\n\nprint(Sub)\n", "app.py"),
    "by convention": ("def main():\n    return 1\n\n\ndef pytest_configure(config):\n    pass\n", "app.py"),
    "by its module": (
        "def __getattr__(name):\n    return globals()['sub_' + name]\n\n\ndef sub_one():\n    pass\n",
        "app.py",
    ),
    "by a framework": ("LARGEST = 10\n", "app/settings.py"),
    "by a runner of tests": ("def helper():\n    pass\n", "tests/test_app.py"),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_may_be_reached_is_left_alone(kind: str) -> None:
    """Wherever somebody may come to it without this text saying so."""
    text, path = SAID[kind]

    assert told(f"{BEFORE}\n\n{text}", path=path) == []


def test_any_file_may_say_it() -> None:
    """One that changed, one that did not, and be it no Python: a plug-in is named in configuration."""
    after = f"{BEFORE}\n\ndef sub(a, b):\n    return a - b\n"
    other = Change(path="pyproject.toml", before="", after='[project.scripts]\nsub = "app:sub"\n')

    assert names_of(sources_of([Change(path="app.py", before=BEFORE, after=after)])) == {"sub"}
    assert told(after, other) == []
    assert told(after, said={"sub"}) == []


def test_what_moved_is_not_new() -> None:
    """A name that any of the changed files had before was somebody's then."""
    gone = Change(path="old.py", before="def sub(a, b):\n    return a - b\n", after=None)

    assert told(f"{BEFORE}\n\ndef sub(a, b):\n    return a - b\n", gone) == []


@pytest.mark.parametrize(
    ("line", "path", "said"),
    [
        ("import json", "app.py", (IDLE, "P3", 1)),
        ("from collections.abc import Iterator", "app.py", (IDLE, "P3", 1)),
        ("from app.parts import piece", "tests/test_app.py", (IDLE, "P3", 1)),
        ("from app.parts import piece", "app.py", None),
        ("from app.parts import piece as piece", "app.py", None),
        ("from app.parts import *", "app.py", None),
        ("import json  # noqa: F401", "app.py", None),
        ("from __future__ import annotations", "app.py", None),
        ("try:\n    import json\nexcept ImportError:\n    pass", "app.py", None),
        ("import json", "app/__init__.py", None),
    ],
)
def test_a_new_import_that_is_never_used_is_a_note(line: str, path: str, said: tuple[str, str, int] | None) -> None:
    """Unless another file may take it from here, or it says that it is meant."""
    assert told(f"{line}\n{BEFORE}", path=path, said={"piece"}) == ([said] if said else [])


def test_what_cannot_be_parsed_says_nothing() -> None:
    """A syntax error is told by others."""
    assert told("def broken(:\n") == []
