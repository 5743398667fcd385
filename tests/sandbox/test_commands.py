"""Commands: every promise of `Sandbox.run`, held by both levels."""

import contextlib
import os
import signal
import time
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import AskModelAgain, Broken, TryLater


def test_a_command_runs_in_the_checkout_and_its_words_lie_in_the_file(live, said, checkout, level):
    """Standard output and error are one text in the order written; the exit code is the command's own."""

    async def story(sandbox):
        assert await said(sandbox, "echo out; echo err >&2; echo out again; exit 3") == (3, "out\nerr\nout again\n")
        assert await said(sandbox, "pwd") == (0, f"{sandbox.root}\n")
        assert await said(sandbox, "touch made-inside") == (0, "")

    live(story, checkout, level)
    assert (checkout / "made-inside").exists()


def test_words_are_a_program_and_its_arguments(live, said, checkout, level):
    """No shell touches them: spaces, quotes and dollars arrive as they are, in any script."""

    async def story(sandbox):
        assert await said(sandbox, ["printf", "%s|", "a b", "$HOME", "'", "größe 日本 🏭"]) == (
            0,
            "a b|$HOME|'|größe 日本 🏭|",
        )

    live(story, checkout, level)


def test_a_missing_program_is_127_with_words(live, said, checkout, level):
    """So is a missing one in the shell; what is there but cannot be run is 126. None of it ends the sandbox."""
    (checkout / "plain.txt").write_text("no program")

    async def story(sandbox):
        assert await said(sandbox, ["no-such-program"]) == (127, "cannot start 'no-such-program': command not found\n")
        assert (await said(sandbox, "no-such-program"))[0] == 127
        code, words = await said(sandbox, ["./plain.txt"])
        assert (code, "Permission denied" in words) == (126, True)
        code, words = await said(sandbox, ["printf", "x" * 140_000])
        assert (code, "Argument list too long" in words) == (126, True)
        assert await said(sandbox, "echo alive") == (0, "alive\n")

    live(story, checkout, level)


def test_what_no_kernel_takes_goes_back_to_the_model(live, said, checkout, level):
    """A NUL, a lone surrogate or a novel as a command is the model's to mend; the sandbox lives on."""

    async def story(sandbox):
        for command in ("echo \0", "echo \ud800", "echo " + "x" * 200_000):
            with pytest.raises(AskModelAgain):
                await said(sandbox, command)
        assert await said(sandbox, r"echo '\u0000'") == (0, "\\u0000\n")

    live(story, checkout, level)


def test_a_working_folder_is_inside_the_checkout(live, said, checkout, level):
    """A folder inside is entered, by its own name or below /repo; one outside is refused, a missing one said so."""
    (checkout / "deep" / "er").mkdir(parents=True)

    async def story(sandbox):
        assert await said(sandbox, "pwd", cwd="deep/er") == (0, f"{sandbox.root}/deep/er\n")
        assert await said(sandbox, "pwd", cwd="/repo/deep") == (0, f"{sandbox.root}/deep\n")
        for outside in ("..", "/tmp", "deep/../../x", "/repo/.."):
            with pytest.raises(AskModelAgain, match="outside the checkout"):
                await said(sandbox, "pwd", cwd=outside)
        code, words = await said(sandbox, "pwd", cwd="missing")
        assert (code, "there is no folder" in words) == (127, True)

    live(story, checkout, level)


