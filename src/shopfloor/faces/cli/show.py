"""Laying out a report for people: the brief, the contract with each verdict and its evidence, the diff, the cost.

It does not know where a report comes from.
"""

import os
import sys
from collections import Counter
from collections.abc import Sequence

import msgspec
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from shopfloor.domain.spending import Spent
from shopfloor.faces.cli.plain import plain_fact
from shopfloor.faces.page.build import duration, money
from shopfloor.floor.report import AssertionLine, Report

DIFF_LINES = 60
_STYLES = {"passed": "green", "failed": "red", "blocked": "yellow"}


def print_json(value: object, *, compact: bool = False) -> None:
    """A value as JSON on standard output."""
    raw = msgspec.json.encode(value)
    sys.stdout.write((raw if compact else msgspec.json.format(raw)).decode() + "\n")


def print_each(values: Sequence[object], output: str) -> None:
    """Values as one array of JSON, or with stream-json as one line each."""
    if output == "stream-json":
        for value in values:
            print_json(value, compact=True)
    else:
        print_json(values)


def console(*, stderr: bool = False) -> Console:
    """For words of others: square brackets and colons in them are no markup. With NO_COLOR, nothing is styled."""
    colours = None if os.environ.get("NO_COLOR") else "auto"
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, color_system=colours)


def print_plan(report: Report) -> None:
    """What a person approves: spec, contract, expected cost, what the mission may do, how to undo it."""
    out, report = console(), plain_fact(report)
    assert report.plan is not None
    plan = report.plan.plan
    out.print(Panel(Markdown(plan.spec.text), title="Spec", title_align="left"))
    if plan.spec.assumptions:
        out.print(Text("\nAssumptions", style="bold"))
        for assumption in plan.spec.assumptions:
            out.print(Text(f"  · {assumption}"))
    out.print(Text("\nContract", style="bold"))
    for assertion in plan.contract.assertions:
        out.print(Text(f"{assertion.id}  ", style="cyan").append(f"{assertion.title} ({assertion.surface})", "bold"))
        out.print(Padding(Text(assertion.behaviour), (0, 0, 0, 4)))
        if assertion.negative:
            out.print(Padding(Text(f"Never: {assertion.negative}", style="dim"), (0, 0, 0, 4)))
    if plan.contract.published.strip():
        out.print(Text("\nPublished to judges", style="bold"))
        out.print(Padding(Markdown(plan.contract.published), (0, 0, 0, 4)))
    out.print()
    facts = Table.grid(padding=(0, 2))
    if plan.contract.start:
        facts.add_row("Started by", plan.contract.start)
    if plan.contract.supersedes:
        facts.add_row("May change", f"existing tests {', '.join(plan.contract.supersedes)}")
    low, high = report.plan.expected.tokens
    facts.add_row("Features", ", ".join(feature.id for feature in plan.features))
    usd = report.plan.expected.usd
    money_words = f"{usd[0]:.2f} to {usd[1]:.2f} USD" if usd else "the model's price is unknown"
    facts.add_row("Expected", f"{low:,} to {high:,} tokens, {money_words}")
    facts.add_row("Sandbox", f"{report.sandbox}, network {report.network}, autonomy {report.autonomy}")
    facts.add_row(
        "Undo", f"nothing is touched but the branch shopfloor/{report.id}: git branch -D shopfloor/{report.id}"
    )
    facts.add_row("Sealed", report.seal[:16])
    out.print(facts)


def print_report(report: Report) -> None:
    """The whole job, as one would show it to a colleague."""
    out, report = console(), plain_fact(report)
    out.print()
    out.print(Rule(_headline(report)))
    if report.reason:  # below the line, which is cut at the terminal's width
        out.print(Text(_sentence(report.reason)))
    out.print(Panel(report.brief.strip(), title="Brief", title_align="left", border_style="dim"))
    for remark in report.remarks:
        out.print(Text(f"Note: {remark}", style="yellow"))
    if report.answer:
        out.print(Markdown(report.answer))
    if report.assertions:
        out.print(_contract(report))
    if report.checks:
        out.print(_checks(report))
    if report.features:
        out.print(_work(report))
    landed = {line.id for line in report.features if line.commit}
    for fix in report.fixes:
        did = "mended" if fix.id in landed else "was to mend"
        out.print(Text(f"{fix.id}", style="yellow").append(f" {did} what {fix.because} refused", style="default"))
    for finding in report.findings:
        where = f" {finding.path}:{finding.line}" if finding.line else f" {finding.path}" if finding.path else ""
        style = "yellow" if finding.refuses else "dim"
        out.print(Text(f"{finding.severity} {finding.check}{where}: {finding.words}", style=style))
    for output in report.failed_output:
        out.print(Panel(Text(output), title="Failed", title_align="left", border_style="red"))
    if report.diff:
        out.print(_diff(report))
    if report.diff_missing:
        out.print(Text(f"\nThe change cannot be shown: {report.diff_missing}", style="yellow"))
    out.print(_costs(report))
    _print_next(out, report)


def _sentence(words: str) -> str:
    """A reason as a sentence; one that begins with an id begins as the id does."""
    begins = words.split(maxsplit=1)[0]
    start = words[:1].upper() if begins.strip(":,").isalpha() else words[:1]
    return f"{start}{words[1:]}" + ("" if words.endswith((".", "!", "?")) else ".")


def _headline(report: Report) -> Text:
    if report.verified:
        return Text(f"{report.id}: verified", style="bold green")
    if report.exit == "done":
        return Text(f"{report.id}: finished, unverified", style="bold yellow")
    return Text(f"{report.id}: {report.state}", style="bold red" if report.exit else "bold yellow")


