"""An OpenAPI document is read as it is, and every exchange is held to what it says and to nothing more."""

import json
from typing import Any

import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.validation.drivers.interface import Exchange, Interface, read_interface
from shopfloor.validation.drivers.schema import breach

YAML = """\
openapi: 3.1.0
servers:
  - url: https://shop.example/api
paths:
  /orders:
    get:
      operationId: ListOrders
      responses:
        200:
          content:
            application/json; charset=utf-8:
              schema: {type: array, items: {$ref: '#/components/schemas/Order'}}
        default: {$ref: '#/components/responses/Problem'}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        4XX: {$ref: '#/components/responses/Problem'}
    delete: {operationId: Forget, responses: {'204': {description: it is gone}}}
  /orders/latest:
    get: {operationId: Latest, responses: {'200': {content: {text/*: {}}}}}
components:
  responses:
    Problem: {content: {application/problem+json: {schema: {required: [title]}}}}
  schemas:
    Order:
      type: object
      required: [id, lines]
      properties:
        id: {type: integer}
        note: {type: [string, 'null']}
        lines: {type: array, items: {type: string}}
        part_of: {$ref: '#/components/schemas/Order'}
"""
JSON = "application/json"


@pytest.fixture(scope="module")
def shop() -> Interface:
    return read_interface(YAML.encode(), "openapi.yaml")


@pytest.mark.parametrize(
    ("method", "url", "operation"),
    [
        ("GET", "/api/orders?page=2", "ListOrders (GET /api/orders)"),
        ("get", "http://localhost:8000/api/orders/7", "GET /api/orders/{id}"),
        ("GET", "/api/orders/latest", "Latest (GET /api/orders/latest)"),
        ("DELETE", "/api/orders/latest", "Forget (DELETE /api/orders/{id})"),
        ("POST", "/api/orders", "None"),
        ("GET", "/orders", "None"),
        ("GET", "/api/orders/7/lines", "None"),
    ],
)
def test_a_request_asks_for_one_operation(shop: Interface, method: str, url: str, operation: str) -> None:
    """Below the server's path; a path in plain words goes before one with a gap; a gap ends at a slash."""
    assert str(shop.operation(method, url)) == operation


@pytest.mark.parametrize(
    ("asked", "status", "kind", "body", "problem"),
    [
        ("GET /api/orders", 200, JSON, '[{"id": 1, "lines": ["tea"], "note": null, "more": 1}]', ""),
        ("GET /api/orders", 200, JSON, '[{"id": 1.0, "lines": []}]', ""),
        ("GET /api/orders", 200, JSON, '[{"id": 1, "lines": []}, {"id": 2}]', "$[1].lines is missing"),
        ("GET /api/orders", 200, JSON, '[{"id": "1", "lines": []}]', '$[0].id is "1", not integer'),
        ("GET /api/orders", 200, JSON, '[{"id": true, "lines": []}]', "$[0].id is true, not integer"),
        ("GET /api/orders", 200, JSON, '{"id": 1}', '$ is {"id":1}, not array'),
        ("GET /api/orders", 200, JSON, "[", "its body is no JSON"),
        ("GET /api/orders", 200, "text/html", "[]", "its content type is text/html, not application/json"),
        ("GET /api/orders", 200, "", "[]", "its content type is not said"),
        ("GET /api/orders", 503, "application/problem+json", '{"title": "later"}', ""),
        ("GET /api/orders", 503, "application/problem+json", "{}", "$.title is missing"),
        ("GET /api/orders/7", 200, JSON, '{"id": 7, "lines": [], "note": 3}', "$.note is 3, not string or null"),
        ("GET /api/orders/7", 200, JSON, '{"id": 7, "lines": [], "part_of": {"id": 1}}', "$.part_of.lines is missing"),
        ("GET /api/orders/7", 404, "application/problem+json", '{"title": "none"}', ""),
        ("GET /api/orders/7", 500, "text/plain", "oh", "openapi.yaml says nothing of 500"),
        ("GET /api/orders/latest", 200, "text/csv", "7", ""),
        ("DELETE /api/orders/7", 204, "", "", ""),
        ("DELETE /api/orders/7", 200, "", "", "Forget (DELETE /api/orders/{id}) answered 200, and openapi.yaml says"),
        ("DELETE /api/orders/7", 403, "", "", ""),
        ("GET /elsewhere", 500, "", "", ""),
    ],
)
def test_an_answer_keeps_to_its_document_or_it_is_told_where_not(
    shop: Interface, asked: str, status: int, kind: str, body: str, problem: str
) -> None:
    """Status, content type, then the body's fields: the operation and the first place that is otherwise."""
    method, _, url = asked.partition(" ")
    told = shop.breach(Exchange(method=method, url=url, status=status, content_type=kind, body=body.encode()))

    assert problem in told
    assert bool(told) == bool(problem)


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"nullable": True, "type": "string"}, None, ""),
        ({"type": "number"}, 3, ""),
        ({"type": "integer"}, 3.5, "$ is 3.5, not integer"),
        ({"enum": ["open", "sent"]}, "lost", '$ is "lost", not "open" or "sent"'),
        ({"const": 1}, True, "$ is true, not 1"),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}, "$.b is missing"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, None, ""),
        ({"anyOf": [{"type": "string"}, {"required": ["a"]}]}, {}, "$ is none of what it may be: $ is {}, not string;"),
        ({"properties": {"a": {"type": "string"}}}, [1], ""),
        ({"required": ["a"]}, "text", ""),
        (True, {"a": 1}, ""),
        ({"type": "string", "maxLength": 1, "format": "date"}, "long", ""),
    ],
)
def test_what_a_schema_says_is_checked_as_far_as_it_is_understood(schema: Any, value: Any, problem: str) -> None:
    """What is not understood refuses nothing."""
    told = breach({}, schema, value)

    assert told.startswith(problem)
    assert bool(told) == bool(problem)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("[]", "a.json", "no `paths`"),
        ("{", "a.json", "cannot be read"),
        ("a: [", "a.yaml", "cannot be read"),
        ('{"paths": {"/": {"get": {"$ref": "#/nowhere"}}}}', "a.json", "nothing is at $ref '#/nowhere'"),
        ('{"paths": {"/": {"$ref": "other.yaml#/a"}}}', "a.json", "only references within one file"),
        ('{"paths": {"/": {"$ref": "#/paths/~1"}}}', "a.json", "nothing is at $ref"),
    ],
)
def test_a_document_that_cannot_be_relied_on_is_refused(content: str, name: str, words: str) -> None:
    """With what is wrong, before anything is judged by it."""
    with pytest.raises(GiveUp, match=words.replace("$", r"\$")):
        read_interface(content.encode(), name)


def test_json_needs_no_yaml() -> None:
    """What JSON says is the same."""
    document = {"paths": {"/a": {"get": {"responses": {"200": {}}}}}}
    interface = read_interface(json.dumps(document).encode(), "openapi.json")

    assert [str(one) for one in interface.operations] == ["GET /a"]
