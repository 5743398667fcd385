"""Golden files: texts that people and models read, kept beside the tests so that every change of them is seen."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Holds a text against its golden file; with WRITE_GOLDEN=1 in the environment, writes it there."""

    def compare(name: str, text: str) -> None:
        place = GOLDEN / name
        if os.environ.get("WRITE_GOLDEN"):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        assert place.exists(), f"there is no {place}; make it with WRITE_GOLDEN=1"
        assert text == place.read_text(encoding="utf-8"), f"{name} changed; if it should, run again with WRITE_GOLDEN=1"

    return compare
