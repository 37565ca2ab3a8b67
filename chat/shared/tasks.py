"""Background tasks: each has a name, is supervised, and ends the node when it dies unexpectedly."""

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
        """Cancel all and wait until they have ended."""
        await let_go(self._running)


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Wait until one has ended, let go of the others; raises what that one raised."""
    running = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await let_go(running)


async def let_go(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel them and wait until they have ended; again and again, for a library may swallow a cancellation (redis-py
    does when it comes during a time-out of its own). Cancelled once, what hears on a connection was seen to go on
    alone after what speaks on it had failed. Who is told to end meanwhile waits for them first: otherwise they read
    from a connection that somebody else has by then."""
    told: asyncio.CancelledError | None = None
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        try:
            await asyncio.wait(running, timeout=0.1)
        except asyncio.CancelledError as error:
            told = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # known, and of no interest any more
    if told:
        raise told
