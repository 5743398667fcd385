"""What an agent's stream amounts to, for faces: pure folds over recorded facts.

Kinds of another version count for nothing. It does not know how a stream is shown.
"""

from collections.abc import Iterable

from shopfloor.domain.events import ModelCalled, ModelFailed, ModelReplied, ToolReturned
from shopfloor.domain.spending import Spent
from shopfloor.journal.store import Recorded


def spent(facts: Iterable[Recorded]) -> Spent:
    """All that an agent has used. A call of the model that got no reply counts its estimate as prompt tokens.

    No reply is a call that failed, one that a crash cut off, and the one in flight: budgets hold across all three.
    """
    total = Spent()
    waiting: ModelCalled | None = None
    for fact in facts:
        match fact.event:
            case ModelCalled() as called:
                total, waiting = _counted(total, waiting), called
            case ModelFailed(seconds=seconds, lost=lost):
                total, waiting = _counted(total, waiting, lost) + Spent(seconds=seconds), None
            case ModelReplied(usage=usage, usd=usd, seconds=seconds, lost=lost):
                total, waiting = _counted(total, waiting, lost).plus(usage, usd, seconds), None
            case ToolReturned(seconds=seconds):
                total += Spent(seconds=seconds)
            case _:
                pass
    return _counted(total, waiting)


def _counted(total: Spent, waiting: ModelCalled | None, times: int = 1) -> Spent:
    return total.and_unanswered(waiting.estimate, waiting.usd, times) if waiting else total
