"""Reading and changing files of the checkout: read, write, edit. It does not know what may be read or written."""

import base64
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.messages import Image
from shopfloor.guard.actions import Action, ReadFile, WriteFile
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.tools.edit import crlf, edit, settles
from shopfloor.tools.places import place
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, always

MOST = 4_000_000
"""Bytes of a file that these tools still handle."""
SHOWN = 24_000
LONG_LINE = 2_000


class Read(Arguments):
    path: str
    offset: Annotated[int, Meta(ge=1, description="first line")] = 1
    limit: Annotated[int, Meta(ge=1, description="lines")] = 500


class Write(Arguments):
    path: str
    content: str


class Edit(Arguments):
    path: str
    old: Annotated[str, Meta(description="exact text, unique unless all")]
    new: Annotated[str, Meta(description="what stands there then")]
    all: Annotated[bool, Meta(description="every place")] = False


def read_tool(sandbox: Sandbox) -> AnyTool:
    """Shows a file with line numbers, or a picture."""

    async def run(arguments: Read) -> Answer:
        data = await _content(sandbox, arguments.path)
        media_type = picture(data)
        if media_type:
            image = Image(media_type=media_type, data=base64.b64encode(data).decode())
            return Answer(text=f"{arguments.path}: {media_type}, {len(data):,} bytes", images=(image,))
        return Answer(text=numbered(arguments.path, data, arguments.offset, arguments.limit))

    return Tool(
        name="read",
        description="Read a text file (with line numbers) or an image.",
        arguments=Read,
        run=run,
        action=_reads(sandbox),
        repeatable=always,
    )


def write_tool(sandbox: Sandbox) -> AnyTool:
    """Creates or replaces a whole file."""

    async def run(arguments: Write) -> Answer:
        before = await _before(sandbox, arguments.path)
        content, note = arguments.content, ""
        if before is not None and crlf(before.decode("utf-8", "replace")) and "\r" not in content:
            content, note = content.replace("\n", "\r\n"), ", CRLF line ends kept"
        await _write(sandbox, arguments.path, content)
        did = "created" if before is None else "replaced"
        return Answer(text=f"{did} {arguments.path}: {_count(_line_count(content), 'line')}{note}")

    return Tool(
        name="write",
        description="Create or replace a whole file; makes missing folders. To change part of a file use edit.",
        arguments=Write,
        run=run,
        action=_writes(sandbox),
        repeatable=always,
    )


def edit_tool(sandbox: Sandbox) -> AnyTool:
    """Replaces a piece of a file."""

    async def run(arguments: Edit) -> Answer:
        path = arguments.path
        data = await _content(sandbox, path)
        if b"\0" in data:
            raise AskModelAgain(f"{path!r} is binary; edit works on text")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise AskModelAgain(
                f"{path!r} is not UTF-8 ({error}); convert it first, or change it with shell"
            ) from error
        try:
            edited = edit(text, arguments.old, arguments.new, arguments.all)
        except AskModelAgain as mistake:
            raise AskModelAgain(f"{path}: {mistake}") from mistake
        where = _where(edited.lines)
        if edited.already:
            return Answer(
                text=f"{path}: nothing changed; `old` is gone and `new` is there, {where}: seems applied already"
            )
        await _write(sandbox, path, edited.text)
        return Answer(text=f"edited {path}: {_count(len(edited.lines), 'replacement')}, {where}")

    return Tool(
        name="edit",
        description="Replace exact text in a file.",
        arguments=Edit,
        run=run,
        action=_writes(sandbox),
        repeatable=lambda arguments: settles(arguments.old, arguments.new),
    )


def picture(data: bytes) -> str:
    """The media type of an image that models can see, "" for anything else."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    starts = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
    return next((kind for start, kind in starts.items() if data.startswith(start)), "")


def numbered(path: str, data: bytes, offset: int, limit: int) -> str:
    """Lines of a file as a model reads them, with a first line that says what they are part of."""
    if b"\0" in data[:8_000]:
        return f"{path}: binary, {len(data):,} bytes; look at it with shell (file, xxd | head)"
    text = data.decode("utf-8", "replace")
    notes = ["not UTF-8, shown with \ufffd"] if text.encode() != data else []
    if crlf(text):
        text = text.replace("\r\n", "\n")
        notes.append("CRLF line ends")
    if not text:
        return f"{path}: empty"
    if not text.endswith("\n"):
        notes.append("no newline at the end")
    lines = text.removesuffix("\n").split("\n")
    if offset > len(lines):
        raise AskModelAgain(f"{path!r} has {_count(len(lines), 'line')}, so none from {offset}")
    shown = _shown(lines[offset - 1 : offset - 1 + limit], offset)
    last = offset - 1 + len(shown)
    more = f"\n[{_count(len(lines) - last, 'more line')}: offset={last + 1}]" if last < len(lines) else ""
    title = ", ".join((f"{path}: lines {offset}-{last} of {len(lines)}", *notes))
    return "\n".join((title, *shown)) + more


def _shown(lines: list[str], first: int) -> list[str]:
    shown: list[str] = []
    room = SHOWN
    for number, line in enumerate(lines, first):
        row = f"{number}\t{line}"
        if len(line) > LONG_LINE:
            row = f"{number}\t{line[:LONG_LINE]}[... {len(line) - LONG_LINE:,} more characters]"
        room -= len(row.encode("utf-8", "replace")) + 1
        if room < 0 and shown:
            break
        shown.append(row)
    return shown


async def _content(sandbox: Sandbox, path: str) -> bytes:
    """The bytes of a file. What the model can mend, it is told."""
    try:
        data = await sandbox.read(place(sandbox, path), MOST + 1)
    except FileNotFoundError as error:
        raise AskModelAgain(f"there is no file {path!r}; list shows what is there") from error
    except IsADirectoryError as error:
        raise AskModelAgain(f"{path!r} is a folder; use list") from error
    except OSError as error:
        raise AskModelAgain(f"{path!r} cannot be read: {error.strerror or error}") from error
    if len(data) > MOST:
        raise AskModelAgain(f"{path!r} is larger than {MOST:,} bytes; use search, or shell (sed -n '1,80p', tail)")
    return data


async def _before(sandbox: Sandbox, path: str) -> bytes | None:
    try:
        return await sandbox.read(place(sandbox, path), MOST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AskModelAgain(f"{path!r} cannot be replaced: {error.strerror or error}") from error


async def _write(sandbox: Sandbox, path: str, content: str) -> None:
    try:
        await sandbox.write(place(sandbox, path), content.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise AskModelAgain(f"the content of {path!r} is no valid text: {error}") from error
    except OSError as error:
        raise AskModelAgain(f"{path!r} cannot be written: {error.strerror or error}") from error


def _reads(sandbox: Sandbox) -> Callable[[Read], Action]:
    return lambda arguments: ReadFile(path=_place_or_text(sandbox, arguments.path))


def _writes(sandbox: Sandbox) -> Callable[[Write | Edit], Action]:
    return lambda arguments: WriteFile(path=_place_or_text(sandbox, arguments.path))


def _place_or_text(sandbox: Sandbox, path: str) -> str:
    try:
        return place(sandbox, path)
    except AskModelAgain:
        return path


def _line_count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _where(lines: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, lines[:20])) + (", ..." if len(lines) > 20 else "")
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}"
