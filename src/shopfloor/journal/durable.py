"""Folders whose names survive a power cut: a new name is safe only once the folder that holds it is flushed.

It does not know what is kept in them.
"""

import os
from pathlib import Path

from shopfloor.domain.errors import Broken


def make_folder(folder: Path) -> None:
    """Makes the folder and those above it, and flushes each name. Raises Broken when that is not allowed."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    except OSError as trouble:
        raise Broken(f"folder {str(folder)!r} cannot be made: {trouble.strerror}; choose another folder") from trouble


def sync_folder(folder: Path) -> None:
    """Flushes the folder's names to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
