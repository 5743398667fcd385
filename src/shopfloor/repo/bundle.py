"""How work leaves a sandbox: as one file, made inside by a script and copied outside as nothing but bytes.

It does not know who runs the script. The script trusts nothing that a worker may have done to `/repo/.git`.
"""

import os
import shlex
import stat
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from shopfloor.domain.errors import GiveUp

_SCRIPT = Path(__file__).with_name("bundle.sh")

LARGEST_BUNDLE = 1 << 30
MESSAGE_VARIABLE = "SHOPFLOOR_MESSAGE"
"""The environment variable in which the commit's message travels into the sandbox."""


class BundleExit(IntEnum):
    """How the script ends. Every exit but the first leaves its reason in the output, in words for the worker."""

    BUNDLED = 0
    NOTHING_NEW = 3
    NO_REPOSITORY = 4
    UNFINISHED = 5
    BASE_LOST = 6
    GIT_FAILED = 7


def bundle_command(base: str, into: str, *, commit_everything: bool) -> str:
    """The shell text that packs all commits since `base`, up to HEAD, into the file `into`; see BundleExit.

    Run it in the checkout's root. With `commit_everything`, what is not committed and not ignored is committed
    first, with the message in $SHOPFLOOR_MESSAGE.
    """
    settings = (
        f"base={shlex.quote(base)}",
        f"bundle={shlex.quote(into)}",
        f"commit_everything={'yes' if commit_everything else 'no'}",
    )
    return "\n".join((*settings, _SCRIPT.read_text("utf-8")))


def copy_bundle(source: Path, target: Path, limit: int = LARGEST_BUNDLE) -> None:
    """Copies a file that a worker may have made; follows no link, waits for no pipe, stops at `limit` bytes."""
    with _open_ordinary(source) as incoming, target.open("xb") as outgoing:
        left = limit
        while chunk := incoming.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                raise GiveUp(f"The bundle {str(source)!r} is larger than {limit:,} bytes; keep big files out of git")
            outgoing.write(chunk)


def _open_ordinary(source: Path) -> BinaryIO:
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise GiveUp(f"The bundle {str(source)!r} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise GiveUp(f"The bundle {str(source)!r} is no ordinary file, so it is not opened")
    return os.fdopen(handle, "rb")
