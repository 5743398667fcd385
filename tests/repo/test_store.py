"""The mission's own repository: what comes in is checked, what goes out is private, what moves moves once."""

import os
import subprocess
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import Broken, GiveUp
from shopfloor.repo.bundle import copy_bundle
from shopfloor.repo.changes import ChangedFile
from shopfloor.repo.git import private_git
from shopfloor.repo.merge import Conflict
from shopfloor.repo.origin import Origin
from shopfloor.repo.store import Store

ODD_NAMES = ("with space.txt", "ünïcode ✓.txt", "new\nline.txt", "-dash.txt", 'quo"te.txt', "tab\tbed.txt", "*.txt")


def _commit(shop, worker_name: str, base: str = "", **files: str) -> str:
    worker = shop.checkout(worker_name, base)
    worker.commit("work", **files)
    code, words = shop.pack(worker, base)
    assert code == 0, words
    return anyio.run(shop.take, f"refs/attempts/{worker_name}", base or None)


# --- the store --------------------------------------------------------------------------------------------------


def test_creating_twice_is_the_same_as_once(shop) -> None:
    """Resuming is the same call as starting; another base is refused."""
    again = anyio.run(Store.create, shop.store.path, shop.origin, shop.base)
    assert again == shop.store

    other = shop.person.commit("later")
    with pytest.raises(Broken, match="starts from"):
        anyio.run(Store.create, shop.store.path, shop.origin, other)


def test_a_half_made_store_is_made_again(shop, tmp_path: Path) -> None:
    """A power cut in the middle of creation leaves nothing that is taken for a store."""
    (tmp_path / "second.new" / "objects").mkdir(parents=True)
    (tmp_path / "second.new" / "HEAD").write_text("garbage")

    store = anyio.run(Store.create, tmp_path / "second", shop.origin, shop.base)

    assert anyio.run(store.files, shop.base) == ("README.md", "app.py")


def test_what_is_no_store_is_named(tmp_path: Path) -> None:
    """Opening something else says so."""
    with pytest.raises(Broken, match="is no store"):
        anyio.run(Store.open, tmp_path)


@pytest.mark.parametrize("kind", ["plain", "shallow", "sha256", "odd path", "work tree"])
def test_every_kind_of_repository_can_be_worked_on(person, make_shop, tmp_path: Path, kind: str) -> None:
    """From the person's repository to a checkout, back as a bundle, and out as a branch."""
    place = tmp_path / 'an "odd"\n# päth'
    match kind:
        case "shallow":
            person.commit("second", app_py="print('more')\n")
            person.git("clone", "-q", "--depth=1", f"file://{person.top}", str(place))
        case "sha256":
            person.git("init", "-q", "-b", "main", "--object-format=sha256", str(place))
        case "work tree":
            person.git("worktree", "add", "-q", "-b", "other", str(place))
        case _:
            person.git("clone", "-q", str(person.top), str(place if kind == "odd path" else tmp_path / "plain"))
    shop = make_shop(tmp_path / "plain" if kind == "plain" else place)

    commit = _commit(shop, "F1", new_txt="hello\n")
    anyio.run(shop.origin.deliver, "m1", shop.store.path, commit)

    assert shop.person.git("show", "shopfloor/m1:new.txt") == "hello"
    assert anyio.run(shop.store.show, commit, "new.txt") == b"hello\n"


def test_the_store_is_set_to_keep_what_it_was_given(shop) -> None:
    """Everything is flushed, checked on the way in, and never cleaned away."""

    async def settings() -> list[str]:
        names = ("core.fsync", "gc.auto", "transfer.fsckObjects", "core.bare")
        return [
            (await shop.store.git("config", "--file", str(shop.store.path / "config"), name)).text for name in names
        ]

    assert anyio.run(settings) == ["committed,loose-object,pack,pack-metadata,reference", "0", "true", "true"]


# --- clones -----------------------------------------------------------------------------------------------------


def test_a_clone_sees_nothing_that_came_later(shop) -> None:
    """No ref, no log and no remote leads to a later commit; it stands on its own branch, clean."""
    first = _commit(shop, "F1", app_py="print('two')\n")
    later = _commit(shop, "F2", first, app_py="print('three')\n")
    anyio.run(shop.store.land, "refs/heads/mission", later, None)
    shop.person.commit("the future", app_py="print('future')\n")
    into = shop.folder / "fresh"

    anyio.run(shop.store.clone, first, into)

    def seen(*words: str) -> str:
        return subprocess.run(("git", *words), cwd=into, capture_output=True, text=True, check=True).stdout.strip()

    assert seen("rev-list", "--all", "--reflog").split() == [first, shop.base]
    assert seen("for-each-ref", "--format=%(refname)") == "refs/heads/work"
    assert seen("symbolic-ref", "HEAD") == "refs/heads/work"
    assert seen("status", "--porcelain") == ""
    assert seen("remote") == ""
    assert (into / "app.py").read_text() == "print('two')\n"
    assert not (into / ".git" / "hooks").exists()


