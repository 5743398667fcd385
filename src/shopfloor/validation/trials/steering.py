"""Tests are run as they are told: some of them, in another order, twice; and each is heard by its name.

What tells them lies inside the clone's own `.git`, where neither the work nor its tests look. It does not know what is
learnt from a run. What it hears comes from the side of the work: good enough for advice, and for no verdict in its
favour.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from shopfloor.domain.fact import Fact
from shopfloor.sandbox.protocol import Finished, Sandbox
from shopfloor.validation.court import Court
from shopfloor.validation.trials.testrun import READABLE

How: TypeAlias = Literal["as it is", "reversed", "twice"]

FOLDER = ".git/shopfloor"
INSIDE = Path(__file__).parent / "inside"
TOOK = "took"
_NUMBER = re.compile(r"\d+\.\d+")
MOST_TOLD = 50_000_000
"""Bytes that are read of what tests and probes said."""


class Fault(Fact):
    """A change of a file, from one byte to another, and the tests that are to notice it."""

    number: int
    path: str
    """Where the file lies inside."""
    start: int
    end: int
    instead: str
    tests: tuple[str, ...]
    patience_s: float
    """How long they may take: some faults never end."""
    busy_s: float
    """How long they may keep a processor busy."""


class Faults(Fact):
    """What is tried one after the other by one process that has read all tests, so many seconds in all."""

    faults: tuple[Fault, ...]
    seconds: float
    patience_s: float
    """How long all of their tests may take at last, without any."""


class Orders(Fact):
    """Which tests are run (None: all; by their names, or by their files), how, and whether one failure ends it."""

    only: tuple[str, ...] | None = None
    how: How = "as it is"
    stop: bool = False
    faults: Faults | None = None
    """Tried in the place of the run."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A run, and how each test ended in it, as often as it ran. No name: the runner did not take any orders."""

    finished: Finished
    output: str
    told: tuple[tuple[str, str], ...]
    """(outcome, name), in order."""

    @property
    def passed(self) -> bool:
        return self.finished.exit_code == 0 and not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for outcome, name in self.told if outcome == "failed"))

    @property
    def ran(self) -> frozenset[str]:
        return frozenset(name for outcome, name in self.told if outcome != TOOK)

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long each test took, with what it needed before and after."""
        taken: defaultdict[str, float] = defaultdict(float)
        for outcome, words in self.told:
            seconds, _, name = words.partition(" ")
            if outcome == TOOK and _NUMBER.fullmatch(seconds):
                taken[name] += float(seconds)
        return taken


async def steered(
    court: Court, sandbox: Sandbox, command: str, orders: Orders, more: Mapping[str, str] | None = None
) -> Heard:
    """Runs the tests once as ordered."""
    place = f"{sandbox.root}/{FOLDER}"
    for script in ("shopfloor_steering.py", "shopfloor_faults.py", "sitecustomize.py"):
        await sandbox.write(f"{FOLDER}/{script}", (INSIDE / script).read_bytes())
    await sandbox.write(f"{FOLDER}/orders.json", msgspec.json.encode(orders))
    await sandbox.write(f"{FOLDER}/told", b"")
    environment = {
        "SHOPFLOOR_STEERING": place,
        "PYTHONPATH": place,
        "PYTEST_ADDOPTS": f"{READABLE['PYTEST_ADDOPTS']} -p shopfloor_steering",
        **(more or {}),
    }
    finished, output = await court.run(sandbox, _finding(command, place), environment)
    return Heard(finished=finished, output=output, told=_told(await read_if_there(sandbox, f"{FOLDER}/told")))


def _finding(command: str, place: str) -> str:
    """The command, where it names folders of modules itself, with ours before them."""
    return re.sub(r"(?<!\w)PYTHONPATH=", f"PYTHONPATH={place}:", command)


def _told(text: str) -> tuple[tuple[str, str], ...]:
    found = (line.partition(" ") for line in text.splitlines())
    return tuple((outcome, name) for outcome, _, name in found)


async def read_if_there(sandbox: Sandbox, path: str) -> str:
    """A file that the work could have taken away, or put something else in its place."""
    try:
        return (await sandbox.read(path, MOST_TOLD)).decode(errors="replace")
    except OSError:
        return ""
