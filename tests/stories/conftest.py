"""The stories' workshop: a small library, and a model that plays a mission by a script."""

from pathlib import Path

import pytest

from shopfloor.testing.subtraction import subtraction
from shopfloor.testing.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """The small library, with a model that plays the mission by the script."""
    return subtraction(tmp_path)
