"""For every action: the earlier state and the entries since give what a fresh read returns."""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.cast import Person
from tests.files.sending import posts, sends
from tests.messages.model import Known
from tests.stream_client import StreamClient
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    edits,
    follows,
    marks_thread,
    pages,
    pins,
    reacts,
    sees,
    threads_of,
    tries,
)
from tests.waiting import eventually

ENTRIES = ("message", "edit", "delete", "reaction", "pin", "thread")


def quotes(person: Person, room: int, seq: int) -> Awaitable[object]:
    """Reply with a quote."""
    draft = {"body": "yes", "client_id": f"q{random.random()}", "reply_to": seq}
    return tries(person, "POST", f"{CONVERSATIONS}/{room}/messages", draft)


async def posts_file(person: Person, room: int) -> None:
    """Post a message with only a file."""
    await posts(person, room, await sends(person, b"words"))


@dataclass
class Stage:
    """Two users in a conversation."""

    ana: Person
    ben: Person
    room: int


# The messages: 1 pinned, 2 the root of ana's thread with replies 3 and 5, 4 with 👍 of both, 6 deleted, 7 ben's,
# 8 with a file.
ACTIONS: dict[str, Callable[[Stage], Awaitable[object]]] = {
    "says": lambda on: on.ana.says(on.room, "hello"),
    "quotes": lambda on: quotes(on.ben, on.room, 6),
    "edits": lambda on: edits(on.ana, on.room, 1, "better"),
    "edits a root": lambda on: edits(on.ana, on.room, 2, "better"),
    "edits a reply": lambda on: edits(on.ben, on.room, 3, "better"),
    "edits nothing": lambda on: edits(on.ana, on.room, 1, "one"),
    "deletes a pinned one": lambda on: deletes(on.ana, on.room, 1),
    "deletes a root": lambda on: deletes(on.ana, on.room, 2),
    "deletes a reply": lambda on: deletes(on.ben, on.room, 3),
    "deletes an unread reply": lambda on: deletes(on.ana, on.room, 5),
    "deletes with reactions": lambda on: deletes(on.ana, on.room, 4),
    "deletes again": lambda on: deletes(on.ana, on.room, 6),
    "reacts": lambda on: reacts(on.ana, on.room, 4, "🎉"),
    "reacts to a reply": lambda on: reacts(on.ben, on.room, 3, "🎉"),
    "takes a reaction back": lambda on: reacts(on.ana, on.room, 4, "👍", on=False),
    "pins": lambda on: pins(on.ana, on.room, 7),
    "unpins": lambda on: pins(on.ben, on.room, 1, on=False),
    "begins a thread": lambda on: answers(on.ben, on.room, 1, "a reply"),
    "answers ben": lambda on: answers(on.ana, on.room, 7, "a reply"),
    "answers where ben follows": lambda on: answers(on.ana, on.room, 2, "a reply"),
    "follows": lambda on: follows(on.ben, on.room, 1),
    "follows no more": lambda on: follows(on.ben, on.room, 2, on=False),
    "posts a file": lambda on: posts_file(on.ana, on.room),
    "edits what carries a file": lambda on: edits(on.ana, on.room, 8, "better"),
    "deletes what carries a file": lambda on: deletes(on.ana, on.room, 8),
    "reads a thread": lambda on: marks_thread(on.ben, on.room, 2, 5),
}


