"""The person's repository: read with care, and left as it was."""

import os
import time
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import GiveUp, NeedsHuman
from shopfloor.repo.merge import Conflict
from shopfloor.repo.origin import Head, Merged, Origin, Refused, merge_command

ODD_NAMES = ("with space.txt", "ünïcode ✓.txt", "new\nline.txt", "-dash.txt", 'quo"te.txt', "tab\tbed.txt", "*.txt")


# --- opening ----------------------------------------------------------------------------------------------------


def test_opens_from_a_folder_inside_and_through_a_symlink(person, tmp_path: Path) -> None:
    """Wherever a person stands, the top of their repository is found."""
    person.write("deep/er/file.txt", "x")
    (tmp_path / "link").symlink_to(person.top)

    async def tops() -> list[Path]:
        places = (person.top, person.top / "deep" / "er", tmp_path / "link", tmp_path / "link" / "deep")
        return [(await Origin.open(place)).top for place in places]

    assert set(anyio.run(tops)) == {person.top}


def test_opens_a_repository_whose_path_is_odd(person, tmp_path: Path) -> None:
    """Spaces, quotes and even line ends in the path of the repository change nothing."""
    odd = tmp_path / 'my "pro\nject" ✓'
    person.top.rename(odd)

    assert anyio.run(Origin.open, odd).top == odd


def test_what_cannot_be_worked_on_is_refused_in_clear_words(person, tmp_path: Path) -> None:
    """No repository, a bare one, git's own folder, one without commits: each says what to do."""
    (tmp_path / "plain").mkdir()
    person.git("init", "-q", "--bare", str(tmp_path / "bare.git"))
    person.git("init", "-q", str(tmp_path / "empty"))
    refusals = {
        tmp_path / "plain": "not in a git repository",
        tmp_path / "nowhere": "no folder",
        tmp_path / "bare.git": "bare",
        person.top / ".git": "git's own folder",
        tmp_path / "empty": "no commit yet",
    }
    for place, words in refusals.items():
        with pytest.raises(GiveUp, match=words):
            anyio.run(Origin.open, place)


@pytest.mark.parametrize("work", ["merge", "rebase", "cherry-pick"])
def test_unfinished_work_is_named(person, work: str) -> None:
    """In the middle of a merge, a rebase or a cherry-pick nothing starts, and the words say which."""
    person.git("switch", "-q", "-c", "other")
    person.commit("theirs", app_py="print('theirs')\n")
    person.git("switch", "-q", "main")
    person.commit("ours", app_py="print('ours')\n")
    person.git(work, "other", check=False)

    with pytest.raises(GiveUp, match=f"in the middle of a {work}"):
        anyio.run(Origin.open, person.top)


def test_a_detached_head_is_fine(person) -> None:
    """Without a branch there is still a commit to start from."""
    person.git("switch", "-q", "--detach", "HEAD")
    origin = anyio.run(Origin.open, person.top)

    assert anyio.run(origin.head) == Head(branch=None, commit=person.git("rev-parse", "HEAD"))


def test_submodules_and_shallow_history_are_named(person, tmp_path: Path) -> None:
    """What a worker will miss is said before the work starts."""
    person.git("submodule", "--quiet", "add", str(person.top), "vendored lib")
    person.commit("with a submodule")
    person.git("clone", "-q", "--depth=1", f"file://{person.top}", str(tmp_path / "shallow"))

    remarks = anyio.run(Origin.open, tmp_path / "shallow").remarks

    assert "shallow" in remarks[0]
    assert "vendored lib" in remarks[1]


# --- dirty work -------------------------------------------------------------------------------------------------


def test_dirty_names_every_kind_of_change_and_touches_nothing(person) -> None:
    """Staged, changed, deleted, untracked; not ignored; whatever the names."""
    person.write(".gitignore", "*.log\n")
    person.commit("more", gone_txt="x", moved_txt="a long enough text\n" * 5)
    person.write("app.py", "print('changed')\n")
    person.write("noise.log", "x")
    (person.top / "gone.txt").unlink()
    person.git("mv", "moved.txt", "arrived.txt")
    os.utime(person.top / "README.md", (0, 0))  # A careless `git status` would note this in the person's index.
    for name in ODD_NAMES:
        person.write(f"new folder/{name}", "x")
    origin, before = anyio.run(Origin.open, person.top), person.everything()

    dirty = anyio.run(origin.dirty)

    named = ("app.py", "gone.txt", "moved.txt", "arrived.txt", *(f"new folder/{name}" for name in ODD_NAMES))
    assert dirty == tuple(sorted(named))
    assert person.everything() == before


