"""User testing: judged from the outside, in an arena where the judge's side holds none of the source.

A verdict needs evidence; no evidence is failed, and blocked never counts as passed. A judge that a crash cut off goes
on in a fresh arena after its steps were taken again. It does not know how the product was built.
"""

import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Annotated, Literal, cast

import msgspec

from shopfloor.agent.desk import employ, stream_of
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Outcome
from shopfloor.context.prompt import Fragment, assemble, fill, prompt_file
from shopfloor.domain.contract import Assertion, Contract, Surface, on_desktops
from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.domain.events import AgentEnded, AgentEvent, ModelReplied, ToolCalled, ToolReturned
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.mission import Evidence, Judge, Judged, Verdict
from shopfloor.domain.spending import Budget
from shopfloor.guard.permit import Policy
from shopfloor.journal.store import Recorded
from shopfloor.repo.services import Services
from shopfloor.sandbox.protocol import Blueprint, Sandbox
from shopfloor.tools.tool import AnyTool, Arguments
from shopfloor.tools.toolbox import Toolbox
from shopfloor.validation.court import Court
from shopfloor.validation.deeds import for_users, undone
from shopfloor.validation.docket import Docket
from shopfloor.validation.drivers.app import App, Recipe, app_under_test
from shopfloor.validation.judge_tools import Hands
from shopfloor.validation.published import Published, published

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


class UserVerdict(Arguments):
    """A judge's word on one assertion."""

    assertion: str
    verdict: Literal["passed", "failed", "blocked"]
    evidence: Annotated[tuple[str, ...], msgspec.Meta(description="numbers of the steps that show it: E3, E4")]
    reason: Annotated[str, msgspec.Meta(description="what you did, expected and saw; needed unless passed")] = ""


class UserVerdicts(Arguments):
    """The arguments of `submit_verdicts`."""

    verdicts: tuple[UserVerdict, ...]


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What was accepted: the judged assertions, with their evidence."""

    judged: tuple[Judged, ...]


@dataclass(frozen=True, kw_only=True)
class UserCase:
    """What is to be judged, by which assertions."""

    key: ConversationKey
    subject: str
    commit: str
    contract: Contract
    seal: str
    assertions: tuple[str, ...]
    services: Services
    budget: Budget

    @property
    def wanted(self) -> tuple[Assertion, ...]:
        return tuple(self.contract.assertion(name) for name in self.assertions)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.services.app.port}"

    @property
    def recipe(self) -> Recipe:
        """How the product starts and stops: the base's services file has the word, then the contract."""
        app = self.services.app
        start = "" if on_desktops(self.wanted) else app.start or self.contract.start
        return Recipe(command=start, address=self.address, health=app.health, stop=app.stop or "")


async def test_as_user(court: Court, case: UserCase) -> Verdict:
    """The verdict on a milestone."""
    place = await court.checkout(case.commit, "user-testing")
    environment = (("PORT", str(case.services.app.port)),)
    async with court.start(Blueprint(checkout=str(place), arena=True, environment=environment)) as sandbox:
        independence = "enforced" if sandbox.level != "none" else "not enforced: no sandbox"
        try:
            judged = await _in_arena(court, case, sandbox)
        except GiveUp as trouble:
            judged = _all(case, "blocked", str(trouble))
    judge = Judge(
        agents=(stream_of(case.key),), models=(court.desk.model_for("user-tester").name,), independence=independence
    )
    return Verdict(
        kind="user_testing", subject=case.subject, commit=case.commit, contract=case.seal, judge=judge, judged=judged
    )


async def _in_arena(court: Court, case: UserCase, sandbox: Sandbox) -> tuple[Judged, ...]:
    async with AsyncExitStack() as stack:
        app: App | None = None
        if case.recipe.command:
            app = await stack.enter_async_context(app_under_test(sandbox, case.recipe, court.scratch()))
            came_up = await app.start()
            if not came_up.healthy:
                return _with_log(court, case, came_up.text)
        docket = Docket(court.desk.blobs)
        hands = Hands(
            sandbox,
            docket,
            stack,
            address=case.address,
            published=published(case.contract, await court.store.files(case.commit), is_foreign),
            app=app,
            browser=court.find_browser(),
        )
        cannot = await hands.cannot_drive(_surfaces(case))
        blocked = tuple(
            Judged(assertion=one.id, verdict="blocked", reason=cannot[one.surface])
            for one in case.wanted
            if one.surface in cannot
        )
        drivable = replace(case, assertions=tuple(one.id for one in case.wanted if one.surface not in cannot))
        return (*blocked, *(await _judged(court, drivable, docket, hands) if drivable.assertions else ()))


def is_foreign(program: str) -> bool:
    """Whether a program is the machine's: what a sandbox shows of the host is its system folders."""
    return shutil.which(program, path=SYSTEM_PATH) is not None


async def _judged(court: Court, case: UserCase, docket: Docket, hands: Hands) -> tuple[Judged, ...]:
    before = await court.desk.journal.read(stream_of(case.key))
    tools = hands.tools(_surfaces(case))
    await _take_steps_again(before, tools)
    docket.recall(before)
    outcome = await _judge(court, case, docket, tools, hands.sandbox)
    if outcome.exit != "done":
        return _all(case, "blocked", f"the judge did not finish ({outcome.exit or 'paused'}): {outcome.reason}")
    return msgspec.json.decode(outcome.result, type=Word).judged


def _surfaces(case: UserCase) -> frozenset[Surface]:
    return frozenset(assertion.surface for assertion in case.wanted)


