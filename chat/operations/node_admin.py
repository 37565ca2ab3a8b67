"""`tandem nodes` and `tandem drain`: what the registry knows of the nodes, and what it tells them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chat.shared.operator_errors import OperatorError
from chat.shared.redis import UNAVAILABLE, Bytes, open_redis
from chat.shared.registry.reporting import NodeRecord, Overview

COLUMNS = ("node", "role", "state", "streams", "sockets", "heard", "memory")

STYLES = {"up": "green", "lost": "red", "reaped": "red"}

ALIVE = {"up", "silent", "draining", "drained"}

GLANCE_SECONDS = 0.2

HEARD_LIMIT = 10.0  # seconds until a living node has read its lease, with a registry that is slow


class NodeAdminError(OperatorError):
    """What was asked of nodes cannot be done; the message says why."""


class RegistryUnavailable(NodeAdminError):
    """Redis does not answer."""

    def __init__(self, reason: Exception) -> None:
        said = str(reason).rstrip(".")
        super().__init__(f"The registry cannot be reached: {said}. Is Redis running, and REDIS_URL right?")


class UnknownNode(NodeAdminError):
    """No living node has this name."""

    def __init__(self, name: str, names: list[str]) -> None:
        super().__init__(f"No node called {name} is alive. Alive: {', '.join(names) or 'none'}.")


class NotHeard(NodeAdminError):
    """The node has not done as it was told."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was told, and has not done it within {HEARD_LIMIT:.0f} s. Is it stuck?")


@asynccontextmanager
async def registry_of(redis_url: str) -> AsyncIterator[Bytes]:
    """A connection; raises `RegistryUnavailable` in place of what Redis says."""
    try:
        async with open_redis(redis_url) as redis:
            yield redis
    except UNAVAILABLE as reason:
        raise RegistryUnavailable(reason) from None


async def list_nodes(redis_url: str) -> list[NodeRecord]:
    """All leases, each with its `state` and the seconds since it was heard (`age`); raises `RegistryUnavailable`."""
    async with registry_of(redis_url) as redis:
        seen = await Overview(redis).read()
    return [node | {"age": max(0, seen.at - node["heard"]) / 1000} for node in seen.nodes]


def show_nodes(nodes: list[NodeRecord], as_json: bool) -> None:
    """A table for people, or JSON."""
    if as_json:
        print(orjson.dumps(nodes).decode())
    elif nodes:
        print_table(nodes)
    else:
        print("No node is registered. If some run, the registry may have been emptied a moment ago; look again.")


def print_table(nodes: list[NodeRecord]) -> None:
    """One node a row; numbers to the right."""
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in ("streams", "sockets", "heard", "memory") else "left")
    for node in nodes:
        state, memory = (
            Text(node["state"], STYLES.get(node["state"], "yellow")),
            f"{node.get('memory', 0) / 2**20:.0f} MiB",
        )
        counts = [f"{node[name]:,.0f}" for name in ("streams", "sockets")]
        table.add_row(str(node["name"]), str(node["role"]), state, *counts, f"{node['age']:.1f} s ago", memory)
    Console().print(table)


async def order_drain(redis_url: str, name: str, on: bool) -> None:
    """Tell the node, and wait until it says that it does so. Raises `NodeAdminError`."""
    async with registry_of(redis_url) as redis:
        overview = Overview(redis)
        if not await overview.order_drain(name, on):
            raise UnknownNode(name, [str(node["name"]) for node in await overview.nodes() if node["state"] in ALIVE])
        deadline = time.monotonic() + HEARD_LIMIT
        while not has_heard(await overview.nodes(), name, on):
            if time.monotonic() > deadline:
                raise NotHeard(name)
            await asyncio.sleep(GLANCE_SECONDS)


def has_heard(nodes: list[NodeRecord], name: str, drain: bool) -> bool:
    """Does the node itself say that it drains, or that it does not?"""
    return any(node["name"] == name and node["state"] in ALIVE and node["draining"] == drain for node in nodes)
