"""Who reads a change without having made it: what they are shown, and the checkout in which they look things up.

A reader sees diff, contract, checks and a record of what was run, never the author's reasoning, and can change nothing.
It does not know what the readers are asked.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from shopfloor.agent.desk import employ, stream_of
from shopfloor.agent.run import Outcome, Suspended
from shopfloor.context.prompt import Fragment, assemble, capped, prompt_file
from shopfloor.domain.errors import AskModelAgain, NeedsHuman
from shopfloor.domain.events import AgentEnded
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.roles import RoleName
from shopfloor.domain.spending import Budget
from shopfloor.sandbox.protocol import Blueprint
from shopfloor.tools.tool import AnyTool
from shopfloor.tools.workbench import workbench
from shopfloor.validation.court import Court

DIFF_CAP = 60_000
TRIES = 2
"""How many may try to read one change before a person is asked."""
COMMAND_WIDTH = 300
"""Of a command this many signs are shown; what it did is what its exit code says."""
_LONE_RETURN = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, kw_only=True)
class ReviewCase:
    """What readers are shown."""

    key: ConversationKey
    """The conversation of the first reader; each further one has its role's."""
    commit: str
    title: str
    contract: str
    checks: str
    """The sealed checks that prove it, as they were written."""
    diff: str
    commands: Sequence[tuple[str, tuple[int, ...]]] | None
    """What its author ran, with the exit code of each run; None where nobody recorded it."""
    budget: Budget
    asked: str = ""
    """What its author was asked to do, with why it was refused before, if it was."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a reader handed in, and who it was."""

    result: str
    agent: str
    model: str


async def read_change(
    court: Court, case: ReviewCase, role: RoleName, task: str, submit: Callable[[frozenset[str]], AnyTool]
) -> Read:
    """Has someone in that role read the change; `submit` makes the tool that ends it, given the checkout's files.

    One that goes in circles or breaks off says nothing of the work, so another reads it; NeedsHuman when that one does
    not finish either. A resumed mission tries again in the same way.
    """
    why = ""
    for _ in range(TRIES):
        key = await _unfinished(court, msgspec.structs.replace(case.key, role=role))
        outcome = await _read(court, case, key, role, task, submit)
        if outcome.exit == "done":
            return Read(result=outcome.result, agent=stream_of(key), model=court.desk.model_for(role).name)
        if outcome.exit == "stopped":
            raise Suspended
        why = f"{outcome.exit}: {outcome.reason}"
    raise NeedsHuman(
        f"No {role} of {case.title!r} came to an end, the last one left {why}. "
        "Look at its exchange with `shopfloor mission export`, then resume, perhaps with another --model."
    )


async def _unfinished(court: Court, first: ConversationKey) -> ConversationKey:
    """The first reader of this change in that role who has not left without a result."""
    key = first
    while True:
        recorded = await court.desk.journal.read(stream_of(key))
        ended = recorded[-1].event if recorded else None
        if not isinstance(ended, AgentEnded) or ended.exit in ("done", "stopped"):
            return key
        key = msgspec.structs.replace(key, attempt=key.attempt + 1)


async def _read(
    court: Court,
    case: ReviewCase,
    key: ConversationKey,
    role: RoleName,
    task: str,
    submit: Callable[[frozenset[str]], AnyTool],
) -> Outcome:
    place = await court.checkout(case.commit, "review")
    files = frozenset(await court.store.files(case.commit))
    words = Fragment(source=role, text=prompt_file(__file__, role), cap=6_000, stability="role")
    async with court.start(Blueprint(checkout=str(place), writable=False)) as sandbox:
        bench = workbench(sandbox, court.scratch().parent, court.desk.blobs.put_file, person_present=False)
        return await employ(
            court.desk,
            key,
            role=role,
            system=assemble([words]),
            task=task,
            tools=(*bench, submit(files)),
            budget=case.budget,
        )


def unplanned(key: ConversationKey, commit: str, name: str, diff: str, budget: Budget) -> ReviewCase:
    """What readers are shown of a change that nobody planned, and that may be anybody's."""
    words = "Nobody wrote a contract: what the code says of itself, and what its users rely on, is to go on holding."
    return ReviewCase(
        key=key,
        commit=commit,
        title=f"A change to {name}",
        contract=words,
        checks="",
        diff=diff,
        commands=None,
        budget=budget,
    )


def fragments(case: ReviewCase) -> list[Fragment]:
    """The change and what it is held against, as every reader is shown them."""
    ran = "Nobody recorded it." if case.commands is None else _ran(case.commands)
    shown = capped(Fragment(source="diff", text=_LONE_RETURN.sub("␍", case.diff), cap=DIFF_CAP, stability="task"))
    diff = f"# The change\n\n```diff\n{shown}\n```"  # each line of it has its mark, so that none can end the block
    return [
        Fragment(source="contract", text=f"# {case.title}\n\n{case.contract}", cap=20_000, stability="task"),
        Fragment(source="asked", text=_asked(case.asked), cap=8_000, stability="task"),
        Fragment(source="checks", text=_checks(case.checks), cap=16_000, stability="task"),
        Fragment(source="commands", text=f"# What its author ran\n\n{ran}", cap=4_000, stability="task"),
        Fragment(source="diff", text=diff, cap=DIFF_CAP + 1_000, stability="task"),
    ]


def _ran(commands: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    lines = (f"- `{_on_one_line(command)}` -> exit code {codes(ended)}" for command, ended in commands)
    return "\n".join(lines) or "- none"


def codes(ended: Sequence[int]) -> str:
    """The exit codes of a command's runs, in order, without what stayed the same."""
    changed = [code for place, code in enumerate(ended) if place == 0 or ended[place - 1] != code]
    return ", then ".join(map(str, changed))


def _on_one_line(command: str) -> str:
    """The command without what its author might have written below it for others to read."""
    line = " ".join(command.split())
    return line if len(line) <= COMMAND_WIDTH else f"{line[: COMMAND_WIDTH - 1]}…"


def _asked(written: str) -> str:
    return f"# What its author was asked to do\n\n{written}" if written else ""


def _checks(written: str) -> str:
    return f"# The checks that passed\n\n{written}" if written else ""


def must_be_there(paths: Sequence[str], files: frozenset[str]) -> None:
    """AskModelAgain when a reader speaks of files that are not in the checkout."""
    if strangers := sorted({path for path in paths if path and path not in files}):
        raise AskModelAgain(f"These paths are not in the checkout: {', '.join(strangers)}.")
