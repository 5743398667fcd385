"""Judging by compiled steps, without a model: real apps pass, and what only looks like one does not."""

import io
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import anyio
import msgspec
import pytest

from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.faces.page.evidence import write_evidence
from shopfloor.sandbox.probe import find_chromium, probe, start
from shopfloor.validation.drivers.app import Recipe
from shopfloor.validation.drivers.interface import Interface, read_interface
from shopfloor.validation.judging import Bench, Here, Ruling, judge

APPS = Path(__file__).parent / "drivers" / "apps"
PYTHON = f"{sys.base_prefix}/bin/python3"
pytestmark = [
    pytest.mark.skipif(not find_chromium(), reason="needs chromium"),
    pytest.mark.skipif(probe().best != "bubblewrap", reason="needs bubblewrap"),
]
ADDS = (
    "open /",
    'fill label "What" with "{{what}}"',
    'click button "Add"',
    'see listitem "{{what}}"',
    'value of label "What" is ""',
)


def test_an_app_that_works_passes_with_its_controls(tmp_path: Path) -> None:
    """Through the page, over HTTP and in a terminal; each meets an app of its own, and what it left is gone."""
    rulings = judged(
        tmp_path,
        web(*ADDS, "count listitem is 1", controls=("reload", "second tab", "restart", "two inputs")),
        web(*ADDS, "count listitem is 1"),
        one(
            "http",
            'POST /todos {"title": "{{title}}"}',
            "GET /todos",
            "status is 200",
            'json $ is ["{{title}}"]',
            'header content-type has "json"',
            controls=("restart",),
        ),
        one(
            "terminal",
            f'start "{PYTHON} echo.py"',
            'type "{{word}}\\n"',
            'screen has "you said {{word}}"',
            "still runs",
        ),
        one(
            "terminal",
            *('start "seq 1 40"', "exit code is 0", "json lines $ counts 40"),
            *('start "seq 40 41"', "exit code is 0", 'output is "40\\n41"', "json lines $ is [40, 41]"),
        ),
    )

    assert [told(ruling) for ruling in rulings] == [""] * 5
    assert set(rulings[0].played.controls) == {"effect", "idle", "reload", "second tab", "restart", "two inputs"}
    assert {ruling.independence for ruling in rulings} == {"enforced"}
    assert any(shot.kind == "screenshot" for frame in rulings[0].played.frames for shot in frame.evidence)


@pytest.mark.parametrize(
    ("steps", "reason", "words"),
    [
        (("open /dead", *ADDS[1:]), "not-seen", "it is not there"),
        (("open /dead", 'see heading "To do"', 'see button "Add"'), "no-effect", "nothing that was done"),
        (
            ("open /pretends.html", 'see heading "Pretends"', 'hover button "Soon"', "count listitem is 1"),
            "moves",
            "came",
        ),
        (
            ("open /pretends.html", 'fill label "What" with "{{a}}"', 'click button "Reverts"', 'see listitem "{{a}}"'),
            "did-not-last",
            "it is not there",
        ),
        (
            ("open /pretends.html", 'fill label "What" with "{{a}}"', 'click button "Canned"', 'see listitem "{{a}}"'),
            "not-seen",
            "it is not there",
        ),
        ((*ADDS, 'click button "Archive"', "count listitem is 0"), "not-possible", "not enabled"),
        ((*ADDS, 'click button "Nowhere"', "count listitem is 0"), "not-possible", "there is no button"),
        ((*ADDS, 'click button "Hang"', "count listitem is 2"), "not-", ""),
        ((*ADDS, "no errors", 'click button "Fail"', 'see listitem "{{what}}"', "no errors"), "not-seen", "is broken"),
    ],
    ids=["dead", "only there", "by itself", "reverts", "canned", "disabled", "missing", "hangs", "throws"],
)
def test_what_only_looks_right_fails(tmp_path: Path, steps: Sequence[str], reason: str, words: str) -> None:
    """Presence, canned answers, what comes by itself or goes again: each fails for its own reason."""
    (ruling,) = judged(tmp_path, web(*steps))

    assert ruling.played.verdict == "failed"
    assert ruling.played.reason.startswith(reason)
    assert words in ruling.played.detail


