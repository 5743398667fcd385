"""Wherever the power fails, the resumed mission comes to the same end, and nothing is done twice."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from shopfloor.floor.report import Report
from shopfloor.settings import Settings
from shopfloor.testing import notes, subtraction
from shopfloor.testing.power import Moment, every_moment
from shopfloor.testing.processes import processes_below
from shopfloor.testing.promises import broken_promises
from shopfloor.testing.workshop import Workshop, git


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is told, where, and how many appends it takes when nothing goes wrong."""

    name: str
    stage: Callable[[Path], Workshop]
    tell: Callable[[Workshop], Report]
    mission: str
    appends: int


PLAIN = Story(
    name="plain",
    stage=subtraction.subtraction,
    tell=lambda shop: shop.mission(subtraction.BRIEF),
    mission=subtraction.MISSION,
    appends=46,
)
FIXED = Story(
    name="fixed",
    stage=lambda folder: subtraction.subtraction(folder, subtraction.SCRIPT_WITH_FIX),
    tell=lambda shop: shop.mission(subtraction.BRIEF),
    mission=subtraction.MISSION,
    appends=64,
)
MERGED = Story(
    name="merged",
    stage=lambda folder: subtraction.subtraction(folder, settings=Settings(merge="automatic")),
    tell=lambda shop: shop.mission(subtraction.BRIEF),
    mission=subtraction.MISSION,
    appends=47,
)
JUDGED = Story(
    name="judged",
    stage=notes.notes,
    tell=lambda shop: shop.mission(notes.BRIEF),
    mission=notes.MISSION,
    appends=47,
)
ALONE = Story(
    name="alone",
    stage=lambda folder: subtraction.subtraction(folder, subtraction.ALONE),
    tell=lambda shop: shop.solo(subtraction.BRIEF),
    mission=subtraction.MISSION,
    appends=20,
)
STORIES = (PLAIN, FIXED, MERGED, JUDGED, ALONE)


def moments(story: Story, first: int = 1) -> list[object]:
    """Before and after each append of a story, from a first one on."""
    return [pytest.param(story, moment, id=f"{story.name}-{moment}") for moment in every_moment(story.appends, first)]


class Ending(NamedTuple):
    """What a mission came to, free of clocks and of the hashes that depend on them."""

    exit: str | None
    verified: bool
    tree: str
    commits: int
    main: int
    verdicts: tuple[tuple[str, str | None], ...]
    fixes: tuple[str, ...]


def ending(shop: Workshop, report: Report) -> Ending:
    return Ending(
        exit=report.exit,
        verified=report.verified,
        tree=git(shop.repository, "rev-parse", f"{report.branch}^{{tree}}"),
        commits=int(git(shop.repository, "rev-list", "--count", f"{report.base}..{report.branch}")),
        main=int(git(shop.repository, "rev-list", "--count", "main")),
        verdicts=tuple((line.id, line.verdict) for line in report.assertions),
        fixes=report.fixes,
    )


class Told(NamedTuple):
    """How a story ends when the power never fails, and how often it asked a model."""

    ending: Ending
    calls: int


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Story], Told]:
    """Tells a story undisturbed, once."""
    told: dict[str, Told] = {}

    def told_once(story: Story) -> Told:
        if story.name not in told:
            shop = story.stage(tmp_path_factory.mktemp(story.name))
            report = story.tell(shop)
            told[story.name] = Told(ending(shop, report), report.spent.calls)
        return told[story.name]

    return told_once


def go_on(shop: Workshop, story: Story) -> Report:
    """Resumes the mission, or starts it when the power failed before it was on record."""
    later = shop.restarted()
    return later.resume(story.mission) if later.kinds(story.mission) else story.tell(later)


def promises(shop: Workshop) -> tuple[str, ...]:
    async def act() -> tuple[str, ...]:
        async with shop.factory() as factory:
            return await broken_promises(factory.journal, factory.blobs)

    return anyio.run(act)


