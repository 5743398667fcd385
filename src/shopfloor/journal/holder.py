"""The name under which a process holds leases, and whether the process of such a name is dead.

Of a process on another host it does not know anything: such a lease is waited out.
"""

import os
import socket
from pathlib import Path


def this_process() -> str:
    """The name of this process: host, process id and start time, so that a reused process id is a new name."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start_of(os.getpid())}"


def is_dead(holder: str) -> bool:
    """Whether that process ran on this host and runs no more. False for a name that says too little to be sure."""
    host, _, rest = holder.partition(":")
    pid, _, start = rest.partition(":")
    if host != socket.gethostname() or not pid.isdecimal() or not start.isdecimal():
        return False
    return _start_of(int(pid)) != start


def _start_of(pid: int) -> str | None:
    """When the process started, in clock ticks since boot; None if it is gone. "0" where the system does not tell."""
    if not Path("/proc/self/stat").exists():
        return "0" if _exists(pid) else None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The program's name stands in parentheses and may itself hold spaces and parentheses: count from the last one.
    state, *numbers = stat.rpartition(")")[2].split()
    return None if state in "ZX" else numbers[18]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
