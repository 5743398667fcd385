"""What judges saw, as pages: of a mission's verdicts, and of a contract judged without a model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopfloor.faces.cli import exits
from shopfloor.testing.commands import Person, write_script
from shopfloor.testing.subtraction import BRIEF, FILES, MISSION, SCRIPT
from shopfloor.testing.workshop import make_repository, write_files

CONTRACT = """\
# Contract: Backwards

## Published

`python3 backwards.py WORD`

## Assertions

### VAL-WORD-001: words are turned round <b>

When a word is given, then it is printed from its end.

- never: the word as it was
- surface: terminal

```steps
start "python3 backwards.py stressed"
screen is "desserts"
start "python3 backwards.py live"
screen is "evil"
```

### VAL-WORD-002: a button

When it is clicked, then "ok" is shown.

- never: nothing
- surface: desktop

```steps
click button "Go"
see text "ok"
```
"""


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", FILES)) as somebody:
        yield somebody


def test_every_verdict_of_a_mission_has_a_page(person: Person, tmp_path: Path) -> None:
    """With what was run and what it printed; before anybody has judged, there is nothing to look at."""
    nobody = person.runs("evidence", "no-mission-1")
    person.runs("mission", BRIEF, "--yes", "--model", write_script(tmp_path / "script.json", SCRIPT))
    done = person.runs("evidence", MISSION, "--to", str(tmp_path / "pages"))
    page = (tmp_path / "pages" / "01-scrutiny-subtract.html").read_text(encoding="utf-8")
    nowhere = person.runs("evidence", MISSION, "--to", "/proc/nowhere")

    assert (nobody.exit_code, "There is no mission 'no-mission-1'" in nobody.said) == (exits.GAVE_UP, True)
    assert (done.exit_code, done.said.startswith("passed ")) == (exits.VERIFIED, True), done.said
    assert (nowhere.exit_code, "'/proc/nowhere' cannot be made" in nowhere.said) == (exits.GAVE_UP, True)
    assert "Scrutiny of subtract: passed" in page
    assert "independence enforced" in page and "VAL-CALC-001" in page and "test_subtract" in page


def test_judging_leaves_a_page_and_says_what_a_script_can_read(person: Person, tmp_path: Path) -> None:
    """A verdict for each assertion, its evidence as files, and 0 only if all passed."""
    write_files(person.repository, {"contract.md": CONTRACT, "backwards.py": "import sys\nprint(sys.argv[1][::-1])\n"})
    words = ("judge", "contract.md", "--repo", ".", "--json", "--evidence", str(tmp_path / "seen"))
    both = person.runs(*words)
    one = person.runs(*words, "--only", "VAL-WORD-001")
    first, second = json.loads(both.said)["assertions"]
    page = (tmp_path / "seen" / "index.html").read_text(encoding="utf-8")

    assert (both.exit_code, one.exit_code) == (exits.UNVERIFIED, exits.VERIFIED)
    assert (first["id"], first["verdict"], first["reason"]) == ("VAL-WORD-001", "passed", "")
    assert (second["verdict"], second["reason"]) == ("blocked", "bad-steps")
    assert first["controls"]["effect"].startswith("held") and first["seconds"] > 0
    assert all((tmp_path / "seen" / name).is_file() for name in first["evidence"])
    assert "desserts" in page and "&lt;b&gt;" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("judge", "none.md", "--repo", "."), "'none.md' cannot be read"),
        (("judge", "contract.md", "--url", "localhost:80"), "'localhost:80' is no address"),
        (("judge", "contract.md", "--repo", "nowhere"), "'nowhere' is no folder"),
        (
            ("judge", "contract.md", "--repo", ".", "--only", "VAL-X-001"),
            "The contract has no VAL-X-001; it has VAL-WORD",
        ),
        (("judge", "contract.md", "--repo", ".", "--url", "http://localhost"), "Say one of --url"),
        (("contract", "lint", "calc.py"), "cannot be read"),
    ],
)
def test_what_cannot_be_judged_is_said_at_once(words: tuple[str, ...], said: str, person: Person) -> None:
    """Before anything starts, with what would be right."""
    write_files(person.repository, {"contract.md": CONTRACT})
    done = person.runs(*words)

    assert (done.exit_code, said in done.said) == (exits.GAVE_UP, True), done.said
