"""What a turn costs a user: end of a reply to arrival of the next request, sandboxed `echo` and journal included.

    python bench/turns.py [--turns 1000] [--folder FOLDER]

`shopfloor run` is started as a real process against a provider that answers at once, and so is the floor, the smallest
loop there is (parts/). Figures are medians of the 9 turns around, at the end of the 5 last. Absolute times are those
of the machine; compare rows of one run. It does not know why a turn takes what it takes (growth.py).
"""

import argparse
import asyncio
import statistics
import sys
from pathlib import Path

from parts.clients import HOSTED, environment, headline, run_words, say, show, workplace
from parts.provider import Play, echoes, play

PLACES = (10, 50, 200, 500, 1000)
TARGETS_MS = {10: 8, 200: 9, 1000: 15}
TARGET_MIB = 80
MIB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where to write: a real disk, not tmpfs; default here")
    given = parser.parse_args()
    headline(str(__doc__).splitlines()[0])
    places = tuple(place for place in PLACES if place <= given.turns)
    floor = str(Path(__file__).parent / "parts" / "floor.py")
    plays: dict[str, Play] = {}
    with workplace(given.folder) as place:
        kept = str(place)
        clients = {
            "shopfloor run": run_words(place, turns=given.turns + 100),
            "shopfloor run, anthropic": run_words(place, wire="anthropic", turns=given.turns + 100),
            "shopfloor run, priced": run_words(place, wire="priced", turns=given.turns + 100),
            "shopfloor run, no sandbox": run_words(place, sandbox="none", turns=given.turns + 100),
            "floor": (sys.executable, floor, "{url}", kept),
            "floor, sandbox and flushes": (sys.executable, floor, "{url}", kept, "--kept"),
        }
        for name, words in clients.items():
            seen = environment(place) | (HOSTED if "priced" in name else {})
            played = asyncio.run(play(words, echoes(given.turns), seen, cwd=place))
            if len(played.exchanges) != given.turns + 1:
                sys.exit(f"{name}: {len(played.exchanges)} requests, not {given.turns + 1}\n{played.output[-2000:]}")
            plays[name] = played
    turn_headings = tuple(f"turn {place:,} ms" for place in places)
    headings = ("", *turn_headings, "p99", "CPU ms/turn", "RSS MiB", "with its tree")
    show(f"A turn, in a run of {given.turns:,}", headings, [row(name, one, places) for name, one in plays.items()])
    judge(plays["shopfloor run"], plays["shopfloor run, priced"], places)


def row(name: str, played: Play, places: tuple[int, ...]) -> tuple[str, ...]:
    turns = played.turns_ms
    at = [f"{around(turns, place):.1f}" for place in places]
    first, last = played.memory[1], played.memory[-1]
    cpu = 1000 * (last.cpu_s - first.cpu_s) / (len(turns) - 10)
    main = max(one.main for one in played.memory) / MIB
    p99 = statistics.quantiles(turns, n=100)[98]
    return (
        name,
        *at,
        f"{p99:.1f}",
        f"{cpu:.1f}",
        f"{main:.0f}",
        f"{tree_mib(played):.0f}",
    )


def judge(played: Play, priced: Play, places: tuple[int, ...]) -> None:
    """What we promise of `shopfloor run`, and whether it held."""
    for place, target in TARGETS_MS.items():
        if place in places:
            taken = around(played.turns_ms, place)
            say(f"turn {place:,}", f"{taken:.1f} ms", f"at most {target} ms", held=taken <= target)
    mib = tree_mib(priced)
    say("memory of all its processes", f"{mib:.0f} MiB", f"at most {TARGET_MIB} MiB", held=mib <= TARGET_MIB)


def tree_mib(played: Play) -> float:
    return max(one.tree for one in played.memory) / MIB


def around(turns: list[float], place: int) -> float:
    """The median of the 9 turns around that place (from 1), fewer at the end."""
    return statistics.median(turns[max(0, place - 5) : place + 4])


if __name__ == "__main__":
    main()
