"""Runs inside a sandbox: starts and ends programs, opens and writes files, for the host at the other end of one socket.

One file, standard library only, so that it starts in milliseconds wherever a Python is. The host speaks JSON with open
file descriptors beside it, one message a packet; answers are numbers alone. When the host goes, everything here ends.
It does not know which sandbox it is in, nor why a program runs.

    start {id, argv, cwd, env, limit, terminal}   [stdin, output]  ->  done (with the pty's other end), later exited
    kill  {id, target, signal}                                     ->  nothing
    read  {id, path}                                               ->  done, with the open file
    write {id, path}                              [content]        ->  done
    lay   {id, root, path}                        [content]        ->  done
"""

# Importing pathlib and contextlib would cost more than starting does.
# ruff: noqa: PTH103, PTH112, PTH113, PTH116, PTH118, PTH119, PTH120, PTH123, PTH208, SIM105

import ctypes
import errno
import json
import os
import select
import signal
import socket
import stat
import sys
import termios
import time
from collections.abc import Iterator

PACKET = 256 * 1024
PIPE = 64 * 1024
LARGEST_PIPE = 1024 * 1024
SET_DUMPABLE, SET_CHILD_SUBREAPER = 4, 36
USUAL_SIGNALS = [
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM,
    signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGXFSZ,
]  # fmt: skip


def main() -> None:
    host = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    keep_apart()
    Runner(host).serve()
    if os.getpid() != 1:
        end_all()
    os._exit(0)


