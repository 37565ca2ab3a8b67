"""Replies and threads: in a list of their own, followed by those who take part, read apart."""

import asyncio
from typing import Any

import pytest

from tests.cast import Person
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    follows,
    pages,
    reads,
    seats,
    sees,
    threads_of,
    tries,
    unseats,
)


async def replies(person: Person, conversation: int, root: int, query: str = "") -> Any:
    """A page of a thread."""
    status, page = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages/{root}/replies?{query}")
    assert status == 200, page
    return page


async def marks(person: Person, conversation: int, root: int, seq: int) -> None:
    """The person has read the thread up to there."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{root}/replies/read"
    assert await tries(person, "PUT", path, {"seq": seq}) == (204, "")


def standing(threads: list[Any]) -> list[tuple[int, int, int]]:
    """`(root, read_seq, unread)` of each."""
    return [(one["message"]["seq"], one["read_seq"], one["unread"]) for one in threads]


async def test_a_reply_quotes_a_message(ana: Person, ben: Person) -> None:
    """The same everywhere; a message that is not there, or is elsewhere, cannot be quoted."""
    room, other = await begins(ana, "channel", "room", ben), await begins(ana, "channel", "other")
    for n in range(3):
        await ana.says(other, f"elsewhere {n}")
    await ana.says(room, "question")
    ear = await ben.listens()
    draft = {"body": "answer", "client_id": "1", "reply_to": 1}
    status, said = await ben.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert (status, said["message"]["reply_to"]) == (201, 1)
    await ear.hears("answer")
    assert ear.messages() == [said["message"]]
    assert await reads(ana, room, 2) == said["message"]
    for wrong in (3, 0, -1, "1", 1.5, True):
        bad = {"body": "x", "client_id": "2", "reply_to": wrong}
        status, said = await ben.call("POST", f"{CONVERSATIONS}/{room}/messages", bad)
        assert (status, said["errors"][0]["field"]) == (422, "reply_to")


async def test_a_thread_has_its_own_list(ana: Person, ben: Person) -> None:
    """By key in three directions; its root counts the replies, deleted ones too; the talk goes on beside it."""
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
    assert await replies(ana, room, 1) == {"messages": said, "has_before": False, "has_after": False}
    assert await replies(ana, room, 1, "limit=2") == {"messages": said[4:], "has_before": True, "has_after": False}
    page = await replies(ana, room, 1, f"before={seqs[4]}&limit=2")
    assert page == {"messages": said[2:4], "has_before": True, "has_after": True}
    page = await replies(ana, room, 1, "after=0&limit=3")
    assert page == {"messages": said[:3], "has_before": False, "has_after": True}
    assert await replies(ana, room, 2) == {"messages": [], "has_before": False, "has_after": False}
    await deletes(ben, room, seqs[0])
    assert (await replies(ana, room, 1))["messages"][0]["thread"] == 1
    assert (await reads(ana, room, 1))["replies"] == 6
    assert len((await pages(ana, room))["messages"]) == 13


async def test_a_thread_begins_with_a_message_of_the_same_conversation(ana: Person, ben: Person) -> None:
    """Not with one that is not there, nor with a reply; who may not see it finds nothing."""
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
    """Many replies in one commit, with plain ones and a wrong one between them: each finds its place."""
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
        assert [message["seq"] for message in (await replies(ana, room, root["seq"]))["messages"]] == mine
    assert standing(await threads_of(ana)) == [(1, 1, 40), (2, 2, 20)]


async def test_replies_at_once_are_all_counted(ana: Person, ben: Person) -> None:
    """Forty from two people at the same moment."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    await asyncio.gather(*[answers(person, room, 1, f"r{n}") for n in range(20) for person in (ana, ben)])
    assert (await reads(ana, room, 1))["replies"] == 40
    assert len((await replies(ana, room, 1))["messages"]) == 40


