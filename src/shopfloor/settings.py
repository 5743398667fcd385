"""What the person set: read once, at the edge, into one frozen value that knows where each part came from.

Order: defaults < the user's file < environment < flags. The repository under work sets nothing: its configuration is
code of a stranger. It does not know what any setting does.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast, get_args

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.domain.roles import Autonomy, RoleName
from shopfloor.domain.spending import Budget
from shopfloor.models.prices import Price

SandboxChoice: TypeAlias = Literal["auto", "bubblewrap", "none"]
PREFIX = "SHOPFLOOR_"


class Provider(Fact, forbid_unknown_fields=True):
    """A model endpoint of the user's own."""

    base_url: Annotated[str, msgspec.Meta(pattern="^https?://")]
    wire: Literal["openai-chat", "anthropic-messages"] = "openai-chat"
    key_env: str = ""


class Settings(Fact, forbid_unknown_fields=True):
    """Every setting there is."""

    model: Annotated[str, msgspec.Meta(description="model of every role, PROVIDER:MODEL")] = ""
    models: Annotated[Mapping[RoleName, str], msgspec.Meta(description="models by role")] = {}
    auto: Annotated[Autonomy, msgspec.Meta(description="what agents may do without asking")] = "medium"
    budget: Annotated[str, msgspec.Meta(description="limits of a job, such as 2usd|500ktok|30min, or none")] = ""
    sandbox: Annotated[SandboxChoice, msgspec.Meta(description="auto takes the best level this machine has")] = "auto"
    network: Annotated[
        Literal["none", "setup"], msgspec.Meta(description="setup: a set-up command that asks for the network gets it")
    ] = "setup"
    merge: Annotated[Literal["person", "automatic"], msgspec.Meta(description="who merges what is verified")] = "person"
    state: Annotated[str, msgspec.Meta(description="folder of journal, blobs and checkouts")] = ""
    providers: Annotated[Mapping[str, Provider], msgspec.Meta(description="model endpoints of your own")] = {}
    prices: Annotated[Mapping[str, Price], msgspec.Meta(description="prices by PROVIDER:MODEL")] = {}


_AMOUNT = re.compile(r"^(\d+(?:\.\d+)?)(usd|\$|k?tok|mtok|tokens?|s|sec|min|h|turns?)$")


def parse_budget(text: str) -> Budget:
    """A budget such as `2usd|500ktok|30min`, any mix of money, tokens and time; `none` limits nothing.

    GiveUp says what cannot be read.
    """
    words = text.strip().lower()
    parts = re.split(r"[|,\s]+", words) if words not in ("", "none") else ()
    found = dict(_amount(part) for part in parts)
    return Budget(
        usd=found.get("usd"),
        tokens=_whole(found.get("tokens")),
        seconds=found.get("seconds"),
        steps=_whole(found.get("steps")),
    )


def _amount(part: str) -> tuple[str, float]:
    """What is limited, and to how much; less than one token or turn would be nothing at all."""
    match = _AMOUNT.match(part)
    if match is not None:
        kind, factor = _UNITS[match[2]]
        amount = float(match[1]) * factor
        if amount >= 1 or (amount > 0 and kind in ("usd", "seconds")):
            return kind, amount
    way = "write amounts above 0 like 2usd, 500ktok, 30min, joined by |, or none for no limit"
    raise GiveUp(f"The budget {part!r} cannot be read; {way}.")


_UNITS: dict[str, tuple[str, float]] = {
    "usd": ("usd", 1),
    "$": ("usd", 1),
    "tok": ("tokens", 1),
    "token": ("tokens", 1),
    "tokens": ("tokens", 1),
    "ktok": ("tokens", 1_000),
    "mtok": ("tokens", 1_000_000),
    "s": ("seconds", 1),
    "sec": ("seconds", 1),
    "min": ("seconds", 60),
    "h": ("seconds", 3600),
    "turn": ("steps", 1),
    "turns": ("steps", 1),
}


def _whole(amount: float | None) -> int | None:
    return None if amount is None else int(amount)


class Sourced(Fact):
    """Settings, and where each one came from."""

    settings: Settings
    sources: Mapping[str, str]


def user_file(environment: Mapping[str, str]) -> Path:
    """Where the user's settings live."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    return Path(home) / "shopfloor" / "config.toml"


def state_folder(settings: Settings, environment: Mapping[str, str]) -> Path:
    """Where the journal, the blobs and the checkouts live; never inside a repository under work."""
    if settings.state:
        return Path(settings.state).expanduser().resolve()
    home = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".local/state")
    return Path(home) / "shopfloor"


def read_settings(flags: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Sourced:
    """The settings in force. GiveUp names the file, the key and what is wrong."""
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    for name, layer in _layers(flags, environment):
        for key, value in layer.items():
            values[key], sources[key] = value, name
    try:
        settings = msgspec.convert(values, Settings)
        _refuse_unreadable(settings.budget, sources["budget"])
        return Sourced(settings=settings, sources=sources)
    except msgspec.ValidationError as wrong:
        key = _key_of(str(wrong))
        said = f"A setting is wrong: {_located(wrong, key, values)}{_choices(key)}."
        raise GiveUp(f"{said} It came from {sources.get(key, 'the settings')}.") from wrong


def _refuse_unreadable(budget: str, source: str) -> None:
    try:
        parse_budget(budget)
    except GiveUp as wrong:
        raise GiveUp(f"{wrong} It came from {source}.") from wrong


def _layers(flags: Mapping[str, str], environment: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any]]]:
    file = user_file(environment)
    named = {
        key: environment[PREFIX + key.upper()]
        for key in Settings.__struct_fields__
        if isinstance(getattr(Settings(), key), str) and environment.get(PREFIX + key.upper())
    }
    return [(str(file), _read_file(file)), ("environment", named), ("flag", flags)]


def _read_file(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as trouble:
        raise GiveUp(f"The settings file {str(file)!r} cannot be read: {trouble.strerror}.") from trouble
    except UnicodeDecodeError as trouble:
        raise GiveUp(f"The settings file {str(file)!r} is no UTF-8 text: {trouble}.") from trouble
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise GiveUp(f"The settings file {str(file)!r} is no valid TOML: {wrong}.") from wrong
    unknown = sorted(set(found) - set(Settings.__struct_fields__))
    if unknown:
        known = ", ".join(Settings.__struct_fields__)
        raise GiveUp(f"The settings file {str(file)!r} has unknown keys {unknown!r}; there are: {known}.")
    return cast("Mapping[str, Any]", found)


def _key_of(wrong: str) -> str:
    return wrong.rpartition("$.")[2].split(".")[0].split("[")[0].rstrip("`")


def _located(wrong: msgspec.ValidationError, key: str, values: Mapping[str, Any]) -> str:
    """The complaint, with the name of the provider or price that it is about: msgspec says `[...]`."""
    table = values.get(key)
    for name, value in cast("dict[str, Any]", table).items() if isinstance(table, dict) else ():
        try:
            msgspec.convert({key: {name: value}}, Settings)
        except msgspec.ValidationError as its_own:
            return str(its_own).replace("[...]", f".{name}")
    return str(wrong)


def _choices(key: str) -> str:
    """What a setting of few values can be."""
    types = {field.name: get_args(field.type)[0] for field in msgspec.structs.fields(Settings)}
    names = [name for name in get_args(types.get(key)) if isinstance(name, str)]
    return f"; there are {', '.join(names)}" if names else ""
