"""What the tests of this room share: where golden files lie, how to wait without waiting."""

from pathlib import Path

import pytest

from shopfloor.models.http_model import Patience

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Path:
    return GOLDEN


class NoWaiting:
    """Keeps the delays that were asked for, and lets none of them pass."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.told: list[str] = []

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)

    @property
    def patience(self) -> Patience:
        return Patience(sleep=self.sleep, jitter=lambda: 0.0, told=self.told.append)


@pytest.fixture
def waiting() -> NoWaiting:
    return NoWaiting()
