"""Nobody's word counts on work of their own: who may sign a verdict, and what it must be about. Pure.

The journal proves it: an agent's stream is named by its role. It does not know what a verdict says.
"""

import msgspec

from shopfloor.domain.mission import Verdict
from shopfloor.domain.roles import JUDGES


def role_of(stream: str) -> str:
    """The role in the name of an agent's stream, `agent/MISSION/ROLE/...`."""
    return stream.split("/")[2] if stream.count("/") > 1 else ""


def contributed(stream: str) -> bool:
    """Whether an agent of that stream had a hand in the work, or in what it is judged by."""
    return role_of(stream) not in JUDGES


def signed(verdict: Verdict, mission: str, number: int, authors: tuple[str, ...]) -> Verdict:
    """The verdict under the name of the attempt that made it, with the models whose work it judges."""
    attempt = f"{mission}/{verdict.kind}/{verdict.subject}/{number}"
    return msgspec.structs.replace(
        verdict, judge=msgspec.structs.replace(verdict.judge, attempt=attempt, authors=authors)
    )


def objection(verdict: Verdict, seal: str) -> str:
    """Why a verdict does not count, or "". `seal` is the hash of the contract that was sealed before the first edit."""
    if own := [agent for agent in verdict.judge.agents if contributed(agent)]:
        return f"it comes from {', '.join(own)}, who had a hand in the work"
    if verdict.contract != seal:
        return f"it judges by the contract {verdict.contract!r}, and {seal!r} was sealed"
    return ""
