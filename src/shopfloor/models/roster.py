"""Models by name: each is connected once, when it is first asked for, and all are closed together.

It does not know who uses them, nor where their names come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shopfloor.domain.messages import Model
from shopfloor.models.cassette import Cassette, Recorder
from shopfloor.models.connect import connect, disconnect
from shopfloor.models.http_model import Patience
from shopfloor.models.local import discover_local
from shopfloor.models.names import Endpoint
from shopfloor.models.prices import PriceBook

USUAL = (("ANTHROPIC_API_KEY", "anthropic:claude-sonnet-5-5"), ("OPENAI_API_KEY", "openai:o3"))
"""What a person who set a key, and nothing else, most likely means."""


@dataclass(frozen=True, kw_only=True)
class Roster:
    """The models of one factory. `own` are the user's endpoints, `told` hears why a reply is late.

    With `record_to`, every reply is kept in that cassette. `connected` may hold models that are at hand already.
    """

    environment: Mapping[str, str]
    own: tuple[Endpoint, ...] = ()
    prices: PriceBook = field(default_factory=PriceBook)
    record_to: Path | None = None
    told: Callable[[str], None] = lambda words: None
    connected: dict[str, Model] = field(default_factory=dict[str, Model])

    def model(self, name: str) -> Model:
        """The model of that name. GiveUp if the name means nothing, or a key is missing."""
        if name not in self.connected:
            self.connected[name] = self._connect(name)
        return self.connected[name]

    async def usual(self) -> str | None:
        """The name of what answers when none was named: by the key that is set, or the local server that runs."""
        for variable, name in USUAL:
            if self.environment.get(variable):
                return name
        for server in await discover_local():
            if server.models:
                return f"{server.endpoint.provider}:{server.models[0]}"
        return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Prompts that have drifted from a recording."""
        played = [model for model in self.connected.values() if isinstance(model, Cassette)]
        return tuple(warning for cassette in played for warning in cassette.warnings)

    async def aclose(self) -> None:
        """Closes them all. Idempotent; a model that is asked again reopens."""
        for model in self.connected.values():
            await disconnect(model)

    def _connect(self, name: str) -> Model:
        model = connect(name, self.environment, own=self.own, prices=self.prices, patience=Patience(told=self.told))
        return model if self.record_to is None else Recorder(model, self.record_to)
