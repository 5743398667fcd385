"""Runs git as a child process, with nothing of the surroundings leaking in, and says in plain words what went wrong.

Two kinds of git: `private_git` reads no configuration but its own repository's, for what shopfloor made itself;
`users_git` keeps the person's configuration, for the person's own repository. Neither ever runs a hook, asks a
question on a terminal, or reaches for the network. It does not know what any command means.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from shopfloor.domain.errors import Broken, GiveUp, Problem, TryLater
from shopfloor.domain.fact import Fact

DURABLE = "committed,loose-object,pack,pack-metadata,reference"
"""What git must have on disk before it says done (`core.fsync`)."""

_SAFE = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "commit.gpgSign=false"),
    *("-c", f"core.fsync={DURABLE}"),
    *("-c", "maintenance.auto=false"),
    *("-c", "advice.addEmbeddedRepo=false"),
)

_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_AUTHOR_NAME": "shopfloor",
    "GIT_AUTHOR_EMAIL": "shopfloor@localhost",
    "GIT_COMMITTER_NAME": "shopfloor",
    "GIT_COMMITTER_EMAIL": "shopfloor@localhost",
    "LC_ALL": "C",
}

_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}


class GitOutput(Fact):
    """How a git command ended, and what it wrote."""

    exit_code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output without its last line end. Names that are no UTF-8 survive a round trip."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")

    @property
    def items(self) -> tuple[str, ...]:
        """The parts of an output that was asked for with `-z`."""
        return tuple(self.out.decode("utf-8", "surrogateescape").split("\0")[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Git at one place, under one configuration: call it with the words of a git command."""

    place: tuple[str, ...]
    keeps_user_config: bool
    extra: Mapping[str, str]
    timeout_s: float = 600.0

    async def __call__(self, *words: str, stdin: bytes = b"", check: bool = True) -> GitOutput:
        """Runs `git WORDS`. A failure raises (see `problem_of`), unless `check` is off: then it is a value."""
        try:
            with anyio.fail_after(self.timeout_s):
                done = await anyio.run_process(
                    ("git", *_SAFE, *self.place, *words),
                    input=stdin,
                    check=False,
                    cwd="/",
                    env={**_environment(self.keeps_user_config), **self.extra},
                    # A Ctrl-C meant for shopfloor must not cut a git in half.
                    start_new_session=True,
                )
        except TimeoutError as error:
            message = f"`git {_short(words)}` did not finish in {self.timeout_s:g} s and was ended; look at the disk"
            raise TryLater(message, after_s=30.0) from error
        except FileNotFoundError as error:
            raise GiveUp("git is not installed, or not on PATH; install git 2.38 or newer") from error
        output = GitOutput(exit_code=done.returncode, out=done.stdout, err=done.stderr.decode("utf-8", "replace"))
        if check and output.exit_code != 0:
            raise problem_of(words, output)
        return output

    async def commit_of(self, name: str) -> str | None:
        """The hash of the commit that `name` stands for, or None."""
        found = await self("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}", check=False)
        return found.text.splitlines()[-1] if found.exit_code == 0 else None

    async def contains(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` itself or lies in its history."""
        found = await self("merge-base", "--is-ancestor", ancestor, commit, check=False)
        if found.exit_code not in (0, 1):
            raise problem_of(("merge-base", "--is-ancestor", ancestor, commit), found)
        return found.exit_code == 0

    def under(self, **extra: str) -> "Git":
        """The same git with more environment variables."""
        return replace(self, extra={**self.extra, **extra})


def private_git(git_dir: Path, work_tree: Path | None = None) -> Git:
    """Git for a repository that shopfloor made and that no worker could write to."""
    tree = () if work_tree is None else (f"--work-tree={work_tree}", "-C", str(work_tree))
    return Git(place=(f"--git-dir={git_dir}", *tree), keeps_user_config=False, extra={})


def users_git(folder: Path) -> Git:
    """Git for the person's own repository: their configuration holds, their hooks do not run."""
    return Git(place=("-C", str(folder)), keeps_user_config=True, extra={})


def problem_of(words: tuple[str, ...], output: GitOutput) -> Problem:
    """What a failed git command means: the one place where git's complaints become ours."""
    said = output.err.strip() or output.text.strip() or "nothing"
    failed = f"`git {_short(words)}` ended with {output.exit_code}: {said[:600]}"
    if "dubious ownership" in said:
        return GiveUp(f"{failed}\nThe repository belongs to another user; trust it as git says, or change its owner")
    if re.search(r"cannot change to '.*': No such file|unable to normalize alternate object path", said):
        way = "The repository is not where it was; put it back, and resume: nothing is lost"
        return TryLater(f"{failed}\n{way}", after_s=60.0)
    if "Permission denied" in said or "Read-only file system" in said:
        return GiveUp(f"{failed}\nThe repository cannot be written to; its owner must allow that")
    if re.search(r"\.lock'?: File exists|cannot lock ref|Unable to create .*\.lock", said):
        return TryLater(f"{failed}\nAnother git is at work there, or left its lock behind", after_s=2.0)
    if "No space left on device" in said or "Out of diskspace" in said:
        return TryLater(f"{failed}\nThe disk is full; make room", after_s=60.0)
    if "is not a git command" in said or "unknown option `write-tree'" in said:
        return GiveUp(f"{failed}\nThis git is too old; install git 2.38 or newer")
    return Broken(failed)


def _environment(keeps_user_config: bool) -> dict[str, str]:
    """The surroundings without GIT_DIR and its kin: shopfloor may itself have been started by a git hook."""
    if keeps_user_config:
        kept = {name: text for name, text in os.environ.items() if not _steers_git(name)}
        return kept | _FIXED
    hidden = ("HOME", "XDG_CONFIG_HOME")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_") and name not in hidden}
    return kept | _FIXED | _ALONE


def _steers_git(name: str) -> bool:
    return name.startswith("GIT_") and not name.startswith("GIT_CONFIG")


def _short(words: tuple[str, ...]) -> str:
    return " ".join(words)[:200]
