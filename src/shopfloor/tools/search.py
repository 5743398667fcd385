"""Finding things: search in files, list files. Fixed programs in the sandbox do it; git knows what is ignored.

Where there is no git, grep and find do. It does not know any shell: no word of the model's passes through one.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from shopfloor.domain.errors import AskModelAgain
from shopfloor.guard.actions import ReadFile
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.tools.output import said
from shopfloor.tools.places import place
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, always
from shopfloor.tools.tree import drawn, folder_of

MOST_LINES = 200
MOST_BYTES = 20_000
LONG_LINE = 300
GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
"""The checkout's own configuration must not start programs, nor quote names."""


class Search(Arguments):
    pattern: Annotated[str, Meta(description="Perl regex, one line")]
    literal: Annotated[bool, Meta(description="pattern is plain text")] = False
    path: Annotated[str, Meta(description="file or folder")] = "."
    glob: Annotated[str, Meta(description="file names, as *.py")] = ""
    context: Annotated[int, Meta(ge=0, le=20, description="lines around")] = 0


class List(Arguments):
    path: str = "."
    depth: Annotated[int, Meta(ge=1, le=20)] = 2


def search_tool(sandbox: Sandbox, spool: Path) -> AnyTool:
    """Finds lines."""

    async def run(arguments: Search) -> Answer:
        if not arguments.pattern or any(sign in arguments.pattern + arguments.glob for sign in "\0\n"):
            raise AskModelAgain("the pattern must be one line, not empty; search for one of its lines")
        where = place(sandbox, arguments.path)
        code, text = 128, ""
        if not where.startswith("/"):
            code, text = await said(sandbox, spool, *git_grep(arguments, where))
        if code > 1:
            code, text = await said(sandbox, spool, *plain_grep(arguments, where))
            text = "\n".join(line.removeprefix("./") for line in text.split("\n"))
        if code > 1 and text.startswith("grep:"):
            raise AskModelAgain(f"{text.strip()[:500]}. If the pattern is plain text, set literal to true.")
        return Answer(text=capped(text) if text else _nothing(arguments))

    return Tool(
        name="search",
        description="Search file contents; git-ignored files are left out.",
        arguments=Search,
        run=run,
        action=lambda arguments: ReadFile(path=arguments.path),
        repeatable=always,
    )


def git_grep(arguments: Search, where: str) -> tuple[str, ...]:
    """The words of a search in a git checkout. `where` is relative to it."""
    return (
        *GIT,
        "grep",
        *("-nI", "--untracked", "--no-color", "-F" if arguments.literal else "-P"),
        *(("-C", str(arguments.context)) if arguments.context else ()),
        *("-e", arguments.pattern, "--", _pathspec(where, arguments.glob)),
    )


def _pathspec(where: str, glob: str) -> str:
    if not glob:
        return f":(literal){where}"
    escaped = "".join(f"\\{sign}" if sign in "*?[\\" else sign for sign in where)
    folder = "" if where == "." else f"{escaped}/"
    return f":(glob){folder}**/{glob.removeprefix('**/')}"


def plain_grep(arguments: Search, where: str) -> tuple[str, ...]:
    """The words of a search where there is no git."""
    if "/" in arguments.glob.removeprefix("**/"):
        raise AskModelAgain(f"glob {arguments.glob!r} names folders, and here is no git; use path for the folder")
    return (
        "grep",
        *("-rnIHs", "--exclude-dir=.git", "--color=never", "-F" if arguments.literal else "-P"),
        *(("-C", str(arguments.context)) if arguments.context else ()),
        *((f"--include={arguments.glob.removeprefix('**/')}",) if arguments.glob else ()),
        *("-e", arguments.pattern, "--", where),
    )


def _nothing(arguments: Search) -> str:
    inside = f" in {arguments.path}" if arguments.path != "." else ""
    named = f" ({arguments.glob})" if arguments.glob else ""
    return f"no match for {arguments.pattern!r}{inside}{named}"


def capped(text: str) -> str:
    """The first lines, long ones cut, with a word on how many more there are."""
    lines = text.removesuffix("\n").split("\n")
    shown: list[str] = []
    room = MOST_BYTES
    for line in lines[:MOST_LINES]:
        row = line if len(line) <= LONG_LINE else f"{line[:LONG_LINE]}[...]"
        room -= len(row.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        shown.append(row)
    left = len(lines) - len(shown)
    return "\n".join([*shown, f"[{left:,} more lines: narrow pattern, path or glob]"] if left else shown)


def list_tool(sandbox: Sandbox, spool: Path) -> AnyTool:
    """Shows what files there are."""

    async def run(arguments: List) -> Answer:
        where = place(sandbox, arguments.path)
        paths = await _paths(sandbox, spool, where)
        if paths == [where]:
            return Answer(text=f"{arguments.path} is a file")
        prefix = "" if where == "." else f"{where.rstrip('/')}/"
        folder = folder_of((path.removeprefix(prefix) for path in paths), arguments.depth)
        if not folder.size:
            raise AskModelAgain(f"there are no files in {arguments.path!r}, or only ignored ones (shell: ls -A)")
        lines = list(drawn(folder))
        more = f"[{len(lines) - MOST_LINES:,} more: use path, or a smaller depth]"
        shown = [*lines[:MOST_LINES], more] if len(lines) > MOST_LINES else lines
        return Answer(text="\n".join((f"{arguments.path}: {folder.size:,} files", *shown)))

    return Tool(
        name="list",
        description="List files as a tree; git-ignored files are left out.",
        arguments=List,
        run=run,
        action=lambda arguments: ReadFile(path=arguments.path),
        repeatable=always,
    )


async def _paths(sandbox: Sandbox, spool: Path, where: str) -> list[str]:
    if not where.startswith("/"):
        words = (*GIT, "ls-files", "-zcodt", "--exclude-standard", "--", f":(literal){where}")
        code, text = await said(sandbox, spool, *words)
        if code == 0:
            return existing(text)
    start = where if where == "." or where.startswith("/") else f"./{where}"
    words = ("find", start, "-name", ".git", "-prune", "-o", "!", "-type", "d", "-print0")
    _, text = await said(sandbox, spool, *words)
    return [path.removeprefix("./") for path in _entries(text)]


def existing(answer: str) -> list[str]:
    """Paths out of `git ls-files -zt`, where a deleted file stands twice, once with an R."""
    entries = [(entry[0], entry[2:]) for entry in _entries(answer)]
    gone = {path for flag, path in entries if flag == "R"}
    return [path for path in dict.fromkeys(path for _, path in entries) if path not in gone]


def _entries(answer: str) -> list[str]:
    """What ends with a NUL, without the lines of complaint that may stand before it or at the end."""
    return [entry.rpartition("\n")[2] for entry in answer.split("\0")[:-1]]
