"""Blocking: two users can no longer reach each other, and only one of them is told."""

import asyncio

from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.presence.presence_client import open_presence
from tests.verbs import CONVERSATIONS, begins, blocks, deletes, opens, pages, reacts, sees, sets_member, tries
from tests.waiting import eventually


def direct_with(other: Person) -> dict[str, object]:
    """Return the draft of a direct conversation."""
    return {"kind": "direct", "members": [other.id]}


def draft(number: int = 0) -> dict[str, object]:
    """Return a message to post."""
    return {"body": "hello", "client_id": f"c{number}"}


async def test_a_blocked_direct_conversation_is_read_only(ana: Person, mallory: Person) -> None:
    """Both get the same refusal; messages stay readable; after unblocking, posts work again."""
    direct = await begins(mallory, "direct", "", ana)
    await mallory.says(direct, "hey")
    await blocks(ana, mallory)
    path = f"{CONVERSATIONS}/{direct}/messages"
    for who in (ana, mallory):
        status, problem = await who.call("POST", path, draft())
        assert (status, problem["code"]) == (403, "blocked")
        assert await tries(who, "PUT", f"{path}/1/reactions/👍") == (403, "blocked")
        assert len((await pages(who, direct))["messages"]) == 1
        assert await tries(who, "POST", CONVERSATIONS, direct_with(mallory if who is ana else ana)) == (200, "")
    assert await tries(mallory, "PATCH", f"{path}/1", {"body": "HEY"}) == (403, "blocked")
    await blocks(ana, mallory, on=False)
    await mallory.says(direct, "sorry")
    await reacts(ana, direct, 2, "👍")
    await deletes(mallory, direct, 1)


async def test_mutual_blocks_end_separately(ana: Person, mallory: Person) -> None:
    """If each has blocked the other, each must unblock."""
    direct = await begins(mallory, "direct", "", ana)
    await blocks(ana, mallory)
    await blocks(mallory, ana)
    await blocks(ana, mallory, on=False)
    assert await tries(ana, "POST", f"{CONVERSATIONS}/{direct}/messages", draft()) == (403, "blocked")
    await blocks(mallory, ana, on=False)
    await ana.says(direct, "well")


async def test_neither_can_start_a_conversation_with_the_other(ana: Person, ben: Person, mallory: Person) -> None:
    """Neither can start a direct conversation or group with the other, or add the other; public channels stay
    public, and others may add both."""
    await blocks(ana, mallory)
    for who, other in ((ana, mallory), (mallory, ana)):
        assert await tries(who, "POST", CONVERSATIONS, direct_with(other)) == (403, "blocked")
        group = {"kind": "group", "members": [ben.id, other.id]}
        assert await tries(who, "POST", CONVERSATIONS, group) == (403, "blocked")
        room = await begins(who, "channel", f"of {who.name}")
        assert (await sets_member(who, room, other))[1]["code"] == "blocked"
        assert (await sets_member(other, room, "me"))[0] == 201
    assert (await sees(mallory))["blocked"] == []
    group_of_ben = await begins(ben, "group", "", ana, mallory)
    assert (await mallory.says(group_of_ben, "@ana"))["seq"] == 1
    direct = await begins(mallory, "direct", "", ben)
    await mallory.says(direct, "hello ben")


async def test_only_the_users_own_devices_receive_it(ana: Person, mallory: Person) -> None:
    """The list and the entries show it; a repeated block records no entry."""
    phone, his = await ana.listens(), await mallory.listens()
    room = await begins(ana, "channel", "room", mallory)
    for on in (True, True, False, False, True):
        await blocks(ana, mallory, on=on)
    assert await ana.call("GET", "/api/users/me/blocks") == (200, {"blocked": [mallory.id]})
    assert await mallory.call("GET", "/api/users/me/blocks") == (200, {"blocked": []})
    assert (await sees(ana))["blocked"] == [mallory.id]
    await ana.says(room, "end")
    await phone.hears("end")
    await his.hears("end")
    assert [one.json() for one in phone.named("block")] == [
        {"user": mallory.id, "on": on, "mentions": []} for on in (True, False, True)
    ]
    assert his.named("block") == []


async def test_neither_sees_the_presence_of_the_other(ana: Person, ben: Person, mallory: Person) -> None:
    """Both stop seeing the other's presence at once, and cannot watch it again; a third user sees both."""
    await begins(ben, "channel", "room", ana, mallory)
    async with open_presence(ana) as watcher, open_presence(mallory) as his, open_presence(ben) as friend:
        await watcher.knows(mallory)
        await his.knows(ana)
        await blocks(ana, mallory)

        async def hidden() -> bool:
            pairs = (ana, mallory), (mallory, ana)
            answers = [await who.call("GET", f"/api/presence?users={other.id}") for who, other in pairs]
            return answers == [(200, {"users": []})] * 2

        await eventually(hidden)
        assert await watcher.watches(mallory) == await his.watches(ana) == []
        await friend.watches(ana, mallory)
        await his.says("status", status="dnd")
        await friend.sees(mallory, "dnd")
        assert "dnd" not in watcher.seen.get(mallory.id, [])


async def test_invalid_blocks_are_refused(database_url: str, redis_url: str) -> None:
    """Unknown users, oneself, and more users than allowed cannot be blocked."""
    async with (
        running_node(database_url, redis_url, blocks_per_person=1) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
        for method in ("PUT", "DELETE"):
            assert await tries(ana, method, "/api/users/999/block") == (404, "not_found")
            assert await tries(ana, method, "/api/users/x/block") == (404, "not_found")
        assert await tries(ana, "PUT", f"/api/users/{ana.id}/block") == (409, "blocks_oneself")
        await blocks(ana, ben)
        await blocks(ana, ben)
        assert await tries(ana, "PUT", f"/api/users/{chloe.id}/block") == (409, "too_many_blocks")


async def test_a_block_and_a_new_conversation_at_once(cast: Cast) -> None:
    """A block and a new direct conversation at once leave no conversation that takes posts, and no deadlock."""
    people = await cast.enters(*[f"p{n}" for n in range(8)])
    for one, other in zip(people[::2], people[1::2], strict=True):
        calls = [
            tries(one, "PUT", f"/api/users/{other.id}/block"),
            tries(other, "PUT", f"/api/users/{one.id}/block"),
            *[tries(who, "POST", CONVERSATIONS, direct_with(to)) for who, to in ((one, other), (other, one)) * 3],
        ]
        assert all(status in (200, 201, 204, 403) for status, _ in await asyncio.gather(*calls))
        for conversation in (await sees(one))["conversations"]:
            path = f"{CONVERSATIONS}/{conversation['id']}/messages"
            assert await tries(one, "POST", path, draft()) == (403, "blocked")


async def test_posts_and_blocks_at_the_same_moment(ana: Person, mallory: Person) -> None:
    """Posts before the block are stored, later ones are refused, in the log's order."""
    direct = await begins(mallory, "direct", "", ana)
    reader = await ana.listens()
    posts = [tries(mallory, "POST", f"{CONVERSATIONS}/{direct}/messages", draft(n)) for n in range(40)]
    outcomes = await asyncio.gather(*posts[:20], blocks(ana, mallory), *posts[20:])
    taken = [one for one in outcomes if one and one[0] == 201]
    await reader.hears_event("block")
    assert (await opens(ana, direct))["last_seq"] == len(taken)
    heard = [one.event for one in reader.events if one.event in ("message", "block")]
    assert heard == ["message"] * len(taken) + ["block"]
