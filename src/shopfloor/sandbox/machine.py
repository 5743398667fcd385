"""Looks at this machine once: which of its folders commands inside may see, and which of those hide something.

What is not listed here does not exist inside: it names what is shown, never what is hidden, so a folder that nobody
thought of stays out. It does not know how the showing is done.
"""

import functools
import os
import stat
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from shopfloor.domain.fact import Fact

SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "nix", "gnu", "snap")
ALSO_SYSTEM = ("/var/cache/fontconfig", "/run/current-system")
CREDENTIALS = ("*credentials*", ".npmrc", ".netrc", ".pypirc", ".env", "*token*", "auth.json")


class Toolchain(Fact):
    """A developer tool that lives under the home: the folders it needs, and the variable that tells it where it is."""

    on_path: str
    folders: tuple[str, ...]
    variable: tuple[str, str] | None = None
    """(name, folder)"""


TOOLCHAINS = (
    Toolchain(on_path=".pyenv", folders=(".pyenv",), variable=("PYENV_ROOT", ".pyenv")),
    Toolchain(on_path=".cargo/bin", folders=(".cargo/bin", ".rustup"), variable=("RUSTUP_HOME", ".rustup")),
    Toolchain(
        on_path=".local/bin",
        folders=(".local/bin", ".local/share/uv/python", ".local/share/uv/tools", ".local/share/pipx/venvs"),
    ),
    Toolchain(
        on_path=".local/share/mise", folders=(".local/share/mise",), variable=("MISE_DATA_DIR", ".local/share/mise")
    ),
    Toolchain(on_path=".local/share/pnpm", folders=(".local/share/pnpm",), variable=("PNPM_HOME", ".local/share/pnpm")),
    Toolchain(on_path=".nvm", folders=(".nvm",), variable=("NVM_DIR", ".nvm")),
    Toolchain(on_path=".asdf", folders=(".asdf",), variable=("ASDF_DATA_DIR", ".asdf")),
    Toolchain(on_path=".volta", folders=(".volta",), variable=("VOLTA_HOME", ".volta")),
    Toolchain(on_path=".bun/bin", folders=(".bun/bin",)),
    Toolchain(on_path=".deno/bin", folders=(".deno/bin",)),
    Toolchain(on_path="go/bin", folders=("go/bin",)),
    Toolchain(on_path=".rbenv", folders=(".rbenv",), variable=("RBENV_ROOT", ".rbenv")),
    Toolchain(on_path=".sdkman", folders=(".sdkman/candidates",)),
    Toolchain(on_path=".dotnet", folders=(".dotnet",), variable=("DOTNET_ROOT", ".dotnet")),
    Toolchain(on_path=".ghcup", folders=(".ghcup",)),
    Toolchain(on_path=".juliaup", folders=(".juliaup", ".julia/juliaup")),
)


class Machine(Fact):
    """What of this machine may be seen inside."""

    folders: tuple[str, ...]
    """Shown read-only at their own path."""
    links: tuple[tuple[str, str], ...]
    """(path, target) of symlinks at the top, such as /bin."""
    judge_folders: tuple[str, ...]
    """Shown to judges alone: this program's own environment, and a browser kept under the home."""
    private_files: tuple[str, ...]
    private_folders: tuple[str, ...]
    """What lies in the shown folders and is nobody's business inside."""
    path: tuple[str, ...]
    """The PATH, as far as it is visible inside."""
    whole_path: tuple[str, ...]
    """The PATH where nothing is hidden; only this program's own environment is left out."""
    environment: tuple[tuple[str, str], ...]
    """What tools under the home need to find themselves."""
    python: str
    """A Python with its standard library, visible inside."""
    shell: str
    resolver: str
    """Where the list of name servers really lies, "" if /etc shows it anyway."""


def survey(home: Path, search_path: str, chromium: str = "") -> Machine:
    """What may be seen inside of this machine, for the user of that home and PATH."""
    entries = tuple(entry for entry in search_path.split(os.pathsep) if entry.startswith("/"))
    own = f"{sys.prefix}/bin"
    whole_path = tuple(dict.fromkeys(entry for entry in entries if entry != own or sys.prefix == sys.base_prefix))
    system, links = _system()
    tools = tuple(tool for tool in TOOLCHAINS if _used(tool, home, whole_path))
    under_home = tuple(str(home / name) for tool in tools for name in tool.folders if (home / name).is_dir())
    folders = tuple(dict.fromkeys((*system, *under_home, sys.base_prefix)))
    visible = (*folders, *(path for path, _ in links))
    private = tuple(_unreadable_for_others("/etc")) + tuple(_credentials(under_home))
    return Machine(
        folders=_outermost(folders),
        links=links,
        judge_folders=_outermost(tuple(filter(None, (sys.prefix, _browser_folder(chromium, folders))))),
        private_files=tuple(path for path in private if not Path(path).is_dir()),
        private_folders=tuple(path for path in private if Path(path).is_dir()),
        path=tuple(entry for entry in whole_path if _within(entry, visible)),
        whole_path=whole_path,
        environment=tuple((tool.variable[0], str(home / tool.variable[1])) for tool in tools if tool.variable),
        python=f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}",
        resolver=_resolver(),
        shell="/bin/bash" if Path("/bin/bash").exists() else "/bin/sh",
    )


@functools.cache
def _system() -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    tops = [Path("/", name) for name in SYSTEM]
    links = tuple((str(top), str(top.readlink())) for top in tops if top.is_symlink())
    folders = tuple(str(top) for top in tops if top.is_dir() and not top.is_symlink())
    return folders + tuple(folder for folder in ALSO_SYSTEM if Path(folder).is_dir()), links


def _resolver() -> str:
    real = os.path.realpath("/etc/resolv.conf")
    return "" if real.startswith("/etc/") or not Path(real).exists() else real


def _used(tool: Toolchain, home: Path, path: tuple[str, ...]) -> bool:
    return any(_within(entry, (str(home / tool.on_path),)) for entry in path)


@functools.cache
def _unreadable_for_others(top: str) -> tuple[str, ...]:
    """What we may read there and others may not: inside, files of ours would stay readable, those of root too."""
    hidden: list[str] = []
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = f"{folder}/{name}"
            mode = os.lstat(path).st_mode
            if not stat.S_ISLNK(mode) and not mode & stat.S_IROTH and os.access(path, os.R_OK):
                hidden.append(path)
        folders[:] = [name for name in folders if f"{folder}/{name}" not in hidden]
    return tuple(sorted(hidden))


def _credentials(folders: tuple[str, ...]) -> Iterator[str]:
    """Files in the first two levels whose name says that they hold a secret."""
    for folder in folders:
        for path in sorted((*Path(folder).glob("*"), *Path(folder).glob("*/*"))):
            if any(fnmatch(path.name, pattern) for pattern in CREDENTIALS) and path.is_file() and not path.is_symlink():
                yield str(path)


def _browser_folder(chromium: str, shown: tuple[str, ...]) -> str:
    """Where a browser lies that the system folders do not show."""
    return "" if not chromium or _within(chromium, shown) else str(Path(chromium).parent)


def _outermost(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that another one already shows."""
    return tuple(
        folder for folder in folders if not _within(folder, tuple(other for other in folders if other != folder))
    )


def _within(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
