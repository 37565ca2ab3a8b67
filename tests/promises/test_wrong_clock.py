"""A node whose clock is an hour off: order, expiry, leases and presence go by the servers' clocks."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from chat.client.node_process import NodeProcess
from chat.shared.identity import hash_token
from chat.tools.chaos.environment import make_node
from tests.cast import Cast
from tests.databases import as_node
from tests.presence.presence_client import opens_presence
from tests.promises.conftest import StartNode
from tests.promises.crowd import crowd_of
from tests.waiting import eventually

LIVES = 4.0  # seconds, longer than a lease
OFF = 3600
SHORT = {"PRESENCE_LINGER": "2", "NODE_LEASE": "2"}
LIMITED = {"RATE_LIMITS": "on"}


@pytest.fixture
async def wrong_nodes(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[list[NodeProcess]]:
    """A node whose clock is ahead, and one whose clock is behind."""
    urls = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url}
    nodes = []
    for name, off in (("ahead", OFF), ("behind", -OFF)):
        program = (sys.executable, "-m", "tests.promises.wrong_clock", str(off))
        nodes.append(make_node(name, tmp_path, urls | LIMITED | SHORT, program))
    try:
        await asyncio.gather(*(node.start_and_wait() for node in nodes))
        yield nodes
    finally:
        for node in nodes:
            node.kill()


async def test_a_wrong_clock_is_not_noticed(
    stage: Cast, start_node: StartNode, wrong_nodes: list[NodeProcess], database_url: str
) -> None:
    """With a crowd on all nodes, a short session ends on time, and users of one node are seen from another. Wrong
    passwords are counted together, and all nodes say how long to wait: seconds, not an hour."""
    right = await start_node("right", **LIMITED, **SHORT)
    async with crowd_of(stage, [*wrong_nodes, right], readers=30, posters=6) as crowd:
        crowd.starts_posting(pause=1)  # within the limits
        for wrong in wrong_nodes:
            await is_told_when_it_ends(stage, wrong, database_url)
            await is_seen(stage, wrong, right)
        assert await crowd.finishes(database_url) == []
        assert all(len(reader.starts) == 1 for reader in crowd.readers)
    assert times_follow_numbers(database_url)
    answers = [await tries_a_password(stage, node) for node in (*wrong_nodes, right) * 3]
    assert [status for status, _ in answers] == [401] * 5 + [429] * 4
    assert all(1 <= wait <= 60 for _, wait in answers[5:])


async def tries_a_password(stage: Cast, node: NodeProcess) -> tuple[int, int]:
    """Mallory guesses; the status, and the seconds to wait."""
    form = {"name": "ana", "password": "not-hers-at-all"}
    async with stage.http.post(f"{node.url}/api/sessions", json=form) as answer:
        return answer.status, int(answer.headers.get("Retry-After", 0))


async def is_told_when_it_ends(stage: Cast, node: NodeProcess, database_url: str) -> None:
    """Check that a session of four seconds has a stream of four seconds."""
    (ana,) = await stage.enters(f"ana-{node.name}")
    ana.at = node.url
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "update sessions set expires_at = now() + make_interval(secs => %s) where token_hash = %s",
            [LIVES, hash_token(ana.token)],
        )
    began = time.monotonic()
    listener = await ana.listens()
    await eventually(lambda: listener.closed, LIVES + 25)
    assert time.monotonic() - began > LIVES - 1
    assert listener.named("bye")[0].json() == {"reason": "expired"}


async def is_seen(stage: Cast, wrong: NodeProcess, right: NodeProcess) -> None:
    """Check that Ben, at the right node, sees Chloe connect and disconnect at the wrong one."""
    ben, chloe = await stage.enters(f"ben-{wrong.name}", f"chloe-{wrong.name}")
    await stage.share(ben, chloe)
    ben.at, chloe.at = right.url, wrong.url
    bens = await opens_presence(ben)
    await bens.watches(chloe)
    chloes = await opens_presence(chloe)
    await bens.sees(chloe, "online")
    await chloes.leaves()
    await bens.sees(chloe, "offline", limit=30)
    await bens.leaves()


def times_follow_numbers(database_url: str) -> bool:
    """Check that in each conversation times rise with the numbers, and that no time is off."""
    with psycopg.connect(database_url) as connection:
        disorder = connection.execute(
            "select count(*) from (select created_at < lag(created_at) over"
            " (partition by conversation_id order by seq) as back, abs(extract(epoch from now() - created_at)) as age"
            " from messages) as said where back or age > 120"
        ).fetchone()
    return disorder == (0,)
