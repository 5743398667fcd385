"""How long a sandbox takes to start, and a command in it, beside doing without: `python bench/sandbox.py [rounds]`."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

from shopfloor.sandbox.probe import probe, start
from shopfloor.sandbox.protocol import Blueprint, Level

STARTS = 20
BARE = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]


async def timed(rounds: int, act: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each round."""
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def measure(rounds: int, checkout: str) -> dict[str, list[float]]:
    rows: dict[str, list[float]] = {"echo, subprocess.run": await timed(rounds, lambda: bare(["echo", "hi"]))}
    if shutil.which("bwrap"):
        rows["echo, one bwrap each"] = await timed(rounds, lambda: bare(["bwrap", *BARE, "echo", "hi"]))
    levels: list[Level] = ["none", "bubblewrap"] if probe().bubblewrap else ["none"]
    for level in levels:
        rows[f"start and close, {level}"] = await timed(STARTS, lambda level=level: started(checkout, level))
        rows |= await echoes(rounds, checkout, level)
    return rows


async def bare(words: list[str]) -> None:
    subprocess.run(words, capture_output=True, check=True)  # noqa: ASYNC221 - blocking is what is measured


async def started(checkout: str, level: Level) -> None:
    async with start(Blueprint(checkout=checkout), level):
        pass


async def echoes(rounds: int, checkout: str, level: Level) -> dict[str, list[float]]:
    output = Path(checkout, "output")
    async with start(Blueprint(checkout=checkout), level) as sandbox:
        words = await timed(rounds, lambda: sandbox.run(["echo", "hi"], output=output, timeout_s=10))
        shell = await timed(rounds, lambda: sandbox.run("echo hi", output=output, timeout_s=10))
        read = await timed(rounds, lambda: sandbox.read("output", 100))
    return {f"echo, {level}": words, f"echo in a shell, {level}": shell, f"read a file, {level}": read}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as checkout:
        rows = anyio.run(measure, rounds, checkout)
    table = Table("", "median ms", "p99 ms")
    for name, taken in rows.items():
        table.add_row(name, f"{statistics.median(taken):.2f}", f"{sorted(taken)[int(len(taken) * 0.99)]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
