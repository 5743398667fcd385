"""Server-sent events, however the network cuts them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.models.sse import EventParser, ServerEvent

STREAM = (
    b"\xef\xbb\xbfevent: message_start\r\n: a comment\r\n"
    b'data: {"a":\r\ndata:  1}\r\n\r\n'
    b"data: na\xc3\xafve \xf0\x9f\x98\x80\n\n"
    b"retry: 10\rid: 7\rdata\rdata:x\r\r"
    b"event: no data, no event\n\n"
    b"data: [DONE]\n\n"
)
EVENTS = [
    ServerEvent("message_start", b'{"a":\n 1}'),
    ServerEvent("message", "naïve 😀".encode()),
    ServerEvent("message", b"\nx"),
    ServerEvent("message", b"[DONE]"),
]


def test_all_line_endings_comments_and_multi_line_data() -> None:
    """The parser reads what the specification allows, not only what one provider sends."""
    assert EventParser().feed(STREAM) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_chunking_gives_the_same_events(cuts: list[int]) -> None:
    """Where the network cuts the bytes makes no difference: not in a character, not inside a CRLF."""
    parser = EventParser()
    places = [0, *sorted(cuts), len(STREAM)]
    events = [event for start, end in itertools.pairwise(places) for event in parser.feed(STREAM[start:end])]
    assert events == EVENTS


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_every_single_cut(cut: int) -> None:
    """Every one of the places where a stream can be cut in two."""
    parser = EventParser()
    assert parser.feed(STREAM[:cut]) + parser.feed(STREAM[cut:]) == EVENTS


def test_a_last_event_without_its_blank_line_is_given_at_the_close() -> None:
    """Some servers close right after their end mark."""
    parser = EventParser()
    assert parser.feed(b"data: [DONE]") == []
    assert parser.close() == [ServerEvent("message", b"[DONE]")]
    assert parser.close() == []
