"""Gherkin is a contract too: parsed as the reference parses it, one assertion for each scenario and row."""

import json
from pathlib import Path

import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.validation.gherkin import parse_feature, read_feature

CASES = Path(__file__).parents[3] / "shared/data/validation/contracts/gherkin_cases.jsonl"
FEATURE = """\
@http
Feature: Orders
  Served at /orders.

  Background:
    Given an empty store

  @VAL-ORDER-007 @guard
  Scenario: the list
    When it is asked for
    Then it is empty

  Rule: adding
    Background:
      Given a customer

    Scenario Outline: <what> is added
      When <what> is added
      Then the list has <count>

      Examples:
        | what | count |
        | milk | 1     |
        | soap | 2     |
"""


def test_scenarios_become_assertions() -> None:
    """Backgrounds come first, rows are assertions of their own, tags say what words cannot."""
    draft = read_feature(FEATURE)
    listed, milk, soap = draft.contract.assertions

    assert (draft.contract.title, draft.contract.published) == ("Orders", "Served at /orders.")
    assert (listed.id, listed.surface, listed.kind) == ("VAL-ORDER-007", "http", "guard")
    assert listed.behaviour == "Given an empty store\nWhen it is asked for\nThen it is empty"
    assert (milk.id, milk.title, milk.kind) == ("VAL-ORDERS-002", "milk is added", "new")
    assert "Given a customer" in soap.behaviour
    assert "Then the list has 2" in soap.behaviour


def test_any_language_becomes_the_contracts() -> None:
    """A feature file may be French; an assertion begins with Given, When, Then."""
    scenario = "  Scénario: un\n    Soit du pain\n    Quand on mange\n    Alors il reste\n"
    french = f"# language: fr\nFonctionnalité: Pain\n{scenario}"

    assert read_feature(french).contract.assertions[0].behaviour == "Given du pain\nWhen on mange\nThen il reste"


def test_what_is_no_gherkin_is_said_line_by_line() -> None:
    """Every error, with its place."""
    with pytest.raises(GiveUp, match=r"orders\.feature is no Gherkin:\n- line \(4:3\): expected"):
        read_feature("Feature: a\n  Scenario: b\n    Given c\n  oh no\n", "orders.feature")


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases of cucumber/gherkin are not here")
def test_the_reference_corpus_is_parsed_as_the_reference_does() -> None:
    """The same tree for good files, the same errors for bad ones."""
    for case in map(json.loads, CASES.read_text(encoding="utf-8").splitlines()):
        expected = [json.loads(line) for line in case["expected_ndjson"].splitlines()]
        if case["kind"] == "good":
            document = expected[0]["gherkinDocument"]
            document.pop("uri", None)
            assert parse_feature(case["text"]) == document, case["path"]
        else:
            with pytest.raises(GiveUp) as refused:
                parse_feature(case["text"])
            assert all(one["parseError"]["message"] in str(refused.value) for one in expected), case["path"]
