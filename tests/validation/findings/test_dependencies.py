"""What a change does to what a project depends on, in each of the formats that say so."""

from collections.abc import Collection

import pytest

from shopfloor.domain.mission import Finding
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.dependencies import (
    DEPENDS,
    ELSEWHERE,
    LOOKALIKE,
    OUT_OF_STEP,
    RUNS,
    dependencies,
)
from shopfloor.validation.findings.manifests import Requirement, manifest_of

PROJECT = '[project]\nname = "app"\ndependencies = ["click>=8", "attrs>=23"]\n'
PACKAGE = '{\n  "dependencies": {\n    "left": "1.2.3",\n    "right": "^2.0.0"\n  }\n}\n'


def told(path: str, before: str | None, after: str | None, files: Collection[str] = ()) -> list[tuple[str, str, str]]:
    found = dependencies([Change(path=path, before=before, after=after)], files)
    return [(one.check, one.severity, one.text) for one in found]


def refused(path: str, before: str | None, after: str) -> list[Finding]:
    return [one for one in dependencies([Change(path=path, before=before, after=after)], ()) if one.refuses]


FORMATS = {
    "pyproject.toml": '[project]\nname = "app"\ndependencies = ["One.Thing >=1,<2 ; extra", "app[x]"]\n'
    '[project.optional-dependencies]\nx = ["two[y] == 2"]\n'
    '[dependency-groups]\ndev = ["three", {include-group = "x"}]\n',
    "poetry/pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\none-thing = ">=1,<2"\n'
    'two = {version = "==2", extras = ["y"]}\n[tool.poetry.group.dev.dependencies]\nthree = "*"\n',
    "requirements-dev.txt": "# all\n-r other.txt\none_thing>=1,<2 # why\ntwo[y]==2 --hash=sha256:00\nthree\n",
    "setup.cfg": "[options]\ninstall_requires =\n    one-thing>=1,<2\n"
    "[options.extras_require]\nx =\n    two==2\n    three\n",
    "setup.py": "MORE = ['three']\n"
    "setup(install_requires=['one-thing>=1,<2'], extras_require={'x': ['two==2'], 'y': MORE})\n",
}


@pytest.mark.parametrize("path", FORMATS)
def test_every_python_manifest_is_read(path: str) -> None:
    """Names are compared as an index compares them; groups and extras count, and the project itself does not."""
    assert set(manifest_of(path, FORMATS[path]).requires) == {
        Requirement(name="one-thing", versions=">=1,<2"),
        Requirement(name="two", versions="==2"),
        Requirement(name="three"),
    }


def test_other_languages_are_read_too() -> None:
    """By the same words."""
    cargo = '[dependencies]\nserde = { version = "1", features = ["x"] }\nown = { path = "../own" }\n'
    go = "module acme.io/app\n\nrequire (\n\tacme.io/one v1.2.3 // indirect\n)\n"
    go += "replace acme.io/one => acme.io/two v1.0.0\n"

    assert [(one.name, one.versions, one.is_local) for one in manifest_of("Cargo.toml", cargo).requires] == [
        ("serde", "1", False),
        ("own", "", True),
    ]
    assert [(one.name, one.versions or one.source) for one in manifest_of("go.mod", go).requires] == [
        ("acme.io/one", "v1.2.3"),
        ("acme.io/one", "git acme.io/two"),
    ]
    assert [(one.name, one.versions) for one in manifest_of("package.json", PACKAGE).requires] == [
        ("left", "1.2.3"),
        ("right", "^2.0.0"),
    ]
    assert manifest_of("pyproject.toml", "[project\n").requires == ()


def test_what_came_and_went_is_told_in_one_finding() -> None:
    """New packages are for a person to know; versions that move are a note."""
    other = PROJECT.replace('"attrs>=23"', '"rich>=14", "click>=8.1"').replace('"click>=8", ', "")

    assert told("pyproject.toml", PROJECT, other) == [
        (DEPENDS, "P2", "adds rich (>=14); removes attrs; moves click from >=8 to >=8.1")
    ]
    assert told("pyproject.toml", PROJECT, PROJECT.replace("click>=8", "click>=9")) == [
        (DEPENDS, "P3", "moves click from >=8 to >=9")
    ]
    assert told("pyproject.toml", PROJECT, PROJECT + "\n[tool.ruff]\nline-length = 120\n") == []


def test_what_is_held_by_nothing_stands_out() -> None:
    """Where the others are held to theirs; where they are not, nothing is said of it."""
    held = "one==1.0\ntwo==2.0\n"

    assert told("requirements.txt", held, held + "rich>=14\n") == [
        (
            DEPENDS,
            "P2",
            "adds rich (>=14); lets rich be a range of versions, where the others are held to theirs",
        )
    ]
    assert told("requirements.txt", "one\ntwo\n", "one\ntwo\nrich\n") == [(DEPENDS, "P2", "adds rich")]


