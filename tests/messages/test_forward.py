"""Forwarding, and cards of linked messages: one rule decides who learns where a text comes from."""

from typing import Any

from tests.cast import Cast, Person
from tests.files.sending import posts, sends
from tests.verbs import CONVERSATIONS, begins, deletes, edits, pages, reads, removes_member, tries

Json = dict[str, Any]


async def forwards(person: Person, room: int, place: tuple[int, int], body: str = "") -> Json:
    """Forward a message into a conversation; return the new one."""
    draft = {"body": body, "client_id": f"f-{place[0]}-{place[1]}-{len(body)}"}
    draft |= {"forward": {"conversation": place[0], "seq": place[1]}}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert status in (200, 201), said
    return dict(said["message"])


async def cards(person: Person, links: str = "", of: str = "") -> Json:
    """Return the cards that the user gets."""
    status, said = await person.call("GET", f"/api/chat/cards?messages={links}&forwards={of}")
    assert status == 200, said
    return dict(said)


async def test_only_readers_of_the_original_learn_where_it_is_from(ana: Person, ben: Person, chloe: Person) -> None:
    """All readers get the text; no byte of the message names the author, the place or the time."""
    secret, open_to = (
        await begins(ben, "channel", "secret", ana, private=True),
        await begins(ana, "channel", "all", chloe),
    )
    said = await ben.says(secret, "The **cake** is at six, @chloe and @channel")
    reader = await chloe.listens()
    made = await forwards(ana, open_to, (secret, said["seq"]), "Look:")
    await reader.hears("Look:")
    assert made["data"] == {"text": "The **cake** is at six, @chloe and @channel"}
    assert (made["type"], made.get("mentions"), made.get("mentions_all")) == ("forward", None, None)
    assert set(made) == {"conversation", "seq", "author", "body", "client_id", "created_at", "type", "data"}
    assert await cards(chloe, f"{secret}.1", f"{open_to}.1") == {"messages": [], "forwards": []}
    (card,) = (await cards(ana, of=f"{open_to}.1"))["forwards"]
    assert (card["conversation"], card["seq"]) == (open_to, 1)
    original = card["original"]
    assert (original["conversation"], original["seq"], original["author"]) == (secret, 1, ben.id)
    assert (original["created_at"], original["channel"]) == (said["created_at"], "secret")
    assert (await removes_member(ana, secret, "me"))[0] == 204
    assert (await cards(ana, of=f"{open_to}.1"))["forwards"] == []


async def test_who_cannot_read_the_new_message_learns_nothing(ana: Person, ben: Person) -> None:
    """Also if they could read the original: that it was forwarded is not theirs to know."""
    public, private = await begins(ana, "channel", "news", ben), await begins(ana, "channel", "ours", private=True)
    await ana.says(public, "cake")
    await forwards(ana, private, (public, 1))
    assert (await cards(ben, of=f"{private}.1"))["forwards"] == []
    assert len((await cards(ana, of=f"{private}.1"))["forwards"]) == 1


async def test_the_text_stays_when_the_original_is_deleted(ana: Person, ben: Person) -> None:
    """The card is gone. A deleted forward leaves neither text nor reference, and repeating a request adds none."""
    room = await begins(ana, "channel", "kitchen", ben)
    await posts(ana, room, await sends(ana, b"cake", "cake.txt"), body="cake")
    made = await forwards(ben, room, (room, 1))
    assert await forwards(ben, room, (room, 1)) == made
    assert made["data"] == {"text": "cake", "files": ["cake.txt"]}
    await deletes(ana, room, 1)
    assert (await reads(ana, room, made["seq"]))["data"]["text"] == "cake"
    assert (await cards(ana, f"{room}.1", f"{room}.{made['seq']}")) == {"messages": [], "forwards": []}
    again = await forwards(ana, room, (room, made["seq"]), "again")
    assert again["data"]["text"] == "cake"
    await deletes(ben, room, made["seq"])
    assert "data" not in await reads(ana, room, made["seq"])
    assert len((await pages(ana, room))["messages"]) == 3


async def test_what_cannot_be_forwarded(ana: Person, mallory: Person) -> None:
    """What the author cannot read, what is deleted, and what is still written: all alike."""
    secret, hers = await begins(ana, "channel", "secret", private=True), await begins(mallory, "channel", "hers")
    await ana.says(secret, "cake")
    mine = await begins(ana, "channel", "mine")
    await ana.says(mine, "gone")
    await deletes(ana, mine, 1)
    streamed = {"body": "half", "client_id": "s", "streaming": True}
    assert (await ana.call("POST", f"{CONVERSATIONS}/{mine}/messages", streamed))[0] == 201
    for person, place, room in (
        (mallory, (secret, 1), hers),
        (mallory, (secret, 9), hers),
        (ana, (mine, 1), mine),
        (ana, (mine, 2), mine),
    ):
        draft = {"client_id": "f", "forward": {"conversation": place[0], "seq": place[1]}}
        status, said = await person.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
        assert (status, said["errors"][0]["field"]) == (422, "forward")
    both = {"client_id": "f", "forward": {"conversation": mine, "seq": 1}, "type": "forward", "data": {"text": "x"}}
    assert await tries(ana, "POST", f"{CONVERSATIONS}/{mine}/messages", both) == (422, "invalid")


async def test_an_import_forwards_only_what_the_importing_admin_may_read(cast: Cast, ben: Person) -> None:
    """Naming another user as the author opens no conversation of theirs."""
    (admin,) = await cast.enters("root", role="admin")
    secret, room = await begins(ben, "channel", "secret", private=True), await begins(admin, "channel", "mine", ben)
    await ben.says(secret, "cake")
    draft = {"conversation": room, "client_id": "f", "author": ben.id, "created_at": "2026-01-01T00:00:00Z"}
    draft |= {"body": "", "forward": {"conversation": secret, "seq": 1}}
    status, said = await admin.call("POST", "/api/chat/messages", {"messages": [draft]})
    (result,) = said["results"]
    assert (status, result["status"], result["problem"]["errors"][0]["field"]) == (200, 422, "forward")


async def test_cards_of_links_follow_the_reading_rule(ana: Person, ben: Person, mallory: Person) -> None:
    """One request for many: public channels for all users, others for members; excerpts; edits show."""
    public, private = await begins(ana, "channel", "news"), await begins(ana, "channel", "ours", ben, private=True)
    direct = await begins(ana, "direct", "", ben)
    for room in (public, private, direct):
        await ana.says(room, "a" * 5_000)
    asked = f"{public}.1,{private}.1,{direct}.1,{public}.7,{10**15}.1"
    assert [one["conversation"] for one in (await cards(mallory, asked))["messages"]] == [public]
    found = (await cards(ben, asked))["messages"]
    assert {one["conversation"]: one.get("channel") for one in found} == {public: "news", private: "ours", direct: None}
    assert {len(one["text"]) for one in found} == {400}
    await edits(ana, public, 1, "short")
    assert (await cards(mallory, f"{public}.1"))["messages"][0]["text"] == "short"
    for wrong in ("x", "1", "1.2.3", "0.1", "1.-2", ",".join(["1.1"] * 101)):
        assert await tries(ben, "GET", f"/api/chat/cards?messages={wrong}") == (422, "invalid")
