"""Whoever meets a finding's name can look up what it is about."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from shopfloor import validation
from shopfloor.validation.meanings import MEANINGS

ELSEWHERE = ("inside", "watching", "hands")
"""What runs beside the judged product, and finds nothing itself."""


def rooms() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(validation.__path__, "shopfloor.validation."):
        if not set(found.name.split(".")) & set(ELSEWHERE):
            yield importlib.import_module(found.name)


def names_given(module: ModuleType) -> Iterator[str]:
    """The names that findings are made with in a module: words of its own, or constants that it can see."""
    assert module.__file__ is not None
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="finding" | "_finding"), args=[given, *_]):
                pass
            case ast.Call(func=ast.Name(id="Finding"), keywords=[ast.keyword(arg="check", value=given), *_]):
                pass
            case _:
                continue
        match given:
            case ast.Constant(value=str(word)):
                yield word
            case ast.Name(id=name) if name.isupper():
                yield getattr(module, name)
            case _:
                pass


def test_every_finding_has_a_meaning_and_every_meaning_a_finding() -> None:
    """A name without a meaning, or the meaning of what is never found, would mislead whoever looks it up."""
    assert {name for module in rooms() for name in names_given(module)} == set(MEANINGS)
