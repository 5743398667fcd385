"""What SQLite's journal promises beyond the conformance suite: crashes, other processes, damaged files, one flush."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import Broken, LeaseLost, Problem, TryLater
from shopfloor.domain.events import ModelCalled, Steered
from shopfloor.journal.connection import LOG_BYTES, connect, kind_of_mount, problem_of
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, Lease
from shopfloor.journal.writer import Writer

CHILD = Path(__file__).with_name("appending_child.py")


def killed_child(path: Path, after: int) -> tuple[Lease, dict[str, int]]:
    """Lets a child append until it has said `after` times that it did, kills it -9; its lease, and what it said."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, CHILD, path], stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        lease = Lease(stream="mission/1", epoch=1, holder=child.stdout.readline().strip())
        lines = [child.stdout.readline() for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL
    acknowledged = [line.split() for line in lines if line.endswith("\n")]
    return lease, {stream: int(seq) for stream, seq in acknowledged}


@pytest.mark.parametrize("after", [1, 37, 900])
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, after: int) -> None:
    """Every fact that a killed runner called durable is there, in order, without a gap, and no append is there by half.

    Its lease, held for an hour more, is free at once because its process is dead; its epoch writes no more.
    """
    path = tmp_path / "journal.db"
    lost, acknowledged = killed_child(path, after)

    async def story() -> None:
        journal = open_sqlite(path)
        for stream, last in acknowledged.items():
            facts = await journal.read(stream)
            name = int(stream.removeprefix("agent/"))
            assert [fact.event for fact in facts] == [ModelCalled(turn=t, estimate=name) for t in range(len(facts))]
            assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1))
            assert len(facts) >= last
            assert len(facts) % 2 == 0

        await journal.append("agent/0", [], lease=lost)
        taken_over = await journal.acquire("mission/1", "the next", ttl_s=10)
        assert taken_over.epoch == 2
        with pytest.raises(LeaseLost):
            await journal.append("agent/0", [], lease=lost)
        await journal.close()

    assert sum(acknowledged.values()) >= after
    anyio.run(story)


def test_every_connection_flushes_each_commit(tmp_path: Path) -> None:
    """The two settings on which survival of a power cut rests."""
    db = connect(tmp_path / "journal.db")
    settings = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    db.close()
    assert settings == ["wal", 2]


@pytest.mark.parametrize("slow_s", [60.0, -1.0], ids=["inline", "in a thread"])
def test_fifty_writers_share_one_flush(tmp_path: Path, slow_s: float) -> None:
    """All who want to write at one moment are written by one commit, and a refusal among them stays its own."""
    path = tmp_path / "journal.db"
    db = connect(path)
    db.execute("CREATE TABLE slips(name INTEGER)")
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    refused: list[int] = []

    async def story() -> None:
        writer = Writer(db, path, slow_s)

        async def write(name: int) -> None:
            def work(db: sqlite3.Connection) -> None:
                if name == 7:
                    raise LeaseLost("seven is refused")
                db.execute("INSERT INTO slips VALUES (?)", (name,))

            try:
                await writer.write(work)
            except LeaseLost:
                refused.append(name)

        async with anyio.create_task_group() as tasks:
            for name in range(50):
                tasks.start_soon(write, name)

    anyio.run(story)
    kept = [name for (name,) in db.execute("SELECT name FROM slips ORDER BY name")]
    db.close()
    assert statements.count("COMMIT") == 1
    assert refused == [7]
    assert kept == [name for name in range(50) if name != 7]


