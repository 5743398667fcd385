"""What an agent's stream amounts to, for faces: pure folds over recorded facts.

Kinds of another version count for nothing. It does not know how a stream is shown.
"""

from collections.abc import Iterable

from shopfloor.domain.events import ModelCalled, ModelFailed, ModelReplied, ToolCalled, ToolReturned
from shopfloor.domain.spending import Spent
from shopfloor.journal.store import Recorded


def spent(facts: Iterable[Recorded]) -> Spent:
    """All that an agent has used. A call of the model that got no reply counts its estimate as prompt tokens.

    No reply is a call that failed, one that a crash cut off, and the one in flight: budgets hold across all three.
    """
    total = Spent()
    unanswered = 0
    for fact in facts:
        match fact.event:
            case ModelCalled(estimate=estimate):
                total, unanswered = _counted(total, unanswered), estimate
            case ModelFailed():
                total, unanswered = _counted(total, unanswered), 0
            case ModelReplied(usage=usage, usd=usd, seconds=seconds):
                total, unanswered = total.plus(usage, usd, seconds), 0
            case ToolReturned(seconds=seconds):
                total += Spent(seconds=seconds)
            case _:
                pass
    return _counted(total, unanswered)


def _counted(total: Spent, unanswered: int) -> Spent:
    return total.and_unanswered(unanswered) if unanswered else total


def open_calls(facts: Iterable[Recorded]) -> tuple[ToolCalled, ...]:
    """Tool calls that were begun and have not returned, oldest first; one begun again after a crash counts once."""
    begun: dict[str, ToolCalled] = {}
    for fact in facts:
        match fact.event:
            case ToolCalled() as called:
                begun[called.call.id] = called
            case ToolReturned(result=result):
                begun.pop(result.call_id, None)
            case _:
                pass
    return tuple(begun.values())
