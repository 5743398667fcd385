"""Folders whose names survive a power cut: a new name is safe only once the folder that holds it is flushed.

It does not know what is kept in them.
"""

import os
from pathlib import Path

from shopfloor.domain.errors import Unwritable


def make_folder(folder: Path) -> None:
    """Makes the folder and those above it, and flushes each name. Raises Unwritable when that is not allowed."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    except OSError as trouble:
        message = f"folder {str(folder)!r} cannot be made: {trouble.strerror}; choose another folder"
        raise Unwritable(message) from trouble


def sync_everything_under(folder: Path) -> None:
    """Flushes the whole file system that the folder lies in: one call for a checkout of many thousand files."""
    import ctypes  # only here, and not at start-up

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Flushes the folder's names to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
