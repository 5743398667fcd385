"""Prefix caches as providers describe theirs, byte-exact: what of a request an earlier one has left to be read.

Both keep only prompts of 1,024 tokens and more; a token is 4 bytes. A cache is told of every request in order and
remembers where one read less than the request before it had sent, with the cause.
It does not know time: nothing expires.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from shopfloor.domain.spending import Usage

BYTES_PER_TOKEN = 4
MINIMUM_TOKENS = 1024
STEP_TOKENS = 128
"""OpenAI's cache reads in steps of so many tokens."""
LOOKBACK_BLOCKS = 20
"""Anthropic's looks back so many blocks from a mark for something that was kept."""
MOST_MARKS = 4
MARK = b',"cache_control":{"type":"ephemeral"}}'
END = b"]}"


class Break(NamedTuple):
    """A call that read less than the one before it had sent."""

    call: int
    could_tokens: int
    read_tokens: int
    cause: str


class AutomaticCache:
    """OpenAI's: every prompt is kept, and read as far as it repeats byte for byte, in whole steps."""

    def __init__(self) -> None:
        self.breaks: list[Break] = []
        self._prompts: list[bytes] = []

    def usage(self, body: bytes) -> Usage:
        prompt, tokens = body.removesuffix(END), len(body) // BYTES_PER_TOKEN
        shared = max((_shared(prompt, earlier) for earlier in self._prompts), default=0)
        read = _step(shared // BYTES_PER_TOKEN)
        if self._prompts:
            self._judge(read, shared)
        self._prompts.append(prompt)
        return Usage(fresh=tokens - read, cache_read=read)

    def _judge(self, read: int, shared: int) -> None:
        before = self._prompts[-1]
        could = len(before) // BYTES_PER_TOKEN
        if read < _step(could) or could < MINIMUM_TOKENS:
            small = could < MINIMUM_TOKENS
            cause = f"a prompt of {could:,} tokens is not kept" if small else f"differs from byte {shared:,}"
            self.breaks.append(Break(len(self._prompts) + 1, could, read, cause))


class MarkedCache:
    """Anthropic's: kept is what ends at a marked block, read is what a mark finds within its look back."""

    def __init__(self) -> None:
        self.breaks: list[Break] = []
        self._kept: dict[bytes, int] = {}
        self._before: Sequence[_Block] = ()
        self._calls = 0

    def usage(self, body: bytes) -> Usage:
        blocks = _blocks(body)
        tokens = blocks[-1].tokens  # what stands around the blocks, marks too, is no prompt
        marks = [place for place, block in enumerate(blocks) if block.marked]
        if len(marks) > MOST_MARKS:
            raise ValueError(f"{len(marks)} cache marks in one request: a provider would refuse it")
        read = max((self._found(blocks, mark) for mark in marks), default=0)
        self._calls += 1
        if self._before:
            self._judge(blocks, read)
        for mark in marks:
            if blocks[mark].tokens >= MINIMUM_TOKENS:
                self._kept[blocks[mark].digest] = blocks[mark].tokens
        written = max((blocks[mark].tokens for mark in marks), default=0)
        written = written - read if written >= MINIMUM_TOKENS else 0
        self._before = blocks
        return Usage(fresh=tokens - read - written, cache_read=read, cache_write=written)

    def _found(self, blocks: "Sequence[_Block]", mark: int) -> int:
        back = blocks[max(0, mark - LOOKBACK_BLOCKS + 1) : mark + 1]
        return max((self._kept.get(block.digest, 0) for block in back), default=0)

    def _judge(self, blocks: "Sequence[_Block]", read: int) -> None:
        could = self._before[-1].tokens
        if read >= could and could >= MINIMUM_TOKENS:
            return
        repeated = len(blocks) >= len(self._before) and blocks[len(self._before) - 1].digest == self._before[-1].digest
        if could < MINIMUM_TOKENS:
            cause = f"a prompt of {could:,} tokens is not kept"
        elif not repeated:
            same = sum(one.digest == other.digest for one, other in zip(blocks, self._before, strict=False))
            cause = f"block {same + 1} of {len(self._before)} differs"
        elif not self._before[-1].marked:
            cause = "the last block of the request before bore no mark"
        else:
            cause = f"no mark within {LOOKBACK_BLOCKS} blocks of what was kept"
        self.breaks.append(Break(self._calls, could, read, cause))


class _Block(NamedTuple):
    """A block of a prompt: the hash of all up to its end, and how many tokens that is."""

    digest: bytes
    tokens: int
    marked: bool


class _Message(msgspec.Struct):
    role: str
    content: list[msgspec.Raw]


class _Request(msgspec.Struct):
    messages: list[_Message]
    tools: list[msgspec.Raw] = []
    system: list[msgspec.Raw] = []


def _blocks(body: bytes) -> list[_Block]:
    request = msgspec.json.decode(body, type=_Request)
    pieces = [(b"tool", bytes(tool)) for tool in request.tools]
    pieces += [(b"system", bytes(text)) for text in request.system]
    pieces += [(one.role.encode(), bytes(block)) for one in request.messages for block in one.content]
    digest, size = b"", 0
    blocks: list[_Block] = []
    for kind, raw in pieces:
        plain = raw.removesuffix(MARK) + b"}" if raw.endswith(MARK) else raw
        digest, size = hashlib.blake2b(digest + kind + plain, digest_size=16).digest(), size + len(plain)
        blocks.append(_Block(digest, size // BYTES_PER_TOKEN, marked=raw.endswith(MARK)))
    return blocks


def _step(tokens: int) -> int:
    return tokens // STEP_TOKENS * STEP_TOKENS if tokens >= MINIMUM_TOKENS else 0


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
