"""The presence socket, as the protocol describes it."""

import aiohttp
import pytest

from tests.cast import Cast, casting
from tests.nodes import running_node
from tests.presence.presence_client import open_presence, opens_presence
from tests.waiting import eventually


async def test_hello_comes_first(cast: Cast) -> None:
    """The hello has the user, the node, and the interval of beats."""
    (ana,) = await cast.enters("ana")
    async with open_presence(ana) as watcher:
        hello = watcher.frames[0]
        assert (hello["type"], hello["node"], hello["heartbeat"]) == ("hello", "a1", 20)
        assert (hello["you"]["id"], hello["you"]["status"], hello["you"]["devices"]) == (ana.id, "online", 1)


async def test_watching_a_user(cast: Cast) -> None:
    """A snapshot is followed by changes: online, away, online, do not disturb, offline once."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_presence(ana) as watcher:
        (record,) = await watcher.knows(ben)
        assert (record["id"], record["status"], record["devices"]) == (ben.id, "offline", 0)
        bens = await opens_presence(ben)
        await watcher.sees(ben, "online")
        await bens.says("idle")
        await watcher.sees(ben, "away")
        await bens.says("active")
        await watcher.sees(ben, "online")
        await bens.says("status", status="dnd", text="focus", emoji="🎧")
        await watcher.sees(ben, "dnd")
        assert (watcher.people[ben.id]["text"], watcher.people[ben.id]["emoji"]) == ("focus", "🎧")
        await bens.leaves()
        await watcher.sees(ben, "offline")
        assert watcher.seen[ben.id] == ["offline", "online", "away", "online", "dnd", "offline"]


async def test_snapshot_and_deltas_make_a_fresh_snapshot(cast: Cast) -> None:
    """A watcher from the beginning knows what a new watcher is told."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    await cast.share(ana, ben, chloe)
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(ben, chloe)
        for status in ("away", "dnd", "online"):
            await bens.says("status", status=status, text=status)
        await eventually(lambda: watcher.people[ben.id]["text"] == "online")
        async with open_presence(chloe) as fresh:
            await watcher.sees(chloe, "online")
            assert {record["id"]: record for record in await fresh.knows(ben, chloe)} == watcher.people


async def test_a_chosen_status_reaches_the_users_other_devices(cast: Cast) -> None:
    """A status is set for the user, and the user's other devices see it, invisible included."""
    (ana,) = await cast.enters("ana")
    async with open_presence(ana) as laptop, open_presence(ana) as phone:
        await laptop.says("status", status="invisible", text="shh")
        await eventually(lambda: any(frame["you"]["mode"] == "invisible" for frame in phone.named("you")))
        assert phone.named("you")[-1]["you"]["status"] == "invisible"


async def test_typing_appears_and_vanishes(cast: Cast) -> None:
    """Each frame has the whole list; typing ends when the client says so, or by itself."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    async with open_presence(ana) as watcher, open_presence(ben) as bens, open_presence(chloe) as chloes:
        await watcher.watches(conversations=(room,))
        await watcher.watches(ben)  # answered after the other, so typing is received from now on
        await bens.says("typing", conversation=room, on=True)
        assert (await watcher.gets("typing", 1))["users"] == [ben.id]
        await chloes.says("typing", conversation=room, on=True)
        assert (await watcher.gets("typing", 2))["users"] == [ben.id, chloe.id]
        await bens.says("typing", conversation=room, on=False)
        assert (await watcher.gets("typing", 3)) == {"type": "typing", "conversation": room, "users": [chloe.id]}
        assert (await watcher.gets("typing", 4, limit=9))["users"] == []


async def test_repeated_typing_is_sent_again(cast: Cast) -> None:
    """Clients drop a list after six seconds, so a list that lasts is sent again."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(conversations=(room,))
        await watcher.watches(ben)
        for n in (1, 2):
            await bens.says("typing", conversation=room, on=True)
            assert (await watcher.gets("typing", n))["users"] == [ben.id]


