"""Twins of the inputs that tests give: a product is watched under its tests, then asked what no test asks.

There is no telling what the right answers are. But what a function was asked, and which of its lines answered, shows
copies that no text shows; and a function that has an answer to each input of its tests, looks it up by its text, and
has one answer for all neighbours, answers its tests and nobody else. It does not know functions that take anything but
plain values, nor methods.
"""

import json
import re
import secrets
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Finding
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.asked import Asked, asked_as
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.constants import says_of
from shopfloor.validation.findings.known import functions_of
from shopfloor.validation.findings.special import SPECIAL, in_source
from shopfloor.validation.trials.stage import Stage

WATCH = Path(__file__).parent / "watching" / "sitecustomize.py"
PATIENCE_S = 20.0
"""How long the tests and what is asked after them may take; what was seen until then counts."""
FEWEST, FEWEST_OTHERS = 3, 10
"""Inputs and neighbours from which something is to be told."""


class Watched(Fact):
    """What was seen of one function: its cases and its lines under test, and what came of asking it by ourselves."""

    path: str
    function: str
    cases: tuple[tuple[str, str | None], ...]
    """What it was given, and what it said to it if that can be written down."""
    lines: frozenset[int] = frozenset()
    outcomes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """What it does with inputs that no test gives."""


async def twins_tried(
    stage: Stage, command: str, changes: Sequence[Change], tests: Mapping[str, str]
) -> tuple[Finding, ...]:
    """What is told of changed Python sources after they were watched under a command that passed."""
    sources = [one for one in changes if one.path.endswith(".py") and one.after is not None and not is_test(one.path)]
    if not any(_may_know_something(one) for one in sources):
        return ()
    folder = f".{secrets.token_hex(6)}"
    laid = {
        f"{folder}/sitecustomize.py": WATCH.read_bytes(),
        f"{folder}/watched.json": json.dumps([one.path for one in sources]).encode(),
    }
    watching = f'PYTHONPATH="$PWD/{folder}${{PYTHONPATH:+:$PYTHONPATH}}" sh -c {shlex.quote(command)} > /dev/null 2>&1'
    hurried = replace(
        stage, court=replace(stage.court, command_timeout_s=min(stage.court.command_timeout_s, PATIENCE_S))
    )
    async with hurried.sandbox(laid, built=True) as sandbox:
        await hurried.court.run(sandbox, watching)
        _, output = await hurried.court.run(sandbox, f"cat {folder}/[0-9]*.json")
    return tuple(found for one in sources for found in told(one, seen(output), tests))


def _may_know_something(change: Change) -> bool:
    """Whether there is anything in a source that could be an answer."""
    new = set((change.after or "").splitlines()) - set((change.before or "").splitlines())
    return any(re.search(r"return|[:=(]\s*[\[{(\"']", line) for line in new)


def seen(output: str) -> list[Watched]:
    """What the watch left behind; of a product that spoils it, nothing."""
    found: list[Watched] = []
    for text in re.split(r"(?<=\])(?=\[\{\")", output.strip()):
        try:
            found += msgspec.json.decode(text, type=list[Watched])
        except (msgspec.DecodeError, RecursionError):
            continue
    return found


def told(change: Change, watched: Sequence[Watched], tests: Mapping[str, str]) -> list[Finding]:
    """A finding if a source answers its tests and nobody else; of what may be meant so, the texts tell already."""
    own = [one for one in watched if one.path == change.path]
    said = says_of(tests.values())
    asked = [case for one in own for case in _asked(one, said)]
    ran = {line for one in own for line in one.lines}
    copied = [one for one in in_source(change, asked, ran or None) if one.refuses]
    return copied or [finding for one in own if (finding := _blind(change, one, ran))][:1]


def _asked(one: Watched, said: Collection[str]) -> list[Asked]:
    """Its cases, but for those that no test spells out: a test may go through a table of the product itself."""
    cases = [asked_as(one.function, given, answer) for given, answer in one.cases]
    return [case for case in cases if all(word in said or _is_number(word) for word in case.inputs)]


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-?[\d.]+", word) is not None


def _blind(change: Change, one: Watched, ran: Collection[int]) -> Finding | None:
    """One that finds its answers by the text of what it is asked, and has none but for its tests."""
    function = functions_of(change.after or "", {one.function}, ran).get(one.function)
    if function is None or function.works or not function.asks_by_text:
        return None
    few = len(one.others) < FEWEST_OTHERS or len(set(one.outcomes)) < 2 or len(one.cases) < FEWEST
    if few or len(set(one.others)) > 1 or not set(one.outcomes) - set(one.others):
        return None
    what = f"answers what tests ask of {one.function}, and gives {len(one.others)} neighbours of that all the same"
    return Finding(check=SPECIAL, severity="P1", text=what, path=change.path, line=min(one.lines, default=0))
