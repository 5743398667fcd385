"""The one sandbox there is, seen from the host: a runner behind a socket, whatever level keeps it in.

It does not know how a level is enforced: it is told which words start a runner, and what its environment is.
"""

import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.abc

from shopfloor.domain.errors import AskModelAgain, Broken, TryLater
from shopfloor.domain.fact import Fact
from shopfloor.sandbox.bubblewrap import ROOT
from shopfloor.sandbox.link import Exited, Lay, Link, Program, Read, Start, Write
from shopfloor.sandbox.process import RunningProcess
from shopfloor.sandbox.protocol import Finished, Level, View

START_S = 20.0
CLOSE_S = 10.0
LARGEST_OUTPUT = 1 << 30
STDERR_SHOWN = 2000


class Plan(Fact):
    """How to start a sandbox of some level, all decided: nothing is looked up any more."""

    level: Level
    root: str
    """The checkout's path as commands see it."""
    words: tuple[str, ...]
    """What starts the runner; in an arena, the runner of the outer shell."""
    environment: tuple[tuple[str, str], ...]
    """All that commands see."""
    shell: str
    views: tuple[tuple[View, tuple[str, ...]], ...] = ()
    """In an arena: what starts the runner of each view, from the outer shell."""
    judge_folder: str = ""
    """Where commands of a judge start: it has no checkout."""


