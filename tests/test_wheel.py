"""What people install: a wheel with everything in it, which works far from this repository."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from shopfloor.testing.workshop import git, make_repository

TOP = Path(__file__).resolve().parent.parent
PACKAGE = TOP / "src" / "shopfloor"
TOY = {
    "price.py": "def net(gross):\n    return gross\n",
    "test_price.py": (
        "import unittest, price\n\n\nclass T(unittest.TestCase):\n    def test(self):\n"
        "        self.assertEqual(price.net(119), 100)\n"
    ),
}
REPLIES = """\
[[conversation]]
role = "solo"
[[conversation.answers]]
calls = [{ name = "write", arguments.path = "price.py", arguments.content = "def net(gross):\\n    return gross * 100 // 119\\n" }]
[[conversation.answers]]
text = "Net prices are net now."
"""  # noqa: E501 - TOML wants an inline table on one line


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    subprocess.run(words, cwd=TOP, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Prompts, the sandbox's inside, scripts and the mark of typed code travel along, and nothing else does."""
    listed = subprocess.run((sys.executable, "-m", "zipfile", "-l", wheel), capture_output=True, text=True, check=True)
    packed = {line.split()[0] for line in listed.stdout.splitlines()[1:] if line.startswith("shopfloor/")}
    present = {
        f"shopfloor/{path.relative_to(PACKAGE)}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert packed == present
    assert {
        "shopfloor/py.typed",
        "shopfloor/missions/prompts/worker.md",
        "shopfloor/repo/bundle.sh",
        "shopfloor/sandbox/inside/passwd",
        "shopfloor/sandbox/runner.py",
    } <= packed


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_installed_wheel_works_outside_the_clone(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment: the version, the doctor, and a whole run whose branch passes the tests."""
    shopfloor = _installed(wheel, tmp_path)
    repository = make_repository(tmp_path / "repository", TOY)
    replies = tmp_path / "replies.toml"
    replies.write_text(REPLIES)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SHOPFLOOR_MODEL": f"scripted:{replies}"}

    def say(*words: str) -> str:
        return _output((str(shopfloor), *words), repository, environment)

    assert say("--version") == "shopfloor 0.1.0\n"
    assert re.search(r"^ok  shopfloor +0\.1\.0 on Python", say("doctor"), re.MULTILINE)
    assert "verified" in say("run", "net prices are wrong")
    assert "verified" in say("mission", "list")
    assert "100 // 119" in git(repository, "show", "shopfloor/net-prices-are-wrong-1:price.py")


def _installed(wheel: Path, folder: Path) -> Path:
    """The program in an environment of its own, with the locked versions of what it needs."""
    venv = folder / "venv"
    constraints = folder / "constraints.txt"
    locked = re.findall(r"^[a-z0-9_.-]+==[^\\\n]+", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    constraints.write_text("\n".join(locked))
    subprocess.run((sys.executable, "-m", "venv", venv), check=True)
    pip = (venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel)
    subprocess.run(pip, check=True, capture_output=True)
    return venv / "bin" / "shopfloor"


def _output(words: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(words, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
