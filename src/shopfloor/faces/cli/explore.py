"""`shopfloor explore`: a model finds the steps of a contract's assertions, and the contract keeps them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
from rich.console import Console

from shopfloor.agent.run import Outcome
from shopfloor.domain.contract import Assertion
from shopfloor.domain.errors import GiveUp
from shopfloor.domain.events import Event, ToolReturned
from shopfloor.faces.cli.contracts import bench_here, interface_of, read_draft, refuse_unknown, site_of
from shopfloor.faces.cli.exits import UNVERIFIED, code_of_exit
from shopfloor.faces.cli.plain import plain
from shopfloor.faces.cli.show import console, print_json
from shopfloor.factory import Wishes, open_factory
from shopfloor.settings import read_settings
from shopfloor.validation.contract_file import Draft, steps_put_in
from shopfloor.validation.explore import Explored


def show_explore(
    path: Path,
    *,
    url: str,
    command: str,
    repo: Path | None,
    only: tuple[str, ...],
    flags: Mapping[str, str],
    record: Path | None,
    as_json: bool,
) -> None:
    """Explores, and writes steps into the contract as they are found; exits 0 only if every assertion has steps."""
    draft = read_draft(path)
    if path.suffix == ".feature":
        raise GiveUp(f"{str(path)!r} is a feature file, and steps have no place in it: write it as a contract first.")
    refuse_unknown(draft, only)
    wanted = tuple(_wanted(draft, only))
    if not wanted:
        raise GiveUp("Every assertion has steps already; --only VAL-… explores one anew.")
    site = site_of(draft, url=url, command=command, repo=repo)
    interface = interface_of(draft, path)
    out = console(stderr=True)

    def keep(explored: Explored) -> None:
        if explored.steps:
            _write_whole(path, steps_put_in(path.read_text(encoding="utf-8"), explored.assertion, explored.steps))
        if not as_json:
            _print(out, explored)

    def heard(stream: str, event: Event) -> None:
        if not as_json and out.is_terminal:
            _progress(out, event)

    async def main() -> tuple[Outcome, tuple[Explored, ...]]:
        settings = read_settings(flags, os.environ).settings
        async with open_factory(settings, os.environ, heard=heard, record_to=record) as factory:
            bench = bench_here(site, interface, lambda _: None)
            return await factory.explore(bench, draft.contract, site, wanted, Wishes(), keep)

    outcome, explored = anyio.run(main)
    found = sum(bool(one.steps) for one in explored)
    if as_json:
        print_json({"contract": str(path), "exit": outcome.exit, "reason": outcome.reason, "explored": explored})
    elif outcome.exit != "done":
        out.print(plain(f"The explorer did not finish ({outcome.exit or 'paused'}): {outcome.reason}"), style="red")
    if not as_json:
        console().print(f"{found} of {len(wanted)} have steps now, in {path}", style="bold", soft_wrap=True)
    if outcome.exit != "done":
        sys.exit(code_of_exit(outcome.exit))
    if found < len(wanted):
        sys.exit(UNVERIFIED)


def _write_whole(path: Path, text: str) -> None:
    """All of it or nothing, whenever the power goes."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _wanted(draft: Draft, only: tuple[str, ...]) -> list[Assertion]:
    """Those that are named; else those without steps."""
    return [one for one in draft.contract.assertions if (one.id in only if only else not one.steps)]


def _print(out: Console, explored: Explored) -> None:
    word, style = ("steps", "green") if explored.steps else ("none", "yellow")
    told = f"{len(explored.steps)} lines that pass" if explored.steps else explored.reason
    out.print(f"{word:<8}", style=style, end="")
    out.print(plain(f"{explored.assertion}  {told}"), soft_wrap=True)


def _progress(out: Console, event: Event) -> None:
    match event:
        case ToolReturned(result=result):
            first = result.text.partition("\n")[0]
            out.print(f"  {plain(first)[:100]}", style="dim")
        case _:
            pass
