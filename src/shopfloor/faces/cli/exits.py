"""Exit codes: one for "verified", one for "finished, unverified", one for every other exit of the loop."""

from typing import TYPE_CHECKING

from shopfloor.domain.exits import Exit

if TYPE_CHECKING:  # the whole factory hangs on it, and `--help` needs only the numbers
    from shopfloor.floor.report import Report

VERIFIED = 0
BROKEN = 1
USAGE = 2
UNVERIFIED = 3
STUCK = 4
OUT_OF_BUDGET = 5
OUT_OF_TIME = 6
NEEDS_PERSON = 7
GAVE_UP = 8
STOPPED = 9
TRY_LATER = 10
INTERRUPTED = 130

MEANINGS: tuple[tuple[int, str], ...] = (
    (VERIFIED, "done, and verified by someone who did not do the work"),
    (BROKEN, "a bug of shopfloor, or a machine that broke a promise"),
    (USAGE, "the command line could not be understood"),
    (
        UNVERIFIED,
        "finished, but unverified: no checks were found, they failed, or they ran nothing of the change",
    ),
    (STUCK, "the agent went round in circles, or judges refused the work too often"),
    (OUT_OF_BUDGET, "the budget of money, tokens or turns is used up"),
    (OUT_OF_TIME, "the budget of time is used up"),
    (NEEDS_PERSON, "only a person can answer what comes next"),
    (GAVE_UP, "it cannot be done like this; the message says why"),
    (STOPPED, "a person paused or cancelled it"),
    (TRY_LATER, "something is busy or out of reach; the same command later may work"),
    (INTERRUPTED, "Ctrl-C; `shopfloor mission resume ID` goes on where it stopped"),
)


_WAITING = {
    "waits for a person": NEEDS_PERSON,
    "out of budget": OUT_OF_BUDGET,
    "out of time": OUT_OF_TIME,
    "to be tried later": TRY_LATER,
}


def code_of(report: "Report") -> int:
    """The exit code for how a job was left."""
    if report.exit is None:
        return _WAITING.get(report.state, STOPPED)
    if report.exit == "done":
        return VERIFIED if report.verified else UNVERIFIED
    return code_of_exit(report.exit)


def code_of_exit(left: Exit | None) -> int:
    """The exit code for how an agent or a job left its loop, other than by being done."""
    return {
        "stuck": STUCK,
        "out_of_budget": OUT_OF_BUDGET,
        "out_of_time": OUT_OF_TIME,
        "needs_person": NEEDS_PERSON,
        "gave_up": GAVE_UP,
    }.get(left or "", STOPPED)
