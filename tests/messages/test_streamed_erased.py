"""Streamed messages that are edited or deleted: their text and data are gone from the log and from recent entries."""

import psycopg
import pytest

from chat.api_schema.stream_events import TextFinished
from tests.cast import Person
from tests.messages.streaming import finishes, starts, tries_to_append, writes
from tests.nodes import running_node
from tests.verbs import (
    CONVERSATIONS,
    begins,
    deletes,
    edits,
    reads,
    sees,
    tries,
)


async def test_edits_wait_for_the_finish(ana: Person, ben: Person) -> None:
    """While the text is written an edit is refused. Afterwards it replaces the text, also for those who were away."""
    room = await begins(ana, "channel", "room", ben)
    cursor = (await sees(ben))["cursor"]
    seq = await starts(ana, room)
    await writes(ana, room, seq, "my secret", " is out", "!")
    path = f"{CONVERSATIONS}/{room}/messages/{seq}"
    assert await tries(ana, "PATCH", path, {"body": "hush"}) == (409, "streaming")
    await finishes(ana, room, seq)
    edited = await edits(ana, room, seq, "hush")
    assert (edited["body"], edited["state"]) == ("hush", "complete")
    reader = await ben.listens(after=cursor)
    assert (await reader.hears_event("edit")).json() == edited
    assert reader.messages()[0]["body"] == "hush"
    assert reader.named("append") == []
    assert not any(b"secret" in event.raw for event in reader.events)


async def test_the_finish_may_bring_data(ana: Person, ben: Person, database_url: str) -> None:
    """It replaces the data of the post, for readers too. A deletion takes it from the log as well."""
    room = await begins(ana, "channel", "room", ben)
    cursor = (await sees(ben))["cursor"]
    reader = await ben.listens()
    seq = await starts(ana, room, data={"model": "small"})
    kept = await starts(ana, room, data={"model": "large"})
    await writes(ana, room, seq, "Paris", ".")
    status, problem = await ana.call(
        "POST", f"{CONVERSATIONS}/{room}/messages/{seq}/finish", {"state": "complete", "data": [1]}
    )
    assert (status, problem["code"]) == (422, "invalid")
    message = await finishes(ana, room, seq, data={"tokens": 4711})
    assert message["data"] == {"tokens": 4711}
    assert (await finishes(ana, room, kept))["data"] == {"model": "large"}
    assert (await reads(ben, room, seq)) == message
    finish = (await reader.hears_event("finish")).json()
    assert TextFinished.model_validate(finish).data == {"tokens": 4711}
    await deletes(ana, room, seq)
    again = await ben.listens(after=cursor)
    await again.hears_event("delete")
    assert not any(b"4711" in event.raw for event in again.events)
    with psycopg.connect(database_url) as database:
        assert database.execute("select count(*) from log where position('4711' in frame) > 0").fetchall() == [(0,)]


@pytest.mark.parametrize("finished", [False, True])
async def test_a_deleted_text_is_gone(
    ana: Person, ben: Person, database_url: str, redis_url: str, finished: bool
) -> None:
    """Deleting ends the writing. No trace of the text is left for those who were away, on any node, or in the log."""
    room = await begins(ana, "channel", "room", ben)
    cursor = (await sees(ben))["cursor"]
    seq = await starts(ana, room)
    await writes(ana, room, seq, "the secret", " is", " tomato")
    if finished:
        await finishes(ana, room, seq)
    await deletes(ana, room, seq)
    assert (await tries_to_append(ana, room, seq, 19, "!"))[1]["code"] == "finished"
    assert (await reads(ben, room, seq))["deleted"]
    async with running_node(database_url, redis_url, node="b2") as other:
        for at in (ana.at, other.url):
            ben.at = at
            reader = await ben.listens(after=cursor)
            await reader.hears_event("delete")
            assert not any(b"secret" in event.raw or b"tomato" in event.raw for event in reader.events)
    with psycopg.connect(database_url) as database:
        for table, column in (("log", "convert_from(frame, 'UTF8')"), ("messages", "body"), ("streamed_texts", "body")):
            rows = database.execute(f"select count(*) from {table} where {column} like '%tomato%'")  # type: ignore[arg-type]
            assert rows.fetchall() == [(0,)], table
        texts = database.execute("select body from message_edits").fetchall()
    assert texts == [("the secret is tomato",)]