def test_a_library_passes_by_what_it_answers_and_does(tmp_path: Path) -> None:
    """Two inputs, a word that nobody knows, and a state that was another before; each in a process of its own."""
    rulings = judged(
        tmp_path,
        one(
            "library",
            "from listed import shouted",
            *('call shouted("{{word}} is out")', 'result has "IS OUT"', 'output has "{{word}}"'),
            *('call shouted("milk", times=2)', 'result is "MILK!!"'),
            controls=("two inputs",),
        ),
        one(
            "library",
            *("import listed", "call listed.Todos() as todos", 'call todos.add("milk")'),
            *("ask todos.titles()", 'result is ["milk"]', 'call todos.add("")', "raises listed.EmptyTitle"),
            controls=("repeat",),
        ),
        command="",
    )

    assert [told(ruling) for ruling in rulings] == [""] * 2
    assert [ruling.played.controls["effect"] for ruling in rulings] == [
        "held: 2 of 2 turns changed what is seen",
        "held: 1 of 2 turns changed what is seen",
    ]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (("import listed", 'call listed.canned("milk")', 'result is "MILK!"'), "no-effect"),
        (('call listed.canned("milk")', 'result is "MILK!"', 'call listed.canned("a")', 'result is "A!"'), "not-seen"),
        (('call listed.canned("{{a}}")', 'json $ lacks "MILK"'), "not-seen"),
        (
            ("call listed.Canned() as todos", 'call todos.add("milk")', "ask todos.titles()", 'result is ["milk"]'),
            "no-",
        ),
        (("call listed.Canned() as todos", "ask todos.titles()", 'result is ["milk"]'), "no-effect"),
        (("call listed.crash()", "result is null"), "not-possible"),
        (("import nowhere", 'call nowhere.f("{{a}}")', 'result is "{{a}}"'), "not-possible"),
        (('call listed.shouted("")', "call listed.nothing()", 'raises AttributeError "nothing"'), "no-effect"),
    ],
    ids=["one input", "two", "free word", "state", "presence", "crash", "not there", "only an error"],
)
def test_a_library_that_only_looks_right_fails(tmp_path: Path, steps: Sequence[str], reason: str) -> None:
    """A canned value, a state that is always the same, nothing at all: each fails for its own reason."""
    (ruling,) = judged(tmp_path, one("library", "import listed", *steps), command="")

    assert ruling.played.verdict == "failed"
    assert ruling.played.reason.startswith(reason)


def test_what_was_there_instead_is_told_whole(tmp_path: Path) -> None:
    """The brackets of an answer are its own."""
    steps = ('POST /todos {"title": "milk"}', "GET /todos", 'json $ is ["butter"]')
    (ruling,) = judged(tmp_path, one("http", *steps))

    assert ruling.played.detail.splitlines()[0] == 'json $ is ["butter"]: but $ is ["milk"]'


def test_an_answer_that_breaks_its_document_fails_whatever_was_expected_of_it(tmp_path: Path) -> None:
    """With the operation and the field; what the document says and what it does not know are no hindrance."""
    todos = {"type": "array", "items": {"type": "object", "required": ["title"]}}
    added = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}
    kept, broken = (
        read_interface(msgspec.json.encode({"paths": {"/todos": paths}}), "openapi.json")
        for paths in ({"post": answering("201", added)}, {"get": answering("200", todos)})
    )
    steps = ('POST /todos {"title": "{{a}}"}', "GET /todos", 'json $ is ["{{a}}"]')
    (right,) = judged(tmp_path / "right", one("http", *steps), interface=kept)
    (wrong,) = judged(tmp_path / "wrong", one("http", *steps), interface=broken)

    assert told(right) == ""
    assert (wrong.played.verdict, wrong.played.reason) == ("failed", "breaks-interface")
    first = wrong.played.detail.splitlines()[0]
    assert first.startswith("Todos (GET /todos) answered 200, and $[0] is ")
    assert first.endswith(", not object")


def answering(status: str, schema: dict[str, object]) -> dict[str, object]:
    responses = {status: {"content": {"application/json": {"schema": schema}}}}
    return {"operationId": "Todos", "responses": responses}


def test_slow_is_not_dead(tmp_path: Path) -> None:
    """An effect that takes longer than the wait before it is watched for as long without the deed."""
    steps = ("open /pretends.html", 'fill label "What" with "{{a}}"', 'click button "Soon"', 'see listitem "{{a}}"')
    (ruling,) = judged(tmp_path, web(*steps))

    assert told(ruling) == ""


def test_what_came_late_is_still_there_after_a_reload(tmp_path: Path) -> None:
    """The controls meet what was done, also where a slow effect had to be played once more."""
    steps = ("open /late.html", 'fill label "What" with "{{a}}"', 'click button "Add"', 'see listitem "{{a}}"')
    (ruling,) = judged(tmp_path, web(*steps, controls=("reload",)))

    assert told(ruling) == ""