DANGERS = {
    "a repository": ("requirements.txt", "one\n", "one\ntool @ git+https://code.acme.io/tool\n", ELSEWHERE, 2),
    "an archive": ("requirements.txt", "one\n", "one\nhttps://acme.io/tool-1.0.tar.gz\n", ELSEWHERE, 2),
    "an index": ("requirements.txt", "one\n", "--extra-index-url https://acme.io/simple\none\n", ELSEWHERE, 1),
    "an index of uv": (
        "pyproject.toml",
        PROJECT,
        PROJECT + '[[tool.uv.index]]\nurl = "https://acme.io/simple"\n',
        ELSEWHERE,
        5,
    ),
    "a source of uv": (
        "pyproject.toml",
        PROJECT,
        PROJECT + '[tool.uv.sources]\nclick = { git = "https://code.acme.io/click" }\n',
        ELSEWHERE,
        5,
    ),
    "npm from a repository": ("package.json", PACKAGE, PACKAGE.replace("1.2.3", "acme/left#main"), ELSEWHERE, 3),
    "npm's index": (".npmrc", None, "registry=https://acme.io/\n", ELSEWHERE, 1),
    "one letter more": ("requirements.txt", "one\n", "one\nrequestss\n", LOOKALIKE, 2),
    "one letter less": ("package.json", PACKAGE, PACKAGE.replace("right", "lodas"), LOOKALIKE, 4),
    "two that changed places": ("requirements.txt", "one\n", "one\nnumyp\n", LOOKALIKE, 2),
    "no hyphen": ("package.json", PACKAGE, PACKAGE.replace("right", "crossenv"), LOOKALIKE, 4),
    "one of Rust's": ("Cargo.toml", "", '[dependencies]\nserde_jsom = "1"\n', LOOKALIKE, 2),
    "a command": (
        "package.json",
        PACKAGE,
        PACKAGE.replace('{\n  "dep', '{\n  "scripts": {"postinstall": "node fetch.js"},\n  "dep'),
        RUNS,
        2,
    ),
}


@pytest.mark.parametrize("kind", DANGERS)
def test_what_nobody_reads_before_it_runs_refuses(kind: str) -> None:
    """From elsewhere than before, under a name that is nearly another's, or by a command: each at its line."""
    path, before, after, check, line = DANGERS[kind]

    assert [(one.check, one.severity, one.line) for one in refused(path, before, after)] == [(check, "P1", line)]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("requirements.txt", "one\n", "one\nrequests\nhttpx2\npsycopg\n"),
        ("requirements.txt", "requestss\n", "requestss==2\n"),
        ("requirements.txt", "tool @ git+https://code.acme.io/tool@v1\n", "tool @ git+https://code.acme.io/tool@v2\n"),
        ("requirements.txt", "one\n", "one\n-e ./packages/tool\n"),
        ("Cargo.toml", "", '[dependencies]\nown = { path = "../own" }\n'),
        ("package.json", PACKAGE, PACKAGE.replace("1.2.3", "workspace:*")),
        ("tests/data/requirements.txt", None, "tool @ git+https://code.acme.io/tool\n"),
    ],
)
def test_what_was_known_or_lies_here_refuses_nothing(path: str, before: str | None, after: str) -> None:
    """Common packages and their true neighbours, what was asked for already, the repository's own parts, fixtures."""
    assert refused(path, before, after) == []


def test_a_password_in_an_address_is_not_said_again() -> None:
    """What it comes from is named without it."""
    after = "tool @ git+https://me:" + "hidden7@code.acme.io/tool\n"
    found = dependencies([Change(path="requirements.txt", before="", after=after)], ())

    assert found and not any("hidden7" in one.text for one in found)


def test_a_lock_file_goes_with_what_it_locks() -> None:
    """Either may be forgotten; and its packages come from where they came from."""
    lock = '[[package]]\nname = "one"\nsource = { registry = "https://packages.acme.io/simple" }\n'
    two = lock + lock.replace("one", "two").replace("packages.acme.io", "other.org")
    both = [Change(path="pyproject.toml", before=PROJECT, after=PROJECT.replace("8", "9"))]
    both += [Change(path="uv.lock", before=lock, after=lock + "\n")]

    assert told("uv.lock", lock, lock + "\n") == [
        (OUT_OF_STEP, "P3", "other packages are installed than before, and no pyproject.toml asks for them")
    ]
    assert told("pyproject.toml", PROJECT, PROJECT.replace("click>=8", "click>=9"), ["uv.lock", "pyproject.toml"])[
        1:
    ] == [(OUT_OF_STEP, "P2", "asks for other packages than uv.lock holds, which did not change")]
    assert [one.check for one in dependencies(both, ["uv.lock", "pyproject.toml"])] == [DEPENDS]
    assert (ELSEWHERE, "P1", "takes packages from another place than before: other.org") in told("uv.lock", lock, two)


def test_what_cannot_be_read_is_said() -> None:
    """Silence would be taken for a pass."""
    assert told("pom.xml", "<project/>", "<project></project>") == [
        (DEPENDS, "P3", "may change what the project depends on: not checked")
    ]
