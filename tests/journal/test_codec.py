"""Events to bytes and back."""

from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopfloor.domain.errors import Broken
from shopfloor.domain.events import AgentEvent, Event, InboxEvent, MissionEvent, Steered
from shopfloor.journal.codec import decode, encode

CLASSES: tuple[type[Event], ...] = get_args(Event)


def test_every_event_of_every_stream_is_of_a_kind_of_its_own() -> None:
    """No class of the three unions is missing from the journal's, and no two share a kind."""
    assert set(CLASSES) == {*get_args(AgentEvent), *get_args(MissionEvent), *get_args(InboxEvent)}
    assert len({cls.__struct_config__.tag for cls in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_event_comes_back_equal(
    event_of: Callable[[type[Event]], st.SearchStrategy[Event]], cls: type[Event], data: st.DataObject
) -> None:
    """Whatever an event holds, it comes back equal and of its own class, under the name of its class."""
    event = data.draw(event_of(cls))
    kind, body = encode(event)
    back = decode(kind, body)

    assert kind == cls.__name__
    assert type(back) is cls
    assert back == event


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    """An event that has gained a field since is still read."""
    assert decode("Steered", b'{"type":"Steered","text":"go","mood":"kind"}') == Steered(text="go")


def test_an_unknown_kind_is_no_event() -> None:
    """A kind of another version is not decoded, whatever its body."""
    assert decode("DreamDreamt", b"not even JSON") is None


@pytest.mark.parametrize("body", [b"", b"{", b'{"type":"Steered"}', b'{"type":"CancelAsked"}', b'{"text":"\xff"}'])
def test_a_body_that_is_not_of_its_kind_is_broken(body: bytes) -> None:
    """A known kind with a body that is torn, incomplete or another's is named, never guessed at."""
    with pytest.raises(Broken, match="kind 'Steered' cannot be read"):
        decode("Steered", body)


def test_text_that_is_not_unicode_is_refused_before_it_is_written() -> None:
    """Half a surrogate pair cannot be read back, so it is not written."""
    with pytest.raises(Broken, match="'Steered' holds text that is not Unicode"):
        encode(Steered(text="half a pair: \ud83d"))