class RunnerSandbox:
    """Commands and files of one sandbox. Made by `launch`."""

    def __init__(self, plan: Plan, link: Link, process: anyio.abc.Process, errors: BinaryIO) -> None:
        self._plan = plan
        self._outer = link
        self._process = process
        self._errors = errors
        self._views: dict[View, tuple[Link, Program]] = {}
        """The runners of an arena's views, each with the program of the outer shell that holds all of the view."""
        self._starting = anyio.Lock()
        self._opened: list[RunningProcess] = []

    @classmethod
    async def launch(cls, plan: Plan) -> "RunnerSandbox":
        """Starts the runner and waits for its first word. Broken if it does not come, with what it wrote."""
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = await anyio.open_process(
                plan.words, stdin=theirs.fileno(), stdout=errors, stderr=errors, env={}, cwd="/", start_new_session=True
            )
        sandbox = cls(plan, Link(ours, lambda: _last_words(errors)), process, errors)
        try:
            await sandbox._outer.ready(START_S)
        except BaseException:
            await sandbox.close()
            raise
        return sandbox

    @property
    def level(self) -> Level:
        return self._plan.level

    @property
    def root(self) -> str:
        return self._plan.root

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
        largest_output: int = LARGEST_OUTPUT,
    ) -> Finished:
        link = await self._link(view)
        program = Program(link)
        order = self._order(program, command, cwd, environment, view)
        order.limit = largest_output
        began = anyio.current_time()
        with _file_holding(stdin) as source, output.open("wb") as sink:
            await program.start(order, (source, sink.fileno()))
        exited, timed_out = await _until_exit(program, timeout_s)
        if exited.errno:
            raise TryLater(f"the output of a command could not be kept in {output}: {os.strerror(exited.errno)}", 30.0)
        return Finished(
            exit_code=exited.code,
            output=str(output),
            size=output.stat().st_size,
            seconds=anyio.current_time() - began,
            timed_out=timed_out,
            overflowed=bool(exited.overflowed),
        )

    async def open(
        self,
        command: str | Sequence[str],
        *,
        terminal: tuple[int, int] | None = None,
        cwd: str = "",
        environment: Mapping[str, str] | None = None,
        view: View = "app",
    ) -> RunningProcess:
        program = Program(await self._link(view))
        if terminal:
            order = self._order(program, command, cwd, {"TERM": "xterm-256color", **(environment or {})}, view)
            order.terminal = terminal
            (pty,) = await program.start(order, ())
            process = RunningProcess(program, pty, pty, terminal=True)
        else:
            process = await _open_with_pipes(program, self._order(program, command, cwd, environment, view))
        self._opened.append(process)
        return process

    async def read(self, path: str, limit: int) -> bytes:
        link = await self._link("app")
        with _naming(path):
            (fd,) = await link.ask(Read(id=link.next_id(), path=self._inside(path)))
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Broken(f"the runner sent something for {path!r} that is no file: do not trust this sandbox")
            return file.read(limit)

    async def write(self, path: str, data: bytes) -> None:
        link = await self._link("app")
        with _naming(path), _file_holding(data) as content:
            await link.ask(Write(id=link.next_id(), path=self._inside(path)), (content,))

    async def lay(self, files: Mapping[str, bytes]) -> None:
        link = await self._link("app")
        for path, data in files.items():
            if not _stays_below(path):
                raise Broken(f"cannot lay {path!r}: only a plain path inside the checkout can be laid over it")
            with _naming(path), _file_holding(data) as content:
                await link.ask(Lay(id=link.next_id(), root=self.root, path=path), (content,))

    async def renew(self) -> None:
        if "app" not in self._views:
            return
        link, program = self._views.pop("app")
        with anyio.CancelScope(shield=True):
            link.close()
            with anyio.move_on_after(CLOSE_S):
                await program.exit()
                return
        raise Broken(f"the app's side of an arena did not end within {CLOSE_S:g} s: start a new one")

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):
            for link in (*(link for link, _ in self._views.values()), self._outer):
                link.close()
            for process in self._opened:
                process.close()
            with anyio.move_on_after(CLOSE_S):
                await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
            await self._process.aclose()
            self._errors.close()

    async def _link(self, view: View) -> Link:
        """The runner that serves this view; a view of an arena starts when it is first used."""
        words = dict(self._plan.views).get(view)
        if words is None:
            return self._outer
        async with self._starting:
            if view not in self._views:
                self._views[view] = await self._start_view(words)
        return self._views[view][0]

    async def _start_view(self, words: tuple[str, ...]) -> tuple[Link, Program]:
        """A runner in a sandbox of its own, within the outer shell's network; its socket travels as standard input."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = Program(self._outer)
        order = Start(id=program.id, argv=words, cwd="/", env={"PATH": dict(self._plan.environment)["PATH"]})
        with theirs:
            await program.start(order, (theirs.fileno(), self._errors.fileno()))
        link = Link(ours, lambda: _last_words(self._errors))
        try:
            await link.ready(START_S)
        except BaseException:
            link.close()
            raise
        return link, program

    def _order(
        self,
        program: Program,
        command: str | Sequence[str],
        cwd: str,
        environment: Mapping[str, str] | None,
        view: View,
    ) -> Start:
        return Start(
            id=program.id,
            argv=(self._plan.shell, "-c", command) if isinstance(command, str) else tuple(command),
            cwd=self._folder(cwd, view),
            env={**dict(self._plan.environment), **(environment or {})},
        )

    def _folder(self, cwd: str, view: View) -> str:
        if view == "judge" and self._plan.views:
            return f"{self._plan.judge_folder}/{cwd}"
        folder = os.path.normpath(self._inside(cwd))
        if folder != self.root and not folder.startswith(self.root + "/"):
            raise AskModelAgain(f"the working folder {cwd!r} lies outside the checkout: give one inside it")
        return folder

    def _inside(self, path: str) -> str:
        """A path as the runner must open it: relative ones from the checkout, and `/repo` wherever that really is."""
        if path == ROOT or path.startswith(ROOT + "/"):
            path = path[len(ROOT) :].lstrip("/")
        return str(Path(self.root, path))


async def _until_exit(program: Program, timeout_s: float) -> tuple[Exited, bool]:
    """How it ended, and whether time had to end it. Whoever is cancelled here leaves nothing running."""
    try:
        with anyio.move_on_after(timeout_s):
            return await program.exit(), False
    finally:
        if not program.ended:
            await program.end()
    return await program.exit(), True


async def _open_with_pipes(program: Program, order: Start) -> RunningProcess:
    stdin, ours_in = os.pipe()
    ours_out, stdout = os.pipe()
    try:
        await program.start(order, (stdin, stdout))
    except BaseException:
        os.close(ours_in)
        os.close(ours_out)
        raise
    finally:
        os.close(stdin)
        os.close(stdout)
    return RunningProcess(program, ours_out, ours_in, terminal=False)


@contextlib.contextmanager
def _file_holding(data: bytes) -> Generator[int]:
    """An open file with that content which has no name anywhere."""
    fd = os.memfd_create("stdin", os.MFD_CLOEXEC) if data else os.open(os.devnull, os.O_RDONLY)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        if data:
            os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _naming(path: str) -> Generator[None]:
    """The runner answers with numbers: the error regains its words and the path that was asked for."""
    try:
        yield
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, path) from None


def _stays_below(path: str) -> bool:
    return all(step not in ("", ".", "..") for step in path.split("/"))


def _last_words(errors: BinaryIO) -> str:
    size = os.fstat(errors.fileno()).st_size
    words = os.pread(errors.fileno(), STDERR_SHOWN, max(0, size - STDERR_SHOWN)).decode(errors="replace").strip()
    return f"; it wrote: {words}" if words else ""
