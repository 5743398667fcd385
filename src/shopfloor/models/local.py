"""Model servers on this machine: who answers at the usual ports, and with which models.

It does not know which of them anybody wants.
"""

from collections.abc import Sequence

import anyio

from shopfloor.domain.fact import Fact
from shopfloor.models.names import LOCAL_ENDPOINTS, Endpoint
from shopfloor.models.transport import Transport


class LocalServer(Fact):
    """A server that answered, and the models it lists."""

    endpoint: Endpoint
    models: tuple[str, ...]


async def discover_local(
    endpoints: Sequence[Endpoint] = LOCAL_ENDPOINTS, timeout_s: float = 0.5
) -> tuple[LocalServer, ...]:
    """Asks all of them at once; those that answered, in the order given."""
    found: dict[str, LocalServer] = {}

    async def ask(endpoint: Endpoint) -> None:
        transport = Transport(endpoint.base_url, {}, loopback=True)
        try:
            models = await transport.models("/models", timeout_s)
        finally:
            await transport.aclose()
        if models is not None:
            found[endpoint.provider] = LocalServer(endpoint=endpoint, models=models)

    async with anyio.create_task_group() as tasks:
        for endpoint in endpoints:
            tasks.start_soon(ask, endpoint)
    return tuple(found[endpoint.provider] for endpoint in endpoints if endpoint.provider in found)
