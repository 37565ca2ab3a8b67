"""Roles: the two channels on separate nodes, or on a cluster, work together through the registry alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat.log import entry as log_entry
from presence import log_follower
from tests.cast import Cast, casting
from tests.nodes import Node, running_node
from tests.presence.conftest import QUICK
from tests.presence.presence_client import open_presence, opens_presence
from tests.registry.servers import running_cluster
from tests.verbs import removes_member
from tests.waiting import eventually


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node for messages only."""
    async with running_node(database_url, redis_url, role="messages", **QUICK) as one:
        yield one


@pytest.fixture
async def other(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node for presence only."""
    async with running_node(database_url, redis_url, node="p1", role="presence", **QUICK) as one:
        yield one


async def test_two_roles_one_service(node: Node, other: Node, cast: Cast) -> None:
    """Streams on one node and sockets on the other are seen, revoked and narrowed across. Each refuses the other's
    requests."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    assert (await ana.call("GET", f"/api/presence?users={ben.id}"))[0] == 404
    ana.at = other.url
    assert (await ana.call("GET", "/api/chat/conversations"))[0] == 404
    async with open_presence(ana) as watcher:
        await watcher.watches(ben)
        await watcher.sees(ben, "away")  # a stream alone: connected, without a sign of use
        ben.at = other.url
        bens = await opens_presence(ben)
        await watcher.sees(ben, "online")
        await bens.watches(conversations=(room,))
        ben.at = node.url
        assert await removes_member(ben, room, "me") == (204, "")

        async def out_of_sight() -> bool:
            return await watcher.watches(ben) == []

        await eventually(out_of_sight)
        assert (await ben.call("DELETE", "/api/sessions/current"))[0] == 204
        assert await bens.closes(limit=1.0) == 4401
        await reader.ends(limit=1.0)


async def test_the_beat_needs_no_stream_on_the_node(node: Node, other: Node, cast: Cast) -> None:
    """A presence node follows the log too, so it can tell which entry a stream elsewhere should have brought."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ana.listens()
    ana.at = other.url
    async with open_presence(ana) as watcher:
        ben.at = node.url
        await ben.says(room, "hello")
        await reader.hears("hello")
        assert (await watcher.gets("beat", limit=22))["witness"] == reader.cursor


async def test_a_node_on_a_cluster(database_url: str, tmp_path: Path) -> None:
    """Messages and presence work with Redis on three servers."""
    with running_cluster(tmp_path) as url:
        async with running_node(database_url, url, **QUICK) as node, casting(database_url, node.url) as cast:
            ana, ben = await cast.enters("ana", "ben")
            room = await cast.share(ana, ben)
            reader = await ana.listens()
            async with open_presence(ana) as watcher:
                await watcher.watches(ben, conversations=(room,))
                bens = await opens_presence(ben)
                await watcher.sees(ben, "online")
                await bens.says("typing", conversation=room, on=True)
                assert (await watcher.gets("typing"))["users"] == [ben.id]
                await ben.says(room, "hello")
                await reader.hears("hello")
                await bens.leaves()
                await watcher.sees(ben, "offline")


def test_both_channels_name_entries_alike() -> None:
    """Presence may not import the log, so it has its own constants for entries; they are the same."""
    assert (log_follower.JOIN, log_follower.LEAVE, log_follower.LOGOUT) == (
        log_entry.JOIN,
        log_entry.LEAVE,
        log_entry.LOGOUT,
    )
