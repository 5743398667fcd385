"""`shopfloor review`: what scrutiny says of a change that anybody made, for people and for machines."""

import os
from pathlib import Path
from typing import Any

import anyio
import typer

from shopfloor import __version__
from shopfloor.domain.mission import CheckOutcome, Finding, Severity, Verdict
from shopfloor.faces.cli.exits import UNVERIFIED
from shopfloor.faces.cli.plain import plain
from shopfloor.faces.cli.show import console, print_json
from shopfloor.factory import open_factory
from shopfloor.settings import read_settings

_LEVELS: dict[Severity, str] = {"P0": "error", "P1": "error", "P2": "warning", "P3": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
OUTPUT_LINES = 12


def show(repository: Path, base: str, output: str) -> None:
    """Prints the verdict; exits with UNVERIFIED when anything refuses the change, or nothing could be run."""

    async def main() -> tuple[str, Verdict, dict[str, str]]:
        async with open_factory(read_settings({}, os.environ).settings, os.environ) as factory:
            began, verdict = await factory.review(repository, base)
            shown = {
                check.name: factory.blobs.get(check.evidence[0].blob).decode(errors="replace")
                for check in verdict.checks
                if check.evidence and not check.passed
            }
            return began, verdict, shown

    began, verdict, shown = anyio.run(main)
    if output == "json":
        print_json({"base": began, "passed": verdict.passed, "verdict": verdict})
    elif output == "sarif":
        print_json(sarif(verdict))
    else:
        _print(began, verdict, shown)
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


def sarif(verdict: Verdict) -> dict[str, Any]:
    """The verdict as SARIF 2.1.0: findings, and checks that failed."""
    results = [_result(finding) for finding in verdict.findings]
    results += [
        {"ruleId": check.name, "level": "error", "message": {"text": f"{check.command}: {check.detail}"}}
        for check in verdict.checks
        if not check.passed
    ]
    rules = [{"id": name} for name in dict.fromkeys(str(result["ruleId"]) for result in results)]
    driver = {"name": "shopfloor", "version": __version__, "rules": rules}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "level": "note" if finding.refuted else _LEVELS[finding.severity],
        "message": {"text": finding.words},
    }
    if finding.path:
        where: dict[str, Any] = {"artifactLocation": {"uri": finding.path}}
        if finding.line:
            where["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": where}]
    return result
