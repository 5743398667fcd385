"""`shopfloor explore`: a model finds out how assertions show, and the contract keeps what passes without one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopfloor.faces.cli import exits
from shopfloor.testing.commands import Person, write_script
from shopfloor.testing.workshop import call, make_repository

PROGRAM = "import sys\nprint(sys.argv[1][::-1])\n"
CONTRACT = """\
# Contract: Backwards

Notes of its author, which stay.

## Published

`python3 backwards.py WORD`

## Assertions

### VAL-WORD-001: words are turned round

When a word is given, then it is printed from its end.

- never: the word as it was
- surface: terminal
- kind: new

### VAL-WORD-002: no word is told

When no word is given, then `a word is missing` is printed.

- never: a traceback
- surface: terminal
- kind: new
"""
PRESENCE = ('start "python3 backwards.py live"', 'screen has ""')
RIGHT = ('start "python3 backwards.py stressed"', 'screen is "desserts"', 'start "python3 backwards.py live"')
ASKED = (
    call("finish"),
    call("try_steps", steps=['start "python3 backwards.py {{word}}"', 'screen has "{{word}}"', "look"]),
    call("try_steps", steps=["klick on it"]),
    call("submit_steps", assertion="VAL-WORD-001", steps=PRESENCE),
    call("submit_steps", assertion="VAL-WORD-009", steps=RIGHT),
    call("submit_steps", assertion="VAL-WORD-001", steps=[*RIGHT, 'screen is "evil"', "exit code is 0"]),
    call("cannot", assertion="VAL-WORD-002", reason="without a word it ends with a traceback"),
    call("finish"),
)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    contract = CONTRACT.replace("\nNotes of its author, which stay.\n", "")
    files = {"backwards.py": PROGRAM, "contract.md": contract}
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", files)) as somebody:
        yield somebody


def test_a_contract_keeps_the_steps_that_pass_and_says_why_others_have_none(person: Person, tmp_path: Path) -> None:
    """What only shows that something is there is not kept; what the app does not do is not bent until it fits."""
    contract = str(person.repository / "contract.md")
    before = Path(contract).read_text()
    model = write_script(tmp_path / "script.json", {("explorer",): ASKED})
    found = person.runs("explore", "--contract", contract, "--repo", str(person.repository), "--model", model, "--json")
    judged = json.loads(person.runs("judge", contract, "--repo", str(person.repository), "--json").said)

    assert found.exit_code == exits.UNVERIFIED, found.said
    assert [(one["assertion"], bool(one["steps"])) for one in json.loads(found.said)["explored"]] == [
        ("VAL-WORD-001", True),
        ("VAL-WORD-002", False),
    ]
    assert [(one["verdict"], one["reason"]) for one in judged["assertions"]] == [
        ("passed", ""),
        ("blocked", "no-steps"),
    ]
    assert set(before.splitlines()) <= set(Path(contract).read_text().splitlines())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--only", "VAL-X-001"), exits.GAVE_UP, "has no VAL-X-001"),
        (("--url", "ftp://x"), exits.GAVE_UP, "is no address"),
        ((), exits.GAVE_UP, "No model is named"),
    ],
)
def test_what_cannot_be_explored_is_said_and_the_contract_stays(
    words: tuple[str, ...], code: int, said: str, person: Person
) -> None:
    """Before anything is started or paid for."""
    contract = person.repository / "contract.md"
    before = contract.read_bytes()
    done = person.runs("explore", "--contract", str(contract), *words)

    assert (done.exit_code, said in done.said) == (code, True), done.said
    assert contract.read_bytes() == before
