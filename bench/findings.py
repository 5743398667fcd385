"""What honest commits would be told of what they bring along, and how long it takes to find out.

    python bench/findings.py REPOSITORIES [--commits 100] [--only NAME ...] [--rows]

REPOSITORIES is a folder of bare git repositories. The last commits of each are judged as changes, by the four kinds of
finding that need nothing but texts: credentials, licences, dependencies, dead code. `--rows` shows every finding: only
a person can say which of them are wrong. The time is that of the whole, git included, for the slowest commit of at most
200 added lines.
"""

import argparse
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from parts.clients import headline, say, show

from shopfloor.domain.mission import Finding
from shopfloor.repo.git import private_git
from shopfloor.repo.store import Store
from shopfloor.validation.brought import brought
from shopfloor.validation.findings.changes import Change, added_lines

FEW_LINES = 200
SECONDS = 1.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("repositories", type=Path)
    options.add_argument("--commits", type=int, default=100)
    options.add_argument("--only", nargs="*", default=[])
    options.add_argument("--rows", action="store_true")
    given = options.parse_args()
    headline("what honest commits would be told")
    told: dict[str, Counter[str]] = {}
    slowest, asked, refused = (0.0, ""), 0, 0
    for folder in sorted(given.repositories.iterdir()):
        if not folder.is_dir() or (given.only and not any(word in folder.name for word in given.only)):
            continue
        of = told[folder.name.rpartition("+")[2]] = Counter[str]()
        place = next((one for one in (folder / "repo", folder) if (one / "HEAD").exists()), folder)
        for commit, found, seconds, lines in anyio.run(judged, place, given.commits):
            asked += 1
            of.update({one.check for one in found})
            refused += any(one.refuses for one in found)
            slowest = max(slowest, (seconds if lines <= FEW_LINES else 0.0, f"{folder.name} {commit[:9]}"))
            if given.rows:
                for one in found:
                    print(f"{folder.name:28}{commit[:9]} {one.severity} {one.check:26}{one.path}:{one.line} {one.text}")
    rows = [(check, *(str(of[check]) for of in told.values())) for check in sorted(set().union(*told.values()))]
    show("Commits with a finding of each kind", ("check", *told), rows)
    print(f"{asked} commits, of which {refused} would be refused\n")
    seconds, where = slowest
    say(f"slowest: {where}", f"{seconds:.2f} s", f"under {SECONDS:g} s", held=seconds < SECONDS)


async def judged(place: Path, number: int) -> list[tuple[str, tuple[Finding, ...], float, int]]:
    """The last commits of a repository, what is told of each, the time it took, and the lines it adds."""
    store = Store(path=place, base="", git=private_git(place))
    listed = (await private_git(place)("log", "--no-merges", f"-{number}", "--format=%H %P")).text.splitlines()
    found: list[tuple[str, tuple[Finding, ...], float, int]] = []
    for commit, *parents in map(str.split, listed):
        if len(parents) != 1:
            continue
        changes = [one async for one in changed(store, parents[0], commit)]
        began = time.perf_counter()
        told = await brought(store, parents[0], commit, changes, {})
        lines = sum(len(added_lines(change)) for change in changes)
        found.append((commit, told, time.perf_counter() - began, lines))
    return found


async def changed(store: Store, base: str, commit: str) -> AsyncIterator[Change]:
    for file in await store.changed_files(base, commit):
        before, after = [await store.show(at, file.path) for at in (base, commit)]
        texts = [None if one is None else one.decode(errors="replace") for one in (before, after)]
        yield Change(path=file.path, before=texts[0], after=texts[1])


if __name__ == "__main__":
    main()
