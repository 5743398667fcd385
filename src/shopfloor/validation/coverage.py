"""What a contract's steps ask of a documented interface: what is not in its document, and what they leave out.

Only what could not but fail when it is judged refuses a contract; all else is told. Pure; it does not know whether the
app keeps to the document, which every exchange of judging shows.
"""

from collections.abc import Iterator
from random import Random

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.fact import Fact
from shopfloor.validation.drivers.actions import Request
from shopfloor.validation.drivers.expectations import Status
from shopfloor.validation.drivers.interface import Interface
from shopfloor.validation.drivers.steps import Step, Unspeakable, filled, free_words, read_step
from shopfloor.validation.lint import Complaint
from shopfloor.validation.turns import drawn

NOT_THERE = (404, 405, 410, 501)
"""How an app says that it has no such operation."""


class Asking(Fact):
    """A request of an assertion, and the status that is expected of it, None where none is."""

    assertion: str
    request: Request
    status: int | None


def against(contract: Contract, interface: Interface) -> tuple[Complaint, ...]:
    """What is asked and not documented, then what is documented and never asked for."""
    askings = [asking for assertion in contract.assertions for asking in _askings(assertion)]
    undocumented = [found for asking in askings if (found := _undocumented(asking, interface))]
    asked = {str(interface.operation(asking.request.method, asking.request.url)) for asking in askings}
    left_out = [
        Complaint(
            assertion="",
            kind="unasserted",
            text=f"no assertion has a step that asks for {operation}",
            better="add one, or leave it to other tests",
        )
        for operation in interface.operations
        if str(operation) not in asked
    ]
    return (*dict.fromkeys(undocumented), *left_out)


def _undocumented(asking: Asking, interface: Interface) -> Complaint | None:
    request, status = asking.request, asking.status
    operation = interface.operation(request.method, request.url)
    if operation is None and status not in NOT_THERE:
        text = f"{interface.name} has no {request.method} {request.url.partition('?')[0]}"
        better = "ask for what it has, or expect 404"
        return Complaint(assertion=asking.assertion, kind="undocumented", text=text, better=better)
    if operation is None or status is None or operation.answer(status) is not None:
        return None
    text = f"{interface.name} says nothing of {status} from {operation}"
    better = f"expect one of {', '.join(operation.answers)}, or document it"
    kind = "undocumented" if operation.may_answer(status) else "breaks-interface"
    return Complaint(assertion=asking.assertion, kind=kind, text=text, better=better)


def _askings(assertion: Assertion) -> Iterator[Asking]:
    """Requests in the order of steps; a status is expected of the last one before it."""
    last: Request | None = None
    status: int | None = None
    for step in _steps(assertion):
        if isinstance(step, Status) and last is not None:
            status = None if last.follow else step.code
        elif isinstance(step, Request):
            if last is not None:
                yield Asking(assertion=assertion.id, request=last, status=status)
            last, status = step, None
    if last is not None:
        yield Asking(assertion=assertion.id, request=last, status=status)


def _steps(assertion: Assertion) -> tuple[Step, ...]:
    """What its lines say, with some words for the free ones; nothing where a line is none, which lint says."""
    words = drawn(free_words(assertion.steps), Random(0))
    try:
        return tuple(read_step(filled(line, words)) for line in assertion.steps)
    except (Unspeakable, AskModelAgain):
        return ()
