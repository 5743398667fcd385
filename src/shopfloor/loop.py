"""The one shape: a loop has entry conditions, steps, and exits.

Every room keeps its own plain `while`. What they share is here: when to leave, and under which name.
It does not know what a step is.
"""

from shopfloor.domain.exits import Exit
from shopfloor.domain.fact import Fact
from shopfloor.domain.spending import Budget, Spent


class Progress(Fact):
    """How far a loop has come."""

    steps: int = 0
    spent: Spent = Spent()
    done: bool = False
    stopped: bool = False
    question: str | None = None
    stuck: str | None = None


def exit_of(progress: Progress, limits: Budget) -> Exit | None:
    """Which exit the loop must take now, or None to go on. Done wins over every limit reached in the same step."""
    if progress.done:
        return "done"
    if progress.stopped:
        return "stopped"
    if progress.question is not None:
        return "needs_person"
    if progress.stuck is not None:
        return "stuck"
    if limits.seconds is not None and progress.spent.seconds >= limits.seconds:
        return "out_of_time"
    if _reached(progress.spent.usd, limits.usd) or _reached(progress.spent.usage.total, limits.tokens):
        return "out_of_budget"
    if limits.usd is not None and progress.spent.unpriced:
        return "out_of_budget"  # what is spent at unknown prices may be more than any limit in money
    if _reached(progress.steps, limits.steps):
        return "out_of_budget"
    return None


def _reached(used: float, limit: float | None) -> bool:
    return limit is not None and used >= limit
