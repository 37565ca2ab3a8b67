"""Resuming: a reader that reconnects with its cursor gets every missed entry once, in order, as the same bytes."""

from tests.cast import Cast
from tests.nodes import running_node


async def test_a_reader_receives_a_message(cast: Cast) -> None:
    """Ana posts, and Ben receives it."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    await ana.says(room, "hello")
    await reader.hears("hello")


async def test_ready_names_the_start_so_that_a_cut_before_the_first_message_resumes(cast: Cast) -> None:
    """Ben's connection is cut before anything was posted, and he misses nothing."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    ready = reader.named("ready")[0]
    start = {"cursor": ready.id, "head": ready.id, "node": "a1", "resumed": False}
    assert ready.json() == start | {"user": ben.id}
    await reader.cuts_wire()
    await ana.says(room, "while you were away")
    again = await ben.listens(last_event_id=ready.id)
    await again.hears("while you were away")
    assert again.named("ready")[0].json()["resumed"] is True


async def test_a_replayed_frame_has_the_same_bytes(cast: Cast) -> None:
    """Chloe receives it live, Ben by replay: not a byte differs."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    live = await chloe.listens()
    start = live.cursor
    for text in ("one", "zwei 🥨", "três\nlinhas", "أربعة"):
        await ana.says(room, text)
    await live.hears("one", "zwei 🥨", "três\nlinhas", "أربعة")
    replayed = await ben.listens(after=start)
    await replayed.hears("one", "zwei 🥨", "três\nlinhas", "أربعة")
    assert [event.raw for event in replayed.named("message")] == [event.raw for event in live.named("message")]


async def test_header_wins_over_query(cast: Cast) -> None:
    """An EventSource that was opened with `after` reconnects with its newer Last-Event-ID."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    start = reader.cursor
    await ana.says(room, "known")
    await reader.hears("known")
    await ana.says(room, "new")
    again = await ben.listens(after=start, last_event_id=reader.named("message")[0].id)
    await again.hears("new")


async def test_a_stream_can_be_limited_to_conversations(cast: Cast) -> None:
    """Ben asks for one conversation and gets no other, live and by replay."""
    ana, ben = await cast.enters("ana", "ben")
    work, fun = await cast.share(ana, ben), await cast.share(ana, ben)
    reader = await ben.listens(conversations=str(work))
    await ana.says(fun, "joke")
    await ana.says(work, "report")
    await reader.hears("report")
    again = await ben.listens(after=reader.named("ready")[0].id, conversations=str(work))
    await again.hears("report")


async def test_invalid_cursors_get_a_reset(cast: Cast) -> None:
    """Garbage, another database's cursor and one from the future each get a reset with the reason and where to
    continue."""
    (ben,) = await cast.enters("ben")
    epoch = (await ben.listens()).cursor.partition(".")[0]
    for cursor, reason in (("🥨", "bad_cursor"), ("other9.4", "other_epoch"), (f"{epoch}.999", "bad_cursor")):
        reader = await ben.listens(after=cursor)
        reset = await reader.hears_event("reset")
        assert reset.json() == {"cursor": f"{epoch}.0", "reason": reason}
        assert reset.id == ""


async def test_a_restarted_node_replays_from_the_log_and_not_from_memory(cast: Cast, database_url: str) -> None:
    """A node reads the log for entries from before its start; a second node resumes the first one's cursor."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    said = [f"message {number}" for number in range(1500)]
    for body in said:
        await ana.says(room, body)
    await reader.hears(*said)
    async with running_node(database_url, "redis://127.0.0.1:1", node="b2") as other:
        ben.at = other.url
        again = await ben.listens(after=reader.named("ready")[0].id)
        await again.hears(*said)
        assert [event.raw for event in again.named("message")] == [event.raw for event in reader.named("message")]
