"""Tasks: they end together, even if a library swallows a cancellation, and survive that PostgreSQL is away."""

import asyncio
from contextlib import suppress

import psycopg
import pytest

from chat.shared.tasks import Tasks, first_of, repeat
from tests.waiting import breathe


async def swallow(times: int, ended: asyncio.Event) -> None:
    """Swallow so many cancellations."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def fail() -> None:
    """Fail at once."""
    raise ConnectionError("gone")


async def test_a_task_left_alone_ends_too() -> None:
    """The first task's error is raised once the other has ended, and not before."""
    ended = asyncio.Event()
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionError, match="gone"):
            await first_of(swallow(2, ended), fail())
    assert ended.is_set()


async def test_all_tasks_stop() -> None:
    """All tasks stop, whatever they swallow, without an error."""
    tasks, ended = Tasks(), asyncio.Event()
    tasks.start("stubborn", swallow(2, ended))
    await breathe()
    async with asyncio.timeout(5):
        await tasks.stop()
    assert ended.is_set()
    assert not tasks.failed.done()


async def test_a_task_canceled_twice_waits_for_its_subtasks() -> None:
    """A task that is canceled twice still waits for its subtasks: they may share a connection that others use next."""
    tasks, ended = Tasks(), asyncio.Event()
    tasks.start("pair", first_of(swallow(3, ended), swallow(0, asyncio.Event())))
    await breathe()
    async with asyncio.timeout(5):
        await tasks.stop()
    assert ended.is_set()


async def test_repeated_work_waits_for_postgresql_and_ends_with_other_errors() -> None:
    """Work that fails because PostgreSQL is away is done again; any other error ends it, and so the node."""
    outcomes = iter([None, psycopg.OperationalError("the server closed the connection"), TimeoutError(), None])
    done = []

    async def work() -> None:
        done.append(outcome := next(outcomes, ValueError("a defect")))
        if outcome is not None:
            raise outcome

    async with asyncio.timeout(30):
        with pytest.raises(ValueError, match="a defect"):
            await repeat(work, 0, "database unavailable, work waits")
    assert len(done) == 5
