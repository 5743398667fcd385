"""Finding model servers on this machine."""

import time

import anyio
import msgspec

from shopfloor.models.local import LocalServer, discover_local
from shopfloor.models.mock_provider import MockProvider
from shopfloor.models.names import LOCAL_ENDPOINTS


def test_only_servers_that_answer_are_found_and_nobody_waits_for_the_others() -> None:
    """Two servers listen, two ports are silent: the two are found, with their models, in well under a second."""
    ollama, lmstudio, vllm, llamacpp = LOCAL_ENDPOINTS
    with MockProvider(models=("qwen3:8b", "llama4")) as first, MockProvider(models=()) as second:
        asked = [
            msgspec.structs.replace(ollama, base_url=f"{first.url}/v1"),
            msgspec.structs.replace(lmstudio, base_url="http://127.0.0.1:9/v1"),
            msgspec.structs.replace(vllm, base_url=f"{second.url}/v1"),
            msgspec.structs.replace(llamacpp, base_url="http://127.0.0.1:9/v1"),
        ]
        started = time.monotonic()
        found = anyio.run(discover_local, asked)
    assert found == (
        LocalServer(endpoint=asked[0], models=("qwen3:8b", "llama4")),
        LocalServer(endpoint=asked[2], models=()),
    )
    assert time.monotonic() - started < 5


def test_the_usual_ports() -> None:
    """Where Ollama, LM Studio, vLLM and llama.cpp listen unless told otherwise."""
    ports = {endpoint.provider: endpoint.base_url for endpoint in LOCAL_ENDPOINTS}
    assert ports == {
        "ollama": "http://127.0.0.1:11434/v1",
        "lmstudio": "http://127.0.0.1:1234/v1",
        "vllm": "http://127.0.0.1:8000/v1",
        "llamacpp": "http://127.0.0.1:8080/v1",
    }
