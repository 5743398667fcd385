"""The docket: every step of a judge by number, and which verdicts are taken on such evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from shopfloor.domain.contract import Assertion
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.events import ToolCalled, ToolReturned
from shopfloor.domain.messages import Call, Result
from shopfloor.domain.mission import Judged
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.codec import encode
from shopfloor.journal.store import Recorded
from shopfloor.validation.docket import Docket
from shopfloor.validation.drivers.protocol import Exhibit, Observation
from shopfloor.validation.published import Published
from shopfloor.validation.user_testing import UserVerdict, UserVerdicts, accepted

SEEN = Observation(
    text="GET http://localhost/todos -> 200 OK\n\n[]",
    evidence=(Exhibit(kind="exchange", content=b"GET /todos HTTP/1.1 ...", caption="GET /todos: 200"),),
)
NOTHING = Published(programs=frozenset(), lines={}, variables=frozenset())
SAID = Observation(text="not done: nothing runs", happened=False)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def docket(blobs: Blobs) -> Docket:
    """Two steps: an exchange with an exhibit, and a step in vain without one."""
    docket = Docket(blobs)
    docket.enter(SEEN, "GET /todos")
    docket.enter(SAID, 'type "x"')
    return docket


def test_every_step_has_a_number_and_evidence_to_look_at(blobs: Blobs) -> None:
    """The judge hears the number first; the blob holds what the driver exhibits, else what was said."""
    docket = Docket(blobs)

    first, second = docket.enter(SEEN, "request"), docket.enter(SAID, "type")

    assert first.text == "[E1 exchange] request\n| GET http://localhost/todos -> 200 OK\n| \n| []"
    assert second.text.startswith("[E2 transcript] ") and not second.ok
    shown, said = docket.evidence(" e1 "), docket.evidence("E2")
    assert shown is not None and said is not None
    assert (shown.kind, shown.caption, blobs.get(shown.blob)) == (
        "exchange",
        "GET /todos: 200",
        SEEN.evidence[0].content,
    )
    assert (said.kind, said.caption, blobs.get(said.blob)) == ("transcript", "type", b"not done: nothing runs")
    assert docket.evidence("E3") is None


def test_after_a_restart_it_is_what_the_stream_says(blobs: Blobs) -> None:
    """Evidence by number is recalled from the answers on record; steps taken again bring back the captions."""
    before = Docket(blobs)
    answers = [before.enter(SEEN, "request"), before.enter(SAID, "type")]
    facts = [
        event
        for number, answer in enumerate(answers)
        for event in (
            ToolCalled(turn=1, call=Call(id=str(number), name="request", arguments="{}")),
            ToolReturned(
                turn=1, result=Result(call_id=str(number), text=answer.text, ok=answer.ok, output=answer.output)
            ),
        )
    ]
    after = Docket(blobs)
    after.enter(SEEN, "request")
    after.enter(SAID, "type")
    after.enter(SAID, "a step that was under way")

    after.recall(
        Recorded(stream="agent/x", seq=seq, epoch=1, at=0.0, kind=kind, body=body)
        for seq, (kind, body) in enumerate(map(encode, facts), 1)
    )

    numbers = ("E1", "E2", "E3")
    assert [after.evidence(number) for number in numbers] == [before.evidence(number) for number in numbers]
    assert [after.happened(number) for number in numbers] == [True, False, False]
    assert after.deeds == before.deeds == ("request",)
    assert after.enter(SAID, "next").text.startswith("[E3 ")


# --- what is accepted -------------------------------------------------------------------------------------------


def word(
    assertion: str, verdict: Literal["passed", "failed", "blocked"], *evidence: str, reason: str = ""
) -> UserVerdict:
    return UserVerdict(assertion=assertion, verdict=verdict, evidence=evidence, reason=reason)


def wanted(*names: str) -> list[Assertion]:
    return [
        Assertion(id=name, title="To do", behaviour="When GET /todos is sent, then it lists.", surface="http")
        for name in names
    ]


def test_verdicts_with_evidence_are_taken(docket: Docket) -> None:
    """Each number becomes the evidence it stands for; blocked needs a reason, but nothing to show."""
    handed = UserVerdicts(
        verdicts=(
            word("A-1", "passed", "E1", "e2"),
            word("A-2", "failed", "E2", reason="typed, nothing ran"),
            word("A-3", "blocked", reason="no browser"),
        )
    )

    first, second = docket.evidence("E1"), docket.evidence("E2")
    assert first is not None and second is not None
    assert accepted(handed, wanted("A-1", "A-2", "A-3"), docket, NOTHING) == (
        Judged(assertion="A-1", verdict="passed", evidence=(first, second)),
        Judged(assertion="A-2", verdict="failed", reason="typed, nothing ran", evidence=(second,)),
        Judged(assertion="A-3", verdict="blocked", reason="no browser"),
    )


WRONG: Mapping[str, tuple[tuple[UserVerdict, ...], str]] = {
    "none for one": ((), "A-1: no verdict."),
    "two for one": (
        (word("A-1", "passed", "E1"), word("A-1", "failed", "E1", reason="x")),
        "A-1: more than one verdict.",
    ),
    "not asked for": ((word("A-1", "passed", "E1"), word("A-2", "passed", "E1")), "A-2: not asked for."),
    "passed on nothing": ((word("A-1", "passed"),), "A-1: names no evidence"),
    "failed on nothing": ((word("A-1", "failed", reason="it is bad"),), "A-1: names no evidence"),
    "unknown evidence": ((word("A-1", "passed", "E1", "E7"),), "A-1: there is no evidence E7"),
    "failed without words": ((word("A-1", "failed", "E1", reason=" "),), "A-1: say what you did"),
    "blocked without words": ((word("A-1", "blocked"),), "A-1: say what you did"),
}


@pytest.mark.parametrize(("verdicts", "complaint"), WRONG.values(), ids=WRONG)
def test_verdicts_that_do_not_stand_go_back(verdicts: tuple[UserVerdict, ...], complaint: str, docket: Docket) -> None:
    """The judge is told what is missing, and hands in again."""
    with pytest.raises(AskModelAgain, match="cannot be taken yet") as raised:
        accepted(UserVerdicts(verdicts=verdicts), wanted("A-1"), docket, NOTHING)

    assert complaint in str(raised.value)
