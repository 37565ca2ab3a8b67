"""Pins: messages that a conversation keeps at hand."""

import asyncio
from typing import Any

from tests.cast import Person, casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, deletes, pages, pins, tries


async def pinned(person: Person, conversation: int) -> list[Any]:
    """Return `(seq, user who pinned it)`, the latest first."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{conversation}/pins")
    assert status == 200, said
    return [(pin["message"]["seq"], pin["user"]) for pin in said["pins"]]


async def test_pins_are_received_and_listed(ana: Person, ben: Person) -> None:
    """Every member may pin; repeated pins count once; a deleted message is no longer pinned."""
    room = await begins(ana, "channel", "room", ben)
    said = [await ana.says(room, f"m{n}") for n in range(1, 4)]
    reader = await ben.listens()
    await asyncio.gather(*[pins(ben, room, 2) for _ in range(5)])
    await pins(ana, room, 1)
    await pins(ana, room, 3)
    assert await pinned(ben, room) == [(3, ana.id), (1, ana.id), (2, ben.id)]
    assert (await pages(ben, room))["messages"] == [message | {"pinned": True} for message in said]
    await pins(ana, room, 2, on=False)
    await pins(ana, room, 2, on=False)
    await deletes(ana, room, 3)
    assert await pinned(ben, room) == [(1, ana.id)]
    await reader.hears_event("delete")
    told = [event.json() for event in reader.named("pin")]
    assert told == [
        {"conversation": room, "seq": seq, "user": person.id, "on": on}
        for seq, person, on in [(2, ben, True), (1, ana, True), (3, ana, True), (2, ana, False)]
    ]


async def test_pinning_permissions(ana: Person, ben: Person, mallory: Person) -> None:
    """Members may; visitors of a public channel may read pins; an archive stays unchanged."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "hello")
    here = f"{CONVERSATIONS}/{room}/pins"
    for method in ("PUT", "DELETE"):
        assert await tries(mallory, method, f"{here}/1") == (403, "not_member")
        assert await tries(ben, method, f"{here}/2") == (404, "not_found")
    await pins(ben, room, 1)
    assert await pinned(mallory, room) == [(1, ben.id)]
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}")
    assert await tries(ben, "DELETE", f"{here}/1") == (403, "archived")


async def test_the_pins_of_a_conversation_are_limited(database_url: str, redis_url: str) -> None:
    """One pin too many is refused, until another one is removed."""
    settings = {"pins_per_conversation": 2}
    async with running_node(database_url, redis_url, **settings) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        for n in range(1, 4):
            await ana.says(room, f"m{n}")
        for seq in (1, 2):
            await pins(ana, room, seq)
        assert await tries(ana, "PUT", f"{CONVERSATIONS}/{room}/pins/3") == (409, "too_many_pins")
        await pins(ana, room, 1, on=False)
        await pins(ana, room, 3)
