"""A checkout to work in, and the workbench over a real sandbox of each level."""

import shutil
import subprocess
from pathlib import Path

import anyio
import msgspec
import pytest

from shopfloor.domain.messages import Call, Result, ToolSpec
from shopfloor.guard.actions import Action
from shopfloor.sandbox.probe import probe, start
from shopfloor.sandbox.protocol import Blueprint, Level
from shopfloor.tools.toolbox import Toolbox
from shopfloor.tools.workbench import workbench


class Bench:
    """The workbench over one checkout. Calls given together meet one sandbox."""

    def __init__(self, level: Level, folder: Path) -> None:
        self.level: Level = level
        self.checkout = folder / "checkout"
        self.kept = folder / "kept"
        self.spool = folder / "spool"
        self.checkout.mkdir()
        self.kept.mkdir()

    def put(self, path: str, content: str | bytes) -> None:
        target = self.checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def git(self, *words: str) -> None:
        subprocess.run(("git", *words), cwd=self.checkout, check=True)

    def call(self, name: str, /, **arguments: object) -> Result:
        return self.calls((name, arguments))[0]

    def calls(self, *wanted: tuple[str, dict[str, object]]) -> list[Result]:
        """Performs the calls one after the other."""
        return anyio.run(self._perform, wanted)

    async def _perform(self, wanted: tuple[tuple[str, dict[str, object]], ...]) -> list[Result]:
        async with start(Blueprint(checkout=str(self.checkout)), self.level) as sandbox:
            toolbox = Toolbox(workbench(sandbox, self.spool, self.keep, person_present=False))
            return [await toolbox.perform(_call(name, arguments)) for name, arguments in wanted]

    def seen(self, name: str, /, **arguments: object) -> tuple[Action, bool]:
        """What the guard hears of a call, and whether it may be repeated."""

        async def look() -> tuple[Action, bool]:
            async with start(Blueprint(checkout=str(self.checkout)), self.level) as sandbox:
                toolbox = Toolbox(workbench(sandbox, self.spool, self.keep, person_present=False))
                call = _call(name, arguments)
                return toolbox.action(call), toolbox.repeatable(call)

        return anyio.run(look)

    def specs(self) -> tuple[ToolSpec, ...]:
        async def look() -> tuple[ToolSpec, ...]:
            async with start(Blueprint(checkout=str(self.checkout)), self.level) as sandbox:
                return Toolbox(workbench(sandbox, self.spool, self.keep, person_present=False)).specs

        return anyio.run(look)

    def keep(self, path: Path) -> str:
        """Keeps a copy under a name of its own."""
        name = f"blob-{len(list(self.kept.iterdir()))}"
        shutil.copy(path, self.kept / name)
        return name


def _call(name: str, arguments: dict[str, object]) -> Call:
    return Call(id="c1", name=name, arguments=msgspec.json.encode(arguments).decode())


@pytest.fixture(params=["none", "bubblewrap"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if request.param == "bubblewrap" and not probe().bubblewrap:
        pytest.skip(probe().why_no_bubblewrap)
    return Bench(request.param, tmp_path)
