"""Runs a fixed program in the sandbox and reads what it said. It does not know what the program is for."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Sandbox

MOST = 8 << 20
"""More than this is never read of a program's answer."""
TIMEOUT_S = 60.0
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "GIT_OPTIONAL_LOCKS": "0"}


async def said(sandbox: Sandbox, spool: Path, *words: str) -> tuple[int, str]:
    """The exit code and the text of a program; no words of ours ever pass through a shell."""
    with spooled(spool) as output:
        finished = await sandbox.run(words, output=output, timeout_s=TIMEOUT_S, environment=_ENVIRONMENT)
        if finished.timed_out:
            raise AskModelAgain(f"{words[0]} took longer than {TIMEOUT_S:.0f} s; narrow it to a folder or file")
        with output.open("rb") as file:
            return finished.exit_code, file.read(MOST).decode("utf-8", "replace")


@contextmanager
def spooled(spool: Path) -> Generator[Path]:
    """A place in the spool folder for one output, cleared afterwards."""
    spool.mkdir(parents=True, exist_ok=True)
    output = spool / f"{uuid4().hex}.out"
    try:
        yield output
    finally:
        output.unlink(missing_ok=True)
