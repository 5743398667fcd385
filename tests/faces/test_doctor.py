"""The doctor: what a script can tell from its exit code."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from shopfloor.faces.cli import exits
from shopfloor.models.mock_provider import MockProvider
from shopfloor.testing.commands import Person
from shopfloor.testing.workshop import make_repository, write_files


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", {"a.txt": "a"}))


def test_without_a_model_much_can_be_done(person: Person) -> None:
    """What is only missing is told, and refuses nothing."""
    done = person.runs("doctor")

    assert (done.exit_code, "-- model none: set ANTHROPIC_API_KEY" in done.said) == (0, True), done.said


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("lab:any", "no provider is called 'lab'"),
        ("anthropic:any", "set the environment variable ANTHROPIC_API_KEY"),
        ("vllm:any", "where nothing answers"),
    ],
)
def test_a_model_that_was_named_must_answer(model: str, words: str, person: Person) -> None:
    """By a flag or by the settings: a script that asks for it stops here."""
    here = replace(person, environment={"VLLM_BASE_URL": "http://127.0.0.1:9"})
    by_flag = here.runs("doctor", "--model", model)
    write_files(person.settings.parent, {person.settings.name: f'model = "{model}"\n'})
    by_settings = here.runs("doctor", "-o", "json")

    assert (by_flag.exit_code, f"you name {model}" in by_flag.said, words in by_flag.said) == (
        exits.GAVE_UP,
        True,
        True,
    )
    lacking = [one["what"] for one in msgspec.json.decode(by_settings.said) if one.get("needed") and not one["ok"]]
    assert (by_settings.exit_code, len(lacking)) == (exits.GAVE_UP, 1)
    assert words in lacking[0] and lacking[0].startswith(f"the settings name {model}")


def test_a_model_that_answers_is_said_to(person: Person) -> None:
    """Its provider is asked what it has, which costs nothing."""
    with MockProvider(models=("small",)) as provider:
        here = replace(person, environment=dict(provider.environment))
        known, other = here.runs("doctor", "-m", "openai:small"), here.runs("doctor", "-m", "openai:large")

    assert (known.exit_code, other.exit_code) == (0, 0), known.said + other.said
    assert re.search(r"ok model you name openai:small at http://127\.0\.0\.1:\d+/v1 ok prices", known.said), known.said
    assert "openai:large at" in other.said and "does not list it among its models" in other.said


def test_settings_that_nobody_can_read_stand_in_the_way(person: Person) -> None:
    """Without them no job can be done."""
    write_files(person.settings.parent, {person.settings.name: "model = \n"})

    assert person.runs("doctor").exit_code == exits.GAVE_UP
