"""What an assertion names to the letter, a command or a request, is done before anybody may say that it passed.

Pure. Only programs that the contract publishes for its users count, as any words may stand between backticks; and words
with a place for something of the judge's own (TITLE, <id>, {id}) name nothing to the letter. It does not know what came
of the deeds.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.validation.drivers.actions import Request, StartProgram
from shopfloor.validation.drivers.steps import Unspeakable, read_step
from shopfloor.validation.published import Published, Words, arguments_of, lines_of_code

_OPEN = re.compile(r"[A-Z][A-Z_]+|[NXYK]|.*[<>{}\[\]…$*].*|\.\.\.")
"""A word that stands for another one."""
_REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)\s+(/[^\s`'\"“”,;()]*)")
_ANY = re.compile(r"\d+|:\w+|ids?", re.IGNORECASE)
"""A part of a path that is another one in each run."""


def for_users(contract: Contract) -> Contract:
    """The contract with what it publishes for users, and nothing else that a judge may start."""
    return msgspec.structs.replace(contract, assertions=())


def undone(assertion: Assertion, programs: Published, steps: Iterable[str]) -> list[str]:
    """What the assertion names that none of these steps did, as it names it."""
    done = list(_read(steps))
    match assertion.surface:
        case "terminal":
            started = [arguments_of(step.command) for step in done if isinstance(step, StartProgram)]
            return [
                line
                for line, words in _commands(assertion.behaviour, programs)
                if not any(words == (one[: len(words)] if words in programs.programs else one) for one in started)
            ]
        case "http":
            sent = [(step.method, _parts(step.url)) for step in done if isinstance(step, Request)]
            return [
                f"{method} {path}"
                for method, path in _requests(assertion.behaviour)
                if not any(method == used and _is_like(_parts(path), parts) for used, parts in sent)
            ]
        case _:
            return []


def _read(steps: Iterable[str]) -> Iterator[object]:
    for step in steps:
        try:
            yield read_step(step)
        except Unspeakable:  # a restart, for one, is no step of a contract's
            continue


def _commands(behaviour: str, programs: Published) -> Iterator[tuple[str, Words]]:
    for line in lines_of_code([behaviour]):
        words = arguments_of(line)
        if programs.begins(words) and not any(map(_OPEN.fullmatch, words)):
            yield line, words


def _requests(behaviour: str) -> Iterator[tuple[str, str]]:
    for request in _REQUEST.finditer(behaviour):
        yield request[1], request[2].rstrip(".:!?") or "/"


def _parts(url: str) -> Sequence[str]:
    return [part for part in urlsplit(url).path.split("/") if part]


def _is_like(wanted: Sequence[str], sent: Sequence[str]) -> bool:
    """Whether a path is the one that is named, whatever stands where the name leaves a place."""
    return len(wanted) == len(sent) and all(
        one == other or _OPEN.fullmatch(one) or _ANY.fullmatch(one) for one, other in zip(wanted, sent, strict=True)
    )
