"""Judges real TodoMVC apps, and ways to be dead, by examples/todomvc/contract.md; prints false passes and false fails.

    python bench/todomvc.py APPS DATA [--repeats 3] [--app NAME ...] [--only mutants|apps]

APPS is a checkout of tastejs/todomvc at the commit that DATA names; DATA holds apps.jsonl, ground_truth.jsonl and
mutants.json; parts/dead.py has further ways to be dead. No code of the apps is kept here. A pair is an app, or a mutant
of it, and an assertion.
"""

import argparse
import json
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
from parts.dead import Dead, ways_to_be_dead

from shopfloor.sandbox.probe import find_chromium, start
from shopfloor.validation.contract_file import read_contract
from shopfloor.validation.judging import Bench, Elsewhere, Ruling, judge

CONTRACT = read_contract(
    (Path(__file__).parents[1] / "examples/todomvc/contract.md").read_text(encoding="utf-8")
).contract


HARMLESS = {("MUT-no-trim", "jquery"), ("MUT-no-trim", "canjs")}
"""Mutants that change nothing in an app: jQuery trims by a pattern of its own, not by `String.prototype.trim`."""


class Served(SimpleHTTPRequestHandler):
    """An app's files; its page with a mutant in it."""

    dead: Dead | None = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if self.dead is None or path.name != "index.html" or not path.exists():
            super().do_GET()
            return
        body = (self.dead.page or injected(path.read_text("utf-8", "replace"), self.dead.script)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def injected(page: str, script: str) -> str:
    """The page with a script as the first thing in its head."""
    place = page.lower().find("<head")
    place = page.find(">", place) + 1 if place >= 0 else 0
    return f"{page[:place]}<script>{script}</script>{page[place:]}"


@contextmanager
def served(folder: Path, dead: Dead | None) -> Iterator[str]:
    handler = type("Handler", (Served,), {"dead": dead})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def judged(
    apps: Path, folder: str, dead: Dead | None = None, only: tuple[str, ...] = ()
) -> tuple[tuple[Ruling, ...], float]:
    """The rulings on one app, and how many seconds they took."""
    began = time.monotonic()
    with served(apps, dead) as address:
        bench = Bench(start=start, chromium=find_chromium())
        rulings = anyio.run(judge, bench, CONTRACT, Elsewhere(url=f"{address}/{folder}"), only)
    return rulings, time.monotonic() - began


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("apps", type=Path)
    words.add_argument("data", type=Path)
    words.add_argument("--repeats", type=int, default=1)
    words.add_argument("--app", action="append", default=[])
    words.add_argument("--only", choices=("apps", "mutants"))
    asked = words.parse_args()
    apps = {row["app"]: row["folder"] for row in rows(asked.data / "apps.jsonl")}
    chosen = {name: folder for name, folder in apps.items() if not asked.app or name in asked.app}
    tally: Counter[str] = Counter()
    if asked.only != "mutants":
        judge_apps(asked.apps, chosen, rows(asked.data / "ground_truth.jsonl"), asked.repeats, tally)
    if asked.only != "apps":
        mutants = json.loads((asked.data / "mutants.json").read_text())["mutants"]
        judge_mutants(asked.apps, chosen, (*map(known, mutants), *ways_to_be_dead(CONTRACT)), asked.repeats, tally)
    print(
        f"known good: {tally['good']} pairs, {tally['false fail']} false fails; "
        f"known bad: {tally['bad']} pairs, {tally['false pass']} false passes; "
        f"{tally['changed']} changed between repeats; {tally['blocked']} of {tally['all']} blocked; "
        f"peak memory of one process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB"
    )


def judge_apps(
    apps: Path, chosen: dict[str, str], truths: list[dict[str, Any]], repeats: int, tally: Counter[str]
) -> None:
    """Every app by all assertions, against what is known of it."""
    known = {(row["app"], row["assertion"]): row["truth"] for row in truths}
    for name, folder in chosen.items():
        said: dict[str, set[str]] = {}
        for _ in range(repeats):
            rulings, seconds = judged(apps, folder)
            for ruling in rulings:
                one, verdict = ruling.assertion.id, ruling.played.verdict
                truth = known.get((name, one), "")
                said.setdefault(one, set()).add(verdict)
                count(tally, truth, verdict)
                if (truth == "good" and verdict != "passed") or (truth == "bad" and verdict == "passed"):
                    print(f"  {name} {one} is {truth}, judged {verdict}: {told(ruling)}")
            passed = sum(ruling.played.verdict == "passed" for ruling in rulings)
            print(f"{name}: {passed} of {len(rulings)} passed, {seconds:.0f} s", flush=True)
        changed = [one for one, verdicts in said.items() if len(verdicts) > 1]
        tally["changed"] += len(changed)
        if changed:
            print(f"  {name}: verdicts changed on {', '.join(changed)}")


def judge_mutants(
    apps: Path, chosen: dict[str, str], mutants: Sequence[Dead], repeats: int, tally: Counter[str]
) -> None:
    """Every way to be dead in every app, by what it was made to break."""
    for dead in mutants:
        for name, folder in chosen.items():
            truth = "good" if (dead.name, name) in HARMLESS else "bad"
            for _ in range(repeats):
                rulings, seconds = judged(apps, folder, dead, tuple(dead.breaks))
                for ruling in rulings:
                    count(tally, truth, ruling.played.verdict)
                passed = [ruling.assertion.id for ruling in rulings if ruling.played.verdict == "passed"]
                print(f"{dead.name} in {name}: {len(rulings) - len(passed)} of {len(rulings)} refused, {seconds:.0f} s")
                for one in passed:
                    print(f"  {one} passed", flush=True)


def known(mutant: dict[str, Any]) -> Dead:
    """A mutant of DATA; one whose every event is dead, or that is only a picture, breaks everything."""
    everything = frozenset(one.id for one in CONTRACT.assertions)
    whole = mutant["static_html"] or "static" in mutant["id"] or mutant["id"] == "MUT-dead-all-events"
    return Dead(
        name=mutant["id"],
        breaks=everything if whole else frozenset(mutant["intended_to_break"]),
        script=mutant["inject_js"] or "",
        page=mutant["static_html"] or "",
    )


def count(tally: Counter[str], truth: str, verdict: str) -> None:
    tally["all"] += 1
    tally["blocked"] += verdict == "blocked"
    if truth in ("good", "bad"):
        tally[truth] += 1
        tally["false fail"] += truth == "good" and verdict != "passed"
        tally["false pass"] += truth == "bad" and verdict == "passed"


def told(ruling: Ruling) -> str:
    return f"{ruling.played.reason}: {ruling.played.detail[:200]}"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
