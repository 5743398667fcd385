"""The docket: every step of a judge, numbered, with the evidence it left. Verdicts name numbers; the docket has them.

It does not know what the evidence proves.
"""

import re
from collections.abc import Iterable
from typing import cast

from shopfloor.domain.contract import EvidenceKind
from shopfloor.domain.events import AgentEvent, ToolReturned
from shopfloor.domain.mission import Evidence
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.store import Recorded
from shopfloor.tools.tool import Answer
from shopfloor.validation.drivers.protocol import Exhibit, Observation

_NUMBER = re.compile(r"^\[(E\d+) (check|transcript|exchange|screenshot)\] (.*)")


class Docket:
    """Evidence by number."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._evidence: dict[str, Evidence] = {}

    def recall(self, before: Iterable[Recorded]) -> None:
        """Becomes what the judge's stream says it was before a restart; what was entered since is forgotten."""
        self._evidence.clear()
        for recorded in before:
            match cast("AgentEvent | None", recorded.event):
                case ToolReturned(result=result) if result.output is not None:
                    self._recall(result.text, result.output)
                case _:
                    pass

    def enter(self, observation: Observation, caption: str) -> Answer:
        """Keeps a step's evidence; what the judge is told, its number first."""
        exhibit = self._exhibit(observation, caption)
        number = f"E{len(self._evidence) + 1}"
        blob = self._blobs.put(exhibit.content)
        self._evidence[number] = Evidence(kind=exhibit.kind, blob=blob, caption=exhibit.caption)
        return Answer(text=f"[{number} {exhibit.kind}] {observation.text}", output=blob, ok=observation.happened)

    def evidence(self, number: str) -> Evidence | None:
        """The evidence of that number, if there is any."""
        return self._evidence.get(number.strip().upper())

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(self._evidence)

    def _exhibit(self, observation: Observation, caption: str) -> Exhibit:
        if observation.evidence:
            return observation.evidence[0]
        return Exhibit(kind="transcript", content=observation.text.encode(), caption=caption)

    def _recall(self, text: str, blob: str) -> None:
        match = _NUMBER.match(text)
        if match is not None:
            kind = cast("EvidenceKind", match[2])
            self._evidence[match[1]] = Evidence(kind=kind, blob=blob, caption=match[3])
