"""Delivery details: each way in which a message can or cannot reach a user, as an admin sees it."""

from typing import Any

import psycopg
import pytest

from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, marks_read, removes_member, sets_member, tries
from tests.waiting import eventually


@pytest.fixture
async def root(cast: Cast) -> Person:
    """An admin, who is in none of the conversations."""
    return (await cast.enters("root", role="admin"))[0]


async def traces(root: Person, conversation: int, seq: int, whom: Person) -> dict[str, Any]:
    """Return the details for the admin."""
    status, said = await root.call("GET", f"{CONVERSATIONS}/{conversation}/messages/{seq}/delivery/{whom.id}")
    assert status == 200, said
    return dict(said)


async def recorded(database_url: str, *, open: int, closed: int) -> None:
    """Wait until so many streams are recorded."""

    async def there() -> bool:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            row = await (
                await connection.execute("select count(*) - count(closed_at), count(closed_at) from stream_records")
            ).fetchone()
        return row == (open, closed)

    await eventually(there)


async def test_a_connected_reader_received_it(root: Person, ana: Person, ben: Person, database_url: str) -> None:
    """The details name the stream, its node and the time, and the node that committed the message."""
    room = await begins(ana, "group", "", ben)
    reader = await ben.listens()
    await ana.says(room, "psst")
    await reader.hears("psst")
    await recorded(database_url, open=1, closed=0)
    said = await traces(root, room, 1, ben)
    assert (said["outcome"], said["member"], said["read_at"]) == ("handed", True, None)
    assert (said["message"]["node"], said["message"]["author"]) == ("a1", ana.id)
    (stream,) = said["streams"]
    assert (stream["node"], stream["replayed"], stream["handed_at"]) == ("a1", False, said["message"]["committed_at"])
    assert said["now"]["devices"][0]["streams"] == 1
    assert "psst" not in str(said)
    assert (await traces(root, room, 1, ana))["outcome"] == "author"


async def test_an_offline_user_receives_it_later(root: Person, ana: Person, ben: Person, database_url: str) -> None:
    """While the user was away no stream was open; then the message was replayed, and read."""
    room = await begins(ana, "direct", "", ben)
    first = await ben.listens()
    cursor = first.cursor
    await first.cuts_wire()
    await recorded(database_url, open=0, closed=1)
    await ana.says(room, "are you there?")
    assert (await traces(root, room, 1, ben))["outcome"] == "no_stream"
    second = await ben.listens(after=cursor)
    await second.hears("are you there?")
    await recorded(database_url, open=1, closed=1)
    said = await traces(root, room, 1, ben)
    assert (said["outcome"], [stream["replayed"] for stream in said["streams"]]) == ("handed", [True])
    await marks_read(ben, room, 1)
    said = await traces(root, room, 1, ben)
    assert (said["outcome"], said["read_at"] is not None) == ("read", True)


async def test_a_reply_shows_when_a_message_was_read(root: Person, ana: Person, ben: Person) -> None:
    """An author has read what is above, without a read mark."""
    room = await begins(ana, "direct", "", ben)
    await ana.says(room, "are you there?")
    answer = await ben.says(room, "yes")
    assert (await traces(root, room, 1, ben))["read_at"] == answer["created_at"]


async def test_a_user_who_was_not_a_member_did_not_receive_it(
    root: Person, ana: Person, ben: Person, chloe: Person
) -> None:
    """A user who was never, not yet or no longer a member, or banned, did not get it."""
    room = await begins(ana, "channel", "doors", ben)
    await removes_member(ben, room, "me")
    await ana.says(room, "one")
    assert (await traces(root, room, 1, chloe))["why"] == "The user has never been a member of this conversation."
    await sets_member(chloe, room, "me")
    assert (await traces(root, room, 1, chloe))["why"] == "The user joined after it was posted."
    assert (await traces(root, room, 1, ben))["why"] == "The user left before it was posted."
    await tries(ana, "PUT", f"{CONVERSATIONS}/{room}/bans/{ben.id}")
    said = await traces(root, room, 1, ben)
    assert (said["outcome"], said["why"]) == ("not_member", "The user is banned from this conversation.")


async def test_a_fresh_stream_does_not_start_before_it(
    root: Person, ana: Person, ben: Person, database_url: str
) -> None:
    """The user connected without a cursor, so the stream started at the end."""
    room = await begins(ana, "group", "", ben)
    await ana.says(room, "while you were away")
    await ben.listens()
    await recorded(database_url, open=1, closed=0)
    assert (await traces(root, room, 1, ben))["outcome"] == "not_handed"


async def test_only_server_admins_see_delivery_details(root: Person, ana: Person, ben: Person, mallory: Person) -> None:
    """Even owners may not ask, because the details show a user's devices; each request is recorded."""
    room = await begins(ana, "group", "", ben)
    await ana.says(room, "psst")
    path = f"{CONVERSATIONS}/{room}/messages/1/delivery/{ben.id}"
    assert await tries(ana, "GET", path) == (403, "admins_only")
    assert await tries(mallory, "GET", path) == (404, "not_found")
    assert await tries(root, "GET", path.replace("/1/", "/2/")) == (404, "not_found")
    assert await tries(root, "GET", f"{CONVERSATIONS}/{room}/messages/1/delivery/999") == (404, "not_found")
    assert await tries(root, "GET", path) == (200, "")
    rows = (await root.call("GET", "/api/audit"))[1]["rows"]
    assert [(row["action"], row["subject"]) for row in rows] == [("delivery.look", ben.id)]
