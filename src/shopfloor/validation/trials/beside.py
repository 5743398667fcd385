"""Trials side by side: each has a sandbox of its own, so that none can meet another.

Of one call there are no more at once than processors; calls within calls do not count each other. Without sandboxes
they would share ports and folders of one machine, and go one after the other. It does not know what is tried.
"""

import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

Told = TypeVar("Told")


async def side_by_side(*trials: Callable[[], Awaitable[Told]], apart: bool) -> tuple[Told, ...]:
    """What each of them says, in their order. One that raises ends all, and raises as if it had been alone."""
    said: dict[int, Told] = {}
    free = anyio.CapacityLimiter((os.cpu_count() or 1) if apart else 1)

    async def attend(number: int, trial: Callable[[], Awaitable[Told]]) -> None:
        async with free:
            said[number] = await trial()

    try:
        async with anyio.create_task_group() as group:
            for number, trial in enumerate(trials):
                group.start_soon(attend, number, trial)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return tuple(said[number] for number in range(len(trials)))
