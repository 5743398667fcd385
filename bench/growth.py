"""Whether a turn stays as cheap as it was: with many turns behind it, many events in the journal, many tools.

    python bench/growth.py [--turns 2000] [--folder FOLDER]

Each row is one run of a real process against a provider that answers at once; figures are medians of many turns.
What a turn sends grows with the conversation, so it cannot be quite flat in turns; it must be in all else.
"""

import argparse
import asyncio
import statistics
import sys
from pathlib import Path
from tempfile import mkdtemp

import anyio
from parts.clients import environment, headline, run_words, say, show, workplace
from parts.provider import Play, echoes, play

from shopfloor.domain.events import ToolReturned
from shopfloor.domain.messages import Result
from shopfloor.journal.sqlite import open_sqlite

SHORT = 150
"""Turns of the runs that vary something else."""
STREAMS = 200
BATCH = 500
EVENTS = (0, 10_000, 100_000)
TOOLS = (0, 50, 200)
FLAT = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="where to write: a real disk, not tmpfs; default here")
    given = parser.parse_args()
    headline(str(__doc__).splitlines()[0])
    rows: list[tuple[str, ...]] = []
    rows += by_turns(given.turns, given.folder)
    rows += by_events(given.folder)
    rows += by_tools(given.folder)
    show("Growth", ("", "first request s", "request kB", "turn ms", "to the first row"), rows)


def by_turns(turns: int, folder: Path | None) -> list[tuple[str, ...]]:
    """One long run: around each place, the median of 100 turns."""
    with workplace(folder) as place:
        played = run(run_words(place, turns=turns + 100), turns, place)
    places = [place for place in (100, 500, 1000, 2000) if place <= turns]
    taken = {place: statistics.median(played.turns_ms[place - 100 : place]) for place in places}
    first = taken[places[0]]
    verdict("turns", taken[places[-1]] / first)
    return [
        (
            f"{place:,} turns behind it",
            "",
            f"{played.exchanges[place].size / 1000:.0f}",
            f"{ms:.1f}",
            f"{ms / first:.2f}",
        )
        for place, ms in taken.items()
    ]


def by_events(folder: Path | None) -> list[tuple[str, ...]]:
    """The same short run in a state folder in which much has happened before."""
    plays: dict[str, Play] = {}
    for events in EVENTS:
        with workplace(folder) as place:
            anyio.run(fill, place / "state" / "shopfloor" / "journal.db", events)
            plays[f"{events:,} events in the journal"] = run(run_words(place), SHORT, place)
    return rows_of("events", plays)


def by_tools(folder: Path | None) -> list[tuple[str, ...]]:
    """The same short run with more tools than the usual ones."""
    plays: dict[str, Play] = {}
    client = str(Path(__file__).parent / "parts" / "many_tools.py")
    for tools in TOOLS:
        with workplace(folder) as place:
            words = (sys.executable, client, "{url}", mkdtemp(dir=place), str(tools), str(SHORT))
            plays[f"{tools} tools more than usual"] = run(words, SHORT, place)
    return rows_of("tools", plays)


def run(words: tuple[str, ...], turns: int, place: Path) -> Play:
    played = asyncio.run(play(words, echoes(turns), environment(place), cwd=place))
    if len(played.exchanges) < turns + 1:
        sys.exit(f"{' '.join(words)}: only {len(played.exchanges)} requests\n{played.output[-2000:]}")
    return played


def rows_of(what: str, plays: dict[str, Play]) -> list[tuple[str, ...]]:
    medians = [statistics.median(played.turns_ms[10:]) for played in plays.values()]
    verdict(what, medians[-1] / medians[0])
    return [
        (
            name,
            f"{played.exchanges[0].arrived - played.started:.2f}",
            f"{played.exchanges[SHORT].size / 1000:.0f}",
            f"{ms:.1f}",
            f"{ms / medians[0]:.2f}",
        )
        for (name, played), ms in zip(plays.items(), medians, strict=True)
    ]


def verdict(what: str, ratio: float) -> None:
    say(f"a turn with the most {what}, to the fewest", f"{ratio:.2f}", f"at most {FLAT}", held=ratio <= FLAT)


async def fill(path: Path, events: int) -> None:
    """A journal in which other agents have worked before."""
    journal = open_sqlite(path)
    returned = ToolReturned(turn=1, result=Result(call_id="call_1", text="x" * 200, exit_code=0), seconds=0.1)
    for number in range(events // BATCH):
        await journal.append(f"agent/earlier-{number % STREAMS}/worker/1", [returned] * BATCH)
    await journal.close()


if __name__ == "__main__":
    main()
