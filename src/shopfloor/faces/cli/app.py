"""The verbs. Each one reads its words here and does its work elsewhere. It does not know how anything is shown."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

app = typer.Typer(
    help="An open software factory: a brief goes in, a verified change comes out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _output(value: str) -> str:
    if value not in ("text", "json", "stream-json"):
        raise typer.BadParameter(f"there is no format {value!r}; there are text, json and stream-json")
    return value


def _review_output(value: str) -> str:
    if value not in ("text", "json", "sarif", "github"):
        raise typer.BadParameter(f"there is no format {value!r}; there are text, json, sarif and github")
    return value


def _level(value: str) -> str:
    if value not in ("", "off", "low", "medium", "high"):
        raise typer.BadParameter(f"there is no level {value!r}; there are off, low, medium and high")
    return value


def _budget(value: str) -> str:
    if value:
        from shopfloor.domain.errors import GiveUp
        from shopfloor.settings import parse_budget

        try:
            parse_budget(value)
        except GiveUp as wrong:
            raise typer.BadParameter(str(wrong)) from wrong
    return value


def _kinds(values: list[str] | None) -> list[str] | None:
    if values:
        from shopfloor.journal.codec import KINDS

        if strangers := [value for value in values if value not in KINDS]:
            raise typer.BadParameter(f"there is no kind {strangers[0]!r}; there are {', '.join(KINDS)}")
    return values


Model = Annotated[str, typer.Option("--model", "-m", help="PROVIDER:MODEL for every role.")]
Auto = Annotated[
    str, typer.Option("--auto", callback=_level, help="What agents may do without asking: off, low, medium, high.")
]
BudgetText = Annotated[
    str, typer.Option("--budget", callback=_budget, help="Any mix of money, tokens, time: 2usd|500ktok|30min, or none.")
]
Repository = Annotated[Path, typer.Option("--repo", "-C", help="The git repository to work on.")]
Output = Annotated[
    str, typer.Option("--output", "-o", callback=_output, help="text, json, or stream-json (one fact per line).")
]
ReviewOutput = Annotated[
    str, typer.Option("--output", "-o", callback=_review_output, help="text, json, sarif, or github (a review's body).")
]
SandboxLevel = Annotated[str, typer.Option("--sandbox", help="auto, bubblewrap, or none.")]
Carry = Annotated[bool, typer.Option("--carry", help="Build on uncommitted changes as they are.")]
Record = Annotated[Path | None, typer.Option("--record", help="Append every reply of the model to this cassette.")]


def _version(wanted: bool) -> None:
    if wanted:
        from shopfloor import __version__

        typer.echo(f"shopfloor {__version__}")
        raise typer.Exit


@app.callback()
def shopfloor(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """An open software factory: a brief goes in, a verified change comes out."""


@app.command()
def run(
    task: Annotated[str, typer.Argument(help="What to do, in plain words.")],
    model: Model = "",
    auto: Auto = "",
    budget: BudgetText = "",
    output: Output = "text",
    repo: Repository = Path(),
    sandbox: SandboxLevel = "",
    carry: Carry = False,
    record: Record = None,
) -> None:
    """One agent does one task; exit 0 only if the repository's own checks then pass in a clean clone."""
    from shopfloor.faces.cli import jobs

    flags = jobs.flags(model=model, auto=auto, budget=budget, sandbox=sandbox)
    jobs.start(task, repo, "solo", jobs.Options(flags=flags, model=model, output=output, carry=carry, record=record))


