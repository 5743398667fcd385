"""Judging programs with windows by their steps: an honest one passes, and what only looks like one does not."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import msgspec
import pytest

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.faces.page.evidence import write_evidence
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint, Mount, Sandbox
from shopfloor.testing.desktops import why_no_desktop
from shopfloor.validation.court import StartSandbox
from shopfloor.validation.drivers.app import Recipe
from shopfloor.validation.judging import Bench, Here, Ruling, judge

APPS = Path(__file__).parent / "drivers" / "apps"
PYTHON = f"{sys.base_prefix}/bin/python3"
pytestmark = pytest.mark.skipif(bool(why_no_desktop()), reason=why_no_desktop())

ADDS = ('type "{{what}}"', "keys Return", 'see window "To do: {{what}}"')
COUNTS = ("keys F2", "screen changes", "keys F2", "screen changes")
CLICKS = ("click at 50 60", "screen changes") * 2
AGAIN = f'start "exec {PYTHON} desk.py picture"'


@pytest.mark.long
def test_a_program_that_works_passes_with_its_controls(tmp_path: Path) -> None:
    """By title, picture, clipboard, file and exit code; each on a display of its own, from an empty home."""
    saves = (*ADDS, "keys ctrl+s", 'file "~/todos.txt" is "{{what}}"')
    rulings = judged(
        tmp_path,
        honest(*ADDS, "count window is 1", controls=("two inputs", "repeat")),
        honest(*saves, controls=("two inputs",)),
        honest(*ADDS, "keys ctrl+s", 'see window "To do: {{what}}"', controls=("restart",)),
        honest(*ADDS, "keys ctrl+e", 'clipboard is "{{what}}"', "keys x", "screen changes"),
        honest("keep screen as empty", *COUNTS, "keys ctrl+z ctrl+z", "screen looks like empty"),
        honest(*('click at 50 35 in window "To do"', "screen changes") * 2),
        honest("keys F9", "screen does not change", "keys F8", 'see focused window "Sure?"'),
        honest("keys ctrl+q", "exit code is 0"),
        started("late", *COUNTS),
    )

    assert [told(ruling) for ruling in rulings] == [""] * 9
    assert {ruling.independence for ruling in rulings} == {"enforced"}


def test_a_program_is_judged_and_its_pictures_are_a_filmstrip(tmp_path: Path) -> None:
    """A picture for each thing that was done or expected."""
    passed, failed = judged(tmp_path, honest(*ADDS), started("picture", *ADDS))
    files = write_evidence(tmp_path / "evidence", "Desk", "here", (passed, failed))

    assert (told(passed), failed.played.reason) == ("", "not-seen")
    assert {shot.kind for frame in passed.played.frames for shot in frame.evidence} == {"screenshot"}
    pictures = [name for name in files["VAL-DESK-001"] if name.endswith(".png")]
    assert len(pictures) > len(passed.played.frames) / 2
    assert all((tmp_path / "evidence" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


LOOKS_RIGHT = {
    "picture, keys": ("picture", COUNTS, "not-seen", "it is as it was"),
    "picture, clicks": ("picture", CLICKS, "not-seen", "it is as it was"),
    "picture, words": ("picture", ADDS, "not-seen", 'there is "To do"'),
    "picture, presence": ("picture", (), "no-effect", "nothing that was done"),
    "picture, unlike": ("picture", ("keep screen as a", "keys F2", "screen looks unlike a"), "not-seen", "as it was"),
    "picture, like": ("picture", ("keep screen as a", "keys F2", "screen looks like a"), "no-effect", "nothing"),
    "picture, file": ("picture", ("keys ctrl+s", 'file "~/todos.txt" has ""'), "not-seen", "there is no file"),
    "picture, clipboard": ("picture", ("keys ctrl+e", 'clipboard has ""'), "not-seen", "nothing was copied"),
    "picture, started again": ("picture", (AGAIN, "screen changes", "count window is 1"), "no-effect", "nothing"),
    "picture, resting": ("picture", ("keys F2", "screen does not change"), "no-effect", "nothing that was done"),
    "dead, keys": ("dead", COUNTS, "not-seen", "it is as it was"),
    "dead, clicks": ("dead", CLICKS, "not-seen", "it is as it was"),
    "dead, letters": ("dead", ('type "milk"', "screen changes", 'type "a"', "screen changes"), "no-effect", "nothing"),
    "moves by itself": ("moves", COUNTS, "moves-by-itself", "came without"),
    "named by itself": ("named", ("keys F2", 'see window "To do: milk"'), "moves-by-itself", "came without"),
    "reverts": ("reverts", (*ADDS, "keys F2", "screen changes"), "did-not-last", "it is as it was"),
    "dies": ("dies", COUNTS, "not-seen", "the program ended with exit code 3"),
    "leaves": ("leaves", COUNTS, "not-seen", "no window is left"),
    "once only": ("honest", COUNTS[:2], "no-effect", "only a picture changed, and only once"),
    "ends at once": ("ends", COUNTS, "not-possible", "exit code 1, saying 'nothing to do'"),
    "floods": ("floods", ("keys F9", "screen changes"), "not-seen", "it is as it was"),
}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_what_only_looks_right_fails(tmp_path: Path) -> None:
    """Pictures, dead widgets, what moves by itself, goes back or dies: each fails for its own reason."""
    rulings = judged(tmp_path, *(started(kind, *steps) for kind, steps, _, _ in LOOKS_RIGHT.values()))
    came = {name: ruling.played for name, ruling in zip(LOOKS_RIGHT, rulings, strict=True)}
    wrong = {
        name: (played.reason, played.detail)
        for name, played in came.items()
        if played.reason != LOOKS_RIGHT[name][2] or LOOKS_RIGHT[name][3] not in played.detail
    }

    assert wrong == {}
    assert {played.verdict for played in came.values()} == {"failed"}


@pytest.mark.parametrize(
    ("steps", "reason", "words"),
    [
        (("screen looks like home",), "bad-steps", "nothing was kept as 'home'"),
        (("keep screen as a", "screen looks like a"), "bad-steps", "nothing was kept as 'a'"),
        (("keys F2", "see button"), "bad-steps", "button is nothing that can be seen on a desktop"),
        (("keys Nokey", "screen changes"), "bad-steps", "No such key name"),
    ],
)
def test_what_cannot_be_judged_is_blocked(tmp_path: Path, steps: Sequence[str], reason: str, words: str) -> None:
    """Pictures that nobody kept, things that are no windows, keys that are none: the steps are to be mended."""
    (ruling,) = judged(tmp_path, honest(*steps))

    assert (ruling.played.verdict, ruling.played.reason) == ("blocked", reason)
    assert words in ruling.played.detail


def test_where_there_is_no_display_assertions_are_blocked(tmp_path: Path) -> None:
    """With the words that say what to install; never passed, never failed."""

    nothing = tmp_path / "nothing"
    nothing.touch()
    covered = Mount(source=str(nothing), target=shutil.which("xdotool") or "")

    def bare(blueprint: Blueprint) -> AbstractAsyncContextManager[Sandbox]:
        return start(msgspec.structs.replace(blueprint, mounts=(*blueprint.mounts, covered)))

    (ruling,) = judged(tmp_path, honest(*ADDS), opened=bare)

    assert (ruling.played.verdict, ruling.played.reason) == ("blocked", "no-driver")
    assert "xdotool not installed: apt-get install xdotool" in ruling.played.detail


def honest(*steps: str, controls: tuple[str, ...] = ()) -> Assertion:
    return started("honest", *steps, controls=controls)


def started(kind: str, *steps: str, controls: tuple[str, ...] = ()) -> Assertion:
    return Assertion(
        id="VAL-DESK-000",
        title="adds",
        behaviour="When it is added, then it is there.",
        surface="desktop",
        steps=(f'start "exec {PYTHON} desk.py {kind}"', *(() if kind == "ends" else ('see window "To do"',)), *steps),
        controls=controls,  # type: ignore[arg-type]
    )


def judged(folder: Path, *assertions: Assertion, opened: StartSandbox = start) -> tuple[Ruling, ...]:
    checkout = folder / "app"
    shutil.copytree(APPS, checkout)
    numbered = tuple(
        Assertion(**{**{name: getattr(one, name) for name in one.__struct_fields__}, "id": f"VAL-DESK-{number:03}"})
        for number, one in enumerate(assertions, start=1)
    )
    site = Here(folder=checkout, recipe=Recipe(command="", address="http://localhost:8000"))
    return anyio.run(judge, Bench(start=opened, lanes=2), Contract(title="Desk", assertions=numbered), site)


def told(ruling: Ruling) -> str:
    return f"{ruling.played.reason} {ruling.played.detail}".strip()
