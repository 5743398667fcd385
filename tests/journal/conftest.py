"""The stores that the journal's conformance suite holds to its promises, and events to put into them."""

import sqlite3
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import strategies as st

from shopfloor.domain.events import Event
from shopfloor.domain.fact import Fact
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class WriteRaw(Protocol):
    """Writes a row behind the journal's back, as another version of shopfloor would."""

    def __call__(self, stream: str, seq: int, kind: str, body: bytes) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Store:
    """One empty database of some kind. A second one (PostgreSQL) joins the suite by a second function like `sqlite`."""

    open: Callable[[], Journal]
    """A new journal on it, as another process would open."""
    write_raw: WriteRaw
    clock: Clock
    dead: set[str]
    """Holders whose process is dead."""


def sqlite(folder: Path, slow_s: float) -> Store:
    path, clock, dead = folder / "state" / "journal.db", Clock(), set[str]()

    def write_raw(stream: str, seq: int, kind: str, body: bytes) -> None:
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO events VALUES (?, ?, 0, 0.0, ?, ?)", (stream, seq, kind, body))
        db.close()

    return Store(
        open=lambda: open_sqlite(path, clock=clock, is_dead=dead.__contains__, slow_s=slow_s),
        write_raw=write_raw,
        clock=clock,
        dead=dead,
    )


STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: sqlite(folder, slow_s=60),
    "sqlite-on-a-slow-disk": lambda folder: sqlite(folder, slow_s=-1),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


@pytest.fixture(scope="session")
def event_of() -> Callable[[type[Event]], st.SearchStrategy[Event]]:
    """Events of one class, with everything in them that its types allow."""
    return _values


@pytest.fixture(scope="session")
def any_event() -> st.SearchStrategy[Event]:
    return st.one_of([_values(cls) for cls in get_args(Event)])


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """What a type of the domain allows, in JSON's reach."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, types.UnionType):
        return st.one_of([_values(arg) for arg in args])
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(_values(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_values(arg) for arg in args))
    if isinstance(kind, type) and issubclass(kind, Fact):
        return st.deferred(lambda: _facts(kind))
    return _PLAIN[kind]


def _facts(cls: type[Fact]) -> st.SearchStrategy[Fact]:
    hints = get_type_hints(cls)
    fields = {field.name: _values(hints[field.name]) for field in msgspec.structs.fields(cls)}
    return st.fixed_dictionaries(fields).map(lambda values: cls(**values))


_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(min_value=-(2**63), max_value=2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}
