"""Names of models, and what they mean."""

import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.models.names import ENDPOINTS, Endpoint, key_of, known_endpoints, resolve

PROVIDERS = """
anthropic openai openrouter google groq mistral deepseek xai together
ollama lmstudio vllm llamacpp
"""


def test_every_provider_is_built_in() -> None:
    """The providers that the documentation promises, each once."""
    assert [endpoint.provider for endpoint in ENDPOINTS] == PROVIDERS.split()


def test_a_model_may_have_a_colon_and_slashes_of_its_own() -> None:
    """Only the first colon parts provider from model."""
    assert resolve("ollama:qwen2.5-coder:7b", {}).model == "qwen2.5-coder:7b"
    assert resolve("openrouter:anthropic/claude-sonnet-4.5", {}).name == "openrouter:anthropic/claude-sonnet-4.5"


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("claude-sonnet-4-5", "anthropic"),
        ("gpt-5", "openai"),
        ("o3-mini", "openai"),
        ("gemini-2.5-pro", "google"),
        ("grok-4", "xai"),
        ("codestral-latest", "mistral"),
        ("deepseek-chat", "deepseek"),
    ],
)
def test_a_bare_name_means_the_only_provider_it_can(name: str, provider: str) -> None:
    """People write the model's name; where only one provider has it, that is enough."""
    assert resolve(name, {}).name == f"{provider}:{name}"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("gpt-oss-20b", r"'gpt-oss-20b' names no model. Write PROVIDER:MODEL; providers are anthropic, openai"),
        ("qwen3-coder:30b", r"names no model: no provider is called 'qwen3-coder'.*'ollama:qwen3-coder:30b'"),
        ("lab:foo", r"Known are anthropic, .*; one of your own needs \[providers.lab\] with a base_url"),
        ("anthropic/claude-sonnet-4.5", r"'openrouter:anthropic/claude-sonnet-4.5'"),
        ("antropic:claude-sonnet-4-5", r"Did you mean 'anthropic:claude-sonnet-4-5'\?"),
        ("openai:", r"names no model"),
        ("", r"names no model"),
    ],
)
def test_a_name_that_could_mean_several_or_nothing_is_an_error_with_a_way_out(name: str, advice: str) -> None:
    """Never a guess: a wrong guess sends someone's code to the wrong company."""
    with pytest.raises(GiveUp, match=advice):
        resolve(name, {})


def test_the_environment_moves_a_provider_elsewhere() -> None:
    """A gateway or proxy gets the requests, and only what an endpoint that nobody knows can be trusted to take."""
    moved = resolve("openai:gpt-5", {"OPENAI_BASE_URL": "http://127.0.0.1:8787/v1/"}).endpoint
    assert moved.base_url == "http://127.0.0.1:8787/v1"
    assert moved.limit_field == "max_tokens"
    assert resolve("openai:gpt-5", {}).endpoint.limit_field == "max_completion_tokens"


def test_a_base_url_that_is_none_is_refused() -> None:
    """Said at the start, not after six tries."""
    with pytest.raises(GiveUp, match="OPENAI_BASE_URL is 'localhost:8000'"):
        resolve("openai:gpt-5", {"OPENAI_BASE_URL": "localhost:8000"})


@pytest.mark.parametrize("secret", ["http://me:hunter2@127.0.0.1:9/v1", "http://127.0.0.1:99999/?key=hunter2"])
def test_a_secret_in_a_base_url_is_refused_and_not_said(secret: str) -> None:
    """It would stand in progress, reports and the journal; a key has a variable of its own."""
    own = Endpoint(provider="gate", wire="openai-chat", base_url=secret)
    for environment, mine in (({"OPENAI_BASE_URL": secret}, ()), ({}, (own,))):
        with pytest.raises(GiveUp, match=r"127\.0\.0\.1:9") as refused:
            known_endpoints(environment, mine)
        assert "hunter2" not in str(refused.value)


def test_a_users_own_provider_wins_over_a_built_in_one() -> None:
    """The table in the user's settings is the last word."""
    own = Endpoint(provider="openai", wire="openai-chat", base_url="https://gateway.example/v1", key_env="GATE_KEY")
    assert resolve("openai:gpt-5", {}, (own,)).endpoint == own
    assert len(known_endpoints({}, (own,))) == len(ENDPOINTS)


def test_a_missing_key_names_its_variable_and_loopback_needs_none() -> None:
    """No key, no request: but a server on this machine rarely wants one."""
    hosted = resolve("mistral:codestral-latest", {}).endpoint
    with pytest.raises(GiveUp, match="No key for 'mistral': set the environment variable MISTRAL_API_KEY"):
        key_of(hosted, {})
    assert key_of(hosted, {"MISTRAL_API_KEY": "k"}) == "k"
    assert key_of(resolve("ollama:qwen3", {}).endpoint, {}) == ""
    assert key_of(resolve("openai:x", {"OPENAI_BASE_URL": "http://localhost:1/v1"}).endpoint, {}) == ""


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.8.8.8:1/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://localhost/v1", True),
        ("http://localhost.example.com/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://10.0.0.1/v1", False),
    ],
)
def test_what_counts_as_this_machine(url: str, loopback: bool) -> None:
    """A name that only looks local is not: it would be asked without a key and without a proxy."""
    assert Endpoint(provider="x", wire="openai-chat", base_url=url).is_loopback is loopback
