"""Names of models, `provider:model`, and the endpoints behind them. Pure: the environment is handed in.

It does not know whether an endpoint answers (local asks) nor what it costs (prices).
"""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact

WireName: TypeAlias = Literal["openai-chat", "anthropic-messages"]


class Endpoint(Fact):
    """Where models answer, and the few ways in which it differs from others of its wire format.

    The defaults are what an endpoint that nobody knows can be trusted to take. `reasoning_field` is where thinking is
    sent back, "" where it must not be; `asks_for_usage` is False where usage comes by itself and asking is an error;
    `seals_calls` where calls carry something sealed that must come back; `start` tells how to start a local server.
    """

    provider: str
    wire: WireName
    base_url: str
    key_env: str = ""
    reasoning_field: str = "reasoning_content"
    limit_field: str = "max_tokens"
    asks_for_usage: bool = True
    seals_calls: bool = False
    start: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether it listens on this machine only: it needs no key, and its prices are unknown unless given."""
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


class Target(NamedTuple):
    """A model at an endpoint."""

    endpoint: Endpoint
    model: str

    @property
    def name(self) -> str:
        return f"{self.endpoint.provider}:{self.model}"


def _hosted(provider: str, base_url: str, key_env: str, reasoning_field: str = "") -> Endpoint:
    return Endpoint(
        provider=provider, wire="openai-chat", base_url=base_url, key_env=key_env, reasoning_field=reasoning_field
    )


def _local(provider: str, port: int, start: str, reasoning_field: str = "reasoning_content") -> Endpoint:
    return Endpoint(
        provider=provider,
        wire="openai-chat",
        base_url=f"http://127.0.0.1:{port}/v1",
        reasoning_field=reasoning_field,
        start=start,
    )


LOCAL_ENDPOINTS = (
    _local("ollama", 11434, "`ollama serve`", "reasoning"),
    _local("lmstudio", 1234, "`lms server start`"),
    _local("vllm", 8000, "`vllm serve MODEL`"),
    _local("llamacpp", 8080, "`llama-server -m MODEL.gguf --jinja`"),
)

ENDPOINTS = (
    Endpoint(
        provider="anthropic",
        wire="anthropic-messages",
        base_url="https://api.anthropic.com",
        key_env="ANTHROPIC_API_KEY",
    ),
    Endpoint(
        provider="openai",
        wire="openai-chat",
        base_url="https://api.openai.com/v1",
        key_env="OPENAI_API_KEY",
        reasoning_field="",
        limit_field="max_completion_tokens",
    ),
    _hosted("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "reasoning"),
    Endpoint(
        provider="google",
        wire="openai-chat",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        key_env="GEMINI_API_KEY",
        reasoning_field="",
        seals_calls=True,
    ),
    _hosted("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    Endpoint(
        provider="mistral",
        wire="openai-chat",
        base_url="https://api.mistral.ai/v1",
        key_env="MISTRAL_API_KEY",
        reasoning_field="",
        asks_for_usage=False,
    ),
    _hosted("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "reasoning_content"),
    _hosted("xai", "https://api.x.ai/v1", "XAI_API_KEY", "reasoning_content"),
    _hosted("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    *LOCAL_ENDPOINTS,
)

FAMILIES = (
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"(gpt-(?!oss)|chatgpt|o\d)"), "openai"),
    (re.compile(r"gemini"), "google"),
    (re.compile(r"grok"), "xai"),
    (re.compile(r"(mistral|codestral|devstral|magistral|ministral)-.*latest"), "mistral"),
    (re.compile(r"deepseek-(chat|reasoner)$"), "deepseek"),
)
"""Which provider a bare model name means, where it can mean only one."""


def resolve(name: str, environment: Mapping[str, str], own: tuple[Endpoint, ...] = ()) -> Target:
    """The model that a name means. GiveUp, with suggestions, if it means none or could mean several.

    `own` are the user's endpoints, which win over built-in ones of the same name; a variable PROVIDER_BASE_URL moves
    a built-in one elsewhere.
    """
    endpoints = {endpoint.provider: endpoint for endpoint in known_endpoints(environment, own)}
    provider, colon, model = name.strip().partition(":")
    if colon and model and provider in endpoints:
        return Target(endpoints[provider], model)
    for family, family_provider in FAMILIES:
        if family.match(name) and ("/" not in name):
            return Target(endpoints[family_provider], name)
    raise GiveUp(_unknown(name, tuple(endpoints)))


def known_endpoints(environment: Mapping[str, str], own: tuple[Endpoint, ...] = ()) -> tuple[Endpoint, ...]:
    """Every endpoint that a name may use, each provider once."""
    for endpoint in own:
        if wrong := wrong_address(endpoint.base_url):
            raise GiveUp(f"The base_url of provider {endpoint.provider!r} is {shown(endpoint.base_url)!r}: {wrong}")
    built_in = {endpoint.provider: _moved(endpoint, environment) for endpoint in ENDPOINTS}
    return tuple({**built_in, **{endpoint.provider: endpoint for endpoint in own}}.values())


def key_of(endpoint: Endpoint, environment: Mapping[str, str]) -> str:
    """The endpoint's key, "" for a local one that has none.

    GiveUp, naming the variable to set, if one is missing, or if it holds what no key can: the value is never said.
    """
    key = environment.get(endpoint.key_env, "").strip() if endpoint.key_env else ""
    if not (key.isascii() and key.isprintable()):
        raise GiveUp(f"The environment variable {endpoint.key_env} holds signs that no key has: set it anew.")
    if not key and endpoint.key_env and not endpoint.is_loopback:
        raise GiveUp(f"No key for {endpoint.provider!r}: set the environment variable {endpoint.key_env}.")
    return key


def _moved(endpoint: Endpoint, environment: Mapping[str, str]) -> Endpoint:
    base_url = environment.get(f"{endpoint.provider.upper()}_BASE_URL", "").strip().rstrip("/")
    if not base_url or base_url == endpoint.base_url:
        return endpoint
    if wrong := wrong_address(base_url):
        raise GiveUp(f"{endpoint.provider.upper()}_BASE_URL is {shown(base_url)!r}: {wrong}")
    # What an unknown server cannot be trusted to take is the default again; what the model itself needs is not.
    return Endpoint(
        provider=endpoint.provider,
        wire=endpoint.wire,
        base_url=base_url,
        key_env=endpoint.key_env,
        asks_for_usage=endpoint.asks_for_usage,
        seals_calls=endpoint.seals_calls,
        start=endpoint.start,
    )


def wrong_address(url: str) -> str:
    """Why nothing can be reached at an address, as far as its text tells, or ""."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        return str(wrong)
    if parts.scheme not in ("http", "https"):
        return "it must start with http:// or https://"
    if parts.username is not None or parts.query:
        return "it holds a name, a password or a query, which would be shown wherever it is: a key has its own variable"
    return "" if parts.hostname and port != 0 else "it names no host that could answer"


def shown(url: str) -> str:
    """An address without what it may hold of a secret."""
    scheme, slashes, rest = url.rpartition("://")
    return scheme + slashes + rest.partition("?")[0].rpartition("@")[2]


def _unknown(name: str, providers: tuple[str, ...]) -> str:
    provider, colon, model = name.partition(":")
    close = difflib.get_close_matches(provider, providers, n=1)
    if colon and provider not in providers and close:
        return f"No provider is called {provider!r}. Did you mean {close[0] + ':' + model!r}?"
    if "/" in name and not colon:
        return f"Several providers offer {name!r}. Say which: for example {'openrouter:' + name!r}."
    if colon and model and provider not in providers:
        why = f"{name!r} names no model: no provider is called {provider!r}. Known are {', '.join(providers)}"
        own = f"one of your own needs [providers.{provider}] with a base_url in your settings file"
        return f"{why}; {own}. If that is the model's whole name, say who has it: {'ollama:' + name!r}."
    return f"{name!r} names no model. Write PROVIDER:MODEL; providers are {', '.join(providers)}."
