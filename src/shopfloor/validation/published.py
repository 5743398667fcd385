"""Which programs a contract publishes. A judge starts these and no others: a shell or a pager would show the source.

What a contract puts between backticks is published: a program of the product's own with any arguments, any other one
only in exactly those words, and none that reads commands from the keyboard. Pure; it does not know how one is started.
"""

import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

from shopfloor.domain.contract import Contract
from shopfloor.domain.errors import AskModelAgain
from shopfloor.guard.programs import PROGRAMS

Words: TypeAlias = tuple[str, ...]
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(?P<code>.*?)^[ \t]*\1", re.S | re.M)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?P<code>.+?)(?<!`)\1(?!`)")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_STEERING = re.compile(r"PYTHON|LD_|NODE_|PERL|RUBY|BASH|ENV$|PATH$|SHELL|EDITOR|PAGER|GIT_|JAVA_|JDK_")
"""Variables by which a program can be made to run something else."""
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPERATOR = re.compile(r"[();<>|&]+")
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
_INTERPRETERS = (
    *("sh", "bash", "dash", "ksh", "zsh", "fish", "busybox", "ipython", "pypy", "pypy3", "psql"),
    *("node", "deno", "bun", "ruby", "irb", "perl", "php", "java", "lua"),
)
_RUNNERS = (
    *("poetry", "uv", "uvx", "pipenv", "pdm", "hatch", "rye", "pixi", "conda", "npx", "bunx", "pnpx", "tsx", "ts-node"),
    *("flask", "django-admin", "manage.py", "rails", "bundle", "artisan", "mix", "make", "just", "task", "nix"),
)
"""Programs that run whatever they are told to, or have a shell of their own."""
_SHOW_FILES = (
    *("vi", "vim", "nvim", "view", "nano", "pico", "emacs", "ed", "ex", "joe", "micro", "mc", "less", "more", "most"),
    *("man", "info", "sqlite3", "psql", "mysql", "mongosh", "redis-cli", "gdb", "lldb", "ftp", "sftp", "ssh", "telnet"),
    *("screen", "tmux", "script", "expect", "gnuplot", "bc", "dc", "m4", "xargs", "tclsh", "wish", "guile", "ghci"),
)
"""Programs in which one can open files, or start others, from the keyboard."""
_VALUED = frozenset(("-W", "-X", "-cp", "-classpath", "--class-path", "-p", "-I", "-d"))
"""Options of interpreters that the next word belongs to."""
_OTHER_PROGRAM = re.compile(r"-[ceirS]+|--eval|--print|--require|--import|--interactive|-")
"""Options of interpreters by which the next file is not the program, or not the only one."""
_PLACEHOLDER = re.compile(r"\s+(?:<[^<>]+>|\[[^\]]*\]|\{[^{}]*\}|\.\.\.|…).*", re.S)
"""From here on, a published line says what a user puts there."""
_PASSES_ON = {("npm", "run"), ("pnpm", "run"), ("yarn", "run"), ("cargo", "run"), ("go", "run")}
"""Runners that give a program of the product what follows `--`, or for go what follows its package."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Beginnings of commands that may go on in any way, whole lines that may not, and variables that may be set."""

    programs: frozenset[Words]
    lines: Mapping[str, str]
    """As published, by what remains when runs of spaces are one."""
    variables: frozenset[str]

    def begins(self, words: Words) -> bool:
        """Whether these are one of the programs, with any arguments."""
        return any(words[: len(start)] == start for start in self.programs)

    def admit(self, command: str) -> str:
        """The command as it may be started. AskModelAgain says which ones may be, when this is none of them."""
        command = command.strip().removeprefix("exec ")
        if (line := self.lines.get(" ".join(command.split()))) is not None:
            return line
        words = _words(command)
        if words is None:
            why = "is more than one program, or lets a shell redirect it"
            how = "start the program alone and type its input; output and errors are one screen"
            raise AskModelAgain(f"{command!r} {why}: {how}, or start the line just as it is published. {self._known()}")
        leading = _leading(words)
        names = {word.partition("=")[0] for word in words[:leading]}
        if names - self.variables or not self.begins(arguments_of(command)):
            raise AskModelAgain(f"{command!r} is not published for users, and you judge as one. {self._known()}")
        return shlex.join(("env", *words) if leading else words)

    def _known(self) -> str:
        shown = sorted({" ".join(program) for program in self.programs} | set(self.lines))
        return f"Published: {'; '.join(f'`{one}`' for one in shown)}." if shown else "No program is published."


