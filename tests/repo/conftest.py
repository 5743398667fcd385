"""A person with a real git repository, and a worker's shell: what the tests of this room are told with."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from shopfloor.repo.bundle import bundle_command
from shopfloor.repo.origin import Origin
from shopfloor.repo.store import Store


class Person:
    """Someone at work in a repository, with git as it comes."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def git(self, *words: str, check: bool = True) -> str:
        named = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")
        done = subprocess.run(("git", *named, *words), cwd=self.top, capture_output=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"git {words}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def write(self, path: str, text: str) -> None:
        place = self.top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def commit(self, message: str = "work", **files: str) -> str:
        """Writes `name="text"` files (an underscore before py, sh, txt is a dot) and commits everything."""
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            self.write(f"{stem}.{suffix}", text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def everything(self) -> dict[str, object]:
        """All that a person could lose: files, index, refs, stash, where HEAD stands."""
        git_dir = Path(self.git("rev-parse", "--absolute-git-dir"))
        index = git_dir / "index"
        files = [path for path in sorted(self.top.rglob("*")) if ".git" not in path.relative_to(self.top).parts]
        return {
            "files": {str(path): path.read_bytes() for path in files if path.is_file()},
            "modes": {str(path): path.lstat().st_mode for path in files},
            "index": index.read_bytes() if index.exists() else b"",
            "head": (git_dir / "HEAD").read_text(),
            "branches": self.git("for-each-ref", "refs/heads", "refs/stash", "refs/tags"),
            "config": (git_dir / "config").read_text() if (git_dir / "config").exists() else "",
        }

    def install_hooks(self, witness: Path) -> None:
        """Every hook that git knows, each of which leaves a trace when it runs."""
        names = (
            *("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "pre-merge-commit", "post-merge"),
            *("post-checkout", "reference-transaction", "post-index-change", "pre-push", "pre-auto-gc", "post-rewrite"),
        )
        for name in names:
            hook = self.top / ".git" / "hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(f"#!/bin/sh\necho {name} >> {witness}\n")
            hook.chmod(0o755)


class Shop:
    """A person, their repository opened, and a mission's store on it."""

    def __init__(self, person: Person, folder: Path) -> None:
        self.person = person
        self.folder = folder
        self.origin = anyio.run(Origin.open, person.top)
        self.base = person.git("rev-parse", "HEAD")
        self.store = anyio.run(Store.create, folder / "store", self.origin, self.base)

    def checkout(self, name: str = "checkout", commit: str = "") -> Person:
        into = self.folder / name
        anyio.run(self.store.clone, commit or self.base, into)
        return Person(into)

    def pack(
        self, worker: Person, base: str = "", *, commit_everything: bool = True, message: str = "done"
    ) -> tuple[int, str]:
        """Runs the bundle command as a sandbox would; its exit code and words."""
        command = bundle_command(base or self.base, str(self.bundle), commit_everything=commit_everything)
        surroundings = {**os.environ, "SHOPFLOOR_MESSAGE": message}
        done = subprocess.run(("sh", "-c", command), cwd=worker.top, capture_output=True, env=surroundings, check=False)
        return done.returncode, (done.stdout + done.stderr).decode()

    @property
    def bundle(self) -> Path:
        return self.folder / "work.bundle"

    async def take(self, ref: str = "refs/attempts/F1/1", base: str | None = None) -> str:
        return await self.store.import_bundle(self.bundle, ref, base=base)


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The configuration of whoever runs the tests stays out of them."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "home" / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n")


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Someone with one commit on `main`."""
    top = tmp_path / "project"
    top.mkdir()
    person = Person(top)
    person.git("init", "-q", "-b", "main")
    person.commit("first", app_py="print('one')\n", README_md="# App\n")
    return person


@pytest.fixture
def shop(person: Person, tmp_path: Path) -> Shop:
    return Shop(person, tmp_path)


@pytest.fixture
def make_shop(tmp_path: Path) -> Callable[[Path], Shop]:
    """A shop on any repository; one without a commit gets its first."""

    def make(top: Path) -> Shop:
        person = Person(top)
        if not person.git("rev-parse", "--verify", "--quiet", "HEAD", check=False):
            person.commit("first", app_py="print('one')\n")
        return Shop(person, tmp_path)

    return make
