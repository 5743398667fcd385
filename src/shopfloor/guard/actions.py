"""What a call would do, in the few words that permission is decided by.

A closed union: a new kind of action fails type checking in `permit` until it has a rule.
It does not know which tool the action came from.
"""

from typing import TypeAlias

from shopfloor.domain.fact import Fact


class ReadFile(Fact, tag="read"):
    """Looks at a file or folder. `path` is relative to the checkout, or absolute when it lies outside."""

    path: str


class WriteFile(Fact, tag="write"):
    """Creates or changes a file. `path` is relative to the checkout, or absolute when it lies outside."""

    path: str


class RunCommand(Fact, tag="command"):
    """Runs a shell command."""

    command: str


class AskPerson(Fact, tag="ask"):
    """Asks what only a person can answer."""

    question: str


class Internal(Fact, tag="internal"):
    """Touches nothing but the agent's own notes: the to-do list, the finish tool, a call that cannot be understood."""


class Drive(Fact, tag="drive"):
    """A judge acts on the running app: a click, a key, a request. `what` says it in words."""

    what: str


Action: TypeAlias = ReadFile | WriteFile | RunCommand | AskPerson | Internal | Drive
