"""The lines a person sees while a job runs."""

import pytest

from shopfloor.domain.contract import Check, SealedChecks
from shopfloor.domain.events import ContractSealed, ModelReplied, ToolReturned, VerdictReached
from shopfloor.domain.messages import Call, Message, Result
from shopfloor.domain.mission import CheckOutcome, Judge, Verdict
from shopfloor.domain.spending import Usage
from shopfloor.faces.cli.progress import Lines


def replied(command: str) -> ModelReplied:
    call = Call(id="1", name="shell", arguments=f'{{"command": "{command}"}}')
    message = Message(role="assistant", parts=(call,))
    return ModelReplied(turn=7, message=message, usage=Usage(), model="scripted:story", stop="calls")


def test_a_turn_is_one_line_that_names_its_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Each reply shows as a line with its turn and what it calls, without colours where no terminal listens."""
    Lines().heard("agent/m/solo/1", replied("make test"))

    assert capsys.readouterr().out == "  0:00      7  shell make test\n"


def test_a_result_that_went_well_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what failed as a call is worth a line of its own."""
    lines = Lines()
    lines.heard("agent/m/solo/1", ToolReturned(turn=7, result=Result(call_id="1", text="fine")))
    lines.heard("agent/m/solo/1", ToolReturned(turn=8, result=Result(call_id="2", text="no such tool", ok=False)))

    assert capsys.readouterr().out == "  0:00         no such tool\n"


def test_why_a_reply_is_late_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A person is told of a wait; words that stream are shown only where a terminal can take them back."""
    lines = Lines()
    lines.delta("Let me")
    lines.told("openai:m: HTTP 429: slow down; asking again in 8 s")

    assert capsys.readouterr().out == "  0:00    openai:m: HTTP 429: slow down; asking again in 8 s\n"


def test_a_model_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a command are shown without what would act on the terminal."""
    Lines().heard("agent/m/solo/1", replied("echo \\u001b]0;owned\\u0007\\u001b[2J"))

    assert capsys.readouterr().out == "  0:00      7  shell echo  ]0;owned  [2J\n"


@pytest.mark.parametrize(
    ("checked", "red", "words"),
    [
        ((("A", "G"), ("B",)), ("A", "B"), ", 2 seen to fail on the base, 1 guard seen to hold"),
        ((("A",),), ("A",), ", 1 seen to fail on the base"),
        ((("F", "G"),), (), ", 2 guards seen to hold"),
        ((), (), ""),
    ],
    ids=["both", "only new", "only guards", "nothing to run"],
)
def test_a_seal_tells_guards_from_what_failed(
    checked: tuple[tuple[str, ...], ...], red: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what was seen to fail on the base is said to have failed there."""
    checks = SealedChecks(checks=tuple(Check(assertions=names, command="make test", files=()) for names in checked))
    sealed = ContractSealed(seal="0123456789abcdef", contract="", checks=checks, services="", red_on_base=red)
    Lines().heard("mission/m", sealed)

    assert capsys.readouterr().out == f"  0:00  contract sealed 0123456789ab{words}\n"


def test_a_check_that_was_not_made_is_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be checked refuses nobody, and nobody is told that it passed."""
    made = CheckOutcome(name="tests", passed=True)
    left_out = CheckOutcome(name="control", passed=True, detail="not checked: no known way to make these tests fail")
    for checks in ((made, left_out), (made, made)):
        verdict = Verdict(kind="scrutiny", subject="task", commit="c", contract="", judge=Judge(), checks=checks)
        Lines().heard("mission/m", VerdictReached(verdict=verdict, round=1))

    assert capsys.readouterr().out.splitlines() == [
        "  0:00  scrutiny of task: passed (1 check, 1 not checked)",
        "  0:00  scrutiny of task: passed (2 checks)",
    ]
