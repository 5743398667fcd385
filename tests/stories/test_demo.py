"""The demo mission, played from its recording: it ends verified, and the power may fail at every one of its appends.

A cut leaves a disk and a journal. From each one a resumed runner must reach the next fact of the mission, and it must
be the one that an undisturbed mission records; from there on it is the undisturbed mission. So every cut is tried, and
none of them has to play the rest.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import anyio
import pytest

from shopfloor.domain.events import (
    AttemptEnded,
    ContractSealed,
    Event,
    FeatureLanded,
    MissionEvent,
    MissionPlanned,
    MissionReady,
    MissionResumed,
    VerdictReached,
)
from shopfloor.factory import Wishes
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Journal, Lease, Recorded
from shopfloor.models.cassette import Cassette
from shopfloor.testing.power import PowerCut, PoweredJournal, Supply, open_later
from shopfloor.testing.workshop import Workshop, git, make_repository

DEMO = Path(__file__).parents[2] / "examples" / "demo"
MISSION = "build-reading-list-small-1"
BRIEF = (DEMO / "brief.md").read_text(encoding="utf-8")
SEED = {str(path.relative_to(DEMO / "seed")): path.read_text() for path in (DEMO / "seed").rglob("*") if path.is_file()}

STRIDE = int(os.environ.get("SHOPFLOOR_SWEEP_STRIDE", "0"))
"""Every so many of the cuts are resumed: 1 is all of them, which takes about ten minutes; 0 leaves the sweep out."""
SCRATCH = ("court", "spool")
"""What a runner leaves there is thrown away by the next one: it makes no other disk."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(3000)]


def demo(place: Path) -> Workshop:
    """The demo's repository, with the recording as its model."""
    repository = make_repository(place / "repo", SEED)
    return Workshop(repository=repository, state=place / "state", model=Cassette(DEMO / "cassette.jsonl"))


class Cut(NamedTuple):
    """A disk as the power left it: a copy of the state and of the repository, and how many mission facts it knows."""

    name: str
    state: Path
    repository: Path
    facts: int


class Witness(Supply):
    """Power that never fails, and a copy of the disk at every instant at which it might have."""

    def __init__(self, shop: Workshop, place: Path) -> None:
        super().__init__(())
        self._shop = shop
        self._place = place
        self._seen: set[str] = set()
        self.cuts: list[Cut] = []
        self.instants = 0
        self.mission_facts = 0

    def open(self, path: Path) -> Journal:
        return _Witnessed(open_sqlite(path), self)

    def reach(self, side: str) -> None:
        self.instants += 1
        told = f"{self.appends if side == 'after' else self.appends - 1}"
        disk = _digest((self._shop.state / "missions", self._shop.repository / ".git"), told)
        if disk in self._seen:
            return  # nothing was written since the last instant: the same cut
        self._seen.add(disk)
        name = f"{side}-{self.appends}"
        state, repository = self._place / name / "state", self._place / name / "repo"
        state.parent.mkdir(parents=True)
        _copy(self._shop.state, state)
        shutil.rmtree(state / "missions" / MISSION / "court", ignore_errors=True)
        _copy(self._shop.repository, repository)
        self.cuts.append(Cut(name=name, state=state, repository=repository, facts=self.mission_facts))


class _Witnessed(PoweredJournal):
    async def append(
        self, stream: str, events: Sequence[Event], *, lease: Lease | None = None, expected: int | None = None
    ) -> tuple[Recorded, ...]:
        witness = cast("Witness", self._supply)
        witness.appends += 1
        witness.reach("before")
        recorded = await self._inner.append(stream, events, lease=lease, expected=expected)
        witness.mission_facts += len(events) if stream.startswith("mission/") else 0
        witness.reach("after")
        return recorded


class _UntilNextFact(PoweredJournal):
    """Takes the power away as soon as one more fact of the mission is on record, beside that it goes on."""

    async def append(
        self, stream: str, events: Sequence[Event], *, lease: Lease | None = None, expected: int | None = None
    ) -> tuple[Recorded, ...]:
        recorded = await super().append(stream, events, lease=lease, expected=expected)
        if stream.startswith("mission/") and not all(isinstance(event, MissionResumed) for event in events):
            self._supply.failed = True
            self._supply.require()
        return recorded


