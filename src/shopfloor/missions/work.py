"""One attempt: a worker builds a feature in a checkout of its own, with fresh context, and hands it off.

What the handoff claims is held against what the journal proves. It does not judge the work.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

import msgspec

from shopfloor.agent.desk import Desk, employ, stream_of
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Outcome
from shopfloor.context.prompt import Fragment, assemble, prompt_file
from shopfloor.domain.contract import Check, Contract, SealedChecks
from shopfloor.domain.errors import AskModelAgain, GiveUp, TryLater
from shopfloor.domain.events import AgentEvent, AttemptEnded, AttemptStarted, ToolCalled, ToolReturned
from shopfloor.domain.mission import CommandRun, Feature, Handoff, Plan
from shopfloor.domain.spending import Budget
from shopfloor.missions.conflicts import answers_on
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission
from shopfloor.repo.bundle import LARGEST_BUNDLE, MESSAGE_VARIABLE, BundleExit, bundle_command
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.tools.tool import Arguments
from shopfloor.validation.contract_file import contract_of, spec_text
from shopfloor.validation.readers import codes
from shopfloor.validation.review import REVIEW

BUNDLE = ".git/shopfloor.bundle"
BUNDLE_TIMEOUT_S = 300.0


class ClaimedRun(Arguments):
    """A command, and how it ended."""

    command: str
    exit_code: int


class HandOff(Arguments):
    """The arguments of `hand_off`."""

    summary: Annotated[str, msgspec.Meta(description="one or two sentences")]
    done: str
    commands: Annotated[
        tuple[ClaimedRun, ...], msgspec.Meta(description="what you ran: each the whole line that you gave to `shell`")
    ]
    undone: Annotated[str, msgspec.Meta(description="what is left, empty if nothing")] = ""
    issues: Annotated[tuple[str, ...], msgspec.Meta(description="what others should know")] = ()
    conflict: Annotated[str, msgspec.Meta(description="only if it cannot be done: what contradicts what")] = ""


def attempt_started(shop: Shop, mission: Mission, feature: Feature, attempt: int) -> AttemptStarted:
    """The fact that begins an attempt."""
    base = feature.starts_from or mission.tip
    agent = stream_of(shop.key("worker", feature.id, attempt))
    return AttemptStarted(feature=feature.id, attempt=attempt, base=base, agent=agent)


async def work(shop: Shop, mission: Mission, feature: Feature, budget: Budget) -> AttemptEnded:
    """Carries the open attempt to its end."""
    assert mission.planned is not None and mission.sealed is not None and mission.open_attempt is not None
    attempt, plan, checks = mission.open_attempt, mission.planned.plan, mission.sealed.checks
    mine = checks_of(checks, feature.claims)
    sealed = tuple(f"/{path}" for path, _ in mine.files)
    place = await shop.checkout(attempt.base, checkout_name(mission, attempt), sealed)
    async with shop.sandbox(place) as sandbox:
        for path, content in shop.court.sealed(mine).items():
            await _lay_once(sandbox, path, content)
        own = _task(plan, feature, mine, (_notes(mission), _advice(mission)), answers_on(mission, feature))
        task = [*await shop.repository_fragments(attempt.base), *own]
        outcome = await _employ(shop, task, feature, attempt, sandbox, budget)
        ended = AttemptEnded(
            feature=feature.id,
            attempt=attempt.attempt,
            exit=outcome.exit,
            reason=outcome.reason,
            handoff=msgspec.json.decode(outcome.result, type=Handoff) if outcome.result else None,
        )
        message = f"{feature.title}\n\nFeature {feature.id}, attempt {attempt.attempt}."
        ref = f"refs/attempts/{feature.id}/{attempt.attempt}"
        try:
            commit = await take(shop, sandbox, attempt.base, ref, message)
        except GiveUp as broken:  # the worker broke its own repository: a fresh start has a fresh one
            return msgspec.structs.replace(ended, exit="gave_up", reason=str(broken)) if ended.exit == "done" else ended
        return msgspec.structs.replace(ended, commit=commit)


async def put_down(shop: Shop, mission: Mission) -> AttemptEnded:
    """Ends the open attempt of a cancelled job where it stands, and keeps what was written so far."""
    attempt = mission.open_attempt
    assert attempt is not None
    ended = AttemptEnded(
        feature=attempt.feature, attempt=attempt.attempt, exit="stopped", reason="a person cancelled it"
    )
    place = shop.folder / "checkouts" / checkout_name(mission, attempt)
    if not place.exists():
        return ended
    ref = f"refs/attempts/{attempt.feature}/{attempt.attempt}"
    try:
        async with shop.sandbox(place) as sandbox:
            commit = await take(shop, sandbox, attempt.base, ref, f"{attempt.feature}, as it was cancelled")
    except (GiveUp, TryLater):  # cancelling must not hang on what cannot be kept
        return ended
    return msgspec.structs.replace(ended, commit=commit)


def checkout_name(mission: Mission, attempt: AttemptStarted) -> str:
    """Where an attempt has its checkout."""
    return "solo" if mission.asked.form == "solo" else f"{attempt.feature}-{attempt.attempt}"


def checks_of(checks: SealedChecks, claims: Sequence[str]) -> SealedChecks:
    """The sealed checks that prove any of these assertions, with the files that they need."""
    chosen = tuple(check for check in checks.checks if set(check.assertions) & set(claims))
    needed = {path for check in chosen for path in check.files}
    return SealedChecks(checks=chosen, files=tuple(file for file in checks.files if file[0] in needed))


async def _lay_once(sandbox: Sandbox, path: str, content: bytes) -> None:
    """A copy for the worker to run and read; an attempt that goes on keeps what it has."""
    try:
        await sandbox.read(path, 1)
    except FileNotFoundError:
        await sandbox.write(path, content)


async def _employ(
    shop: Shop,
    task: Sequence[Fragment],
    feature: Feature,
    attempt: AttemptStarted,
    sandbox: Sandbox,
    budget: Budget,
) -> Outcome:
    async def accept(handed: HandOff) -> Handoff:
        ran = await commands_run(shop.desk, attempt.agent)
        contradicted = contradictions(handed.commands, ran)
        if contradicted:
            raise AskModelAgain("The record shows otherwise:\n" + "\n".join(f"- {line}" for line in contradicted))
        return Handoff(
            summary=handed.summary,
            done=handed.done,
            undone=handed.undone,
            commands=tuple(CommandRun(command=run.command, exit_code=run.exit_code) for run in handed.commands),
            issues=handed.issues,
            conflict=handed.conflict.strip(),
        )

    hand_off = finish_tool("hand_off", "Hand in the work, saying what is done and what is not.", HandOff, accept)
    return await employ(
        shop.desk,
        shop.key("worker", feature.id, attempt.attempt),
        role="worker",
        system=assemble([_words()]),
        task=assemble(task),
        tools=(*shop.bench(sandbox), hand_off),
        budget=budget,
        steerable=True,
    )


async def commands_run(desk: Desk, stream: str) -> dict[str, tuple[int, ...]]:
    """Every shell command of an agent's stream, with the exit code of each of its runs: what the journal proves."""
    called: dict[str, str] = {}
    ran: dict[str, tuple[int, ...]] = {}
    for recorded in await desk.journal.read(stream):
        match cast("AgentEvent | None", recorded.event):
            case ToolCalled(call=call) if call.name == "shell":
                called[call.id] = _command(call.arguments)
            case ToolReturned(result=result) if result.call_id in called and result.exit_code is not None:
                command = called[result.call_id]
                ran[command] = (*ran.get(command, ()), result.exit_code)
            case _:
                pass
    return ran