async def _judge(court: Court, case: UserCase, docket: Docket, tools: tuple[AnyTool, ...], sandbox: Sandbox) -> Outcome:
    programs = published(for_users(case.contract), await court.store.files(case.commit), is_foreign)

    async def accept(handed: UserVerdicts) -> Word:
        if steps := _not_looked_at(await court.desk.journal.read(stream_of(case.key))):
            raise AskModelAgain(
                f"These verdicts were written before the results of the {steps} beside them were there. "
                "Look at what came of each step, then call `submit_verdicts` alone."
            )
        return Word(judged=accepted(handed, case.wanted, docket, programs))

    submit = finish_tool(
        "submit_verdicts", "Hand in one verdict per assertion; ends the session.", UserVerdicts, accept
    )
    where = "on the desktop" if on_desktops(case.wanted) else "in the terminal"
    runs = f"It runs fresh for you at {case.address}." if case.recipe.command else f"You start it {where}."
    words = fill(prompt_file(__file__, "user-tester"), {"runs": runs})
    return await employ(
        court.desk,
        case.key,
        role="user-tester",
        system=assemble([Fragment(source="user-tester", text=words, cap=6_000, stability="role")]),
        task=_task(case),
        tools=(*tools, submit),
        budget=case.budget,
        # What a judge does stays in the arena; where there is none, its verdict says that nothing was enforced.
        policy=Policy(autonomy="high", sandboxed=sandbox.level != "none", person_present=False),
    )


def _not_looked_at(recorded: list[Recorded]) -> str:
    """The steps that the last reply asked for beside handing in; "" where there are none."""
    replies = [event for one in recorded if isinstance(event := one.event, ModelReplied)]
    steps = len(replies[-1].message.calls) - 1 if replies else 0
    return "" if steps < 1 else "step" if steps == 1 else f"{steps} steps"


def accepted(
    handed: UserVerdicts, wanted: Sequence[Assertion], docket: Docket, programs: Published
) -> tuple[Judged, ...]:
    """The verdicts as they count.

    Raises AskModelAgain when one is missing, doubled, names no evidence, or passes what nobody tried.
    """
    given = [verdict.assertion for verdict in handed.verdicts]
    asked = {assertion.id: assertion for assertion in wanted}
    found = [f"{name}: no verdict." for name in asked if name not in given]
    found += [f"{name}: not asked for." for name in given if name not in asked]
    found += [f"{name}: more than one verdict." for name in set(given) if given.count(name) > 1]
    for verdict in handed.verdicts:
        unknown = [number for number in verdict.evidence if docket.evidence(number) is None]
        if unknown:
            found.append(f"{verdict.assertion}: there is no evidence {', '.join(unknown)}; your steps are numbered.")
        if verdict.verdict != "blocked" and not verdict.evidence:
            found.append(f"{verdict.assertion}: names no evidence; take the steps that show it.")
        elif verdict.verdict == "passed" and not any(docket.happened(number) for number in verdict.evidence):
            found.append(f"{verdict.assertion}: none of these steps came about, so they do not show that it passed.")
        elif verdict.verdict == "passed" and verdict.assertion in asked:
            missing = undone(asked[verdict.assertion], programs, docket.deeds)
            found += [f"{verdict.assertion}: it speaks of `{deed}`, and you did not try that." for deed in missing]
        if verdict.verdict != "passed" and not verdict.reason.strip():
            found.append(f"{verdict.assertion}: say what you did, expected and saw.")
    if found:
        raise AskModelAgain("The verdicts cannot be taken yet:\n" + "\n".join(f"- {line}" for line in found))
    return tuple(
        Judged(
            assertion=verdict.assertion,
            verdict=verdict.verdict,
            reason=verdict.reason,
            evidence=tuple(shown for number in verdict.evidence if (shown := docket.evidence(number)) is not None),
        )
        for verdict in handed.verdicts
    )


async def _take_steps_again(before: list[Recorded], tools: tuple[AnyTool, ...]) -> None:
    """Brings a fresh arena to where a crash cut the judge off; costs no tokens and leaves no trace.

    A step that had not returned is left to the loop: it takes it anew, and twice would be once too often.
    """
    events = [cast("AgentEvent | None", recorded.event) for recorded in before]
    if any(isinstance(event, AgentEnded) for event in events):
        return
    returned = {(event.turn, event.result.call_id) for event in events if isinstance(event, ToolReturned)}
    toolbox = Toolbox(tools)
    names = {tool.name for tool in tools}
    for event in events:
        if isinstance(event, ToolCalled) and event.call.name in names and (event.turn, event.call.id) in returned:
            await toolbox.perform(event.call)


def _all(case: UserCase, verdict: Literal["failed", "blocked"], reason: str) -> tuple[Judged, ...]:
    return tuple(Judged(assertion=name, verdict=verdict, reason=reason) for name in case.assertions)


def _with_log(court: Court, case: UserCase, text: str) -> tuple[Judged, ...]:
    """A product that does not start has failed every assertion, and its output is the evidence."""
    shown = Evidence(kind="transcript", blob=court.desk.blobs.put(text.encode()), caption="the product did not start")
    return tuple(Judged(assertion=name, verdict="failed", reason=text, evidence=(shown,)) for name in case.assertions)


def _task(case: UserCase) -> str:
    assertions = "\n\n".join(_assertion(assertion) for assertion in case.wanted)
    return assemble(
        [
            Fragment(
                source="published", text=f"# Published\n\n{case.contract.published}", cap=10_000, stability="task"
            ),
            Fragment(source="assertions", text=f"# Judge these\n\n{assertions}", cap=40_000, stability="task"),
        ]
    )


def _assertion(assertion: Assertion) -> str:
    never = f"\nNever: {assertion.negative}" if assertion.negative else ""
    return f"## {assertion.id}: {assertion.title} ({assertion.surface})\n{assertion.behaviour}{never}"
