"""`shopfloor judge`: what stands in a folder is judged with what it depends on."""

import json
from pathlib import Path

from shopfloor.faces.cli import exits
from shopfloor.testing.commands import Person
from shopfloor.testing.workshop import make_repository

DOCUMENT = """\
paths:
  /:
    get: {operationId: Front, responses: {200: {content: {text/html: {}}}}}
    delete: {operationId: Clear, responses: {204: {}}}
"""
OVER_HTTP = """\
# Contract: Files

Start: `python3 -m http.server 8000`

Interface: `openapi.yaml`

## Published

`GET /` lists the files.

## Assertions

### VAL-FILE-001: the files are listed

When `GET /` is asked for, then it lists `openapi.yaml`.

- never: nothing
- surface: http

```steps
POST /
status is 501
GET /
status is 200
```
"""
CONTRACT = """\
# Contract: Shouting

## Assertions

### VAL-SHOUT-001: a word is shouted

When `shouted("milk")` is called, then it returns `MILK?!`, with what the package `marks` adds to a word.

- never: the word as it was
- surface: library

```steps
from shouting import shouted
call shouted("{{word}} milk")
result has "MILK?!"
call shouted("{{word}} butter")
result has "BUTTER?!"
```
"""
LIBRARY = "import marks\n\ndef shouted(text):\n    return text.upper() + marks.ADDED\n"
SETUP = """\
[setup]
command = "python3 -m venv --without-pip $DEPS/venv && cp vendored/*.py $DEPS/venv/lib/*/site-packages"
lock = ["vendored/marks.py"]
"""


def test_a_library_is_called_with_what_its_repository_sets_up(tmp_path: Path) -> None:
    """Installed once for the process that holds the library; a set-up that fails is told before anything is judged."""
    files = {
        "shouting.py": LIBRARY,
        "vendored/marks.py": "ADDED = '?!'\n",
        "services.toml": SETUP,
        "contract.md": CONTRACT,
    }
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "shouting", files)) as person:
        contract = str(person.repository / "contract.md")
        linted = person.runs("contract", "lint", contract)
        judged = person.runs("judge", contract, "--repo", str(person.repository), "--json")
        (person.repository / "services.toml").write_text('[setup]\ncommand = "echo no such package; exit 4"\n')
        broken = person.runs("judge", contract, "--repo", str(person.repository))

    assert linted.exit_code == 0, linted.said
    assert [one["verdict"] for one in json.loads(judged.said)["assertions"]] == ["passed"], judged.said
    assert broken.exit_code not in (0, exits.UNVERIFIED)
    assert "ended with exit code 4: no such package" in broken.said


def test_a_contract_names_the_document_of_its_interface(tmp_path: Path) -> None:
    """What the steps leave out of it is told, what is not in it refuses, and so does a document that is not there."""
    files = {"contract.md": OVER_HTTP, "openapi.yaml": DOCUMENT}
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "files", files)) as person:
        contract = person.repository / "contract.md"
        linted = person.runs("contract", "lint", str(contract))
        judged = person.runs("judge", str(contract), "--repo", str(person.repository))
        (person.repository / "openapi.yaml").write_text(DOCUMENT.replace("text/html", "text/csv"))
        broken = person.runs("judge", str(contract), "--repo", str(person.repository))
        contract.write_text(OVER_HTTP.replace("status is 200", "status is 202"))
        refused = person.runs("contract", "lint", str(contract))
        (person.repository / "openapi.yaml").unlink()
        missing = person.runs("contract", "lint", str(contract))

    assert (linted.exit_code, judged.exit_code) == (0, 0), linted.said + judged.said
    assert "unasserted: no assertion has a step that asks for Clear (DELETE /)" in linted.said
    assert (
        "breaks-interface: Front (GET /) answered 200, and its content type is text/html, not text/csv" in broken.said
    )
    assert refused.exit_code == exits.UNVERIFIED
    assert "breaks-interface: openapi.yaml says nothing of 202 from Front (GET /)" in refused.said
    assert "which cannot be read" in missing.said