def test_a_change_in_the_very_moment_of_the_commit_is_carried(person) -> None:
    """Of the same size and second as what git has seen: git looks again at those, and so must a snapshot."""
    app, index, moment = person.top / "app.py", person.top / ".git" / "index", int(time.time()) - 10
    person.write("app.py", "print('uno')\n")
    os.utime(app, (moment, moment))
    person.git("commit", "-qam", "uno")
    os.utime(index, (moment, moment))
    person.write("app.py", "print('two')\n")
    os.utime(app, (moment, moment))
    origin = anyio.run(Origin.open, person.top)

    assert person.git("show", f"{anyio.run(origin.snapshot_commit)}:app.py") == "print('two')"


def test_a_change_began_where_it_left_the_main_branch(person) -> None:
    """Or where somebody says; on the main branch itself, one commit before, or what is not committed yet."""
    origin = anyio.run(Origin.open, person.top)
    first = person.git("rev-parse", "HEAD")
    person.commit("second", a_txt="a")
    second = person.git("rev-parse", "HEAD")
    person.git("switch", "-qc", "work")
    person.commit("third", b_txt="b")
    third = person.git("rev-parse", "HEAD")

    assert anyio.run(origin.base_of_change, "", third) == second
    assert anyio.run(origin.base_of_change, first, third) == first
    person.git("switch", "-q", "main")
    assert anyio.run(origin.base_of_change, "", second) == first
    assert anyio.run(origin.base_of_change, "", "uncommitted") == second
    with pytest.raises(GiveUp, match="There is no revision 'nowhere'"):
        anyio.run(origin.base_of_change, "nowhere", second)


def test_dirty_work_is_carried_without_touching_anything(person, tmp_path: Path) -> None:
    """The snapshot holds what lies on disk; files, index, refs and stash are byte for byte as before; no hook ran."""
    person.write(".gitignore", "*.log\n")
    person.commit("more", gone_txt="x", kept_txt="kept\n")
    person.write("kept.txt", "stashed\n")
    person.git("stash", "-q")
    person.write("app.py", "print('staged')\n")
    person.git("add", "app.py")
    person.write("app.py", "print('and changed again')\n")
    person.write("secret.log", "ignored")
    person.git("rm", "-q", "--cached", "kept.txt")
    (person.top / "gone.txt").unlink()
    for name in ODD_NAMES:
        person.write(f"new/{name}", f"in {name}")
    person.install_hooks(tmp_path / "witness")
    origin, before = anyio.run(Origin.open, person.top), person.everything()

    snapshot = anyio.run(origin.snapshot_commit)

    assert person.everything() == before
    assert person.git("show", f"{snapshot}:app.py") == "print('and changed again')"
    expected = {".gitignore", "README.md", "app.py", "kept.txt", *(f"new/{name}" for name in ODD_NAMES)}
    assert set(person.git("ls-tree", "-r", "-z", "--name-only", snapshot).strip("\0").split("\0")) == expected
    assert person.git("rev-parse", f"{snapshot}^") == person.git("rev-parse", "HEAD")
    assert not (tmp_path / "witness").exists()


def test_a_clean_repository_is_its_own_snapshot(person) -> None:
    """Nothing to carry, nothing made."""
    origin = anyio.run(Origin.open, person.top)

    assert anyio.run(origin.snapshot_commit) == person.git("rev-parse", "HEAD")


def test_work_that_cannot_be_carried_is_named(person) -> None:
    """A repository inside the repository, itself without a commit, cannot be put into any commit."""
    person.git("init", "-q", "inner")
    person.write("inner/file.txt", "x")
    origin = anyio.run(Origin.open, person.top)

    with pytest.raises(GiveUp, match="inner"):
        anyio.run(origin.snapshot_commit)


def test_a_kept_base_survives_every_clean_up(person) -> None:
    """A snapshot that no branch holds is still there after the harshest garbage collection."""
    person.write("app.py", "print('dirty')\n")
    origin = anyio.run(Origin.open, person.top)

    async def keep() -> str:
        snapshot = await origin.snapshot_commit()
        await origin.keep("m1", snapshot)
        await origin.keep("m1", snapshot)
        return snapshot

    snapshot = anyio.run(keep)
    person.git("reflog", "expire", "--expire=now", "--all")
    person.git("gc", "-q", "--prune=now")

    assert person.git("cat-file", "-t", snapshot) == "commit"


