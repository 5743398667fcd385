"""Which sandbox can be had on this machine, found by really trying, and the best one started.

It does not know why a caller wants a level; it refuses to claim one that does not hold.
"""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec

from shopfloor.domain.errors import NeedsHuman
from shopfloor.domain.fact import Fact
from shopfloor.sandbox.bubblewrap import HOME, ROOT, RUNNER, sandbox_words, view_words
from shopfloor.sandbox.host import Plan, RunnerSandbox
from shopfloor.sandbox.machine import Machine, survey
from shopfloor.sandbox.protocol import Blueprint, Level, Mount, Sandbox, View

TRY_S = 20
FOR_DESKTOPS = (("Xvfb", "xvfb"), ("xdotool", "xdotool"))
"""Programs, and the packages that bring them."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
RUNNER_FLAGS = ("-I", "-S", "-E", "-X", "utf8")


class Probe(Fact):
    """What was found. Every "" has its reason in words beside it, ready for a person to act on."""

    bubblewrap: str = ""
    """Path of a bubblewrap that works here."""
    why_no_bubblewrap: str = ""
    arena: bool = False
    """Whether a sandbox inside a sandbox works too."""
    why_no_arena: str = ""
    chromium: str = ""
    why_no_chromium: str = ""
    why_no_desktop: str = ""

    @property
    def best(self) -> Level:
        return "bubblewrap" if self.bubblewrap else "none"

    def refusal(self, level: Level, arena: bool) -> str:
        """Why that level cannot be had here; "" if it can."""
        if level == "none":
            return ""
        return self.why_no_bubblewrap or (self.why_no_arena if arena else "")


@functools.cache
def probe() -> Probe:
    """Tries everything once per process: some tens of milliseconds."""
    chromium = find_chromium()
    why_no_chromium = "" if chromium else f"none of {', '.join(BROWSERS)} is installed: install Chromium"
    found = Probe(chromium=chromium, why_no_chromium=why_no_chromium, why_no_desktop=_why_no_desktop())
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        why = "bubblewrap (`bwrap`) is not installed: install the package `bubblewrap`, 0.8 or newer"
        return msgspec.structs.replace(found, why_no_bubblewrap=why, why_no_arena=why)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as checkout:
        why = _trouble(bubblewrap, sandbox_words(Blueprint(checkout=checkout), machine, ("/bin/true",)))
        arena = Blueprint(checkout=checkout, arena=True)
        nested = view_words("judge", arena, machine, ("/bin/true",))
        why_no_arena = why or _trouble(bubblewrap, sandbox_words(arena, machine, nested))
    return msgspec.structs.replace(
        found,
        bubblewrap="" if why else bubblewrap,
        why_no_bubblewrap=why,
        arena=not why_no_arena,
        why_no_arena=why_no_arena,
    )


def _why_no_desktop() -> str:
    missing = [package for program, package in FOR_DESKTOPS if shutil.which(program) is None]
    return f"{' and '.join(missing)} not installed: apt-get install {' '.join(missing)}" if missing else ""


@functools.cache
def find_chromium() -> str:
    """A Chromium or Chrome of the system, else the newest one that playwright has downloaded; "" if there is none."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path is not None:
            return path
    downloaded = sorted((Path.home() / ".cache/ms-playwright").glob("chromium-*/chrome-linux*/chrome"))
    return str(downloaded[-1]) if downloaded else ""


def this_machine() -> Machine:
    return survey(Path.home(), os.environ.get("PATH", os.defpath), find_chromium())


def judge_mounts() -> tuple[Mount, ...]:
    """What a judge's hands need to see where there is no arena: for an app that runs elsewhere."""
    return tuple(Mount(source=folder, target=folder) for folder in this_machine().judge_folders)


@asynccontextmanager
async def start(blueprint: Blueprint, level: Level | None = None) -> AsyncGenerator[Sandbox]:
    """A running sandbox of the wanted level, else of the best that holds here; everything in it ends with the block.

    Raises NeedsHuman when the wanted level, or an arena at level bubblewrap, cannot be had: it never falls back from
    what was asked for. Raises Broken when it should work and does not.
    """
    found = await anyio.to_thread.run_sync(probe)
    chosen = level or found.best
    refusal = found.refusal(chosen, blueprint.arena)
    if refusal:
        raise NeedsHuman(
            f"A sandbox of level {chosen!r} cannot be had on this machine: {refusal}. Mend it, or allow 'none'?"
        )
    with tempfile.TemporaryDirectory(prefix="shopfloor-", ignore_cleanup_errors=True) as private:
        machine = this_machine()
        plan = (
            enforced(blueprint, machine, found.bubblewrap)
            if chosen == "bubblewrap"
            else plain(blueprint, machine, private)
        )
        sandbox = await RunnerSandbox.launch(plan)
        try:
            yield sandbox
        finally:
            await sandbox.close()


def enforced(blueprint: Blueprint, machine: Machine, bubblewrap: str) -> Plan:
    """Level `bubblewrap`: the kernel keeps everything in."""
    program = (machine.python, *RUNNER_FLAGS, RUNNER)
    names: tuple[View, ...] = ("app", "judge") if blueprint.arena else ()
    return Plan(
        level="bubblewrap",
        root=ROOT,
        words=(bubblewrap, *sandbox_words(blueprint, machine, program)[1:]),
        views=tuple((view, view_words(view, blueprint, machine, program)) for view in names),
        environment=tuple(environment(blueprint, machine, machine.path, HOME, "/tmp").items()),
        shell=machine.shell,
        judge_folder=HOME,
    )


def plain(blueprint: Blueprint, machine: Machine, private: str) -> Plan:
    """Level `none`: an ordinary process of the user, with a home and a temporary folder of its own as a courtesy."""
    home, temporary = Path(private, "home"), Path(private, "tmp")
    home.mkdir()
    temporary.mkdir()
    return Plan(
        level="none",
        root=os.path.realpath(blueprint.checkout),
        words=(machine.python, *RUNNER_FLAGS, str(Path(__file__).with_name("runner.py"))),
        environment=tuple(environment(blueprint, machine, machine.whole_path, str(home), str(temporary)).items()),
        shell=machine.shell,
    )


def environment(
    blueprint: Blueprint, machine: Machine, path: tuple[str, ...], home: str, temporary: str
) -> dict[str, str]:
    """All that commands see. Git may work in a checkout that belongs to somebody else outside."""
    return {
        "PATH": os.pathsep.join((*blueprint.path_first, *path)),
        "HOME": home,
        "USER": "worker",
        "LOGNAME": "worker",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TMPDIR": temporary,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        **dict(machine.environment),
        **dict(blueprint.environment),
    }


def _trouble(bubblewrap: str, words: tuple[str, ...]) -> str:
    """What goes wrong when these words are really run; "" if nothing does."""
    try:
        tried = subprocess.run((bubblewrap, *words[1:]), capture_output=True, text=True, timeout=TRY_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"bubblewrap could not be run: {problem}"
    return _explained(tried.stderr.strip()) if tried.returncode else ""


def _explained(said: str) -> str:
    if "Unknown option" in said:
        return f"this bubblewrap is too old ({said}): install 0.8 or newer"
    if "uid map" in said or "new namespace" in said or "loopback" in said:
        return (
            f"the kernel refuses user namespaces to this user ({said}): allow them, on Ubuntu with"
            " `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
        )
    if "proc" in said:
        return f"this machine hides parts of /proc, as containers do ({said}): run it with an unmasked /proc"
    return f"bubblewrap failed ({said})"
