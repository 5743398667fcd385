"""How the benches start shopfloor: a real process, a small git repository, a state folder of its own.

It does not know what is measured.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from parts.provider import TASK
from rich.console import Console
from rich.table import Table

from shopfloor.testing.workshop import make_repository

SHOPFLOOR = (sys.executable, "-m", "shopfloor")
MODELS = {"openai": "openai:mock-model", "anthropic": "anthropic:mock-model", "priced": "openai:gpt-5-mini"}
HOSTED = {"OPENAI_BASE_URL": "http://provider.test/v1", "HTTP_PROXY": "{url}"}
"""An address that is not this machine's, by name, and the provider as the proxy that leads there."""
FILES = {
    "README.md": "# sample\n",
    "src/sample.py": "def greet(name):\n    return f'hello {name}'\n",
    "tests/test_sample.py": "from src.sample import greet\n\ndef test_greet():\n    assert greet('you')\n",
}


@contextmanager
def workplace(folder: Path | None = None) -> Iterator[Path]:
    """A folder on a real disk with a repository of a few files in it, `repository`."""
    with TemporaryDirectory(dir=folder or Path.cwd(), prefix=".bench-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        make_repository(place / "repository", FILES)
        (place / "home").mkdir()
        yield place


def run_words(place: Path, *, wire: str = "openai", sandbox: str = "bubblewrap", turns: int = 0) -> tuple[str, ...]:
    """`shopfloor run` as one would type it; the wire "priced" is a hosted provider's, whose prices are public."""
    budget = ("--budget", f"{turns}turns") if turns else ()
    auto = ("--auto", "high") if sandbox == "none" else ()
    repository = str(place / "repository")
    return (*SHOPFLOOR, "run", TASK, "-m", MODELS[wire], "--sandbox", sandbox, "-C", repository, *budget, *auto)


def environment(place: Path) -> dict[str, str]:
    """All that the client sees of the outside."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place / "home"),
        "XDG_STATE_HOME": str(place / "state"),
        "LANG": "C.UTF-8",
        "OPENAI_BASE_URL": "{url}/v1",
        "OPENAI_API_KEY": "none",
        "ANTHROPIC_BASE_URL": "{url}",
        "ANTHROPIC_API_KEY": "none",
        **_another_source(),
    }


def _another_source() -> dict[str, str]:
    """Where shopfloor itself comes from, when not from what is installed: `PYTHONPATH=src python bench/...`."""
    source = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": str(Path(source).resolve())} if source else {}


def headline(what: str) -> None:
    """What is measured, and on what: figures of a busy machine say little."""
    print(f"{what}\n{os.cpu_count()} cores, 1-minute load {os.getloadavg()[0]:.1f} before\n")


def show(title: str, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """One table on standard output, whole whatever the terminal's width."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=max(160, Console().width)).print(table)


def say(what: str, value: str, target: str, *, held: bool) -> None:
    """A promise, and whether it held here."""
    print(f"{what:44} {value:>14}   target {target}: {'holds' if held else 'MISSED'}")