def survives(story: Story, moment: Moment, folder: Path, told: Told) -> None:
    """Tells the story until the power fails, goes on with what the disk holds, and compares."""
    shop = story.stage(folder)
    with shop.power_cut(moment) as doomed:
        story.tell(doomed)
    assert processes_below(os.getpid()) == []

    report = go_on(shop, story)

    assert ending(shop, report) == told.ending
    assert promises(shop) == ()
    assert report.spent.calls <= told.calls + 1


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_sweep_reaches_every_append(story: Story, tmp_path: Path) -> None:
    """A story makes as many appends as its sweep has moments for, and ends well."""
    reports: list[Report] = []
    shop = story.stage(tmp_path)

    appends = shop.appends(lambda powered: reports.append(story.tell(powered)))

    assert (appends, reports[0].verified, promises(shop)) == (story.appends, True, ())


@pytest.mark.parametrize(("story", "moment"), moments(PLAIN))
def test_a_mission_survives_a_power_cut(
    story: Story, moment: Moment, tmp_path: Path, undisturbed: Callable[[Story], Told]
) -> None:
    """Wherever the power fails, the resumed mission lands the same tree by the same verdicts; nothing is lost."""
    survives(story, moment, tmp_path, undisturbed(story))


@pytest.mark.parametrize(("story", "moment"), moments(MERGED, first=45))
def test_what_the_policy_merges_is_merged_once(
    story: Story, moment: Moment, tmp_path: Path, undisturbed: Callable[[Story], Told]
) -> None:
    """Delivery and merge are looked for before they are done: the target gets one merge, whenever the power fails."""
    survives(story, moment, tmp_path, undisturbed(story))


@pytest.mark.parametrize("moment", [Moment(34, "after"), Moment(35, "before"), Moment(38, "after")], ids=str)
def test_a_judge_takes_each_step_once(moment: Moment, tmp_path: Path, undisturbed: Callable[[Story], Told]) -> None:
    """A judge who was cut off goes on in a fresh arena, in which each of the steps so far was taken exactly once."""
    survives(JUDGED, moment, tmp_path, undisturbed(JUDGED))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("story", "moment"), [*moments(FIXED), *moments(JUDGED, first=30), *moments(ALONE)])
def test_longer_missions_survive_a_power_cut(
    story: Story, moment: Moment, tmp_path: Path, undisturbed: Callable[[Story], Told]
) -> None:
    """The same holds for a refused attempt and its fix, for a judge at work, and for one agent alone."""
    survives(story, moment, tmp_path, undisturbed(story))


def test_a_landing_is_found_when_time_has_passed(tmp_path: Path, undisturbed: Callable[[Story], Told]) -> None:
    """What landed and was not recorded is found again, though commits made a second later have other hashes."""
    shop = PLAIN.stage(tmp_path)
    with shop.power_cut(Moment(PLAIN.appends - 2, "before")) as doomed:
        PLAIN.tell(doomed)
    assert shop.kinds(PLAIN.mission)[-1] == "VerdictReached"
    time.sleep(1.1)

    assert ending(shop, go_on(shop, PLAIN)) == undisturbed(PLAIN).ending


def test_locks_of_a_git_that_was_cut_off_stop_nobody(tmp_path: Path, undisturbed: Callable[[Story], Told]) -> None:
    """A git that loses its power in a checkout or in the store leaves locks behind; the mission goes on."""
    shop = PLAIN.stage(tmp_path)
    with shop.power_cut(Moment(36, "before")) as doomed:
        PLAIN.tell(doomed)
    folder = shop.state / "missions" / PLAIN.mission
    checkout, store = folder / "checkouts" / "subtract-1" / ".git", folder / "store.git"
    (store / "refs" / "heads").mkdir(exist_ok=True)
    for lock in (checkout / "index.lock", checkout / "HEAD.lock", store / "refs" / "heads" / "mission.lock"):
        lock.touch()

    assert ending(shop, go_on(shop, PLAIN)) == undisturbed(PLAIN).ending
    assert list(store.glob("**/*.lock")) == []
