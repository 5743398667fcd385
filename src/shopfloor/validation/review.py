"""A reviewer who did not write the change reads it: diff, contract, and a record of what was run, never the reasoning.

It does not know whether the tests passed; when it is asked, they did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from shopfloor.agent.desk import employ, stream_of
from shopfloor.agent.finish import finish_tool
from shopfloor.context.prompt import Fragment, assemble, prompt_file
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.mission import Finding, Severity
from shopfloor.domain.spending import Budget
from shopfloor.sandbox.protocol import Blueprint
from shopfloor.tools.tool import Arguments
from shopfloor.tools.workbench import workbench
from shopfloor.validation.court import Court

REVIEW = "review"
DIFF_CAP = 60_000


class ReviewFinding(Arguments):
    """One finding of a review."""

    severity: Severity
    text: Annotated[str, msgspec.Meta(description="what happens, for which input, and why")]
    path: str = ""
    line: int = 0


class Review(Arguments):
    """The arguments of `submit_review`."""

    findings: tuple[ReviewFinding, ...]


@dataclass(frozen=True, kw_only=True)
class ReviewCase:
    """What the reviewer is shown."""

    key: ConversationKey
    commit: str
    title: str
    contract: str
    diff: str
    commands: Sequence[tuple[str, int]]
    budget: Budget


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What came of a review, and who did it."""

    findings: tuple[Finding, ...]
    agent: str
    model: str


async def review(court: Court, case: ReviewCase) -> Reviewed:
    """Has a reviewer read the change. A reviewer that does not finish refuses nothing and proves nothing: P1."""
    place = await court.checkout(case.commit, "review")
    files = set(await court.store.files(case.commit))

    async def accept(handed: Review) -> Review:
        strangers = sorted({f.path for f in handed.findings if f.path and f.path not in files})
        if strangers:
            raise AskModelAgain(f"These paths are not in the checkout: {', '.join(strangers)}.")
        return handed

    submit = finish_tool("submit_review", "Hand in the findings that survived; ends the review.", Review, accept)
    async with court.start(Blueprint(checkout=str(place), writable=False)) as sandbox:
        bench = workbench(sandbox, court.scratch().parent, court.desk.blobs.put_file, person_present=False)
        outcome = await employ(
            court.desk,
            case.key,
            role="reviewer",
            system=assemble([_words()]),
            task=_task(case),
            tools=(*bench, submit),
            budget=case.budget,
        )
    model = court.desk.model_for("reviewer").name
    if outcome.exit != "done":
        why = f"the reviewer did not finish ({outcome.exit}): {outcome.reason}"
        return Reviewed(
            findings=(Finding(check=REVIEW, severity="P1", text=why),), agent=stream_of(case.key), model=model
        )
    findings = tuple(
        Finding(check=REVIEW, severity=found.severity, text=found.text, path=found.path, line=found.line)
        for found in msgspec.json.decode(outcome.result, type=Review).findings
    )
    return Reviewed(findings=findings, agent=stream_of(case.key), model=model)


def _words() -> Fragment:
    return Fragment(source="reviewer", text=prompt_file(__file__, "reviewer"), cap=6_000, stability="role")


def _task(case: ReviewCase) -> str:
    ran = "\n".join(f"- `{command}` -> exit code {code}" for command, code in case.commands) or "- none"
    diff = Fragment(source="diff", text=f"```diff\n{case.diff}\n```", cap=DIFF_CAP, stability="task")
    return assemble(
        [
            Fragment(source="contract", text=f"# {case.title}\n\n{case.contract}", cap=20_000, stability="task"),
            Fragment(source="commands", text=f"# What its author ran\n\n{ran}", cap=4_000, stability="task"),
            Fragment(source="diff", text=f"# The change\n\n{diff.text}", cap=DIFF_CAP, stability="task"),
        ]
    )
