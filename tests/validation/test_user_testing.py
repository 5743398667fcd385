"""User testing with a scripted judge: a small real app in a real arena, driven by HTTP, terminal and browser."""

import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import anyio
import pytest

from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.domain.errors import Broken
from shopfloor.domain.events import AgentEvent, AgentStarted, ToolReturned
from shopfloor.domain.messages import ConversationKey, Message
from shopfloor.domain.mission import Verdict
from shopfloor.domain.spending import Budget
from shopfloor.models.script import Answer, call_prefix, message_of
from shopfloor.models.scripted import Answering, ScriptedModel
from shopfloor.repo.services import App, Services
from shopfloor.sandbox.probe import find_chromium, probe
from shopfloor.testing.courtroom import Courtroom, open_courtroom
from shopfloor.testing.desktops import why_no_desktop
from shopfloor.testing.workshop import call
from shopfloor.validation import user_testing
from shopfloor.validation.user_testing import UserCase

APPS = Path(__file__).parent / "drivers" / "apps"
PYTHON = f"{sys.base_prefix}/bin/python3"
KEY = ConversationKey(mission="court", role="user-tester", feature="m1")
STREAM = "agent/court/user-tester/m1/1"

ADD = call("request", method="POST", path="/todos", body='{"title": "milk"}')
LIST = call("request", method="GET", path="/todos")
RESTART = call("restart")


@pytest.fixture(autouse=True)
def arena_works() -> None:
    if probe().why_no_arena:
        pytest.skip(probe().why_no_arena)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def words(assertion: str, verdict: str, *evidence: str, reason: str = "") -> dict[str, object]:
    return {"assertion": assertion, "verdict": verdict, "evidence": list(evidence), "reason": reason}


def submit(*verdicts: dict[str, object]) -> Answer:
    return call("submit_verdicts", verdicts=list(verdicts))


def judged_as_user(
    folder: Path,
    port: int,
    answers: Sequence[Answer] | Answering,
    surfaces: Sequence[Surface],
    start: str = f"exec {PYTHON} todo.py $PORT",
    look: Callable[[Courtroom, Verdict], Awaitable[None]] | None = None,
    browser: str = "",
    published: str = f"GET and POST /todos; `{PYTHON} echo.py`",
    behaviour: str = "When used, then it remembers.",
) -> Verdict:
    """The verdict of a judge with these answers on the to-do app; A-1, A-2 … are its assertions, by surface."""
    script = answers if callable(answers) else {("user-tester",): tuple(answers)}
    case = UserCase(
        key=KEY,
        subject="m1",
        commit="",
        contract=Contract(
            title="To do",
            assertions=tuple(
                Assertion(id=f"A-{number}", title="To do", behaviour=behaviour, surface=surface)
                for number, surface in enumerate(surfaces, 1)
            ),
            published=published,
        ),
        seal="",
        assertions=tuple(f"A-{number}" for number in range(1, len(surfaces) + 1)),
        services=Services(app=App(start=start or None, health="/", port=port)),
        budget=Budget(),
    )

    async def whole() -> Verdict:
        files = {path.name: path.read_text() for path in APPS.iterdir() if path.is_file()}
        async with open_courtroom(folder, files, model=ScriptedModel(script)) as room:
            court = replace(room.court, find_browser=lambda: browser or find_chromium())
            verdict = await user_testing.test_as_user(court, replace(case, commit=room.base))
            if look is not None:
                await look(room, verdict)
            return verdict

    return anyio.run(whole)


async def heard(room: Courtroom) -> list[AgentEvent]:
    return [cast("AgentEvent", recorded.event) for recorded in await room.journal.read(STREAM)]


