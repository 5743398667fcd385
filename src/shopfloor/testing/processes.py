"""Who is still alive: for stories about processes that must not be left behind. Linux only.

It does not know what any process is for.
"""

from collections.abc import Iterator
from pathlib import Path


def processes_below(pid: int) -> list[str]:
    """The command lines of all living processes that descend from one, Python's own helpers left out."""
    parents = _parents()
    lines = [command_line(one) for one in parents if pid in _ancestors(one, parents)]
    return [line for line in lines if "multiprocessing.resource_tracker" not in line]


def processes_with(word: str) -> list[str]:
    """The command lines of all living processes that hold a word, there or in the name of their folder."""
    lines = [f"{command_line(pid)} (in {_folder(pid)})" for pid in _parents()]
    return [line for line in lines if word in line]


def command_line(pid: int) -> str:
    """How a process was started; "" when it has just ended."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""


def _folder(pid: int) -> str:
    try:
        return str((Path("/proc") / str(pid) / "cwd").readlink())
    except OSError:
        return ""


def _parents() -> dict[int, int]:
    """The parent of each living process; those that have ended and wait for their parent to notice are left out."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, parent, *_ = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if state not in "ZX":
                parents[int(entry.name)] = int(parent)
    return parents


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid in parents:
        pid = parents[pid]
        yield pid
