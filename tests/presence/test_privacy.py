"""Mallory, who shares no conversation, learns nothing; invisible users are invisible everywhere."""

from presence.endpoints import SOCKETS
from tests.cast import Cast
from tests.nodes import Node
from tests.presence.presence_client import open_presence
from tests.verbs import removes_member
from tests.waiting import eventually


async def test_strangers_learn_nothing(cast: Cast) -> None:
    """No call and no frame tells mallory whether ben is online."""
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room = await cast.share(ana, ben)
    async with open_presence(mallory) as watcher, open_presence(ana) as friend, open_presence(ben) as bens:
        assert await watcher.watches(ben, ana, conversations=(room,)) == []
        await friend.watches(ben, conversations=(room,))
        await watcher.says("typing", conversation=room, on=True)
        assert (await watcher.gets("problem"))["code"] == "not_found"
        await watcher.says("observe")
        assert (await watcher.gets("problem", 2))["code"] == "admins_only"
        await bens.says("status", status="dnd")
        await bens.says("typing", conversation=room, on=True)
        await friend.sees(ben, "dnd")
        await friend.gets("typing")
        status, answer = await mallory.call("GET", f"/api/presence?users={ben.id},{ana.id}")
        assert (status, answer) == (200, {"users": []})
        for path in ("nodes", "stats", f"evidence/{ben.id}"):
            assert (await mallory.call("GET", f"/api/presence/{path}"))[0] == 403
        assert (await mallory.call("POST", "/api/presence/reconcile"))[0] == 403
        assert await watcher.watches(ben) == []
        assert {frame["type"] for frame in watcher.frames} <= {"hello", "you", "snapshot", "problem", "beat"}
        assert watcher.people == {}


async def test_friends_see_over_http_too(cast: Cast) -> None:
    """Users who share a conversation get the same record over HTTP as on the socket."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben):
        (record,) = await watcher.knows(ben)
        await watcher.sees(ben, "online")
        status, answer = await ana.call("GET", f"/api/presence?users={ben.id}")
        assert (status, answer["users"]) == (200, [watcher.people[ben.id]])
        assert set(record) == {
            "id",
            "status",
            "text",
            "emoji",
            "until",
            "last_active_at",
            "devices",
            "version",
        }


async def test_invisible_is_invisible_everywhere(cast: Cast) -> None:
    """An invisible user's connecting, leaving, typing and devices reach nobody, and look like being offline."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    async with open_presence(ana) as watcher:
        async with open_presence(ben) as bens:
            await watcher.watches(ben, conversations=(room,))
            await watcher.sees(ben, "online")
            await bens.says("status", status="invisible", text="secretly here")
            await watcher.sees(ben, "offline")
            gone = watcher.people[ben.id]
            assert (gone["text"], gone["devices"]) == ("", 0)
            await bens.says("typing", conversation=room, on=True)
            async with open_presence(ben) as phone:
                await phone.says("idle")
                await eventually(lambda: any(frame["you"]["devices"] for frame in bens.named("you")))
            await bens.says("status", status="invisible", text="still")
            await eventually(lambda: any(frame["you"]["text"] == "still" for frame in bens.named("you")))
        _, answer = await ana.call("GET", f"/api/presence?users={ben.id}")
        assert answer["users"] == [gone] == [watcher.people[ben.id]]
        assert watcher.named("typing") == []


async def test_leaving_ends_visibility_both_ways(cast: Cast) -> None:
    """Users who no longer share a conversation receive nothing more about each other."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(ben, conversations=(room,))
        await bens.watches(ana, conversations=(room,))
        assert await removes_member(ben, room, "me") == (204, "")

        async def out_of_sight() -> bool:
            return await watcher.watches(ben) == [] and await bens.watches(ana) == []

        await eventually(out_of_sight)
        heard = len(watcher.named("presence"))
        await bens.says("status", status="dnd")
        await bens.gets("you")
        await bens.says("typing", conversation=room, on=True)
        assert (await bens.gets("problem"))["code"] == "not_found"
        assert await watcher.watches(ben) == []
        assert len(watcher.named("presence")) == heard


async def test_admins_see_the_evidence(cast: Cast) -> None:
    """Only admins see a user's devices, their nodes, since when, and why."""
    (ada,) = await cast.enters("ada", role="admin")
    (ben,) = await cast.enters("ben")
    async with open_presence(ben) as bens:
        await bens.says("status", status="invisible")
        await eventually(lambda: bens.named("you"))
        status, evidence = await ada.call("GET", f"/api/presence/evidence/{ben.id}")
        assert status == 200
        (device,) = evidence["devices"]
        assert (device["node"], device["sockets"], device["name"], device["active"]) == ("a1", 1, "test", True)
        assert device["heard"] is not None
        assert (evidence["truth"], evidence["mode"], evidence["user"]["status"]) == ("online", "invisible", "offline")
        assert "invisible" in evidence["why"]
        status, found = await ada.call("POST", "/api/presence/reconcile")
        assert (status, found) == (200, {"reaped": 0})


async def test_admins_observe_the_figures(node: Node, cast: Cast) -> None:
    """Admins get the figures each second, and over HTTP the minutes before; every node records the same one sample."""
    (ada,) = await cast.enters("ada", role="admin")
    async with open_presence(ada) as watcher:
        await watcher.says("observe")
        await eventually(lambda: any(frame.get("sockets") == 1 for frame in watcher.named("stats")))
        status, stats = await ada.call("GET", "/api/presence/stats?minutes=5")
        assert (status, stats["sockets"], stats["people"], stats["online"], stats["nodes"]) == (200, 1, 1, 1, 1)
        await node.app[SOCKETS].history.sample()
        await node.app[SOCKETS].history.sample()
        _, stats = await ada.call("GET", "/api/presence/stats?minutes=5")
        assert {minute["sockets"] for minute in stats["history"]} == {1}
        assert 1 <= len(stats["history"]) <= 2  # a minute may have begun in between
        _, answer = await ada.call("GET", "/api/presence/nodes")
        assert [node["name"] for node in answer["nodes"]] == ["a1"]


async def test_evidence_about_an_unknown_account_is_not_recorded(cast: Cast) -> None:
    """A request for the evidence of an unknown account is 404, without a row in the audit log."""
    (ada,) = await cast.enters("ada", role="admin")
    for user in ("0", "4711"):
        assert (await ada.call("GET", f"/api/presence/evidence/{user}"))[0] == 404
    _, audit = await ada.call("GET", "/api/audit")
    assert not [row for row in audit["rows"] if row["action"] == "presence.look"]
