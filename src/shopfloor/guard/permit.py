"""May this action happen? Each action needs a least level of autonomy; a policy has one.

The levels: `off` only looks, `low` also writes files of the checkout, `medium` also runs commands where a real
sandbox holds them, `high` does everything. What a sandbox shows and hides is the sandbox's promise:
this file does not know paths of the machine, nor follow links.
"""

from posixpath import normpath
from typing import TypeAlias, assert_never

from shopfloor.domain.fact import Fact
from shopfloor.domain.roles import Autonomy
from shopfloor.guard.actions import Action, AskPerson, Drive, Internal, ReadFile, RunCommand, WriteFile
from shopfloor.guard.readonly import is_read_only

LEVELS: tuple[Autonomy, ...] = ("off", "low", "medium", "high")


class Policy(Fact):
    """What the people responsible allow. `sandboxed` is True only where a real sandbox is enforcing."""

    autonomy: Autonomy
    sandboxed: bool
    person_present: bool


class Allowed(Fact, tag="allowed"):
    """Go ahead."""

    rule: str


class Denied(Fact, tag="denied"):
    """No, and `why` tells the model what it can do instead."""

    why: str
    rule: str


class Ask(Fact, tag="ask"):
    """A person decides."""

    question: str
    rule: str


Permission: TypeAlias = Allowed | Denied | Ask


class Need(Fact):
    """The least autonomy an action needs, the rule that says so, and what the model can do without it."""

    level: Autonomy
    rule: str
    instead: str = ""


def permit(action: Action, policy: Policy) -> Permission:
    """Whether this action may happen under this policy."""
    need = need_of(action, policy.sandboxed)
    if LEVELS.index(policy.autonomy) >= LEVELS.index(need.level):
        return Allowed(rule=need.rule)
    if policy.person_present:
        question = f"May the agent {words(action)}? ({need.rule}; it is {policy.autonomy} now)"
        return Ask(question=question, rule=need.rule)
    return Denied(why=_refusal(action, policy, need), rule=need.rule)


def need_of(action: Action, sandboxed: bool) -> Need:
    """The rule of an action: the only place where levels and actions meet."""
    match action:
        case Internal():
            return Need(level="off", rule="own notes are always allowed")
        case AskPerson():
            return Need(level="off", rule="asking a person is always allowed")
        case ReadFile():
            return Need(level="off", rule="reading is always allowed")
        case WriteFile(path=path) if in_checkout(path):
            return Need(level="low", rule="writing files of the checkout needs autonomy low", instead=_PROPOSE)
        case WriteFile():
            rest = _effect("writing outside the checkout or in .git", sandboxed)
            return Need(level=rest.level, rule=rest.rule, instead="Write inside the checkout.")
        case RunCommand(command=command) if is_read_only(command):
            return Need(level="off", rule="commands proven read-only are always allowed")
        case RunCommand():
            return _effect("running other than read-only commands", sandboxed)
        case Drive():
            return _effect("driving the app", sandboxed)
        case _:
            assert_never(action)


def _effect(what: str, sandboxed: bool) -> Need:
    """What can have any effect at all: the sandbox bounds it, or only `high` does."""
    if sandboxed:
        return Need(level="medium", rule=f"{what} needs autonomy medium in a sandbox", instead=_LOOK)
    return Need(level="high", rule=f"{what} needs autonomy high where no sandbox holds", instead=_LOOK)


_LOOK = "Use simple read-only commands (ls, cat, grep, git diff; no redirection or $) and the file tools."
_PROPOSE = "Describe the change in your answer."


def in_checkout(path: str) -> bool:
    """Whether a path names a file of the checkout that is not git's own (whose config can name programs to run)."""
    parts = normpath(path).split("/")
    own = any(part.casefold() == ".git" for part in parts)
    return not path.startswith(("/", "~")) and "\0" not in path and parts[0] not in ("..", ".") and not own


def words(action: Action) -> str:
    """The action as a phrase that follows "may the agent"."""
    match action:
        case ReadFile(path=path):
            return f"read {path!r}"
        case WriteFile(path=path):
            return f"write {path!r}"
        case RunCommand(command=command):
            return f"run {_short(command)!r}"
        case AskPerson(question=question):
            return f"ask {_short(question)!r}"
        case Internal():
            return "keep notes"
        case Drive(what=what):
            return f"act on the app: {_short(what)!r}"
        case _:
            assert_never(action)


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:200]}...{text[-80:]}"


def _refusal(action: Action, policy: Policy, need: Need) -> str:
    held = "in a sandbox" if policy.sandboxed else "without a sandbox"
    now = f"this is {policy.autonomy} {held}, and nobody is there to ask whether you may {words(action)}"
    return f"{need.rule}; {now}. {need.instead}"


EXAMPLES: tuple[tuple[str, Action], ...] = (
    ("Own notes, finishing", Internal()),
    ("Asking a person", AskPerson(question="?")),
    ("Reading files, searching", ReadFile(path="a.py")),
    ("Read-only commands", RunCommand(command="git status")),
    ("Writing files of the checkout", WriteFile(path="a.py")),
    ("Writing elsewhere, or in `.git`", WriteFile(path=".git/config")),
    ("Any other command", RunCommand(command="make")),
    ("A judge driving the app", Drive(what="click")),
)


def table() -> str:
    """The rules as a Markdown table: per level, what happens in a sandbox and without one."""
    head = ["| Action | " + " | ".join(LEVELS) + " |", "|---" * (len(LEVELS) + 1) + "|"]
    rows = [
        f"| {name} | " + " | ".join(_cell(action, autonomy) for autonomy in LEVELS) + " |" for name, action in EXAMPLES
    ]
    return "\n".join([*head, *rows]) + "\n"


def _cell(action: Action, autonomy: Autonomy) -> str:
    inside, outside = (
        isinstance(permit(action, Policy(autonomy=autonomy, sandboxed=held, person_present=True)), Allowed)
        for held in (True, False)
    )
    if inside == outside:
        return "yes" if inside else "asks"
    return "in a sandbox" if inside else "asks"
