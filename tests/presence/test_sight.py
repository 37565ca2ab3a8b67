"""Visibility: watched users who become visible or invisible, and whose typing is shown."""

import psycopg

from presence.endpoints import SOCKETS
from tests.cast import Cast, Person
from tests.nodes import Node
from tests.presence.presence_client import PresenceClient, open_presence
from tests.verbs import begins, removes_member, sets_member
from tests.waiting import eventually


async def hide(cast: Cast, one: Person, other: Person) -> None:
    """Hide two users from each other, in both directions."""
    rows = f"values ({one.id}::bigint, {other.id}::bigint), ({other.id}, {one.id})"
    async with await psycopg.AsyncConnection.connect(cast.database_url, autocommit=True) as connection:
        await connection.execute(f"create or replace view hidden_people (viewer_id, user_id) as {rows}".encode())


async def loses(watcher: PresenceClient, person: Person) -> None:
    """Wait until a frame says that this user is hidden."""
    await eventually(lambda: any(person.id in frame["users"] for frame in watcher.named("hidden")))


async def test_a_watched_stranger_becomes_visible(cast: Cast) -> None:
    """When two users begin to share a conversation, each sees the other without asking again; then no longer, then
    again."""
    ana, ben = await cast.enters("ana", "ben")
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        assert await watcher.watches(ben) == []
        assert await bens.watches(ana) == []
        room = await begins(ana, "group", "g", ben)
        await watcher.sees(ben, "online")
        await bens.sees(ana, "online")
        assert await removes_member(ben, room, "me") == (204, "")
        await loses(watcher, ben)
        await loses(bens, ana)
        await bens.says("status", status="dnd")
        await bens.gets("you")
        assert (await sets_member(ana, room, ben))[0] == 201
        await watcher.sees(ben, "dnd")
        assert watcher.seen[ben.id] == ["online", "dnd"]


async def test_unwatched_strangers_stay_unknown(cast: Cast) -> None:
    """Strangers who are no longer watched stay unknown."""
    ana, ben = await cast.enters("ana", "ben")
    async with open_presence(ana) as watcher, open_presence(ben):
        await watcher.watches(ben)
        await watcher.says("unwatch", users=[ben.id])
        await begins(ana, "group", "g", ben)
        await watcher.knows(ana)
        assert ben.id not in watcher.people


async def test_many_new_acquaintances_are_one_query(node: Node, cast: Cast) -> None:
    """Two hundred strangers become visible at once with one query, and no socket is overloaded by it."""
    ana, *crowd = await cast.enters("ana", *(f"p{n}" for n in range(200)))
    async with open_presence(ana) as watcher:
        assert await watcher.watches(*crowd) == []
        await begins(ana, "channel", "c", *crowd, private=True)
        await eventually(lambda: len(watcher.people) == 200)
        assert not node.app[SOCKETS].roster.of_user(ana.id)[0].unseen


async def test_typing_is_shown_from_the_first_moment(cast: Cast) -> None:
    """A conversation watched before joining shows typing from the first moment, and not after leaving."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ben, "channel", "c")
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(ana, conversations=(room,))
        await bens.watches(ben, conversations=(room,))
        await bens.says("typing", conversation=room, on=True)
        await bens.gets("typing")
        assert (await sets_member(ana, room, "me"))[0] == 201

        async def heard() -> bool:
            await bens.says("typing", conversation=room, on=True)
            return bool(watcher.named("typing"))

        await eventually(heard)
        assert await removes_member(ana, room, "me") == (204, "")
        await bens.gets("typing", len(bens.named("typing")) + 1, limit=9)
        before = len(watcher.named("typing"))
        await bens.says("typing", conversation=room, on=True)
        await bens.gets("typing", len(bens.named("typing")) + 1)
        assert len(watcher.named("typing")) == before


async def test_hidden_users_are_hidden_both_ways(cast: Cast) -> None:
    """Users hidden from each other share a conversation, but get neither status nor typing, nor any frame about a
    change."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    await hide(cast, ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben) as bens, open_presence(chloe) as chloes:
        for one, hidden in ((watcher, ben), (bens, ana)):
            await one.watches(hidden, chloe, conversations=(room,))
            await one.sees(chloe, "online")
            assert set(one.people) == {chloe.id}
        await chloes.watches(ana, ben, conversations=(room,))
        await bens.says("typing", conversation=room, on=True)
        assert (await chloes.gets("typing"))["users"] == [ben.id]
        await chloes.says("typing", conversation=room, on=True)
        assert (await watcher.gets("typing"))["users"] == [chloe.id]
        assert (await bens.gets("typing", 2))["users"] == [ben.id, chloe.id]
        assert len(watcher.named("typing")) == 1
        assert (await ana.call("GET", f"/api/presence?users={ben.id}"))[1]["users"] == []
