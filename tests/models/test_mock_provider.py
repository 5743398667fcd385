"""The mock provider, as a server that people test against."""

import socket
import threading
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.errors import GiveUp, NeedsHuman
from shopfloor.domain.messages import ConversationKey, said
from shopfloor.models.connect import connect
from shopfloor.models.http_model import HttpModel
from shopfloor.models.mock_provider import MockProvider, Served, ServedScript
from shopfloor.models.script import decode_file

KEY = ConversationKey(mission="m1", role="solo")


def answer(provider: str, environment: dict[str, str], text: str = "hi") -> str:
    async def asking() -> str:
        model = connect(f"{provider}:m", environment)
        assert isinstance(model, HttpModel)
        conversation = model.open(KEY, "", ())
        conversation.append(said(text))
        try:
            return (await conversation.reply()).message.text
        finally:
            await model.aclose()

    return anyio.run(asking)


def test_without_a_script_it_echoes() -> None:
    """Something answers at once, in both formats, and every request is kept."""
    with MockProvider() as mock:
        assert answer("openai", mock.environment, "good morning") == "You said: good morning"
        assert answer("anthropic", mock.environment, "good night") == "You said: good night"
    assert [request.path for request in mock.requests] == ["/v1/chat/completions", "/v1/messages"]


def test_a_script_that_is_over_says_so() -> None:
    """A test that asks once too often fails with the reason, not with a reply."""
    with MockProvider([Served(text="one")]) as mock:
        assert answer("openai", mock.environment) == "one"
        with pytest.raises(GiveUp, match="the script is over after 1 answers"):
            answer("openai", mock.environment)


def test_a_wrong_key_is_refused() -> None:
    """As a provider would, in both formats."""
    with MockProvider(key="right") as mock:
        for provider in ("openai", "anthropic"):
            wrong = {**mock.environment, f"{provider.upper()}_API_KEY": "wrong"}
            with pytest.raises(NeedsHuman, match=f"the key is not the right one.*{provider.upper()}_API_KEY"):
                answer(provider, wrong)


def test_a_script_file_for_the_server(tmp_path: Path) -> None:
    """Faults and answers in order, as the command reads them."""
    path = tmp_path / "play.toml"
    path.write_text(
        """
        answers = [
            {fault = "status", status = 429, retry_after = "0"},
            {text = "Hello.", calls = [{name = "shell", arguments = {command = "ls"}}]},
        ]
        """
    )
    with MockProvider(decode_file(path, ServedScript).answers) as mock:
        assert answer("openai", mock.environment) == "Hello."
    assert len(mock.requests) == 2


def test_closing_frees_the_port_and_ends_the_thread() -> None:
    """Nothing of it is left behind."""
    before = threading.active_count()
    with MockProvider() as mock:
        port = int(mock.url.rpartition(":")[2])
    with socket.socket() as again:
        assert again.connect_ex(("127.0.0.1", port)) != 0
    assert threading.active_count() == before
