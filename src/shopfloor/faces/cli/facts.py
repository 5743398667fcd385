"""`shopfloor log`: the facts of a mission or of any stream, filtered, followed, as text or JSON lines."""

import os
from datetime import datetime

import anyio
import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.faces.cli.plain import plain, shortened
from shopfloor.factory import open_factory
from shopfloor.journal.store import Journal, Recorded
from shopfloor.missions.shop import mission_stream
from shopfloor.settings import read_settings

BODY_WIDTH = 160
POLL_S = 0.2
_LAST = ("MissionEnded", "AgentEnded")
"""After these a stream gets no more, but for the branch of a mission that ended badly: its runner hands that over."""


def show(name: str, *, kinds: tuple[str, ...], follow: bool, as_json: bool, agents: bool) -> None:
    """Prints the facts; with `follow`, goes on until the stream has ended and nobody writes to it any more."""

    async def main() -> None:
        async with open_factory(read_settings({}, os.environ).settings, os.environ) as factory:
            stream = await _stream_of(factory.journal, name)
            seen: dict[str, int] = {}
            has_ended = False
            while True:
                is_left = await factory.journal.holder(stream) is None  # asked first: what it wrote last is shown too
                for fact in await _news(factory.journal, stream, name if agents else "", seen):
                    _print(fact, kinds, as_json)
                    has_ended |= fact.stream == stream and fact.kind in _LAST
                if not follow or (has_ended and is_left):
                    return
                await anyio.sleep(POLL_S)

    anyio.run(main)


async def _stream_of(journal: Journal, name: str) -> str:
    for stream in (mission_stream(name), name):
        if any(found.name == stream for found in await journal.streams(stream)):
            return stream
    raise GiveUp(f"There is no mission or stream {name!r}; `shopfloor mission list` shows those there are.")


async def _news(journal: Journal, stream: str, mission: str, seen: dict[str, int]) -> list[Recorded]:
    """What came since the last look, oldest first; with `mission`, of all its agents too. `seen` moves on."""
    agents = await journal.streams(f"agent/{mission}/") if mission else ()
    news: list[Recorded] = []
    for name in (stream, *(agent.name for agent in agents)):
        facts = await journal.read(name, seen.get(name, 0))
        if facts:
            seen[name] = facts[-1].seq
        news += facts
    return sorted(news, key=lambda fact: fact.at)


def _print(fact: Recorded, kinds: tuple[str, ...], as_json: bool) -> None:
    if kinds and fact.kind not in kinds:
        return
    if as_json:
        line = {
            "stream": fact.stream,
            "seq": fact.seq,
            "epoch": fact.epoch,
            "at": fact.at,
            "kind": fact.kind,
            "body": msgspec.Raw(fact.body),
        }
        print(msgspec.json.encode(line).decode(), flush=True)
        return
    at = datetime.fromtimestamp(fact.at).strftime("%H:%M:%S")
    body = fact.body.decode(errors="replace")
    shown = plain(shortened(body, BODY_WIDTH))
    print(f"{at} {fact.stream}#{fact.seq} {fact.kind} {shown}", flush=True)
