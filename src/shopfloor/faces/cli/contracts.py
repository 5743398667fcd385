"""`shopfloor contract lint` and `shopfloor judge`: contracts as files, and judging by them without a model."""

import os
import secrets
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio

from shopfloor.domain.contract import on_desktops
from shopfloor.domain.errors import GiveUp, NeedsHuman
from shopfloor.domain.fact import Fact
from shopfloor.faces.cli.exits import UNVERIFIED
from shopfloor.faces.cli.furnish import opening
from shopfloor.faces.cli.plain import plain
from shopfloor.faces.cli.show import console, print_json
from shopfloor.faces.page.evidence import write_evidence
from shopfloor.repo.services import PLACES, Services, Setup, parse_services
from shopfloor.sandbox.probe import find_chromium, probe
from shopfloor.sandbox.protocol import Level
from shopfloor.settings import Settings, read_settings, state_folder
from shopfloor.validation.contract_file import Draft, read_contract
from shopfloor.validation.coverage import against
from shopfloor.validation.drivers.app import Recipe
from shopfloor.validation.drivers.interface import Interface, read_interface
from shopfloor.validation.gherkin import read_feature
from shopfloor.validation.judging import Bench, Elsewhere, Here, Ruling, Site, judge
from shopfloor.validation.lint import Complaint, lint


class JudgedLine(Fact):
    """One assertion as `--json` prints it. `reason` is "" or a code; `evidence` are paths below the folder."""

    id: str
    verdict: str
    reason: str
    detail: str
    evidence: tuple[str, ...]
    controls: dict[str, str]
    seconds: float


class Judgement(Fact):
    """What `judge --json` prints."""

    assertions: tuple[JudgedLine, ...]
    folder: str
    independence: str


def read_draft(path: Path) -> Draft:
    """The contract in a file, or the one that a Gherkin feature file is. GiveUp when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GiveUp(f"{str(path)!r} cannot be read: {error}. A contract is a text file.") from error
    return read_feature(text, path.name) if path.suffix == ".feature" else read_contract(text, path.name)


def interface_of(draft: Draft, path: Path) -> Interface | None:
    """The document that a contract names, read from beside it. GiveUp when it cannot be read."""
    name = draft.contract.interface
    if not name:
        return None
    try:
        return read_interface((path.parent / name).read_bytes(), name)
    except OSError as error:
        raise GiveUp(f"{path.name} names the interface {name!r}, which cannot be read: {error}.") from error


# --- lint -------------------------------------------------------------------------------------------------------


def show_lint(path: Path, repo: Path | None, as_json: bool) -> None:
    """Prints what is wrong with a contract; exits with UNVERIFIED when anything refuses it."""
    draft = read_draft(path)
    interface = interface_of(draft, path)
    found = (*lint(draft), *(against(draft.contract, interface) if interface else ()))
    if repo is not None and not any(complaint.refuses for complaint in found):
        found = (*found, *_today(draft, repo, interface))
    if as_json:
        print_json({"complaints": found, "refused": any(one.refuses for one in found)})
    else:
        _print_complaints(draft, found)
    if any(one.refuses for one in found):
        sys.exit(UNVERIFIED)


def _print_complaints(draft: Draft, found: tuple[Complaint, ...]) -> None:
    out = console()
    for one in found:
        out.print(
            plain(f"{one.assertion or '(contract)'}  {one.kind}: {one.text}"), style="red" if one.refuses else "yellow"
        )
        if one.better:
            out.print(f"    {plain(one.better)}")
    count = len(draft.contract.assertions)
    compiled = sum(bool(one.steps) for one in draft.contract.assertions)
    refused = sum(one.refuses for one in found)
    verdict = f"{refused} to mend" if refused else "nothing to mend"
    noun = "assertion" if count == 1 else "assertions"
    out.print(f"{count} {noun}, {compiled} with steps: {verdict}", style="bold")


def _today(draft: Draft, repo: Path, interface: Interface | None) -> list[Complaint]:
    """What today's product says: a guard holds already, and nothing else does."""
    compiled = [one.id for one in draft.contract.assertions if one.steps]
    if not compiled:
        return []
    found: list[Complaint] = []
    site = _here(repo, "", draft)
    for ruling in anyio.run(judge, bench_here(site, interface, lambda _: None), draft.contract, site, compiled):
        one, played = ruling.assertion, ruling.played
        if played.verdict == "passed" and one.kind == "new":
            text, better = "it holds already today", "say `- kind: guard`, or ask for what does not hold yet"
            found.append(Complaint(assertion=one.id, kind="holds-already", text=text, better=better))
        elif played.verdict != "passed" and one.kind == "guard":
            text = f"it is a guard and does not hold today ({played.reason}: {played.detail.splitlines()[0]})"
            better = "say `- kind: new`, or mend its steps"
            found.append(Complaint(assertion=one.id, kind="fails-today", text=text, better=better))
    return found


# --- judge ------------------------------------------------------------------------------------------------------