def keep_apart() -> None:
    """No child may look into this process or end it politely; orphans come here rather than to the machine's init."""
    os.umask(0o022)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    libc = ctypes.CDLL(None)
    libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Runner:
    """The loop: a packet from the host, output of a program, or the end of a child."""

    def __init__(self, host: socket.socket) -> None:
        self.host = host
        self.leaders: dict[int, int] = {}  # id of a program -> its pid, which is also its session
        self.running: dict[int, int] = {}  # pid -> id, until reaped
        self.pumps: dict[int, Pump] = {}  # id -> what carries its output, until it has ended
        self.pump_of: dict[int, Pump] = {}  # file descriptor -> the same, while somebody may still write
        self.poll = select.poll()
        self.children = self.listen_for_children()
        self.poll.register(host.fileno(), select.POLLIN)
        self.poll.register(self.children, select.POLLIN)

    def listen_for_children(self) -> int:
        ended, wake = os.pipe()
        os.set_blocking(ended, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, do_nothing)
        return ended

    def serve(self) -> None:
        self.tell("ready", 0)
        host_is_there = True
        while host_is_there:
            for fd, _ in self.poll.poll():
                if fd == self.host.fileno():
                    host_is_there = self.hear()
                elif fd == self.children:
                    os.read(self.children, 4096)
                    self.reap()
                elif fd in self.pump_of:
                    self.pump(self.pump_of[fd], PIPE)

    def hear(self) -> bool:
        """Answers one packet; False when the host is gone."""
        try:
            packet, fds, _, _ = socket.recv_fds(self.host, PACKET, 2, socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return False
        if packet:
            self.answer(packet, fds)
        for fd in fds:
            os.close(fd)
        return bool(packet)

    def answer(self, packet: bytes, fds: list[int]) -> None:
        request = json.loads(packet)
        try:
            match request.pop("type"):
                case "start":
                    self.start(*fds, **request)
                case "kill":
                    self.kill(request["target"], request["signal"])
                case "read":
                    self.read(**request)
                case "write":
                    self.write(*fds, **request)
                case "lay":
                    self.lay(*fds, **request)
                case _:
                    self.tell("failed", request["id"], errno=errno.ENOSYS)
        except OSError as problem:
            self.tell("failed", request["id"], errno=problem.errno or errno.EIO)

    def tell(self, kind: str, request_id: int, fds: tuple[int, ...] = (), **numbers: int) -> None:
        body = "".join(f',"{name}":{value:d}' for name, value in numbers.items())
        try:
            socket.send_fds(self.host, [f'{{"type":"{kind}","id":{request_id:d}{body}}}'.encode()], fds)
        except ConnectionError:
            pass  # The host is gone; the loop will hear of it next.

    # --- programs

    def start(
        self,
        stdin: int = -1,
        output: int = -1,
        *,
        id: int,  # noqa: A002
        argv: list[str],
        cwd: str,
        env: dict[str, str],
        limit: int | None,
        terminal: tuple[int, int] | None,
    ) -> None:
        order = Order(id, argv, cwd, env)
        if terminal:
            self.start_in_terminal(order, terminal)
        elif limit is None:
            self.spawn(order, to_files(stdin, output), output)
            self.tell("done", id)
        else:
            self.start_pumped(order, stdin, output, limit)

    def start_in_terminal(self, order: "Order", size: tuple[int, int]) -> None:
        """Opened in here, so that the terminal has a name in /dev/pts; a session's first open makes it its own."""
        ours, theirs = os.openpty()
        try:
            termios.tcsetwinsize(ours, size)
            actions: list[tuple[int | str, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.ttyname(theirs), os.O_RDWR, 0)]
            actions += [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
            self.spawn(order, actions, theirs)
            self.tell("done", order.program, (ours,))
        finally:
            os.close(ours)
            os.close(theirs)

    def start_pumped(self, order: "Order", stdin: int, output: int, limit: int) -> None:
        """The program gets a pipe, never the host's file: it could rewrite there what it has said."""
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        pump = Pump(order.program, readable, os.dup(output), limit)
        self.pumps[order.program] = self.pump_of[readable] = pump
        self.poll.register(readable, select.POLLIN)
        try:
            self.spawn(order, to_files(stdin, writable), writable)
        finally:
            os.close(writable)
        self.tell("done", order.program)

    def spawn(self, order: "Order", actions: list[tuple[int | str, ...]], words_to: int) -> None:
        """Starts it as the leader of a session of its own. What cannot start says why in its output, like a shell."""
        try:
            os.chdir(order.cwd)
            pid = os.posix_spawn(
                find(order.argv[0], order.env),
                order.argv,
                order.env,
                file_actions=actions,
                setsid=True,
                setsigmask=[],
                setsigdef=USUAL_SIGNALS,
            )
        except (OSError, ValueError) as problem:
            os.write(words_to, f"{order.words_for(problem)}\n".encode(errors="replace"))
            self.ended(order.program, 127 if isinstance(problem, FileNotFoundError) else 126)
        else:
            self.leaders[order.program] = pid
            self.running[pid] = order.program

    def reap(self) -> None:
        for pid, status in ended_children():
            if pid in self.running:
                code = os.waitstatus_to_exitcode(status)
                self.ended(self.running.pop(pid), code if code >= 0 else 128 - code)

    def ended(self, program: int, code: int) -> None:
        """Takes along what its pipe still holds; a program it left behind may go on writing."""
        pump = self.pumps.pop(program, None)
        if pump is None:
            self.tell("exited", program, code=code, overflowed=False, errno=0)
            return
        if pump.readable in self.pump_of:
            self.pump(pump, LARGEST_PIPE)
        self.tell("exited", program, code=code, overflowed=pump.overflowed, errno=pump.errno)

    def pump(self, pump: "Pump", size: int) -> None:
        try:
            data = os.read(pump.readable, size)
        except BlockingIOError:
            return
        if not data:
            self.poll.unregister(pump.readable)
            del self.pump_of[pump.readable]
            pump.close()
        elif not pump.full:
            pump.pour(data)
            if pump.full:
                self.kill(pump.program, signal.SIGKILL)

    def kill(self, program: int, number: int) -> None:
        """Signals its group at once, then the other groups of its session: those of a shell's job control.

        A pid that the kernel has meanwhile given to another program is spared.
        """
        leader = self.leaders.get(program)
        if leader is None or self.running.get(leader, program) != program:
            return
        try:
            os.killpg(leader, number)
        except OSError:
            pass  # Nobody is left in it.
        for pid, _, group, session in processes():
            if session == leader and group != leader:
                send_signal(pid, number)

    # --- files

    def read(self, *, id: int, path: str) -> None:  # noqa: A002
        """Looks before opening, for opening a fifo or a device does something; opens so that nothing can hang."""
        must_be_a_file(os.stat(path).st_mode)
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            must_be_a_file(os.fstat(fd).st_mode)
            self.tell("done", id, (fd,))
        finally:
            os.close(fd)

    def write(self, content: int, *, id: int, path: str) -> None:  # noqa: A002
        path = os.path.realpath(path)
        try:
            mode = os.stat(path).st_mode
            must_be_a_file(mode)
        except FileNotFoundError:
            mode = 0o644
            os.makedirs(os.path.dirname(path), exist_ok=True)
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            replace_file(folder, os.path.basename(path), content, stat.S_IMODE(mode))
        finally:
            os.close(folder)
        self.tell("done", id)

    def lay(self, content: int, *, id: int, root: str, path: str) -> None:  # noqa: A002
        """Walks by open folders, so that nobody can swap one for a symlink on the way."""
        *folders, name = path.split("/")
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for step in folders:
                folder = enter(folder, step)
            clear_folder(folder, name)
            script = os.pread(content, 2, 0) == b"#!"
            replace_file(folder, name, content, 0o755 if script else 0o644)
        finally:
            os.close(folder)
        self.tell("done", id)


class Order:
    """What to start, where, and with which environment."""

    def __init__(self, program: int, argv: list[str], cwd: str, env: dict[str, str]) -> None:
        self.program, self.argv, self.cwd, self.env = program, argv, cwd, env

    def words_for(self, problem: Exception) -> str:
        if not os.path.isdir(self.cwd):
            return f"cannot start {self.argv[0]!r}: there is no folder {self.cwd!r}"
        why = problem.strerror if isinstance(problem, OSError) else problem
        return f"cannot start {self.argv[0]!r}: {why}"


class Pump:
    """Carries one program's output from its pipe to the host's file, up to a limit; what comes after is thrown away."""

    def __init__(self, program: int, readable: int, output: int, limit: int) -> None:
        self.program, self.readable, self.output, self.left = program, readable, output, limit
        self.overflowed = False
        self.errno = 0

    @property
    def full(self) -> bool:
        return self.overflowed or self.errno != 0

    def pour(self, data: bytes) -> None:
        kept = memoryview(data)[: self.left]
        self.overflowed = len(data) > self.left
        self.left -= len(kept)
        try:
            while kept:
                kept = kept[os.write(self.output, kept) :]
        except OSError as problem:
            self.errno = problem.errno or errno.EIO

    def close(self) -> None:
        os.close(self.readable)
        os.close(self.output)


def do_nothing(number: int, frame: object) -> None:
    """Python must have a handler to write to the wake-up pipe."""


def to_files(stdin: int, output: int) -> list[tuple[int | str, ...]]:
    return [(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]


def find(program: str, env: dict[str, str]) -> str:
    """Where it lies, by the PATH it will itself be given."""
    if "/" in program:
        return program
    for folder in env.get("PATH", "").split(":"):
        path = os.path.join(folder, program)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(errno.ENOENT, "command not found", program)


def ended_children() -> Iterator[tuple[int, int]]:
    """(pid, status) of every child that has ended, orphans that came to us included."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def processes() -> Iterator[tuple[int, int, int, int]]:
    """(pid, parent, group, session) of every process in sight."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue  # It has just ended.
            yield int(name), int(fields[1]), int(fields[2]), int(fields[3])


def send_signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass  # It has just ended, or is not ours to end.


def must_be_a_file(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is no regular file")


def replace_file(folder: int, name: str, content: int, mode: int) -> None:
    """Whole or not at all, also after a power cut: a new file that takes the old one's name."""
    fresh = f".shopfloor-{os.getpid()}-{time.monotonic_ns()}"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        while data := os.read(content, LARGEST_PIPE):
            while data:
                data = data[os.write(fd, data) :]
        os.fchmod(fd, mode)
        os.fsync(fd)
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(fresh, dir_fd=folder)
        raise
    finally:
        os.close(fd)


def enter(folder: int, name: str) -> int:
    """The folder of that name in an open folder, which it closes; what stands there instead gives way."""
    try:
        try:
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        except FileNotFoundError:
            os.mkdir(name, dir_fd=folder)
        except NotADirectoryError:
            os.unlink(name, dir_fd=folder)
            os.mkdir(name, dir_fd=folder)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def clear_folder(folder: int, name: str) -> None:
    """Removes a folder of that name with all it holds; anything else stays, to be replaced in one step."""
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return
    except FileNotFoundError:
        return
    for _, folders, files, fd in os.fwalk(name, topdown=False, dir_fd=folder):
        for inner in files:
            os.unlink(inner, dir_fd=fd)
        for inner in folders:
            remove_folder_or_link(inner, fd)
    os.rmdir(name, dir_fd=folder)


def remove_folder_or_link(name: str, folder: int) -> None:
    try:
        os.rmdir(name, dir_fd=folder)
    except NotADirectoryError:
        os.unlink(name, dir_fd=folder)


def end_all() -> None:
    """Where no kernel ends them with us: kill every child, adopt what that orphans, until nobody is left."""
    while True:
        for pid, parent, _, _ in processes():
            if parent == os.getpid():
                send_signal(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main())
