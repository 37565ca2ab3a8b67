"""Admission: an overloaded node refuses new clients with a time to retry, and serves those that are connected."""

import asyncio
import time

import pytest

from chat.operations.node_report import LoopLag
from chat.shared.web import ADMISSION, Admission, Crowded
from tests.cast import casting
from tests.nodes import running_node
from tests.stream_client import StreamClient
from tests.waiting import eventually


def admission(lag: float = 0.0, opening: int = 0) -> Admission:
    """Return the admission for these figures, with limits of 1 s and 10."""
    return Admission(1.0, 10, lambda: lag, lambda: opening)


def test_either_limit_refuses() -> None:
    """Just below both limits clients are admitted; at one of them they are not."""
    admission(0.9, 9).check()
    for full in (admission(lag=1.0), admission(opening=10)):
        with pytest.raises(Crowded) as refusal:
            full.check()
        assert 1 <= (refusal.value.retry_after or 0) <= 5
        assert full.refused == 1


async def test_a_current_delay_counts() -> None:
    """A delay of the loop counts from the first turn after it."""
    lag = LoopLag()
    task = asyncio.ensure_future(lag.run())
    await eventually(lambda: lag.now() < 0.2)
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        pass
    assert lag.now() > 0.4
    task.cancel()


def is_full(one: Admission) -> bool:
    """Return whether it refuses clients."""
    try:
        one.check()
    except Crowded:
        return True
    return False


@pytest.mark.parametrize("path", ["/api/chat/stream", "/api/chat/stream?poll=1", "/api/presence/socket"])
async def test_new_clients_are_refused(database_url: str, redis_url: str, path: str) -> None:
    """New clients get 503 `crowded` with a time; connected ones receive everything, and posts are stored."""
    async with (
        running_node(database_url, redis_url) as calm,
        running_node(database_url, redis_url, node="b2", lag_most=1e-9, stream_beat=1) as busy,
        casting(database_url, calm.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        reader: StreamClient = await ana.listens()
        ana.at = busy.url
        await eventually(lambda: is_full(busy.app[ADMISSION]))
        status, problem, headers = await ana.asks("GET", path)
        assert (status, problem["code"]) == (503, "crowded")
        assert 1 <= int(headers["Retry-After"]) <= 5
        await ana.says(room, "hello")
        await eventually(lambda: reader.bodies() == ["hello"])
