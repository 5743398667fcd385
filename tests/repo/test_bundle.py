"""How work leaves a sandbox, whatever a worker has done to its `.git`. The host itself never runs git in there."""

import shutil
import subprocess
from pathlib import Path

import anyio
import pytest

from shopfloor.repo.bundle import BundleExit, bundle_command


def test_uncommitted_work_is_committed_when_asked(shop) -> None:
    """Changed, new and deleted files go into one commit with the message given; ignored ones stay out."""
    worker = shop.checkout()
    worker.write("app.py", "print('two')\n")
    worker.write("new dir/new.py", "x = 1\n")
    worker.write(".gitignore", "*.log\n")
    worker.write("noise.log", "x")
    (worker.top / "README.md").unlink()

    assert shop.pack(worker, message='It\'s done: "two" $HOME\n\nBecause.')[0] == BundleExit.BUNDLED
    commit = anyio.run(shop.take)

    assert anyio.run(shop.store.files, commit) == (".gitignore", "app.py", "new dir/new.py")
    shown = anyio.run(shop.store.git, "show", "-s", "--format=%an|%B", commit).text
    assert shown.strip() == 'shopfloor|It\'s done: "two" $HOME\n\nBecause.'


def test_without_being_asked_only_commits_travel(shop) -> None:
    """What lies around uncommitted stays where it is."""
    worker = shop.checkout()
    commit = worker.commit("two", app_py="print('two')\n")
    worker.write("left.py", "x")

    assert shop.pack(worker, commit_everything=False)[0] == BundleExit.BUNDLED
    assert anyio.run(shop.take) == commit


@pytest.mark.parametrize("commit_everything", [True, False])
def test_nothing_new_is_an_answer(shop, commit_everything: bool) -> None:
    """An untouched checkout ends with its own code, and makes no file."""
    code, words = shop.pack(shop.checkout(), commit_everything=commit_everything)

    assert (code, "nothing new" in words) == (BundleExit.NOTHING_NEW, True)
    assert not shop.bundle.exists()


def test_a_detached_head_travels_as_well(shop) -> None:
    """What counts is where the worker stands, under whatever name or none."""
    worker = shop.checkout()
    worker.git("switch", "-q", "--detach")
    worker.write("app.py", "print('two')\n")

    assert shop.pack(worker)[0] == BundleExit.BUNDLED
    assert anyio.run(shop.store.show, anyio.run(shop.take), "app.py") == b"print('two')\n"


def test_work_on_another_branch_travels_as_well(shop) -> None:
    """A worker may make branches and merge them."""
    worker = shop.checkout()
    worker.git("switch", "-q", "-c", "idea")
    worker.commit("idea", idea_py="x\n")
    worker.git("switch", "-q", "work")
    worker.commit("other", other_py="x\n")
    worker.git("merge", "-q", "--no-edit", "idea")

    assert shop.pack(worker)[0] == BundleExit.BUNDLED
    assert anyio.run(shop.store.files, anyio.run(shop.take)) == ("README.md", "app.py", "idea.py", "other.py")


def test_a_lock_that_a_dead_git_left_stops_nobody(shop) -> None:
    """Whoever was killed while git was at work left one; nobody else is at work in the checkout when it is packed."""
    worker = shop.checkout()
    (worker.top / ".git" / "index.lock").touch()
    (worker.top / "app.py").write_text("x")

    assert shop.pack(worker)[0] == BundleExit.BUNDLED


@pytest.mark.parametrize(
    ("deed", "code", "words"),
    [
        ("rm -rf .git", BundleExit.NO_REPOSITORY, ".git is gone"),
        ("mv .git ../hidden; echo 'gitdir: ../hidden' > .git", BundleExit.NO_REPOSITORY, "is no folder"),
        ("mv .git ../hidden; ln -s ../hidden .git", BundleExit.NO_REPOSITORY, "is no folder"),
        ("echo '[[[' > .git/config", BundleExit.NO_REPOSITORY, "repair .git"),
        ("rm .git/HEAD", BundleExit.NO_REPOSITORY, "repair .git"),
        ("rm -rf .git/objects/pack", BundleExit.NO_REPOSITORY, "repair .git"),
        ("git switch -q --orphan new", BundleExit.NO_REPOSITORY, "repair .git"),
        ("git checkout -q --orphan new; git commit -qm new --allow-empty", BundleExit.BASE_LOST, "rebase the work"),
        ("git commit -q --amend -m other", BundleExit.BASE_LOST, "rebase the work"),
        ("mkdir .git/index.lock; echo x > app.py", BundleExit.GIT_FAILED, "index.lock"),
        ("touch .git/MERGE_HEAD", BundleExit.UNFINISHED, "half done"),
        ("mkdir .git/rebase-merge", BundleExit.UNFINISHED, "half done"),
    ],
)
def test_a_broken_repository_ends_with_its_own_code_and_words(shop, deed: str, code: int, words: str) -> None:
    """Whatever a worker broke, the words tell it what to mend, and no bundle is made."""
    worker = shop.checkout()
    subprocess.run(("sh", "-c", deed), cwd=worker.top, check=True, capture_output=True)

    ended, said = shop.pack(worker)

    assert (ended, words in said) == (code, True), said
    assert not shop.bundle.exists()


