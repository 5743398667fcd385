"""What all drivers share: one verb, what comes of it, and the record of every step.

It does not know which kind of app is driven.
"""

import re
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from shopfloor.domain.contract import EvidenceKind
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.fact import Fact
from shopfloor.validation.drivers.actions import Action
from shopfloor.validation.drivers.expectations import Expectation
from shopfloor.validation.drivers.steps import Step as Line
from shopfloor.validation.drivers.steps import spell

OBSERVATION_CAP = 8_000
"""Characters of one observation that a judge sees; evidence is never cut to this."""

QUOTE = "| "
"""Stands before each line that comes from what is judged, wherever a model reads it."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Exhibit(Fact):
    """Something to show a person later: its kind, its bytes, and what it shows."""

    kind: EvidenceKind
    content: bytes
    caption: str


class Observation(Fact):
    """What a judge sees after an action.

    `happened` is False when the action could not be carried out; `text` then says why and what is there instead.
    """

    text: str
    happened: bool = True
    evidence: tuple[Exhibit, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    """What a step was told to keep, by name."""
    breach: str = ""
    """How what came of it breaks what is documented of the app's interface."""


class Step(Fact):
    """One action or expectation, and what came of it."""

    action: Line
    observation: Observation


class Transcript:
    """Every step of a session, in order."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What would have to be done again to get here: a judgement that needs no model."""
        return tuple(step.action for step in self._steps if isinstance(step.action, Action))

    def note(self, action: Line, observation: Observation) -> Observation:
        """Records a step and hands its observation on."""
        self._steps.append(Step(action=action, observation=observation))
        return observation

    def exhibit(self, caption: str) -> Exhibit:
        """The whole session as readable text: what a verdict shows for a terminal."""
        parts = [
            f"--- {number}. {describe(step.action)}\n{step.observation.text}\n"
            for number, step in enumerate(self._steps, start=1)
        ]
        return Exhibit(kind="transcript", content="\n".join(parts).encode(), caption=caption)


class Driver(Protocol):
    """A way to use an app as its user would."""

    @property
    def transcript(self) -> Transcript: ...

    async def perform(self, action: Action) -> Observation:
        """Does one thing, waits until the app has reacted, and says what is seen.

        An action that cannot be carried out is an observation, and so is an app that hangs, crashes or prints garbage.
        Raises AskModelAgain for an action that makes no sense here (recorded nowhere), and GiveUp when the driver
        itself can go no further: what is judged through it is then blocked, never passed.
        """
        ...

    async def check(self, expectation: Expectation, patience_s: float) -> Observation:
        """Waits until something holds, `patience_s` at most; what is seen instead if it does not.

        Looking changes nothing. Raises like `perform`.
        """
        ...


def describe(step: Line) -> str:
    """A step in one line, as it would be written down."""
    return spell(step)


def foreign(driver: str, step: Line, known: str) -> AskModelAgain:
    """What to raise for a step that belongs to another driver."""
    return AskModelAgain(f"a {driver} driver cannot do `{spell(step)}`: it knows {known}")


def local_url(base: str, url: str) -> str:
    """`url` as a whole address of the app; AskModelAgain if it leads anywhere but this machine or the app's.

    An app may live below a path: `/` is then `base` itself, and `/done` stands beside it.
    """
    try:
        whole = base if url == "/" else urljoin(base, below(base, url))
        parts = urlsplit(whole)
        leads_here = parts.scheme in ("http", "https") and parts.hostname in (*_LOCAL, urlsplit(base).hostname)
    except ValueError:
        leads_here, whole = False, url
    if not leads_here:
        raise AskModelAgain(f"{url!r} is not an address of the app: use a path such as '/', or one under {base!r}")
    return whole


def below(base: str, url: str) -> str:
    """A path of the app as a path of its server."""
    folder = urlsplit(base).path.rpartition("/")[0]
    return f"{folder}{url}" if url.startswith("/") and not url.startswith("//") else url


def capped(text: str, limit: int = OBSERVATION_CAP) -> str:
    """`text` fit to be read: control characters shown as `·`, the middle left out if it is long."""
    clean = _UNSEEN.sub("·", text.replace("\r\n", "\n"))
    if len(clean) <= limit:
        return clean
    half = limit // 2
    return f"{clean[:half]}\n[... {len(clean) - 2 * half} characters left out ...]\n{clean[-half:]}"


def quoted(text: str) -> str:
    """What an app shows, as a model is given it: behind a mark on each line, so that nothing in it can end it."""
    return "\n".join(f"{QUOTE}{line}" for line in capped(text).split("\n"))
