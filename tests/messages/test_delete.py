"""Deleting: a tombstone stays, and nothing of the text."""

import asyncio

from tests.cast import Person
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    edits,
    pages,
    pins,
    reacts,
    reads,
    sees,
    sets_member,
    tries,
)


async def test_a_tombstone_keeps_its_place(ana: Person, ben: Person) -> None:
    """Seq, author and time stay; text, quote, reactions, pin and the edited mark are removed."""
    room = await begins(ana, "channel", "room", ben)
    await ben.says(room, "before")
    draft = {"body": "secret", "client_id": "1", "reply_to": 1}
    _, said = await ana.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    await edits(ana, room, 2, "very secret")
    await reacts(ben, room, 2, "👍")
    await pins(ben, room, 2)
    await answers(ben, room, 2, "really?")
    reader = await ben.listens()
    await deletes(ana, room, 2)
    assert (await reader.hears_event("delete")).json() == {"conversation": room, "seq": 2, "author": ana.id}
    kept = {name: said["message"][name] for name in ("conversation", "seq", "author", "client_id", "created_at")}
    tombstone = await reads(ben, room, 2)
    replies = {"replies": 1, "last_reply": 3, "last_reply_at": tombstone["last_reply_at"]}
    assert tombstone == kept | {"body": "", "deleted": True} | replies
    assert [message["seq"] for message in (await pages(ben, room))["messages"]] == [1, 2, 3]


async def test_deleting_permissions(ana: Person, ben: Person, chloe: Person, mallory: Person) -> None:
    """The author, and owners and admins of the conversation; in a direct conversation only the author."""
    room, direct = await begins(ana, "channel", "room", ben, chloe), await begins(ana, "direct", "", ben)
    for where in (room, direct):
        await ben.says(where, "mine")
    here = f"{CONVERSATIONS}/{room}/messages/1"
    assert await tries(chloe, "DELETE", here) == (403, "forbidden")
    assert await tries(mallory, "DELETE", here) == (403, "not_member")
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{direct}/messages/1") == (403, "forbidden")
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}/messages/2") == (404, "not_found")
    await sets_member(ana, room, chloe, "admin")
    await deletes(chloe, room, 1)
    await deletes(ben, direct, 1)
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}")
    assert await tries(ben, "DELETE", here) == (403, "archived")


async def test_deleting_again_records_nothing(ana: Person, ben: Person) -> None:
    """Ten deletions at once record one entry, and a retry of the post finds the tombstone."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "oops", "c1")
    reader = await ben.listens()
    await asyncio.gather(*[deletes(ana, room, 1) for _ in range(10)])
    again = await ana.says(room, "oops", "c1")
    assert (again["body"], again["deleted"]) == ("", True)
    await ana.says(room, "next")
    await reader.hears("next")
    assert len(reader.named("delete")) == 1


async def test_a_tombstone_takes_no_reaction_or_pin(ana: Person) -> None:
    """A tombstone takes no reaction and no pin; removing one is harmless."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "oops")
    await deletes(ana, room, 1)
    here = f"{CONVERSATIONS}/{room}"
    assert await tries(ana, "PUT", f"{here}/messages/1/reactions/👍") == (409, "deleted")
    assert await tries(ana, "PUT", f"{here}/pins/1") == (409, "deleted")
    await reacts(ana, room, 1, "👍", on=False)
    await pins(ana, room, 1, on=False)


async def test_an_offline_user_receives_edit_and_deletion(ana: Person, ben: Person) -> None:
    """Ben's connection is cut; edits and deletions reach him, once, in order."""
    room = await begins(ana, "channel", "room", ben)
    for n in range(3):
        await ana.says(room, f"m{n}")
    reader = await ben.listens(after=(await sees(ben))["cursor"])
    await reader.cuts_wire()
    edited = await edits(ana, room, 1, "m0, and more")
    await deletes(ana, room, 2)
    await ana.says(room, "m3")
    later = await ben.listens(last_event_id=reader.cursor)
    await later.hears("m3")
    told = [(event.event, event.json()) for event in later.events if event.event in ("edit", "delete")]
    assert told == [("edit", edited), ("delete", {"conversation": room, "seq": 2, "author": ana.id})]