def test_a_bug_in_one_writer_is_everyones_loss_and_nobodys_doubt(tmp_path: Path) -> None:
    """When a transaction is abandoned, each of its writers is told, nothing of it is kept, the next one succeeds."""
    path = tmp_path / "journal.db"
    db = connect(path)
    db.execute("CREATE TABLE slips(name INTEGER)")
    told: list[str] = []

    async def story() -> None:
        writer = Writer(db, path)

        async def write(name: int) -> None:
            def work(db: sqlite3.Connection) -> None:
                db.execute("INSERT INTO slips VALUES (?)", (name // (name - 2),))

            try:
                await writer.write(work)
            except (Problem, ZeroDivisionError) as trouble:
                told.append(type(trouble).__name__)

        async with anyio.create_task_group() as tasks:
            for name in range(5):
                tasks.start_soon(write, name)
        assert db.execute("SELECT count(*) FROM slips").fetchone() == (0,)
        await write(3)

    anyio.run(story)
    assert sorted(told) == ["Broken"] * 4 + ["ZeroDivisionError"]
    assert db.execute("SELECT name FROM slips").fetchall() == [(3,)]
    db.close()


@pytest.mark.parametrize("slow_s", [60.0, -1.0], ids=["inline", "in a thread"])
@pytest.mark.parametrize("turns", range(6))
def test_an_interrupted_append_never_turns_up_later(tmp_path: Path, slow_s: float, turns: int) -> None:
    """Ctrl-C cancels past every shield: wherever it hits, the append is there whole before the next one, or never."""

    async def story() -> None:
        journal = open_sqlite(tmp_path / "journal.db", slow_s=slow_s)
        interrupted = asyncio.create_task(journal.append("a", [Steered(text="1"), Steered(text="2")]))
        for _ in range(turns):
            await asyncio.sleep(0)
        interrupted.cancel()
        await asyncio.wait([interrupted])
        await asyncio.sleep(0.02)
        before = await journal.read("a")
        last = await journal.append("a", [Steered(text="3")])
        assert await journal.read("a") == [*before, *last]
        await journal.close()

        assert [fact.event for fact in before] in ([], [Steered(text="1"), Steered(text="2")])

    anyio.run(story)


def test_a_transaction_left_running_in_a_thread_is_waited_for(tmp_path: Path) -> None:
    """Who writes after an interrupted writer waits for its transaction, instead of stepping into it."""
    path = tmp_path / "journal.db"
    db = connect(path)
    db.execute("CREATE TABLE slips(name TEXT)")

    def slow(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO slips VALUES ('slow')")
        time.sleep(0.1)

    def quick(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO slips VALUES ('quick')")

    async def story() -> None:
        writer = Writer(db, path, slow_s=-1)
        interrupted = asyncio.create_task(writer.write(slow))
        await asyncio.sleep(0.05)
        interrupted.cancel()
        await asyncio.wait([interrupted])
        await writer.write(quick)

    anyio.run(story)
    kept = db.execute("SELECT name FROM slips").fetchall()
    db.close()
    assert kept == [("slow",), ("quick",)]


def test_another_process_that_writes_is_waited_for_without_standing_still(tmp_path: Path) -> None:
    """While another process holds the write lock, an append waits and everything else on the event loop goes on."""
    path = tmp_path / "journal.db"
    ticks: list[float] = []

    async def story() -> None:
        journal = open_sqlite(path)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async def tick() -> None:
            for _ in range(20):
                await anyio.sleep(0.01)
                ticks.append(time.monotonic())
            other.execute("COMMIT")
            other.close()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            facts = await journal.append("a", [Steered(text="patience")])
        assert await journal.read("a") == list(facts)
        await journal.close()

    anyio.run(story)
    assert max(later - earlier for earlier, later in pairwise(ticks)) < 0.1


def test_many_may_open_a_new_journal_at_once(tmp_path: Path) -> None:
    """Whoever comes first makes the database; everyone gets a journal that works."""

    def open_and_write(name: int) -> int:
        async def story() -> int:
            journal = open_sqlite(tmp_path / "journal.db")
            facts = await journal.append("shared", [Steered(text=str(name))])
            await journal.close()
            return facts[0].seq

        return anyio.run(story)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(open_and_write, range(8))) == list(range(1, 9))


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """An older shopfloor leaves a newer one's journal alone and says what to do."""
    path = tmp_path / "journal.db"
    close(open_sqlite(path))
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO migrations VALUES (999, 'm999_from_the_future', 0)")
    db.close()
    with pytest.raises(Broken, match=r"has version 999, .* upgrade shopfloor"):
        open_sqlite(path)


def test_a_migration_is_run_once_and_its_name_kept(tmp_path: Path) -> None:
    """Opening again changes nothing; the list in the database says how it came to its shape."""
    path = tmp_path / "journal.db"
    for _ in range(2):
        close(open_sqlite(path))
    with sqlite3.connect(path) as db:
        names = db.execute("SELECT number, name FROM migrations").fetchall()
    db.close()
    assert names == [(1, "m001_events_leases_and_this_list")]


def test_a_file_that_is_no_database_is_refused_unharmed(tmp_path: Path) -> None:
    """Garbage is named corrupt when the journal is opened, and not overwritten."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"these are not the pages you are looking for" * 500)
    with pytest.raises(Broken, match="is corrupt or no SQLite database"):
        open_sqlite(path)
    assert path.read_bytes().startswith(b"these are not")


def test_damage_inside_is_named_when_it_is_met(tmp_path: Path) -> None:
    """A page that rotted on the disk is called corruption by the reader that meets it, never passed over."""
    path = tmp_path / "journal.db"

    async def write() -> None:
        journal = open_sqlite(path)
        await journal.append("a", [Steered(text="x" * 500)] * 200)
        await journal.close()

    async def read() -> None:
        journal = open_sqlite(path)
        try:
            await journal.read("a")
        finally:
            await journal.close()

    anyio.run(write)
    data = bytearray(path.read_bytes())
    data[5 * 4096 : 12 * 4096] = b"\xa5" * (7 * 4096)
    path.write_bytes(data)
    with pytest.raises(Broken, match="is corrupt"):
        anyio.run(read)


def test_a_place_that_cannot_hold_a_journal_is_named(tmp_path: Path) -> None:
    """A file where the folder should be, or a folder where the file should be, is said with what to do."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Broken, match="cannot be made"):
        open_sqlite(tmp_path / "taken" / "journal.db")
    with pytest.raises(Broken, match="cannot be opened"):
        open_sqlite(tmp_path)


def test_a_full_disk_passes(tmp_path: Path) -> None:
    """It is no bug of anybody's: whoever makes room goes on."""
    db = sqlite3.connect(tmp_path / "full.db")
    db.execute("PRAGMA max_page_count=1")
    with pytest.raises(sqlite3.Error) as full:
        db.execute("CREATE TABLE more(x)")
    db.close()

    trouble = problem_of(full.value, tmp_path / "journal.db")

    assert isinstance(trouble, TryLater)
    assert str(trouble).endswith("is full; free some space and resume: nothing recorded is lost")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_is_named(tmp_path: Path) -> None:
    """A folder without the right to write is refused when the journal is opened, not at the first fact."""
    tmp_path.chmod(0o500)
    with pytest.raises(Broken, match="is not writable"):
        open_sqlite(tmp_path / "journal.db")


def test_the_log_stays_as_long_as_it_was_made(tmp_path: Path) -> None:
    """The first write makes the log long; writing on neither lengthens it nor fills the database with ballast."""
    path = tmp_path / "journal.db"
    log = tmp_path / "journal.db-wal"
    sizes: list[int] = []

    async def story() -> None:
        journal = open_sqlite(path)
        for _ in range(2):
            for _ in range(700):
                await journal.append("a", [Steered(text="x" * 300)])
            sizes.append(log.stat().st_size)
        await journal.close()

    anyio.run(story)
    assert LOG_BYTES <= sizes[0] == sizes[1] < LOG_BYTES * 1.2
    assert path.stat().st_size < 1_500_000


def test_the_mount_table_tells_where_a_journal_lies() -> None:
    """The deepest mount above a path decides, and of two on one folder the later; names may hold spaces."""
    mounts = "\n".join(
        [
            "/dev/a / ext4 rw 0 0",
            "server:/x /home nfs4 rw 0 0",
            "/dev/b /home/ann/my\\040disk xfs rw 0 0",
            "tmpfs /home/ann/my\\040disk tmpfs rw 0 0",
        ]
    )
    kinds = [kind_of_mount(Path(path), mounts) for path in ("/homely/j", "/home/ann/j", "/home/ann/my disk/j")]
    assert kinds == ["ext4", "nfs4", "tmpfs"]
    assert kind_of_mount(Path("/x"), "") == ""


def close(journal: Journal) -> None:
    anyio.run(journal.close)
