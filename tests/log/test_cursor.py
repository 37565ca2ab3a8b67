"""Cursors: what is written is read back, and nothing else is accepted."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.log.entry import BadCursor, Cursor, parse_cursor

cursors = st.builds(
    Cursor,
    epoch=st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16),
    position=st.integers(0, 10**18 - 1),
)


@given(cursors)
def test_a_cursor_is_read_back(cursor: Cursor) -> None:
    """Parsing reverses formatting."""
    assert parse_cursor(str(cursor)) == cursor


@given(st.text(max_size=40))
def test_other_text_is_refused(text: str) -> None:
    """Every accepted text formats as itself; the rest is a BadCursor and never another error."""
    with contextlib.suppress(BadCursor):
        assert str(parse_cursor(text)) == text


@pytest.mark.parametrize(
    "text", ["", ".", "k3v9", "k3v9.", ".7", "k3v9.-1", "k3v9.07", "k3v9.1\n", "K3V9.1", "a.١", "a.1e3"]
)
def test_near_misses_are_refused(text: str) -> None:
    """Signs, leading zeros, other digits and line breaks are refused."""
    with pytest.raises(BadCursor):
        parse_cursor(text)