def _contract(report: Report) -> Table:
    table = Table(title="\nContract", title_justify="left", box=None, padding=(0, 1), expand=True)
    for heading in ("", "Assertion", "", "Evidence"):
        table.add_column(heading, overflow="fold")
    for line in report.assertions:
        verdict = line.verdict or "not judged"
        rounds = f" in round {line.rounds}" if line.rounds > 1 else ""
        table.add_row(
            Text(line.id, style="cyan", no_wrap=True),
            Text(f"{line.title} ({line.surface})"),
            Text(verdict + rounds, style=_STYLES.get(verdict, "dim")),
            _evidence(line),
        )
    return table


def _evidence(line: AssertionLine) -> Text:
    kinds = Counter(evidence.kind for evidence in line.evidence)
    shown = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(kinds.items()))
    reason = f"{line.reason}\n" if line.reason and line.verdict != "passed" else ""
    return Text(reason + (shown or "none"), style="dim")


def _work(report: Report) -> Table:
    """What each worker said of its feature; what it left undone stands out."""
    table = Table(title="\nWork", title_justify="left", box=None, padding=(0, 1), show_header=False)
    for line in report.features:
        said = Text(line.summary or line.title)
        if line.undone:
            said.append(f"\nundone: {line.undone}", style="yellow")
        for issue in line.issues:
            said.append(f"\nto know: {issue}", style="dim")
        landed = Text("landed", "green") if line.commit else Text("open" if line.attempts else "waits", "dim")
        table.add_row(landed, Text(line.id, style="cyan", no_wrap=True), said)
    return table


def _checks(report: Report) -> Table:
    table = Table(title="\nLast checks", title_justify="left", box=None, padding=(0, 1), show_header=False)
    for check in report.checks:
        mark = Text("failed", "red") if not check.passed else Text("passed", "green")
        if not check.checked:
            mark = Text("not checked", "yellow")
        table.add_row(mark, Text(check.name), Text(check.command, "dim"), Text(check.detail, "dim"))
    return table


def _diff(report: Report) -> RenderableType:
    """The whole change when it is short, else what it did to each file."""
    lines = report.diff.splitlines()
    if len(lines) <= DIFF_LINES:
        shown = Syntax(report.diff.rstrip(), "diff", background_color="default")
        return Panel(shown, title="Change", title_align="left", border_style="dim")
    table = Table(title="\nChange", title_justify="left", box=None, padding=(0, 1), show_header=False)
    for path, added, removed in _per_file(lines):
        table.add_row(Text(path), Text(f"+{added}", "green"), Text(f"-{removed}", "red"))
    return table


def _per_file(lines: list[str]) -> list[tuple[str, int, int]]:
    files: list[tuple[str, int, int]] = []
    for line in lines:
        if line.startswith("diff --git "):
            files.append((line.rpartition(" b/")[2], 0, 0))
        elif line.startswith("+") and not line.startswith("+++ "):
            files[-1] = (files[-1][0], files[-1][1] + 1, files[-1][2])
        elif line.startswith("-") and not line.startswith("--- "):
            files[-1] = (files[-1][0], files[-1][1], files[-1][2] + 1)
    return files


def _costs(report: Report) -> Table:
    table = Table(title="\nCost", title_justify="left", box=None, padding=(0, 1))
    for heading in ("agent", "calls", "prompt tokens", "from cache", "output", "money"):
        table.add_column(heading, justify="left" if heading == "agent" else "right", overflow="fold")
    for agent in report.agents:
        table.add_row(agent.name.removesuffix("/1"), *_amounts(agent.spent))
    if len(report.agents) > 1:
        table.add_row("all", *_amounts(report.spent), style="bold")
    return table


def _amounts(spent: Spent) -> tuple[str, ...]:
    usage = spent.usage
    return (str(spent.calls), f"{usage.prompt:,}", f"{usage.cache_share:.0%}", f"{usage.output:,}", money(spent))


def _print_next(out: Console, report: Report) -> None:
    out.print(Text(f"Took {duration(report.seconds)} of work. Sandbox {report.sandbox}.", style="dim"))
    if report.sandbox == "none":
        out.print(Text("Without a sandbox, the independence of the judges was not enforced.", style="yellow"))
    if report.merged:
        out.print(Text(f"Merged:    into {report.merged}", style="bold"))
    elif report.merge_command and not report.verified:
        _command(out, Text("Look at it: ", style="bold").append(f"git diff {report.base[:12]} {report.branch}"))
        _command(out, Text("Not verified; merge it all the same:  ", style="yellow").append(report.merge_command))
    elif report.merge_command:
        _command(out, Text("Merge it:  ", style="bold").append(report.merge_command, style="green"))
    elif report.branch:
        out.print(Text(f"The branch {report.branch} is not there any more.", style="dim"))
    if report.undo_command:
        _command(out, Text("Undo it:   ", style="bold").append(report.undo_command))
    elif report.needs_approval:
        _command(out, Text("Approve:   ", style="bold").append(f"shopfloor mission resume {report.id} --yes"))
    elif report.exit is None:
        _command(out, Text("Go on:     ", style="bold").append(f"shopfloor mission resume {report.id}"))
    _command(out, Text("Show it:   ", style="bold").append(f"shopfloor mission export {report.id} FOLDER", style=""))


def _command(out: Console, line: Text) -> None:
    """A line that is to be copied whole, however narrow the window."""
    out.print(line, soft_wrap=True)
