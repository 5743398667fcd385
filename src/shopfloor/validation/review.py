"""A change is read by two who did not make it: one looks for what would hurt, the other tries to refute what was found.

Only what survives refutation refuses; what was refuted stays on record with the reason. It does not know whether the
tests passed; when anybody is asked to read, they did.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from shopfloor.agent.finish import finish_tool
from shopfloor.context.prompt import Fragment, assemble
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.mission import Finding, Severity
from shopfloor.tools.tool import AnyTool, Arguments
from shopfloor.validation.court import Court
from shopfloor.validation.readers import Read, ReviewCase, fragments, must_be_there, read_change

REVIEW = "review"


class ReviewFinding(Arguments):
    """One finding of a review."""

    severity: Severity
    text: Annotated[str, msgspec.Meta(description="what happens, for which input, and why")]
    path: str = ""
    line: int = 0


class Review(Arguments):
    """The arguments of `submit_review`."""

    findings: tuple[ReviewFinding, ...]


class Refutation(Arguments):
    """A word on one finding."""

    number: Annotated[int, msgspec.Meta(description="the finding's number")]
    refuted: Annotated[bool, msgspec.Meta(description="true only if the code shows that it does not happen")]
    why: Annotated[
        str, msgspec.Meta(description="the place in the code that decides it, as path:line, and what it does")
    ]


class Refutations(Arguments):
    """The arguments of `submit_refutations`."""

    findings: tuple[Refutation, ...]


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What came of a review, and who did it."""

    findings: tuple[Finding, ...]
    readers: tuple[Read, ...]


async def review(court: Court, case: ReviewCase) -> Reviewed:
    """What survives of what a reader found. Raises NeedsHuman when nobody comes to an end."""
    first = await read_change(court, case, "reviewer", assemble(fragments(case)), _submit_review)
    found = tuple(
        Finding(check=REVIEW, severity=one.severity, text=one.text, path=one.path, line=one.line)
        for one in msgspec.json.decode(first.result, type=Review).findings
    )
    accused = [finding for finding in found if finding.refuses]
    if not accused:
        return Reviewed(findings=found, readers=(first,))
    second = await read_change(
        court, case, "refuter", _task_of_refuter(case, accused), lambda files: _submit_on(accused, files)
    )
    words = msgspec.json.decode(second.result, type=Refutations).findings
    refuted = {accused[word.number - 1]: word.why for word in words if word.refuted}
    survived = tuple(msgspec.structs.replace(finding, refuted=refuted.get(finding, "")) for finding in found)
    return Reviewed(findings=survived, readers=(first, second))


def _submit_review(files: frozenset[str]) -> AnyTool:
    async def accept(handed: Review) -> Review:
        must_be_there([finding.path for finding in handed.findings], files)
        return handed

    return finish_tool("submit_review", "Hand in the findings that survived; ends the review.", Review, accept)


_PLACE = re.compile(r"([\w./-]+):\d+")


def _submit_on(accused: Sequence[Finding], files: frozenset[str]) -> AnyTool:
    wanted = range(1, len(accused) + 1)

    async def accept(handed: Refutations) -> Refutations:
        numbers = sorted(word.number for word in handed.findings)
        if numbers != list(wanted):
            raise AskModelAgain(
                f"Each finding needs one word, under its own number: {', '.join(map(str, wanted))}; "
                f"these came: {', '.join(map(str, numbers)) or 'none'}."
            )
        placed = {word.number for word in handed.findings if files.intersection(_PLACE.findall(word.why))}
        if vague := [str(word.number) for word in handed.findings if word.refuted and word.number not in placed]:
            raise AskModelAgain(
                f"Say why {', '.join(vague)} cannot happen, and name the place that decides it, as path:line; "
                "where there is none, it stands."
            )
        return handed

    return finish_tool("submit_refutations", "Hand in a word on each finding; ends the work.", Refutations, accept)


def _task_of_refuter(case: ReviewCase, accused: Sequence[Finding]) -> str:
    lines = [f"{number}. {_told(finding)}" for number, finding in enumerate(accused, start=1)]
    text = "# What was found\n\n" + "\n".join(lines)
    return assemble([*fragments(case), Fragment(source="findings", text=text, cap=16_000, stability="task")])


def _told(finding: Finding) -> str:
    where = f" {finding.path}:{finding.line}" if finding.line else f" {finding.path}" if finding.path else ""
    return f"{finding.severity}{where}: {finding.text}"