def published(contract: Contract, files: Collection[str], is_foreign: Callable[[str], bool]) -> Published:
    """What a contract publishes, in its words for judges, its assertions and its start command.

    `files` are the product's own, as paths of its checkout; `is_foreign` knows the programs of the machine.
    """
    texts = [contract.published, *(text for one in contract.assertions for text in (one.behaviour, one.negative))]
    found = [*lines_of_code(texts), *([contract.start] if contract.start else [])]
    lines: dict[str, str] = {}
    programs: set[Words] = set()
    variables: set[str] = set()
    for line in found:
        words = _words(_PLACEHOLDER.sub("", line))
        leading = _leading(words or ())
        if words and len(words) == 1 and _VARIABLE.fullmatch(line) and not _STEERING.match(line):
            variables.add(line)
            continue
        names = {word.partition("=")[0] for word in (words or ())[:leading]}
        steered = any(map(_STEERING.match, names))
        rest = (words or ())[leading:]
        if not steered and (start := _beginning(rest, files, is_foreign)):
            programs.add(_one_python(start))
            variables |= names
        if words is None or (rest and not _opens_more(rest, is_foreign)):
            lines[" ".join(line.split())] = " ".join(line.splitlines())
    return Published(programs=frozenset(programs), lines=lines, variables=frozenset(variables))


def arguments_of(command: str) -> Words:
    """A command's program and arguments, without what it sets before; () where it is more than one program."""
    words = _words(command.strip().removeprefix("exec ").removeprefix("env ")) or ()
    return _one_python(words[_leading(words) :])


def lines_of_code(texts: Iterable[str]) -> list[str]:
    """Lines of code between backticks, as one would type them; the word behind an opening fence is none."""
    found: list[str] = []
    for text in texts:
        found += [line for fence in _FENCE.finditer(text) for line in fence["code"].splitlines()]
        found += [span["code"] for span in _SPAN.finditer(_FENCE.sub("", text))]
    return [line for raw in found if (line := raw.strip().removeprefix("$ ").strip())]


def _words(line: str) -> Words | None:
    """The words of a command; None when it is not one program with its arguments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = tuple(lexer)
    except ValueError:
        return None
    return None if not words or any(_OPERATOR.fullmatch(word) for word in words) else words


def _leading(words: Words) -> int:
    """How many words set variables before the program's name."""
    return next((place for place, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))


def _beginning(words: Words, files: Collection[str], is_foreign: Callable[[str], bool]) -> Words:
    """As much of a command as names a program of the product's own; () where only the whole line may be run."""
    if not words:
        return ()
    first, name = words[0], PurePosixPath(words[0]).name
    if _PYTHON.fullmatch(name) or name in _INTERPRETERS:
        return _interpreted(words, files)
    if len(words) > 2 and any(words[:2] == pair for pair in _PASSES_ON):
        return words[:3] if name == "go" else (*words[: words.index("--")], "--") if "--" in words else ()
    if "/" in first:
        return (first,) if _is_own_file(first, files) else ()
    return () if is_foreign(name) or name in PROGRAMS or name in (*_RUNNERS, *_SHOW_FILES) else (first,)


def _interpreted(words: Words, files: Collection[str]) -> Words:
    """The same of a command that begins with an interpreter: up to the file or module of the product's own."""
    place = 1
    while place < len(words) and words[place].startswith("-"):
        if words[place] == "-m":
            return words[: place + 2] if _is_own_module(words[place + 1 : place + 2], files) else ()
        if _OTHER_PROGRAM.fullmatch(words[place]):
            return ()
        place += 2 if words[place] in _VALUED else 1
    own = place < len(words) and _is_own_file(words[place], files)
    return words[: place + 1] if own and PurePosixPath(words[place]).name not in _RUNNERS else ()


def _one_python(words: Words) -> Words:
    """`python` and `python3` are one program."""
    return tuple("python3" if not place and _PYTHON.fullmatch(word) else word for place, word in enumerate(words))


def _is_own_file(path: str, files: Collection[str]) -> bool:
    return not path.startswith(("-", "/")) and str(PurePosixPath(path)) in files


def _is_own_module(named: Words, files: Collection[str]) -> bool:
    """Whether a module stands in the checkout, or below its `src`; the standard library shows any file it is asked."""
    if not named or named[0].partition(".")[0] in sys.stdlib_module_names:
        return False
    path = named[0].replace(".", "/")
    places = [f"{folder}{path}{end}" for folder in ("", "src/") for end in (".py", "/__main__.py")]
    return any(place in files for place in places)


def _opens_more(words: Words, is_foreign: Callable[[str], bool]) -> bool:
    """Whether a line leaves the judge in a program of the machine that takes commands or opens files."""
    name = PurePosixPath(words[0]).name
    if name in _SHOW_FILES:
        return True
    if _PYTHON.fullmatch(name) or name in _INTERPRETERS:
        return all(word.startswith("-") and word not in ("-c", "-e", "-m") for word in words[1:]) or "-i" in words
    return len(words) == 1 and (is_foreign(name) or name in PROGRAMS or name in _RUNNERS)
