"""When what is asked contradicts itself, a person decides: which question, and what follows from the answer. Pure.

Tests that contradict the contract, or each other, are not for workers to build around, and what was built around them
is never delivered unasked. It does not know who found the contradiction.
"""

import re
from collections.abc import Iterable

from shopfloor.domain.events import QuestionAsked
from shopfloor.domain.mission import Feature, Verdict
from shopfloor.missions.state import Mission, conflict_of, line_of, root
from shopfloor.validation.gate_of_tests import CONFLICT
from shopfloor.validation.own_commands import TESTS
from shopfloor.validation.sealed import SEALED

_LEFT = f"{CONFLICT}/left"
_WHAT_THEN = (
    "Answer with what is right, and the next worker is told; answer `judge it` to have it judged as it is; "
    "or cancel the mission, and say in a new brief which of the two may change."
)
_YES = ("y", "yes", "ok", "okay", "deliver", "sure")
_NO = ("n", "no", "not", "don't", "never", "stop")


def contradiction(mission: Mission) -> QuestionAsked | None:
    """The question that must be answered before anybody goes on, if there is one."""
    asked = {question.id for question in mission.questions}
    found = (*_declared(mission), *_left_alone(mission), *_seen(mission))
    return next((one for one in found if one.id not in asked), None)


def _declared(mission: Mission) -> Iterable[QuestionAsked]:
    """What workers named as a contradiction when they handed off."""
    for one in mission.attempts:
        if one.handoff is not None and one.handoff.conflict:
            text = f"{one.feature} cannot be built as it is asked for, says its worker: {one.handoff.conflict}"
            yield QuestionAsked(id=conflict_of(one), text=f"{text}\n{_WHAT_THEN}")


def _left_alone(mission: Mission) -> Iterable[QuestionAsked]:
    """A worker who was to mend what judges refused, and handed it in as it was: one of the two is wrong."""
    because = {fix.id: planned.because for planned in mission.fixes for fix in planned.features}
    for one in mission.idle:
        said = one.handoff.summary if one.handoff is not None else ""
        text = (
            f"{one.feature} was to mend what was refused by {because[one.feature]}, and its worker left all as it was, "
            f"saying: {said}"
        )
        yield QuestionAsked(id=conflict_of(one), text=f"{text}\n{_WHAT_THEN}")


def _seen(mission: Mission) -> Iterable[QuestionAsked]:
    """Work that proves its contract twice over, and twice fails tests that passed before: both cannot be right."""
    if mission.candidate is None:
        return
    line = root(_queued(mission, mission.candidate.feature))
    words = (word for word in mission.words if word.kind == "scrutiny")
    last = [word for word in words if line_of(mission, word.subject) == line][-2:]
    if len(last) > 1 and all(map(_only_its_tests_refuse, last)):
        failed = next(check for check in last[-1].checks if check.name == TESTS)
        text = f"{line} proves its contract, and the repository's own tests refuse it again: {failed.detail}"
        yield QuestionAsked(id=f"{CONFLICT}/{line}/{TESTS}", text=f"{text}\n{_WHAT_THEN}")


def _queued(mission: Mission, name: str) -> Feature:
    return next(feature for feature in mission.queue if feature.id == name)


def _only_its_tests_refuse(word: Verdict) -> bool:
    proved = any(check.name.startswith(SEALED) for check in word.checks)
    return proved and word.caught_by == (TESTS,)


def left_standing(mission: Mission) -> QuestionAsked | None:
    """What to ask before the work is delivered: tests that fail as ever and speak of what was changed."""
    last = next((word for word in reversed(mission.words) if word.kind == "scrutiny"), None)
    told = [finding.text for finding in last.findings if finding.check == CONFLICT] if last else []
    if not told or any(_first_word(answer) in (*_YES, *_NO) for answer in _on_what_is_left(mission)):
        return None
    asked = sum(question.id.startswith(_LEFT) for question in mission.questions)
    text = f"Every assertion has passed, but {'; '.join(told)}.\nDeliver it as it is? Answer yes, or no and why."
    return QuestionAsked(id=f"{_LEFT}-{asked + 1}" if asked else _LEFT, text=text)


def declined(mission: Mission) -> str:
    """A person's words against delivering, "" where there are none."""
    return next((answer for answer in _on_what_is_left(mission) if _first_word(answer) in _NO), "")


def _on_what_is_left(mission: Mission) -> list[str]:
    return [answer.text.strip() for answer in mission.answers if answer.id.startswith(_LEFT)]


def _first_word(answer: str) -> str:
    return next(iter(re.findall(r"[\w']+", answer.lower())), "")


def answers_on(mission: Mission, feature: Feature) -> str:
    """What was asked about this line of work, and decided."""
    answers = {answer.id: answer.text for answer in mission.answers}
    decided: list[str] = []
    for question in mission.questions:
        match question.id.split("/"):
            case [kind, name, _] if (
                kind == CONFLICT and question.id in answers and line_of(mission, name) == root(feature)
            ):
                asked = question.text.removesuffix(_WHAT_THEN).strip()
                decided.append(f"{asked}\n\nAnswer: {answers[question.id]}")
            case _:
                pass
    return "\n\n".join(decided)
