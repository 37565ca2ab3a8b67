"""Every node is restarted while users write in the browser: the conversation continues as if nothing had happened."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys import test_talk
from tests.journeys.browsers import OpenWindow
from tests.local.running import Running, running_up


@pytest.fixture
def fleet(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Running]:
    """Three nodes behind HAProxy."""
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "RATE_LIMITS": "off", "DRAIN_SECONDS": "1"}
    settings["STRANGERS"] = "add"  # the three share no conversation yet
    with running_up(tmp_path / "data", 3, **settings) as up:
        yield up


async def test_three_users_write_while_every_node_restarts(
    fleet: Running, stage: Cast, open_window: OpenWindow
) -> None:
    """Replies, reactions, edits, pins and threads show on three screens without a reload, and all nodes run again."""

    async def the_fleet(_name: str) -> Any:
        return fleet

    renewing = asyncio.ensure_future(asyncio.to_thread(fleet.tells, "restart"))
    await test_talk.test_three_users_write(stage, the_fleet, open_window)
    said = await renewing
    assert [line for line in said.splitlines() if ": ready" in line] == [f"» n{n}: ready" for n in (1, 2, 3)]
