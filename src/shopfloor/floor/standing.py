"""How a mission stands, in words: how it was left or what it waits for, why, and what it is doing. Pure.

It does not know what came of the work.
"""

from shopfloor.domain.exits import Exit
from shopfloor.floor.delivery import verified
from shopfloor.missions import moves
from shopfloor.missions.state import Mission


def standing(mission: Mission) -> tuple[Exit | None, str]:
    """How it was left, None while it has not ended, and why it ended so or waits."""
    ended = mission.ended
    if ended is None:
        return None, mission.paused.reason if mission.paused else ""
    if ended.exit == "done" and not ended.reason and not verified(mission):
        return ended.exit, _why_unverified(mission)
    return ended.exit, ended.reason


def _why_unverified(mission: Mission) -> str:
    """Why nobody says of what was handed over that it is done."""
    if mission.asked.form != "solo":
        standing = mission.standing
        contract = mission.planned.plan.contract.assertions if mission.planned else ()
        return f"not everything has passed: {', '.join(one.id for one in contract if standing.get(one.id) != 'passed')}"
    last = mission.words[-1] if mission.words else None
    if last is None or not (last.checks or last.judged):
        return "no checks were found that could be run on it"
    return f"its checks did not pass: {last.refused_by}"


def waiting(mission: Mission, holder: str | None) -> str:
    """What a mission that has not ended waits for; with a holder, it runs."""
    if holder is not None:
        return "running"
    if mission.open_question is not None or (mission.sealed is not None and not mission.approved):
        return "waits for a person"
    if mission.paused is None:
        return "interrupted"
    if mission.paused.after_s is not None:
        return "to be tried later"
    states: dict[Exit, str] = {
        "out_of_budget": "out of budget",
        "out_of_time": "out of time",
        "needs_person": "waits for a person",
    }
    return states.get(mission.paused.exit, "paused")


def doing(mission: Mission) -> str:
    """What whoever carries it is at."""
    solo = mission.asked.form == "solo"
    match moves.next_solo_move(mission) if solo else moves.next_move(mission):
        case moves.MakePlan():
            return "planning"
        case moves.Seal():
            return "writing the checks"
        case moves.Work(feature=feature, attempt=attempt):
            return f"building {feature.id}" + (f" (attempt {attempt})" if attempt > 1 else "")
        case moves.WorkAlone():
            return "at work"
        case moves.Scrutinise(feature=feature, round=number):
            return f"judging {feature.id}" + (f" (round {number})" if number > 1 else "")
        case moves.TestAsUser(milestone=milestone):
            return f"trying {milestone.id} as a user"
        case moves.Verify():
            return "judging the work"
        case moves.AskApproval() | moves.Ask() | moves.Wait() | moves.CallForHelp():
            return "waiting for a person"
        case _:
            return "handing over"