def test_only_what_the_blueprint_says_is_in_the_environment(live, said, checkout, level, monkeypatch):
    """No variable of the host leaks in; those of the blueprint and of the command arrive, the command's winning."""
    monkeypatch.setenv("SHOPFLOOR_CANARY", "secret")
    always = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TERM", "TMPDIR", "GIT_CONFIG_COUNT"}
    always |= {"GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}

    async def story(sandbox):
        _, words = await said(sandbox, ["env", "-0"], environment={"COLOR": "blue"})
        found = dict(entry.split("=", 1) for entry in words.split("\0") if entry)
        toolchains = {name for name in found if name.endswith(("_ROOT", "_HOME", "_DIR"))}
        assert set(found) - toolchains == {*always, "COLOR", "SIZE"}
        assert (found["COLOR"], found["SIZE"]) == ("blue", "small")
        assert found["HOME"] != os.environ["HOME"]
        assert found["PATH"].startswith("/first/bin:")

    live(story, checkout, level, environment=(("COLOR", "red"), ("SIZE", "small")), path_first=("/first/bin",))


def test_input_of_any_size_arrives(live, said, checkout, level):
    """Ten megabytes of input are read to the last byte; without input there is an end of file, not a wait."""

    async def story(sandbox):
        assert await said(sandbox, "wc -c", stdin=b"x" * 10_000_000) == (0, "10000000\n")
        assert await said(sandbox, "wc -c") == (0, "0\n")
        assert await said(sandbox, "cat /dev/stdin", stdin="wörter".encode()) == (0, "wörter")

    live(story, checkout, level)


def test_a_hundred_megabytes_of_output_are_whole_on_disk(live, said, checkout, level, tmp_path):
    """Every byte is in the file when the call returns, binary ones too."""

    async def story(sandbox):
        finished, words = await said.finished(sandbox, "head -c 100000000 /dev/zero; printf '\\377\\000end'")
        assert (finished.exit_code, finished.size, len(words)) == (0, 100_000_005, 100_000_005)
        assert words.endswith(b"\xff\x00end")

    live(story, checkout, level)


def test_too_much_output_ends_the_command(live, said, checkout, level):
    """At the limit the command is killed, the file holds just the limit, and the result says so."""

    async def story(sandbox):
        finished, words = await said.finished(sandbox, "yes", largest_output=50_000)
        assert (finished.overflowed, finished.exit_code, finished.size, len(words)) == (True, 137, 50_000, 50_000)
        assert words == b"y\n" * 25_000

    live(story, checkout, level)


def test_what_was_said_cannot_be_unsaid(live, said, checkout, level):
    """Reopening standard output to write from its start adds to it: a command never holds the host's file."""

    async def story(sandbox):
        assert await said(sandbox, "echo first; echo second > /dev/stdout; echo third > /dev/stderr") == (
            0,
            "first\nsecond\nthird\n",
        )

    live(story, checkout, level)


def test_a_timeout_kills_the_grandchildren_too(live, said, checkout, level):
    """What the command started is gone, even what ignores TERM; the words until then are kept."""
    script = "echo begun; (trap '' TERM; while :; do date +%N > beat; sleep 0.05; done) & sleep 100"

    async def story(sandbox):
        began = time.monotonic()
        finished, words = await said.finished(sandbox, script, timeout_s=0.5)
        assert (finished.timed_out, finished.exit_code, words) == (True, 143, b"begun\n")
        assert time.monotonic() - began < 5
        await anyio.sleep(0.3)
        last = (checkout / "beat").read_text()
        await anyio.sleep(0.3)
        assert (checkout / "beat").read_text() == last

    live(story, checkout, level)


def test_a_stubborn_command_is_killed_after_two_seconds(live, said, checkout, level):
    """Ignoring TERM wins two seconds, no more."""

    async def story(sandbox):
        finished, _ = await said.finished(sandbox, "trap '' TERM; while :; do sleep 0.1; done", timeout_s=0.2)
        assert (finished.timed_out, finished.exit_code) == (True, 137)
        assert 2.0 < finished.seconds < 6.0

    live(story, checkout, level)


def test_a_background_process_does_not_hold_the_command(live, said, checkout, level, eventually):
    """The call returns when the command ends; what it left lives on, until the sandbox closes."""
    beat = checkout / "beat"

    async def story(sandbox):
        finished, words = await said.finished(
            sandbox, "(while :; do date +%N > beat; sleep 0.05; done) & setsid sleep 1000 & echo started"
        )
        assert (finished.exit_code, words) == (0, b"started\n")
        assert finished.seconds < 5
        assert await eventually(beat.exists)
        first = beat.read_text()
        assert await eventually(lambda: beat.read_text() not in (first, ""))

    live(story, checkout, level)
    last = beat.read_text()
    time.sleep(0.3)
    assert beat.read_text() == last


def test_closing_ends_everything_even_who_left_its_session(live, said, checkout, level, eventually):
    """A daemon that forked twice into a session of its own ends with the sandbox, like everybody else."""
    pids = checkout / "pids"
    mark = f"daemon-of-test-{os.getpid()}-{level}"

    async def story(sandbox):
        daemon = f"sh -c 'echo $$ >> pids; while :; do sleep 1; done' {mark}"
        await said(sandbox, f"setsid {daemon} & (setsid -f {daemon}) & echo started")
        assert await eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        # `setsid -f` may still be seen for an instant, on its way out.
        assert await eventually(lambda: b"".join(_command_lines()).count(mark.encode()) == 2)

    live(story, checkout, level)
    assert mark.encode() not in b"".join(_command_lines())


def _command_lines():
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield (process / "cmdline").read_bytes()


def test_cancelling_kills_the_group(live, said, checkout, level):
    """Whoever stops waiting leaves nothing running, and the sandbox is as good as before."""

    async def story(sandbox):
        with anyio.move_on_after(0.5) as scope:
            await said(sandbox, "while :; do date +%N > beat; sleep 0.05; done & wait")
        assert scope.cancelled_caught
        last = (checkout / "beat").read_text()
        await anyio.sleep(0.3)
        assert (checkout / "beat").read_text() == last
        assert await said(sandbox, "echo alive") == (0, "alive\n")

    live(story, checkout, level)


def test_commands_run_beside_each_other(live, said, checkout, level):
    """Forty commands of half a second take nothing like twenty seconds, and nobody gets another's words."""

    async def story(sandbox):
        heard = {}

        async def one(number):
            heard[number] = await said(sandbox, f"sleep 0.5; echo {number}")

        began = time.monotonic()
        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(one, number)
        assert time.monotonic() - began < 8
        assert heard == {number: (0, f"{number}\n") for number in range(40)}

    live(story, checkout, level)


def test_a_killed_command_is_128_and_its_signal(live, said, checkout, level):
    """The exit code says by which signal it ended."""

    async def story(sandbox):
        assert (await said(sandbox, "kill -SEGV $$"))[0] == 128 + signal.SIGSEGV

    live(story, checkout, level)


def test_a_child_cannot_end_or_look_into_what_started_it(live, said, checkout, enforced):
    """Killing everything in sight leaves the sandbox standing, and its memory is closed to those inside."""

    async def story(sandbox):
        await said(sandbox, "kill -TERM -1; kill -INT 1; kill -KILL 1; kill -KILL -1")
        code, words = await said(sandbox, "cat /proc/1/environ /proc/1/maps /proc/1/fd/0")
        assert (code != 0, words.count("Permission denied")) == (True, 3)
        assert await said(sandbox, "echo alive") == (0, "alive\n")

    live(story, checkout, "bubblewrap")


def test_a_dead_runner_is_broken_to_everyone_who_waits(live, said, checkout):
    """Nobody waits for ever for a sandbox that has died: a running command and the next one both say so."""

    async def story(sandbox):
        with pytest.raises(Broken, match="the sandbox died"):
            await said(sandbox, "sleep 0.3; kill -KILL $PPID; sleep 100")
        with pytest.raises(Broken, match="the sandbox died"):
            await said(sandbox, "echo never")
        with pytest.raises(Broken, match="the sandbox died"):
            await sandbox.read("x", 1)

    live(story, checkout, "none")


def test_an_output_that_cannot_be_kept_is_said(live, said, checkout, level):
    """A full disk is a passing trouble outside, never a command that seems to have said nothing."""

    async def story(sandbox):
        with pytest.raises(TryLater, match="No space left"):
            await sandbox.run("echo lost", output=Path("/dev/full"), timeout_s=10)

    live(story, checkout, level)