def show_judge(
    path: Path,
    *,
    url: str,
    command: str,
    repo: Path | None,
    only: tuple[str, ...],
    as_json: bool,
    evidence: Path | None,
    open_page: bool,
) -> None:
    """Judges a contract and says what came of it; exits 0 only if everything passed."""
    draft = read_draft(path)
    refuse_unknown(draft, only)
    site = site_of(draft, url=url, command=command, repo=repo)
    told = _telling(as_json)
    bench = replace(bench_here(site, interface_of(draft, path), told), traced=evidence is not None)
    rulings = anyio.run(judge, bench, draft.contract, site, only)
    folder = evidence or _folder()
    files = write_evidence(folder, draft.contract.title, url or command or str(repo), rulings)
    if as_json:
        print_json(_judgement(rulings, files, folder))
    else:
        _print_rulings(rulings, folder)
    if open_page:
        webbrowser.open((folder / "index.html").resolve().as_uri())
    if not rulings or any(ruling.played.verdict != "passed" for ruling in rulings):
        sys.exit(UNVERIFIED)


def refuse_unknown(draft: Draft, only: tuple[str, ...]) -> None:
    """GiveUp for an id that the contract does not have."""
    known = [one.id for one in draft.contract.assertions]
    if strangers := [name for name in only if name not in known]:
        raise GiveUp(f"The contract has no {', '.join(strangers)}; it has {', '.join(known) or 'no assertion at all'}.")


def site_of(draft: Draft, *, url: str, command: str, repo: Path | None) -> Site:
    """Where the app is: at an address, or in a folder from which it is started. GiveUp for what is neither."""
    if sum(map(bool, (url, command, repo))) > 1 and not (command and repo):
        raise GiveUp("Say one of --url URL (the app runs already), --start COMMAND or --repo FOLDER (it is started).")
    if url:
        if not url.startswith(("http://", "https://")):
            raise GiveUp(f"{url!r} is no address: it begins with http:// or https://.")
        return Elsewhere(url=url)
    return _here(repo or Path(), command, draft)


def _here(repo: Path, command: str, draft: Draft) -> Here:
    if not repo.is_dir():
        raise GiveUp(f"{str(repo)!r} is no folder.")
    services = _services(repo)
    app = services.app
    starting = "" if on_desktops(draft.contract.assertions) else command or app.start or draft.contract.start
    if not starting and any(one.surface in ("web", "http") for one in draft.contract.assertions):
        raise GiveUp("Nothing says how the app starts: say --start, or write `[app] start` into services.toml.")
    address = f"http://localhost:{app.port}"
    return Here(folder=repo, recipe=Recipe(command=starting, address=address, health=app.health, stop=app.stop or ""))


def _services(repo: Path) -> Services:
    for place in PLACES:
        if (repo / place).is_file():
            return parse_services((repo / place).read_bytes(), place)
    return Services()


def bench_here(site: Site, interface: Interface | None, told: Callable[[Ruling], None]) -> Bench:
    """What judges work with on this machine. NeedsHuman without a sandbox, unless a person allowed that."""
    settings = read_settings({}, os.environ).settings
    folder = site.folder if isinstance(site, Here) else Path()
    wanted = _services(folder).setup if isinstance(site, Here) else Setup()
    opened = opening(folder, wanted, settings, _level(settings))
    return Bench(start=opened, chromium=find_chromium(), told=told, interface=interface)


def _level(settings: Settings) -> Level:
    """What holds here; without a sandbox only a person's own word lets an app run unconfined."""
    found = probe()
    wanted: Level = found.best if settings.sandbox == "auto" else settings.sandbox
    if wanted == "none" and settings.sandbox == "auto":
        raise NeedsHuman(
            f"There is no sandbox here ({found.why_no_bubblewrap}), so what is judged would run as you, unconfined. "
            "Install bubblewrap, or allow that with SHOPFLOOR_SANDBOX=none."
        )
    return wanted


def _folder() -> Path:
    settings = read_settings({}, os.environ).settings
    return state_folder(settings, os.environ) / "judgements" / secrets.token_hex(4)


def _telling(as_json: bool) -> Callable[[Ruling], None]:
    """One line as each assertion is judged, where a person looks on."""
    if as_json or not sys.stderr.isatty():
        return lambda _: None
    out = console(stderr=True)
    return lambda ruling: out.print(f"{ruling.assertion.id}  {ruling.played.verdict}", style="dim")


def _judgement(rulings: tuple[Ruling, ...], files: dict[str, tuple[str, ...]], folder: Path) -> Judgement:
    lines = tuple(
        JudgedLine(
            id=ruling.assertion.id,
            verdict=ruling.played.verdict,
            reason=ruling.played.reason,
            detail=ruling.played.detail,
            evidence=files[ruling.assertion.id],
            controls=dict(ruling.played.controls),
            seconds=round(ruling.seconds, 3),
        )
        for ruling in rulings
    )
    independence = next((ruling.independence for ruling in rulings), "")
    return Judgement(assertions=lines, folder=str(folder), independence=independence)


_STYLES = {"passed": "green", "failed": "red", "blocked": "yellow"}


def _print_rulings(rulings: tuple[Ruling, ...], folder: Path) -> None:
    out = console()
    for ruling in rulings:
        played = ruling.played
        out.print(f"{played.verdict:<8}", style=_STYLES[played.verdict], end="")
        out.print(plain(f"{ruling.assertion.id}  {ruling.assertion.title}"))
        if played.reason:
            out.print(
                f"         {played.reason}: {plain(played.detail.splitlines()[0] if played.detail else '')}",
                style="dim",
            )
    passed = sum(ruling.played.verdict == "passed" for ruling in rulings)
    out.print(f"{passed} of {len(rulings)} passed", style="bold")
    out.print(f"evidence: {folder / 'index.html'}", soft_wrap=True)
