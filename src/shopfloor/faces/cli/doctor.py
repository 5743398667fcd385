"""`shopfloor doctor`: what is here, tried rather than believed, and what to do about what is not."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from tempfile import TemporaryFile
from urllib.parse import urlsplit

import anyio
import typer

from shopfloor import __version__
from shopfloor.domain.errors import Broken, GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.faces.cli.exits import GAVE_UP
from shopfloor.faces.cli.plain import plain
from shopfloor.faces.cli.show import print_each
from shopfloor.journal.durable import make_folder
from shopfloor.models.connect import connect, disconnect
from shopfloor.models.http_model import HttpModel
from shopfloor.models.local import discover_local
from shopfloor.models.names import Endpoint, known_endpoints
from shopfloor.models.prices import snapshot_date
from shopfloor.models.roster import Roster
from shopfloor.sandbox.probe import probe
from shopfloor.settings import read_settings, state_folder

ANSWERS_WITHIN_S = 3.0


class Found(Fact):
    """One thing looked for; without what is `needed`, no job can be done at all."""

    name: str
    ok: bool
    what: str
    needed: bool = False


def show(output: str, model: str = "") -> None:
    """Prints what was found, and asks the model that is named, here or in the settings.

    Exits with GAVE_UP when anything needed is missing: git, settings, the state folder, that model. For the rest 0,
    since shopfloor then works degraded and says so.
    """
    found = [*_machine(), *_settings(), *_sandbox(), *_models(os.environ, model)]
    if output != "text":
        print_each(found, output)
    else:
        for one in found:
            print(f"{'ok ' if one.ok else '-- '} {one.name:<12} {plain(one.what)}")
    if any(one.needed and not one.ok for one in found):
        raise typer.Exit(GAVE_UP)


def _machine() -> list[Found]:
    python = f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    return [
        Found(name="shopfloor", ok=True, what=f"{__version__} on Python {python}"),
        Found(name="git", ok=shutil.which("git") is not None, what=_git(), needed=True),
    ]


def _settings() -> list[Found]:
    """Whether the settings can be read, and the folder they name be written to."""
    try:
        settings = read_settings({}, os.environ).settings
    except GiveUp as trouble:
        return [Found(name="settings", ok=False, what=str(trouble), needed=True)]
    folder = state_folder(settings, os.environ)
    try:
        make_folder(folder)
        with TemporaryFile(dir=folder):
            return [Found(name="state", ok=True, what=str(folder), needed=True)]
    except (Broken, OSError) as trouble:
        return [Found(name="state", ok=False, what=f"{folder} cannot be written to: {trouble}", needed=True)]


def _git() -> str:
    if shutil.which("git") is None:
        return "missing: install git 2.38 or newer"
    return subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout.strip()


def _sandbox() -> list[Found]:
    here = probe()
    level = "bubblewrap: no network, home hidden, only the checkout writable"
    none = f"none: commands run as you, unconfined; {here.why_no_bubblewrap}"
    browser = here.chromium or here.why_no_chromium
    return [
        Found(name="sandbox", ok=here.best != "none", what=level if here.best != "none" else none),
        Found(name="arena", ok=here.arena, what="judges are kept from the source" if here.arena else here.why_no_arena),
        Found(
            name="browser",
            ok=bool(here.chromium) and _has_playwright(),
            what=browser if _has_playwright() else _NO_PLAYWRIGHT,
        ),
        Found(name="desktop", ok=not here.why_no_desktop, what=_blocked(here.why_no_desktop) or "Xvfb and xdotool"),
    ]


def _blocked(why: str) -> str:
    return f"{why}; assertions on desktops are blocked until then" if why else ""


_NO_PLAYWRIGHT = "playwright is not installed: pip install 'shopfloor[browser]'; web assertions are blocked until then"


def _has_playwright() -> bool:
    from importlib.util import find_spec

    return find_spec("playwright") is not None


async def _asked(endpoint: Endpoint, environment: Mapping[str, str]) -> Found:
    """Whether an endpoint whose key is set really answers: listing models costs nothing."""
    model = connect(f"{endpoint.provider}:any", environment)
    assert isinstance(model, HttpModel)
    listed = await model.known_models(ANSWERS_WITHIN_S)
    await disconnect(model)
    where = f"{endpoint.provider}: {endpoint.key_env} is set"
    if not listed:
        return Found(name="model", ok=False, what=f"{where}, but {endpoint.base_url} lists no models for that key")
    return Found(name="model", ok=True, what=f"{where}, and {endpoint.base_url} lists {len(listed)} models")


def _own(environment: Mapping[str, str]) -> tuple[tuple[Endpoint, ...], str]:
    """The endpoints that the settings describe, and the model that they name."""
    try:
        settings = read_settings({}, environment).settings
    except GiveUp:
        return (), ""  # what is wrong with them is said above
    own = tuple(
        Endpoint(provider=provider, base_url=given.base_url, wire=given.wire, key_env=given.key_env)
        for provider, given in settings.providers.items()
    )
    return own, settings.model or ""


async def _named(named: str, who: str, environment: Mapping[str, str], own: tuple[Endpoint, ...]) -> Found:
    """Whether the model that a person names answers, as far as can be told without paying for a word of it."""
    try:
        model = connect(named, environment, own=own)
    except GiveUp as wrong:
        return Found(name="model", ok=False, what=f"{who} {named}: {wrong}", needed=True)
    if not isinstance(model, HttpModel):
        return Found(name="model", ok=True, what=f"{who} {named}", needed=True)
    target = model.target
    listed = await model.known_models(ANSWERS_WITHIN_S)
    await disconnect(model)
    where = target.endpoint.base_url
    if listed:
        remark = "" if target.model in listed else ", which answers, and does not list it among its models"
        return Found(name="model", ok=True, what=f"{who} {named} at {where}{remark}", needed=True)
    is_open = (target.endpoint in own or target.endpoint.is_loopback) and await _is_open(target.endpoint)
    said = "which lists no models, which may be all right" if is_open else "where nothing answers with that key"
    return Found(name="model", ok=is_open, what=f"{who} {named} at {where}, {said}", needed=True)


async def _own_asked(endpoint: Endpoint, environment: Mapping[str, str]) -> Found:
    """Whether an endpoint of the person's own answers; it may do so without listing its models."""
    if endpoint.key_env and not environment.get(endpoint.key_env):
        return Found(name="model", ok=False, what=f"{endpoint.provider}: {endpoint.key_env} is not set")
    model = connect(f"{endpoint.provider}:any", environment, own=(endpoint,))
    assert isinstance(model, HttpModel)
    listed = await model.known_models(ANSWERS_WITHIN_S)
    await disconnect(model)
    if not listed and not await _is_open(endpoint):
        return Found(name="model", ok=False, what=f"{endpoint.provider}: nothing answers at {endpoint.base_url}")
    said = f"lists {len(listed)} models" if listed else "lists no models, which may be all right"
    return Found(name="model", ok=True, what=f"{endpoint.provider}: {endpoint.base_url} {said}")


