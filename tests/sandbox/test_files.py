"""Files: every promise of `read`, `write` and `lay`, held by both levels."""

import os
import stat

import pytest

from shopfloor.domain.errors import Broken


def test_a_file_is_read_up_to_a_limit(live, checkout, level):
    """By its path in the checkout or below /repo, with any name, and never more than was asked for."""
    (checkout / "größe 日本.txt").write_bytes("ja 🏭".encode())
    (checkout / "big").write_bytes(b"x" * 3_000_000)

    async def story(sandbox):
        assert await sandbox.read("größe 日本.txt", 100) == "ja 🏭".encode()
        assert await sandbox.read("/repo/größe 日本.txt", 2) == b"ja"
        assert await sandbox.read(f"{sandbox.root}/big", 10_000_000) == b"x" * 3_000_000

    live(story, checkout, level)


def test_what_is_no_regular_file_is_refused_at_once(live, said, checkout, level):
    """A fifo without a writer, a device, a folder, a missing file: each its own error, none a wait."""
    os.mkfifo(checkout / "fifo")
    (checkout / "folder").mkdir()
    (checkout / "loop").symlink_to("loop")

    async def story(sandbox):
        for path, error in (
            ("fifo", OSError),
            ("/dev/zero", OSError),
            ("loop", OSError),
            ("folder", IsADirectoryError),
            ("missing", FileNotFoundError),
            ("folder/missing/deeper", FileNotFoundError),
        ):
            with pytest.raises(error) as caught:
                await sandbox.read(path, 10)
            assert caught.value.filename == path
        with pytest.raises(IsADirectoryError):
            await sandbox.write("folder", b"x")
        with pytest.raises(OSError, match="fifo"):
            await sandbox.write("fifo", b"x")
        with pytest.raises(NotADirectoryError):
            await sandbox.write("/dev/null/x", b"x")

    live(story, checkout, level)


def test_writing_replaces_the_content_and_keeps_the_mode(live, checkout, level):
    """A script stays executable, a private file private; a new one is ordinary, its folders are made."""
    (checkout / "script").write_text("old")
    (checkout / "script").chmod(0o755)
    (checkout / "private").write_text("old")
    (checkout / "private").chmod(0o600)

    async def story(sandbox):
        for path in ("script", "private", "new/deep/größe"):
            await sandbox.write(path, b"new \xff")

    live(story, checkout, level)
    modes = {path: stat.S_IMODE((checkout / path).stat().st_mode) for path in ("script", "private", "new/deep/größe")}
    assert modes == {"script": 0o755, "private": 0o600, "new/deep/größe": 0o644}
    assert {(checkout / path).read_bytes() for path in modes} == {b"new \xff"}
    assert sorted(path.name for path in checkout.iterdir()) == ["new", "private", "script"]


def test_writing_through_a_symlink_changes_what_it_points_to(live, checkout, level):
    """As an editor does: the link stays a link."""
    (checkout / "real").write_text("old")
    (checkout / "link").symlink_to("real")

    async def story(sandbox):
        await sandbox.write("link", b"new")

    live(story, checkout, level)
    assert ((checkout / "link").is_symlink(), (checkout / "real").read_text()) == (True, "new")


def test_a_reader_never_sees_half_a_file(live, said, checkout, level):
    """A file is replaced in one step: who has it open keeps the old one whole."""
    (checkout / "file").write_bytes(b"a" * 1_000_000)

    async def story(sandbox):
        with (checkout / "file").open("rb") as before:
            await sandbox.write("file", b"b" * 1_000_000)
            assert before.read() == b"a" * 1_000_000
        assert (checkout / "file").read_bytes() == b"b" * 1_000_000

    live(story, checkout, level)


def test_laid_files_stand_where_they_should_whatever_was_there(live, checkout, tmp_path, level):
    """Links, files and folders in the way give way; nothing is written through a link; modes are ours."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    (checkout / "linked").symlink_to(outside)
    (checkout / "dangling").symlink_to("/nowhere")
    (checkout / "file").write_text("in the way")
    (checkout / "test.py").symlink_to(outside / "victim")
    (checkout / "full" / "of" / "things").mkdir(parents=True)
    (checkout / "full" / "of" / "link").symlink_to(outside)
    (checkout / "mode.sh").write_text("")
    (checkout / "mode.sh").chmod(0o000)

    async def story(sandbox):
        await sandbox.lay(
            {
                "linked/victim": b"laid",
                "dangling/a": b"laid",
                "file/b/c": b"laid",
                "test.py": b"laid",
                "full": b"laid",
                "mode.sh": b"#!/bin/sh\n",
                "fresh/größe": b"laid",
            }
        )

    live(story, checkout, level)
    assert (outside / "victim").read_text() == "untouched"
    laid = ("linked/victim", "dangling/a", "file/b/c", "test.py", "full", "fresh/größe")
    assert {(checkout / path).read_text() for path in laid} == {"laid"}
    assert not [path for path in checkout.rglob("*") if path.is_symlink()]
    assert stat.S_IMODE((checkout / "mode.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((checkout / "test.py").stat().st_mode) == 0o644


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//x", "", "."])
def test_nothing_is_laid_outside_the_checkout(live, checkout, path):
    """Such a path is a bug of whoever sealed it."""

    async def story(sandbox):
        with pytest.raises(Broken, match="cannot lay"):
            await sandbox.lay({path: b"x"})

    live(story, checkout)


def test_a_checkout_that_may_only_be_read_cannot_be_written(live, said, checkout, enforced):
    """Neither by a command nor by `write`."""
    (checkout / "file").write_text("as it was")

    async def story(sandbox):
        code, words = await said(sandbox, "echo changed > file")
        assert (code, "Read-only" in words) == (1, True)
        with pytest.raises(OSError, match="Read-only"):
            await sandbox.write("file", b"changed")

    live(story, checkout, "bubblewrap", writable=False)
    assert (checkout / "file").read_text() == "as it was"
