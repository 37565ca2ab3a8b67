"""Coalescing: entries that arrive during the pause go out together, in order, after at most the set time."""

import asyncio

import pytest

from chat.log.entry import Entry, encode_frame
from chat.shared.membership import Interval, MembershipIntervals
from chat.stream.hub import FREE, Coalescer, Hub, pause_after
from tests.costs.recording_stream import RecordingStream
from tests.waiting import eventually

MOST = 0.02  # seconds


def entry(position: int) -> Entry:
    """Return a message of the one conversation."""
    return Entry(position, "message", 7, None, None, encode_frame(f"e.{position}", None, b"{}"))


def crowd(count: int) -> tuple[Hub, list[RecordingStream]]:
    """Return a hub with so many readers of that conversation."""
    hub = Hub(2**20, lambda _entry: None, lambda: None)
    hub.reset("e", 0)
    readers = [RecordingStream(n + 1) for n in range(count)]
    for reader in readers:
        hub.join(reader, MembershipIntervals(0, [Interval(7, 0, None)]))
    return hub, readers


def heard(reader: RecordingStream) -> bytes:
    """Return everything received so far."""
    return b"".join(chunk.raw for chunk in reader.chunks)


async def test_few_readers_receive_each_entry_at_once() -> None:
    """With few readers nothing is held."""
    hub, (reader, *_) = crowd(FREE)
    coalescer = Coalescer(hub, MOST)
    for position in (1, 2, 3):
        coalescer.on_entries([entry(position)])
        assert (hub.position, len(reader.chunks)) == (position, position)


async def test_many_readers_receive_entries_of_a_pause_together() -> None:
    """The first entry goes out at once, the next ones in one write, in order; then the hub pauses again."""
    hub, readers = crowd(FREE + 100)
    coalescer = Coalescer(hub, MOST)
    for position in (1, 2, 3, 4):
        coalescer.on_entries([entry(position)])
        assert (hub.position, coalescer.position) == (1, position)
    await eventually(lambda: hub.position == 4, 2)
    assert {len(reader.chunks) for reader in readers} == {2}
    assert {heard(reader) for reader in readers} == {b"".join(entry(position).frame for position in (1, 2, 3, 4))}
    assert hub.writes == 2 * len(readers)
    await eventually(lambda: not coalescer.paused, 2)
    coalescer.on_entries([entry(5)])
    assert hub.position == 5


async def test_a_reader_that_joins_during_a_pause_gets_each_entry_once() -> None:
    """A reader that joins during the pause is at the hub's position, before the held entries."""
    hub, _ = crowd(FREE + 100)
    coalescer = Coalescer(hub, MOST)
    coalescer.on_entries([entry(1)])
    coalescer.on_entries([entry(2)])
    late = RecordingStream(10_000)
    hub.join(late, MembershipIntervals(1, [Interval(7, 0, None)]))
    await hub.wait_for(2)
    assert heard(late) == entry(2).frame


async def test_held_entries_of_another_log_are_dropped() -> None:
    """Held entries are dropped with their log, because their positions mean nothing in another one."""
    hub, _ = crowd(FREE + 100)
    coalescer = Coalescer(hub, MOST)
    coalescer.on_entries([entry(1)])
    coalescer.on_entries([entry(2)])
    coalescer.reset("f", 40)
    assert (coalescer.epoch, coalescer.position) == ("f", 40)
    coalescer.on_entries([entry(41)])
    await asyncio.wait_for(hub.wait_for(41), 2)
    assert [one.position for one in hub.recent.after(40)] == [41]


async def test_coalescing_can_be_turned_off() -> None:
    """With COALESCE_SECONDS=0 each entry is one write, whatever the number of readers."""
    hub, (reader, *_) = crowd(FREE + 100)
    coalescer = Coalescer(hub, 0)
    for position in (1, 2, 3):
        coalescer.on_entries([entry(position)])
    assert len(reader.chunks) == 3


@pytest.mark.parametrize(("writes", "rest"), [(0, 0), (FREE, 0), (FREE + 100, 0.0025), (100_000, MOST)])
def test_the_pause_grows_with_the_writes_up_to_the_limit(writes: int, rest: float) -> None:
    """A small crowd waits a little, a large one at most the set time."""
    assert pause_after(writes, MOST) == pytest.approx(rest)