def test_a_deleted_git_folder_never_leads_to_the_repository_around_it(shop) -> None:
    """A checkout inside another repository: that one is not taken for the worker's."""
    worker = shop.checkout("project/nested")
    shutil.rmtree(worker.top / ".git")
    before = shop.person.everything()

    assert shop.pack(worker)[0] == BundleExit.NO_REPOSITORY
    assert shop.person.everything() == before


def test_a_real_rebase_left_half_way_is_named(shop) -> None:
    """Files in conflict never become a commit with conflict markers in it."""
    worker = shop.checkout()
    worker.git("switch", "-q", "-c", "other")
    worker.commit("other", app_py="print('other')\n")
    worker.git("switch", "-q", "work")
    worker.commit("mine", app_py="print('mine')\n")
    worker.git("rebase", "other", check=False)

    code, words = shop.pack(worker)

    assert (code, ".git/rebase-merge" in words) == (BundleExit.UNFINISHED, True)
    shutil.rmtree(worker.top / ".git" / "rebase-merge")
    assert shop.pack(worker)[0] == BundleExit.UNFINISHED


def test_a_hostile_git_folder_runs_nothing(shop, tmp_path: Path) -> None:
    """Hooks, fsmonitor, includes, aliases, editors and signers set by a worker: none is started by taking over."""
    worker = shop.checkout()
    worker.commit("good work", app_py="print('two')\n")
    witness = tmp_path / "witness"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\necho ran >> {witness}\n")
    evil.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n")
    (worker.top / ".git" / "config").write_text(
        f"""[core]
    repositoryformatversion = 0
    bare = false
    fsmonitor = {evil}
    hooksPath = {tmp_path}/hooks
    pager = {evil}
    editor = {evil}
    alternateRefsCommand = {evil}
    worktree = {tmp_path}
[include]
    path = {included}
[alias]
    add = !{evil}
    bundle = !{evil}
[commit]
    gpgSign = true
[gpg]
    program = {evil}
[diff]
    external = {evil}
[uploadpack]
    packObjectsHook = {evil}
[pager]
    bundle = {evil}
"""
    )
    for folder in (tmp_path / "hooks", worker.top / ".git" / "hooks"):
        folder.mkdir()
        for name in ("pre-commit", "post-commit", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
            shutil.copy(evil, folder / name)
    worker.write("more.py", "x = 1\n")

    code, words = shop.pack(worker)
    commit = anyio.run(shop.take)

    assert code == BundleExit.BUNDLED, words
    assert anyio.run(shop.store.files, commit) == ("README.md", "app.py", "more.py")
    assert not witness.exists()


def test_filters_of_a_worker_never_run_on_the_host(shop, tmp_path: Path) -> None:
    """Attributes travel with the work, the programs they name do not: a judge's clone runs none of them."""
    worker = shop.checkout()
    worker.write(".gitattributes", "*.py filter=evil merge=evil diff=evil\n")
    worker.write("app.py", "print('two')\n")
    shop.pack(worker)
    commit = anyio.run(shop.take)
    (tmp_path / "home" / ".gitconfig").write_text(f'[filter "evil"]\n\tsmudge = touch {tmp_path}/witness\n')

    judge = shop.checkout("judge", commit)

    assert (judge.top / "app.py").read_text() == "print('two')\n"
    assert not (tmp_path / "witness").exists()


def test_variables_of_the_sandbox_do_not_mislead_it(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_DIR and its kin, left in the sandbox's environment, point nowhere."""
    worker = shop.checkout()
    worker.write("app.py", "print('two')\n")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, "/nowhere")

    assert shop.pack(worker)[0] == BundleExit.BUNDLED


def test_paths_are_quoted(tmp_path: Path) -> None:
    """Whatever the path of the bundle, the shell takes it as one word."""
    command = bundle_command("a" * 40, "/tmp/it's; touch x", commit_everything=True)

    assert command.splitlines()[1] == """bundle='/tmp/it'"'"'s; touch x'"""
