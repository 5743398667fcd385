"""Laying out a report for people: the brief, the contract with each verdict and its evidence, the diff, the cost.

It does not know where a report comes from.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from shopfloor.domain.spending import Budget, Spent
from shopfloor.faces.cli.plain import counted, plain_fact
from shopfloor.faces.cli.rows import Rows
from shopfloor.faces.page.build import duration, money
from shopfloor.floor.kept import Unaccepted
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
            out.print(Padding(Text("· ").append_text(_words(assumption)), (0, 0, 0, 2)))
    out.print(Text("\nContract", style="bold"))
    for assertion in plan.contract.assertions:
        guard = ", a guard: holds today, and must go on holding" if assertion.kind == "guard" else ""
        surface = Text(f" ({assertion.surface}{guard})", "bold")
        out.print(Text(f"{assertion.id}  ", style="cyan").append_text(_words(assertion.title, "bold")).append(surface))
        out.print(Padding(_words(assertion.behaviour), (0, 0, 0, 4)))
        if assertion.negative:
            out.print(Padding(_words(f"Never: {assertion.negative}", "dim"), (0, 0, 0, 4)))
    if plan.contract.published.strip():
        out.print(Text("\nPublished to judges", style="bold"))
        out.print(Padding(Markdown(_line_by_line(plan.contract.published)), (0, 0, 0, 4)))
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
    facts.add_row("Budget", budget_words(report))
    facts.add_row("Sandbox", f"{report.sandbox}, network {report.network}, autonomy {report.autonomy}")
    facts.add_row(
        "Undo", f"nothing is touched but the branch shopfloor/{report.id}: git branch -D shopfloor/{report.id}"
    )
    facts.add_row("Sealed", report.seal[:16])
    out.print(facts)


def _words(text: str, style: str = "") -> Text:
    """Words with `code` among them, which is told from the rest without its marks."""
    told = Text(style=style)
    for place, part in enumerate(re.split(r"`([^`\n]+)`", text)):
        told.append(part, "cyan" if place % 2 else "")
    return told


def _line_by_line(text: str) -> str:
    """Markdown in which every line that was written as one stays one: lists of routes are seldom marked as lists."""
    return "\n".join(f"{line}  " if line.strip() else line for line in text.splitlines())


def budget_words(report: Report) -> str:
    """What a job may use, and who said so."""
    budget = report.budget
    limits = [f"{budget.usd:g} USD"] if budget.usd is not None else []
    limits += [f"{budget.tokens:,} tokens"] if budget.tokens is not None else []
    limits += [duration(budget.seconds)] if budget.seconds is not None else []
    limits += [counted(budget.steps, "turn") + " of each agent"] if budget.steps is not None else []
    source = {"": "", "default": " (nobody set one)"}.get(report.budget_from, f" (from: {report.budget_from})")
    return (", ".join(limits) or "no limit") + source


def print_report(report: Report) -> None:
    """The whole job, as one would show it to a colleague."""
    out, report = console(), plain_fact(report)
    out.print()
    out.print(Rule(_headline(report)))
    if report.doing:
        out.print(Text(_running(report)))
    elif report.reason:  # below the line, which is cut at the terminal's width
        out.print(Text(_sentence(report.reason)))
    if report.again_at:
        out.print(Text(f"It may go on from {_time(report.again_at)} on."))
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
    for fix in report.fixes:
        did = "mended" if fix.mended else "was to mend"
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


def _running(report: Report) -> str:
    """What a job that somebody carries is at, since when, and whether anything is heard of it."""
    assert report.heard_at is not None
    silent = (datetime.now().astimezone() - report.heard_at).total_seconds()
    heard = f"last heard of {duration(max(0, silent))} ago"
    return f"At present: {report.doing} (asked for at {_time(report.started)}, {heard})."


def _time(moment: datetime) -> str:
    """A time of day, with its day unless that is today."""
    today = moment.date() == datetime.now().astimezone().date()
    return f"{moment:%H:%M:%S}" if today else f"{moment:%Y-%m-%d %H:%M:%S}"


def _headline(report: Report) -> Text:
    if report.verified:
        return Text(f"{report.id}: verified", style="bold green")
    if report.exit == "done":
        return Text(f"{report.id}: finished, unverified", style="bold yellow")
    return Text(f"{report.id}: {report.state}", style="bold red" if report.exit else "bold yellow")


def _contract(report: Report) -> Rows:
    rows = Rows("Contract", headings=("", "Assertion", "", "Evidence"), wide=True)
    for line in report.assertions:
        verdict = line.verdict or "not judged"
        rounds = f", judged {line.rounds} times" if line.rounds > 1 else ""
        rows.add(
            Text(line.id, style="cyan", no_wrap=True),
            Text(f"{line.title} ({line.surface})"),
            Text(verdict + rounds, style=_STYLES.get(verdict, "dim")),
            _evidence(line),
        )
    return rows


def _evidence(line: AssertionLine) -> Text:
    kinds = Counter(evidence.kind for evidence in line.evidence)
    shown = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(kinds.items()))
    reason = f"{line.reason}\n" if line.reason and line.verdict != "passed" else ""
    return Text(reason + (shown or "none"), style="dim")


def _work(report: Report) -> Rows:
    """What each worker said of its feature; what it left undone stands out."""
    rows = Rows("Work")
    for line in report.features:
        said = Text(line.summary or line.title)
        if line.undone:
            said.append(f"\nundone: {line.undone}", style="yellow")
        for issue in line.issues:
            said.append(f"\nto know: {issue}", style="dim")
        landed = Text("landed", "green") if line.commit else Text("open" if line.attempts else "waits", "dim")
        rows.add(landed, Text(line.id, style="cyan", no_wrap=True), said)
    return rows


def _checks(report: Report) -> Rows:
    rows = Rows("Last checks")
    for check in report.checks:
        mark = Text("failed", "red") if not check.passed else Text("passed", "green")
        if not check.checked:
            mark = Text("not checked", "yellow")
        rows.add(mark, Text(check.name), Text(check.command, "dim"), Text(check.detail, "dim"))
    return rows


def _diff(report: Report) -> RenderableType:
    """The whole change when it is short, else what it did to each file."""
    lines = report.diff.splitlines()
    if len(lines) <= DIFF_LINES:
        shown = Syntax(report.diff.rstrip(), "diff", background_color="default")
        return Panel(shown, title="Change", title_align="left", border_style="dim")
    rows = Rows("Change")
    for path, added, removed in _per_file(lines):
        rows.add(Text(path), Text(f"+{added}", "green"), Text(f"-{removed}", "red"))
    return rows


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


def _costs(report: Report) -> Rows:
    rows = Rows("Cost", headings=("agent", "calls", "prompt tokens", "cached", "output", "money"), right=True)
    for agent in report.agents:
        rows.add(Text(agent.name.removesuffix("/1")), *_amounts(agent.spent))
    if len(report.agents) > 1:
        rows.add(Text("all"), *_amounts(report.spent), style="bold")
    return rows


def _amounts(spent: Spent) -> tuple[Text, ...]:
    usage = spent.usage
    amounts = (str(spent.calls), f"{usage.prompt:,}", f"{usage.cache_share:.0%}", f"{usage.output:,}", money(spent))
    return tuple(Text(amount) for amount in amounts)


def _print_next(out: Console, report: Report) -> None:
    out.print(Text(f"Took {duration(report.seconds)} of work. Sandbox {report.sandbox}.", style="dim"))
    if report.exit is None or report.budget != Budget():
        out.print(Text(f"Budget: {budget_words(report)}.", style="dim"))
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
    if report.merge_command.startswith("git stash"):
        out.print(Text("The stash keeps your files as they were; drop it when all is well.", style="dim"))
    if report.unaccepted is not None:
        _print_unaccepted(out, report.unaccepted)
    if report.undo_command:
        _command(out, Text("Undo it:   ", style="bold").append(report.undo_command))
    elif report.needs_approval:
        _command(out, Text("Approve:   ", style="bold").append(f"shopfloor mission resume {report.id} --yes"))
    elif report.state == "running":
        _command(out, Text("Watch it:  ", style="bold").append(f"shopfloor log {report.id} --follow"))
        _command(out, Text("Stop it:   ", style="bold").append(f"shopfloor mission pause {report.id}"))
    elif report.question:
        _command(out, Text("Answer:    ", style="bold").append(f"shopfloor mission resume {report.id} --answer WORDS"))
    elif report.exit is None:
        _command(out, Text("Go on:     ", style="bold").append(f"shopfloor mission resume {report.id}"))
    _command(out, Text("Show it:   ", style="bold").append(f"shopfloor mission export {report.id} FOLDER", style=""))


def _print_unaccepted(out: Console, work: Unaccepted) -> None:
    """Work that is no result, and how to look at it all the same."""
    out.print(Text(f"Work on {work.feature} at {work.commit[:12]} was not accepted: {work.because}.", style="yellow"))
    if not work.ref:
        out.print(Text("It is on no branch; `mission export` writes it as unaccepted.diff.", style="dim"))
        return
    out.print(Text(f"It is on no branch; {work.ref} keeps it.", style="dim"))
    _command(out, Text("Look at it: ", style="bold").append(work.look_command))
    _command(out, Text("Drop it:   ", style="bold").append(work.drop_command))


def _command(out: Console, line: Text) -> None:
    """A line that is to be copied whole, however narrow the window."""
    out.print(line, soft_wrap=True)
