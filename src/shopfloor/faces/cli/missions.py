"""Missions seen from outside: list, show, pause, steer, export. It does not carry any."""

import os
import shutil
import sys
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import anyio
import msgspec

from shopfloor.domain.contract import Contract
from shopfloor.domain.errors import GiveUp
from shopfloor.domain.events import (
    AgentEvent,
    InboxEvent,
    MissionPlanned,
    ModelReplied,
    PauseAsked,
    Steered,
    ToolReturned,
    VerdictReached,
)
from shopfloor.domain.mission import Evidence
from shopfloor.faces.cli.plain import plain, shortened, title_of, typed
from shopfloor.faces.cli.show import print_each, print_json, print_plan, print_report
from shopfloor.faces.page.build import money, report_page
from shopfloor.faces.page.verdict import verdict_page
from shopfloor.factory import Factory, open_factory
from shopfloor.floor.report import Report
from shopfloor.journal.store import inbox_of
from shopfloor.missions.shop import mission_stream
from shopfloor.settings import read_settings
from shopfloor.validation.contract_file import contract_text

LINE_WIDTH = 132
"""Columns that a mission needs on one line."""
_SUFFIXES = {"screenshot": "png", "transcript": "txt", "exchange": "txt", "check": "txt"}


def _with_factory(act: Callable[[Factory], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_factory(read_settings({}, os.environ).settings, os.environ) as factory:
            await act(factory)

    anyio.run(main)


def show_list(output: str) -> None:
    """All missions, newest first."""

    async def act(factory: Factory) -> None:
        prefix = mission_stream("")
        streams = sorted(await factory.journal.streams(prefix), key=lambda stream: -stream.first_at)
        reports = [await factory.report(stream.name.removeprefix(prefix), diff=False) for stream in streams]
        if output != "text":
            print_each([_brief_line(report) for report in reports], output)
            return
        narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < LINE_WIDTH
        for report in reports:
            print("\n".join(_listed_below(report) if narrow else (_listed(report),)))
        if not reports:
            print("No missions yet.")

    _with_factory(act)


def _listed(report: Report) -> str:
    """A mission on one line, whatever reads it."""
    spent = f"{report.spent.usage.total:>11,} tok  {money(report.spent):<16}"
    place = f"{report.started:%Y-%m-%d %H:%M}  {Path(report.repository).name:<16}"
    return plain(f"{report.id:<34} {_state(report):<18} {spent} {place} {shortened(title_of(report.brief), 60)}")


def _listed_below(report: Report) -> tuple[str, ...]:
    """The same for a person whose window is narrower than that line."""
    when = f"{_state(report)}, {report.started:%Y-%m-%d %H:%M}, {Path(report.repository).name}"
    spent = f"{report.spent.usage.total:,} tok, money {money(report.spent)}"
    title = shortened(title_of(report.brief), 60)
    return tuple(plain(line) for line in (report.id, f"  {title}", f"  {when}", f"  {spent}"))


def _state(report: Report) -> str:
    if report.verified:
        return "verified"
    return "unverified" if report.exit == "done" else report.state.replace("_", " ")


def _brief_line(report: Report) -> dict[str, object]:
    return {
        "id": report.id,
        "form": report.form,
        "started": report.started,
        "repository": report.repository,
        "brief": report.brief,
        "state": report.state,
        "verified": report.verified,
        "branch": report.branch,
        "tokens": report.spent.usage.total,
    }


def show(mission: str, output: str) -> None:
    """The report on one mission."""

    async def act(factory: Factory) -> None:
        report = await factory.report(mission)
        if output == "text":
            if report.needs_approval:
                print_plan(report)
            print_report(report)
        else:
            print_json(report, compact=output == "stream-json")

    _with_factory(act)


def ask_pause(mission: str) -> None:
    """Leaves a wish to pause in the inbox."""
    _write(mission, PauseAsked())
    print(f"{mission} pauses at the next safe place; go on with: shopfloor mission resume {mission}")


def steer(mission: str, words: str) -> None:
    """Leaves words for the worker at work, or the next one, in the inbox."""
    if not words.strip():
        raise GiveUp("There are no words to say; give some.")
    question = _write(mission, Steered(text=typed(words)))
    if question:
        print(f"It waits with a question, and this is no answer: shopfloor mission resume {mission} --answer WORDS")
    print(
        "The worker at work hears it between two turns, or else the next one does; planners and judges are not steered."
    )


def _write(mission: str, letter: InboxEvent) -> str:
    """Puts a letter into the mission's inbox; the question that it waits with, if it does."""
    report: Report | None = None

    async def act(factory: Factory) -> None:
        nonlocal report
        report = await factory.report(mission, diff=False)
        if report.exit is not None:
            raise GiveUp(f"{mission} has ended ({report.exit}): nobody is there to hear it.")
        await factory.journal.append(inbox_of(mission_stream(mission)), (letter,))

    _with_factory(act)
    return report.question if report else ""


def export(mission: str, to: Path) -> None:
    """Writes everything a person would want to read about a mission as plain files."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise GiveUp(f"{str(to)!r} exists already; name a folder that does not.")

    async def act(factory: Factory) -> None:
        report = await factory.report(mission)
        _make(to)
        (to / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        (to / "report.html").write_text(report_page(report, factory.blobs.get), encoding="utf-8")
        (to / "changes.diff").write_text(report.diff, encoding="utf-8")
        if report.unaccepted is not None:
            (to / "unaccepted.diff").write_text(report.unaccepted.diff, encoding="utf-8")
        if report.plan is not None:
            (to / "spec.md").write_text(report.plan.plan.spec.text, encoding="utf-8")
            (to / "contract.md").write_text(contract_text(report.plan.plan), encoding="utf-8")
        for line in report.assertions:
            _export_evidence(factory, to / "evidence" / line.id, line.evidence)
        for check in report.checks:
            _export_evidence(factory, to / "checks" / check.name.replace(" ", "-").replace("/", "-"), check.evidence)
        for stream in await factory.journal.streams(f"agent/{mission}/"):
            await _export_agent(factory, stream.name, to / "agents")
        print(f"Written to {to}; open {to / 'report.html'}")

    _with_factory(act)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise GiveUp(f"{str(folder)!r} cannot be made: {trouble.strerror}; name another folder.") from trouble


def evidence(mission: str, to: Path | None, open_page: bool) -> None:
    """Writes one page for each verdict of a mission, and shows the last one."""

    async def act(factory: Factory) -> None:
        recorded = await factory.journal.read(mission_stream(mission))
        if not recorded:
            raise GiveUp(f"There is no mission {mission!r}; `shopfloor mission list` shows those there are.")
        contract: Contract | None = None
        written: list[Path] = []
        folder = to or factory.folder / "evidence" / mission
        for one in recorded:
            match one.event:
                case MissionPlanned(plan=plan):
                    contract = plan.contract
                case VerdictReached(verdict=verdict):
                    _make(folder)
                    page = folder / f"{len(written) + 1:02}-{verdict.kind.replace('_', '-')}-{verdict.subject}.html"
                    page.write_text(verdict_page(verdict, contract, factory.blobs.get), encoding="utf-8")
                    written.append(page)
                    print(f"{'passed ' if verdict.passed else 'refused'}  {page}")
                case _:
                    pass
        if not written:
            raise GiveUp(f"Nobody has judged {mission} yet, so there is no evidence to look at.")
        if open_page:
            webbrowser.open(written[-1].resolve().as_uri())

    _with_factory(act)


def _export_evidence(factory: Factory, folder: Path, evidence: tuple[Evidence, ...]) -> None:
    for number, one in enumerate(evidence, 1):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number}-{one.kind}.{_SUFFIXES[one.kind]}"
        path.write_bytes(factory.blobs.get(one.blob))


async def _export_agent(factory: Factory, stream: str, folder: Path) -> None:
    """An agent's exchange as text, and its facts as JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    name = stream.removeprefix("agent/").split("/", 1)[1].replace("/", "-")
    recorded = await factory.journal.read(stream)
    with (folder / f"{name}.jsonl").open("wb") as facts:
        for one in recorded:
            line = {"seq": one.seq, "at": one.at, "kind": one.kind, "body": msgspec.Raw(one.body)}
            facts.write(msgspec.json.encode(line) + b"\n")
    text: list[str] = []
    for one in recorded:
        match cast("AgentEvent | None", one.event):
            case ModelReplied(turn=turn, message=message):
                calls = "".join(f"\n-> {call.name} {call.arguments}" for call in message.calls)
                text.append(f"## {turn}\n{message.text}{calls}")
            case ToolReturned(result=result):
                text.append(f"<- {result.text}")
            case _:
                pass
    (folder / f"{name}.txt").write_text("\n\n".join(text), encoding="utf-8")
