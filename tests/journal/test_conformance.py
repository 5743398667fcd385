"""What every store of the journal promises; see `STORES` in conftest.py for who is held to it."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopfloor.domain.errors import Broken, LeaseLost, Problem, TryLater
from shopfloor.domain.events import CancelAsked, Event, ModelCalled, PauseAsked, Steered
from shopfloor.journal.codec import encode
from shopfloor.journal.store import Journal, Lease, Recorded, Stream, inbox_of

HELLO, STOP = Steered(text="hello"), CancelAsked()


def play(store: Any, story: Callable[[Journal], Awaitable[None]]) -> None:
    """Plays a story on a journal of its own."""

    async def whole() -> None:
        journal: Journal = store.open()
        try:
            await story(journal)
        finally:
            await journal.close()

    anyio.run(whole)


def test_a_stream_is_read_as_it_was_written(store: Any) -> None:
    """Places count from 1 without gaps; a fact carries time, kind and body; a later reader starts anywhere."""

    async def story(journal: Journal) -> None:
        first = await journal.append("a", [HELLO, STOP])
        store.clock.now += 5
        second = await journal.append("a", [PauseAsked()])
        await journal.append("b", [STOP])

        assert await journal.read("a") == [*first, *second]
        assert await journal.read("a", after=2) == list(second)
        assert await journal.read("never written") == []
        assert second == (
            Recorded(stream="a", seq=3, epoch=0, at=1005.0, kind="PauseAsked", body=b'{"type":"PauseAsked"}'),
        )
        assert [fact.event for fact in await journal.read("a")] == [HELLO, STOP, PauseAsked()]

    play(store, story)


def test_what_was_written_outlives_the_journal_that_wrote_it(store: Any) -> None:
    """A journal opened anew has every fact and goes on at the next place."""

    async def write(journal: Journal) -> None:
        await journal.append("a", [HELLO] * 3)

    async def go_on(journal: Journal) -> None:
        assert [fact.seq for fact in await journal.append("a", [STOP])] == [4]
        assert [fact.event for fact in await journal.read("a")] == [HELLO, HELLO, HELLO, STOP]

    play(store, write)
    play(store, go_on)


def test_a_long_stream_is_read_whole(store: Any) -> None:
    """A stream of many pages comes back complete and in order."""

    async def story(journal: Journal) -> None:
        events: list[Event] = [ModelCalled(turn=turn, estimate=1) for turn in range(4_000)]
        await journal.append("long", events)
        assert [fact.event for fact in await journal.read("long")] == events

    play(store, story)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_history_is_read_back_equal(store: Any, any_event: st.SearchStrategy[Event], data: st.DataObject) -> None:
    """Whatever is appended to whichever streams, in pieces of any size, folds to the same when read back."""
    pieces = data.draw(st.lists(st.tuples(st.sampled_from("xyz"), st.lists(any_event, max_size=3)), max_size=5))

    async def story(journal: Journal) -> None:
        begun = {name: len(await journal.read(name)) for name in "xyz"}
        for name, events in pieces:
            await journal.append(name, events)
        for name in "xyz":
            appended = [event for stream, events in pieces for event in events if stream == name]
            assert [fact.event for fact in await journal.read(name, after=begun[name])] == appended

    play(store, story)


def test_streams_are_listed_by_prefix(store: Any) -> None:
    """A listing has each stream once, with its last place and its first and last times; a prefix is taken literally."""

    async def story(journal: Journal) -> None:
        await journal.append("agent/m_1/worker", [HELLO])
        store.clock.now += 1
        await journal.append("agent/m_1/worker", [HELLO, HELLO])
        await journal.append("agent/mX1/worker", [HELLO])
        await journal.append("mission/m_1", [HELLO])
        worker = Stream(name="agent/m_1/worker", last_seq=3, first_at=1000.0, last_at=1001.0)

        assert await journal.streams("agent/m_1") == [worker]
        names = [stream.name for stream in await journal.streams()]
        assert names == ["agent/mX1/worker", "agent/m_1/worker", "mission/m_1"]
        assert await journal.streams("nothing") == []

    play(store, story)


def test_an_unexpected_end_refuses_the_whole_append(store: Any) -> None:
    """Who expects a stream to end where it does not writes nothing."""

    async def story(journal: Journal) -> None:
        await journal.append("a", [HELLO], expected=0)
        with pytest.raises(Broken, match="'a' ends at 1, not at 0"):
            await journal.append("a", [STOP, STOP], expected=0)
        await journal.append("a", [STOP], expected=1)
        assert [fact.event for fact in await journal.read("a")] == [HELLO, STOP]

    play(store, story)


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\ud800"])
def test_a_stream_needs_a_readable_name(store: Any, name: str) -> None:
    """A name that could not be shown, or not be stored, is refused before anything is written."""

    async def story(journal: Journal) -> None:
        with pytest.raises(Broken, match="no name for a stream"):
            await journal.append(name, [HELLO])
        assert await journal.streams() == []

    play(store, story)


def test_a_kind_of_another_version_passes_through(store: Any) -> None:
    """A fact of an unknown kind is read with its body unharmed and no event; its neighbours are read as ever."""

    async def story(journal: Journal) -> None:
        await journal.append("a", [HELLO])
        store.write_raw("a", 2, "DreamDreamt", b'{"type":"DreamDreamt","of":"sheep"}')
        await journal.append("a", [STOP])
        facts = await journal.read("a")

        assert [fact.event for fact in facts] == [HELLO, None, STOP]
        assert (facts[1].kind, facts[1].body) == ("DreamDreamt", b'{"type":"DreamDreamt","of":"sheep"}')

    play(store, story)


def test_a_zombie_writes_nothing(store: Any) -> None:
    """Once another runner has the lease, the old one's appends fail, to every stream that the lease covers."""

    async def story(journal: Journal) -> None:
        old = await journal.acquire("mission/1", "old", ttl_s=10)
        await journal.append("agent/1/worker", [HELLO], lease=old)
        store.clock.now += 11
        new = await journal.acquire("mission/1", "new", ttl_s=10)

        for stream in ("mission/1", "agent/1/worker"):
            with pytest.raises(LeaseLost, match="'mission/1', epoch 1, is no longer 'old'"):
                await journal.append(stream, [STOP], lease=old)
        with pytest.raises(LeaseLost):
            await journal.renew(old, ttl_s=10)
        await journal.release(old)
        await journal.append("agent/1/worker", [STOP], lease=new)
        facts = await journal.read("agent/1/worker")
        assert [(fact.event, fact.epoch) for fact in facts] == [(HELLO, 1), (STOP, 2)]

    play(store, story)


