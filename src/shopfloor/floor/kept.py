"""What a mission left in repositories: the change it handed over, and work that nobody accepted.

Reads the mission's store and the person's repository, and changes neither. It does not know whether the work is good.
"""

from pathlib import Path

from shopfloor.domain.errors import Problem
from shopfloor.domain.events import AttemptEnded
from shopfloor.domain.fact import Fact
from shopfloor.missions.state import Mission
from shopfloor.repo.git import Git, users_git
from shopfloor.repo.origin import unaccepted_ref
from shopfloor.repo.store import Store


class Delivered(Fact):
    """The change that was handed over, and what became of its branch. While there is none, all is empty."""

    diff: str = ""
    missing: str = ""
    """Why the change cannot be shown, "" when it can: its repository may be gone."""
    has_branch: bool = True
    merged: str = ""
    """The branch that holds it by now, "" if its target does not."""


class Unaccepted(Fact):
    """Work that is kept and on no branch: judges refused it, or its agent came to no end. It is no result."""

    feature: str
    commit: str
    because: str
    """What refused it, or how its agent ended."""
    ref: str = ""
    """Where the person's repository keeps it; "" while the mission goes on, and when it is not there."""
    look_command: str = ""
    """What shows it, "" where there is no ref."""
    drop_command: str = ""
    diff: str = ""


async def delivered(mission: Mission, folder: Path) -> Delivered:
    """What became of the branch of a mission that keeps its files in `folder`."""
    ready, asked = mission.ready, mission.asked
    if ready is None:
        return Delivered()
    diff, missing = await _diff(folder, asked.base, ready.commit)
    git = users_git(Path(asked.repository))
    return Delivered(
        diff=diff,
        missing=missing,
        has_branch=await git.commit_of(f"refs/heads/{ready.branch}") is not None,
        merged=asked.target if await _holds(git, asked.target, ready.commit) else "",
    )


async def unaccepted(mission: Mission, mission_id: str, folder: Path) -> Unaccepted | None:
    """The latest work of a mission that nobody accepted, if there is any."""
    left = mission.unaccepted
    if left is None:
        return None
    diff, _ = await _diff(folder, mission.tip, left.commit)
    ref = unaccepted_ref(mission_id)
    is_there = await users_git(Path(mission.asked.repository)).commit_of(ref) == left.commit
    return Unaccepted(
        feature=left.feature,
        commit=left.commit,
        because=_why_not(mission, left),
        ref=ref if is_there else "",
        look_command=f"git diff {mission.tip[:12]} {ref}" if is_there else "",
        drop_command=f"git update-ref -d {ref}" if is_there else "",
        diff=diff,
    )


def _why_not(mission: Mission, left: AttemptEnded) -> str:
    verdict = mission.last_verdict(left.feature)
    if verdict is not None and verdict.commit == left.commit:
        refused = f"refused by {verdict.refused_by}"
        return "it passed, and the job was ended before it was handed over" if verdict.passed else refused
    if left.exit == "done":
        return "nobody has judged it"
    return f"its agent left: {left.exit} {left.reason}".strip()


async def _holds(git: Git, branch: str, commit: str) -> bool:
    """Whether a branch of the person's holds a commit; a repository or branch that is gone holds nothing."""
    tip = await git.commit_of(f"refs/heads/{branch}")
    return tip is not None and await git.commit_of(commit) is not None and await git.contains(tip, commit)


async def _diff(folder: Path, base: str, commit: str) -> tuple[str, str]:
    """What changed, or why nobody can say."""
    try:
        store = await Store.open(folder / "store.git")
        return await store.diff(base, commit), ""
    except Problem as trouble:
        return "", str(trouble)
