"""The contract: what must be true when the work is done, written and sealed before the first edit."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from shopfloor.domain.fact import Fact

Surface: TypeAlias = Literal["library", "terminal", "http", "web", "desktop"]
Control: TypeAlias = Literal["two inputs", "reload", "second tab", "restart", "repeat"]
"""What an assertion must go through besides its steps: other words, or the same seen again after one of these."""
EvidenceKind: TypeAlias = Literal["check", "transcript", "exchange", "screenshot"]


class Brief(Fact):
    """What a person asked for, in their own words."""

    text: str


class Spec(Fact):
    """What will be built, in Markdown, with the assumptions that had to be made where the brief is silent."""

    text: str
    assumptions: tuple[str, ...] = ()


class Assertion(Fact):
    """One checkable claim.

    `behaviour` is written as Given/When/Then or in EARS form; `negative` says what must not happen.
    A `guard` already holds today and must go on holding; a `new` one must fail before the work. `steps` are compiled:
    lines in which it can be judged without a model (validation.drivers.steps).
    """

    id: str
    title: str
    behaviour: str
    surface: Surface
    negative: str = ""
    kind: Literal["new", "guard"] = "new"
    evidence: tuple[EvidenceKind, ...] = ()
    controls: tuple[Control, ...] = ()
    steps: tuple[str, ...] = ()


def on_desktops(assertions: Iterable[Assertion]) -> bool:
    """Whether nothing else than programs with windows is judged: judges start those, and no server beside them."""
    return {assertion.surface for assertion in assertions} == {"desktop"}


class Check(Fact):
    """An executable check of assertions: one shell command, run in the checkout root, that exits 0 when they hold."""

    assertions: tuple[str, ...]
    command: str
    files: tuple[str, ...] = ()
    """Paths in the checkout that the check needs; the command itself may name more than these."""


class SealedChecks(Fact):
    """Checks and the files they need. Files live in the blob store, outside every checkout, named by hash."""

    checks: tuple[Check, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    """(path in the checkout, blob hash), sorted by path."""


class Contract(Fact):
    """The assertions of a mission, and what the checks of the repository today may lose.

    `supersedes` lists existing test files that the new behaviour contradicts: they may change, no others.
    `start` is the command that starts the app for judges, "" for a library; `published` is what judges may rely on
    (URLs, roles and names, test ids, commands), and `names` are words for things on its pages (`new-todo` is
    `class "new-todo" or id "new-todo"`), of which steps speak as `@new-todo`. `interface` is a file beside the contract
    that documents its HTTP interface. `state` says where the app keeps what
    its users do: in their `browser`, or in the `app`, where one assertion can see what another has done.
    """

    title: str
    assertions: tuple[Assertion, ...]
    published: str = ""
    start: str = ""
    supersedes: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    state: Literal["app", "browser"] = "app"
    interface: str = ""

    def assertion(self, assertion_id: str) -> Assertion:
        """The assertion of that id; KeyError if the contract has none."""
        for assertion in self.assertions:
            if assertion.id == assertion_id:
                return assertion
        raise KeyError(assertion_id)
