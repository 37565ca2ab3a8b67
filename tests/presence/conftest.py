"""Nodes that notice changes quickly: short linger and lease."""

from collections.abc import AsyncIterator

import pytest

from tests.nodes import Node, running_node

QUICK = {"presence_linger": 0.6, "node_lease": 0.8}


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """One node."""
    async with running_node(database_url, redis_url, **QUICK) as one:
        yield one


@pytest.fixture
async def other(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A second node."""
    async with running_node(database_url, redis_url, node="b2", **QUICK) as one:
        yield one