def test_a_zombie_in_another_process_is_fenced_too(store: Any) -> None:
    """The fence is in the database, not in the process that took the lease over."""

    async def story(journal: Journal) -> None:
        old = await journal.acquire("mission/1", "old", ttl_s=10)
        store.dead.add("old")
        other: Journal = store.open()
        await other.acquire("mission/1", "new", ttl_s=10)
        await other.close()
        with pytest.raises(LeaseLost):
            await journal.append("mission/1", [STOP], lease=old)
        assert await journal.read("mission/1") == []

    play(store, story)


def test_a_held_lease_is_refused_naming_its_holder(store: Any) -> None:
    """Nobody, not even the same holder, gets a lease twice; the refusal says whose it is and when to ask again."""

    async def story(journal: Journal) -> None:
        await journal.acquire("mission/1", "ann", ttl_s=10)
        store.clock.now += 4
        for holder in ("ann", "bob"):
            with pytest.raises(TryLater, match="'mission/1' is held by 'ann'") as refusal:
                await journal.acquire("mission/1", holder, ttl_s=10)
            assert refusal.value.after_s == 6
        assert (await journal.acquire("mission/2", "bob", ttl_s=10)).epoch == 1

    play(store, story)


def test_a_lease_is_free_again_when_released_expired_or_its_holder_dead(store: Any) -> None:
    """Each of the three frees it, and the epoch rises by one each time; who looks on sees the same."""

    async def story(journal: Journal) -> None:
        first = await journal.acquire("m", "one", ttl_s=10)
        held = [await journal.holder("m")]
        await journal.release(first)
        held.append(await journal.holder("m"))
        await journal.acquire("m", "two", ttl_s=10)
        store.clock.now += 10
        held.append(await journal.holder("m"))
        await journal.acquire("m", "three", ttl_s=10)
        store.dead.add("three")
        held.append(await journal.holder("m"))
        assert held == ["one", None, None, None]
        assert await journal.acquire("m", "four", ttl_s=10) == Lease(
            stream="m", epoch=4, holder="four", left_at=store.clock.now
        )

    play(store, story)


