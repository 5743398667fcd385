"""A reviewer who did not write the change reads it: diff, contract, and a record of what was run, never the reasoning.

It does not know whether the tests passed; when it is asked, they did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from shopfloor.agent.desk import employ, stream_of
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Outcome, Suspended
from shopfloor.context.prompt import Fragment, assemble, prompt_file
from shopfloor.domain.errors import AskModelAgain, NeedsHuman
from shopfloor.domain.events import AgentEnded
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.mission import Finding, Severity
from shopfloor.domain.spending import Budget
from shopfloor.sandbox.protocol import Blueprint
from shopfloor.tools.tool import Arguments
from shopfloor.tools.workbench import workbench
from shopfloor.validation.court import Court

REVIEW = "review"
DIFF_CAP = 60_000
REVIEWERS = 2
"""How many may try to read one change before a person is asked."""


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
    checks: str
    """The sealed checks that prove it, as they were written."""
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
    """Has a reviewer read the change.

    One that goes in circles or breaks off says nothing of the work, so another reads it; NeedsHuman when that one does
    not finish either. A resumed mission tries again in the same way.
    """
    why = ""
    for _ in range(REVIEWERS):
        key = await _unfinished(court, case.key)
        outcome = await _read(court, case, key)
        if outcome.exit == "done":
            found = msgspec.json.decode(outcome.result, type=Review).findings
            findings = tuple(
                Finding(check=REVIEW, severity=one.severity, text=one.text, path=one.path, line=one.line)
                for one in found
            )
            return Reviewed(findings=findings, agent=stream_of(key), model=court.desk.model_for("reviewer").name)
        if outcome.exit == "stopped":
            raise Suspended
        why = f"{outcome.exit}: {outcome.reason}"
    raise NeedsHuman(
        f"No reviewer of {case.title!r} came to an end, the last one left {why}. "
        "Look at its exchange with `shopfloor mission export`, then resume, perhaps with another --model."
    )


async def _unfinished(court: Court, first: ConversationKey) -> ConversationKey:
    """The first reviewer of this change who has not left without a review."""
    key = first
    while True:
        recorded = await court.desk.journal.read(stream_of(key))
        ended = recorded[-1].event if recorded else None
        if not isinstance(ended, AgentEnded) or ended.exit in ("done", "stopped"):
            return key
        key = msgspec.structs.replace(key, attempt=key.attempt + 1)


async def _read(court: Court, case: ReviewCase, key: ConversationKey) -> Outcome:
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
        return await employ(
            court.desk,
            key,
            role="reviewer",
            system=assemble([_words()]),
            task=_task(case),
            tools=(*bench, submit),
            budget=case.budget,
        )


def _words() -> Fragment:
    return Fragment(source="reviewer", text=prompt_file(__file__, "reviewer"), cap=6_000, stability="role")


def _task(case: ReviewCase) -> str:
    ran = "\n".join(f"- `{command}` -> exit code {code}" for command, code in case.commands) or "- none"
    diff = Fragment(source="diff", text=f"```diff\n{case.diff}\n```", cap=DIFF_CAP, stability="task")
    return assemble(
        [
            Fragment(source="contract", text=f"# {case.title}\n\n{case.contract}", cap=20_000, stability="task"),
            Fragment(source="checks", text=_checks(case.checks), cap=16_000, stability="task"),
            Fragment(source="commands", text=f"# What its author ran\n\n{ran}", cap=4_000, stability="task"),
            Fragment(source="diff", text=f"# The change\n\n{diff.text}", cap=DIFF_CAP, stability="task"),
        ]
    )


def _checks(written: str) -> str:
    return f"# The checks that passed\n\n{written}" if written else ""
