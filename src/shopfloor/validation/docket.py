"""The docket: every step of a judge, numbered, with the evidence it left. Verdicts name numbers; the docket has them.

It does not know what the evidence proves.
"""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from shopfloor.domain.contract import EvidenceKind
from shopfloor.domain.events import AgentEvent, ToolReturned
from shopfloor.domain.messages import Result
from shopfloor.domain.mission import Evidence
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.store import Recorded
from shopfloor.tools.tool import Answer
from shopfloor.validation.drivers.protocol import Exhibit, Observation, quoted

_NUMBER = re.compile(r"^\[(E\d+) (check|transcript|exchange|screenshot)\] (.*)")


class Docket:
    """Evidence by number."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._evidence: dict[str, Evidence] = {}
        self._happened: dict[str, str] = {}

    def recall(self, before: Iterable[Recorded]) -> None:
        """Becomes what the judge's stream says it was before a restart; steps taken again only lend their captions."""
        captions = {number: evidence.caption for number, evidence in self._evidence.items()}
        self._evidence.clear()
        self._happened.clear()
        for recorded in before:
            match cast("AgentEvent | None", recorded.event):
                case ToolReturned(result=result) if result.output is not None:
                    self._recall(result, captions)
                case _:
                    pass

    def enter(self, observation: Observation, caption: str) -> Answer:
        """Keeps a step's evidence; what the judge is told, its number first."""
        exhibit = self._exhibit(observation, caption)
        number = f"E{len(self._evidence) + 1}"
        blob = self._blobs.put(exhibit.content)
        step = _one_line(caption)
        self._keep(number, Evidence(kind=exhibit.kind, blob=blob, caption=exhibit.caption), step, observation.happened)
        text = f"[{number} {exhibit.kind}] {step}\n{quoted(observation.text)}"
        return Answer(text=text, output=blob, ok=observation.happened)

    def evidence(self, number: str) -> Evidence | None:
        """The evidence of that number, if there is any."""
        return self._evidence.get(number.strip().upper())

    def happened(self, number: str) -> bool:
        """Whether the step of that number came about: a click on what is not there did not."""
        return number.strip().upper() in self._happened

    @property
    def deeds(self) -> tuple[str, ...]:
        """The steps that came about, in the words of a contract's steps."""
        return tuple(self._happened.values())

    def _keep(self, number: str, evidence: Evidence, step: str, happened: bool) -> None:
        self._evidence[number] = evidence
        if happened:
            self._happened[number] = step

    def _exhibit(self, observation: Observation, caption: str) -> Exhibit:
        if observation.evidence:
            return observation.evidence[0]
        return Exhibit(kind="transcript", content=observation.text.encode(), caption=caption)

    def _recall(self, result: Result, captions: Mapping[str, str]) -> None:
        match = _NUMBER.match(result.text)
        if match is not None and result.output is not None:
            number, kind = match[1], cast("EvidenceKind", match[2])
            evidence = Evidence(kind=kind, blob=result.output, caption=captions.get(number, match[3]))
            self._keep(number, evidence, match[3], result.ok)


def _one_line(caption: str) -> str:
    return " ".join(caption.splitlines())
