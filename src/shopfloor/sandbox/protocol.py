"""What every sandbox can do, whatever it is made of. One conformance suite holds them all to it.

Bytes travel as open file descriptors, never through a message: the output of a command goes from its pipe into a file
of the host that the command itself never holds. So it is whole on disk at any size, nobody can be flooded by it, and
what was once written cannot be rewritten from inside. It does not know what any sandbox is made of.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from shopfloor.domain.fact import Fact

Level: TypeAlias = Literal["bubblewrap", "none"]
"""What really holds: `bubblewrap` is enforced by the kernel, `none` is a plain process of the user."""

View: TypeAlias = Literal["app", "judge"]
"""Which mounts a process of an arena sees: `app` has the checkout, `judge` has none of it. Both share one network."""


class Mount(Fact):
    """A host folder or file shown inside, read-only unless said otherwise.

    In an arena, `view` shows it to that view alone: what a judge writes must not be the app's to change.
    """

    source: str
    target: str
    writable: bool = False
    view: View | None = None


class Blueprint(Fact):
    """What to build: which checkout, what else is seen, whether it is an arena.

    The checkout is always seen as `/repo` where the sandbox can (level `bubblewrap`), else at its own path.
    `environment` is all that commands see besides PATH, HOME, LANG, TERM, TMPDIR, the worker's name and what git and
    toolchains need to find themselves: nothing of the host's leaks in.
    """

    checkout: str
    mounts: tuple[Mount, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    arena: bool = False
    writable: bool = True
    network: bool = False
    """The host's network, for setting up dependencies where policy allows it. An arena never has it."""
    path_first: tuple[str, ...] = ()
    """Folders, as seen inside, that come before all others in PATH."""


class Finished(Fact):
    """How a command ended. `exit_code` is 128 + signal for a killed one. The whole output lies in `output`."""

    exit_code: int
    output: str
    """Path of the host file that holds standard output and error, interleaved as written."""
    size: int
    seconds: float
    timed_out: bool = False
    overflowed: bool = False


class Process(Protocol):
    """A long-lived process inside. Killed with everything it started when the sandbox closes."""

    async def read(self, limit: int = 65536) -> bytes:
        """Waits for output (standard error included); b"" at its end."""
        ...

    async def write(self, data: bytes) -> None:
        """Gives it input. Raises AskModelAgain when it no longer listens."""
        ...

    async def wait(self) -> int:
        """Waits for the end; its exit code."""
        ...

    async def kill(self) -> None:
        """TERM to its process group, KILL after two seconds."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Tells a terminal process its new size; Broken if it has no terminal."""
        ...


class Sandbox(Protocol):
    """One long-lived place where commands of an attempt, or of a judge, run."""

    @property
    def level(self) -> Level: ...

    @property
    def root(self) -> str:
        """The checkout's path as commands inside see it."""
        ...

    async def run(
        self,
        command: str | Sequence[str],
        *,
        output: Path,
        timeout_s: float,
        cwd: str = "",
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        view: View = "app",
    ) -> Finished:
        """Runs a shell command (text) or a program (words) to its end, in its own process group.

        `cwd` is relative to the checkout. Background processes it leaves keep running until the sandbox closes; a
        timeout kills its whole group. Cancelling kills the group too. A program that cannot be started is exit 127 or
        126 with words in the output. Raises AskModelAgain for a cwd outside the checkout or a command that no kernel
        takes, Broken when the sandbox itself died, TryLater when the host's disk is full.
        """
        ...

    async def open(
        self,
        command: str | Sequence[str],
        *,
        terminal: tuple[int, int] | None = None,
        cwd: str = "",
        environment: Mapping[str, str] | None = None,
        view: View = "app",
    ) -> Process:
        """Starts a long-lived process; with `terminal` (rows, columns) it gets a real pty of its own.

        Raises like `run`.
        """
        ...

    async def read(self, path: str, limit: int) -> bytes:
        """Up to `limit` bytes of a regular file, opened inside (so a symlink leads nowhere outside).

        Raises FileNotFoundError, IsADirectoryError, PermissionError, or OSError for anything that is no regular file.
        """
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Replaces a file's content, atomically, keeping its mode; makes missing folders. Raises like `read`."""
        ...

    async def lay(self, files: Mapping[str, bytes]) -> None:
        """Lays files over the checkout for judging: what stands in the way, symlinks too, gives way to real folders.

        Modes are ours, never the worker's: 755 for what starts with `#!`, else 644.
        """
        ...

    async def renew(self) -> None:
        """Ends every process of an arena's app, also what left its session; its home and temporary folders are empty.

        Whoever changes the checkout from outside calls this first: nobody is left who could swap a folder for a
        symlink meanwhile. Elsewhere than in an enforced arena nothing happens. Broken when they do not end.
        """
        ...

    async def close(self) -> None:
        """Ends every process inside. Idempotent."""
        ...
