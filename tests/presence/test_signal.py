"""Every frame is a signal or an error with a code."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.protocol import FRAME_MOST, BadSignal, FrameTooLong, SetStatus, parse_signal
from tests.presence.shared_cases import cases

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(["status", "active", "idle", "typing", "watch", "unwatch", "observe", "?"])
FIELDS = st.sampled_from(["status", "text", "emoji", "until", "conversation", "on", "users", "conversations"])
NEAR = st.builds(lambda kind, rest: {**rest, "type": kind}, TYPES, st.dictionaries(FIELDS, JSON, max_size=4))


def taken(frame: bytes) -> bool:
    """Return the outcome: accepted, or an error with a code; anything else fails the test."""
    try:
        parse_signal(frame)
    except BadSignal:
        return False
    return True


@pytest.mark.parametrize("case", cases("signal"))
def test_shared_case(case: dict[str, Any]) -> None:
    """The server's outcome is the shared one."""
    assert taken(case["frame"].encode("utf-8", "surrogatepass")) == case["taken"]


@given(st.binary(max_size=300) | JSON.map(orjson.dumps) | NEAR.map(orjson.dumps))
def test_any_frame_is_a_signal_or_an_error(frame: bytes) -> None:
    """Random bytes, random JSON and almost valid JSON are signals or errors."""
    taken(frame)


def test_too_long() -> None:
    """4096 bytes are read; one more is not."""
    frame = b'{"type":"active"}'
    assert taken(frame.ljust(FRAME_MOST))
    with pytest.raises(FrameTooLong):
        parse_signal(frame.ljust(FRAME_MOST + 1))


def test_too_deep() -> None:
    """Deep nesting gets an error, and does not reach the interpreter's limit."""
    assert not taken(b"[" * FRAME_MOST)


def test_until_becomes_milliseconds() -> None:
    """Any time zone is accepted; the registry counts from 1970."""
    frame = b'{"type":"status","status":"dnd","until":"2030-01-01T01:00:00+01:00"}'
    signal = parse_signal(frame)
    assert isinstance(signal, SetStatus)
    assert signal.to_choice().until == 1_893_456_000_000