# --- delivering -------------------------------------------------------------------------------------------------


def _worked(shop, text: str = "print('two')\n", base: str = "", name: str = "checkout") -> str:
    """A commit in the store, made by a worker."""
    worker = shop.checkout(name, base)
    worker.write("app.py", text)
    assert shop.pack(worker, base)[0] == 0
    return anyio.run(shop.take)


def test_delivery_makes_the_branch_and_nothing_else(shop, tmp_path: Path) -> None:
    """Delivered into a dirty repository, twice: one new branch, and not one other byte is different."""
    commit = _worked(shop)
    shop.person.write("app.py", "print('dirty')\n")
    shop.person.install_hooks(tmp_path / "witness")
    before = shop.person.everything()

    async def deliver() -> list[str]:
        return [await shop.origin.deliver("m1", shop.store.path, commit) for _ in range(2)]

    assert anyio.run(deliver) == ["shopfloor/m1", "shopfloor/m1"]
    after = shop.person.everything()
    assert shop.person.git("rev-parse", "shopfloor/m1") == commit
    assert {**after, "branches": before["branches"]} == before
    assert not (tmp_path / "witness").exists()
    assert not (shop.person.top / ".git" / "FETCH_HEAD").exists()
    assert shop.person.git("fsck", "--connectivity-only") == ""


def test_delivered_work_outlives_the_store(shop) -> None:
    """The person's repository holds the objects itself."""
    commit = _worked(shop)
    anyio.run(shop.origin.deliver, "m1", shop.store.path, commit)
    shop.store.path.rename(shop.folder / "gone")

    assert shop.person.git("show", "shopfloor/m1:app.py") == "print('two')"


def test_later_work_moves_the_branch_forward(shop) -> None:
    """A branch that nobody touched follows the mission."""
    first = _worked(shop)
    anyio.run(shop.origin.deliver, "m1", shop.store.path, first)
    second = _worked(shop, "print('three')\n", first, "second")

    anyio.run(shop.origin.deliver, "m1", shop.store.path, second)

    assert shop.person.git("rev-parse", "shopfloor/m1") == second


@pytest.mark.parametrize("moved", ["forward", "back", "made by hand", "checked out", "elsewhere"])
def test_a_branch_that_someone_moved_is_never_overwritten(shop, moved: str) -> None:
    """Whoever moved it, and where to: a person is asked, and the branch stays."""
    first = _worked(shop)
    person = shop.person
    if moved != "made by hand":
        anyio.run(shop.origin.deliver, "m1", shop.store.path, first)
    match moved:
        case "forward":
            person.git("switch", "-q", "shopfloor/m1")
            person.commit("mine", mine_txt="x")
            person.git("switch", "-q", "main")
        case "back":
            person.git("branch", "-f", "shopfloor/m1", "main")
        case "made by hand":
            person.git("branch", "shopfloor/m1", "main")
        case "checked out":
            person.git("switch", "-q", "shopfloor/m1")
        case _:
            pass
    new = _worked(shop, "print('other')\n", "" if moved == "elsewhere" else first, "second")
    before = person.everything()

    with pytest.raises(NeedsHuman, match="shopfloor/m1"):
        anyio.run(shop.origin.deliver, "m1", shop.store.path, new)

    assert person.everything() == before


def test_a_branch_named_shopfloor_stands_in_the_way(shop) -> None:
    """Git cannot have `shopfloor` and `shopfloor/m1`: a person is told which to rename."""
    commit = _worked(shop)
    shop.person.git("branch", "shopfloor")

    with pytest.raises(NeedsHuman, match="stands in the way"):
        anyio.run(shop.origin.deliver, "m1", shop.store.path, commit)


# --- merging ----------------------------------------------------------------------------------------------------


def _delivered(shop, text: str = "print('two')\n") -> str:
    commit = _worked(shop, text)
    anyio.run(shop.origin.deliver, "m1", shop.store.path, commit)
    return commit


async def agreed(target: str, merged: str) -> str:
    return ""


