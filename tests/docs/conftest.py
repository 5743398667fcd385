"""The place in which the pages' commands run: a fresh repository, a home of its own, a model by script."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shopfloor.models.mock_provider import MockProvider
from shopfloor.testing.workshop import make_repository

HERE = Path(__file__).parent
DATES = "def is_leap(year):\n    return year % 4 == 0\n"
DATES_TEST = """\
import unittest

from dates import is_leap


class LeapTest(unittest.TestCase):
    def test_most_centuries_are_not(self):
        self.assertFalse(is_leap(1900))
        self.assertTrue(is_leap(2000))
"""
ORDERS = 'ORDERS = [("A-1", 20), ("B-2", 5)]\n'
FILES = {
    "dates.py": DATES,
    "test_dates.py": DATES_TEST,
    "orders.py": ORDERS,
    "brief.md": "Orders can be exported as CSV.\n",
    ".gitignore": "__pycache__/\n",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page's blocks run, one after the other."""

    folder: Path
    environment: Mapping[str, str]


@pytest.fixture
def place(tmp_path: Path):
    """Nothing of this machine's settings or keys is seen, and no model outside can be reached."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = A Person\nemail = person@example.org\n")
    with MockProvider() as provider:
        yield Place(
            folder=make_repository(tmp_path / "repository", FILES),
            environment={
                **provider.environment,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HOME": str(home),
                "LANG": "C.UTF-8",
                "COLUMNS": "100",
                "SHOPFLOOR_MODEL": f"scripted:{HERE / 'replies.toml'}",
            },
        )
