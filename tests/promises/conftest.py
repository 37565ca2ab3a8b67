"""Fixtures for the promises: nodes that are processes, and users who connect to them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser

from chat.client.node_process import NodeProcess
from chat.tools.chaos.environment import make_node
from tests.cast import Cast, casting
from tests.databases import as_node
from tests.forked_nodes import ForkedNode
from tests.journeys.browsers import launching

StartNode = Callable[..., Awaitable[NodeProcess]]


@asynccontextmanager
async def starting_nodes(database_url: str, redis_url: str, folder: Path) -> AsyncIterator[StartNode]:
    """Yield `start_node`; kill the nodes it started at the end of the block, and print their logs."""
    nodes: list[NodeProcess] = []

    async def start(name: str, host: str = "127.0.0.1", **settings: str) -> NodeProcess:
        settings = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url} | settings
        node = make_node(name, folder, settings, host=host, kind=ForkedNode)
        nodes.append(node)
        await node.start_and_wait()
        return node

    yield start
    for node in nodes:
        node.kill()
        print(f"{node.name} said:", node.read_log(), sep="\n")  # pytest shows it at the failed line


@pytest.fixture
async def start_node(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[StartNode]:
    """Return `start_node`: `await start_node("a1", STREAM_BUFFER="65536")` starts a node process, which is killed at
    the end."""
    async with starting_nodes(database_url, redis_url, tmp_path) as start:
        yield start


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Cast]:
    """A cast that belongs to no node."""
    async with casting(database_url, "") as cast:
        yield cast


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with launching() as chromium:
        yield chromium
