"""The tool that ends a role's work: it hands in a value that is checked before it counts.

It does not know what the value is for.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from shopfloor.guard.actions import Internal
from shopfloor.tools.tool import Answer, Arguments, Tool, always

Handed = TypeVar("Handed", bound=Arguments)


def finish_tool(
    name: str, description: str, arguments: type[Handed], accept: Callable[[Handed], Awaitable[msgspec.Struct]]
) -> Tool[Handed]:
    """A finish tool. `accept` returns the value to hand in, or raises AskModelAgain with what must be mended."""

    async def run(handed: Handed) -> Answer:
        value = await accept(handed)
        return Answer(text=msgspec.json.encode(value).decode())

    return Tool(
        name=name,
        description=description,
        arguments=arguments,
        run=run,
        action=lambda handed: Internal(),
        repeatable=always,
    )
