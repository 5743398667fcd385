"""Judges an honest RealWorld app, and ways to be dead, by examples/realworld/contract.md, operation by operation.

    python bench/realworld.py OPENAPI [--lanes 3] [--only NAME] [--operation ID ...] [--interface]

OPENAPI is the RealWorld API's openapi.yml; it is not kept here. With --interface every answer is held to it, as if the
contract named it. A dead operation answers what its schema promises:

    canned       every operation is dead and answers 200
    documented   every operation is dead and answers with the status of its success
    echoing      the same, with what was asked put in wherever a field has that name
    alone        one operation echoes so, and all others are honest: only what is asserted of that one is judged
"""

import argparse
import json
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import yaml

from shopfloor.sandbox.probe import start
from shopfloor.validation.contract_file import read_contract
from shopfloor.validation.drivers.app import Recipe
from shopfloor.validation.drivers.interface import read_interface
from shopfloor.validation.judging import Bench, Here, Ruling, judge

TOP = Path(__file__).parents[1]
EXAMPLE = TOP / "examples/realworld"
PYTHON = f"{sys.base_prefix}/bin/python3"
CONTRACT = read_contract((EXAMPLE / "contract.md").read_text(encoding="utf-8")).contract
WAYS = ("honest", "canned", "documented", "echoing", "alone")


@dataclass(frozen=True)
class Operation:
    """One operation of the API, and what a success of it looks like."""

    id: str
    method: str
    path: str
    status: int
    body: object

    @property
    def assertions(self) -> tuple[str, ...]:
        return tuple(one.id for one in CONTRACT.assertions if one.title.startswith(f"{self.id}: "))

    def dead(self, *, status: int | None = None, echoes: bool = False) -> dict[str, Any]:
        said = {"method": self.method, "path": self.path, "body": self.body, "echoes": echoes}
        return {**said, "status": status or self.status}


# --- the OpenAPI file -------------------------------------------------------------------------------------------


def operations(path: Path) -> tuple[Operation, ...]:
    api = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        _operation(api, method, path, what)
        for path, methods in api["paths"].items()
        for method, what in methods.items()
    )


def _operation(api: Mapping[str, Any], method: str, path: str, what: Mapping[str, Any]) -> Operation:
    status, answer = next((int(code), answer) for code, answer in what["responses"].items() if code.startswith("2"))
    content = _resolved(api, answer).get("content", {}).get("application/json")
    return Operation(what["operationId"], method.upper(), path, status, content and example(api, content))


def example(api: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """A value of a schema: its example if it has one, else the plainest there is."""
    schema = _resolved(api, content.get("schema", content))
    for given in (content, schema):
        if "example" in given:
            return given["example"]
    match schema.get("type"):
        case "object":
            return {name: example(api, inner) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [example(api, schema["items"])]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case _:
            return "2026-01-01T00:00:00.000Z" if schema.get("format") == "date-time" else "string"


def _resolved(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference points at."""
    while "$ref" in schema:
        here: Any = api
        for name in schema["$ref"].removeprefix("#/").split("/"):
            here = here[name]
        schema = here
    return schema


# --- judging ----------------------------------------------------------------------------------------------------


def judged(bench: Bench, dead: Sequence[Mapping[str, Any]], only: Sequence[str] = ()) -> dict[str, Ruling]:
    """The rulings on the app in which these operations are dead, by assertion."""
    with TemporaryDirectory(prefix="bench-realworld-") as folder:
        for part in (EXAMPLE / "app.py", TOP / "bench/parts/canned.py"):
            shutil.copy(part, folder)
        (Path(folder) / "answers.json").write_text(json.dumps(dead))
        recipe = Recipe(command=f"exec {PYTHON} canned.py", address=f"http://localhost:{_free_port()}")
        site = Here(folder=Path(folder), recipe=recipe)
        rulings = anyio.run(judge, bench, CONTRACT, site, tuple(only))
    return {ruling.assertion.id: ruling for ruling in rulings}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def rulings_of(
    bench: Bench, way: str, chosen: Sequence[Operation], everything: Sequence[Operation]
) -> Iterator[tuple[Operation, tuple[Ruling, ...]]]:
    """What was ruled of each operation, in one way to be dead."""
    if way == "alone":
        for one in chosen:
            yield one, tuple(judged(bench, [one.dead(echoes=True)], one.assertions).values())
        return
    dead = {
        "honest": [],
        "canned": [one.dead(status=200) for one in everything],
        "documented": [one.dead() for one in everything],
        "echoing": [one.dead(echoes=True) for one in everything],
    }[way]
    only = [name for one in chosen for name in one.assertions]
    found = judged(bench, dead, only)
    for one in chosen:
        yield one, tuple(found[name] for name in one.assertions)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("openapi", type=Path)
    words.add_argument("--lanes", type=int, default=3)
    words.add_argument("--only", choices=WAYS)
    words.add_argument("--operation", action="append", default=[])
    words.add_argument("--interface", action="store_true")
    asked = words.parse_args()
    interface = read_interface(asked.openapi.read_bytes(), asked.openapi.name) if asked.interface else None
    bench = Bench(start=start, lanes=asked.lanes, interface=interface)
    everything = operations(asked.openapi)
    chosen = [one for one in everything if not asked.operation or one.id in asked.operation]
    if bare := [one.id for one in everything if not one.assertions]:
        raise SystemExit(f"the contract has no assertion of {', '.join(bare)}")
    told: dict[str, list[str]] = {one.id: [] for one in chosen}
    ways = [way for way in WAYS if asked.only in (None, way)]
    reasons: list[str] = []
    right = 0
    for way in ways:
        began = time.monotonic()
        for one, rulings in rulings_of(bench, way, chosen, everything):
            passed = sum(ruling.played.verdict == "passed" for ruling in rulings)
            blocked = sum(ruling.played.verdict == "blocked" for ruling in rulings)
            told[one.id].append(f"{passed}/{len(rulings)}")
            as_it_should = passed == (len(rulings) if way == "honest" else 0) and not blocked
            right += as_it_should
            if not as_it_should:
                reasons += [f"{way} {one.id}: {_why(ruling)}" for ruling in rulings]
        print(f"{way}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"{'passed of':24}{''.join(f'{way:>12}' for way in ways)}")
    for name, figures in told.items():
        print(f"{name:24}{''.join(f'{figure:>12}' for figure in figures)}")
    print(f"as it should be: {right} of {len(chosen) * len(ways)}")
    for reason in reasons:
        print(f"  {reason}")


def _why(ruling: Ruling) -> str:
    played = ruling.played
    return f"{ruling.assertion.id} {played.verdict} {played.reason} {played.detail[:300]}"


if __name__ == "__main__":
    main()
