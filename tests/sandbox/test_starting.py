"""Which sandbox is started, out of which words, and what is said when it cannot be."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import Broken
from shopfloor.sandbox.bubblewrap import sandbox_words, view_words
from shopfloor.sandbox.host import Plan, RunnerSandbox
from shopfloor.sandbox.machine import Machine, survey
from shopfloor.sandbox.probe import Probe, start
from shopfloor.sandbox.protocol import Blueprint, Mount

HERE = Path(__file__).parent
MACHINE = Machine(
    folders=("/usr", "/etc", "/home/ann/.pyenv"),
    links=(("/bin", "usr/bin"),),
    judge_folders=("/home/ann/.venv",),
    private_files=("/etc/shadow",),
    private_folders=("/etc/ssl/private",),
    path=("/usr/bin",),
    whole_path=("/usr/bin", "/home/ann/bin"),
    environment=(("PYENV_ROOT", "/home/ann/.pyenv"),),
    python="/usr/bin/python3.11",
    shell="/bin/bash",
    resolver="/run/resolve/stub.conf",
)
BLUEPRINT = Blueprint(
    checkout="/home/ann/state/attempt-1",
    mounts=(
        Mount(source="/home/ann/cache/deps", target="/deps"),
        Mount(source="/home/ann/state/evidence", target="/evidence", writable=True, view="judge"),
    ),
)


def in_lines(words):
    """One option a line, and our own package's folder by its name alone."""
    own = str(Path(sys.modules["shopfloor.sandbox.host"].__file__ or "").parent)
    text = " ".join(words).replace(own, "SANDBOX")
    return text.replace(" --", "\n--") + "\n"


@pytest.mark.parametrize("name", ["plain", "online", "outer", "app", "judge"])
def test_the_words_for_bubblewrap_are_these(name):
    """Every mount and its order, as a reviewer read them: a change of one shows here."""
    arena = Blueprint(checkout=BLUEPRINT.checkout, mounts=BLUEPRINT.mounts, arena=True, network=True)
    online = Blueprint(checkout=BLUEPRINT.checkout, network=True, writable=False)
    words = {
        "plain": lambda: sandbox_words(BLUEPRINT, MACHINE, ("run",)),
        "online": lambda: sandbox_words(online, MACHINE, ("run",)),
        "outer": lambda: sandbox_words(arena, MACHINE, ("run",)),
        "app": lambda: view_words("app", arena, MACHINE, ("run",)),
        "judge": lambda: view_words("judge", arena, MACHINE, ("run",)),
    }[name]()
    assert in_lines(words) == (HERE / "words" / f"{name}.txt").read_text()


def test_toolchains_of_the_home_come_back_without_their_secrets(tmp_path):
    """What is on PATH is shown, with what it needs beside it; tokens in it are covered; all else stays away."""
    for folder in (
        ".pyenv/shims",
        ".cargo/bin",
        ".rustup",
        ".cargo/registry",
        ".local/bin",
        ".local/share/uv/tools",
        ".nvm",
        "bin",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / ".pyenv" / "credentials.json").write_text("secret")
    path = [f"{tmp_path}/{folder}" for folder in (".pyenv/shims", ".cargo/bin", ".local/bin", "bin")]
    found = survey(tmp_path, os.pathsep.join([*path, "relative", "/usr/bin", sys.prefix + "/bin"]))

    shown = {folder.removeprefix(f"{tmp_path}/") for folder in found.folders if folder.startswith(str(tmp_path))}
    assert shown == {".pyenv", ".cargo/bin", ".rustup", ".local/bin", ".local/share/uv/tools"}
    assert found.path == (*path[:3], "/usr/bin")
    assert found.whole_path == (*path, "/usr/bin")
    assert dict(found.environment) == {"PYENV_ROOT": f"{tmp_path}/.pyenv", "RUSTUP_HOME": f"{tmp_path}/.rustup"}
    assert str(tmp_path / ".pyenv/credentials.json") in found.private_files