async def test_bad_frames_get_a_problem_and_ten_close(cast: Cast) -> None:
    """Bad frames leave the socket open; the tenth within a minute closes it."""
    (ana,) = await cast.enters("ana")
    watcher = await opens_presence(ana)
    for n in range(9):
        await watcher.socket.send_str("{not json")
        assert (await watcher.gets("problem", n + 1))["code"] == "bad_frame"
    await watcher.socket.send_bytes(b"binary")
    assert await watcher.closes() == 1008
    assert len(watcher.named("problem")) == 10


async def test_too_long_is_a_problem(cast: Cast) -> None:
    """A frame over 4 KiB gets an error, and the socket stays open."""
    (ana,) = await cast.enters("ana")
    async with open_presence(ana) as watcher:
        await watcher.socket.send_str('{"type":"active"}'.ljust(5000))
        assert (await watcher.gets("problem"))["code"] == "too_large"
        await watcher.says("watch", users=[ana.id])
        assert (await watcher.gets("snapshot"))["users"][0]["id"] == ana.id


async def test_too_fast(database_url: str, redis_url: str) -> None:
    """A flood of signals closes the socket with 4429."""
    async with running_node(database_url, redis_url, rate_limits=True) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        watcher = await opens_presence(ana)
        for _ in range(200):
            if not watcher.socket.closed:
                await watcher.says("active")
        assert await watcher.closes() == 4429


async def test_asking_about_too_many(database_url: str, redis_url: str) -> None:
    """Strangers are not remembered, so asking for them again and again has a limit of its own."""
    limits = {"rate_limits": True, "rate_watch": "10/minute"}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        (mallory,) = await cast.enters("mallory")
        async with open_presence(mallory) as watcher:
            await watcher.says("watch", users=list(range(1000, 1010)))
            await watcher.gets("snapshot")
            await watcher.says("watch", users=list(range(1000, 1010)))
            assert (await watcher.gets("problem"))["code"] == "too_fast"
            assert (await mallory.call("GET", "/api/presence?users=1,2"))[0] == 429


async def test_ticket_opens_one_socket(cast: Cast) -> None:
    """A ticket works once, and only for the session that asked for it."""
    (ana,) = await cast.enters("ana")
    status, answer = await ana.call("POST", "/api/presence/ticket")
    assert (status, answer["expires_in"]) == (201, 30)
    watcher = await opens_presence(ana, query=f"?ticket={answer['ticket']}")
    assert watcher.frames[0]["you"]["id"] == ana.id
    await watcher.leaves()
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await opens_presence(ana, query=f"?ticket={answer['ticket']}")


async def test_foreign_pages_are_kept_out(cast: Cast) -> None:
    """A foreign Origin with the cookie is refused (cross-site WebSocket hijacking)."""
    (ana,) = await cast.enters("ana")
    headers = {"Origin": "https://evil.example", "Cookie": f"tandem={ana.token}"}
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await cast.http.ws_connect(f"{ana.at}/api/presence/socket", headers=headers)


async def test_plain_http_is_told_to_upgrade(cast: Cast) -> None:
    """A plain request to the address gets 426, which names WebSocket."""
    (ana,) = await cast.enters("ana")
    status, problem = await ana.call("GET", "/api/presence/socket")
    assert (status, problem["code"]) == (426, "upgrade_required")


async def test_at_most_500_watched(cast: Cast) -> None:
    """More than 500 users are refused with an error, and those watched before stay watched."""
    (ana,) = await cast.enters("ana")
    async with open_presence(ana) as watcher:
        await watcher.watches(ana)
        await watcher.says("watch", users=list(range(10_000, 10_500)))
        assert (await watcher.gets("problem"))["code"] == "too_many_watched"


async def test_unwatched_users_are_not_sent(cast: Cast) -> None:
    """After unwatch nothing arrives, and watching again begins with a snapshot."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(ben)
        await watcher.says("unwatch", users=[ben.id])
        await bens.says("status", status="dnd")
        await bens.gets("you")
        (record,) = await watcher.watches(ben)
        assert record["status"] == "dnd"
        assert watcher.named("presence") == []
