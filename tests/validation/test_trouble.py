"""When things go wrong: apps, pages, answers and programs in trouble end in time, each with its reason in words."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.sandbox.probe import find_chromium, probe, start
from shopfloor.validation.drivers.app import Recipe
from shopfloor.validation.judging import Bench, Here, Ruling, judge

APPS = Path(__file__).parent / "drivers" / "apps"
PYTHON = f"{sys.base_prefix}/bin/python3"
IN_TIME_S = 90
"""What a judge may take for one assertion, on a busy machine."""
needs_browser = pytest.mark.skipif(not find_chromium(), reason="needs chromium")


@dataclass(frozen=True)
class Trouble:
    """Steps that meet it, and what comes of them: "" for a pass, else the reason; and words of the detail."""

    steps: tuple[str, ...]
    reason: str = ""
    words: str = ""
    controls: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def leaves_nobody_behind() -> Iterator[None]:
    """Whatever was judged, nothing that was started for it is left."""
    if probe().why_no_arena:
        pytest.skip(probe().why_no_arena)
    before = started_here()
    yield
    deadline = time.monotonic() + 5
    while (left := started_here() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == set()


# --- pages ------------------------------------------------------------------------------------------------------

GO = ('click button "Go"', 'see text "done"')
ASKING = {
    "alert": Trouble(("open /dialogs", 'click button "Tell"', 'see text "told"')),
    "confirm": Trouble(("open /dialogs", "accept dialogs", 'click button "Delete"', 'see text "deleted"')),
    "confirm, unsaid": Trouble(
        ("open /dialogs", 'click button "Delete"', 'see text "deleted"'), "not-seen", "'Delete it?' was dismissed"
    ),
    "prompt": Trouble(
        ("open /dialogs", 'accept dialogs with "{{who}}"', 'click button "Name"', 'see text "hello {{who}}"')
    ),
    "beforeunload": Trouble(
        ("open /dialogs", 'fill label "Note" with "{{n}}"', 'value of label "Note" is "{{n}}"'), controls=("reload",)
    ),
    "another tab": Trouble(
        ("open /windows", 'click link "Blank"', "switch to tab 2", 'click button "Press"', 'see text "pressed"')
    ),
    "another tab, unfollowed": Trouble(
        ("open /windows", 'click link "Blank"', 'see text "other window"'), "not-seen", "2 tabs are open"
    ),
    "a hundred windows": Trouble(("open /windows", 'click button "Hundred"', 'see text "never"'), "not-seen", "but"),
    "download": Trouble(
        ("open /windows", 'click link "Save"', 'see text "saved"'), "not-seen", "a download began, and was not kept"
    ),
    "open a download": Trouble(("open /download", *GO), "not-possible", "Download is starting"),
    "errors without end": Trouble(
        ("open /noisy", 'click button "Noise"', 'see text "noisy"', "no errors"), "not-seen", "console error: noise 0"
    ),
    "words to the judge": Trouble(
        ("open /verdict", 'click button "Add"', 'see text "added"'), "not-seen", "it is not there"
    ),
}
SHAPED = {
    "open shadow": Trouble(("open /shadow", 'click button "Press open"', 'see text "open pressed"')),
    "closed shadow": Trouble(
        ("open /shadow", 'click button "Press closed"', 'see text "closed pressed"'),
        "not-possible",
        'there is no button "Press closed". There is: button "Press open"',
    ),
    "frame": Trouble(
        (
            *("open /frames", 'fill label "Word" with "{{w}}"', 'click button "Say"'),
            *('see text "framed {{w}}"', 'see heading "Frames"'),
        )
    ),
    "frame in a frame": Trouble(("open /frames", 'click button "Deeper"', 'see text "inmost said"')),
    "hidden frame": Trouble(
        ("open /frames", 'click button "Hidden"', 'see text "x"'), "not-possible", 'there is no button "Hidden"'
    ),
    "arriving": Trouble(
        ("open /moving", 'click button "Arriving"', 'see text "arriving clicked"', 'see no text "fading words"')
    ),
    "pulsing": Trouble(("open /moving", 'click button "Pulsing"', 'see text "pulsing clicked"')),
    "virtual list": Trouble(("open /virtual", 'press End in list "Rows"', 'see text "row 9999"')),
    "virtual list, not scrolled": Trouble(
        ("open /virtual", 'hover text "row 3"', 'see text "row 9999"'), "not-seen", "it is not there, or not visible"
    ),
    "service worker": Trouble(
        ("open /worker", 'click button "Install"', 'see text "installed"', "reload", 'see text "stale"')
    ),
    "service worker, fresh session": Trouble(
        ("open /worker", 'see text "clean"', 'click button "Install"', 'see text "installed"'), controls=("two inputs",)
    ),
    "ten thousand elements": Trouble(
        ("open /elements?10000", *GO, 'see listitem "row 9999"', "count listitem is 10000")
    ),
}
SLOW = {
    "never loads": Trouble(("open /loading", *GO)),
    "never ends": Trouble(("open /endlesspage", *GO)),
    "blocks for five seconds": Trouble(("open /busy", 'click button "Five"', 'see text "five seconds later"')),
    "blocks for ever": Trouble(
        ("open /busy", 'click button "Forever"', 'see text "never"'), "not-possible", "the page hangs"
    ),
    "reloads itself": Trouble(("open /reloading", 'click button "Press"', 'see text "pressed"')),
    "thirty megabytes": Trouble(("open /megabytes?30", *GO)),
    "unpacks to two hundred megabytes": Trouble(
        ("open /bomb?text/html", *GO), "not-possible", 'there is no button "Go"'
    ),
    "dies, and its page goes on": Trouble(
        ("open /offline", 'click button "Go"', 'see text "works without anybody"'), "died", "exit code 3"
    ),
    "comes after one that died": Trouble(("open /busy", 'click button "Five"', 'see text "five seconds later"')),
}


@needs_browser
@pytest.mark.long
@pytest.mark.parametrize("troubles", [ASKING, SHAPED, SLOW], ids=["asking", "shaped", "slow"])
def test_pages_in_trouble_are_judged_by_what_a_user_would_meet(tmp_path: Path, troubles: dict[str, Trouble]) -> None:
    """What a user could do passes, however odd the page; what he could not has a reason that names what happened."""
    rulings = judged(tmp_path, "web", troubles, lanes=1 if troubles is SLOW else 2)

    assert {name: told(ruling) for name, ruling in rulings.items()} == expected(troubles, rulings)
    assert max(ruling.seconds for ruling in rulings.values()) < IN_TIME_S


# --- answers ----------------------------------------------------------------------------------------------------

CALM = 'body lacks "secret"'
ANSWERS = {
    "hangs": Trouble(("POST /hang {}", "status is 200"), "not-possible", "no answer within 10 s"),
    "no HTTP": Trouble(("POST /garbage {}", "status is 200"), "not-possible", "no HTTP answer: BadStatusLine"),
    "shorter than said": Trouble(
        ("POST /short {}", "json $.items counts 0"), "not-seen", "not whole: the body ended after 13 of 1000 bytes"
    ),
    "longer than said": Trouble(("POST /long {}", "json $.items counts 0"), "not-seen", "this is no JSON"),
    "a hundred megabytes": Trouble(("POST /large {}", "status is 200", CALM), "not-seen", "the body is cut at"),
    "chunks without end": Trouble(("POST /chunks {}", CALM), "not-seen", "still coming when time was up"),
    "a head letter by letter": Trouble(("POST /slowhead {}", "status is 200"), "not-possible", "no answer within 10 s"),
    "redirects without end": Trouble(
        ("POST /redirect and follow {}", "status is 200"), "not-seen", "redirected 5 times, the last time to http"
    ),
    "packed zeros": Trouble(("POST /bomb {}", "status is 200", CALM)),
    "words to the judge": Trouble(("POST /verdict {}", "json $.added is 1"), "not-seen", "nothing at $.added"),
}


@pytest.mark.long
def test_answers_in_trouble_end_in_time_and_are_never_taken_for_whole(tmp_path: Path) -> None:
    """That something is lacking is believed of a whole answer only."""
    rulings = judged(tmp_path, "http", ANSWERS)

    assert {name: told(ruling) for name, ruling in rulings.items()} == expected(ANSWERS, rulings)
    assert max(ruling.seconds for ruling in rulings.values()) < 30


# --- programs ---------------------------------------------------------------------------------------------------

HELLO = ('type "{{word}}\\n"', 'screen has "you said {{word}}"')


def surly(how: str) -> str:
    return f'start "exec {PYTHON} surly.py {how}"'


PROGRAMS = {
    "deaf": Trouble((surly("deaf"), *HELLO), "not-seen", "the screen lacks it"),
    "endless": Trouble((surly("endless"), *HELLO), "not-seen", "the screen lacks it"),
    "endless, all of it": Trouble(
        (surly("endless"), "keys x", 'output lacks "secret"'), "not-seen", "more than 1,000,000"
    ),
    "sizeless": Trouble((surly("sizeless"), *HELLO)),
    "lost": Trouble((surly("lost"), 'type "\\n"', 'screen has "ready"'), "not-seen", "lacks it"),
    "garbled": Trouble((surly("garbled"), *HELLO)),
    "daemon": Trouble((surly("daemon"), *HELLO), controls=("two inputs",)),
    "words to the judge": Trouble(
        (surly("verdict"), 'type "{{word}}\\n"', 'screen has "added {{word}}"'), "not-seen", "lacks it"
    ),
}


@pytest.mark.long
def test_programs_in_trouble_end_in_time_with_all_they_started(tmp_path: Path) -> None:
    """Whatever they print, ignore or leave behind, the judge goes on; and its words are its own."""
    rulings = judged(tmp_path, "terminal", PROGRAMS, command="")

    assert {name: told(ruling) for name, ruling in rulings.items()} == expected(PROGRAMS, rulings)
    assert max(ruling.seconds for ruling in rulings.values()) < 45
    shown = "".join(frame.text for frame in rulings["garbled"].played.frames)
    assert all(sign.isprintable() or sign in "\n" for sign in shown), "whoever prints the evidence is steered by it"


# --- apps -------------------------------------------------------------------------------------------------------

ADDED = {"adds": Trouble(('POST /todos {"title": "{{t}}"}', "GET /todos", 'json $ is ["{{t}}"]'))}


def test_a_slow_start_is_waited_for(tmp_path: Path) -> None:
    """Slow is not dead."""
    (ruling,) = judged(tmp_path, "http", ADDED, command=f"sleep 6; exec {PYTHON} todo.py $PORT").values()

    assert told(ruling) == ("", "")


def test_a_folder_with_sockets_and_links_in_it_is_judged(tmp_path: Path) -> None:
    """What an app has left there while it ran is no part of it, and stops nobody."""
    source = tmp_path / "source"
    shutil.copytree(APPS, source)
    os.mkfifo(source / "pipe")
    (source / "gone").symlink_to("/nowhere")
    (ruling,) = judged(tmp_path, "http", ADDED, command=f"exec {PYTHON} todo.py $PORT", source=source).values()

    assert told(ruling) == ("", "")


# --- how they are judged ----------------------------------------------------------------------------------------


def judged(
    folder: Path,
    surface: Surface,
    troubles: dict[str, Trouble],
    *,
    command: str = f"exec {PYTHON} trouble.py $PORT",
    source: Path = APPS,
    lanes: int = 2,
) -> dict[str, Ruling]:
    """What comes of judging these, by name."""
    assertions = tuple(
        Assertion(
            id=f"VAL-TROUBLE-{number:03}",
            title=name,
            behaviour="When it is used, then it works.",
            surface=surface,
            steps=trouble.steps,
            controls=trouble.controls,  # type: ignore[arg-type]
        )
        for number, (name, trouble) in enumerate(troubles.items(), start=1)
    )
    state = "browser" if "trouble.py" in command else "app"
    site = Here(folder=source, recipe=Recipe(command=command, address="http://localhost:8000"), starting_s=30)
    bench = Bench(start=start, chromium=find_chromium(), lanes=lanes, seed=1)
    contract = Contract(title="Trouble", assertions=assertions, state=state)
    return {ruling.assertion.title: ruling for ruling in anyio.run(judge, bench, contract, site)}


def told(ruling: Ruling) -> tuple[str, str]:
    return ruling.played.reason, ruling.played.detail.partition("\nThe app's last output")[0]


def expected(troubles: dict[str, Trouble], rulings: dict[str, Ruling]) -> dict[str, tuple[str, str]]:
    """The reason of each, and its detail as it is where that has the words it should have."""
    details = {name: told(ruling)[1] for name, ruling in rulings.items()}
    return {
        name: (trouble.reason, details[name] if trouble.words in details[name] else f"... {trouble.words} ...")
        for name, trouble in troubles.items()
    }


def started_here() -> set[int]:
    """Processes that descend from this one."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended
    found, waiting = set[int](), [os.getpid()]
    while waiting:
        children = {pid for pid, parent in parents.items() if parent == waiting[-1]} - found
        waiting.pop()
        found |= children
        waiting += children
    return found