async def furnish(ana: Person, ben: Person) -> int:
    """Create what the conversation has before."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "one")
    await pins(ana, room, 1)
    await ana.says(room, "two")
    await answers(ben, room, 2, "three")
    await ana.says(room, "four")
    for person in (ana, ben):
        await reacts(person, room, 4, "👍")
    await answers(ana, room, 2, "five")
    await ana.says(room, "six")
    await deletes(ana, room, 6)
    await ben.says(room, "seven")
    await posts_file(ana, room)
    return room


async def looks(person: Person, room: int) -> Known:
    """Return a fresh snapshot of all that the user can see of the conversation."""
    messages = {message["seq"]: message for message in (await pages(person, room, "limit=200"))["messages"]}
    _, said = await person.call("GET", f"{CONVERSATIONS}/{room}/pins")
    pinned = [pin["message"] for pin in said["pins"]]
    threads = await threads_of(person)
    assert all(messages[one["seq"]] == one for one in [*pinned, *[thread["message"] for thread in threads]])
    return Known(person.id, messages, [message["seq"] for message in pinned], dict(map(to_thread, threads)))


def to_thread(one: Any) -> tuple[int, Any]:
    """Return the thread in the model's form: the list counts up to the root's last reply."""
    root = one["message"]
    return root["seq"], {
        "read_seq": one["read_seq"],
        "last_seq": root.get("last_reply", root["seq"]),
        "unread": one["unread"],
    }


async def hears_since(ana: Person, ben: Person, cursor: str) -> StreamClient:
    """Reconnect Ben; return what he receives up to a message that ana posts elsewhere."""
    elsewhere = await begins(ana, "direct", "", ben)
    reader = await ben.listens(after=cursor)
    await ana.says(elsewhere, "that is all")
    await eventually(lambda: reader.bodies()[-1:] == ["that is all"])
    return reader


def replay(known: Known, reader: StreamClient, room: int) -> Known:
    """Return the replayed snapshot, and the entries."""
    known = copy.deepcopy(known)
    for event in reader.events:
        if event.event in ENTRIES and event.json()["conversation"] == room:
            known.hear(event.event, event.json(), int(event.id.rpartition(".")[2]))
    return known


async def verify(ana: Person, ben: Person, room: int, before: Known, cursor: str, hint: str = "") -> None:
    """Check that old snapshot and entries give the new snapshot, and new snapshot and the same entries too."""
    reader, fresh = await hears_since(ana, ben, cursor), await looks(ben, room)
    assert replay(before, reader, room).shows() == fresh.shows(), hint
    newest = int(reader.cursor.rpartition(".")[2])
    threads = {seq: thread | {"position": newest} for seq, thread in fresh.threads.items()}
    assert replay(replace(fresh, threads=threads), reader, room).shows() == fresh.shows(), hint
    await reader.cuts_wire()


@pytest.mark.parametrize("name", ACTIONS)
async def test_an_action_is_completely_in_its_entries(name: str, ana: Person, ben: Person) -> None:
    """Ben is away while it happens."""
    room = await furnish(ana, ben)
    before, cursor = await looks(ben, room), (await sees(ben))["cursor"]
    await ACTIONS[name](Stage(ana, ben, room))
    await verify(ana, ben, room, before, cursor)


async def test_the_author_of_a_thread_replies_first(ana: Person, ben: Person) -> None:
    """The thread's author and ana reply in one commit: he has read up to his own reply."""
    room = await begins(ana, "channel", "room", ben)
    for number in range(10):
        await ben.says(room, f"root {number}")
    before, cursor = await looks(ben, room), (await sees(ben))["cursor"]
    replies = [answers(who, room, root, "a reply") for root in range(1, 11) for who in (ben, ana)]
    await asyncio.gather(*replies)
    await verify(ana, ben, room, before, cursor)


async def test_a_reply_that_was_deleted_before_it_is_replayed(ana: Person, ben: Person) -> None:
    """Ben was away: the reply is replayed without its text and then deleted, and is not unread."""
    room = await furnish(ana, ben)
    before, cursor = await looks(ben, room), (await sees(ben))["cursor"]
    reply = await answers(ana, room, 2, "a reply")
    await deletes(ana, room, reply["seq"])
    await verify(ana, ben, room, before, cursor)


async def test_a_reply_that_was_deleted_after_the_thread_is_followed(ana: Person, ben: Person) -> None:
    """Ben follows a thread with an unread reply, and then the reply is deleted: it is not unread after the replay."""
    room = await furnish(ana, ben)
    before, cursor = await looks(ben, room), (await sees(ben))["cursor"]
    reply = await answers(ana, room, 1, "a reply")
    await follows(ben, room, 1)
    await tries(ben, "PUT", f"{CONVERSATIONS}/{room}/messages/1/replies/read", {"seq": 1})
    await deletes(ana, room, reply["seq"])
    await verify(ana, ben, room, before, cursor)


async def test_many_actions_at_once_are_in_their_entries(ana: Person, ben: Person, chloe: Person) -> None:
    """A random walk over all actions, some refused, by three users at any message, ten at the same moment."""
    room = await begins(ana, "channel", "room", ben, chloe)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for _ in range(4):
        before, cursor = await looks(ben, room), (await sees(ben))["cursor"]
        for _ in range(6):
            steps = [step(chance, chance.choice([ana, ben, chloe]), room) for _ in range(10)]
            assert all(status < 500 for status, _ in await asyncio.gather(*steps)), f"seed {seed}"
        await verify(ana, ben, room, before, cursor, f"seed {seed}")


def step(chance: random.Random, who: Person, room: int) -> Awaitable[tuple[int, str]]:
    """Perform one action on one message, allowed or not."""
    here, seq, number = f"{CONVERSATIONS}/{room}", chance.randint(1, 15), chance.random()
    message, method = f"{here}/messages/{seq}", chance.choice(["PUT", "PUT", "DELETE"])
    draft = {"body": f"said {number}", "client_id": str(number)}
    calls: list[tuple[str, str, object]] = [
        ("POST", f"{here}/messages", draft),
        ("POST", f"{here}/messages", draft | {"reply_to": seq}),
        ("POST", f"{here}/messages", draft | {"thread": seq}),
        ("PATCH", message, {"body": f"{chance.randint(1, 3)}"}),
        ("DELETE" if number < 0.3 else "GET", message, None),
        (method, f"{message}/reactions/{chance.choice('👍🎉🚀')}", None),
        (method, f"{here}/pins/{seq}", None),
        (method, f"{message}/follow", None),
        ("PUT", f"{message}/replies/read", {"seq": chance.randint(1, 60)}),
    ]
    return tries(who, *chance.choice(calls))
