"""Threads: followed by users who take part, and read separately."""

from typing import Any

import pytest

from tests.cast import Person
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    follows,
    marks_thread,
    opens,
    opens_thread,
    removes_member,
    sees,
    sets_member,
    threads_of,
    tries,
)


def standing(threads: list[Any]) -> list[tuple[int, int, int]]:
    """Return `(root, read_seq, unread)` of each thread."""
    return [(one["message"]["seq"], one["read_seq"], one["unread"]) for one in threads]


async def test_the_author_of_a_root_gets_an_entry_before_the_first_reply(
    ana: Person, ben: Person, chloe: Person
) -> None:
    """The entry comes before the reply, so it counts; users who reply know without an entry, and others need none."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await ana.says(room, "root")
    readers = [await person.listens() for person in (ana, ben, chloe)]
    assert await threads_of(ana) == []
    await answers(ben, room, 1, "first")
    await answers(ben, room, 1, "second")
    for reader in readers:
        await reader.hears("first", "second")
    assert readers[0].kinds == ["ready", "thread", "message", "message"]
    begun = {"conversation": room, "seq": 1, "following": True, "read_seq": 1, "last_seq": 1, "unread": 0}
    assert readers[0].named("thread")[0].json() == begun
    assert [len(reader.named("thread")) for reader in readers] == [1, 0, 0]


async def test_participants_follow_a_thread(ana: Person, ben: Person, chloe: Person) -> None:
    """The root's author from the first reply on, users who reply, and users who ask follow a thread."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await ana.says(room, "root")
    await answers(ben, room, 1, "first")
    assert [standing(await threads_of(person)) for person in (ana, ben, chloe)] == [[(1, 1, 1)], [(1, 2, 0)], []]
    reader = await chloe.listens()
    await follows(chloe, room, 1)
    await follows(chloe, room, 1)
    await answers(ana, room, 1, "second")
    await answers(chloe, room, 1, "third")
    threads = [standing(await threads_of(person)) for person in (ana, ben, chloe)]
    assert threads == [[(1, 3, 1)], [(1, 2, 2)], [(1, 4, 0)]]
    await reader.hears("second", "third")
    assert len(reader.named("thread")) == 1


async def test_a_thread_has_its_own_read_mark(ana: Person, ben: Person) -> None:
    """Read marks move forward only, never beyond the end, on all devices of a user."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    for n in range(3):
        await answers(ben, room, 1, f"r{n}")
    reader, others = await ana.listens(), await ben.listens()
    for seq in (3, 2, 3, 4_000):
        await marks_thread(ana, room, 1, seq)
    assert standing(await threads_of(ana)) == [(1, 4, 0)]
    await ana.says(room, "next")
    await reader.hears("next")
    await others.hears("next")
    told = [(one["read_seq"], one["unread"]) for one in (event.json() for event in reader.named("thread"))]
    assert told == [(3, 1), (4, 0)]
    assert others.named("thread") == []


async def test_deleted_replies_are_unread_nowhere(ana: Person, ben: Person) -> None:
    """Neither in the list, nor in the count of a moved mark, nor for a reader who counts entries; a deleted root and
    replies that were read change nothing."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    for n in range(4):
        await answers(ben, room, 1, f"r{n}")
    assert standing(await threads_of(ana)) == [(1, 1, 4)]
    reader = await ana.listens()
    for seq in (2, 5):
        await deletes(ben, room, seq)
    assert standing(await threads_of(ana)) == [(1, 1, 2)]
    assert (await opens(ana, room))["unread"] == 2
    await marks_thread(ana, room, 1, 3)
    await deletes(ben, room, 3)
    assert standing(await threads_of(ana)) == [(1, 3, 1)]
    await deletes(ben, room, 4)
    await deletes(ana, room, 1)
    assert standing(await threads_of(ana)) == [(1, 3, 0)]
    await ana.says(room, "end")
    await reader.hears("end")
    assert [one.json()["unread"] for one in reader.named("thread")] == [1]
    told = [{name: one.json().get(name) for name in ("seq", "thread", "author")} for one in reader.named("delete")]
    assert told == [{"seq": seq, "thread": 1, "author": ben.id} for seq in (2, 5, 3, 4)] + [
        {"seq": 1, "thread": None, "author": ana.id}
    ]


async def test_unfollowing_a_thread(ana: Person, ben: Person) -> None:
    """A user who unfollows follows again by replying; a mark in an unfollowed thread records nothing."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "root")
    await answers(ben, room, 1, "first")
    reader = await ana.listens()
    await follows(ana, room, 1, on=False)
    await follows(ana, room, 1, on=False)
    await marks_thread(ana, room, 1, 2)
    await answers(ben, room, 1, "second")
    assert await threads_of(ana) == []
    await answers(ana, room, 1, "third")
    assert standing(await threads_of(ana)) == [(1, 4, 0)]
    await reader.hears("second", "third")
    assert [event.json() for event in reader.named("thread")] == [{"conversation": room, "seq": 1, "following": False}]


async def test_former_members_follow_nothing(ana: Person, ben: Person, chloe: Person) -> None:
    """A former member gets no replies, not even to the own message; joining again starts anew."""
    room = await begins(ben, "group", "", ana, chloe)
    await ana.says(room, "one")
    await ana.says(room, "two")
    await answers(ben, room, 1, "reply")
    await removes_member(ana, room, "me")
    reader = await ana.listens()
    await answers(ben, room, 2, "behind your back")
    assert await threads_of(ana) == []
    await sets_member(ben, room, ana)
    assert await threads_of(ana) == []
    await ben.says(room, "welcome")
    await reader.hears("welcome")
    assert reader.named("thread") == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_visitor_follows_nothing(ana: Person, mallory: Person, method: str) -> None:
    """Visitors read replies of a public channel, and no more."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "root")
    reply = await answers(ana, room, 1, "reply")
    assert (await opens_thread(mallory, room, 1))["messages"] == [reply]
    assert await tries(mallory, method, f"{CONVERSATIONS}/{room}/messages/1/follow") == (403, "not_member")


async def test_the_list_has_a_cursor_that_continues_it(ana: Person, ben: Person) -> None:
    """Empty lists have a cursor too; the latest reply comes first; archived conversations are left out."""
    assert (await ana.listens(after=(await sees(ana))["cursor"])).named("ready")[0].json()["resumed"] is True
    rooms = [await begins(ana, "channel", f"room {n}", ben) for n in range(3)]
    for room in rooms:
        await ana.says(room, "root")
    for room in (rooms[1], rooms[0], rooms[2]):
        await answers(ben, room, 1, "reply")
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{rooms[2]}")
    _, said = await ana.call("GET", "/api/chat/threads")
    assert [thread["message"]["conversation"] for thread in said["threads"]] == [rooms[0], rooms[1]]
    reader = await ana.listens(after=said["cursor"])
    await answers(ben, rooms[0], 1, "more")
    await reader.hears("more")