async def test_who_takes_part_follows(ana: Person, ben: Person, chloe: Person) -> None:
    """The root's author from the first reply on, whoever replies, and whoever asks; nobody else is told."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await ana.says(room, "root")
    ears = [await person.listens() for person in (ana, ben, chloe)]
    assert await threads_of(ana) == []
    await answers(ben, room, 1, "first")
    assert (await ears[0].hears_event("thread")).json() == {
        "conversation": room,
        "seq": 1,
        "following": True,
        "read_seq": 1,
        "last_seq": 1,
        "unread": 0,
    }
    assert [standing(await threads_of(person)) for person in (ana, ben, chloe)] == [[(1, 1, 1)], [(1, 2, 0)], []]
    await follows(chloe, room, 1)
    await follows(chloe, room, 1)
    await answers(ana, room, 1, "second")
    await answers(chloe, room, 1, "third")
    threads = [standing(await threads_of(person)) for person in (ana, ben, chloe)]
    assert threads == [[(1, 3, 1)], [(1, 2, 2)], [(1, 4, 0)]]
    for ear in ears:
        await ear.hears("first", "second", "third")
    assert [len(ear.named("thread")) for ear in ears] == [1, 0, 1]
    assert [event.event for event in ears[0].events][:3] == ["ready", "thread", "message"]


async def test_a_thread_is_read_apart(ana: Person, ben: Person) -> None:
    """Forward only, never beyond the end, on all of one's devices."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    for n in range(3):
        await answers(ben, room, 1, f"r{n}")
    ear, others = await ana.listens(), await ben.listens()
    for seq in (3, 2, 3, 4_000):
        await marks(ana, room, 1, seq)
    assert standing(await threads_of(ana)) == [(1, 4, 0)]
    await ana.says(room, "next")
    await ear.hears("next")
    await others.hears("next")
    told = [(one["read_seq"], one["unread"]) for one in (event.json() for event in ear.named("thread"))]
    assert told == [(3, 1), (4, 0)]
    assert others.named("thread") == []


async def test_not_to_follow_any_more(ana: Person, ben: Person) -> None:
    """Until one replies again; a mark in what one does not follow says nothing."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    await answers(ben, room, 1, "first")
    ear = await ana.listens()
    await follows(ana, room, 1, on=False)
    await follows(ana, room, 1, on=False)
    await marks(ana, room, 1, 2)
    await answers(ben, room, 1, "second")
    assert await threads_of(ana) == []
    await answers(ana, room, 1, "third")
    assert standing(await threads_of(ana)) == [(1, 4, 0)]
    await ear.hears("second", "third")
    assert [event.json() for event in ear.named("thread")] == [{"conversation": room, "seq": 1, "following": False}]


async def test_who_has_left_follows_nothing(ana: Person, ben: Person, chloe: Person) -> None:
    """Neither what was followed, nor the replies to one's own message; coming back begins anew."""
    room = await begins(ben, "group", "", ana, chloe)
    await ana.says(room, "one")
    await ana.says(room, "two")
    await answers(ben, room, 1, "reply")
    await unseats(ana, room, "me")
    ear = await ana.listens()
    await answers(ben, room, 2, "behind your back")
    assert await threads_of(ana) == []
    await seats(ben, room, ana)
    assert await threads_of(ana) == []
    await ben.says(room, "welcome")
    await ear.hears("welcome")
    assert ear.named("thread") == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_visitor_follows_nothing(ana: Person, mallory: Person, method: str) -> None:
    """He reads the replies of a public channel, and no more."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "root")
    reply = await answers(ana, room, 1, "reply")
    assert (await replies(mallory, room, 1))["messages"] == [reply]
    assert await tries(mallory, method, f"{CONVERSATIONS}/{room}/messages/1/follow") == (403, "not_member")


async def test_the_list_has_a_cursor_that_continues_it(ana: Person, ben: Person) -> None:
    """An empty one too; the latest reply first; an archive is not in it."""
    assert (await ana.listens(after=(await sees(ana))["cursor"])).named("ready")[0].json()["resumed"] is True
    rooms = [await begins(ana, "channel", f"room {n}", ben) for n in range(3)]
    for room in rooms:
        await ana.says(room, "root")
    for room in (rooms[1], rooms[0], rooms[2]):
        await answers(ben, room, 1, "reply")
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{rooms[2]}")
    _, said = await ana.call("GET", "/api/chat/threads")
    assert [thread["message"]["conversation"] for thread in said["threads"]] == [rooms[0], rooms[1]]
    ear = await ana.listens(after=said["cursor"])
    await answers(ben, rooms[0], 1, "more")
    await ear.hears("more")
