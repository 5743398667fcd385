"""What a call costs, in US dollars: the user's own price table first, then the public one. Unknown is None, never 0.

It does not know where the user's table is kept.
"""

import datetime
from collections.abc import Mapping

from shopfloor.domain.fact import Fact
from shopfloor.domain.spending import Usage

PER_TOKEN = 1 / 1_000_000
PUBLIC_NAMES = {"xai": "x-ai"}
"""Providers that the public table calls otherwise."""


class Price(Fact, forbid_unknown_fields=True):
    """US dollars per million tokens. What reading and writing the cache costs is the price of input unless given."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


class PriceBook(Fact):
    """Prices by `provider:model`; `provider:*` is for every model of a provider."""

    own: Mapping[str, Price] = {}

    def price(self, usage: Usage, provider: str, model: str, *, public: bool = True) -> float | None:
        """The price of a call, None if nobody knows it. `public` is False where the public table cannot be right."""
        own = self.own.get(f"{provider}:{model}") or self.own.get(f"{provider}:*")
        if own is not None:
            return _cost(usage, own)
        return _public_cost(usage, PUBLIC_NAMES.get(provider, provider), model) if public else None


def snapshot_date(today: datetime.date) -> datetime.date | None:
    """The newest price change up to `today` that the public table knows: it is at least as new as that.

    The table carries no date of its own, and it is never updated online.
    """
    from genai_prices import data_snapshot, types

    starts = [
        price.constraint.start_date
        for provider in data_snapshot.get_snapshot().providers
        for model in provider.models
        for price in (model.prices if isinstance(model.prices, list) else [])
        if isinstance(price.constraint, types.StartDateConstraint)
    ]
    return max((start for start in starts if start <= today), default=None)


def _cost(usage: Usage, price: Price) -> float:
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    return PER_TOKEN * (
        usage.fresh * price.input + usage.cache_read * read + usage.cache_write * write + usage.output * price.output
    )


def _public_cost(usage: Usage, provider: str, model: str) -> float | None:
    import genai_prices

    counted = genai_prices.Usage(
        input_tokens=usage.prompt,  # the public table wants cached tokens counted among them
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
    )
    try:
        return float(genai_prices.calc_price(counted, model, provider_id=provider).total_price)
    except (LookupError, ValueError):
        return None
