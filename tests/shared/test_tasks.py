"""Tasks end together, even if a library swallows a cancellation, and survive that PostgreSQL is away. So do queues."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from chat.shared.tasks import QueueWorker, Tasks, first_of, repeat
from tests.waiting import breathe, eventually


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


class Letters(QueueWorker):
    """A queue of numbers. PostgreSQL is away at the first look; number 3 fails, and each other one waits for `go`."""

    queue, at_once = "letters", 2

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.done, self.looks = list(range(7)), list[int](), 0
        self.working = self.busiest = 0
        self.go = asyncio.Event()

    async def take(self, room: int) -> Sequence[Coroutine[Any, Any, None]]:
        """Take the next numbers."""
        self.looks += 1
        if self.looks == 1:
            self.wake()
            raise psycopg.OperationalError("away")
        taken, self.waiting = self.waiting[:room], self.waiting[room:]
        return [self.do(number) for number in taken]

    async def do(self, number: int) -> None:
        """Do one piece of work."""
        self.working += 1
        self.busiest = max(self.busiest, self.working)
        try:
            await self.go.wait()
            if number == 3:
                raise ValueError("this one fails")
            self.done.append(number)
        finally:
            self.working -= 1


async def test_a_queue_is_worked_off() -> None:
    """So many pieces at once, and the next when one has ended, also after failures. `wake` finds new ones."""
    letters = Letters()
    running = asyncio.ensure_future(letters.run())
    await eventually(lambda: letters.working == 2)
    assert (letters.waiting, letters.done) == ([2, 3, 4, 5, 6], [])
    letters.go.set()
    await eventually(lambda: letters.done == [0, 1, 2, 4, 5, 6])
    letters.waiting = [7]
    letters.wake()
    await eventually(lambda: letters.done[-1] == 7)
    assert (letters.busiest, letters.working) == (2, 0)
    letters.go.clear()
    letters.waiting = [8]
    letters.wake()
    await eventually(lambda: letters.working == 1)
    running.cancel()
    await asyncio.wait([running])
    assert letters.working == 0, "what was under way is cancelled with the worker"
