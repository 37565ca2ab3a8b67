"""Replies: with a quote, or in a thread."""

import asyncio

from tests.cast import Person
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    opens_thread,
    pages,
    reads,
    threads_of,
    tries,
)


async def test_a_reply_quotes_a_message(ana: Person, ben: Person) -> None:
    """The quote is the same everywhere; an unknown message, or one elsewhere, cannot be quoted."""
    room, other = await begins(ana, "channel", "room", ben), await begins(ana, "channel", "other")
    for n in range(3):
        await ana.says(other, f"elsewhere {n}")
    await ana.says(room, "question")
    reader = await ben.listens()
    draft = {"body": "answer", "client_id": "1", "reply_to": 1}
    status, said = await ben.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert (status, said["message"]["reply_to"]) == (201, 1)
    await reader.hears("answer")
    assert reader.messages() == [said["message"]]
    assert await reads(ana, room, 2) == said["message"]
    for wrong in (3, 0, -1, "1", 1.5, True):
        bad = {"body": "x", "client_id": "2", "reply_to": wrong}
        status, said = await ben.call("POST", f"{CONVERSATIONS}/{room}/messages", bad)
        assert (status, said["errors"][0]["field"]) == (422, "reply_to")


async def test_a_thread_has_its_own_list(ana: Person, ben: Person) -> None:
    """A thread is paged by key in three directions; its root counts replies, deleted ones too; the conversation
    continues beside it."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    said = []
    for n in range(6):
        said.append(await answers(ben, room, 1, f"reply {n}"))
        await ana.says(room, f"talk {n}")
    seqs = [message["seq"] for message in said]
    assert {message["thread"] for message in said} == {1}
    root = await reads(ana, room, 1)
    assert (root["replies"], root["last_reply"], root["last_reply_at"]) == (6, seqs[-1], said[-1]["created_at"])
    assert await opens_thread(ana, room, 1) == {"messages": said, "has_before": False, "has_after": False}
    assert await opens_thread(ana, room, 1, "limit=2") == {"messages": said[4:], "has_before": True, "has_after": False}
    page = await opens_thread(ana, room, 1, f"before={seqs[4]}&limit=2")
    assert page == {"messages": said[2:4], "has_before": True, "has_after": True}
    page = await opens_thread(ana, room, 1, "after=0&limit=3")
    assert page == {"messages": said[:3], "has_before": False, "has_after": True}
    assert await opens_thread(ana, room, 2) == {"messages": [], "has_before": False, "has_after": False}
    await deletes(ben, room, seqs[0])
    assert (await opens_thread(ana, room, 1))["messages"][0]["thread"] == 1
    assert (await reads(ana, room, 1))["replies"] == 6
    assert len((await pages(ana, room))["messages"]) == 13


async def test_the_root_of_a_thread_is_in_the_same_conversation(ana: Person, ben: Person) -> None:
    """Neither an unknown message nor a reply can be a root; users who may not see it get 404."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    await answers(ana, room, 1, "reply")
    for wrong, detail in [(9, "this conversation has no message 9"), (2, "is itself a reply: its thread is 1")]:
        draft = {"body": "x", "client_id": "1", "thread": wrong}
        status, said = await ana.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
        assert (status, said["errors"]) == (422, [{"field": "thread", "detail": detail}])
    here = f"{CONVERSATIONS}/{room}/messages"
    assert await tries(ana, "PUT", f"{here}/2/follow") == (409, "no_thread")
    assert await tries(ana, "GET", f"{here}/9/replies") == (404, "not_found")
    assert await tries(ana, "PUT", f"{here}/9/follow") == (404, "not_found")


async def test_one_batch_holds_every_kind(ana: Person, ben: Person) -> None:
    """Many replies in one commit, with plain messages and a wrong one between them, are all placed right."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "one")
    await ana.says(room, "two")
    places: list[dict[str, int]] = [{"thread": 1}, {}, {"thread": 2, "reply_to": 1}, {"thread": 99}, {"thread": 1}]
    drafts = [{"conversation": room, "body": "x", "client_id": f"b{n}", **place} for n, place in enumerate(places * 20)]
    _, said = await ben.call("POST", "/api/chat/messages", {"messages": drafts})
    assert [result["status"] for result in said["results"]] == [201, 201, 201, 422, 201] * 20
    roots = [await reads(ana, room, seq) for seq in (1, 2)]
    assert [root["replies"] for root in roots] == [40, 20]
    posted = [result.get("message", {}) for result in said["results"]]
    for root in roots:
        mine = [message["seq"] for message in posted if message.get("thread") == root["seq"]]
        assert root["last_reply"] == max(mine)
        assert [message["seq"] for message in (await opens_thread(ana, room, root["seq"]))["messages"]] == mine
    assert [thread["unread"] for thread in await threads_of(ana)] == [40, 20]


async def test_replies_at_once_are_all_counted(ana: Person, ben: Person) -> None:
    """Forty replies of two users at the same moment are counted."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    await asyncio.gather(*[answers(person, room, 1, f"r{n}") for n in range(20) for person in (ana, ben)])
    assert (await reads(ana, room, 1))["replies"] == 40
    assert len((await opens_thread(ana, room, 1))["messages"]) == 40
