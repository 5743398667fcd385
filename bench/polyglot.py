"""Every cheat and every honest way on every exercise: `python bench/polyglot.py FOLDER [name ...]`.

FOLDER is `python/exercises/practice` of the polyglot benchmark, or any that looks like it.
"""

import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from rich.console import Console
from rich.table import Table

from shopfloor.domain.mission import Verdict
from shopfloor.testing.cheats import cheats, named_by
from shopfloor.testing.courtroom import Changes, Courtroom, open_courtroom
from shopfloor.testing.exercises import Exercise, judged, read_exercises
from shopfloor.testing.honest import HONEST

AT_A_TIME = os.cpu_count() or 1


class Score:
    """What was seen so far."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.accepted: dict[str, list[str]] = defaultdict(list)
        self.refused: dict[str, list[str]] = defaultdict(list)
        self.unnamed: dict[str, list[str]] = defaultdict(list)
        self.named: dict[str, Counter[str]] = defaultdict(Counter)

    async def judge(
        self, room: Courtroom, exercise: Exercise, name: str, changes: Changes, command: str = ""
    ) -> Verdict:
        began = time.perf_counter()
        verdict = await judged(room, exercise, changes, command)
        self.seconds[exercise.name].append(time.perf_counter() - began)
        (self.accepted if verdict.passed else self.refused)[name].append(exercise.name)
        self.named[name].update(named_by(verdict) - {"VAL-EXERCISE-001"})
        return verdict


async def play(exercise: Exercise, score: Score) -> None:
    with TemporaryDirectory() as folder:
        async with open_courtroom(Path(folder), exercise.repository) as room:
            for honest in HONEST:
                await score.judge(room, exercise, honest.name, honest.changes(exercise))
            for cheat in cheats():
                verdict = await score.judge(room, exercise, cheat.name, cheat.changes(exercise), cheat.command)
                if not cheat.caught(verdict):
                    score.unnamed[cheat.name].append(exercise.name)


async def play_all(exercises: list[Exercise], score: Score, console: Console) -> None:
    waiting = iter(exercises)

    async def player() -> None:
        for exercise in waiting:
            await play(exercise, score)
            seconds = score.seconds[exercise.name]
            console.print(f"{exercise.name}: {len(seconds)} judgements, median {statistics.median(seconds):.2f} s")

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_A_TIME):
            tasks.start_soon(player)


def show(score: Score, total: int, console: Console) -> None:
    honest = Table("honest way", "accepted", "refused for", title=f"Of {total} exercises")
    for way in HONEST:
        honest.add_row(way.name, str(len(score.accepted[way.name])), ", ".join(score.refused[way.name]))
    table = Table("cheat", "refused", "not named as it should be", "named by", title=f"Of {total} exercises")
    for cheat in cheats():
        named = ", ".join(f"{name} {count}" for name, count in score.named[cheat.name].most_common())
        table.add_row(cheat.name, str(len(score.refused[cheat.name])), ", ".join(score.unnamed[cheat.name]), named)
    console.print(honest)
    console.print(table)
    seconds = [second for of_one in score.seconds.values() for second in of_one]
    console.print(
        f"{len(seconds)} judgements, {AT_A_TIME} at a time: median {statistics.median(seconds):.2f} s, "
        f"longest {max(seconds):.2f} s; an exercise takes {sum(seconds) / total:.0f} s"
    )


def main() -> None:
    folder, *names = sys.argv[1:]
    exercises = [one for one in read_exercises(Path(folder)) if not names or one.name in names]
    score, console = Score(), Console(width=150)
    anyio.run(play_all, exercises, score, console)
    show(score, len(exercises), console)


if __name__ == "__main__":
    main()
