"""Background tasks. Each has a name and is supervised; one that dies unexpectedly ends the node."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Tasks:
    """The background tasks of one node. `failed` is done when one of them has died."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or `stop` is called."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("background task died", task=task.get_name(), exc_info=error)
        if not self.failed.done():
            self.failed.set_result(task.get_name())

    async def stop(self) -> None:
        """Cancel all tasks and wait until they have ended."""
        await cancel_all(self._running)


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Wait until one has ended, cancel the others; raise the exception of the first."""
    running = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancel_all(running)


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, repeatedly until they have ended.

    A library may swallow a cancellation; redis-py does during a timeout of its own. Cancelled only once, a subscriber's
    receiving task was seen to continue after its sending task had failed. If the caller is cancelled meanwhile, it
    still waits for the tasks: otherwise they would read from a connection that another task has by then.
    """
    cancelled: asyncio.CancelledError | None = None
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        try:
            await asyncio.wait(running, timeout=0.1)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it
    if cancelled:
        raise cancelled


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await the work to its end, even if this task is cancelled meanwhile, which happens again and again."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled
