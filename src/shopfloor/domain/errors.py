"""Errors say who acts next. There are five, and no sixth.

    Problem
    ├── AskModelAgain     the model made a mistake it can mend: goes back to it as text
    ├── TryLater          a passing trouble outside: the lease snoozes for `after_s` seconds
    ├── GiveUp            this attempt cannot succeed: it ends, with its reason on record
    ├── NeedsHuman        only a person can answer: waiting is a state, not a failure
    └── Broken            our own bug, or a promise of the machine that did not hold
        ├── Conflict      a stream has grown since its writer read it; nothing was written
        ├── LeaseLost     another runner has taken over: this one stops without another word
        └── Unwritable    what must be kept cannot be: a person mends the place, and the same goes on

A failing test suite, a refused patch and an exhausted budget are values, never exceptions.
Every message names the thing, says what happened, and what to do.
"""


class Problem(Exception):
    """Root of what shopfloor raises on purpose."""


class AskModelAgain(Problem):
    """The model can mend this itself; the text says how."""


class TryLater(Problem):
    """A passing trouble outside this process."""

    def __init__(self, message: str, after_s: float = 1.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class GiveUp(Problem):
    """This attempt cannot succeed; trying the same again would not help."""


class NeedsHuman(Problem):
    """Only a person can answer `question`; they may choose one of the `options` by the number it has there."""

    def __init__(self, question: str, options: tuple[str, ...] = ()) -> None:
        super().__init__(question)
        self.question = question
        self.options = options


class Broken(Problem):
    """A bug of ours, or a machine that broke a promise; the journal stays intact."""


class Conflict(Broken):
    """A stream does not end where its writer expected; nothing was written. Whoever expected it reads again."""


class Unwritable(Broken):
    """What must be kept cannot be written where it belongs; the runner stops, and ends nothing."""


class LeaseLost(Broken):
    """Another runner holds the lease now: this one is a zombie and must stop without another word."""
