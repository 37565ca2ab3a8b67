"""Online members of each conversation."""

from typing import Any

from presence.endpoints import SOCKETS
from tests.cast import Cast, Person
from tests.dashboard.looking import asks
from tests.nodes import Node
from tests.presence.presence_client import opens_presence
from tests.verbs import begins
from tests.waiting import eventually


async def told_rooms(ada: Person, nodes: tuple[Node, ...], q: str = "") -> list[Any]:
    """Return what the admin sees once these nodes have counted."""
    for one in nodes:
        await one.app[SOCKETS].rooms.store()
    return list((await asks(ada, "rooms", q=q))["rooms"])


async def test_counted_over_all_nodes(cast: Cast, ada: Person, node: Node, other: Node) -> None:
    """A user on two nodes counts once, an invisible one not; private conversations have no name, direct ones do not
    appear."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    kitchen = await begins(ana, "channel", "kitchen", ben, chloe)
    attic = await begins(ana, "channel", "attic", ben, private=True)
    await begins(ana, "direct", "", ben)
    anas = await opens_presence(ana)
    ana.at = chloe.at = other.url
    await ana.listens()
    bens, chloes = await opens_presence(ben), await opens_presence(chloe)
    await chloes.says("status", status="invisible")
    named = {"id": kitchen, "kind": "channel", "name": "kitchen", "here": 2}
    nameless = {"id": attic, "kind": "channel", "name": None, "here": 2}

    async def exact() -> bool:
        return await told_rooms(ada, (node, other)) == [named, nameless]

    await eventually(exact)
    assert await told_rooms(ada, (node, other), "KITCH") == [named]
    assert await told_rooms(ada, (node, other), "att") == []
    for watcher in (anas, bens, chloes):
        await watcher.leaves()


async def test_members_are_counted_only_while_an_admin_asks(ada: Person) -> None:
    """The first request starts the counting."""
    assert await asks(ada, "rooms") == {"rooms": [], "counted": 0}

    async def counted() -> bool:
        return (await asks(ada, "rooms"))["counted"] == 1

    await eventually(counted)
