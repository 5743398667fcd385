"""The command line. Everything heavy is imported by the command that needs it, so that help answers at once."""

import sys

from shopfloor.domain.errors import Broken, GiveUp, NeedsHuman, TryLater
from shopfloor.faces.cli.app import app
from shopfloor.faces.cli.exits import BROKEN, GAVE_UP, INTERRUPTED, NEEDS_PERSON, TRY_LATER


def main() -> None:
    """Runs the command; every problem becomes one message and an exit code of its own."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(_say("stopped; nothing is lost", INTERRUPTED))
    except BaseExceptionGroup as group:
        sys.exit(_problem(_innermost(group)))  # pyright: ignore[reportUnknownArgumentType] - of any kind
    except (GiveUp, NeedsHuman, TryLater, Broken) as problem:
        sys.exit(_problem(problem))


def _innermost(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _innermost(first) if isinstance(first, BaseExceptionGroup) else first


def _problem(problem: BaseException) -> int:
    match problem:
        case NeedsHuman():
            return _say(str(problem), NEEDS_PERSON)
        case TryLater():
            return _say(str(problem), TRY_LATER)
        case GiveUp():
            return _say(str(problem), GAVE_UP)
        case KeyboardInterrupt():
            return _say("stopped; nothing is lost", INTERRUPTED)
        case Broken():
            return _say(f"this should not have happened: {problem}", BROKEN)
        case _:
            raise problem


def _say(text: str, code: int) -> int:
    print(f"shopfloor: {text}", file=sys.stderr)
    return code
