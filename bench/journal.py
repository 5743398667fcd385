"""What the journal costs on this disk: batched appends, one durable append beside a bare fdatasync, reading back.

    PYTHONPATH=src python bench/journal.py [--folder FOLDER]

Absolute times are the disk's; the ratio is ours. Bare flush and append alternate, so that both meet the same disk.
It does not know what a mission does with a journal.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anyio

from shopfloor.domain.events import Event, ToolReturned
from shopfloor.domain.messages import Result
from shopfloor.journal.codec import encode
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, Lease

BODY_BYTES = 300
BATCH = 100
BATCHES = 500
SINGLES = 2_000
TASKS = 50
READ = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where to write: a real disk, not tmpfs")
    folder: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory(dir=folder, prefix=".bench-journal-") as place:
        anyio.run(measure, Path(place))


async def measure(folder: Path) -> None:
    journal = open_sqlite(folder / "journal.db")
    lease = await journal.acquire("mission/bench", "bench", 3600)
    await batched(journal, lease)
    await single(journal, lease, folder)
    await crowded(journal, lease)
    await read_back(journal)
    await journal.close()


async def batched(journal: Journal, lease: Lease) -> None:
    events = [event(place) for place in range(BATCH)]
    began = time.perf_counter()
    for _ in range(BATCHES):
        await journal.append("agent/batched", events, lease=lease)
    rate = BATCH * BATCHES / (time.perf_counter() - began)
    say("appends in batches of 100", f"{rate:,.0f} /s", "at least 20,000", rate >= 20_000)


async def single(journal: Journal, lease: Lease, folder: Path) -> None:
    """Beside a file that grows, as any log does, and beside one that was filled before and is only overwritten."""
    body = encode(event(0))[1]
    grow = flusher(folder / "grows", body, filled=0)
    overwrite = flusher(folder / "filled", body, filled=SINGLES * len(body))
    appends: list[float] = []
    grows: list[float] = []
    overwrites: list[float] = []
    for place in range(SINGLES):
        grows.append(timed(grow))
        overwrites.append(timed(overwrite))
        began = time.perf_counter()
        await journal.append("agent/single", [event(place)], lease=lease)
        appends.append(time.perf_counter() - began)
    ours, bare, best = (statistics.median(times) for times in (appends, grows, overwrites))
    p99 = statistics.quantiles(appends, n=100)[98]
    say("one durable append", f"{ours * 1e6:,.0f} us median, {p99 * 1e6:,.0f} us p99")
    say(
        "  to a bare append + fdatasync",
        f"{ours / bare:.2f} (bare {bare * 1e6:,.0f} us)",
        "at most 1.5",
        ours <= 1.5 * bare,
    )
    say("  to an overwrite + fdatasync", f"{ours / best:.2f} (bare {best * 1e6:,.0f} us)")


async def crowded(journal: Journal, lease: Lease) -> None:
    """50 agents at once, each waiting for every one of its appends."""

    async def agent(name: int) -> None:
        for place in range(40):
            await journal.append(f"agent/crowd/{name}", [event(place)], lease=lease)

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for name in range(TASKS):
            tasks.start_soon(agent, name)
    say("50 tasks, one event per append", f"{TASKS * 40 / (time.perf_counter() - began):,.0f} /s")


async def read_back(journal: Journal) -> None:
    events = [event(place) for place in range(BATCH)]
    for _ in range(READ // BATCH):
        await journal.append("agent/read", events)
    began = time.perf_counter()
    decoded = [fact.event for fact in await journal.read("agent/read")]
    took_s = time.perf_counter() - began
    assert len(decoded) == READ
    say("100,000 events read and decoded", f"{took_s:.2f} s", "under 1 s", took_s < 1)


def event(place: int) -> Event:
    """An event whose body is 300 bytes of JSON."""
    shell = ToolReturned(turn=place, result=Result(call_id="call_0123456789", text="", exit_code=0), seconds=0.25)
    text = "x" * (BODY_BYTES - len(encode(shell)[1]))
    return ToolReturned(turn=place, result=Result(call_id="call_0123456789", text=text, exit_code=0), seconds=0.25)


def flusher(path: Path, body: bytes, *, filled: int) -> Callable[[], None]:
    """Writes the body at the next place of the file, and flushes."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    os.write(descriptor, b"\0" * filled)
    os.fsync(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)

    def flush() -> None:
        os.write(descriptor, body)
        os.fdatasync(descriptor)

    return flush


def timed(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def say(what: str, value: str, target: str = "", held: bool = True) -> None:
    verdict = f"target {target}: {'holds' if held else 'MISSED'}" if target else ""
    print(f"{what:34} {value:36} {verdict}".rstrip())


if __name__ == "__main__":
    main()
