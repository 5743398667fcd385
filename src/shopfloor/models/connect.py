"""From a name to a model: behind HTTP, from a recording, or by script.

It does not know where names, keys and prices are kept: they are handed in.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from shopfloor.domain.messages import Model
from shopfloor.models.cassette import Cassette, Recorder
from shopfloor.models.http_model import HttpModel, Patience, wire_of
from shopfloor.models.names import Endpoint, key_of, resolve
from shopfloor.models.prices import PriceBook
from shopfloor.models.scripted import ScriptedModel


def connect(
    name: str,
    environment: Mapping[str, str],
    *,
    own: tuple[Endpoint, ...] = (),
    prices: PriceBook | None = None,
    max_tokens: int | None = None,
    stream: bool = True,
    patience: Patience | None = None,
) -> Model:
    """The model of that name: `provider:model`, `cassette:PATH` or `scripted:PATH`. Sends nothing.

    `own` are the user's endpoints. GiveUp if the name means nothing or a key is missing.
    """
    kind, _, path = name.partition(":")
    if kind == "cassette":
        return Cassette(Path(path))
    if kind == "scripted":
        return ScriptedModel.load(Path(path))
    target = resolve(name, environment, own)
    endpoint = target.endpoint
    price = partial(
        (prices or PriceBook()).price, provider=endpoint.provider, model=target.model, public=not endpoint.is_loopback
    )
    wire = wire_of(target, stream=stream, max_tokens=max_tokens)
    return HttpModel(target, wire, key_of(endpoint, environment), price=price, patience=patience)


async def disconnect(model: Model) -> None:
    """Closes what a model keeps open, whatever it is wrapped in. Idempotent; a model that is asked again reopens."""
    while isinstance(model, Recorder):
        model = model.inner
    if isinstance(model, HttpModel):
        await model.aclose()
