"""Long-lived processes and terminals, at both levels."""

import anyio
import pytest

from shopfloor.domain.errors import AskModelAgain, Broken


async def read_until(process, wanted, within_s=10.0):
    """All that it said until these words came."""
    heard = b""
    with anyio.move_on_after(within_s):
        while wanted not in heard:
            more = await process.read()
            if not more:
                break
            heard += more
    assert wanted in heard
    return heard


def test_one_can_talk_with_a_process(live, checkout, level):
    """What is written reaches it, what it says comes back, its end is an end of output and an exit code."""

    async def story(sandbox):
        process = await sandbox.open('while read line; do echo "heard $line"; [ $line = bye ] && exit 5; done')
        await process.write("größe\n".encode())
        assert await read_until(process, b"\n") == "heard größe\n".encode()
        await process.write(b"bye\n")
        assert await read_until(process, b"\n") == b"heard bye\n"
        assert await process.wait() == 5
        assert await process.read() == b""
        with pytest.raises(AskModelAgain):
            await process.write(b"x" * 1_000_000)
        with pytest.raises(Broken, match="terminal"):
            process.resize(10, 10)

    live(story, checkout, level)


def test_a_process_can_be_killed_with_all_it_started(live, checkout, level):
    """Killing ends the group: its output ends too, for nobody is left to write."""

    async def story(sandbox):
        process = await sandbox.open("echo up; sleep 1000 & sleep 1001 & wait")
        await read_until(process, b"up")
        await process.kill()
        assert await process.wait() == 143
        with anyio.fail_after(5):
            assert await process.read() == b""

    live(story, checkout, level)


def test_a_missing_program_says_so_and_ends(live, checkout, level):
    """With and without a terminal."""

    async def story(sandbox):
        for terminal in (None, (24, 80)):
            process = await sandbox.open(["no-such-program"], terminal=terminal)
            assert b"command not found" in await read_until(process, b"found")
            assert await process.wait() == 127

    live(story, checkout, level)


def test_a_terminal_is_a_real_one(live, checkout, level):
    """It has a name, a size, colours, a controlling process, and nobody else's echo."""

    async def story(sandbox):
        script = (
            "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all; echo $TERM; : < /dev/tty && echo mine"
        )
        process = await sandbox.open(script, terminal=(31, 97))
        heard = (await read_until(process, b"mine")).decode().split()
        assert heard[0].startswith("/dev/pts/")
        assert heard[1:] == ["31", "97", "all", "xterm-256color", "mine"]
        assert await process.wait() == 0
        assert await process.read() == b""

    live(story, checkout, level)


def test_ctrl_c_interrupts_what_runs_in_the_terminal(live, checkout, level):
    """The byte 3 is a SIGINT for the program in front, and the shell goes on."""

    async def story(sandbox):
        process = await sandbox.open(["/bin/bash", "--norc", "-i"], terminal=(24, 80))
        await process.write(b"sleep 1000\n")
        await read_until(process, b"sleep 1000")
        await anyio.sleep(0.3)
        await process.write(b"\x03")
        await process.write(b"echo code $((100 + $?))\n")
        await read_until(process, b"code 230")
        await process.write(b"exit 7\n")
        assert await process.wait() == 7

    live(story, checkout, level)


def test_a_resize_reaches_the_program(live, checkout, level):
    """It hears SIGWINCH and sees the new size."""

    async def story(sandbox):
        script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done"
        process = await sandbox.open(script, terminal=(24, 80))
        await read_until(process, b"ready")
        process.resize(50, 132)
        await read_until(process, b"50 132")
        assert await process.wait() == 0

    live(story, checkout, level)


def test_killing_a_terminal_ends_its_background_jobs(live, checkout, level, eventually):
    """Job control gives every job a group of its own; they all belong to the session."""
    beat = checkout / "beat"

    async def story(sandbox):
        process = await sandbox.open(["/bin/bash", "--norc", "-i"], terminal=(24, 80))
        await process.write(b"while :; do date +%N > beat; sleep 0.05; done &\n")
        assert await eventually(beat.exists)
        await process.kill()
        last = beat.read_text()
        await anyio.sleep(0.3)
        assert beat.read_text() == last

    live(story, checkout, level)


def test_closing_the_sandbox_ends_whoever_still_reads(live, checkout, level):
    """A reader that waits when the sandbox closes finds the end, not an error."""
    ended = []

    async def story(sandbox):
        process = await sandbox.open("sleep 1000")

        async def read():
            ended.append(await process.read())

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.sleep(0.1)
            await sandbox.close()

    live(story, checkout, level)
    assert ended == [b""]
