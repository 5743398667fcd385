"""Somebody at a command line: the real program as a child process, in settings and a state folder of their own.

It does not know what they want.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import anyio
import msgspec

from shopfloor.journal.sqlite import open_sqlite
from shopfloor.journal.store import Recorded
from shopfloor.models.script import Address, Answer, ConversationScript, ScriptedConversation

PATIENCE_S = 60.0
WIDTH = "240"
"""Wide enough that no sentence is broken."""
_STEERING = ("SHOPFLOOR_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "OPENROUTER_", "XDG_", "GIT_")


class Done(NamedTuple):
    """How a command ended, and all that it said, with each run of white space as one space."""

    exit_code: int
    said: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that runs; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    output: Path

    def wait(self, seconds: float = PATIENCE_S) -> Done:
        """Waits for its end. TimeoutExpired, with the process killed, when that does not come."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return Done(code, " ".join(self.output.read_text(errors="replace").split()))

    def kill(self) -> None:
        """Ends it as the kernel does when memory runs out: no clean-up, no last word."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who types commands, in a repository; `home` holds their settings and the state folder.

    `inside` are the words of another command that runs theirs, in surroundings of its own.
    """

    home: Path
    repository: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    inside: tuple[str, ...] = ()
    started: list[Command] = field(default_factory=list[Command])

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever leaves the desk leaves nothing running."""
        for command in self.started:
            command.kill()

    @property
    def state(self) -> Path:
        return self.home / "state" / "shopfloor"

    @property
    def settings(self) -> Path:
        """Where their settings file is looked for."""
        return self.home / "config" / "shopfloor" / "config.toml"

    def runs(self, *words: str, seconds: float = PATIENCE_S, typed: bytes = b"") -> Done:
        """Types `shopfloor WORDS` and waits for its end."""
        return self.starts(*words, typed=typed).wait(seconds)

    def starts(self, *words: str, typed: bytes = b"") -> Command:
        """Types `shopfloor WORDS` and goes on with something else; `typed` is what the program may read."""
        self.home.mkdir(parents=True, exist_ok=True)
        output = self.home / f"output-{time.monotonic_ns()}"
        with output.open("wb") as said, TemporaryFile() as keyboard:
            keyboard.write(typed)
            keyboard.seek(0)
            process = subprocess.Popen(
                (*self.inside, sys.executable, "-m", "shopfloor", *words),
                cwd=self.repository,
                env=self.surroundings,
                stdin=keyboard,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        self.started.append(Command(process=process, output=output))
        return self.started[-1]

    def facts(self, stream: str) -> list[Recorded]:
        """The facts of a stream, as the journal has them now."""

        async def act() -> list[Recorded]:
            journal = open_sqlite(self.state / "journal.db")
            try:
                return await journal.read(stream)
            finally:
                await journal.close()

        return anyio.run(act) if (self.state / "journal.db").exists() else []

    @property
    def surroundings(self) -> dict[str, str]:
        """Theirs, free of what the surroundings of the test may have set."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(_STEERING)}
        own = {"XDG_STATE_HOME": str(self.home / "state"), "XDG_CONFIG_HOME": str(self.home / "config")}
        return {**kept, **own, "COLUMNS": WIDTH, **self.environment}


def write_script(path: Path, script: Mapping[Address, Sequence[Answer | str]]) -> str:
    """Writes a script to a JSON file; the name of the model that plays it."""
    conversations = tuple(_conversation(address, answers) for address, answers in script.items())
    path.write_bytes(msgspec.json.encode(ConversationScript(conversation=conversations)))
    return f"scripted:{path}"


def _conversation(address: Address, answers: Sequence[Answer | str]) -> ScriptedConversation:
    written = tuple(Answer(text=answer) if isinstance(answer, str) else answer for answer in answers)
    match address:
        case (role,):
            return ScriptedConversation(role=role, answers=written)
        case (role, feature):
            return ScriptedConversation(role=role, feature=feature, answers=written)
        case (role, feature, attempt):
            return ScriptedConversation(role=role, feature=feature, attempt=attempt, answers=written)
