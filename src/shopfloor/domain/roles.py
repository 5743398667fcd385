"""Roles of agents are data, never a class hierarchy."""

from typing import Literal, TypeAlias

from shopfloor.domain.fact import Fact

Autonomy: TypeAlias = Literal["off", "low", "medium", "high"]
RoleName: TypeAlias = Literal[
    "solo", "orchestrator", "test-writer", "worker", "reviewer", "refuter", "user-tester", "explorer"
]
JUDGES: frozenset[RoleName] = frozenset(("reviewer", "refuter", "user-tester"))
"""Who judges what others made; nobody else's word is a verdict."""


class Role(Fact):
    """What an agent is for: which prompt it is given, which tools, and which tool ends its work.

    `finish` names the tool through which the role hands in its result; "" ends with plain words.
    """

    name: RoleName
    tools: tuple[str, ...]
    finish: str = ""
    max_turns: int = 200
