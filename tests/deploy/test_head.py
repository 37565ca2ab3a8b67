"""HEAD on every route behind the proxies, which reuse a node's connections for requests of other users."""

import asyncio
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.deploy.proxies import proxy, trust
from tests.head_walk import sets_scene, walks_everywhere
from tests.promises.conftest import StartNode, stage, start_node

__all__ = ["stage", "start_node"]

# One worker or server, and the most eager reuse: the next request finds all bytes left on a connection.
REUSE = {
    "nginx": {"worker_processes auto;": "worker_processes 1;"},
    "haproxy": {
        "balance leastconn": "balance leastconn\n    http-reuse always",
        "server node2 ": "# server node2 ",
        "server node3 ": "# server node3 ",
    },
    "caddy": {},
}


@pytest.mark.parametrize("name", REUSE)
async def test_head_on_every_route(stage: Cast, start_node: StartNode, tmp_path: Path, name: str) -> None:
    """Ana's HEAD leaves nothing that ben or chloe could read on a reused connection."""
    node = await start_node("a1", TRUSTED_PROXIES="127.0.0.1")
    people = await sets_scene(stage, node.url)
    with proxy(name, [node], tmp_path, REUSE[name]) as front:
        context = trust(tmp_path)

        async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection("127.0.0.1", front.port, ssl=context, server_hostname="localhost")

        await walks_everywhere(dial, people)
