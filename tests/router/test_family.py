"""Models of one family err alike, wherever they are served."""

import pytest

from shopfloor.router.choose import choose
from shopfloor.router.family import family, kinship, same_family


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anthropic:claude-opus-4-5", "openrouter:anthropic/claude-haiku-4.5"),
        ("openai:gpt-5.1", "openai:o3-mini"),
        ("ollama:qwen2.5-coder:7b", "openrouter:qwen/qwen3-coder"),
        ("openai:o4-mini", "azure:gpt-4o"),
        ("google:gemini-3-pro", "ollama:gemma3"),
        ("my:house-model", "my:house-model"),
    ],
)
def test_a_family_is_known_by_its_models_names(one: str, other: str) -> None:
    """Whoever serves them, and in whatever size."""
    assert same_family(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anthropic:claude-opus-4-5", "openai:gpt-5.1"),
        ("openrouter:deepseek/deepseek-r1", "openrouter:qwen/qwen3-coder"),
        ("my:house-model", "my:other-model"),
    ],
)
def test_makers_differ(one: str, other: str) -> None:
    """The one who serves them does not make them alike; what nobody knows is no relative of anything."""
    assert not same_family(one, other)
    assert family(one) and family(other)


def test_a_judge_is_chosen_from_another_family_where_the_settings_name_one() -> None:
    """The person's own word for the role comes first, and one model for all stays one model for all."""
    by_role = {"worker": "anthropic:claude-opus-4-5", "orchestrator": "openai:gpt-5.1"}

    def model(role: str, **more: object) -> str:
        choice = choose(role, **({"asked": None, "by_role": by_role, "default": None} | more))  # pyright: ignore
        return choice.model if choice else ""

    assert model("reviewer") == model("refuter") == model("user-tester") == "openai:gpt-5.1"
    assert model("test-writer", default="anthropic:claude-haiku-4-5") == "anthropic:claude-haiku-4-5"
    assert model("reviewer", asked="my:one") == "my:one"
    own = {**by_role, "reviewer": "anthropic:claude-haiku-4-5"}
    assert model("refuter", by_role=own) == model("reviewer", by_role=own) == "anthropic:claude-haiku-4-5"
    assert model("reviewer", by_role={}, default="anthropic:claude-opus-4-5") == "anthropic:claude-opus-4-5"


def test_a_verdict_says_how_judges_and_authors_are_related() -> None:
    """In words; and nothing where commands alone judged, or nobody knows who the author was."""
    assert kinship(("openai:gpt-5.1",), ("anthropic:claude-opus-4-5",)) == "of another family than the author"
    assert kinship(("openai:gpt-5.1",), ("openai:o3",)) == "of the author's own family (openai)"
    assert kinship((), ("openai:o3",)) == kinship(("openai:o3",), ()) == ""
