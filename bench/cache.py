"""Whether everything that an exact-prefix cache could have read was read, in a session of 200 calls.

    python bench/cache.py [--calls 200] [--folder FOLDER]

`shopfloor run` plays a session whose replies think, call one tool, several, or more than a cache looks back over, and
whose outputs are short, long, or trimmed. The provider counts each request against a byte-exact cache of its kind
(parts/caches.py). What shopfloor's own report says of the session stands beside it.
It does not know what a real provider evicts.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec
from parts.caches import AutomaticCache, Break, MarkedCache
from parts.clients import environment, headline, run_words, say, show, workplace
from parts.provider import play, reply

from shopfloor.domain.messages import Message, Text, Thinking
from shopfloor.domain.spending import Spent, Usage

SHARE = 0.98
CACHES = {"openai": AutomaticCache, "anthropic": MarkedCache}


class Reported(msgspec.Struct):
    """What the report of the run says."""

    spent: Spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to write: a real disk, not tmpfs; default here")
    given = parser.parse_args()
    headline(str(__doc__).splitlines()[0])
    rows: list[tuple[str, ...]] = []
    breaks: list[tuple[str, Break]] = []
    shares: dict[str, float] = {}
    with workplace(given.folder) as place:
        for wire, cache_kind in CACHES.items():
            cache, counted = cache_kind(), Usage()

            def counting(face: str, body: bytes, cache: AutomaticCache | MarkedCache = cache) -> Usage:
                nonlocal counted
                usage = cache.usage(body)
                counted = counted + usage
                return usage

            words = (*run_words(place, wire=wire, turns=given.calls + 10), "-o", "json")
            played = asyncio.run(play(words, session(given.calls), environment(place), cwd=place, counting=counting))
            if len(played.exchanges) != given.calls:
                sys.exit(f"{wire}: {len(played.exchanges)} calls, not {given.calls}\n{played.output[-2000:]}")
            reported = msgspec.json.decode(played.output, type=Reported).spent.usage
            shares[wire] = counted.cache_share
            breaks += [(wire, one) for one in cache.breaks]
            rows.append(row(wire, played.exchanges[-1].size, counted, reported, len(cache.breaks)))
    headings = (
        "wire",
        "last prompt",
        "prompt tokens of all calls",
        "read from cache",
        "share",
        "as reported",
        "breaks",
    )
    show(f"A session of {given.calls} calls", headings, rows)
    for wire, one in breaks:
        print(f"{wire}, call {one.call}: {one.read_tokens:,} of {one.could_tokens:,} tokens read: {one.cause}")
    for wire, share in shares.items():
        say(f"read from cache, {wire}", f"{share:.2%}", f"at least {SHARE:.0%}", held=share >= SHARE)


def row(wire: str, last: int, counted: Usage, reported: Usage, breaks: int) -> tuple[str, ...]:
    shares = (f"{counted.cache_share:.2%}", f"{reported.cache_share:.2%}")
    return (wire, f"{last // 4:,}", f"{counted.prompt:,}", f"{counted.cache_read:,}", *shares, str(breaks))


def session(calls: int) -> list[Message]:
    """Replies of a long piece of work, the same in every session."""
    said = [turn_of(turn) for turn in range(1, calls)]
    return [*said, Message(role="assistant", parts=(Text(text="All is done."),))]


def turn_of(turn: int) -> Message:
    commands = [f"seq {turn} {turn + turn * 37 % 300}"]
    if turn % 10 == 0:
        commands += [f"echo {turn}; pwd", "ls -l"]
    if turn % 40 == 0:
        commands += [f"echo {turn} {part}" for part in range(24)]  # more blocks than a mark looks back over
    if turn % 25 == 0:
        commands = [f"seq {turn} 9000"]  # trimmed
    message = reply(f"Step {turn}.", commands, turn)
    if turn % 5:
        return message
    return Message(role="assistant", parts=(Thinking(text=f"What of {turn}?", signature="seal"), *message.parts))


if __name__ == "__main__":
    main()
