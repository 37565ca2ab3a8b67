"""A deleted or replaced text is gone for readers that reconnect: from the log and from recent entries."""

import psycopg
import pytest

from tests.cast import Person
from tests.nodes import running_node
from tests.stream_client import StreamClient
from tests.verbs import CONVERSATIONS, begins, sees
from tests.waiting import eventually

SECRET = "the password is tomato"


async def takes_back(ana: Person, ben: Person) -> tuple[int, str]:
    """Let Ana post, edit twice, and delete one of two messages; return the conversation, and Ben's cursor from
    before."""
    room = await begins(ana, "channel", "room", ben)
    cursor = (await sees(ben))["cursor"]
    for _ in range(2):
        message = await ana.says(room, f"@ben {SECRET}")
        for body in (f"@ben {SECRET}!", "@ben never mind"):
            status, _ = await ana.call("PATCH", f"{CONVERSATIONS}/{room}/messages/{message['seq']}", {"body": body})
            assert status == 200
    assert (await ana.call("DELETE", f"{CONVERSATIONS}/{room}/messages/2"))[0] == 204
    return room, cursor


async def check(reader: StreamClient) -> None:
    """Check that the entries are the same, without the removed text."""
    await eventually(lambda: reader.named("delete"))
    told = [event for event in reader.events if event.event in ("message", "edit", "delete")]
    assert [event.event for event in told] == ["message", "edit", "edit", "message", "edit", "edit", "delete"]
    assert [event.json().get("body") for event in told[:3]] == ["@ben never mind"] * 3
    assert [event.json()["body"] for event in told[3:6]] == [""] * 3
    assert all(event.json()["deleted"] for event in told[3:6])
    assert told[3].json()["mentions"] == told[6].json()["mentions"]
    assert not any(SECRET.encode() in event.raw for event in reader.events)


async def test_readers_that_reconnect_get_no_removed_text(ana: Person, ben: Person) -> None:
    """A node's recent entries have no trace of it, and Ben's counts are right."""
    _, cursor = await takes_back(ana, ben)
    reader = await ben.listens(after=cursor)
    await check(reader)
    (mine,) = (await sees(ben))["conversations"]
    assert (mine["unread"], mine["mentions"]) == (1, 1)


@pytest.mark.usefixtures("node")
async def test_readers_of_the_log_get_no_removed_text(
    ana: Person, ben: Person, database_url: str, redis_url: str
) -> None:
    """A node that did not see it happen reads the log, whose frames do not have the text."""
    _, cursor = await takes_back(ana, ben)
    async with running_node(database_url, redis_url, node="a2") as other:
        ben.at = other.url
        await check(await ben.listens(after=cursor))
    with psycopg.connect(database_url) as database:
        rows = database.execute("select count(*) from log where position(%s in frame) > 0", [SECRET.encode()])
        assert rows.fetchall() == [(0,)]
