"""`tandem nodes` and `tandem drain`: list the nodes in the registry, and drain or resume one."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chat.shared.operator_errors import OperatorError
from chat.shared.redis import UNAVAILABLE, Bytes, open_redis, reason_of
from chat.shared.registry.reporting import NodeRecord, Overview

COLUMNS = ("node", "role", "state", "streams", "sockets", "heard", "memory")
STYLES = {"up": "green", "lost": "red", "reaped": "red"}
ALIVE = {"up", "silent", "draining", "drained"}
POLL_SECONDS = 0.2
CONFIRM_SECONDS = 10.0  # until a living node has read its lease from a slow registry


class NodeAdminError(OperatorError):
    """The request cannot be carried out; the message says why."""


class RegistryUnavailable(NodeAdminError):
    """Redis does not answer."""

    def __init__(self, reason: Exception) -> None:
        detail = reason_of(reason).rstrip(".")
        super().__init__(f"The registry cannot be reached: {detail}. Is Redis running, and REDIS_URL right?")


class UnknownNode(NodeAdminError):
    """No living node has this name."""

    def __init__(self, name: str, names: list[str]) -> None:
        super().__init__(f"No node called {name} is alive. Alive: {', '.join(names) or 'none'}.")


class DrainNotConfirmed(NodeAdminError):
    """The node has not confirmed the request in time."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} did not confirm within {CONFIRM_SECONDS:.0f} s. Is it stuck?")


@asynccontextmanager
async def registry_of(redis_url: str) -> AsyncIterator[Bytes]:
    """Open a connection; raise `RegistryUnavailable` instead of Redis errors."""
    try:
        async with open_redis(redis_url) as redis:
            yield redis
    except UNAVAILABLE as reason:
        raise RegistryUnavailable(reason) from None


async def list_nodes(redis_url: str) -> list[NodeRecord]:
    """Return all leases, each with its `state` and the seconds since its last report (`age`).

    Raise `RegistryUnavailable`.
    """
    async with registry_of(redis_url) as redis:
        seen = await Overview(redis).read()
    return [node | {"age": max(0, seen.at - node["heard"]) / 1000} for node in seen.nodes]


def show_nodes(nodes: list[NodeRecord], as_json: bool) -> None:
    """Print the nodes as a table, or as JSON."""
    if as_json:
        print(orjson.dumps(nodes).decode())
    elif nodes:
        print_table(nodes)
    else:
        print("No node is registered. If nodes are running, the registry may have just been emptied; try again.")


def print_table(nodes: list[NodeRecord]) -> None:
    """Print a table with one row for each node."""
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
    """Drain the node or resume it, and wait for its confirmation. Raise `NodeAdminError`."""
    async with registry_of(redis_url) as redis:
        overview = Overview(redis)
        if not await overview.order_drain(name, on):
            raise UnknownNode(name, [str(node["name"]) for node in await overview.nodes() if node["state"] in ALIVE])
        deadline = time.monotonic() + CONFIRM_SECONDS
        while not is_applied(await overview.nodes(), name, on):
            if time.monotonic() > deadline:
                raise DrainNotConfirmed(name)
            await asyncio.sleep(POLL_SECONDS)


def is_applied(nodes: list[NodeRecord], name: str, drain: bool) -> bool:
    """Return whether the node itself reports the requested state."""
    return any(node["name"] == name and node["state"] in ALIVE and node["draining"] == drain for node in nodes)
