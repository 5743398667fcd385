"""What a repository depends on is set up once, shown read-only, and never half."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import anyio

from shopfloor.sandbox.dependencies import Setup, furnished, set_up
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint

MAKE_TOOL = 'mkdir -p "$DEPS/bin"; echo "echo tool of $DEPS" > "$DEPS/bin/tool"; chmod +x "$DEPS/bin/tool"'
SETUP = Setup(
    command=f"{MAKE_TOOL}; echo x >> count",
    lock_hash="abc",
)


def test_a_setup_runs_once_and_everyone_gets_its_result(checkout, tmp_path, level):
    """Three at once and one later: the command ran once, and its tool is on PATH in the next sandbox."""
    blueprint = Blueprint(checkout=str(checkout))
    found = []

    async def one():
        found.append(await set_up(SETUP, blueprint, tmp_path / "cache", level))

    async def story():
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one)
        await one()
        assert sorted(each.reused for each in found) == [False, True, True, True]
        assert len({each.folder for each in found}) == 1
        async with start(furnished(blueprint, found[0]), level) as sandbox:
            output = tmp_path / "said"
            await sandbox.run("tool; command -v tool", output=output, timeout_s=20)
            deps = "/deps" if level == "bubblewrap" else found[0].folder
            assert output.read_text() == f"tool of {deps}\n{deps}/bin/tool\n"
            if level == "bubblewrap":
                finished = await sandbox.run("echo more >> $DEPS/bin/tool", output=output, timeout_s=20)
                assert (finished.exit_code, "Read-only" in output.read_text()) == (1, True)

    anyio.run(story)
    assert (checkout / "count").read_text() == "x\n"


def test_another_lock_file_is_another_setup(checkout, tmp_path, level):
    """Neither overwrites the other."""

    async def story():
        blueprint = Blueprint(checkout=str(checkout))
        one = await set_up(SETUP, blueprint, tmp_path / "cache", level)
        other = await set_up(Setup(command=SETUP.command, lock_hash="def"), blueprint, tmp_path / "cache", level)
        assert (one.folder != other.folder, other.reused) == (True, False)

    anyio.run(story)


def test_a_failing_setup_is_a_value_with_its_log_and_is_tried_again(checkout, tmp_path, level):
    """The next call runs the command again, from an empty folder."""
    setup = Setup(command='ls "$DEPS"; echo half > "$DEPS/half"; echo why it failed; test -e fixed', lock_hash="x")

    async def story():
        blueprint = Blueprint(checkout=str(checkout))
        failed = await set_up(setup, blueprint, tmp_path / "cache", level)
        assert (failed.folder, failed.exit_code, Path(failed.log).read_text()) == ("", 1, "why it failed\n")
        (checkout / "fixed").touch()
        mended = await set_up(setup, blueprint, tmp_path / "cache", level)
        assert (mended.exit_code, mended.reused, Path(mended.folder, "half").exists()) == (0, False, True)

    anyio.run(story)


def _set_up_slowly(checkout, cache, level):
    slow = Setup(command='echo half > "$DEPS/half"; touch begun; sleep 100', lock_hash="slow")
    anyio.run(set_up, slow, Blueprint(checkout=checkout), cache, level)


def test_a_crash_in_the_middle_leaves_nothing_that_anyone_would_use(checkout, tmp_path, level):
    """The process that set up is killed outright: its lock is free, its half folder is swept, the command runs anew."""
    process = multiprocessing.get_context("spawn").Process(
        target=_set_up_slowly, args=(str(checkout), tmp_path / "cache", level)
    )
    process.start()
    deadline = time.monotonic() + 20
    while not (checkout / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    again = Setup(command='echo half > "$DEPS/half"; touch begun; sleep 100', lock_hash="slow", timeout_s=0.3)

    async def story():
        with anyio.fail_after(20):
            result = await set_up(again, Blueprint(checkout=str(checkout)), tmp_path / "cache", level)
        assert (result.reused, result.folder, result.exit_code) == (False, "", 143)

    anyio.run(story)