def test_a_lease_says_when_the_one_before_it_was_left(store: Any) -> None:
    """Given back: at that moment. Not given back: when it was last renewed, for what came after is not known."""

    async def story(journal: Journal) -> None:
        began = store.clock.now
        first = await journal.acquire("m", "one", ttl_s=10)
        store.clock.now += 3
        await journal.release(first)
        store.clock.now += 100
        second = await journal.acquire("m", "two", ttl_s=10)
        store.clock.now += 4
        await journal.renew(second, ttl_s=10)
        store.clock.now += 4
        store.dead.add("two")
        third = await journal.acquire("m", "three", ttl_s=10)
        assert [lease.left_at - began for lease in (second, third)] == [3, 107]
        assert first.left_at == 0

    play(store, story)


def test_a_released_lease_writes_no_more(store: Any) -> None:
    """Giving back is final, also while nobody else has asked."""

    async def story(journal: Journal) -> None:
        lease = await journal.acquire("m", "one", ttl_s=10)
        await journal.release(lease)
        with pytest.raises(LeaseLost):
            await journal.append("m", [HELLO], lease=lease)

    play(store, story)


def test_a_renewed_lease_lasts_from_now(store: Any) -> None:
    """Renewing extends it; one that ran out and that nobody took is still good, for writing and for renewing."""

    async def story(journal: Journal) -> None:
        lease = await journal.acquire("m", "one", ttl_s=10)
        store.clock.now += 12
        await journal.append("m", [HELLO], lease=lease)
        await journal.renew(lease, ttl_s=10)
        store.clock.now += 9
        with pytest.raises(TryLater):
            await journal.acquire("m", "two", ttl_s=10)

    play(store, story)


def test_people_write_to_the_inbox_while_a_runner_holds_the_stream(store: Any) -> None:
    """An inbox is a stream of its own and needs no lease."""

    async def story(journal: Journal) -> None:
        lease = await journal.acquire("m", "runner", ttl_s=10)
        await journal.append(inbox_of("m"), [HELLO])
        await journal.append("m", [PauseAsked()], lease=lease)
        assert [fact.event for fact in await journal.read("inbox/m")] == [HELLO]
        assert [fact.event for fact in await journal.read("m")] == [PauseAsked()]

    play(store, story)


def test_fifty_writers_at_once_lose_nothing(store: Any) -> None:
    """Each writer finds its own facts in its own order, and a stream that all share has no gap."""

    async def story(journal: Journal) -> None:
        async def writer(name: int) -> None:
            for turn in range(5):
                own = await journal.append(f"own/{name}", [ModelCalled(turn=turn, estimate=name)])
                assert own[0].seq == turn + 1
                await journal.append("shared", [Steered(text=f"{name} {turn}")])

        async with anyio.create_task_group() as tasks:
            for name in range(50):
                tasks.start_soon(writer, name)

        shared = await journal.read("shared")
        assert [fact.seq for fact in shared] == list(range(1, 251))
        assert {fact.body for fact in shared} == {
            encode(Steered(text=f"{name} {turn}"))[1] for name in range(50) for turn in range(5)
        }
        assert {stream.last_seq for stream in await journal.streams("own/")} == {5}

    play(store, story)


def test_a_refused_writer_harms_nobody_who_writes_with_it(store: Any) -> None:
    """Of many appends that share a flush, the zombies' fail and all others stand."""

    async def story(journal: Journal) -> None:
        old = await journal.acquire("m", "old", ttl_s=10)
        await journal.release(old)
        refused: list[Problem] = []

        async def writer(name: int) -> None:
            try:
                await journal.append(f"s/{name}", [HELLO], lease=old if name % 2 else None)
            except LeaseLost as problem:
                refused.append(problem)

        async with anyio.create_task_group() as tasks:
            for name in range(10):
                tasks.start_soon(writer, name)

        assert len(refused) == 5
        assert [stream.name for stream in await journal.streams()] == ["s/0", "s/2", "s/4", "s/6", "s/8"]

    play(store, story)


def test_a_cancelled_append_is_whole_or_absent_and_the_journal_goes_on(store: Any) -> None:
    """An append that has begun is finished, though its caller is cancelled; nothing of it turns up later."""

    async def story(journal: Journal) -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await journal.append("a", [HELLO, STOP])
        before = [fact.event for fact in await journal.read("a")]
        await journal.append("a", [PauseAsked()])

        assert before == [HELLO, STOP]
        assert [fact.event for fact in await journal.read("a")] == [HELLO, STOP, PauseAsked()]

    play(store, story)


def test_a_closed_journal_says_so(store: Any) -> None:
    """Closing twice is fine; using a closed journal is a bug with a clear name."""

    async def story(journal: Journal) -> None:
        await journal.close()
        for use in (journal.append("a", [HELLO]), journal.read("a"), journal.streams()):
            with pytest.raises(Broken, match="closed"):
                await use

    play(store, story)
