"""Runs a command of the model in the sandbox and says how it ended. It does not know whether it was allowed."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from msgspec import Meta

from shopfloor.guard.actions import RunCommand
from shopfloor.guard.readonly import is_read_only
from shopfloor.sandbox.protocol import Finished, Sandbox
from shopfloor.tools.output import spooled
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, prose
from shopfloor.tools.trim import trim_file

LONGEST_S = 1_800
SMALL = 64 * 1024

Keep = Callable[[Path], str]
"""Stores a whole file as a blob and returns its hash; may be called in another thread."""


class Shell(Arguments):
    command: str
    timeout_s: Annotated[int, Meta(ge=1, le=LONGEST_S, description="killed after so many seconds")] = 120


def shell_tool(sandbox: Sandbox, spool: Path, keep: Keep) -> AnyTool:
    """Runs a shell command. An output too long to show is kept whole."""

    async def run(arguments: Shell) -> Answer:
        with spooled(spool) as output:
            finished = await sandbox.run(arguments.command, output=output, timeout_s=arguments.timeout_s)
            text, trimmed = await _trimmed(finished)
            blob = await anyio.to_thread.run_sync(keep, Path(finished.output)) if trimmed else None
        said = f"{ending(finished, arguments.timeout_s)}\n{text or '(no output)'}"
        return Answer(text=said.removesuffix("\n"), exit_code=finished.exit_code, output=blob)

    return Tool(
        name="shell",
        description=prose("shell"),
        arguments=Shell,
        run=run,
        action=lambda arguments: RunCommand(command=arguments.command),
        repeatable=lambda arguments: is_read_only(arguments.command),
    )


async def _trimmed(finished: Finished) -> tuple[str, bool]:
    """What to show of the output. Handing a small file to a thread would take longer than reading it."""
    if finished.size <= SMALL:
        return trim_file(Path(finished.output))
    return await anyio.to_thread.run_sync(trim_file, Path(finished.output))


def ending(finished: Finished, timeout_s: int) -> str:
    """How a command ended, in a line; with advice where the model could do better. Whole seconds, so it repeats."""
    took = f"{finished.seconds:.0f} s" if finished.seconds >= 1 else "under 1 s"
    if finished.timed_out:
        return (
            f"timed out: killed with all it started after {timeout_s} s. If it needs longer, raise timeout_s "
            f"(up to {LONGEST_S}); start a server in the background: command >/tmp/log 2>&1 &"
        )
    if finished.overflowed:
        return f"killed after {finished.size:,} bytes of output: too much. Redirect it to a file, or make it quieter."
    return f"exit code {finished.exit_code}{_signal(finished.exit_code)}, {took}"


def _signal(exit_code: int) -> str:
    if exit_code == 128 + signal.SIGKILL:
        return " (SIGKILL, often out of memory)"
    fatal = (signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
    return next((f" ({one.name})" for one in fatal if exit_code == 128 + one), "")
