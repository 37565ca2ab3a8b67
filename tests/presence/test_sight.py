"""Visibility: watched users who become visible or invisible, and whose typing is shown."""

import psycopg

from presence.endpoints import SOCKETS
from tests.cast import Cast, Person
from tests.nodes import Node
from tests.presence.presence_client import Eyes, open_eyes
from tests.verbs import begins, seats, unseats
from tests.waiting import eventually


async def hide(cast: Cast, one: Person, other: Person) -> None:
    """Hide two users from each other, in both directions."""
    rows = f"values ({one.id}::bigint, {other.id}::bigint), ({other.id}, {one.id})"
    async with await psycopg.AsyncConnection.connect(cast.database_url, autocommit=True) as connection:
        await connection.execute(f"create or replace view hidden_people (viewer_id, user_id) as {rows}".encode())


async def loses(eyes: Eyes, person: Person) -> None:
    """Wait until a frame says that this user is hidden."""
    await eventually(lambda: any(person.id in frame["users"] for frame in eyes.named("hidden")))


async def test_a_watched_stranger_becomes_visible(cast: Cast) -> None:
    """When two users begin to share a conversation, each sees the other without asking again; then no longer, then
    again."""
    ana, ben = await cast.enters("ana", "ben")
    async with open_eyes(ana) as eyes, open_eyes(ben) as bens:
        assert await eyes.watches(ben) == []
        assert await bens.watches(ana) == []
        room = await begins(ana, "group", "g", ben)
        await eyes.sees(ben, "online")
        await bens.sees(ana, "online")
        assert await unseats(ben, room, "me") == (204, "")
        await loses(eyes, ben)
        await loses(bens, ana)
        await bens.says("status", status="dnd")
        await bens.gets("you")
        assert (await seats(ana, room, ben))[0] == 201
        await eyes.sees(ben, "dnd")
        assert eyes.seen[ben.id] == ["online", "dnd"]


async def test_unwatched_strangers_stay_unknown(cast: Cast) -> None:
    """Strangers who are no longer watched stay unknown."""
    ana, ben = await cast.enters("ana", "ben")
    async with open_eyes(ana) as eyes, open_eyes(ben):
        await eyes.watches(ben)
        await eyes.says("unwatch", users=[ben.id])
        await begins(ana, "group", "g", ben)
        assert [record["id"] for record in await eyes.watches(ana)] == [ana.id]
        assert ben.id not in eyes.people


async def test_many_new_acquaintances_are_one_query(node: Node, cast: Cast) -> None:
    """Two hundred strangers become visible at once with one query, and no socket is overloaded by it."""
    ana, *crowd = await cast.enters("ana", *(f"p{n}" for n in range(200)))
    async with open_eyes(ana) as eyes:
        assert await eyes.watches(*crowd) == []
        await begins(ana, "channel", "c", *crowd, private=True)
        await eventually(lambda: len(eyes.people) == 200)
        assert not node.app[SOCKETS].roster.of_user(ana.id)[0].unseen


async def test_typing_is_shown_from_the_first_moment(cast: Cast) -> None:
    """A conversation watched before joining shows typing from the first moment, and not after leaving."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ben, "channel", "c")
    async with open_eyes(ana) as eyes, open_eyes(ben) as bens:
        await eyes.watches(ana, conversations=(room,))
        await bens.watches(ben, conversations=(room,))
        await bens.says("typing", conversation=room, on=True)
        await bens.gets("typing")
        assert (await seats(ana, room, "me"))[0] == 201

        async def heard() -> bool:
            await bens.says("typing", conversation=room, on=True)
            return bool(eyes.named("typing"))

        await eventually(heard)
        assert await unseats(ana, room, "me") == (204, "")
        await bens.gets("typing", len(bens.named("typing")) + 1, limit=9)
        before = len(eyes.named("typing"))
        await bens.says("typing", conversation=room, on=True)
        await bens.gets("typing", len(bens.named("typing")) + 1)
        assert len(eyes.named("typing")) == before


async def test_hidden_users_are_hidden_both_ways(cast: Cast) -> None:
    """Users hidden from each other share a conversation, but get neither status nor typing, nor any frame about a
    change."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    await hide(cast, ana, ben)
    async with open_eyes(ana) as eyes, open_eyes(ben) as bens, open_eyes(chloe) as chloes:
        assert [record["id"] for record in await eyes.watches(ben, chloe, conversations=(room,))] == [chloe.id]
        assert [record["id"] for record in await bens.watches(ana, chloe, conversations=(room,))] == [chloe.id]
        await chloes.watches(ana, ben, conversations=(room,))
        await bens.says("typing", conversation=room, on=True)
        assert (await chloes.gets("typing"))["users"] == [ben.id]
        await chloes.says("typing", conversation=room, on=True)
        assert (await eyes.gets("typing"))["users"] == [chloe.id]
        assert (await bens.gets("typing", 2))["users"] == [ben.id, chloe.id]
        assert len(eyes.named("typing")) == 1
        assert (await ana.call("GET", f"/api/presence?users={ben.id}"))[1]["users"] == []
