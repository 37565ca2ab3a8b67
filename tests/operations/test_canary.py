"""Canaries: two nodes probe each other with messages and presence changes that no user sees."""

import asyncio
import time
from typing import Any

import aiohttp
import orjson
import redis

from chat.client.node_process import NodeProcess
from chat.operations.canary import open_socket
from chat.shared.identity import Probe
from chat.shared.registry.scripts import LEASES
from tests.cast import Cast
from tests.promises.conftest import StartNode, stage, start_node
from tests.waiting import eventually

__all__ = ["stage", "start_node"]
OFTEN = {"CANARY_SECONDS": "0.5", "PRESENCE_LINGER": "2", "NODE_LEASE": "2"}


def reports(redis_url: str) -> dict[str, dict[str, Any]]:
    """Return what each node's canary reports, by the node's name."""
    with redis.Redis.from_url(redis_url) as client:
        records = [orjson.loads(record) for record in client.hvals(LEASES)]  # type: ignore[union-attr]
    return {record["name"]: record.get("canary", {}) for record in records}


def is_well(redis_url: str) -> bool:
    """Return whether each canary has probed more than three times and measured both channels."""
    told = reports(redis_url).values()
    return len(told) == 2 and all(one.get("flights", 0) > 3 and one["p50"] and one["flip_p50"] for one in told)


async def test_canaries_probe_and_no_user_sees_them(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """Both channels are measured, without a gap. Lists, counts and searches do not show the probe accounts. A frozen
    peer is reported until it recovers."""
    first, second = await asyncio.gather(start_node("a1", **OFTEN), start_node("b2", **OFTEN))
    (ana,) = await stage.enters("ana", role="admin")
    ana.at = first.url
    await stage.share(ana)
    await eventually(lambda: is_well(redis_url), 30)
    for name, told in reports(redis_url).items():
        print(name, told)
        assert (told["failed"], told["gaps"], told["repeats"], told["ok"]) == (0, 0, 0, True)
        assert told["through"] == ("b2" if name == "a1" else "a1")
        assert 0 < told["p50"] <= told["p99"] < 5
    _, found = await ana.call("GET", "/api/users?q=probe")
    assert found["users"] == []
    status, _ = await ana.call("GET", "/api/users/9007194959773696")
    assert status == 404
    status, _ = await ana.call("POST", "/api/chat/conversations", {"kind": "direct", "members": [9007194959773696]})
    assert status in (404, 422)
    _, listed = await ana.call("GET", "/api/chat/channels")
    assert all(channel["name"] != "canaries" for channel in listed["channels"])
    _, stats = await ana.call("GET", "/api/presence/stats")
    assert (stats["people"], stats["streams"], stats["sockets"]) == (0, 0, 0)
    await reports_a_frozen_peer(second, redis_url)


async def reports_a_frozen_peer(peer: NodeProcess, redis_url: str) -> None:
    """Check that the other node's canary counts a failure, and recovers when the peer does."""
    peer.freeze()
    try:
        await eventually(lambda: reports(redis_url)["a1"]["failed"] > 0, 30)
        assert not reports(redis_url)["a1"]["ok"]
    finally:
        peer.thaw()
    await eventually(lambda: reports(redis_url)["a1"]["ok"], 30)


async def test_nodes_that_listen_on_all_addresses(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """`--host ::` serves IPv4 too, peers reach it at the address it gives, and an IPv4 client keeps its address."""
    nodes = [await start_node(name, "::", **OFTEN) for name in ("a1", "b2")]
    for url in (nodes[0].url, nodes[0].url.replace("[::1]", "127.0.0.1")):
        async with stage.http.get(f"{url}/health/ready") as answer:
            assert answer.status == 200
        draft = {"name": "ben" if "[" in url else "chloe", "password": "brass-lantern-71-violet"}
        async with stage.http.post(f"{url}/api/accounts", json=draft) as answer:
            assert (await answer.json())["session"]["address"] == ("::1" if "[" in url else "127.0.0.1")
    await eventually(lambda: is_well(redis_url), 30)
    assert [told["failed"] for told in reports(redis_url).values()] == [0, 0]


async def test_a_frozen_peer_does_not_delay_the_close(stage: Cast, start_node: StartNode) -> None:
    """A probe that failed on a socket is reported after its ten seconds, not ten seconds later."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana")
    async with aiohttp.ClientSession() as http:
        async with open_socket(http, node.url, Probe(ana.id, ana.token)):
            node.freeze()
            began = time.monotonic()
        assert time.monotonic() - began < 5
    node.thaw()
