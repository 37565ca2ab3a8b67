"""Undo: an author takes a message back. No trace is left of one that nobody has read."""

import psycopg

from chat.messages.edits import UNDO_SECONDS
from tests.cast import Person
from tests.files.sending import posts, sends
from tests.verbs import CONVERSATIONS, answers, begins, marks_read, pages, reacts, reads, sees, tries


async def undoes(person: Person, room: int, seq: int) -> None:
    """Take a message back."""
    assert await tries(person, "DELETE", f"{CONVERSATIONS}/{room}/messages/{seq}?undo=1") == (204, "")


async def test_a_message_that_nobody_has_read_leaves_no_trace(ana: Person, ben: Person, database_url: str) -> None:
    """Neither on the screen, nor its text in the edit history or the log. Its file can be posted again."""
    room, file = await begins(ana, "channel", "kitchen", ben), await sends(ana, b"recipe")
    reader = await ben.listens()
    await posts(ana, room, file, body="pale secret, @ben")
    await reader.hears("pale secret, @ben")
    await undoes(ana, room, 1)
    await ana.says(room, "end")
    await reader.hears("pale secret, @ben", "end")
    (event,) = reader.named("delete")
    assert (event.json()["undone"], event.json()["seq"]) == (True, 1)
    tombstone = await reads(ben, room, 1)
    assert (tombstone["deleted"], tombstone["type"], tombstone["body"]) == (True, "undone", "")
    (listed,) = (await sees(ben))["conversations"]
    assert (listed["unread"], listed["mentions"]) == (1, 0)
    assert (await ana.call("GET", f"{CONVERSATIONS}/{room}/messages/1/edits"))[1]["edits"] == []
    with psycopg.connect(database_url) as database:
        row = database.execute("select string_agg(encode(frame, 'escape'), '') from log").fetchone()
    assert "pale secret" not in str(row)
    await posts(ana, room, file, body="again")
    assert (await reads(ana, room, 3))["files"][0]["id"] == file["id"]


async def test_what_was_read_answered_or_marked_leaves_a_tombstone(ana: Person, ben: Person, database_url: str) -> None:
    """So does what is older than a minute, and a thread's reply that was read there. The text is gone all the same."""
    room = await begins(ana, "channel", "kitchen", ben)
    for n in range(4):
        await ana.says(room, f"m{n}")
    await answers(ben, room, 3, "indeed")
    await reacts(ben, room, 4, "👍")
    with psycopg.connect(database_url, autocommit=True) as database:
        for body in ("old", "new"):
            await ana.says(room, body)
        late = [f"{UNDO_SECONDS + 1} seconds", room]
        database.execute(
            "update messages set created_at = created_at - %s::interval where conversation_id = %s and seq = 6", late
        )
        database.execute(
            "update memberships set read_seq = 2 where conversation_id = %s and user_id = %s", [room, ben.id]
        )
    for seq in (2, 3, 4, 6, 7):
        await undoes(ana, room, seq)
    found = {one["seq"]: one for one in (await pages(ben, room))["messages"] if one.get("deleted")}
    assert {seq: one.get("type") for seq, one in found.items()} == {2: None, 3: None, 4: None, 6: None, 7: "undone"}
    await marks_read(ben, room, 7)
    await ana.says(room, "seen")
    await marks_read(ben, room, 8)
    await undoes(ana, room, 8)
    assert "type" not in await reads(ben, room, 8)


async def test_only_authors_take_back(ana: Person, ben: Person) -> None:
    """An owner who deletes a member's message leaves a tombstone, and its text in the edit history."""
    room = await begins(ana, "channel", "kitchen", ben)
    await ben.says(room, "mine")
    await undoes(ana, room, 1)
    assert "type" not in await reads(ben, room, 1)
    assert await tries(ben, "DELETE", f"{CONVERSATIONS}/{room}/messages/1?undo=2") == (422, "invalid")
    assert (await ana.call("GET", f"{CONVERSATIONS}/{room}/messages/1/edits"))[1]["edits"][0]["body"] == "mine"