class MissionGroup(TyperGroup):
    """`mission BRIEF` starts a mission; `mission list` and its like are commands of the group."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            if len(args[0].split()) == 1 and (close := get_close_matches(args[0], self.commands, 1, 0.7)):
                ctx.fail(f"No command is called {args[0]!r}; did you mean {close[0]!r}? A brief is more than a word.")
            args = ["start", *args]
        return super().parse_args(ctx, args)


mission_app = typer.Typer(
    cls=MissionGroup,
    no_args_is_help=True,
    help='Plan, build and validate: `mission "BRIEF"`, or one of the commands below.',
)
app.add_typer(mission_app, name="mission")
config_app = typer.Typer(no_args_is_help=True, help="Settings, and where each came from.")
app.add_typer(config_app, name="config")
MissionId = Annotated[str, typer.Argument(help="The mission's id, as `mission list` shows it.")]


@mission_app.command("start", help='Start a mission; `shopfloor mission "BRIEF"` is the same.')
def mission_start(
    brief: Annotated[str, typer.Argument(help="What is wanted, in plain words.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Read the brief from a file; - is standard input.")
    ] = None,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Stop once the plan is sealed.")] = False,
    approve: Annotated[bool, typer.Option("--yes", "-y", help="Approve the plan without asking.")] = False,
    model: Model = "",
    auto: Auto = "",
    budget: BudgetText = "",
    output: Output = "text",
    repo: Repository = Path(),
    sandbox: SandboxLevel = "",
    carry: Carry = False,
    record: Record = None,
) -> None:
    from shopfloor.faces.cli import jobs

    options = jobs.Options(
        flags=jobs.flags(model=model, auto=auto, budget=budget, sandbox=sandbox),
        model=model,
        output=output,
        carry=carry,
        approve=approve,
        plan_only=plan_only,
        record=record,
    )
    jobs.start(jobs.brief_of(brief, file), repo, "mission", options)


@mission_app.command("list")
def mission_list(output: Output = "text") -> None:
    """All missions and runs, newest first."""
    from shopfloor.faces.cli import missions

    missions.show_list(output)


@mission_app.command("show")
def mission_show(mission: MissionId, output: Output = "text") -> None:
    """How a mission stands: contract, verdicts, evidence, cost."""
    from shopfloor.faces.cli import missions

    missions.show(mission, output)


@mission_app.command("pause")
def mission_pause(mission: MissionId) -> None:
    """Stop at the next safe place; `resume` goes on."""
    from shopfloor.faces.cli import missions

    missions.ask_pause(mission)


@mission_app.command("resume")
def mission_resume(
    mission: MissionId,
    approve: Annotated[bool, typer.Option("--yes", "-y", help="Approve the plan without asking.")] = False,
    model: Model = "",
    budget: Annotated[
        str, typer.Option("--budget", callback=_budget, help="A new budget for the whole job; none lifts it.")
    ] = "",
    answer: Annotated[str, typer.Option("--answer", help="Answer the question that it waits with.")] = "",
    output: Output = "text",
    record: Record = None,
) -> None:
    """Go on where a mission stopped, was paused, or was cut off."""
    from shopfloor.faces.cli import jobs

    options = jobs.Options(new_budget=budget, model=model, output=output, approve=approve, answer=answer, record=record)
    jobs.resume(mission, options)


@mission_app.command("cancel")
def mission_cancel(mission: MissionId) -> None:
    """End a mission; what has landed on its branch stays."""
    from shopfloor.faces.cli import jobs

    jobs.cancel(mission)


@mission_app.command("steer")
def mission_steer(
    mission: MissionId, words: Annotated[str, typer.Argument(help="What the agent should know.")]
) -> None:
    """Say something to the worker at work, or to the next one; it is heard between two turns."""
    from shopfloor.faces.cli import missions

    missions.steer(mission, words)


@mission_app.command("export")
def mission_export(
    mission: MissionId, to: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]
) -> None:
    """Write spec, contract, verdicts, evidence and transcripts as plain files."""
    from shopfloor.faces.cli import missions

    missions.export(mission, to)


contract_app = typer.Typer(no_args_is_help=True, help="Contracts as files.")
app.add_typer(contract_app, name="contract")
ContractFile = Annotated[Path, typer.Argument(help="A contract, or a Gherkin .feature file.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@contract_app.command("lint")
def contract_lint(
    contract: ContractFile,
    repo: Annotated[
        Path | None, typer.Option("--repo", "-C", help="Also judge its steps here: only guards may hold today.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What is wrong with a contract, and how it would be right; exit 0 only if nothing refuses it."""
    from shopfloor.faces.cli import contracts

    contracts.show_lint(contract, repo, as_json)


@app.command()
def judge(
    contract: ContractFile,
    url: Annotated[str, typer.Option("--url", help="The app runs already, at this address.")] = "",
    start: Annotated[str, typer.Option("--start", help="Start it so, in a copy of the folder.")] = "",
    repo: Annotated[
        Path | None, typer.Option("--repo", "-C", help="The app's folder; services.toml says how it starts.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this assertion; may be repeated.")] = None,
    as_json: AsJson = False,
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Where pictures and transcripts go.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page with the evidence.")] = False,
) -> None:
    """Judge an app by a contract's compiled steps, without a model; exit 0 only if every assertion passed."""
    from shopfloor.faces.cli import contracts

    contracts.show_judge(
        contract,
        url=url,
        command=start,
        repo=repo,
        only=tuple(only or ()),
        as_json=as_json,
        evidence=evidence,
        open_page=open_page,
    )


