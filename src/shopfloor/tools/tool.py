"""A tool is data: what the model reads, how its arguments are typed, what it would do, and the function that does it.

It does not know who calls it, nor whether the call is allowed.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar, dataclass_transform

import msgspec

from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import Image
from shopfloor.guard.actions import Action


class Answer(Fact):
    """What a tool says. `output` is the blob of the whole output where `text` is only a part of it."""

    text: str
    ok: bool = True
    exit_code: int | None = None
    output: str | None = None
    images: tuple[Image, ...] = ()


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model passes to a tool. A field that the tool does not have is an error, never silently dropped."""


A = TypeVar("A", bound=Arguments)


class Tool(msgspec.Struct, Generic[A], frozen=True, kw_only=True):
    """One thing an agent can do.

    `run` may raise AskModelAgain (the model can mend the call) and NeedsHuman; `repeatable` says whether the same call
    may be performed again when a crash left it unknown whether it was.
    """

    name: str
    description: str
    arguments: type[A]
    run: Callable[[A], Awaitable[Answer]]
    action: Callable[[A], Action]
    repeatable: Callable[[A], bool]


AnyTool: TypeAlias = Tool[Any]


def always(_: Arguments) -> bool:
    """For calls that change nothing, or leave the same thing behind however often they are performed."""
    return True


def never(_: Arguments) -> bool:
    """For calls that must not happen twice."""
    return False


def prose(name: str) -> str:
    """The description kept in `NAME.md` beside this module."""
    return Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8").strip()
