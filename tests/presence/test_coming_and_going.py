"""Users neither flap nor stay online by mistake: reloads, closed lids, several devices, idle peers."""

from presence.endpoints import SOCKETS
from tests.cast import Cast
from tests.nodes import Node
from tests.presence.presence_client import open_eyes, opens_eyes
from tests.waiting import eventually


async def test_a_reload_shows_nothing(cast: Cast) -> None:
    """A socket closed and opened again within the linger, three times, shows watchers no change."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    bens = await opens_eyes(ben)
    async with open_eyes(ana) as eyes:
        await eyes.watches(ben)
        heard = len(eyes.named("presence"))
        for _ in range(3):
            await bens.leaves()
            bens = await opens_eyes(ben)
        await bens.says("status", status="dnd")
        await eyes.sees(ben, "dnd")
        assert len(eyes.named("presence")) == heard + 1
        await bens.leaves()


async def test_a_closed_lid_shows_offline_once(node: Node, cast: Cast) -> None:
    """A connection that vanishes silently is shown offline after the linger, once."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    bens = await opens_eyes(ben)
    async with open_eyes(ana) as eyes:
        await eyes.watches(ben)
        await bens.cuts_wire()
        await eyes.sees(ben, "offline")
        assert eyes.seen[ben.id] == ["online", "offline"]
        assert eyes.people[ben.id]["last_active_at"] is not None
        assert ben.id not in node.app[SOCKETS].registry.connected.users


async def test_two_unanswered_pings_close(node: Node, cast: Cast) -> None:
    """A half-open connection that does not answer two pings is closed at the third."""
    (ana,) = await cast.enters("ana")
    eyes = await opens_eyes(ana, autoping=False)
    (socket,) = node.app[SOCKETS].roster.of_user(ana.id)
    socket.ping()
    socket.ping()
    assert socket.open
    socket.ping()
    await eyes.closes()
    await eyes.leaves()


async def test_two_devices(cast: Cast) -> None:
    """A user is online while any device is in use, away when none is, and offline when the last one has left."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_eyes(ana) as eyes:
        await eyes.watches(ben)
        laptop, phone = await opens_eyes(ben), await opens_eyes(ben)
        await eyes.sees(ben, "online")
        await laptop.says("idle")
        await phone.says("idle")
        await eyes.sees(ben, "away")
        await phone.says("active")
        await eyes.sees(ben, "online")
        await laptop.leaves()
        await phone.leaves()
        await eyes.sees(ben, "offline")
        assert eyes.seen[ben.id] == ["offline", "online", "away", "online", "offline"]


async def test_a_slow_watcher_gets_the_latest(node: Node, cast: Cast) -> None:
    """No queue is kept for a watcher that does not read: when its buffer is free, it gets the latest state, once."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    async with open_eyes(ana) as eyes, open_eyes(ben) as bens:
        await eyes.watches(ben)
        (socket,) = node.app[SOCKETS].roster.of_user(ana.id)
        socket.pause_writing()  # as the transport does when the peer's window is full
        for n in range(5):
            await bens.says("status", status="online", text=f"text {n}")
            await bens.gets("you", n + 1)
        await eventually(lambda: socket.news_of == {ben.id})
        heard = len(eyes.named("presence"))
        socket.resume_writing()
        await eventually(lambda: eyes.people[ben.id]["text"] == "text 4")
        assert len(eyes.named("presence")) == heard + 1


async def test_the_beat_names_the_last_entry(node: Node, cast: Cast) -> None:
    """The beat names the last entry addressed to the user; a stream that has not brought it is stalled."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben)
    elsewhere = await cast.share(ben, chloe)
    reader = await ana.listens()
    async with open_eyes(ana) as eyes:
        await ben.says(room, "hello")
        await reader.hears("hello")
        heard = reader.cursor
        await ben.says(elsewhere, "not for ana")
        await eventually(lambda: str(node.app[SOCKETS].scope.epoch) != "")
        assert (await eyes.gets("beat", limit=22))["witness"] == heard


async def test_three_clients_on_two_nodes_see_typing(node: Node, other: Node, cast: Cast) -> None:
    """Everyone who watches the conversation sees the user type, on the other node too, and nobody else does."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room, elsewhere = await cast.share(ana, ben, chloe), await cast.share(ana, chloe)
    ben.at = other.url
    async with open_eyes(ana) as eyes, open_eyes(ben) as bens, open_eyes(chloe) as chloes:
        await eyes.watches(ben, conversations=(room,))
        await chloes.watches(ben, conversations=(elsewhere,))
        await bens.says("typing", conversation=room, on=True)
        assert (await eyes.gets("typing"))["users"] == [ben.id]
        await bens.says("typing", conversation=room, on=False)
        assert (await eyes.gets("typing", 2))["users"] == []
        assert chloes.named("typing") == []
        assert node.app[SOCKETS].typing.users(room) == []