def test_a_clone_alone_holds_no_other_object(shop) -> None:
    """Even who guesses a hash finds nothing of other attempts, and nothing outside its folder is read."""
    later = _commit(shop, "F2", app_py="print('three')\n")
    anyio.run(shop.store.clone, shop.base, shop.folder / "alone")
    shop.person.top.rename(shop.folder / "moved away")

    git = ("git", "-C", str(shop.folder / "alone"))
    held = subprocess.run(
        (*git, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert later not in held
    assert shop.base in held
    assert subprocess.run((*git, "fsck", "--full"), capture_output=True, check=False).returncode == 0


def test_no_checkout_is_ever_overwritten(shop) -> None:
    """A folder with anything in it is someone's work."""
    shop.checkout("F1")

    with pytest.raises(Broken, match="not empty"):
        anyio.run(shop.store.clone, shop.base, shop.folder / "F1")


def test_a_worker_in_one_clone_cannot_reach_another(shop) -> None:
    """Commits made in one clone are not in the store until they are taken over."""
    worker = shop.checkout("F1")
    commit = worker.commit("secret", app_py="x\n")

    assert anyio.run(shop.store.commit_of, commit) is None


# --- bundles ----------------------------------------------------------------------------------------------------


def test_importing_twice_is_the_same_as_once(shop) -> None:
    """After a power cut the import is simply done again."""
    worker = shop.checkout()
    worker.write("app.py", "print('two')\n")
    shop.pack(worker, message="Two instead of one")

    async def twice() -> tuple[str, str]:
        return await shop.take(), await shop.take()

    first, second = anyio.run(twice)
    assert first == second == anyio.run(shop.store.commit_of, "refs/attempts/F1/1")
    assert not list(shop.store.path.glob("incoming-*"))


def test_odd_names_travel_all_the_way(shop) -> None:
    """Spaces, line ends, quotes and stars in names arrive as they were."""
    worker = shop.checkout()
    for name in ODD_NAMES:
        worker.write(f"odd dir/{name}", f"in {name}\n")
    worker.write(".gitignore", "*.log\n")
    worker.write("debug.log", "no")
    shop.pack(worker)
    commit = anyio.run(shop.take)

    paths = {f"odd dir/{name}" for name in ODD_NAMES} | {".gitignore"}
    changed = anyio.run(shop.store.changed_files, shop.base, commit)

    assert {change.path for change in changed} == paths
    assert set(anyio.run(shop.store.files, commit)) == paths | {"README.md", "app.py"}
    for name in ODD_NAMES:
        assert anyio.run(shop.store.show, commit, f"odd dir/{name}") == f"in {name}\n".encode()
    odd = [entry for entry in anyio.run(shop.store.entries, commit) if entry.path.startswith("odd dir/")]
    assert anyio.run(shop.store.contents, odd) == {f"odd dir/{n}": f"in {n}\n".encode() for n in ODD_NAMES}


def test_a_bundle_that_lost_the_base_is_refused(shop) -> None:
    """Work that does not build on where it began is not taken over, and leaves nothing behind."""
    first = _commit(shop, "F1", app_py="print('two')\n")
    worker = shop.checkout("F2")
    worker.commit("unrelated to F1", app_py="print('other')\n")
    shop.pack(worker)

    with pytest.raises(GiveUp, match="does not contain"):
        anyio.run(shop.take, "refs/attempts/F2", first)
    assert anyio.run(shop.store.commit_of, "refs/attempts/F2") is None


def test_a_bundle_of_strange_history_is_refused(shop, tmp_path: Path) -> None:
    """A repository with other roots, however well made, is not the work that was asked for."""
    (tmp_path / "strange").mkdir()
    subprocess.run(("git", "init", "-q"), cwd=tmp_path / "strange", check=True)
    stranger = type(shop.person)(tmp_path / "strange")
    stranger.commit("other", app_py="x\n")
    stranger.git("bundle", "create", "-q", str(shop.bundle), "HEAD")

    with pytest.raises(GiveUp, match="does not contain"):
        anyio.run(shop.take)


@pytest.mark.parametrize("kind", ["garbage", "empty", "symlink", "pipe", "folder", "missing", "cut off"])
def test_what_is_no_bundle_is_refused(shop, kind: str) -> None:
    """Whatever a worker leaves at the bundle's place: no link is followed, no pipe is waited for."""
    worker = shop.checkout()
    worker.write("app.py", "print('two')\n" * 999)
    shop.pack(worker)
    whole = shop.bundle.read_bytes()
    shop.bundle.unlink()
    match kind:
        case "garbage":
            shop.bundle.write_bytes(b"\x00\xff" * 999)
        case "empty":
            shop.bundle.touch()
        case "symlink":
            (shop.folder / "real").write_bytes(whole)
            shop.bundle.symlink_to(shop.folder / "real")
        case "pipe":
            os.mkfifo(shop.bundle)
        case "folder":
            shop.bundle.mkdir()
        case "cut off":
            shop.bundle.write_bytes(whole[:-30])
        case _:
            pass

    with pytest.raises(GiveUp, match="bundle"):
        anyio.run(shop.take)
    assert anyio.run(shop.store.commit_of, "refs/attempts/F1/1") is None
    assert not list(shop.store.path.glob("incoming-*"))


def _tree(worker, entries: list[tuple[str, str, str]]) -> str:
    """Writes a tree object byte by byte, as no well-behaved git would."""
    content = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(hash_) for mode, name, hash_ in entries)
    made = subprocess.run(
        ("git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"),
        cwd=worker.top, input=content, capture_output=True, check=True,
    )  # fmt: skip
    return made.stdout.decode().strip()


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", "..", ".", "/etc", "a/b", ".g\u200cit"])
def test_trees_with_dangerous_paths_are_refused(shop, name: str) -> None:
    """Paths that would write into git's own folder, or out of the checkout, never enter the store."""
    worker = shop.checkout()
    blob = worker.git("rev-parse", "HEAD:app.py")
    inner = _tree(worker, [("100755", "post-checkout", blob)])
    outer = _tree(worker, [("40000", name, inner)])
    commit = worker.git("commit-tree", outer, "-p", "HEAD", "-m", "evil")
    worker.git("update-ref", "HEAD", commit)
    worker.git("bundle", "create", "-q", str(shop.bundle), "HEAD", f"^{shop.base}")

    with pytest.raises(GiveUp, match=r"dangerous|break git's rules|cannot be taken over"):
        anyio.run(shop.take)
    assert anyio.run(shop.store.commit_of, commit) is None


def test_evil_that_was_undone_in_a_later_commit_is_refused_too(shop) -> None:
    """All of the new history is checked, not only its end."""
    worker = shop.checkout()
    blob, clean = worker.git("rev-parse", "HEAD:app.py"), worker.git("rev-parse", "HEAD^{tree}")
    evil = _tree(worker, [("40000", ".git", _tree(worker, [("100644", "config", blob)]))])
    first = worker.git("commit-tree", evil, "-p", "HEAD", "-m", "evil")
    worker.git("update-ref", "HEAD", worker.git("commit-tree", clean, "-p", first, "-m", "nothing happened"))
    worker.git("bundle", "create", "-q", str(shop.bundle), "HEAD", f"^{shop.base}")

    with pytest.raises(GiveUp, match="break git's rules"):
        anyio.run(shop.take)


def test_a_bundle_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    """A worker cannot fill the host's disk."""
    (tmp_path / "big").write_bytes(b"x" * 2048)
    with pytest.raises(GiveUp, match="larger than 1,024 bytes"):
        copy_bundle(tmp_path / "big", tmp_path / "copy", limit=1024)


# --- reading ----------------------------------------------------------------------------------------------------


def test_changes_are_told_whole(shop) -> None:
    """Added, modified, deleted, retyped, binary, made executable; a rename hides nothing."""
    worker = shop.checkout()
    worker.commit("one", renamed_txt="a text that is long enough to be found again\n", retyped_txt="x\n", mode_sh="x\n")
    base = worker.git("rev-parse", "HEAD")
    worker.write("app.py", "print('two')\nprint('three')\n")
    (worker.top / "README.md").unlink()
    (worker.top / "renamed.txt").rename(worker.top / "moved.txt")
    (worker.top / "retyped.txt").unlink()
    (worker.top / "retyped.txt").symlink_to("/etc/passwd")
    (worker.top / "mode.sh").chmod(0o755)
    (worker.top / "image.png").write_bytes(b"\x89PNG\0\0")
    shop.pack(worker)
    commit = anyio.run(shop.take)

    changed = anyio.run(shop.store.changed_files, base, commit)
    diff = anyio.run(shop.store.diff, base, commit)

    def change(path: str, status: str, counts: tuple[int | None, int | None], modes: tuple[str, str]) -> ChangedFile:
        added, removed = counts
        before, after = modes
        return ChangedFile(
            path=path, status=status, lines_added=added, lines_removed=removed, mode_before=before, mode_after=after
        )  # pyright: ignore[reportArgumentType]

    plain, runs, none, link = "100644", "100755", "000000", "120000"
    assert changed == (
        change("README.md", "deleted", (0, 1), (plain, none)),
        change("app.py", "modified", (2, 1), (plain, plain)),
        change("image.png", "added", (None, None), (none, plain)),
        change("mode.sh", "modified", (0, 0), (plain, runs)),
        change("moved.txt", "added", (1, 0), (none, plain)),
        change("renamed.txt", "deleted", (0, 1), (plain, none)),
        change("retyped.txt", "retyped", (1, 1), (plain, link)),
    )
    assert "+print('three')" in diff
    assert "rename from renamed.txt" in diff


def test_attributes_cannot_hide_a_change_from_a_reviewer(shop) -> None:
    """A worker who calls its source binary in .gitattributes hides nothing."""
    commit = _commit(shop, "F1", _gitattributes="", app_py="print('backdoor')\n")
    worker = shop.checkout("F2", commit)
    worker.write(".gitattributes", "*.py -diff\n")
    worker.write("app.py", "print('hidden backdoor')\n")
    shop.pack(worker, commit)
    hidden = anyio.run(shop.take, "refs/attempts/F2", commit)

    assert "+print('hidden backdoor')" in anyio.run(shop.store.diff, commit, hidden)


def test_show_tells_a_missing_file_from_a_missing_commit(shop) -> None:
    """No file is a value; no commit is a broken promise."""

    async def shown() -> list[bytes | None]:
        paths = ("README.md", "nope.md", "", ".", "../README.md", "README.md/x")
        return [await shop.store.show(shop.base, path) for path in paths]

    assert anyio.run(shown) == [b"# App\n", None, None, None, None, None]
    with pytest.raises(Broken):
        anyio.run(shop.store.show, "1" * 40, "README.md")


def test_words_are_found_where_they_stand_alone(shop) -> None:
    """In any text of the commit but those left out, whatever their names; a part of a longer word is none."""
    files = {"app_py": "one = two", "*_md": "three, twofold", "blob_bin": "four\0"}
    commit = _commit(shop, "words", **files)

    async def mentioned(*outside: str) -> frozenset[str]:
        return await shop.store.mentioned(commit, ("one", "two", "three", "four", "-x"), outside=outside)

    assert anyio.run(mentioned) == {"one", "two", "three"}
    assert anyio.run(mentioned, "*.md") == {"one", "two"}
    assert anyio.run(mentioned, "app.py", "*.md") == frozenset()
    with pytest.raises(Broken):
        anyio.run(lambda: shop.store.mentioned("1" * 40, ("one",), outside=()))


def test_files_read_at_once_are_those_read_one_by_one(shop) -> None:
    """Neither line ends nor bytes of any kind move the border between one file and the next."""
    worker = shop.checkout()
    for name, content in (("empty", ""), ("lines", "\n\n0 blob 1\n"), ("open", "no end"), ("odd", "\0\r\n")):
        worker.write(name, content)
    shop.pack(worker)
    commit = anyio.run(shop.take)

    entries = anyio.run(shop.store.entries, commit)
    found = anyio.run(shop.store.contents, entries)

    assert found == {one.path: anyio.run(shop.store.show, commit, one.path) for one in entries}
    assert anyio.run(shop.store.contents, ()) == {}


def test_a_submodule_is_no_file(person, make_shop) -> None:
    """A submodule entry travels untouched, stays empty in checkouts, and is not listed among the files."""
    person.git("submodule", "--quiet", "add", str(person.top), "vendored")
    person.commit("with a submodule")
    shop = make_shop(person.top)

    commit = _commit(shop, "F1", new_txt="x\n")

    assert "vendored" not in anyio.run(shop.store.files, commit)
    assert anyio.run(shop.store.show, commit, "vendored") is None
    assert [entry.path for entry in anyio.run(shop.store.entries, commit) if entry.mode == "160000"] == ["vendored"]
    assert [change.path for change in anyio.run(shop.store.changed_files, shop.base, commit)] == ["new.txt"]


def test_the_same_content_has_the_same_tree(shop) -> None:
    """Two histories with one result are told to be equal."""
    first = _commit(shop, "F1", app_py="print('two')\n")
    second = _commit(shop, "F2", app_py="print('two')\n", README_md="# App\n")

    assert anyio.run(shop.store.tree, first) == anyio.run(shop.store.tree, second)
    assert anyio.run(shop.store.tree, first) != anyio.run(shop.store.tree, shop.base)


def test_scripts_that_are_added_can_be_run(shop) -> None:
    """What begins as a program is one, as it was when it was judged."""

    async def story() -> list[str]:
        files = {"check.sh": b"#!/bin/sh\n", "notes.txt": b"no program\n"}
        entries = await shop.store.entries(await shop.store.with_files(shop.base, files, "Checks"))
        return [entry.mode for entry in entries if entry.path in files]

    assert anyio.run(story) == ["100755", "100644"]


# --- landing and merging ----------------------------------------------------------------------------------------


def test_landing_twice_is_the_same_as_once_and_never_overwrites(shop) -> None:
    """Compare and swap: again is fine, from elsewhere is not."""
    first = _commit(shop, "F1", app_py="print('two')\n")
    other = _commit(shop, "F2", app_py="print('three')\n")
    ref = "refs/heads/mission"

    async def land() -> str | None:
        await shop.store.land(ref, first, None)
        await shop.store.land(ref, first, None)
        return await shop.store.commit_of(ref)

    assert anyio.run(land) == first
    for expected in (None, shop.base):
        with pytest.raises(Broken, match="does not move"):
            anyio.run(shop.store.land, ref, other, expected)
    anyio.run(shop.store.land, ref, other, first)
    assert anyio.run(shop.store.commit_of, ref) == other


def test_merging_is_deterministic_and_knows_what_is_contained(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same parents give the same commit, whatever the clock says; what contains the other needs no merge."""
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-02-02T02:02:02Z")
    ours = _commit(shop, "F1", one_py="1\n")
    theirs = _commit(shop, "F2", two_py="2\n")

    async def merges() -> list[str | Conflict]:
        pairs = ((ours, theirs), (ours, theirs), (shop.base, ours), (ours, shop.base))
        return [await shop.store.merge(*pair) for pair in pairs]

    first, second, forward, contained = anyio.run(merges)

    assert first == second
    assert (forward, contained) == (ours, ours)
    assert isinstance(first, str)
    later_parent = anyio.run(shop.store.git, "show", "-s", "--format=%ct", ours, theirs).text.split()
    assert anyio.run(shop.store.git, "show", "-s", "--format=%at %ct", first).text.split() == later_parent
    assert anyio.run(shop.store.files, first) == ("README.md", "app.py", "one.py", "two.py")


def test_a_conflict_is_a_value(shop) -> None:
    """Two workers on one line, and one who deletes what the other changes, under names of all kinds."""
    worker = shop.checkout("F0")
    worker.write("odd\nname.txt", "1\n")
    shop.pack(worker)
    base = anyio.run(shop.take, "refs/attempts/F0")
    ours = shop.checkout("F1", base)
    ours.write("app.py", "print('ours')\n")
    (ours.top / "odd\nname.txt").unlink()
    shop.pack(ours, base)
    mine = anyio.run(shop.take, "refs/attempts/F1", base)
    theirs = shop.checkout("F2", base)
    theirs.write("app.py", "print('theirs')\n")
    theirs.write("odd\nname.txt", "2\n")
    shop.pack(theirs, base)
    other = anyio.run(shop.take, "refs/attempts/F2", base)

    assert anyio.run(shop.store.merge, mine, other) == Conflict(paths=("app.py", "odd\nname.txt"))


def test_an_origin_that_is_gone_is_named(shop) -> None:
    """The store borrows from the person's repository, and says so when that has moved."""
    shop.person.top.rename(shop.folder / "moved away")

    with pytest.raises(Broken, match="is gone"):
        anyio.run(Store.open, shop.store.path)


def test_the_persons_repository_is_untouched_by_a_whole_mission(shop) -> None:
    """Until something is delivered, nothing about it changes."""
    shop.person.write("app.py", "print('dirty')\n")
    before = shop.person.everything()
    first = _commit(shop, "F1", one_py="1\n")
    _commit(shop, "F2", first, two_py="2\n")

    assert shop.person.everything() == before
    assert anyio.run(private_git(shop.person.top / ".git").commit_of, first) is None
    assert anyio.run(Origin.open, shop.person.top) == shop.origin
