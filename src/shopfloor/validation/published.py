"""Which programs a contract publishes. A judge starts these and no others: a shell or a pager would show the source.

What a contract puts between backticks is published: a product's own program with any arguments, a program that can show
files (or run code) only in exactly those words. Pure; it does not know how a program is started.
"""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

from shopfloor.domain.contract import Contract
from shopfloor.domain.errors import AskModelAgain
from shopfloor.guard.programs import PROGRAMS

Words: TypeAlias = tuple[str, ...]
_SPAN = re.compile(r"(`+)(?P<code>[^`].*?)\1", re.S)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPERATOR = re.compile(r"[();<>|&]+")
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
_RUNNERS = frozenset(
    ("uv", "npm", "pnpm", "yarn", "npx", "cargo", "go", "make", "poetry", "bundle", "dotnet", "gradle")
)
_INTERPRETERS = frozenset(("sh", "bash", "dash", "zsh", "node", "deno", "bun", "ruby", "perl", "php", "java", "lua"))
_TOOLS = frozenset(("awk", "sed", "vi", "vim", "nano", "less", "more", "tee", "cp", "mv", "dd", "tar", "xargs", "env"))
"""Programs that show files, or start others, beside those that the guard knows as readers."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Beginnings of commands that may go on in any way, whole lines that may not, and variables that may be set."""

    programs: frozenset[Words]
    lines: frozenset[str]
    variables: frozenset[str]

    def admit(self, command: str) -> str:
        """The command as it may be started. AskModelAgain says which ones may be, when this is none of them."""
        line = " ".join(command.strip().removeprefix("exec ").split())
        if line in self.lines:
            return line
        words = _words(line)
        if words is None:
            raise AskModelAgain(f"{command!r} is more than one program: start one, and type into it. {self._known()}")
        variables = [word for word in words if _ASSIGNMENT.match(word)][: _leading(words)]
        program = words[len(variables) :]
        unknown = [word.partition("=")[0] for word in variables if word.partition("=")[0] not in self.variables]
        if unknown or not any(program[: len(beginning)] == beginning for beginning in self.programs):
            raise AskModelAgain(f"{command!r} is not published for users, and you judge as one. {self._known()}")
        return shlex.join(("env", *variables, *program)) if variables else shlex.join(program)

    def _known(self) -> str:
        shown = sorted({" ".join(program) for program in self.programs} | self.lines)
        return f"Published: {'; '.join(f'`{one}`' for one in shown)}." if shown else "No program is published."


def published(contract: Contract) -> Published:
    """What a contract publishes, in its words for judges, its assertions and its start command."""
    texts = [contract.published, *(text for one in contract.assertions for text in (one.behaviour, one.negative))]
    lines = [*_lines(texts), *([contract.start] if contract.start else [])]
    programs: set[Words] = set()
    variables: set[str] = set()
    for line in lines:
        words = _words(line) or ()
        leading = _leading(words)
        variables |= {word.partition("=")[0] for word in words[:leading]}
        if beginning := _beginning(words[leading:]):
            programs.add(beginning)
    return Published(programs=frozenset(programs), lines=frozenset(lines), variables=frozenset(variables))


def _lines(texts: Iterable[str]) -> list[str]:
    """Lines of code between backticks, as one would type them."""
    spans = (span["code"] for text in texts for span in _SPAN.finditer(text))
    lines = (line.strip().removeprefix("$ ") for span in spans for line in span.splitlines())
    return [" ".join(line.split()) for line in lines if line]


def _words(line: str) -> Words | None:
    """The words of a command; None when it is not one program with its arguments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = tuple(lexer)
    except ValueError:
        return None
    return None if not words or any(_OPERATOR.fullmatch(word) for word in words) else words


def _leading(words: Words) -> int:
    """How many words set variables before the program's name."""
    return next((place for place, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))


def _beginning(words: Words) -> Words:
    """As much of a command as names the product's own program; () where only the whole line may be run."""
    if not words:
        return ()
    name = PurePosixPath(words[0]).name
    if name in PROGRAMS or name in _TOOLS or name == "git":
        return ()
    if _PYTHON.fullmatch(name) and words[1:2] == ("-m",):
        return words[:3] if len(words) > 2 else ()
    if _PYTHON.fullmatch(name) or name in _INTERPRETERS:
        return words[:2] if len(words) > 1 and not words[1].startswith("-") else ()
    if name in _RUNNERS:
        named = 3 if words[1:2] in (("run",), ("exec",)) and name != "cargo" else 2
        return words[:named] if len(words) >= named and not words[named - 1].startswith("-") else ()
    return words[:1]
