"""Trials side by side."""

import anyio
import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.validation.trials.beside import side_by_side


async def _most_at_once() -> int:
    running: list[int] = []
    seen: list[int] = []

    async def trial() -> int:
        running.append(1)
        seen.append(len(running))
        await anyio.sleep(0.01)
        running.pop()
        return len(seen)

    await side_by_side(trial, trial, trial, apart=False)
    return max(seen)


def test_what_shares_a_machine_goes_one_after_the_other() -> None:
    """Without sandboxes no trial meets another one's port or file."""
    assert anyio.run(_most_at_once) == 1


def test_each_is_heard_in_its_place() -> None:
    """Whoever ends first, what is said stands where it was asked for."""

    async def slow() -> str:
        await anyio.sleep(0.05)
        return "slow"

    async def quick() -> str:
        return "quick"

    async def both() -> tuple[str, ...]:
        return await side_by_side(slow, quick, apart=True)

    assert anyio.run(both) == ("slow", "quick")


def test_an_error_is_the_one_that_a_trial_alone_would_raise() -> None:
    """Who waits for GiveUp is not given a group of errors, and nothing goes on behind its back."""
    ended: list[str] = []

    async def gives_up() -> str:
        raise GiveUp("no more")

    async def goes_on() -> str:
        await anyio.sleep(60)
        ended.append("went on")
        return ""

    async def both() -> tuple[str, ...]:
        return await side_by_side(goes_on, gives_up, apart=True)

    with pytest.raises(GiveUp, match="no more"):
        anyio.run(both)
    assert ended == []
