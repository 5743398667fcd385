"""Which model a role uses, and why. First form: the person's word, then the role's default, then the general one.

It does not know how to reach a model.
"""

from collections.abc import Mapping

from shopfloor.domain.fact import Fact
from shopfloor.domain.roles import JUDGES, RoleName
from shopfloor.router.family import same_family

LIKE: Mapping[RoleName, RoleName] = {"refuter": "reviewer"}
"""Roles that use another's model where they have none of their own."""


class Choice(Fact):
    """A model's name and the reason for it, in words."""

    model: str
    reason: str


def choose(role: RoleName, *, asked: str | None, by_role: Mapping[RoleName, str], default: str | None) -> Choice | None:
    """The model for a role; None when nobody named any.

    A judge without a model of its own gets one of another family than the worker's, if the settings name any.
    """
    if asked:
        return Choice(model=asked, reason="asked for")
    for like in (role, LIKE.get(role)):
        if like is not None and like in by_role:
            return Choice(model=by_role[like], reason=f"set for the role {like}")
    worker = by_role.get("worker") or default
    if role in JUDGES and worker:
        for model in by_role.values():
            if not same_family(model, worker):
                return Choice(model=model, reason=f"of another family than the worker's {worker}")
    if default:
        return Choice(model=default, reason="the default model")
    return None