def _digest(folders: Sequence[Path], told: str) -> str:
    """What a resumed runner could see: the files and their times, and how far the journal has come."""
    found = hashlib.sha256(told.encode())
    for folder in folders:
        for place, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name not in SCRATCH]
            for name in sorted(names):
                status = Path(place, name).lstat()
                found.update(f"{place}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _copy(source: Path, target: Path) -> None:
    subprocess.run(("cp", "-a", "--reflink=auto", str(source), str(target)), check=True, stdin=subprocess.DEVNULL)


def _told(events: Sequence[MissionEvent], store: Path) -> list[object]:
    """What the mission's facts say, free of clocks and of going on: kinds, plans, seals, trees, verdicts."""
    return [_essence(event, store) for event in events if not isinstance(event, MissionResumed)]


def _essence(event: MissionEvent, store: Path) -> object:
    def tree(commit: str) -> str:
        return git(store, "rev-parse", f"{commit}^{{tree}}") if commit else ""

    match event:
        case MissionPlanned(plan=plan):
            return ("MissionPlanned", plan)
        case ContractSealed(seal=seal, red_on_base=red):
            return ("ContractSealed", seal, red)
        case AttemptEnded(feature=feature, attempt=attempt, exit=leave, commit=commit):
            return ("AttemptEnded", feature, attempt, leave, tree(commit))
        case VerdictReached(verdict=verdict, round=number):
            judged = tuple((one.assertion, one.verdict, len(one.evidence)) for one in verdict.judged)
            return ("VerdictReached", verdict.subject, number, verdict.passed, verdict.caught_by, judged)
        case FeatureLanded(feature=feature, commit=commit):
            return ("FeatureLanded", feature, tree(commit))
        case MissionReady(branch=branch, commit=commit):
            return ("MissionReady", branch, tree(commit))
        case _:
            return type(event).__name__


def _mission_events(journal: Path) -> list[MissionEvent]:
    async def act() -> list[MissionEvent]:
        opened = open_sqlite(journal)
        try:
            return cast("list[MissionEvent]", [fact.event for fact in await opened.read(f"mission/{MISSION}")])
        finally:
            await opened.close()

    return anyio.run(act)


def _next_fact(shop: Workshop, cut: Cut, place: Path) -> list[MissionEvent]:
    """The mission's facts after a runner went on from that cut until it had recorded one more."""
    shutil.rmtree(place, ignore_errors=True)
    _copy(cut.state, place)
    supply = Supply(())
    resumed = replace(
        shop,
        state=place,
        model=Cassette(DEMO / "cassette.jsonl"),
        journal=lambda path: _UntilNextFact(open_later(path), supply),
    )
    try:
        if cut.facts:
            resumed.resume(MISSION)
        else:  # nothing is on record: the person starts it anew, in the repository as it was
            replace(resumed, repository=cut.repository).mission(BRIEF)
    except* PowerCut:
        pass
    return _mission_events(place / "journal.db")


def test_the_demo_ends_verified(tmp_path: Path) -> None:
    """The recording plays to its end: eleven assertions pass, one of them only after a fix; a finding is refuted."""
    report = demo(tmp_path).mission(BRIEF)

    assert (report.exit, report.verified) == ("done", True), report.reason
    assert [line.verdict for line in report.assertions] == ["passed"] * 11
    assert [fix.id for fix in report.fixes] == ["fix-filter-and-count-1"]
    assert all(agent.breaks == () for agent in report.agents)


@pytest.mark.skipif(not STRIDE, reason="SHOPFLOOR_SWEEP_STRIDE is not set: `make sweep` sets it")
def test_the_demo_survives_a_power_cut_at_every_append(tmp_path: Path) -> None:
    """From every instant at which the power can fail, the next fact of the mission is the one it would have been."""
    shop = demo(tmp_path)
    witness = Witness(shop, tmp_path / "cuts")
    replace(shop, journal=witness.open).mission(BRIEF, Wishes(approve=True))
    expected = _told(_mission_events(shop.state / "journal.db"), shop.state / "missions" / MISSION / "store.git")
    assert witness.cuts and len(expected) == witness.mission_facts

    def wrong(numbered: tuple[int, Cut]) -> str:
        number, cut = numbered
        place = tmp_path / f"resumed-{number}"
        told = _told(_next_fact(shop, cut, place), place / "missions" / MISSION / "store.git")
        due = expected[: cut.facts + 1]
        return "" if told[: len(due)] == due else f"{cut.name}: {told[cut.facts :]} instead of {due[cut.facts :]}"

    # Two at a time, each with a place of its own; what touches the person's repository comes last and is keyed.
    chosen = list(enumerate(witness.cuts))[::STRIDE]
    lanes = [[(lane, cut) for _, cut in chosen[lane::2]] for lane in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        found = [line for lines in pool.map(lambda lane: [wrong(one) for one in lane], lanes) for line in lines if line]
    print(f"\n{witness.appends} appends, {len(witness.cuts)} different disks, {len(chosen)} of them resumed")
    assert found == []