async def _is_open(endpoint: Endpoint) -> bool:
    """Whether anybody listens there at all."""
    parts = urlsplit(endpoint.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with anyio.move_on_after(ANSWERS_WITHIN_S):
        try:
            async with await anyio.connect_tcp(parts.hostname or "", port):
                return True
        except OSError:
            return False
    return False


def _models(environment: Mapping[str, str], asked: str) -> list[Found]:
    servers = anyio.run(discover_local)
    found = [
        Found(name="model", ok=True, what=f"{server.endpoint.provider}: {', '.join(server.models[:5]) or 'no models'}")
        for server in servers
    ]
    own, by_settings = _own(environment)
    keyed = [one for one in known_endpoints(environment) if one.key_env and environment.get(one.key_env)]
    found += [
        anyio.run(_asked, one, environment) for one in keyed if one.provider not in {mine.provider for mine in own}
    ]
    found += [anyio.run(_own_asked, one, environment) for one in own]
    if named := asked or by_settings:
        who = "you name" if asked else "the settings name"
        found.append(anyio.run(_named, named, who, environment, own))
    elif usual := anyio.run(Roster(environment=environment).usual):
        found.append(Found(name="model", ok=True, what=f"no model is named, so {usual} would be used"))
    if not found:
        found.append(
            Found(name="model", ok=False, what="none: set ANTHROPIC_API_KEY or OPENAI_API_KEY, or start Ollama")
        )
    found.append(Found(name="prices", ok=True, what=f"table of {snapshot_date(date.today())}"))
    return found
