"""The command line. Everything heavy is imported by the command that needs it, so that help answers at once."""

import errno
import io
import os
import sys
from typing import cast

from shopfloor.domain.errors import Broken, GiveUp, LeaseLost, NeedsHuman, TryLater, Unwritable
from shopfloor.faces.cli.app import app
from shopfloor.faces.cli.exits import BROKEN, GAVE_UP, INTERRUPTED, NEEDS_PERSON, TRY_LATER
from shopfloor.faces.cli.output import open_what_is_closed


def main() -> None:
    """Runs the command; every problem becomes one message and an exit code of its own."""
    open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what a terminal cannot show is no reason to fall over
    try:
        app()
    except BaseException as raised:
        problem = _innermost(raised)
        if isinstance(problem, (KeyboardInterrupt, GiveUp, NeedsHuman, TryLater, Broken)):
            sys.exit(_told(problem))
        if isinstance(problem, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush goes nowhere
            sys.exit(0)
        if isinstance(problem, OSError) and problem.errno in (*_FULL, *_FORBIDDEN):
            sys.exit(_told_of_disk(problem))
        raise


_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EROFS)
_GOES_ON = "the same command goes on then, or `shopfloor mission resume`: nothing recorded is lost"


def _innermost(raised: BaseException) -> BaseException:
    """What really happened, when task groups wrapped it."""
    inner: BaseException = raised
    while isinstance(inner, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", inner).exceptions[0]
    return inner


def _told(problem: KeyboardInterrupt | GiveUp | NeedsHuman | TryLater | Broken) -> int:
    match problem:
        case KeyboardInterrupt():
            return _say("stopped; nothing is lost", INTERRUPTED)
        case NeedsHuman():
            return _say(str(problem), NEEDS_PERSON)
        case TryLater():
            return _say(str(problem), TRY_LATER)
        case GiveUp():
            return _say(str(problem), GAVE_UP)
        case LeaseLost():
            words = f"another process has taken over, so this one has stopped: {problem}"
            return _say(f"{words}. Nothing is lost; `shopfloor mission list` shows how it stands.", TRY_LATER)
        case Unwritable():
            return _say(str(problem), GAVE_UP)
        case Broken():
            return _say(f"this should not have happened: {problem}", BROKEN)


def _told_of_disk(trouble: OSError) -> int:
    """What nobody can mend but the person: their disk is full, or something on it is not theirs to use."""
    what = repr(trouble.filename) if trouble.filename else "a file"
    if trouble.errno in _FULL:
        return _say(
            f"{what} cannot be written: the disk is full ({trouble.strerror}). Make room; {_GOES_ON}.", TRY_LATER
        )
    return _say(f"{what} cannot be used: {trouble.strerror}. Allow it, or name another; {_GOES_ON}.", GAVE_UP)


def _say(text: str, code: int) -> int:
    from shopfloor.faces.cli.plain import plain_lines

    print(f"shopfloor: {plain_lines(text)}", file=sys.stderr)
    return code