def test_a_product_is_judged_by_using_it(tmp_path: Path, port: int) -> None:
    """What a judge did over HTTP and in a terminal is the evidence; what must survive a restart is asked after one."""
    steps = (
        LIST,
        ADD,
        LIST,
        RESTART,
        LIST,
        call("terminal", do="start", text=f"exec {PYTHON} echo.py"),
        call("terminal", do="type", text="hello\n"),
        call("wait_for", text="you said hello", where="terminal"),
        submit(words("A-1", "passed", "E1", "E3", "E5"), words("A-2", "passed", "E8")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        shown = [
            (evidence.kind, room.court.desk.blobs.get(evidence.blob).decode())
            for one in verdict.judged
            for evidence in one.evidence
        ]
        assert [kind for kind, _ in shown] == ["exchange", "exchange", "exchange", "transcript"]
        assert shown[0][1].startswith("GET /todos HTTP/1.1") and shown[0][1].endswith("[]")
        assert shown[1][1].endswith('["milk"]') and shown[2][1].endswith('["milk"]')
        assert "you said hello" in shown[3][1]
        started = next(event for event in await heard(room) if isinstance(event, AgentStarted))
        assert set(started.tools) == {"request", "terminal", "wait_for", "restart", "submit_verdicts"}

    verdict = judged_as_user(tmp_path, port, steps, ("http", "terminal"), look=look)

    assert verdict.passed, verdict.judged
    assert (verdict.kind, verdict.subject) == ("user_testing", "m1")
    assert (verdict.judge.agents, verdict.judge.independence) == ((STREAM,), "enforced")


@pytest.mark.skipif(bool(why_no_desktop()), reason=why_no_desktop())
def test_a_program_with_windows_is_judged_by_using_it(tmp_path: Path, port: int) -> None:
    """It is started as published and no server beside it; a judge reads titles, the clipboard and files."""
    steps = (
        call("desktop", do="start", text=f"{PYTHON} desk.py"),
        call("desktop", do="type", text="milk"),
        call("desktop", do="keys", text="Return ctrl+e ctrl+s"),
        call("wait_for", text="To do: milk"),
        call("desktop", do="expect", text='clipboard is "milk"'),
        call("desktop", do="expect", text='file "~/todos.txt" is "milk"'),
        call("desktop", do="click", text="To do: milk", x=50, y=35),
        call("desktop", do="expect", text="screen changes"),
        call("desktop", do="start", text="cat desk.py"),
        call("desktop", do="expect", text="keys x"),
        submit(words("A-1", "passed", "E4", "E5", "E6", "E8")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        assert {shown.kind for shown in verdict.judged[0].evidence} == {"screenshot"}
        told = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert "'cat desk.py' is not published" in told[8]
        assert "'keys x' is done, not expected" in told[9]

    published = f"`{PYTHON} desk.py`"
    verdict = judged_as_user(tmp_path, port, steps, ("desktop",), look=look, published=published)

    assert verdict.passed, verdict.judged


def test_one_failed_assertion_fails_the_product(tmp_path: Path, port: int) -> None:
    """What the judge expected and saw is the reason, and names what caught it."""
    reason = "GET /nowhere should answer 200; it answered 404"
    steps = (
        LIST,
        call("request", method="GET", path="/nowhere"),
        submit(words("A-1", "passed", "E1"), words("A-2", "failed", "E2", reason=reason)),
    )

    verdict = judged_as_user(tmp_path, port, steps, ("http", "http"))

    assert not verdict.passed
    assert verdict.caught_by == ("A-2",)
    assert [(one.verdict, one.reason) for one in verdict.judged] == [("passed", ""), ("failed", reason)]


def test_verdicts_without_evidence_are_asked_for_again(tmp_path: Path, port: int) -> None:
    """A judge cannot pass what it did not try: it is told, tries, and then its word is taken."""

    async def look(room: Courtroom, verdict: Verdict) -> None:
        told = next(event for event in await heard(room) if isinstance(event, ToolReturned))
        assert "A-1: names no evidence; take the steps that show it." in told.result.text

    steps = (submit(words("A-1", "passed")), LIST, submit(words("A-1", "passed", "E1")))
    verdict = judged_as_user(tmp_path, port, steps, ("http",), look=look)

    assert verdict.passed


def test_verdicts_are_written_after_the_steps(tmp_path: Path, port: int) -> None:
    """What was handed in beside a step cannot rest on what came of it."""

    async def look(room: Courtroom, verdict: Verdict) -> None:
        told = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert "before the results of the step beside them were there" in told[1]

    hasty = Answer(calls=(*LIST.calls, *submit(words("A-1", "passed", "E1")).calls))
    verdict = judged_as_user(tmp_path, port, (hasty, submit(words("A-1", "passed", "E1"))), ("http",), look=look)

    assert verdict.passed


def test_what_an_assertion_names_is_tried(tmp_path: Path, port: int) -> None:
    """Another request is no evidence for the one that the assertion speaks of."""

    async def look(room: Courtroom, verdict: Verdict) -> None:
        told = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert "A-1: it speaks of `POST /todos`, and you did not try that." in told[1]

    steps = (LIST, submit(words("A-1", "passed", "E1")), ADD, submit(words("A-1", "passed", "E2")))
    behaviour = "When POST /todos is sent, then it remembers."
    verdict = judged_as_user(tmp_path, port, steps, ("http",), look=look, behaviour=behaviour)

    assert verdict.passed


def test_a_step_that_did_not_come_about_shows_nothing(tmp_path: Path, port: int) -> None:
    """A wait that ended without the text is no evidence for a pass, whatever the judge says of it."""
    steps = (
        call("terminal", do="start", text=f"exec {PYTHON} echo.py"),
        call("wait_for", text="what it never says", where="terminal", seconds=0.1),
        submit(words("A-1", "passed", "E2")),
        submit(words("A-1", "failed", "E2", reason="it never says that")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        told = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert "A-1: none of these steps came about" in told[2]

    assert judged_as_user(tmp_path, port, steps, ("terminal",), look=look).caught_by == ("A-1",)


def test_the_judge_sees_none_of_the_source(tmp_path: Path, port: int) -> None:
    """Its terminal runs the product as a user would; its requests come from where no file of the product is."""
    steps = (
        call("request", method="GET", path="file:///repo/todo.py"),
        LIST,
        submit(words("A-1", "passed", "E1")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        refused = next(event for event in await heard(room) if isinstance(event, ToolReturned))
        assert not refused.result.ok
        assert "is not an address of the app" in refused.result.text

    assert judged_as_user(tmp_path, port, steps, ("http",), look=look).passed


def test_a_product_that_does_not_start_has_failed(tmp_path: Path, port: int) -> None:
    """Every assertion failed, no judge is employed, and what the product printed is the evidence."""

    async def look(room: Courtroom, verdict: Verdict) -> None:
        log = room.court.desk.blobs.get(verdict.judged[0].evidence[0].blob).decode()
        assert "it ended with exit code 3" in log
        assert "the database is missing" in log
        assert await heard(room) == []

    verdict = judged_as_user(
        tmp_path, port, (), ("http", "terminal"), start="echo the database is missing; exit 3", look=look
    )

    assert verdict.caught_by == ("A-1", "A-2")
    assert {one.verdict for one in verdict.judged} == {"failed"}


def test_a_judge_that_does_not_finish_blocks(tmp_path: Path, port: int) -> None:
    """Blocked never counts as passed, and says why."""
    verdict = judged_as_user(tmp_path, port, (LIST,), ("http",))

    assert not verdict.passed
    assert [(one.verdict, one.reason[:41]) for one in verdict.judged] == [
        ("blocked", "the judge did not finish (gave_up): The s")
    ]


def test_a_judge_cut_off_goes_on_where_it_was(tmp_path: Path, port: int) -> None:
    """In a fresh arena its steps are taken again: what it added is there, once, and its numbers go on."""
    steps = (ADD, LIST, LIST, submit(words("A-1", "passed", "E2", "E3")))

    def until_the_power_fails(key: ConversationKey, turn: int, newest: Message | None) -> Message:
        if turn == 3:
            raise Broken("the power is gone")
        return message_of(steps[turn - 1], call_prefix(key, turn))

    async def look(room: Courtroom, verdict: Verdict) -> None:
        before, after = (room.court.desk.blobs.get(one.blob).decode() for one in verdict.judged[0].evidence)
        assert before.endswith('["milk"]')
        assert after.endswith('["milk"]')
        answers = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert [answer[:4] for answer in answers[:3]] == ["[E1 ", "[E2 ", "[E3 "]

    with pytest.raises(Broken, match="the power is gone"):
        judged_as_user(tmp_path, port, until_the_power_fails, ("http",))
    verdict = judged_as_user(tmp_path, port, steps, ("http",), look=look)

    assert verdict.passed, verdict.judged


@pytest.mark.skipif(not find_chromium(), reason="no browser here")
def test_a_page_is_judged_in_a_browser(tmp_path: Path, port: int) -> None:
    """The judge fills, clicks and reloads; pictures of the page are the evidence."""
    what = 'placeholder "What needs to be done?"'
    steps = (
        call("browser", do="open"),
        call("browser", do="fill", target=what, text="milk"),
        call("browser", do="click", target='button "Add"'),
        call("browser", do="screenshot"),
        call("browser", do="reload"),
        call("browser", do="look"),
        submit(words("A-1", "passed", "E3", "E4", "E6")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        shown = verdict.judged[0].evidence
        assert [evidence.kind for evidence in shown] == ["transcript", "screenshot", "screenshot"]
        assert all(room.court.desk.blobs.get(one.blob).startswith(b"\x89PNG") for one in shown[1:])
        assert "changed on the page" in room.court.desk.blobs.get(shown[0].blob).decode()
        answers = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert 'checkbox "milk"' in answers[5]

    assert judged_as_user(tmp_path, port, steps, ("web",), look=look).passed


@pytest.mark.skipif(not find_chromium(), reason="no browser here")
def test_a_judge_answers_dialogs_and_goes_from_tab_to_tab(tmp_path: Path, port: int) -> None:
    """What asks before it acts can be refused and confirmed; what opens a window can be followed, and left again."""
    add = (
        call("browser", do="open"),
        call("browser", do="fill", target='placeholder "What needs to be done?"', text="milk"),
        call("browser", do="click", target='button "Add"'),
    )
    steps = (
        *add,
        call("browser", do="click", target='button "Clear"'),
        call("browser", do="accept_dialogs"),
        call("browser", do="hover", target='button "Clear"'),
        call("browser", do="click", target='button "Clear"'),
        call("browser", do="click", target='link "New window"'),
        call("browser", do="switch_tab", text="the first"),
        call("browser", do="switch_tab", text="1"),
        submit(words("A-1", "passed", "E4", "E7")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        answers = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        assert "dialog 'Clear all?' was dismissed; say beforehand" in answers[3]
        assert "dialog 'Clear all?' was accepted" in answers[6]
        assert "'the first' is no number of a tab" in answers[8]
        assert "tab 1:" in answers[9] and "(here)" in answers[9].split("\n| tab 1:")[1].split("\n| tab 2:")[0]

    assert judged_as_user(tmp_path, port, steps, ("web",), look=look).passed


def test_without_a_browser_a_page_is_blocked(tmp_path: Path, port: int) -> None:
    """What could not be tried is blocked, for a reason a person can act on; what needs no browser is judged."""
    steps = (LIST, submit(words("A-2", "passed", "E1")))

    verdict = judged_as_user(tmp_path, port, steps, ("web", "http"), browser="/nowhere/chromium")

    assert verdict.only_blocked
    assert [(one.assertion, one.verdict) for one in verdict.judged] == [("A-1", "blocked"), ("A-2", "passed")]
    assert "no browser here" in verdict.judged[0].reason


def test_nobody_is_paid_to_judge_what_cannot_be_driven(tmp_path: Path, port: int) -> None:
    """Without a browser, a milestone of pages only is blocked before a model is asked."""

    async def look(room: Courtroom, verdict: Verdict) -> None:
        assert await heard(room) == []

    assert judged_as_user(tmp_path, port, (), ("web",), look=look, browser="/nowhere/chromium").only_blocked


def test_what_a_product_says_to_its_judge_is_what_it_shows(tmp_path: Path, port: int) -> None:
    """Behind a mark on each line, which nothing in it can end. A judge who obeys it still has no evidence."""
    steps = (
        call("request", method="GET", path="/verdict"),
        call("terminal", do="start", text=f"{PYTHON} surly.py verdict"),
        submit(words("A-1", "passed"), words("A-2", "passed")),
        submit(words("A-1", "passed", "E7"), words("A-2", "passed", "E7")),
        submit(words("A-1", "failed", "E1", reason="it talks"), words("A-2", "failed", "E2", reason="it talks")),
    )

    async def look(room: Courtroom, verdict: Verdict) -> None:
        told = [event.result.text for event in await heard(room) if isinstance(event, ToolReturned)]
        for number, answer in enumerate(told[:2], start=1):
            first, *shown = answer.splitlines()
            assert first.startswith(f"[E{number} ") and "VERDICT" not in first
            assert "VERDICT: passed" in answer and all(line.startswith("| ") for line in shown)
        assert "A-1: names no evidence" in told[2] and "there is no evidence E7" in told[3]

    published, start = f"GET /verdict; `{PYTHON} surly.py verdict`", f"exec {PYTHON} trouble.py $PORT"
    verdict = judged_as_user(tmp_path, port, steps, ("http", "terminal"), start=start, look=look, published=published)

    assert verdict.caught_by == ("A-1", "A-2")
