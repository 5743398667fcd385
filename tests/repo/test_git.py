"""How git is run: nothing leaks in, and what fails says who acts next."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import Broken, GiveUp, TryLater
from shopfloor.repo.git import GitOutput, private_git, problem_of, users_git


def test_a_git_dir_of_the_surroundings_is_ignored(person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started from inside a git hook, shopfloor still looks at the repository it was told to look at."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))

    head = anyio.run(users_git(person.top).commit_of, "HEAD")

    assert head is not None


def test_private_git_reads_no_configuration_of_the_person(person, tmp_path: Path) -> None:
    """What a person configured for themselves neither helps nor hurts in repositories that shopfloor made."""
    (tmp_path / "home" / ".gitconfig").write_text("[user]\n\tname = Ada\n[alias]\n\tmine = version\n")

    async def names() -> tuple[str, str]:
        private = await private_git(person.top / ".git")("config", "--get", "alias.mine", check=False)
        users = await users_git(person.top)("config", "--get", "alias.mine", check=False)
        return private.text, users.text

    assert anyio.run(names) == ("", "version")


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("fatal: detected dubious ownership in repository at '/x'", GiveUp, "another user"),
        ("fatal: Unable to create '/x/.git/index.lock': File exists.", TryLater, "lock"),
        ("error: No space left on device", TryLater, "disk is full"),
        ("fatal: sha1 file '/x/index.lock' write error. Out of diskspace", TryLater, "disk is full"),
        ("fatal: cannot change to '/x': No such file or directory", TryLater, "put it back"),
        ("error: unable to normalize alternate object path: /x/.git/objects", TryLater, "put it back"),
        ("git: 'merge-tree' is not a git command", GiveUp, "too old"),
        ("fatal: bad object 1234", Broken, "bad object 1234"),
        ("", Broken, "nothing"),
    ],
)
def test_a_failure_says_who_acts_next(said: str, kind: type[Exception], words: str) -> None:
    """Each complaint of git becomes the problem whose reader can do something about it."""
    problem = problem_of(("status",), GitOutput(exit_code=128, out=b"", err=said))

    assert type(problem) is kind
    assert words in str(problem)
    assert "`git status` ended with 128" in str(problem)


def test_a_git_that_hangs_is_ended(person) -> None:
    """No call waits for ever; the words say which one it was."""
    impatient = replace(users_git(person.top), timeout_s=0.2)

    with pytest.raises(TryLater, match=r"did not finish in 0\.2 s"):
        anyio.run(impatient, "-c", "alias.wait=!sleep 20", "wait")


def test_names_that_are_no_utf8_survive(person) -> None:
    """A path from git's output, handed back to git, still names the same file."""
    name = b"caf\xe9.txt"
    (person.top.joinpath(name.decode("utf-8", "surrogateescape"))).write_text("x")
    person.commit()

    async def there_and_back() -> str:
        git = users_git(person.top)
        listed = await git("ls-files", "-z", "*.txt")
        return (await git("ls-files", "-z", "--", listed.items[0])).items[0]

    assert anyio.run(there_and_back).encode("utf-8", "surrogateescape") == name
