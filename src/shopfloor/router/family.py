"""Which family a model is of, by its name: models of one family share their blind spots. Pure.

It does not know which models there are.
"""

import re
from collections.abc import Collection

KNOWN = {
    "claude": "claude",
    "gpt": "openai",
    "chatgpt": "openai",
    "codex": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "gemini": "google",
    "gemma": "google",
    "grok": "grok",
    "llama": "llama",
    "codellama": "llama",
    "qwen": "qwen",
    "qwq": "qwen",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "mixtral": "mistral",
    "codestral": "mistral",
    "devstral": "mistral",
    "magistral": "mistral",
    "kimi": "kimi",
    "glm": "glm",
    "minimax": "minimax",
    "phi": "phi",
    "granite": "granite",
    "nemotron": "nemotron",
    "command": "cohere",
}
_STEM = re.compile(r"[a-z]+\d?")


def family(model: str) -> str:
    """The family of `provider:model`, also where a provider serves others' models (`openrouter:qwen/qwen3-coder`).

    A name that nobody knows is a family of its own.
    """
    name = model.partition(":")[2] or model
    own = name.rpartition("/")[2].lower()
    for stem in _STEM.findall(own):
        if found := KNOWN.get(stem) or KNOWN.get(stem.rstrip("0123456789")):
            return found
    return own or model


def same_family(one: str, other: str) -> bool:
    """Whether two models are likely to err alike."""
    return family(one) == family(other)


def kinship(judges: Collection[str], authors: Collection[str]) -> str:
    """How the models of judges and authors are related, in words; "" where one side is not known."""
    if not judges or not authors:
        return ""
    shared = {family(judge) for judge in judges} & {family(author) for author in authors}
    return (
        f"of the author's own family ({', '.join(sorted(shared))})" if shared else "of another family than the author"
    )
