"""Announcements: every entry survives Redis, and damage is noticed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.log.entry import Entry, pack, unpack, unpack_range

ids = st.none() | st.integers(1, 2**53)
parts = st.tuples(st.sampled_from(["message", "join", "read"]), ids, ids, ids, st.binary(max_size=80))


@given(st.integers(1, 10**15), st.lists(parts, min_size=1, max_size=20))
def test_entries_survive_being_packed(first: int, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    """Unpacking reverses packing, whatever bytes the frames hold."""
    entries = [Entry(first + n, *row) for n, row in enumerate(rows)]
    announcement = unpack(pack("k3v9", entries, 10**6))
    assert (announcement.epoch, list(announcement.entries)) == ("k3v9", entries)
    assert (announcement.first, announcement.last) == (first, first + len(rows) - 1)


def test_large_batches_announce_their_positions_only() -> None:
    """Over the limit other nodes read the log."""
    data = pack("k3v9", [Entry(7, "message", 1, None, None, b"x" * 1000)], 500)
    assert len(data) < 100
    assert unpack_range(data) == ("k3v9", 7, 7)
    assert list(unpack(data).entries) == []


@given(st.binary(max_size=200))
def test_anything_else_is_a_value_error(data: bytes) -> None:
    """Foreign data on the channel raises ValueError."""
    with contextlib.suppress(ValueError):
        unpack(data)


def test_holes_within_an_announcement_are_refused() -> None:
    """An announcement with a hole is refused, because its entries would be delivered as if nothing were missing."""
    whole = pack("k", [Entry(n, "message", 1, None, None, b"") for n in (1, 2, 3)], 10**6)
    lines = whole.split(b"\n")
    with pytest.raises(ValueError, match="holes"):
        unpack(b"\n".join([lines[0], lines[1], *lines[3:]]))


def test_an_announcement_that_was_cut_is_refused() -> None:
    """A part of a frame is not delivered. The positions alone are an announcement, too."""
    whole = pack("k", [Entry(n, "message", 1, None, None, b"frame") for n in (1, 2)], 10**6)
    for size in range(len(whole)):
        if whole[:size] != b"k 1 2\n":
            with pytest.raises(ValueError, match=r".*"):
                unpack(whole[:size])


def test_a_frame_of_negative_size_is_refused() -> None:
    """A size that leads back to the beginning of the line would be read forever."""
    line = b"1 message 1 0 0 -20\n"
    with pytest.raises(ValueError, match="size"):
        unpack(b"k 1 1\n" + line)