@app.command()
def explore(
    contract: Annotated[Path, typer.Option("--contract", help="The contract; it keeps the steps that are found.")],
    url: Annotated[str, typer.Option("--url", help="The app runs already, at this address.")] = "",
    start: Annotated[str, typer.Option("--start", help="Start it so, in a copy of the folder.")] = "",
    repo: Annotated[
        Path | None, typer.Option("--repo", "-C", help="The app's folder; services.toml says how it starts.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this assertion, also if it has steps; may be repeated.")
    ] = None,
    model: Model = "",
    budget: BudgetText = "",
    record: Record = None,
    as_json: AsJson = False,
) -> None:
    """Have a model find the steps that judge a contract; exit 0 only if every assertion got some that pass."""
    from shopfloor.faces.cli import explore as exploring
    from shopfloor.faces.cli import jobs

    exploring.show_explore(
        contract,
        url=url,
        command=start,
        repo=repo,
        only=tuple(only or ()),
        flags=jobs.flags(model=model, budget=budget),
        record=record,
        as_json=as_json,
    )


@app.command()
def review(
    base: Annotated[
        str, typer.Option("--base", help="Where the change began; else where it left the main branch.")
    ] = "",
    repo: Repository = Path(),
    output: ReviewOutput = "text",
    read: Annotated[bool, typer.Option("--read", help="Have models read it too, if nothing else refuses it.")] = False,
    model: Annotated[str, typer.Option("--model", "-m", help="PROVIDER:MODEL to read it.")] = "",
    pull_request: Annotated[
        str, typer.Option("--pull-request", help="OWNER/REPO#N: put the review there too, by GITHUB_TOKEN.")
    ] = "",
) -> None:
    """Scrutinise any change, also an uncommitted one, with or without a model; exit 0 only if nothing refuses it."""
    from shopfloor.faces.cli import review as reviews

    reviews.show(repo, base, output, read=read, model=model, on=pull_request)


@app.command()
def evidence(
    mission: MissionId,
    to: Annotated[Path | None, typer.Option("--to", help="A folder for the pages.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the last verdict's page.")] = False,
) -> None:
    """One page to look at for each verdict of a mission: what was judged, and what was seen."""
    from shopfloor.faces.cli import missions

    missions.evidence(mission, to, open_page)


@app.command()
def log(
    name: Annotated[str, typer.Argument(help="A mission's id, or the name of a stream.")],
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", "-k", callback=_kinds, help="Only facts of this kind; may be repeated."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new facts come, to the end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One fact per line, as JSON.")] = False,
    agents: Annotated[bool, typer.Option("--agents", help="The facts of the mission's agents too.")] = False,
) -> None:
    """The facts of a mission, in order."""
    from shopfloor.faces.cli import facts

    facts.show(name, kinds=tuple(kind or ()), follow=follow, as_json=as_json, agents=agents)


@config_app.command("show")
def config_show(output: Output = "text") -> None:
    """Each setting, its value, and where it came from."""
    from shopfloor.faces.cli import config

    config.show(output)


@app.command()
def doctor(
    model: Annotated[str, typer.Option("--model", "-m", help="PROVIDER:MODEL to ask too.")] = "",
    output: Output = "text",
) -> None:
    """What is installed, which sandbox level is really active, which models answer.

    Exit 8 if git, the settings, the state folder, or the model that you or your settings name, cannot be used.
    Whatever else is missing is told, and exits 0: shopfloor then works with less.
    """
    from shopfloor.faces.cli import doctor as checks

    checks.show(output, model)


@app.command("mock-provider")
def mock_provider(
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65535, help="0 takes a free one.")] = 0,
    script: Annotated[Path | None, typer.Option("--script", help="Replies and faults, as TOML.")] = None,
) -> None:
    """A model provider without a model: both wire formats, streaming, faults on demand."""
    from shopfloor.faces.cli import mock

    mock.serve(port, script)
