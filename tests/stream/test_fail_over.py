"""A fail-over of PostgreSQL keeps a beginning of the log: cursors of what survived resume, all others are reset."""

import psycopg
import pytest

from chat.log.append import write_new_epoch
from chat.log.entry import encode_frame, in_epoch
from chat.stream.endpoints import STREAMS
from tests.cast import Cast
from tests.nodes import Node


async def fail_over(node: Node, database_url: str, origin: str) -> str:
    """Make the database look as if it had another origin; return the epoch that the node begins."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await set_origin(connection, origin)
    await node.app[STREAMS].tail.catch_up()
    return node.app[STREAMS].hub.epoch


async def set_origin(connection: psycopg.AsyncConnection, origin: str) -> None:
    """Make the database look as if it had another origin."""
    await connection.execute(f"update log_head set origin = {origin}".encode())


ANOTHER_TIMELINE = "regexp_replace(origin, '/[0-9A-F]{8}/', '/00000000/')"


async def test_a_cursor_of_what_survived_resumes(node: Node, cast: Cast, database_url: str) -> None:
    """Under the new epoch and from the same position, with the entries of before and after; also a second time."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    start = (await ben.listens()).cursor
    for text in ("one", "two", "three"):
        epoch = await fail_over(node, database_url, ANOTHER_TIMELINE)
        await ana.says(room, text)
    node.app[STREAMS].hub.recent.reset(node.app[STREAMS].hub.position)
    again = await ben.listens(last_event_id=start)
    assert again.named("ready")[0].json()["resumed"] is True
    await again.hears("one", "two", "three")
    assert not again.named("reset")
    assert {event.id.partition(".")[0] for event in again.events if event.id} == {epoch}


async def do_nothing() -> None:
    """Stand for the node's own look at the log, which would notice the epoch first if it came in between."""


async def test_a_replay_during_a_fail_over_ends(
    node: Node, cast: Cast, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node has begun the new epoch, and this one notices when it replays: the reader reconnects and resumes."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    start = (await ben.listens()).cursor
    await ana.says(room, "one")
    node.app[STREAMS].hub.recent.reset(node.app[STREAMS].hub.position)
    monkeypatch.setattr(node.app[STREAMS].tail, "catch_up", do_nothing)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await set_origin(connection, ANOTHER_TIMELINE)
        await write_new_epoch(connection)
    ended = await ben.listens(last_event_id=start)
    assert (await ended.hears_event("bye")).json()["reason"] == "epoch"
    assert not ended.named("reset")
    monkeypatch.undo()
    await node.app[STREAMS].tail.catch_up()
    again = await ben.listens(last_event_id=start)
    await again.hears("one")
    assert not again.named("reset")


async def test_a_cursor_of_what_was_lost_is_reset(node: Node, cast: Cast, database_url: str) -> None:
    """The old primary had given out a position that the new one did not have when it took over."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    await ana.says(room, "one")
    earlier = node.app[STREAMS].hub.epoch
    await fail_over(node, database_url, ANOTHER_TIMELINE)
    for text in ("two", "three", "four"):
        await ana.says(room, text)
    ear = await ben.listens(last_event_id=f"{earlier}.3")
    assert (await ear.hears_event("reset")).json()["reason"] == "other_epoch"


@pytest.mark.parametrize("origin", ["'1/00000001/5'", "regexp_replace(origin, '[0-9]+$', '1')"])
async def test_another_cluster_or_database_keeps_no_cursor(
    node: Node, cast: Cast, database_url: str, origin: str
) -> None:
    """After a logical restore, nothing is known of the earlier positions."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    await ana.says(room, "one")
    start = (await ben.listens()).cursor
    await fail_over(node, database_url, ANOTHER_TIMELINE)
    await fail_over(node, database_url, origin)
    ear = await ben.listens(last_event_id=start)
    assert (await ear.hears_event("reset")).json()["reason"] == "other_epoch"


def test_frames_of_an_earlier_epoch() -> None:
    """Only the epoch changes, in frames with and without an event; entries without a frame stay so."""
    for event in (None, "edit"):
        assert in_epoch(encode_frame("a.7", event, b"{}"), "b") == encode_frame("b.7", event, b"{}")
        same = encode_frame("b.7", event, b"{}")
        assert in_epoch(same, "b") is same  # not decoded: a replay of a million entries would feel it
    assert in_epoch(b"", "b") == b""
