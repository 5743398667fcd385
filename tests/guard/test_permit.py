"""Who may do what: levels of autonomy, with and without a real sandbox."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.roles import Autonomy
from shopfloor.guard.actions import Action, AskPerson, Drive, Internal, ReadFile, RunCommand, WriteFile
from shopfloor.guard.permit import LEVELS, Allowed, Ask, Denied, Policy, in_checkout, permit, table

LOOK = RunCommand(command="git status && ls | wc -l")
MAKE = RunCommand(command="make")


def allowed(action: Action, autonomy: Autonomy, *, sandboxed: bool) -> bool:
    policy = Policy(autonomy=autonomy, sandboxed=sandboxed, person_present=False)
    return isinstance(permit(action, policy), Allowed)


def levels_that_allow(action: Action, *, sandboxed: bool) -> list[Autonomy]:
    return [level for level in LEVELS if allowed(action, level, sandboxed=sandboxed)]


@pytest.mark.parametrize("sandboxed", [True, False])
@pytest.mark.parametrize("action", [Internal(), AskPerson(question="?"), ReadFile(path="a"), LOOK])
def test_looking_asking_and_notes_are_always_allowed(action: Action, sandboxed: bool) -> None:
    """Autonomy off still lets an agent look around and think."""
    assert levels_that_allow(action, sandboxed=sandboxed) == ["off", "low", "medium", "high"]


@pytest.mark.parametrize("sandboxed", [True, False])
def test_files_of_the_checkout_are_written_from_low(sandboxed: bool) -> None:
    """Low adds writing in the checkout, whatever the sandbox."""
    assert levels_that_allow(WriteFile(path="src/a.py"), sandboxed=sandboxed) == ["low", "medium", "high"]


@pytest.mark.parametrize("action", [MAKE, Drive(what="click Save"), WriteFile(path="/etc/x"), WriteFile(path=".git/x")])
def test_what_can_have_any_effect_needs_a_sandbox_or_high(action: Action) -> None:
    """Medium leans on the sandbox; where none holds, only high goes ahead."""
    assert levels_that_allow(action, sandboxed=True) == ["medium", "high"]
    assert levels_that_allow(action, sandboxed=False) == ["high"]


def test_a_present_person_is_asked() -> None:
    """What the level does not allow becomes a question that says what and why."""
    answer = permit(MAKE, Policy(autonomy="medium", sandboxed=False, person_present=True))

    rule = "running other than read-only commands needs autonomy high where no sandbox holds"
    assert answer == Ask(question=f"May the agent run 'make'? ({rule}; it is medium now)", rule=rule)


def test_nobody_there_means_no_with_a_way_out() -> None:
    """Without a person the answer is no, and it says which level would do and what to do instead."""
    answer = permit(WriteFile(path="a.py"), Policy(autonomy="off", sandboxed=True, person_present=False))

    rule = "writing files of the checkout needs autonomy low"
    why = (
        f"{rule}; this is off in a sandbox, and nobody is there to ask whether you may write 'a.py'. "
        "Describe the change in your answer."
    )
    assert answer == Denied(why=why, rule=rule)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", ".git/config", "a/.git/x", ".GIT/x", "a/../.git/x", ".", "~/x", ""],
)
def test_paths_that_only_look_inside(path: str) -> None:
    """Leaving by dots, an absolute path, and git's own files (which can name programs to run) are not the checkout."""
    assert not in_checkout(path)


@pytest.mark.parametrize("path", ["a", "./a", "a/../b", ".gitignore", ".github/x.yml", "a/..b", "..a", "x.git/a"])
def test_paths_of_the_checkout(path: str) -> None:
    """Ordinary names, dots and all, are the checkout's."""
    assert in_checkout(path)


@given(
    st.builds(RunCommand, command=st.text()) | st.builds(WriteFile, path=st.text()) | st.builds(Drive, what=st.text()),
    st.booleans(),
)
def test_more_autonomy_never_allows_less(action: Action, sandboxed: bool) -> None:
    """For any action the levels that allow it are the upper ones, and high always does; a sandbox never takes away."""
    levels = levels_that_allow(action, sandboxed=sandboxed)
    assert levels == list(LEVELS[LEVELS.index(levels[0]) :])
    assert set(levels_that_allow(action, sandboxed=False)) <= set(levels_that_allow(action, sandboxed=True))


def test_the_levels_are_those_of_the_domain() -> None:
    """A level added to the domain must find its place in the order."""
    assert get_args(Autonomy) == LEVELS


def test_the_table_says_what_the_rules_do() -> None:
    """The documented table is computed from the rules."""
    assert table() == (
        "| Action | off | low | medium | high |\n"
        "|---|---|---|---|---|\n"
        "| Own notes, finishing | yes | yes | yes | yes |\n"
        "| Asking a person | yes | yes | yes | yes |\n"
        "| Reading files, searching | yes | yes | yes | yes |\n"
        "| Read-only commands | yes | yes | yes | yes |\n"
        "| Writing files of the checkout | asks | yes | yes | yes |\n"
        "| Writing elsewhere, or in `.git` | asks | asks | in a sandbox | yes |\n"
        "| Any other command | asks | asks | in a sandbox | yes |\n"
        "| A judge driving the app | asks | asks | in a sandbox | yes |\n"
    )
