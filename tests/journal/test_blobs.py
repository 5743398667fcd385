"""Blobs: what was put is got, or the loss has a name."""

import hashlib
import threading
from pathlib import Path

import pytest

from shopfloor.domain.errors import Broken
from shopfloor.journal.blobs import CHUNK, Blobs


def test_what_was_put_is_got(tmp_path: Path) -> None:
    """Bytes come back under the hash of their content, also to another process, from a place sharded by two signs."""
    name = Blobs(tmp_path / "blobs").put(b"a screenshot")
    assert name == hashlib.sha256(b"a screenshot").hexdigest()
    assert Blobs(tmp_path / "blobs").get(name) == b"a screenshot"
    assert Blobs(tmp_path / "blobs").path(name) == tmp_path / "blobs" / name[:2] / name


def test_a_file_is_copied_as_it_is_now(tmp_path: Path) -> None:
    """A file of several chunks is kept whole; who goes on writing to the original does not touch the blob."""
    original, data = tmp_path / "output", b"0123456789abcdef" * (CHUNK // 10)
    original.write_bytes(data)
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put_file(original)
    with original.open("ab") as still_open:
        still_open.write(b"and more")

    assert blobs.get(name) == data
    assert name == blobs.put(data)


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    """Putting again writes nothing: the file stays the very same."""
    blobs = Blobs(tmp_path)
    (tmp_path / "file").write_bytes(b"twice")
    name = blobs.put(b"twice")
    before = blobs.path(name).stat()
    assert {blobs.put(b"twice"), Blobs(tmp_path).put(b"twice")} == {name}
    after = blobs.path(name).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("torn", [b"", b"whole but for the en", b"whole but for the END"])
def test_a_torn_blob_is_named_never_returned(tmp_path: Path, torn: bytes) -> None:
    """A blob whose bytes are not those of its name is broken, whether it lost some or they changed."""
    blobs = Blobs(tmp_path)
    name = blobs.put(b"whole but for the end")
    blobs.path(name).write_bytes(torn)
    with pytest.raises(Broken, match=f"blob '{name}' is torn"):
        blobs.get(name)


def test_putting_mends_a_blob_that_lost_its_end(tmp_path: Path) -> None:
    """The right bytes, put again, replace a file that is too short."""
    blobs = Blobs(tmp_path)
    name = blobs.put(b"whole")
    blobs.path(name).write_bytes(b"who")
    blobs.put(b"whole")
    assert blobs.get(name) == b"whole"


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    """What was never put, or was lost, is broken under its name."""
    name = hashlib.sha256(b"never put").hexdigest()
    for ask in (Blobs(tmp_path).get, Blobs(tmp_path).path):
        with pytest.raises(Broken, match=f"blob '{name}' is missing"):
            ask(name)


@pytest.mark.parametrize("name", ["", "../../secret", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_is_a_name(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder."""
    with pytest.raises(Broken, match="is no blob's name"):
        Blobs(tmp_path).get(name)


def test_nothing_is_left_of_a_file_that_could_not_be_read(tmp_path: Path) -> None:
    """A copy that fails leaves no partial file behind."""
    with pytest.raises(FileNotFoundError):
        Blobs(tmp_path / "blobs").put_file(tmp_path / "no such file")
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_many_threads_may_put_the_same_bytes(tmp_path: Path) -> None:
    """Whoever comes first, the blob is whole and nobody fails."""
    blobs, names = Blobs(tmp_path), list[str]()
    threads = [threading.Thread(target=lambda: names.append(blobs.put(b"shared" * 1000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8
    assert len(set(names)) == 1
    assert blobs.get(names[0]) == b"shared" * 1000


def test_a_place_that_cannot_hold_blobs_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is said, with what to do."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Broken, match="cannot be made"):
        Blobs(tmp_path / "taken" / "blobs").put(b"x")
