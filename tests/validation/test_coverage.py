"""What a contract's steps ask of a documented interface: told where it is not in the document, or is left out."""

import json

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.validation.coverage import against
from shopfloor.validation.drivers.interface import read_interface

ANSWERS = {"responses": {"200": {}, "422": {}}}
PATHS = {"/todos": {"get": ANSWERS, "post": ANSWERS}, "/todos/{id}": {"get": ANSWERS, "delete": ANSWERS}}
TODOS = read_interface(json.dumps({"paths": PATHS}).encode(), "openapi.json")


def test_what_no_assertion_asks_for_is_told_and_refuses_nothing() -> None:
    """One line for each operation that the steps leave out."""
    found = against(contract('POST /todos {"title": "{{a}}"}', "status is 200", "GET /todos/{{a}}"), TODOS)

    assert [(one.kind, one.refuses) for one in found] == [("unasserted", False)] * 2
    assert [one.text.rpartition(" for ")[2] for one in found] == ["GET /todos", "DELETE /todos/{id}"]


def test_what_is_asked_and_not_documented_is_told_and_refuses_where_it_must_fail() -> None:
    """An operation or a status that the document does not have, unless it is its absence that is shown."""
    found = against(
        contract(
            *("PUT /todos", "status is 200", "PUT /todos", "status is 405"),
            *("GET /todos", "status is 409", "DELETE /todos/1", "status is 204", "GET /lists", 'body has "a"'),
        ),
        TODOS,
    )

    assert [(one.refuses, one.text) for one in found if one.assertion == "VAL-TODO-001"] == [
        (False, "openapi.json has no PUT /todos"),
        (False, "openapi.json says nothing of 409 from GET /todos"),
        (True, "openapi.json says nothing of 204 from DELETE /todos/{id}"),
        (False, "openapi.json has no GET /lists"),
    ]


def contract(*steps: str) -> Contract:
    assertion = Assertion(id="VAL-TODO-001", title="", behaviour="", surface="http", steps=steps)
    return Contract(title="To do", assertions=(assertion,))
