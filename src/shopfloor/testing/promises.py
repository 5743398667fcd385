"""What every journal must show, whatever happened to the runners that wrote it: found by reading, nothing else.

Pure over facts. It does not know which story they tell.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import msgspec

from shopfloor.domain.errors import Broken
from shopfloor.domain.events import (
    AgentEnded,
    AgentEvent,
    AttemptEnded,
    AttemptStarted,
    ContractSealed,
    FeatureLanded,
    FixPlanned,
    Landed,
    MissionEnded,
    MissionEvent,
    MissionPlanned,
    MissionReady,
    ModelCalled,
    ModelReplied,
    ToolCalled,
    ToolReturned,
    VerdictReached,
)
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.store import Journal, Recorded
from shopfloor.journal.views import spent

BLOB_KEYS = ("blob", "output", "system")


async def broken_promises(journal: Journal, blobs: Blobs) -> tuple[str, ...]:
    """What is wrong with a journal and its blobs, one line each; nothing where all is well."""
    found: list[str] = []
    for stream in await journal.streams():
        facts = await journal.read(stream.name)
        lines = [*_gaps(facts), *_lost_blobs(facts, blobs)]
        if stream.name.startswith("agent/"):
            lines += _of_agent(facts)
        if stream.name.startswith("mission/"):
            lines += _of_mission(cast("list[MissionEvent]", [fact.event for fact in facts]))
        found += [f"{stream.name}: {line}" for line in lines]
    return tuple(found)


def _gaps(facts: Sequence[Recorded]) -> Iterator[str]:
    """Places follow each other, and no runner writes under an older lease than the one before it."""
    if [fact.seq for fact in facts] != list(range(1, len(facts) + 1)):
        yield f"places {[fact.seq for fact in facts]} have a gap"
    epochs = [fact.epoch for fact in facts]
    if epochs != sorted(epochs):
        yield f"epochs {epochs} go back"


def _lost_blobs(facts: Sequence[Recorded], blobs: Blobs) -> Iterator[str]:
    for fact in facts:
        keys = ("contract", "services", *BLOB_KEYS) if fact.kind == "ContractSealed" else BLOB_KEYS
        for name in _blobs_named(msgspec.json.decode(fact.body), keys):
            try:
                blobs.get(name)
            except Broken as trouble:
                yield f"fact {fact.seq}: {trouble}"


def _blobs_named(value: object, keys: Sequence[str]) -> Iterator[str]:
    """The blobs that the JSON of a fact names under these keys, however deep."""
    match value:
        case dict():
            for key, inner in cast("Mapping[str, object]", value).items():
                if key in keys and isinstance(inner, str) and inner:
                    yield inner
                yield from _blobs_named(inner, keys)
        case list():
            for inner in cast("list[object]", value):
                yield from _blobs_named(inner, keys)
        case _:
            pass


def _of_agent(facts: Sequence[Recorded]) -> Iterator[str]:
    """Intent before an effect, outcome after, each once; nothing after the end, and the end adds up."""
    called: set[tuple[int, str]] = set()
    returned: set[tuple[int, str]] = set()
    asked = 0
    for fact in facts:
        match cast("AgentEvent", fact.event):
            case ModelCalled(turn=turn):
                asked = turn
            case ModelReplied(turn=turn) if turn != asked:
                yield f"reply {turn} came to the question of turn {asked}"
            case ToolCalled(turn=turn, call=call):
                called.add((turn, call.id))
            case ToolReturned(turn=turn, result=result):
                name = (turn, result.call_id)
                if name not in called and (result.ok or result.interrupted):
                    yield f"{name} returned and was never called"
                if name in returned:
                    yield f"{name} returned twice"
                returned.add(name)
            case AgentEnded() as ended:
                yield from _end(ended, facts, fact.seq)
            case _:
                pass


def _end(ended: AgentEnded, facts: Sequence[Recorded], seq: int) -> Iterator[str]:
    if seq != len(facts):
        yield f"goes on after its end at {seq}"
    used = spent(facts[:seq])
    if (ended.spent.usage, ended.spent.calls) != (used.usage, used.calls):
        yield f"says it spent {ended.spent}, and its facts say {used}"


def _of_mission(events: Sequence[MissionEvent]) -> Iterator[str]:
    """What happens once, happened at most once."""
    for name, count in Counter(_once(events)).items():
        if count > 1:
            yield f"{name} {count} times"
    # A mission that ended badly may still hand over what had landed.
    ends = [place for place, event in enumerate(events) if isinstance(event, MissionEnded)]
    if any(not isinstance(event, MissionReady) for place in ends for event in events[place + 1 :]):
        yield "goes on after its end"


def _once(events: Iterable[MissionEvent]) -> Iterator[str]:
    for event in events:
        match event:
            case MissionPlanned() | ContractSealed() | MissionReady() | Landed() | MissionEnded():
                yield type(event).__name__
            case AttemptStarted(feature=feature, attempt=attempt):
                yield f"attempt {attempt} of {feature} started"
            case AttemptEnded(feature=feature, attempt=attempt):
                yield f"attempt {attempt} of {feature} ended"
            case FeatureLanded(feature=feature):
                yield f"{feature} landed"
            case FixPlanned(features=features):
                yield from (f"{fix.id} planned" for fix in features)
            case VerdictReached(verdict=verdict, round=number):
                yield f"round {number} of {verdict.kind} of {verdict.subject}"
                if verdict.kind == "scrutiny":
                    yield f"scrutiny of {verdict.subject} at {verdict.commit}"
            case _:
                pass
