"""Starts, stops and restarts the app under test, and knows when it is up.

Its whole output is kept in a log. Not coming up is a value, for that is the work's failure; a stranger who already
answers at the app's address is a GiveUp, for then a judge would judge the wrong thing. It does not know any driver.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from urllib.parse import urlsplit

import anyio
from anyio.abc import TaskGroup

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.sandbox.protocol import Process, Sandbox
from shopfloor.validation.drivers.drive import Drive, open_drive
from shopfloor.validation.drivers.hands.wire import Send
from shopfloor.validation.drivers.protocol import capped

LOG_CAP = 20_000_000
"""Bytes of output that are kept; what comes later is read and dropped, so that the app never waits for us."""
KEPT = 3_000
"""Bytes of its last output that a person is shown."""
TCP = "tcp"
LOOK_S = 3.0
STOPPING_S = 10.0
_ENDING_LOOKS = 50


class Health(Fact):
    """Whether the app came up, after how long, and if not, why, with the last it said."""

    healthy: bool
    text: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the app starts, where it answers (`http://localhost:PORT`), how one sees that it is up, how it stops.

    `health` is a path that must not answer 5xx, TCP for any open port, or a command that exits 0 when it is up. `stop`
    is a command that ends it politely; without one, and after it, it is killed.
    """

    command: str
    address: str
    health: str = "/"
    stop: str = ""

    @property
    def seen_at(self) -> str:
        """Where it is looked for."""
        return f"{self.address}{self.health}" if self.health.startswith("/") else self.address


class App:
    """The app under test. Started by `start`, ended by `stop` or with its context."""

    def __init__(self, sandbox: Sandbox, recipe: Recipe, log: Path, drive: Drive, tasks: TaskGroup) -> None:
        self._sandbox = sandbox
        self._recipe = recipe
        self._log = log
        self._drive = drive
        self._tasks = tasks
        self._process: Process | None = None
        self._exit_code: int | None = None
        self._said = b""
        """The last it printed, also when the log is full."""

    async def start(self, deadline_s: float = 30.0) -> Health:
        """Starts it and waits until it answers, ends, or time is up. GiveUp if something else answers there already."""
        if await self._taken():
            address = self._recipe.address
            raise GiveUp(f"something else already answers at {address!r}: stop it, or judge at another port")
        began = monotonic()
        self._exit_code = None
        self._process = await self._sandbox.open(self._recipe.command, view="app")
        self._tasks.start_soon(self._keep_output, self._process)
        while (problem := await self._problem()) and monotonic() < began + deadline_s:
            if self._exit_code is not None:
                problem = f"it ended with exit code {self._exit_code}"
                break
            await anyio.sleep(0.1)
        seconds = monotonic() - began
        if not problem:
            return Health(healthy=True, text=f"{self._recipe.seen_at} answers", seconds=seconds)
        late = f"{self._recipe.command!r} did not come up within {seconds:.1f} s: {problem}"
        return Health(healthy=False, text=f"{late}\nIts last output:\n{self.output()}", seconds=seconds)

    async def stop(self) -> None:
        """Ends it, by its own command if it has one; nothing happens if it does not run."""
        if self._process is not None:
            if self._recipe.stop:
                await self._run(self._recipe.stop, STOPPING_S)
            await self._process.kill()
            self._process = None

    async def restart(self, deadline_s: float = 30.0) -> Health:
        """Ends it, sees that nothing answers any more, and starts it again: what must survive is then still there."""
        await self.stop()
        began = monotonic()
        for _ in range(_ENDING_LOOKS):
            if not await self._taken():
                return await self.start(deadline_s)
            await anyio.sleep(0.1)
        left = (
            f"{self._recipe.command!r} was ended, and {self._recipe.address} still answers: it left something running"
        )
        advice = "say how it stops (`[app] stop` in services.toml), or start it so that it stays in the foreground"
        return Health(healthy=False, text=f"{left}; {advice}", seconds=monotonic() - began)

    async def died(self) -> str:
        """Why it counts as dead, after it came up; "" while it answers."""
        if self._process is None or await self._taken():
            return ""
        how = "it still runs" if self._exit_code is None else f"it ended with exit code {self._exit_code}"
        return f"{self._recipe.address} does not answer any more: {how}"

    def output(self, limit: int = KEPT) -> str:
        """The last of what it printed."""
        return capped(self._said[-limit:].decode(errors="replace"), limit) or "(nothing)"

    async def _keep_output(self, process: Process) -> None:
        with self._log.open("ab") as log:
            while chunk := await process.read():
                self._said = (self._said + chunk)[-KEPT:]
                log.write(chunk[: max(0, LOG_CAP - log.tell())])
                log.flush()
        exit_code = await process.wait()
        if process is self._process:
            self._exit_code = exit_code

    async def _problem(self) -> str:
        """Why the app does not count as up, or ""."""
        health = self._recipe.health
        if health == TCP:
            return "" if await self._taken() else f"nothing listens at {self._recipe.address}"
        if not health.startswith("/"):
            code = await self._run(health, LOOK_S)
            return "" if code == 0 else f"{health!r} ended with exit code {code}"
        done = await self._drive.send(Send(url=self._recipe.seen_at, seconds=LOOK_S))
        if done.status >= 500:
            return f"{self._recipe.seen_at} answers {done.status} {done.reason}"
        return "" if done.status else done.problem

    async def _run(self, command: str, timeout_s: float) -> int | None:
        """The exit code of a command beside the app; None when it was ended after that many seconds."""
        with TemporaryDirectory(dir=self._log.parent) as folder:
            output = Path(folder) / "output"
            finished = await self._sandbox.run(command, output=output, timeout_s=timeout_s, view="app")
        return None if finished.timed_out else finished.exit_code

    async def _taken(self) -> bool:
        """Whether anything at all listens at the app's address."""
        parts = urlsplit(self._recipe.address)
        return not (await self._drive.knock(parts.hostname or "localhost", parts.port or 80)).problem


@asynccontextmanager
async def app_under_test(sandbox: Sandbox, recipe: Recipe, log: Path) -> AsyncGenerator[App]:
    """The app that a recipe describes, to be started in the app's view; its output is kept in `log`."""
    try:
        async with anyio.create_task_group() as tasks, open_drive(sandbox) as drive:
            app = App(sandbox, recipe, log, drive, tasks)
            try:
                yield app
            finally:
                with anyio.CancelScope(shield=True):
                    await app.stop()
                tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        match group.exceptions:
            case (BaseException() as only,):
                raise only from None  # who uses an app need not know that tasks keep its log
            case _:
                raise
