"""What the pages say is tried: every fenced block is run, or says why not.

    ```console          commands begin with `$ `; the lines below each are what it prints, `...` matching anything
    ```sh               commands alone, each of which must succeed
    ```python           a program
    ```toml             must be valid
    ```steps            compiled steps of a contract, each of which can be read
    ```text, or nothing is not run, and so may hold no command

A block that cannot be run here says why, in the line before it: <!-- not run: the reason -->
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shopfloor.validation.drivers.steps import filled, free_words, read_steps

TOP = Path(__file__).resolve().parents[2]
KINDS = ("console", "sh", "python", "toml", "steps", "text", "")
MARK = "\x1f"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REASON = re.compile(r"<!-- not run: (.*?) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block. `excuse` is why it is not run, None if it is."""

    page: str
    line: int
    kind: str
    text: str
    excuse: str | None


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command, and what it should print; None when that does not matter."""

    text: str
    expected: str | None


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command, what it printed, and its exit code."""

    command: Command
    output: str
    exit_code: int


def pages() -> list[Path]:
    """Every page that a person is meant to read."""
    return sorted((*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("examples/**/*.md")))


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        before = text[: found.start()]
        excuse = REASON.search(before)
        yield Block(
            page=str(page.relative_to(TOP)) if page.is_relative_to(TOP) else page.name,
            line=before.count("\n") + 1,
            kind=found[1],
            text=found[2],
            excuse=" ".join(excuse[1].split()) if excuse else None,
        )


PAGES = pages()
RUNNABLE = [page for page in PAGES if any(block.kind in ("console", "sh") for block in blocks(page))]
PROGRAMS = [block for page in PAGES for block in blocks(page) if block.kind == "python"]
TABLES = [block for page in PAGES for block in blocks(page) if block.kind == "toml"]


STEPS = [block for page in PAGES for block in blocks(page) if block.kind == "steps"]


def name(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(TOP)))
def test_commands_do_what_the_page_says(page: Path, place) -> None:
    """The commands of a page, in order and in one repository, print what stands below them."""
    for block in blocks(page):
        if block.kind not in ("console", "sh") or block.excuse is not None:
            continue
        steps = commands(block)
        ran = run(steps, place.folder, place.environment)
        assert len(ran) == len(steps), f"{name(block)} left the shell early"
        for number in range(len(ran)):
            assert not (wrong := complaint(ran, number)), f"{name(block)}: {wrong}"


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_programs_run(program: Block, place) -> None:
    """Each program on a page ends well, without a warning."""
    if program.excuse is None:
        words = (sys.executable, "-W", "error", "-c", program.text)
        done = subprocess.run(
            words, cwd=place.folder, env=dict(place.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("table", TABLES, ids=name)
def test_settings_files_are_valid(table: Block) -> None:
    """Each TOML example can be read."""
    assert tomllib.loads(table.text)


@pytest.mark.parametrize("block", STEPS, ids=name)
def test_steps_can_be_read(block: Block) -> None:
    """Each line is a step, whatever words it is given."""
    lines = block.text.splitlines()
    assert read_steps([filled(line, dict.fromkeys(free_words(lines), "word")) for line in lines])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_block_is_tried_or_says_why_not(page: Path) -> None:
    """No block hides from these tests behind another name, and an excuse has words."""
    for block in blocks(page):
        assert block.kind in KINDS, f"{name(block)}: there are {', '.join(KINDS)}and no {block.kind!r}"
        assert block.excuse is None or len(block.excuse.split()) >= 3, f"{name(block)}: say why it is not run"
        assert block.kind not in ("text", "") or not any(line.startswith("$ ") for line in block.text.splitlines()), (
            name(block)
        )


def test_what_is_not_printed_is_noticed(place) -> None:
    """The comparison itself can fail: on other words, on a missing line, on an exit code nobody shows."""
    steps = [
        Command(text="echo one; echo two", expected="one\n...\n"),
        Command(text="echo one", expected="two\n"),
        Command(text="false", expected=""),
        Command(text="false", expected=""),
        Command(text="echo $?", expected="1\n"),
    ]
    ran = run(steps, place.folder, place.environment)
    assert [bool(complaint(ran, number)) for number in range(5)] == [False, True, True, False, False]
    assert matches("a ... c\n...\nz\n", "a b c\nd\ne\nz\n")
    assert not matches("a\n...\nz\n", "a\nz\nmore\n")


def test_blocks_are_read_as_written(tmp_path: Path) -> None:
    """Kinds, lines, continued commands, expectations and excuses are found."""
    page = tmp_path / "page.md"
    page.write_text(
        "# T\n\n```console\n$ a \\\n  b\nsaid\n$ c\n```\n\n<!-- not run: needs a key -->\n```sh\n# note\nd\n```\n"
    )
    first, second = blocks(page)

    assert [(step.text, step.expected) for step in commands(first)] == [("a \\\n  b", "said\n"), ("c", "")]
    assert (first.line, first.excuse, second.kind, second.excuse) == (3, None, "sh", "needs a key")
    assert [step.text for step in commands(second)] == ["d"]


def commands(block: Block) -> list[Command]:
    """The commands of a block; a line that ends with a backslash goes on in the next one."""
    if block.kind == "sh":
        lines = block.text.replace("\\\n", "\\\0").splitlines()
        stated = [line.replace("\\\0", "\\\n") for line in lines]
        return [Command(text=line, expected=None) for line in stated if line.strip() and not line.startswith("#")]
    parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n?", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block.page}:{block.line} prints before its first command"
    return [Command(text=text, expected=out) for text, out in zip(parts[1::2], parts[2::2], strict=True)]


def run(steps: list[Command], folder: Path, environment: Mapping[str, str]) -> list[Ran]:
    """Runs them in one shell, standard error among the output, and takes apart what each one printed."""
    script = "".join(f"{step.text}\ncode=$?; printf '{MARK}%s{MARK}' \"$code\"; (exit $code)\n" for step in steps)
    done = subprocess.run(
        ("sh", "-c", f"exec 2>&1\n{script}"),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    parts = done.stdout.split(MARK)
    ends = zip(steps, parts[::2], parts[1::2], strict=False)  # a command that leaves the shell ends them all
    return [Ran(command=step, output=out, exit_code=int(code)) for step, out, code in ends]


def complaint(ran: list[Ran], place: int) -> str:
    """What is wrong with one step, "" if nothing. A code other than 0 is fine where `echo $?` comes next."""
    step = ran[place]
    shown = place + 1 < len(ran) and ran[place + 1].command.text == "echo $?"
    if step.exit_code != 0 and not shown:
        return f"`{step.command.text}` ended with {step.exit_code}:\n{step.output}"
    if step.command.expected is not None and not matches(step.command.expected, step.output):
        return f"`{step.command.text}` printed\n{step.output}\nand not\n{step.command.expected}"
    return ""


def matches(expected: str, printed: str) -> bool:
    """Whether this was printed. A line of `...` stands for any lines, `...` in a line for any words."""
    wanted = [line.rstrip() for line in expected.strip("\n").splitlines()]
    pattern = "".join(_pattern(line) for line in wanted)
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, text) is not None


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return r".*?".join(re.escape(piece) for piece in line.split("...")) + r"\n"