class _ShellArguments(msgspec.Struct):
    command: str = ""


def _command(arguments: str) -> str:
    try:
        return msgspec.json.decode(arguments, type=_ShellArguments).command.strip()
    except (msgspec.MsgspecError, RecursionError):
        return ""


def contradictions(claimed: Sequence[ClaimedRun], ran: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """What a handoff claims to have run and the journal does not show: red before and green after are both true."""
    found: list[str] = []
    for claim in claimed:
        command = claim.command.strip()
        if command not in ran:
            found.append(
                f"{command!r} was not run in this attempt; list whole command lines, as you gave them to `shell`."
            )
        elif claim.exit_code not in ran[command]:
            found.append(f"{command!r} ended with exit code {codes(ran[command])}, not {claim.exit_code}.")
    return tuple(found)


async def take(shop: Shop, sandbox: Sandbox, base: str, ref: str, message: str) -> str:
    """What an agent leaves, carried over as a bundle made inside: the host never opens its repository.

    The commit, kept in the store under `ref`; `base` itself when there is nothing new.
    """
    output = shop.court.scratch()
    command = bundle_command(base, BUNDLE, commit_everything=True)
    environment = {MESSAGE_VARIABLE: message.replace("\0", " ")}  # no environment can hold what a model may write
    finished = await sandbox.run(command, output=output, timeout_s=BUNDLE_TIMEOUT_S, environment=environment)
    if finished.exit_code == BundleExit.NOTHING_NEW:
        return base
    if finished.exit_code != 0:
        words = output.read_text(errors="replace")[-500:]
        raise GiveUp(f"The work for {ref!r} could not be taken from its checkout: {words}")
    bundle = shop.court.scratch()
    bundle.write_bytes(await sandbox.read(BUNDLE, LARGEST_BUNDLE))
    return await shop.store.import_bundle(bundle, ref, base=base)


def _words() -> Fragment:
    return Fragment(source="worker", text=prompt_file(__file__, "worker"), cap=6_000, stability="role")


def _notes(mission: Mission) -> str:
    """What the workers of landed features thought that others should know."""
    landed = {landed.feature for landed in mission.landed}
    handoffs = [(one.feature, one.handoff) for one in mission.attempts if one.feature in landed and one.handoff]
    return "\n".join(f"- {feature}: {issue}" for feature, handoff in handoffs for issue in handoff.issues)


def _advice(mission: Mission) -> str:
    """What reviewers of landed work found that refused nothing; whoever has the file in hand mends it best."""
    landed = {landed.feature for landed in mission.landed}
    return "\n".join(
        f"- {verdict.subject}, {finding.path}:{finding.line}: {finding.text}"
        for verdict in mission.words
        if verdict.subject in landed and verdict.passed
        for finding in verdict.findings
        if finding.check == REVIEW and finding.severity == "P2" and not finding.refuted
    )


def _task(plan: Plan, feature: Feature, mine: SealedChecks, told: tuple[str, str], answers: str) -> list[Fragment]:
    contract: Contract = plan.contract
    notes, advice = told
    checks = "\n".join(_check_line(check) for check in mine.checks)
    checks = f"In your checkout besides the files above:\n{checks}" if checks else ""
    return [
        Fragment(
            source="feature",
            text=f"# Your feature: {feature.title}\n\n{feature.description}",
            cap=20_000,
            stability="task",
        ),
        Fragment(
            source="contract",
            text=f"# Its part of the contract\n\n{contract_of(contract, feature.claims)}",
            cap=20_000,
            stability="task",
        ),
        Fragment(source="checks", text=f"# Its checks\n\n{checks}" if checks else "", cap=4_000, stability="task"),
        Fragment(source="published", text=_published(contract), cap=8_000, stability="task"),
        Fragment(
            source="notes",
            text=f"# What those before you thought you should know\n\n{notes}" if notes else "",
            cap=4_000,
            stability="task",
        ),
        Fragment(
            source="advice",
            text=f"# What reviewers noted; mend it where your work touches it\n\n{advice}" if advice else "",
            cap=4_000,
            stability="task",
        ),
        Fragment(
            source="answers",
            text=f"# What a person decided\n\n{answers}" if answers else "",
            cap=4_000,
            stability="task",
        ),
        Fragment(source="spec", text=f"# The whole\n\n{spec_text(plan)}", cap=12_000, stability="task"),
    ]


def _check_line(check: Check) -> str:
    return f"- {', '.join(check.assertions)}: `{check.command}` (in {', '.join(check.files)})"


def _published(contract: Contract) -> str:
    if not contract.published.strip():
        return ""
    start = f"\n\nStarted for judges by `{contract.start}`." if contract.start else ""
    return f"# Published to judges\n\n{contract.published}{start}"
