"""How long a runner was at the move that it did not finish. Pure; it does not know which move that was."""

from collections.abc import Iterable

from shopfloor.journal.store import Lease, Recorded
from shopfloor.journal.views import spent

INSTANT_S = 0.5
"""What lies between a last fact and the end of its runner without any work."""


def cut_off_s(lease: Lease, own: Iterable[Recorded], agents: Iterable[Iterable[Recorded]]) -> float:
    """Seconds that the runner before this `lease` worked after its last move, beside what is on record of them.

    Each move ends with a fact of the mission's `own` stream, and each runner begins with one. What its agents were at
    since then is told by their facts.
    """
    began = max((fact.at for fact in own if fact.epoch == lease.epoch - 1), default=lease.left_at)
    known = sum(spent(fact for fact in facts if fact.at > began).seconds for facts in agents)
    seconds = lease.left_at - began - known
    return seconds if seconds > INSTANT_S else 0.0
