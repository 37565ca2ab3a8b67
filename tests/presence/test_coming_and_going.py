"""Users neither flap nor stay online by mistake: reloads, closed lids, several devices, idle peers."""

from presence.endpoints import SOCKETS
from tests.cast import Cast
from tests.nodes import Node
from tests.presence.presence_client import open_presence, opens_presence
from tests.waiting import eventually


async def test_a_reload_shows_nothing(cast: Cast) -> None:
    """A socket closed and opened again within the linger, three times, shows watchers no change."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    bens = await opens_presence(ben)
    async with open_presence(ana) as watcher:
        await watcher.watches(ben)
        heard = len(watcher.named("presence"))
        for _ in range(3):
            await bens.leaves()
            bens = await opens_presence(ben)
        await bens.says("status", status="dnd")
        await watcher.sees(ben, "dnd")
        assert len(watcher.named("presence")) == heard + 1
        await bens.leaves()


async def test_a_closed_lid_shows_offline_once(node: Node, cast: Cast) -> None:
    """A connection that vanishes silently is shown offline after the linger, once."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    bens = await opens_presence(ben)
    async with open_presence(ana) as watcher:
        await watcher.watches(ben)
        await bens.cuts_wire()
        await watcher.sees(ben, "offline")
        assert watcher.seen[ben.id] == ["online", "offline"]
        assert watcher.people[ben.id]["last_active_at"] is not None
        await eventually(lambda: ben.id not in node.app[SOCKETS].registry.connected.users)


async def test_two_unanswered_pings_close(node: Node, cast: Cast) -> None:
    """A half-open connection that does not answer two pings is closed at the third."""
    (ana,) = await cast.enters("ana")
    watcher = await opens_presence(ana, autoping=False)
    (socket,) = node.app[SOCKETS].roster.of_user(ana.id)
    socket.ping()
    socket.ping()
    assert socket.open
    socket.ping()
    await watcher.closes()
    await watcher.leaves()


async def test_two_devices(cast: Cast) -> None:
    """A user is online while any device is in use, away when none is, and offline when the last one has left."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_presence(ana) as watcher:
        await watcher.watches(ben)
        laptop, phone = await opens_presence(ben), await opens_presence(ben)
        await watcher.sees(ben, "online")
        await laptop.says("idle")
        await phone.says("idle")
        await watcher.sees(ben, "away")
        await phone.says("active")
        await watcher.sees(ben, "online")
        await laptop.leaves()
        await phone.leaves()
        await watcher.sees(ben, "offline")
        assert watcher.seen[ben.id] == ["offline", "online", "away", "online", "offline"]


async def test_a_slow_watcher_gets_the_latest(node: Node, cast: Cast) -> None:
    """No queue is kept for a watcher that does not read: when its buffer is free, it gets the latest state, once."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_presence(ana) as watcher, open_presence(ben) as bens:
        await watcher.watches(ben)
        (socket,) = node.app[SOCKETS].roster.of_user(ana.id)
        socket.pause_writing()  # as the transport does when the peer's window is full
        for n in range(5):
            await bens.says("status", status="online", text=f"text {n}")
            await bens.gets("you", n + 1)
        await eventually(lambda: socket.news_of == {ben.id})
        heard = len(watcher.named("presence"))
        socket.resume_writing()
        await eventually(lambda: watcher.people[ben.id]["text"] == "text 4")
        assert len(watcher.named("presence")) == heard + 1


async def test_the_beat_names_the_last_entry(node: Node, cast: Cast) -> None:
    """The beat names the last entry addressed to the user; a stream that has not brought it is stalled."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben)
    elsewhere = await cast.share(ben, chloe)
    reader = await ana.listens()
    async with open_presence(ana) as watcher:
        await ben.says(room, "hello")
        await reader.hears("hello")
        heard = reader.cursor
        await ben.says(elsewhere, "not for ana")
        await eventually(lambda: str(node.app[SOCKETS].scope.epoch) != "")
        assert (await watcher.gets("beat", limit=22))["witness"] == heard


async def test_three_clients_on_two_nodes_see_typing(node: Node, other: Node, cast: Cast) -> None:
    """Everyone who watches the conversation sees the user type, on the other node too, and nobody else does."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room, elsewhere = await cast.share(ana, ben, chloe), await cast.share(ana, chloe)
    ben.at = other.url
    async with open_presence(ana) as watcher, open_presence(ben) as bens, open_presence(chloe) as chloes:
        await watcher.watches(ben, conversations=(room,))
        await chloes.watches(ben, conversations=(elsewhere,))
        await bens.says("typing", conversation=room, on=True)
        assert (await watcher.gets("typing"))["users"] == [ben.id]
        await bens.says("typing", conversation=room, on=False)
        assert (await watcher.gets("typing", 2))["users"] == []
        assert chloes.named("typing") == []
        assert node.app[SOCKETS].typing.users(room) == []
