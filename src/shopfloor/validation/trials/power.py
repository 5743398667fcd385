"""How much the tests really see of a change that passed them: what they run, what they would notice, whether by chance.

Only changes of Python are tried, and only where the tests passed without an excuse. Nothing here speaks in favour of a
change. Tests that pass by chance speak against it, and so do those that run nothing of it where they are all the proof.
It does not know who asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from shopfloor.domain.mission import CheckOutcome
from shopfloor.repo.sources import is_test, language_of
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.statements import changed_statements
from shopfloor.validation.told import Told
from shopfloor.validation.trials.coverage import Covered, covered
from shopfloor.validation.trials.mutation import MUTATION_S, Mutated, mutated
from shopfloor.validation.trials.order import ORDER_S, Ordered, ordered, tests_brought
from shopfloor.validation.trials.stage import Stage

POWER = "power of the tests"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How many seconds the trials may take that could go on for ever."""

    mutation_s: float
    order_s: float


THOROUGH = Patience(mutation_s=MUTATION_S, order_s=ORDER_S)
"""For a person who asks for a review, and waits for nothing else."""
BRIEF = Patience(mutation_s=1.5, order_s=1.5)
"""For a mission, that judges again and again."""


async def power_of_tests(
    landing: Stage, base: Stage, command: str, changes: Sequence[Change], patience: Patience, *, is_proof: bool = False
) -> Told:
    """Tries what the tests see of these changes, which they passed; nothing where there is nothing to try.

    Where they are all the proof there is (`is_proof`), they must run something of what was changed.
    """
    product, brought = any(map(changed_statements, changes)), tests_brought(changes)
    if not product and not brought:
        return _of_others(changes)
    seen: list[Covered] = []
    noticed: list[Mutated] = []
    by_chance: list[Ordered] = []

    async def see() -> None:
        seen.append(one := await covered(landing, command, changes, is_proof=is_proof))
        noticed.append(await mutated(landing, command, changes, one, patience.mutation_s))

    async def reorder() -> None:
        by_chance.append(await ordered(landing, base, command, brought, patience.order_s))

    async with anyio.create_task_group() as group:
        for is_due, trial in ((product, see), (brought, reorder)):
            if is_due:
                group.start_soon(trial)
    said = (*seen, *noticed, *by_chance)
    return Told(
        checks=tuple(one.outcome for one in said), findings=tuple(finding for one in said for finding in one.findings)
    )


def _of_others(changes: Sequence[Change]) -> Told:
    """What is said where no Python changed: nothing, unless another language did."""
    if all(language_of(change.path) in ("", "python") or is_test(change.path) for change in changes):
        return Told()
    return not_tried("only changes of Python are")


def not_tried(why: str) -> Told:
    """The word on tests that could not be tried."""
    return Told(checks=(CheckOutcome(name=POWER, passed=True, detail=f"not checked: {why}"),))
