"""Blobs: whole files named by the hash of their content, for what is too big to be a fact.

A blob is safe on disk before `put` returns, so an event that names it can follow at once.
All calls block; they may be made from any thread and from several processes. It does not know what is in a blob.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from shopfloor.domain.errors import Broken
from shopfloor.journal.durable import make_folder, sync_folder

CHUNK = 1 << 20
_HASH = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """A folder of blobs, spread over subfolders by the first two characters of their hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._safe: set[str] = set()
        """Blobs whose names this process knows to be flushed."""

    def put(self, data: bytes) -> str:
        """Keeps the bytes; their hash. Bytes kept before cost a hash and a stat."""
        name = hashlib.sha256(data).hexdigest()
        if not self._has(name, len(data)):
            self._write([data])
        return name

    def put_file(self, path: Path) -> str:
        """Keeps a copy of the file as it is read now; its hash.

        Never a rename of the original: a process that still writes to it would change the blob after its naming.
        """
        return self._write(_chunks_of(path))

    def get(self, name: str) -> bytes:
        """The bytes. Raises Broken when the blob is missing, or is not what its name says."""
        data = self.path(name).read_bytes()
        if hashlib.sha256(data).hexdigest() != name:
            raise Broken(f"blob {name!r} is torn: its {len(data)} bytes have another hash; restore it from a backup")
        return data

    def path(self, name: str) -> Path:
        """Where the blob lies, for reading only. Raises Broken when it is missing; what is in it is not checked."""
        path = self._place(name)
        if not path.is_file():
            raise Broken(f"blob {name!r} is missing from {str(self._folder)!r}; restore it from a backup")
        return path

    def _place(self, name: str) -> Path:
        if not _HASH.fullmatch(name):
            raise Broken(f"{name!r} is no blob's name; a name is 64 hexadecimal digits")
        return self._folder / name[:2] / name

    def _has(self, name: str, size: int) -> bool:
        path = self._place(name)
        try:
            whole = path.stat().st_size == size
        except (FileNotFoundError, NotADirectoryError):
            return False
        if whole and name not in self._safe:
            # Another process may have renamed it an instant ago and not yet flushed the folder.
            sync_folder(path.parent)
            self._safe.add(name)
        return whole

    def _write(self, chunks: Iterable[bytes]) -> str:
        """Under a passing name first, so that the real name never shows half a blob."""
        partial_folder = self._folder / "partial"
        make_folder(partial_folder)
        descriptor, partial = tempfile.mkstemp(dir=partial_folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                name = _copy(chunks, file)
            place = self._place(name)
            make_folder(place.parent)
            Path(partial).replace(place)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
        sync_folder(place.parent)
        self._safe.add(name)
        return name


def _copy(chunks: Iterable[bytes], file: BinaryIO) -> str:
    """Writes and flushes the chunks; the hash of what was written."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
