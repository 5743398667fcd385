"""The words that start bubblewrap, from a blueprint and what the machine may show. Pure: it looks at nothing.

Order is meaning here: a later mount covers an earlier one. It does not know what the program inside does.
"""

from pathlib import Path

import msgspec

from shopfloor.sandbox.machine import Machine
from shopfloor.sandbox.protocol import Blueprint, Mount, View

ROOT = "/repo"
HOME = "/home/worker"
RUNNER = "/.shopfloor/runner.py"
HERE = Path(__file__).parent
LARGEST_FOLDER = 4 << 30
"""Bytes: each folder in memory is full then. Left to the kernel, two of them would hold all of the host's memory."""
OWN_ETC = ("passwd", "group", "hosts")


def sandbox_words(blueprint: Blueprint, machine: Machine, program: tuple[str, ...]) -> tuple[str, ...]:
    """bubblewrap's words for one sandbox that runs `program`; of an arena, the outer shell that holds both views."""
    shown = (*machine.folders, *machine.judge_folders) if blueprint.arena else machine.folders
    return (
        "bwrap", "--unshare-all", "--unshare-user", *(("--share-net",) if _online(blueprint) else ()), "--new-session",
        *(_arena_proc() if blueprint.arena else _sealed_proc()),
        *_person(),
        *_system(shown, machine),
        *_covers(machine),
        *_bind(blueprint.checkout, ROOT, blueprint.writable),
        *_mounts(blueprint.mounts),
        *(_bind(machine.resolver, machine.resolver, writable=False) if _online(blueprint) and machine.resolver else ()),
        *_bind(str(HERE / "runner.py"), RUNNER, writable=False),
        *_finish(ROOT, program),
    )  # fmt: skip


def view_words(view: View, blueprint: Blueprint, machine: Machine, program: tuple[str, ...]) -> tuple[str, ...]:
    """The words for one view of an arena, started inside the outer shell: it can show only what that one shows."""
    judging = view == "judge"
    checkout = () if judging else _bind(ROOT, ROOT, blueprint.writable)
    mounts = tuple(_as_seen_inside(mount) for mount in blueprint.mounts if mount.view in (None, view))
    return (
        "bwrap", "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try",
        *_sealed_proc(),
        *_person(),
        *_system((*machine.folders, *(machine.judge_folders if judging else ())), machine),
        *checkout,
        *_mounts(mounts),
        *_bind(RUNNER, RUNNER, writable=False),
        *_finish(HOME if judging else ROOT, program),
    )  # fmt: skip


def _sealed_proc() -> tuple[str, ...]:
    """No further user namespace, and the kernel's switches read-only.

    Whoever starts us as root owns the files of /proc/sys in any namespace: without the cover, a worker could set
    core_pattern and have the host run its program.
    """
    return "--disable-userns", "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"


def _arena_proc() -> tuple[str, ...]:
    """The kernel lets a view mount a /proc of its own only where a whole one is already in sight.

    bubblewrap covers parts of the one it mounts for root, so the outer shell keeps a second, whole one. Nothing of
    the work ever runs in the outer shell, and no view shows it.
    """
    return "--proc", "/proc", "--bind", "/proc", "/.proc"


def _person() -> tuple[str, ...]:
    """An ordinary person called worker, whoever started us; pid 1 is the runner, so that nobody inside can end it."""
    return (
        "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000",
        "--hostname", "shopfloor", "--clearenv",
    )  # fmt: skip


def _system(folders: tuple[str, ...], machine: Machine) -> tuple[str, ...]:
    """The temporary folders come first: what is shown may lie under one of them."""
    words = ["--dev", "/dev"]
    for empty in ("/tmp", "/var/tmp", "/run", HOME):
        words += ["--size", str(LARGEST_FOLDER), "--tmpfs", empty]
    for path, target in machine.links:
        words += ["--symlink", target, path]
    for folder in folders:
        words += ["--ro-bind", folder, folder]
    return tuple(words)


def _covers(machine: Machine) -> tuple[str, ...]:
    words: list[str] = []
    for path in machine.private_files:
        words += ["--ro-bind", str(HERE / "inside" / "empty"), path]
    for folder in machine.private_folders:
        words += ["--tmpfs", folder]
    for name in OWN_ETC:
        words += ["--ro-bind", str(HERE / "inside" / name), f"/etc/{name}"]
    return tuple(words)


def _mounts(mounts: tuple[Mount, ...]) -> tuple[str, ...]:
    return tuple(word for mount in mounts for word in _bind(mount.source, mount.target, mount.writable))


def _as_seen_inside(mount: Mount) -> Mount:
    return msgspec.structs.replace(mount, source=mount.target)


def _bind(source: str, target: str, writable: bool) -> tuple[str, ...]:
    return "--bind" if writable else "--ro-bind", source, target


def _finish(folder: str, program: tuple[str, ...]) -> tuple[str, ...]:
    """The root itself is a folder in memory: what is not mounted on purpose cannot be written."""
    return "--remount-ro", "/", "--chdir", folder, "--", *program


def _online(blueprint: Blueprint) -> bool:
    return blueprint.network and not blueprint.arena
