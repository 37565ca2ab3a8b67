"""Draining from the dashboard: a node moves its clients and accepts none, until it is told to resume."""

from chat.shared.web import REGISTRY
from tests.cast import Cast, Person
from tests.dashboard.looking import asks, audited
from tests.nodes import Node
from tests.presence.presence_client import opens_presence
from tests.waiting import eventually


async def state(admin: Person, name: str) -> str | None:
    """Return the node's state."""
    nodes = (await asks(admin, "nodes"))["nodes"]
    return next((str(node["state"]) for node in nodes if node["name"] == name), None)


async def becomes(admin: Person, name: str, wanted: str) -> None:
    """Wait for this state."""

    async def so() -> bool:
        return await state(admin, name) == wanted

    await eventually(so)


async def readiness(cast: Cast, node: Node) -> int:
    """Return the status of the readiness check."""
    async with cast.http.get(node.url + "/health/ready") as answer:
        return answer.status


async def test_drained_and_resumed(cast: Cast, ada: Person, other: Node) -> None:
    """Streams and sockets get `drain`, readiness fails, new clients are refused; resumed, all is as before."""
    (ben,) = await cast.enters("ben")
    ben.at = other.url
    reader, watcher = await ben.listens(), await opens_presence(ben)
    assert await ada.call("PUT", "/api/presence/nodes/b2/drain", {"draining": True}) == (
        202,
        {"name": "b2", "draining": True},
    )
    await becomes(ada, "b2", "drained")
    await eventually(lambda: reader.closed)
    assert reader.named("bye")[0].json() == {"reason": "drain"}
    assert await watcher.closes() == 1001
    assert await readiness(cast, other) == 503
    assert (await ben.call("GET", "/api/chat/stream?poll=1"))[0] == 503
    await becomes(ada, "a1", "up")
    assert (await ada.call("PUT", "/api/presence/nodes/b2/drain", {"draining": False}))[0] == 202
    await becomes(ada, "b2", "up")

    async def ready() -> bool:
        return await readiness(cast, other) == 200

    await eventually(ready)
    assert not (await ben.listens()).closed
    assert await audited(ada) == [("node.return", None, {"node": "b2"}), ("node.drain", None, {"node": "b2"})]


async def test_an_order_outlives_a_lost_registry(cast: Cast, ada: Person, other: Node) -> None:
    """Redis loses everything: the node registers again and still drains."""
    await ada.call("PUT", "/api/presence/nodes/b2/drain", {"draining": True})
    await becomes(ada, "b2", "drained")
    await other.app[REGISTRY].redis.flushall()
    await becomes(ada, "b2", "drained")
    assert await readiness(cast, other) == 503


async def test_draining_permissions(cast: Cast, ada: Person) -> None:
    """Only admins drain, only existing nodes, with a valid request."""
    (mallory,) = await cast.enters("mallory")
    for person, name, body, wanted in (
        (mallory, "a1", {"draining": True}, (403, "admins_only")),
        (ada, "zz", {"draining": True}, (404, "no_such_node")),
        (ada, "a1", {"draining": "yes"}, (422, "invalid")),
    ):
        status, problem = await person.call("PUT", f"/api/presence/nodes/{name}/drain", body)
        assert (status, problem["code"]) == wanted
    await becomes(ada, "a1", "up")
    assert await audited(ada) == []
