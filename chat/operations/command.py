"""`tandem nodes` and `tandem drain`: what the registry knows of the nodes, and what it tells them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chat.shared.redis import UNAVAILABLE, Bytes, close_redis, connect_redis
from chat.shared.registry.calls import DRAIN, Call, run_call
from chat.shared.registry.keys import LEASES
from chat.shared.registry.nodes import read_nodes

COLUMNS = ("node", "role", "state", "streams", "sockets", "heard", "memory")
STYLES = {"serving": "green", "draining": "yellow", "drained": "yellow", "stopping": "yellow", "dead": "red"}
GLANCE_SECONDS = 0.2
HEARD_LIMIT = 10.0  # seconds until a living node has read its lease, with a registry that is slow


class NodeTrouble(Exception):
    """What was asked of nodes cannot be done; the message says why."""


class RegistryAway(NodeTrouble):
    """Redis does not answer."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"The registry cannot be reached: {reason}. Is Redis running, and REDIS_URL right?")


class UnknownNode(NodeTrouble):
    """No living node has this name."""

    def __init__(self, name: str, names: list[str]) -> None:
        super().__init__(f"No node called {name} is alive. Alive: {', '.join(names) or 'none'}.")


class NotHeard(NodeTrouble):
    """The node has not done as it was told."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was told, and has not done it within {HEARD_LIMIT:.0f} s. Is it stuck?")


@asynccontextmanager
async def registry_of(redis_url: str) -> AsyncIterator[Bytes]:
    """A connection; raises `RegistryAway` in place of what Redis says."""
    redis = connect_redis(redis_url)
    try:
        yield redis
    except UNAVAILABLE as reason:
        raise RegistryAway(reason) from None
    finally:
        await close_redis(redis)


async def list_nodes(redis_url: str) -> list[dict[str, Any]]:
    """All leases; raises `RegistryAway`."""
    async with registry_of(redis_url) as redis:
        return await read_nodes(redis)


def show_nodes(nodes: list[dict[str, Any]], as_json: bool) -> None:
    """A table for people, or JSON."""
    if as_json:
        print(orjson.dumps(nodes).decode())
    elif nodes:
        print_table(nodes)
    else:
        print("No node is registered. If some run, the registry may have been emptied a moment ago; look again.")


def print_table(nodes: list[dict[str, Any]]) -> None:
    """One node a row; numbers to the right."""
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in ("streams", "sockets", "heard", "memory") else "left")
    for node in nodes:
        state, memory = Text(node["state"], STYLES.get(node["state"], "")), f"{node.get('memory', 0) / 2**20:.0f} MiB"
        counts = [f"{node[name]:,.0f}" for name in ("streams", "sockets")]
        table.add_row(str(node["name"]), str(node["role"]), state, *counts, f"{node['age']:.1f} s ago", memory)
    Console().print(table)


async def order_drain(redis_url: str, name: str, on: bool) -> None:
    """Tell the node, and wait until it says that it does so. Raises `NodeTrouble`."""
    async with registry_of(redis_url) as redis:
        if not await run_call(redis, Call(DRAIN, LEASES, [name, int(on)])):
            raise UnknownNode(name, [str(node["name"]) for node in await read_nodes(redis) if node["state"] != "dead"])
        await until_heard(redis, name, {"draining", "drained"} if on else {"serving"})


async def until_heard(redis: Bytes, name: str, wanted: set[str]) -> None:
    """It reads the order when it renews its lease, and its lease then says so. Raises `NotHeard`."""
    deadline = time.monotonic() + HEARD_LIMIT
    while not any(node["name"] == name and node["state"] in wanted for node in await read_nodes(redis)):
        if time.monotonic() > deadline:
            raise NotHeard(name)
        await asyncio.sleep(GLANCE_SECONDS)
