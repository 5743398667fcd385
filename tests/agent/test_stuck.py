"""Going round in circles: every circle is seen in the rounds that are promised, and honest work never is one."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.agent.stuck import FAILING_TURNS, PATIENCE, PERIODS, ROUNDS, SILENT_TURNS, WINDOW, Turn, stuck, turn_of
from shopfloor.domain.events import AgentCorrected
from shopfloor.domain.messages import Call, ConversationKey, Message, Result, Text
from shopfloor.models.script import Answer
from shopfloor.testing.workshop import call

if TYPE_CHECKING:
    from conftest import Office


def turn(name: str, result: str = "fine", *, ok: bool = True, **arguments: object) -> Turn:
    """A turn of one call."""
    made = Call(id="c", name=name, arguments=msgspec.json.encode(arguments).decode())
    return turn_of(Message(role="assistant", parts=(made,)), (Result(call_id="c", text=result, ok=ok),))


def shell(command: str, result: str = "exit code 0, under 1 s") -> Turn:
    return turn("shell", result, command=command)


def read(path: str, result: str = "1  text") -> Turn:
    return turn("read", result, path=path)


def edit(path: str, old: str, new: str) -> Turn:
    return turn("edit", f"edited {path}: 1 replacement", path=path, old=old, new=new)


def words(text: str) -> Turn:
    return turn_of(Message(role="assistant", parts=(Text(text=text),)), ())


def flagged(turns: Sequence[Turn]) -> list[int]:
    """After how many turns somebody who looks after each one calls it stuck."""
    return [count for count in range(1, len(turns) + 1) if stuck(turns[:count])]


FAILING = "exit code 1, 2 s\nFAILED test_orders.py::test_total - assert 41 == 42\n1 failed, 7 passed in {}s"

# --- honest work -------------------------------------------------------------------------------------------------

HONEST = {
    "polling with changing answers": [
        shell("sleep 30; tail -1 build.log", f"exit code 0, 30 s\ncompiled {count} of 90") for count in range(90)
    ],
    "polling without waiting, with changing answers": [
        shell("curl -s localhost:8000/jobs/7", f'{{"done": {share}}}') for share in range(60)
    ],
    "polling a slow job that says nothing": [shell("sleep 60; kubectl get job", "exit code 0, 60 s\nrunning")]
    * (PATIENCE - 1),
    "waiting and looking in turn": [shell("sleep 20"), shell("gh run view 7", "in progress")] * (PATIENCE - 1),
    "a judge that waits for a slow page": [
        turn("wait_for", "[E1 transcript] not seen in 5.0 s", text="Ready", seconds=5.0)
    ]
    * (PATIENCE - 1),
    "tests run again after every edit, still failing, in other times": [
        one
        for attempt in range(12)
        for one in (
            edit("orders.py", f"total = {attempt}", f"total = {attempt + 1}"),
            shell("pytest -q", FAILING.format(f"0.{attempt}1")),
        )
    ],
    "the same edit over many files": [
        edit(f"src/module_{number}.py", "import old", "import new") for number in range(50)
    ],
    "reading many files that say the same": [read(f"src/part_{number}/__init__.py", "") for number in range(50)],
    "reading and editing one file in turn": [
        one
        for line in range(20)
        for one in (read("a.py", f"1  line {line}"), edit("a.py", f"line {line}", f"line {line + 1}"))
    ],
    "reading and editing file after file": [
        one for number in range(20) for one in (read(f"{number}.py", "x = 1"), edit(f"{number}.py", "x = 1", "x = 2"))
    ],
    "three runs of a flaky test": [shell("pytest -q", FAILING.format("1.2"))] * 3,
    "red, green, refactor, and red again": [
        one
        for name in ("add", "sub", "mul", "div", "mod")
        for one in (
            turn("write", "written", path=f"test_{name}.py", content=name),
            shell("pytest -q", FAILING.format("0.3")),
            edit("calc.py", "pass", name),
            shell("pytest -q", "exit code 0, 1 s\n8 passed in 0.30s"),
        )
    ],
    "looking at every page of a long file": [
        turn("read", f"{start}  …", path="big.py", start=start) for start in range(0, 5_000, 100)
    ],
    "different commands that all fail": [
        turn("shell", "exit code 1, under 1 s", command=f"make target-{number}") for number in range(30)
    ],
    "finding the right name of a file in five tries": [
        turn("read", f"no file {name!r}", ok=False, path=name) for name in ("a", "b", "c", "d", "e")
    ],
    "saying something between two calls": [
        one for number in range(9) for one in (words("I will look."), read(f"{number}.py"))
    ],
}


@pytest.mark.parametrize("turns", HONEST.values(), ids=HONEST.keys())
def test_honest_work_is_never_called_a_circle(turns: list[Turn]) -> None:
    """Not after any of its turns: this is what people complain about most where loops are detected."""
    assert flagged(turns) == []


# --- circles -----------------------------------------------------------------------------------------------------

A, B, C, D = read("a.py"), shell("pytest -q", FAILING.format("0.31")), edit("a.py", "x", "y"), edit("a.py", "y", "x")
UNITS = {"a turn": [A], "two turns": [A, B], "three turns": [A, B, C], "four turns": [A, B, C, D]}
AFTER_HONEST_WORK = [read(f"{number}.py") for number in range(17)]


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
@pytest.mark.parametrize("before", [[], AFTER_HONEST_WORK], ids=["from the start", "after honest work"])
def test_a_circle_is_seen_in_the_rounds_promised_and_not_before(unit: list[Turn], before: list[Turn]) -> None:
    """A single turn is granted four rounds, longer circles three; a period of three is seen like any other."""
    rounds = ROUNDS[len(unit)]

    assert flagged([*before, *unit * rounds]) == [len(before) + len(unit) * rounds]


@pytest.mark.parametrize("length", PERIODS)
def test_a_circle_that_waits_is_seen_when_patience_is_over(length: int) -> None:
    """For a command that waits time is the change, but not for ever."""
    unit = [shell("sleep 60; kubectl get job", "running"), A, B, C][:length]

    assert flagged(unit * PATIENCE) == [length * PATIENCE]


def test_times_addresses_and_names_of_temporary_files_make_no_difference() -> None:
    """The same failure is the same failure, however long it took."""
    tries = [
        shell("pytest", f"exit code 1, {s} s\n<Order at 0x7f{s}a> in /tmp/pytest-{s}/x, 12:00:0{s}: 1 failed in 0.{s}s")
        for s in range(4)
    ]
    assert stuck(tries) == "the last turn repeated with the same results"


def test_numbers_that_are_results_make_a_difference() -> None:
    """Only what varies by itself is taken out: 41 is not 42."""
    assert stuck([shell("pytest", f"assert {number} == 42") for number in range(8)]) is None


def test_several_calls_in_a_turn_count_as_one() -> None:
    """Repeating a pair of calls is a circle of one turn; one different result among them is none."""

    def both(second: str) -> Turn:
        reply = Message(role="assistant", parts=tuple(Call(id=i, name="read", arguments="{}") for i in "ab"))
        return turn_of(reply, (Result(call_id="a", text="same"), Result(call_id="b", text=second)))

    assert stuck([both("same")] * 4) is not None
    assert stuck([both(f"changed {number}") for number in range(4)]) is None


def test_words_without_deeds_are_a_circle_of_their_own() -> None:
    """Three replies that call nothing, however different."""
    talk = [words(f"Now I will really do it, {number}.") for number in range(SILENT_TURNS)]
    assert flagged(talk) == [SILENT_TURNS]


def test_a_tool_that_never_takes_the_call_is_a_circle() -> None:
    """Six different failures of one tool: the model does not know how to use it."""
    tries = [turn("edit", "not found", ok=False, path="a.py", old=f"guess {n}", new="x") for n in range(FAILING_TURNS)]
    assert stuck(tries) == "6 calls of 'edit' in a row failed"
    assert stuck([*tries[:-1], A]) is None
    other = turn("write", "not allowed", ok=False, path="a.py", content="")
    assert stuck([*tries[:3], other, *tries[3:-1]]) is None


# --- laws --------------------------------------------------------------------------------------------------------


def plain(name: object, *, waits: bool = False) -> Turn:
    return Turn(what=str(name), waits=waits)


@given(st.lists(st.tuples(st.integers(), st.booleans()), unique_by=lambda one: one[0], max_size=WINDOW + 20))
def test_turns_that_all_differ_are_never_stuck(turns: list[tuple[int, bool]]) -> None:
    """Whatever else they are: news is progress."""
    assert flagged([plain(name, waits=waits) for name, waits in turns]) == []


@given(
    before=st.lists(st.integers(0, 5), max_size=30),
    unit=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    more=st.integers(0, 5),
)
def test_whatever_came_before_enough_rounds_are_stuck(before: list[int], unit: list[int], more: int) -> None:
    """Any unit of one to four turns, repeated as often as promised or more."""
    rounds = ROUNDS[len(unit)] + more
    assert stuck([plain(name) for name in (*before, *unit * rounds)]) is not None


@given(st.lists(st.integers(0, 2), max_size=40), st.sets(st.integers(0, 2)))
def test_what_is_stuck_with_patience_is_stuck_without(names: list[int], waiting: set[int]) -> None:
    """Waiting only ever grants more time."""
    turns = [plain(name, waits=name in waiting) for name in names]
    assert stuck(turns) is None or stuck([plain(name) for name in names]) is not None


# --- what the loop does about it ---------------------------------------------------------------------------------

SAME = call("read", path="gone.txt")
HAND_OFF = call("hand_off", summary="built", tests=3)


def corrections(office: "Office") -> list[str]:
    return [event.reason for event in office.events() if isinstance(event, AgentCorrected)]


def test_the_first_time_it_is_told_and_the_second_time_it_leaves(office: "Office") -> None:
    """A nudge never destroys context and never waits for a key press; what does not help twice is given up."""
    outcome = office.run([SAME] * 20)

    why = "the last turn repeated with the same results"
    assert (outcome.exit, outcome.reason) == ("stuck", why)
    assert corrections(office) == [why]
    assert len(office.deeds) == 2 * ROUNDS[1]


def test_a_model_that_takes_the_hint_goes_on(office: "Office") -> None:
    """The correction is said once, as words of the loop, and after them the count begins anew."""
    outcome = office.run([*[SAME] * 4, call("shell", command="make"), *[SAME] * 3, HAND_OFF])

    assert outcome.exit == "done"
    assert len(corrections(office)) == 1


def test_the_way_out_of_a_circle_survives_a_power_cut(office: "Office") -> None:
    """A correction that was written is not said again, and the second circle still ends the agent."""
    office.run([SAME] * 20)
    events = office.events()
    cut = next(place for place, event in enumerate(events, 1) if isinstance(event, AgentCorrected))
    again = office.beside("again")
    again.write(*events[:cut])

    assert again.run([SAME] * 20).exit == "stuck"
    assert [type(event) for event in again.events()] == [type(event) for event in events]


@pytest.mark.parametrize("length", PERIODS)
def test_an_agent_that_waits_for_ever_leaves_in_the_end(office: "Office", length: int) -> None:
    """However long the circle that it waits in: told once, and stopped the second time."""
    unit = [call("shell", command="sleep 60"), *(call("shell", command=f"look {n}") for n in range(length - 1))]

    def waiting(key: ConversationKey, number: int, newest: Message | None) -> Message:
        made = unit[(number - 1) % length].calls[0]
        arguments = msgspec.json.encode(made.arguments).decode()
        return Message(role="assistant", parts=(Call(id=f"c{number}", name=made.name, arguments=arguments),))

    outcome = office.run(waiting)

    assert (outcome.exit, len(corrections(office))) == ("stuck", 1)
    assert len(office.deeds) == 2 * length * PATIENCE


def test_a_circle_long_after_a_correction_is_corrected_anew(office: "Office") -> None:
    """One bad moment in the morning does not make the next one in the evening the last."""
    day = [call("shell", command=f"work {number}") for number in range(WINDOW)]
    outcome = office.run([*[SAME] * 4, *day, *[SAME] * 4, HAND_OFF])

    assert outcome.exit == "done"
    assert len(corrections(office)) == 2


@pytest.mark.parametrize(("first", "second"), list(product(["circle", "silence", "failures"], repeat=2)))
def test_any_two_kinds_of_being_stuck_add_up(office: "Office", first: str, second: str) -> None:
    """It is one patience for all of them."""
    kinds: dict[str, Sequence[Answer | str]] = {
        "circle": [SAME] * 4,
        "silence": ["Hm.", "Well.", "So."],
        "failures": [call("edit", path=f"{number}.py") for number in range(FAILING_TURNS)],
    }
    assert office.run([*kinds[first], *kinds[second], HAND_OFF]).exit == "stuck"
