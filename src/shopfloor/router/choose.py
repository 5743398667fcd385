"""Which model a role uses, and why. First form: the person's word, then the role's default, then the general one.

It does not know how to reach a model.
"""

from collections.abc import Mapping

from shopfloor.domain.fact import Fact
from shopfloor.domain.roles import RoleName


class Choice(Fact):
    """A model's name and the reason for it, in words."""

    model: str
    reason: str


def choose(role: RoleName, *, asked: str | None, by_role: Mapping[RoleName, str], default: str | None) -> Choice | None:
    """The model for a role; None when nobody named any."""
    if asked:
        return Choice(model=asked, reason="asked for")
    if role in by_role:
        return Choice(model=by_role[role], reason=f"set for the role {role}")
    if default:
        return Choice(model=default, reason="the default model")
    return None