def test_a_browser_is_recorded_where_an_assertion_fails(tmp_path: Path) -> None:
    """The recording is what playwright's viewer opens; of what passed, or where none was asked for, there is none."""
    wrong = web(*ADDS, 'see listitem "butter"')
    passed, failed = judged(tmp_path / "traced", web(*ADDS), wrong, traced=True)
    (unasked,) = judged(tmp_path / "untraced", wrong)
    files = write_evidence(tmp_path / "evidence", "To do", "here", (passed, failed))

    with zipfile.ZipFile(io.BytesIO(failed.played.trace)) as trace:
        assert any(name.endswith(".trace") for name in trace.namelist())
    assert (passed.played.trace, unasked.played.trace) == (b"", b"")
    assert [name for names in files.values() for name in names if name.endswith(".zip")] == ["VAL-TODO-002/trace.zip"]
    assert 'href="VAL-TODO-002/trace.zip"' in (tmp_path / "evidence" / "index.html").read_text()


def test_a_box_that_is_drawn_by_its_label_is_ticked_as_a_user_would(tmp_path: Path) -> None:
    """The box itself cannot be hit; its label can."""
    box = 'checkbox "All of it"'
    (ruling,) = judged(
        tmp_path, web("open /pretends.html", f"see unchecked {box}", f"click {box}", f"see checked {box}")
    )

    assert told(ruling) == ""


@pytest.mark.parametrize(
    ("steps", "reason"),
    [((), "no-steps"), (("open /", "dance"), "bad-steps"), (("open /", "see @nothing"), "bad-steps")],
    ids=["none", "no step", "no such name"],
)
def test_what_cannot_be_judged_is_blocked_and_never_passed(tmp_path: Path, steps: Sequence[str], reason: str) -> None:
    """Blocked has a reason that says whose turn it is."""
    (ruling,) = judged(tmp_path, web(*steps))

    assert (ruling.played.verdict, ruling.played.reason) == ("blocked", reason)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("exit 3", "it ended with exit code 3"),
        ("exec sleep 60", "nothing listens at"),
        ("exec $PYTHON todo.py 8001", "nothing listens at"),
        ("yes", "did not come up"),
    ],
    ids=["ends", "never listens", "listens elsewhere", "prints for ever"],
)
def test_an_app_that_does_not_come_up_has_failed(tmp_path: Path, command: str, words: str) -> None:
    """With the last it said, so that somebody can mend it."""
    (ruling,) = judged(tmp_path, web(*ADDS), command=command, starting_s=3)

    assert (ruling.played.verdict, ruling.played.reason) == ("failed", "did-not-start")
    assert words in ruling.played.detail


def test_the_same_seed_draws_the_same_words(tmp_path: Path) -> None:
    """Words are new each time, unless somebody wants to see the same run again."""
    first, again, other = (
        judged(tmp_path / str(number), web(*ADDS), seed=seed) for number, seed in enumerate((1, 1, 2))
    )

    assert steps_of(first) == steps_of(again) != steps_of(other)


def web(*steps: str, controls: tuple[str, ...] = ()) -> Assertion:
    return one("web", *steps, controls=controls)


def one(surface: Surface, *steps: str, controls: tuple[str, ...] = ()) -> Assertion:
    return Assertion(
        id="VAL-TODO-000",
        title="adds",
        behaviour="When it is added, then it is there.",
        surface=surface,
        steps=steps,
        controls=controls,  # type: ignore[arg-type]
    )


def judged(
    folder: Path,
    *assertions: Assertion,
    command: str = "exec $PYTHON todo.py $PORT",
    starting_s: float = 30,
    seed: int | None = None,
    interface: Interface | None = None,
    traced: bool = False,
) -> tuple[Ruling, ...]:
    """What comes of judging the to-do app of the drivers' tests by these assertions."""
    checkout = folder / "app"
    shutil.copytree(APPS, checkout)
    numbered = tuple(
        Assertion(**{**as_fields(assertion), "id": f"VAL-TODO-{number:03}"})
        for number, assertion in enumerate(assertions, start=1)
    )
    starting = command and f"PYTHON={PYTHON}; export PYTHON; {command}"
    recipe = Recipe(command=starting, address="http://localhost:8000")
    site = Here(folder=checkout, recipe=recipe, starting_s=starting_s)
    bench = Bench(start=start, chromium=find_chromium(), lanes=2, seed=seed, interface=interface, traced=traced)
    return anyio.run(judge, bench, Contract(title="To do", assertions=numbered), site)


def as_fields(assertion: Assertion) -> dict[str, object]:
    return {name: getattr(assertion, name) for name in assertion.__struct_fields__}


def told(ruling: Ruling) -> str:
    return f"{ruling.played.reason} {ruling.played.detail}".strip()


def steps_of(rulings: tuple[Ruling, ...]) -> list[str]:
    return [frame.step for frame in rulings[0].played.frames]
