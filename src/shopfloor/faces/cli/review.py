"""`shopfloor review`: what scrutiny says of a change that anybody made, for people and for machines."""

import os
import sys
from pathlib import Path

import anyio
import typer

from shopfloor.domain.mission import CheckOutcome, Verdict
from shopfloor.faces.cli.exits import UNVERIFIED
from shopfloor.faces.cli.plain import plain
from shopfloor.faces.cli.pull_request import post, pull_request, review_of
from shopfloor.faces.cli.sarif import sarif
from shopfloor.faces.cli.show import console, print_json
from shopfloor.factory import ReviewedChange, Wishes, open_factory
from shopfloor.settings import read_settings

OUTPUT_LINES = 12


def show(repository: Path, base: str, output: str, *, read: bool, model: str, on: str) -> None:
    """Prints the verdict; exits with UNVERIFIED when anything refuses the change, or nothing could be run."""
    wishes = Wishes(model=model or None) if read or model else None
    host = pull_request(on, os.environ) if on else None

    async def main() -> tuple[ReviewedChange, dict[str, str]]:
        async with open_factory(read_settings({}, os.environ).settings, os.environ) as factory:
            reviewed = await factory.review(repository, base, wishes)
            shown = {
                check.name: factory.blobs.get(check.evidence[0].blob).decode(errors="replace")
                for check in reviewed.verdict.checks
                if check.evidence and not check.passed
            }
            return reviewed, shown

    reviewed, shown = anyio.run(main)
    verdict = reviewed.verdict
    match output:
        case "json":
            print_json({"base": reviewed.base, "passed": verdict.passed, "verdict": verdict})
        case "sarif":
            print_json(sarif(verdict))
        case "github":
            print_json(review_of(verdict, reviewed.diff))
        case _:
            _print(reviewed.base, verdict, shown)
    if host:
        print(f"reviewed {post(review_of(verdict, reviewed.diff), host)}", file=sys.stderr)
    if not verdict.passed:
        raise typer.Exit(UNVERIFIED)


def _print(began: str, verdict: Verdict, shown: dict[str, str]) -> None:
    out = console()
    out.print(f"from {began[:12]} to {verdict.commit[:12]}", style="dim")
    for check in verdict.checks:
        word, style = _word(check)
        out.print(f"{word:<12}", style=style, end="")
        out.print(plain(f"{check.name}  {check.detail}"), soft_wrap=True)
        for line in shown.get(check.name, "").rstrip().splitlines()[-OUTPUT_LINES:]:
            out.print(f"             {plain(line)}", style="dim", soft_wrap=True)
    for finding in verdict.findings:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path
        out.print(f"{finding.severity:<12}", style="red" if finding.refuses else "yellow", end="")
        out.print(plain(f"{finding.check}  {place}  {finding.words}"), soft_wrap=True)
    if not verdict.checks:
        out.print("This repository has no command that checks it: nothing was run.", style="yellow")
    out.print("nothing refuses this change" if verdict.passed else "this change is refused", style="bold")


def _word(check: CheckOutcome) -> tuple[str, str]:
    if not check.was_made:
        return "not checked", "yellow"
    return ("passed", "green") if check.passed else ("failed", "red")