def test_a_level_that_cannot_be_had_is_never_replaced_by_a_weaker_one():
    """The best level falls to `none` only when nobody asked for more; a refusal carries its reason."""
    poor = Probe(why_no_bubblewrap="no bwrap here", why_no_arena="no bwrap here")
    assert (poor.best, poor.refusal("none", True), poor.refusal("bubblewrap", False)) == ("none", "", "no bwrap here")
    half = Probe(bubblewrap="/usr/bin/bwrap", why_no_arena="no nesting")
    assert (half.best, half.refusal("bubblewrap", False), half.refusal("bubblewrap", True)) == (
        "bubblewrap",
        "",
        "no nesting",
    )


def test_without_bubblewrap_the_wanted_level_is_a_question_to_a_person(tmp_path):
    """With no bwrap on PATH, asking for it says what to install, and what runs by default calls itself `none`."""
    script = """
import anyio, sys
from shopfloor.domain.errors import NeedsHuman
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint
async def main():
    async with start(Blueprint(checkout=sys.argv[1])) as sandbox:
        print(sandbox.level)
    try:
        async with start(Blueprint(checkout=sys.argv[1]), "bubblewrap"): pass
    except NeedsHuman as problem:
        print(problem.question)
anyio.run(main)
"""
    tools = tmp_path / "tools"
    tools.mkdir()
    environment = {"PATH": str(tools), "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    level, question = done.stdout.splitlines()
    assert level == "none"
    assert "install the package `bubblewrap`" in question


def test_a_sandbox_that_does_not_start_says_what_it_wrote():
    """Not a hang, not a bare exit code: the last words of whoever failed."""
    plan = Plan(
        level="none", root="/", words=("/bin/sh", "-c", "echo no luck today >&2"), environment=(), shell="/bin/sh"
    )

    async def story():
        with pytest.raises(Broken, match="no luck today"):
            await RunnerSandbox.launch(plan)

    anyio.run(story)


def test_closing_twice_is_closing_once(tmp_path):
    """And whoever still asks afterwards hears that it is gone."""

    async def story():
        async with start(Blueprint(checkout=str(tmp_path))) as sandbox:
            await sandbox.close()
            await sandbox.close()
            with pytest.raises(Broken, match="was closed"):
                await sandbox.read("x", 1)

    anyio.run(story)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become somebody else")
@pytest.mark.usefixtures("arena_works")
def test_an_ordinary_user_gets_the_same_sandbox_and_the_same_arena(tmp_path):
    """Nothing of it needs root: commands, files, terminals and both views work for user 65534."""
    script = """
import anyio, os, sys
from pathlib import Path
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint
async def main():
    checkout = Path(sys.argv[1])
    for arena in (False, True):
        async with start(Blueprint(checkout=str(checkout), arena=arena), "bubblewrap") as sandbox:
            for view in ("app", "judge") if arena else ("app",):
                output = checkout.parent / "said"
                await sandbox.run("id -un; pwd; ls -d /repo; unshare -Ur true", output=output, timeout_s=20, view=view)
                print(output.read_text().splitlines())
            await sandbox.write("made", b"inside")
            process = await sandbox.open("tty", terminal=(24, 80))
            print(await process.read(), await process.wait(), (checkout / "made").stat().st_uid)
anyio.run(main)
"""
    interpreter = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for folder in (tmp_path, checkout):
        os.chown(folder, 65534, 65534)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and str(folder).startswith(f"{tempfile.gettempdir()}/"):
            folder.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    readable = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", interpreter or "", "-c"]
    why = subprocess.run(
        [*readable, "import anyio, msgspec, shopfloor"], env=environment, capture_output=True, text=True, check=False
    )
    if why.returncode:
        pytest.skip(f"an ordinary user cannot import shopfloor here: {why.stderr.strip().splitlines()[-1]}")
    done = subprocess.run(
        [*readable, script, str(checkout)], env=environment, capture_output=True, text=True, check=False
    )
    denied = "unshare: unshare failed: No space left on device"
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        [
            str(["worker", "/repo", "/repo", denied]),
            r"b'/dev/pts/0\r\n' 0 65534",
            str(["worker", "/repo", "/repo", denied]),
            str(["worker", "/home/worker", "ls: cannot access '/repo': No such file or directory", denied]),
            r"b'/dev/pts/0\r\n' 0 65534",
        ],
    )
