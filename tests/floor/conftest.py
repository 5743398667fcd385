"""A workshop in which something happens while the mission runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from shopfloor.domain.messages import ConversationKey, Message
from shopfloor.domain.roles import RoleName
from shopfloor.models.scripted import ScriptedModel
from shopfloor.settings import Settings
from shopfloor.testing.subtraction import SCRIPT, subtraction
from shopfloor.testing.workshop import Workshop

QUICK = Settings(sandbox="none", auto="high")
"""What a sandbox holds is not what these stories are about."""


class While(Protocol):
    """Makes a workshop where `happens` is called once, while an agent of that role waits for its first reply."""

    def __call__(self, role: RoleName, happens: Callable[[], object], settings: Settings = QUICK) -> Workshop: ...


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return subtraction(tmp_path, settings=QUICK)


@pytest.fixture
def workshop_while(tmp_path: Path) -> While:
    def make(role: RoleName, happens: Callable[[], object], settings: Settings = QUICK) -> Workshop:
        plain, waiting = ScriptedModel(SCRIPT), [happens]

        def answer(key: ConversationKey, turn: int, newest: Message | None) -> Message:
            if key.role == role and waiting:
                waiting.pop()()
            return plain.answer(key, turn, newest)

        workshop = subtraction(tmp_path, settings=settings)
        return Workshop(
            repository=workshop.repository, state=workshop.state, model=ScriptedModel(answer), settings=settings
        )

    return make
