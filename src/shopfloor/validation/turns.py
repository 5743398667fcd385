"""The compiled steps of an assertion as turns, and what in them can be an effect at all. Pure.

A turn is what is done, and what is then expected. To open something only shows that it is there; a program that only
answers shows that it is alive by answering two things differently; a picture that changed says less than words do, and
counts from the second time on. It does not know what an app made of any of it.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shopfloor.validation.drivers import actions
from shopfloor.validation.drivers.actions import Action
from shopfloor.validation.drivers.expectations import Changes, Expectation, KeepScreen, LooksLike
from shopfloor.validation.drivers.steps import Unspeakable, filled, free_words, read_step

MOST_BY_CHANCE = 1
"""So many changes of a picture may be nothing but a field that takes the focus."""


@dataclass(frozen=True)
class Turn:
    """Lines of what is done, and of what is then expected."""

    deeds: tuple[str, ...]
    expected: tuple[str, ...]


def turns_of(lines: Sequence[str]) -> tuple[Turn, ...]:
    """The turns of compiled steps. Unspeakable for a line that is no step, and for an end without an expectation."""
    turns: list[Turn] = []
    deeds: list[str] = []
    expected: list[str] = []
    kept: set[str] = set()
    for line in lines:
        step = meant(line, lines)
        if isinstance(step, Action):
            if expected:
                turns.append(Turn(tuple(deeds), tuple(expected)))
                kept |= {told.name for one in expected if isinstance(told := meant(one, lines), KeepScreen)}
                deeds, expected = [], []
            deeds.append(line)
        elif not deeds and not turns:
            raise Unspeakable(f"{line!r} expects something before anything was done")
        elif isinstance(step, LooksLike) and step.name not in kept:
            raise Unspeakable(f"{line!r}: nothing was kept as {step.name!r} before the last thing that was done")
        else:
            expected.append(line)
    if deeds and not expected:
        raise Unspeakable(f"nothing is expected after {deeds[-1]!r}")
    return (*turns, Turn(tuple(deeds), tuple(expected)))


def meant(line: str, lines: Sequence[str]) -> Action | Expectation:
    return read_step(filled(line, drawn(free_words(lines), random.Random(0))))


_SYLLABLES = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "indigo", "jasper", "lilac")


def drawn(kinds: Mapping[str, str], chance: random.Random) -> dict[str, str]:
    """A value for each free word. No two are alike, and none is part of another."""
    numbers = chance.sample(range(100, 1000), len(kinds))
    words: dict[str, str] = {}
    for (name, kind), number in zip(kinds.items(), numbers, strict=True):
        stem = chance.choice(_SYLLABLES)
        words[name] = {"number": str(number), "email": f"{stem}{number}@example.com"}.get(kind, f"{stem}{number}")
    return words


def has_effect(turns: Sequence[Turn]) -> bool:
    """Whether these turns can show more than a dead app does: one interferes, or two inputs are told apart."""
    lines = [line for turn in turns for line in (*turn.deeds, *turn.expected)]
    words = drawn(free_words(lines), random.Random(0))
    told = [turn for turn in turns if not all(map(is_of_pictures, turn.expected))]
    if any(_interferes(deed, words) for turn in told for deed in turn.deeds):
        return True
    if sum(changes_a_picture(turn.deeds[-1], words) for turn in turns) > MOST_BY_CHANCE:
        return True
    shown = Shown()
    return any(changes(*deeds_and_looks(turn, words), words) or shown.differs(turn, words) for turn in told)


class Shown:
    """What has been expected so far of each thing that only answers: a program, a call.

    Such a thing shows that it is alive when it shows something else than before, or a word that nobody could know.
    """

    def __init__(self) -> None:
        self._expected: dict[str, set[tuple[str, ...]]] = {}
        self._given: set[str] = set()

    def differs(self, turn: Turn, words: Mapping[str, str]) -> bool:
        """Whether a turn shows so; from now on it is one of those before."""
        self._given |= free_words([deed for deed in turn.deeds if deed.startswith(("start ", "call "))]).keys()
        subject = _answering(turn.deeds[-1], words)
        told = tuple(line for line in turn.expected if not is_of_pictures(line))
        before = self._expected.setdefault(subject, set())
        others = before - {told}
        before |= {told} if told else set()
        return bool(subject and told) and bool(others or self._given & free_words(told).keys())


def starts(turns: Sequence[Turn]) -> tuple[str, ...]:
    """The lines that start a program."""
    return tuple(line for turn in turns for line in turn.deeds if line.startswith("start "))


def deeds_and_looks(turn: Turn, words: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A turn's deeds, and the requests at its end that only look, where something was done before them."""
    end = len(turn.deeds)
    while end > 1 and _only_looks(read_step(filled(turn.deeds[end - 1], Unkept(words)))):
        end -= 1
    if end == 1 and _only_looks(read_step(filled(turn.deeds[0], Unkept(words)))):
        end = len(turn.deeds)
    return turn.deeds[:end], turn.deeds[end:]


class Unkept(dict[str, str]):
    """Stands in for what is not kept yet."""

    def __missing__(self, name: str) -> str:
        return "0"


def _only_looks(step: Action | Expectation) -> bool:
    return isinstance(step, actions.Ask) or (
        isinstance(step, actions.Request) and step.method in ("GET", "HEAD", "OPTIONS")
    )


def changes(deeds: Sequence[str], looks: Sequence[str], words: Mapping[str, str]) -> bool:
    """Whether the last deed can change what is seen: a call does when what it changes could be asked for before it."""
    step = read_step(filled(deeds[-1], Unkept(words)))
    if not isinstance(step, actions.Call):
        return _interferes(deeds[-1], words)
    return bool(looks) and not (step.kept and any(re.search(rf"\b{step.kept}\b", look) for look in looks))


def _interferes(line: str, words: Mapping[str, str]) -> bool:
    """Whether a deed can have an effect: to open something only shows that it is there."""
    step = read_step(filled(line, Unkept(words)))
    if _only_looks(step):
        return False
    opening = (
        actions.OpenPage | actions.OpenTab | actions.SwitchTab | actions.Reload | actions.Look | actions.Screenshot
    )
    answering = actions.StartProgram | actions.Import | actions.Call
    return not isinstance(step, opening | answering | actions.WaitFor | actions.Resize)


def is_of_pictures(line: str) -> bool:
    """Whether an expectation compares pictures, and says nothing in words."""
    return isinstance(read_step(filled(line, Unkept())), Changes | LooksLike | KeepScreen)


def changes_a_picture(line: str, words: Mapping[str, str]) -> bool:
    """Whether it is an effect when the picture changes after a deed: what is typed shows itself in any field."""
    return _interferes(line, words) and not isinstance(read_step(filled(line, Unkept(words))), actions.Type)


def _answering(line: str, words: Mapping[str, str]) -> str:
    """What it is that answers with what it was given, and nothing else: a program, a call of that name; or ""."""
    match read_step(filled(line, Unkept(words))):
        case actions.StartProgram():
            return "start"
        case actions.Call(place=place) | actions.Ask(place=place):
            return place.rpartition(".")[2]
        case _:
            return ""
