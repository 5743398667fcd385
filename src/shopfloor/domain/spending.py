"""Tokens, money and time: what was used and what may be."""

from shopfloor.domain.fact import Fact


class Usage(Fact):
    """Tokens of one or more calls. Each token is counted once: the prompt is `fresh + cache_read + cache_write`."""

    fresh: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    """The part of `output` that was thinking."""

    @property
    def prompt(self) -> int:
        return self.fresh + self.cache_read + self.cache_write

    @property
    def total(self) -> int:
        return self.prompt + self.output

    @property
    def cache_share(self) -> float:
        """Share of the prompt that was read from the provider's cache, 0 to 1."""
        return self.cache_read / self.prompt if self.prompt else 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            fresh=self.fresh + other.fresh,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
        )


class Spent(Fact):
    """What has been used so far. `usd` sums the calls whose price is known; `unpriced` counts the others."""

    usage: Usage = Usage()
    usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0
    calls: int = 0

    def plus(self, usage: Usage, usd: float | None, seconds: float) -> "Spent":
        """This and one more call. A call whose price is unknown adds to `unpriced`, never 0 to `usd`."""
        return Spent(
            usage=self.usage + usage,
            usd=self.usd + (usd or 0.0),
            unpriced=self.unpriced + (usd is None),
            seconds=self.seconds + seconds,
            calls=self.calls + 1,
        )

    def and_unanswered(self, tokens: int, usd: float | None, times: int = 1) -> "Spent":
        """This and a prompt that was sent so many times and never answered, by the estimate of its tokens and price.

        Nobody knows what a provider charged for it, and a budget that forgot it would not hold across crashes. Where
        the price was not asked for, it is the average so far; without one it is unknown.
        """
        if usd is None and self.calls > self.unpriced and self.usage.total:
            usd = tokens * self.usd / self.usage.total
        spent = self
        for _ in range(times):
            spent = spent.plus(Usage(fresh=tokens), usd, 0.0)
        return spent

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            usage=self.usage + other.usage,
            usd=self.usd + other.usd,
            unpriced=self.unpriced + other.unpriced,
            seconds=self.seconds + other.seconds,
            calls=self.calls + other.calls,
        )


class Budget(Fact):
    """What may be used: US dollars, tokens (prompt and output, cached ones included), seconds. None is no limit."""

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None
    steps: int | None = None
    """Turns of an agent, attempts of a feature: steps of whatever loop the budget is for."""
