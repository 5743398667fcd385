"""What calls cost, and what nobody knows."""

import datetime
import subprocess
import sys

import pytest

from shopfloor.domain.spending import Usage
from shopfloor.models.connect import connect
from shopfloor.models.http_model import HttpModel
from shopfloor.models.prices import Price, PriceBook, snapshot_date

MILLION = 1_000_000
USAGE = Usage(fresh=MILLION, cache_read=MILLION, cache_write=MILLION, output=MILLION)


def test_an_unknown_price_is_none_and_never_zero() -> None:
    """A model or provider that no table has: the money is unknown, not free."""
    assert PriceBook().price(USAGE, "anthropic", "no-such-model") is None
    assert PriceBook().price(USAGE, "nobody", "claude-sonnet-4-5") is None
    assert PriceBook().price(Usage(), "nobody", "x") is None


def test_cached_tokens_are_priced_once() -> None:
    """A million tokens of each kind, at the published 3, 0.30, 3.75 and 15 dollars: cached ones cost no fresh price."""
    ten_thousandth = Usage(fresh=100, cache_read=100, cache_write=100, output=100)
    assert PriceBook().price(ten_thousandth, "anthropic", "claude-sonnet-4-5") == pytest.approx(22.05 / 10_000)


def test_the_users_own_prices_win() -> None:
    """Each kind of token has its own price, cached ones without one count as input, and 0 is a price if given."""
    book = PriceBook(
        own={
            "openai:gpt-5": Price(input=1.0, cache_read=0.1, cache_write=1.25, output=8.0),
            "ollama:*": Price(input=0, output=0),
            "house:big": Price(input=2, output=4),
        }
    )
    assert book.price(USAGE, "openai", "gpt-5") == pytest.approx(10.35)
    assert book.price(USAGE, "ollama", "anything", public=False) == 0.0
    assert book.price(USAGE, "house", "big") == pytest.approx(10.0)


def test_an_endpoint_on_this_machine_has_no_public_price() -> None:
    """A mock that answers as gpt-4o costs nobody gpt-4o's money, and is not known to be free either."""
    here = connect("openai:gpt-4o", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    there = connect("openai:gpt-4o", {"OPENAI_API_KEY": "k"})
    told = connect("ollama:gpt-oss:20b", {}, prices=PriceBook(own={"ollama:gpt-oss:20b": Price(input=0.0, output=0.0)}))
    assert isinstance(here, HttpModel) and isinstance(there, HttpModel) and isinstance(told, HttpModel)
    assert here.price(USAGE) is None
    assert (there.price(USAGE) or 0) > 0
    assert told.price(USAGE) == 0.0


def test_the_public_table_says_how_old_it_is() -> None:
    """Prices age: the newest change that the table knows is no older than the release that we depend on."""
    today = datetime.date(2026, 11, 22)
    known = snapshot_date(today)
    assert known is not None
    assert datetime.date(2026, 1, 1) < known <= today


def test_the_price_table_is_loaded_only_when_a_price_is_asked_for() -> None:
    """Two thousand prices are not for those who type --help."""
    program = "import sys, shopfloor.models.connect; sys.exit('genai_prices' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}, check=False)
    assert done.returncode == 0
