"""The roles, as data. A new role is a new row here and a prompt beside the room that speaks it."""

from shopfloor.domain.roles import Role, RoleName

LOOKING = ("list", "read", "search")
MAKING = (*LOOKING, "edit", "shell", "todo", "write")

ROLES: dict[RoleName, Role] = {
    role.name: role
    for role in (
        Role(name="solo", tools=(*MAKING, "ask"), max_turns=300),
        Role(name="orchestrator", tools=(*LOOKING, "shell", "ask"), finish="propose_plan", max_turns=80),
        Role(name="test-writer", tools=MAKING, finish="submit_checks", max_turns=80),
        Role(name="worker", tools=MAKING, finish="hand_off", max_turns=300),
        Role(name="reviewer", tools=LOOKING, finish="submit_review", max_turns=60),
        Role(name="refuter", tools=LOOKING, finish="submit_refutations", max_turns=60),
        Role(name="user-tester", tools=(), finish="submit_verdicts", max_turns=120),
        Role(name="explorer", tools=("try_steps", "submit_steps", "cannot"), finish="finish", max_turns=400),
    )
}