def test_merges_into_a_target_that_nobody_stands_on(shop) -> None:
    """The target gets a merge of its own; the person's files and index do not move. Twice is once."""
    commit = _delivered(shop)
    shop.person.git("switch", "-q", "-c", "elsewhere")
    shop.person.write("app.py", "print('dirty')\n")
    before = shop.person.everything()

    async def twice() -> tuple[object, object]:
        first = await shop.origin.merge(commit, "main", "Merge m1", agreed)
        return first, await shop.origin.merge(commit, "main", "Merge m1", agreed)

    first, second = anyio.run(twice)

    assert first == second == Merged(commit=shop.person.git("rev-parse", "main"))
    assert shop.person.git("rev-parse", "main^1", "main^2").split() == [shop.base, commit]
    assert {**shop.person.everything(), "branches": ""} == {**before, "branches": ""}


def test_merges_into_the_branch_the_person_stands_on(shop, tmp_path: Path) -> None:
    """Checked out and clean: branch, index and files move together, untracked files stay, no hook runs."""
    commit = _delivered(shop)
    shop.person.write("notes.txt", "mine")
    shop.person.install_hooks(tmp_path / "witness")

    merged = anyio.run(shop.origin.merge, commit, "main", "Merge m1", agreed)

    assert not (tmp_path / "witness").exists()
    assert merged == Merged(commit=shop.person.git("rev-parse", "main"))
    assert (shop.person.top / "app.py").read_text() == "print('two')\n"
    assert shop.person.git("status", "--porcelain") == "?? notes.txt"


def test_a_target_that_moved_and_still_fits_is_merged(shop) -> None:
    """The person went on working on other lines: both are kept."""
    commit = _delivered(shop)
    shop.person.commit("meanwhile", other_py="x = 1\n")

    anyio.run(shop.origin.merge, commit, "main", "Merge m1", agreed)

    assert (shop.person.top / "other.py").exists()
    assert (shop.person.top / "app.py").read_text() == "print('two')\n"


def test_a_conflict_is_a_value_and_changes_nothing(shop) -> None:
    """The same line changed twice: the files are named, and everything is as it was."""
    commit = _delivered(shop)
    shop.person.commit("meanwhile", app_py="print('mine')\n")
    before = shop.person.everything()

    merged = anyio.run(shop.origin.merge, commit, "main", "Merge m1", agreed)

    assert merged == Conflict(paths=("app.py",))
    assert shop.person.everything() == before


@pytest.mark.parametrize("in_the_way", ["changed", "staged", "untracked"])
def test_a_dirty_target_is_left_alone(shop, in_the_way: str) -> None:
    """Uncommitted work of the person is worth more than a merge."""
    worker = shop.checkout()
    worker.write("new.py", "from = 'worker'\n")
    shop.pack(worker)
    commit = anyio.run(shop.take)
    anyio.run(shop.origin.deliver, "m1", shop.store.path, commit)
    match in_the_way:
        case "changed":
            shop.person.write("README.md", "mine\n")
        case "staged":
            shop.person.write("README.md", "mine\n")
            shop.person.git("add", "-A")
        case _:
            shop.person.write("new.py", "mine\n")
    before = shop.person.everything()

    merged = anyio.run(shop.origin.merge, commit, "main", "Merge m1", agreed)

    assert isinstance(merged, Refused)
    assert str(shop.person.top) in merged.why
    assert shop.person.everything() == before


def test_a_target_in_another_work_tree_moves_there(shop, tmp_path: Path) -> None:
    """A branch checked out in a second work tree moves with the files there, never behind its back."""
    commit = _delivered(shop)
    shop.person.git("branch", "stable", "main")
    shop.person.git("worktree", "add", "-q", str(tmp_path / "second tree"), "stable")

    merged = anyio.run(shop.origin.merge, commit, "stable", "Merge m1", agreed)

    assert isinstance(merged, Merged)
    assert (tmp_path / "second tree" / "app.py").read_text() == "print('two')\n"
    assert (shop.person.top / "app.py").read_text() == "print('one')\n"


def test_a_target_that_does_not_exist_is_refused(shop) -> None:
    """Nothing is made up."""
    merged = anyio.run(shop.origin.merge, shop.base, "release", "Merge m1", agreed)

    assert merged == Refused(why="there is no local branch 'release'")


def test_the_command_that_is_shown_works(shop) -> None:
    """What shopfloor tells a person to type does what it says."""
    commit = _delivered(shop)
    command = merge_command("shopfloor/m1", "main")
    assert command == "git switch main && git merge --no-ff shopfloor/m1"

    shop.person.git("merge", "--no-ff", "--no-edit", "shopfloor/m1")

    assert shop.person.git("rev-parse", "HEAD^2") == commit
    assert merge_command("odd; rm -rf x") == "git merge --no-ff 'odd; rm -rf x'"
