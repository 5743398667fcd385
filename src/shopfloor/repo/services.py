"""What a repository says of itself: `services.toml`, or `.shopfloor/services.toml`, read from the base commit.

Read there and never from a worker's checkout, since it configures judging. It does not know how to run anything.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.repo.discovery import Commands, Found, FoundCommands, files_to_read, found_commands
from shopfloor.repo.origin import Origin
from shopfloor.repo.store import Store

PLACES = ("services.toml", ".shopfloor/services.toml")

Command: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\s*\S[^\0]*$")]
RepositoryPath: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(?!/)(?!(.*/)?\.\.(/|$))[^\0]+$")]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Setup(Fact, forbid_unknown_fields=True):
    """How dependencies are installed: once per content of the lock files, with the network if asked and allowed."""

    command: Command | None = None
    lock: tuple[RepositoryPath, ...] = ()
    network: bool = False


class App(Fact, forbid_unknown_fields=True):
    """How the app starts, stops, and how one sees that it is up.

    `health` is a URL path, `tcp` for an open port, or a command that exits 0.
    """

    start: Command | None = None
    health: Command = "/"
    port: Port = 8000
    stop: Command | None = None


class Judging(Fact, forbid_unknown_fields=True):
    """How judges go about it."""

    timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 600.0
    """How long one command of a check may take."""


class Services(Fact, forbid_unknown_fields=True):
    """A repository's own word on how it is set up, checked, started and judged."""

    setup: Setup = Setup()
    commands: Commands = Commands()
    app: App = App()
    judge: Judging = Judging()


async def services_at(store: Store, commit: str) -> Services:
    """The services file of a commit; empty services if it has none. GiveUp names what is wrong with a bad one."""
    place = services_place(await store.files(commit))
    return Services() if place is None else parse_services(await store.show(commit, place) or b"", place)


async def refuse_bad_services(origin: Origin, commit: str) -> None:
    """GiveUp when the services file of a commit is bad: said before any work begins, which could never go on."""
    files = {place: content for place in PLACES if (content := await origin.show(commit, place)) is not None}
    place = services_place(tuple(files))
    if place is not None:
        parse_services(files[place], place)


async def commands_at(store: Store, commit: str) -> FoundCommands:
    """The commands of a commit, each with the reason for it: what its services file says, else what can be found."""
    place = services_place(await store.files(commit))
    stated = Commands() if place is None else (await services_at(store, commit)).commands
    return _prefer(stated, await _discovered(store, commit), f"{place} says so")


async def commands_since(store: Store, base: str, tip: str) -> FoundCommands:
    """The base's commands; a repository that began without some brings those that its landed files suggest.

    What the base says stands, and no services file but the base's own is ever read: it configures judging.
    """
    known = await commands_at(store, base)
    if tip == base or services_place(await store.files(base)) is not None:
        return known
    later = await _discovered(store, tip)
    return FoundCommands(
        test=known.test or later.test,
        types=known.types or later.types,
        lint=known.lint or later.lint,
        build=known.build or later.build,
    )


async def _discovered(store: Store, commit: str) -> FoundCommands:
    files = await store.files(commit)
    texts = {path: (await store.show(commit, path) or b"").decode("utf-8", "replace") for path in files_to_read(files)}
    return found_commands(files, lambda path: texts.get(path, ""))


def services_place(files: Sequence[str]) -> str | None:
    """Where the services file lies among these paths; None if nowhere."""
    places = [place for place in PLACES if place in files]
    if len(places) > 1:
        raise GiveUp(f"There are two services files, {places[0]!r} and {places[1]!r}; keep one of them")
    return places[0] if places else None


def parse_services(content: bytes, place: str) -> Services:
    """Reads a services file; GiveUp names the file and the key."""
    try:
        return msgspec.toml.decode(content, type=Services)
    except msgspec.ValidationError as error:
        wrong, _, key = str(error).partition(" - at ")
        where = key.strip("`").removeprefix("$.").removeprefix("$")
        at = f"key {where!r}" if where else "at the top"
        raise GiveUp(f"{place!r}, {at}: {wrong}.{_known(where)} Mend it in the base commit.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GiveUp(f"{place!r} is no valid TOML: {error}. Mend it in the base commit.") from error


def _known(section: str) -> str:
    """What may stand there, where the error is about a whole section."""
    kinds = {"": Services, "setup": Setup, "commands": Commands, "app": App, "judge": Judging}
    return f" There are {', '.join(kinds[section].__struct_fields__)}." if section in kinds else ""


def _prefer(stated: Commands, found: FoundCommands, why: str) -> FoundCommands:
    def choose(command: str | None, other: Found | None) -> Found | None:
        return other if command is None else Found(command=command, why=why) if command.strip() else None

    return FoundCommands(
        test=choose(stated.test, found.test),
        types=choose(stated.types, found.types),
        lint=choose(stated.lint, found.lint),
        build=choose(stated.build, found.build),
    )
