"""The runner: it makes one move after the other, waits where it must, and goes on as if it had never waited."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import anyio
import pytest

from shopfloor.domain.events import (
    AgentEvent,
    AgentStarted,
    Answered,
    AttemptEnded,
    AttemptStarted,
    CancelAsked,
    ContractSealed,
    FeatureLanded,
    FixPlanned,
    InboxEvent,
    MissionEnded,
    MissionEvent,
    MissionPlanned,
    MissionReady,
    PauseAsked,
    PlanApproved,
    ToolReturned,
    VerdictReached,
)
from shopfloor.domain.messages import ConversationKey, Message
from shopfloor.domain.roles import RoleName
from shopfloor.domain.spending import Budget
from shopfloor.factory import Wishes
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import inbox_of
from shopfloor.missions import moves
from shopfloor.missions.moves import next_move
from shopfloor.missions.state import fold
from shopfloor.models.script import Answer
from shopfloor.models.scripted import Script, ScriptedModel
from shopfloor.settings import Settings
from shopfloor.testing.subtraction import (
    BRIEF,
    CHECK_COMMAND,
    GOOD,
    MISSION,
    PLAN,
    SCRIPT,
    SCRIPT_WITH_FIX,
    SUBTRACT_CHECK,
    subtraction,
)
from shopfloor.testing.workshop import Workshop, call, plan

QUICK = Settings(sandbox="none", auto="high")
LOOK = call("read", path="calc.py")


def workshop_while(
    folder: Path, script: Script, role: RoleName, happens: Callable[[], None], settings: Settings = QUICK
) -> Workshop:
    """A workshop where something happens once, while an agent of that role waits for its first reply."""
    plain, waiting = ScriptedModel(script), [happens]

    def answer(key: ConversationKey, turn: int, newest: Message | None) -> Message:
        if key.role == role and waiting:
            waiting.pop()()
        return plain.answer(key, turn, newest)

    made = subtraction(folder, script, settings)
    return Workshop(repository=made.repository, state=made.state, model=ScriptedModel(answer), settings=settings)


def write_to(workshop: Workshop, *letters: InboxEvent) -> None:
    """A person writes to the mission, from another process."""

    async def send() -> None:
        journal = open_sqlite(workshop.state / "journal.db")
        await journal.append(inbox_of(f"mission/{MISSION}"), letters)
        await journal.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(anyio.run, send).result()


def facts(workshop: Workshop) -> list[MissionEvent]:
    async def read() -> list[MissionEvent]:
        journal = open_sqlite(workshop.state / "journal.db")
        recorded = await journal.read(f"mission/{MISSION}")
        await journal.close()
        return [cast("MissionEvent", one.event) for one in recorded]

    return anyio.run(read)


RECORDED: dict[type[moves.Move], tuple[type[MissionEvent], ...]] = {
    moves.MakePlan: (MissionPlanned,),
    moves.Seal: (ContractSealed,),
    moves.AskApproval: (PlanApproved,),
    moves.Work: (AttemptStarted, AttemptEnded),
    moves.Scrutinise: (VerdictReached,),
    moves.Land: (FeatureLanded,),
    moves.PlanFix: (FixPlanned,),
    moves.Deliver: (MissionReady, MissionEnded),
}


def test_every_fact_of_a_mission_follows_from_those_before_it(tmp_path: Path) -> None:
    """Whatever prefix of its journal a runner finds, the next move is the one that was really made next."""
    workshop = subtraction(tmp_path, SCRIPT_WITH_FIX, QUICK)
    assert workshop.mission(BRIEF).verified
    events = facts(workshop)

    assert FixPlanned in map(type, events), "the story has a refusal in it"
    for cut in range(1, len(events)):
        move = next_move(fold(events[:cut]))
        assert move is not None
        assert type(events[cut]) in RECORDED[type(move)], (cut, move)
    assert next_move(fold(events)) is None


def test_a_pause_lets_a_judge_finish_and_costs_nothing(tmp_path: Path) -> None:
    """A reviewer that was cut short would have refused the work: nothing is mended that was not broken."""
    script = {**SCRIPT, ("reviewer",): (LOOK, call("submit_review", findings=[]))}
    workshop = workshop_while(tmp_path, script, "reviewer", lambda: write_to(workshop, PauseAsked()))

    paused = workshop.mission(BRIEF)
    assert (paused.state, paused.reason) == ("paused", "a person paused it")

    report = workshop.resume(MISSION)
    assert (report.exit, report.verified, report.fixes) == ("done", True, ())
    assert workshop.kinds(MISSION).count("VerdictReached") == 1


def test_a_pause_in_the_middle_of_the_work_goes_on_in_the_same_checkout(tmp_path: Path) -> None:
    """One attempt, one worker, one commit: the pause is not seen in the work."""
    workshop = workshop_while(tmp_path, SCRIPT, "worker", lambda: write_to(workshop, PauseAsked()))

    assert workshop.mission(BRIEF).state == "paused"
    assert workshop.resume(MISSION).verified
    assert workshop.kinds(MISSION).count("AttemptStarted") == 1


def test_a_cancel_ends_the_mission_and_leaves_the_person_s_repository_alone(tmp_path: Path) -> None:
    """Nothing is delivered, and nobody can go on with it."""
    workshop = workshop_while(tmp_path, SCRIPT, "worker", lambda: write_to(workshop, CancelAsked()))

    report = workshop.mission(BRIEF)
    assert (report.exit, report.branch, report.reason) == ("stopped", "", "a person cancelled it")
    assert workshop.resume(MISSION) == report


def test_permission_waits_for_a_person_and_then_the_work_goes_on(tmp_path: Path) -> None:
    """What the policy does not allow by itself is asked, the mission waits, and the answer finds its way."""
    asked = Wishes(approve=True, person_present=True)
    workshop = subtraction(tmp_path, SCRIPT, Settings(auto="low"))

    waiting = workshop.mission(BRIEF, asked)
    assert waiting.state == "waits for a person"
    question = fold(facts(workshop)).open_question
    assert question is not None
    assert question.text.startswith(f"May the agent run '{CHECK_COMMAND}'?")
    assert workshop.resume(MISSION, asked).state == "waits for a person"

    write_to(workshop, Answered(question=question.id, text="yes"))
    assert workshop.resume(MISSION, asked).verified


def test_a_plan_waits_for_its_yes(tmp_path: Path) -> None:
    """Nothing is built before somebody approved what was sealed."""
    workshop = subtraction(tmp_path, SCRIPT, QUICK)

    assert workshop.mission(BRIEF, Wishes()).reason == "the plan waits for approval"
    assert "AttemptStarted" not in workshop.kinds(MISSION)
    assert workshop.resume(MISSION, Wishes()).reason == "the plan waits for approval", "to go on is no yes"
    assert workshop.resume(MISSION, Wishes(approve=True)).verified


def test_a_larger_budget_lets_a_mission_go_on(tmp_path: Path) -> None:
    """It stops between two agents, says what was used, and the person may raise it."""
    workshop = subtraction(tmp_path, SCRIPT, Settings(sandbox="none", auto="high", budget="1tok"))

    stopped = workshop.mission(BRIEF)
    assert (stopped.exit, stopped.state) == (None, "out of budget")
    assert workshop.resume(MISSION).state == "out of budget", "without a larger one nothing happens"
    assert workshop.resume(MISSION, Wishes(approve=True, new_budget=Budget(tokens=10**6))).verified


def test_a_budget_that_ends_in_the_middle_of_planning_costs_no_more_than_a_pause(tmp_path: Path) -> None:
    """With a larger one the orchestrator goes on in its own conversation."""
    script = {**SCRIPT, ("orchestrator",): (LOOK, PLAN)}
    workshop = subtraction(tmp_path, script, Settings(sandbox="none", auto="high", budget="300tok"))

    assert workshop.mission(BRIEF).state == "out of budget"
    assert workshop.resume(MISSION, Wishes(approve=True, new_budget=Budget(tokens=10**6))).verified


def test_a_larger_budget_lets_one_agent_go_on(tmp_path: Path) -> None:
    """As its report promises: resume with a larger one."""
    script = {("solo",): (LOOK, LOOK, "Done.")}
    workshop = subtraction(tmp_path, script, Settings(sandbox="none", auto="high", budget="1ktok"))

    assert workshop.solo(BRIEF).state == "out of budget"
    assert workshop.resume(MISSION, Wishes(new_budget=Budget(tokens=10**6))).exit == "done"


def two_features() -> Answer:
    """A plan of two functions, each a feature of its own."""
    functions = ((1, "subtract", 2, -2), (2, "power", 125, 243))
    assertions = [
        {
            "id": f"VAL-CALC-00{number}",
            "title": name,
            "behaviour": f"When {name}(5, 3) is called, then it returns {five}; {name}(3, 5) returns {three}.",
            "surface": "library",
        }
        for number, name, five, three in functions
    ]
    features = [
        {"id": name, "title": name, "description": name, "claims": [f"VAL-CALC-00{number}"]}
        for number, name, *_ in functions
    ]
    return plan("Two", assertions, features)


def agent_events(workshop: Workshop, stream: str) -> list[AgentEvent]:
    async def act() -> list[AgentEvent]:
        journal = open_sqlite(workshop.state / "journal.db")
        facts = await journal.read(stream)
        await journal.close()
        return [cast("AgentEvent", fact.event) for fact in facts]

    return anyio.run(act)


def test_a_check_proves_one_feature(tmp_path: Path) -> None:
    """Features are built one by one, so a check that waits for two of them could never let the first one pass."""
    both = {"assertions": ["VAL-CALC-001", "VAL-CALC-002"], "command": CHECK_COMMAND, "files": ["test_subtract.py"]}
    writing = call("write", path="test_subtract.py", content=SUBTRACT_CHECK)
    script: Script = {
        ("orchestrator",): (two_features(),),
        ("test-writer",): (writing, call("submit_checks", checks=[both])),
    }
    workshop = subtraction(tmp_path, script, settings=QUICK)

    workshop.mission("Two features")

    events = agent_events(workshop, "agent/two-features-1/test-writer/1")
    told = [event.result.text for event in events if isinstance(event, ToolReturned)]
    assert "proves assertions of subtract, power, which are built one by one; make a check for each" in told[1]


@pytest.mark.parametrize(
    ("command", "files", "content", "complaint"),
    [
        (CHECK_COMMAND, [], SUBTRACT_CHECK, "names no file of yours"),
        (
            "test -s calc.py && grep -q 'def subtract' calc.py",
            ["test_subtract.py"],
            SUBTRACT_CHECK,
            "only looks at files",
        ),
        (
            CHECK_COMMAND,
            ["test_subtract.py"],
            SUBTRACT_CHECK.replace("class ", "clas "),
            "test_subtract.py: cannot be parsed",
        ),
    ],
    ids=["fulfilled by anybody", "fulfilled by a name", "fulfilled by nobody"],
)
def test_a_check_can_be_passed_by_doing_the_work_and_only_so(
    command: str, files: list[str], content: str, complaint: str, tmp_path: Path
) -> None:
    """What a worker could make true by a file of that name, or could never make true, goes back to its writer."""
    check = {"assertions": ["VAL-CALC-001"], "command": command, "files": files}
    writing = call("write", path="test_subtract.py", content=content)
    script: Script = {
        ("orchestrator",): (PLAN,),
        ("test-writer",): (writing, call("submit_checks", checks=[check])),
    }
    workshop = subtraction(tmp_path, script, settings=QUICK)

    workshop.mission("Subtract")

    events = agent_events(workshop, "agent/subtract-1/test-writer/1")
    told = [event.result.text for event in events if isinstance(event, ToolReturned)]
    assert complaint in told[1]


def test_workers_hear_what_those_before_them_found(tmp_path: Path) -> None:
    """What a landed feature's worker thought others should know opens the next one's task, and nothing else of it."""
    power_check = SUBTRACT_CHECK.replace("subtract", "power").replace("Subtract", "Power")
    power_check = power_check.replace("5, 3), 2)", "5, 3), 125)").replace("3, 5), -2)", "3, 5), 243)")
    commands = ["python3 -m unittest test_subtract", "python3 -m unittest test_power"]
    checks = [
        {"assertions": [f"VAL-CALC-00{number}"], "command": command, "files": [f"{command.split()[-1]}.py"]}
        for number, command in enumerate(commands, 1)
    ]
    known = "Rounding is Python's own."
    script: Script = {
        ("orchestrator",): (two_features(),),
        ("test-writer",): (
            call("write", path="test_subtract.py", content=SUBTRACT_CHECK),
            call("write", path="test_power.py", content=power_check),
            call("submit_checks", checks=checks),
        ),
        ("worker", "subtract"): (
            call("write", path="calc.py", content=GOOD),
            call("hand_off", summary="It takes away.", done="all of it", commands=[], issues=[known]),
        ),
        ("worker", "power"): (
            call("write", path="calc.py", content=GOOD + "\n\ndef power(a, b):\n    return a**b\n"),
            call("hand_off", summary="It raises.", done="all of it", commands=[]),
        ),
        ("reviewer",): (call("submit_review", findings=[]),),
    }
    workshop = subtraction(tmp_path, script, settings=QUICK)

    assert workshop.mission("Two features").verified

    first, second = (
        next(event.task.text for event in agent_events(workshop, stream) if isinstance(event, AgentStarted))
        for stream in ("agent/two-features-1/worker/subtract/1", "agent/two-features-1/worker/power/1")
    )
    assert f"- subtract: {known}" in second and known not in first
    assert "It takes away." not in second
