"""Background tasks, and the batches and deadlines that they take care of for many callers at once.

Each task has a name and is supervised; one that dies unexpectedly ends the node.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Generic, TypeVar

import structlog

from chat.shared.errors import Overloaded
from chat.shared.postgres import NO_CONNECTION, UNAVAILABLE

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


async def repeat(work: Callable[[], Awaitable[object]], seconds: float, trouble: str) -> None:
    """Do `work`, then wait for `seconds`, forever. While PostgreSQL is unavailable, log `trouble` and try again."""
    while True:
        try:
            await work()
        except UNAVAILABLE as error:
            log.warning(trouble, error=repr(error))
        await asyncio.sleep(seconds)


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


# Stored queues: any node takes what is due, for some time. What it does not settle meanwhile is due again.

IDLE_SECONDS = 5.0  # until a node finds what another one has queued or left


class QueueWorker(ABC):
    """A node's work on a stored queue. A subclass knows the table and settles what it has taken."""

    queue: ClassVar[str]  # in log messages
    at_once: ClassVar[int]  # pieces of work

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def take(self, room: int) -> Sequence[Coroutine[Any, Any, None]]:
        """Take up to `room` pieces of work that are due."""

    def wake(self) -> None:
        """Look at once for what is due."""
        self._woken.set()

    async def run(self) -> None:
        """Do what is due, forever: when the node is woken, when a piece of work has ended, and every few seconds."""
        try:
            while True:
                self._woken.clear()
                room, taken = self.at_once - len(self._running), 0
                try:
                    taken = self._start(await self.take(room)) if room else 0
                except UNAVAILABLE as error:
                    log.warning("could not read a queue, retrying", queue=self.queue, error=repr(error))
                if taken < room or not room:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(IDLE_SECONDS * random.uniform(0.5, 1)):
                            await self._woken.wait()
        finally:
            await cancel_all(self._running)

    def _start(self, taken: Sequence[Coroutine[Any, Any, None]]) -> int:
        for work in taken:
            task = asyncio.get_running_loop().create_task(work)
            self._running.add(task)
            task.add_done_callback(self._on_finished)
        return len(taken)

    def _on_finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("queued work failed", queue=self.queue, exc_info=error)


# Batches: items that arrive while a batch is being processed form the next batch. A single caller does not wait; a
# thousand callers share one round trip. Posting (group commit) and reading identities and memberships work this way.

In = TypeVar("In")
Out = TypeVar("Out")

# A request needs three iterations of the event loop from socket to queue. Waiting that long lets requests that have
# arrived join the batch: +50 % batch size, −17 % CPU a post on a busy node, microseconds on an idle one.
TURNS = 3


class Batcher(Generic[In, Out]):
    """Processes batches one after the other.

    `work` takes a batch of items and returns as many outcomes, in order. An outcome that is an exception is raised to
    its own caller alone. If `work` raises, all callers of the batch get the exception; if it got no connection to
    PostgreSQL, all waiting callers get it too.
    `batch` and `limit` are in units of `weigh`, one for each item by default: the largest batch (at least one item),
    and how much may wait. `Overloaded` is raised beyond that.
    """

    def __init__(
        self,
        work: Callable[[list[In]], Awaitable[Sequence[Out | Exception]]],
        *,
        batch: int,
        limit: int,
        weigh: Callable[[In], int] = lambda _: 1,
    ) -> None:
        self._work, self._batch, self._limit, self._weigh = work, batch, limit, weigh
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._weight = 0
        self._arrived = asyncio.Event()

    def submit(self, item: In) -> "asyncio.Future[Out]":
        """Queue an item; return a future of its outcome. Raise `Overloaded` if too many wait already."""
        weight = self._weigh(item)
        if self._weight and self._weight + weight > self._limit:
            raise Overloaded(retry_after=1)
        outcome: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        self._weight += weight
        self._arrived.set()
        return outcome

    def waiting(self) -> int:
        """Return how many items wait for the next batch."""
        return len(self._waiting)

    def busy(self) -> bool:
        """Return whether a batch is being processed, or is about to be."""
        return self._arrived.is_set()

    async def run(self) -> None:
        """Process batches, forever. Start it once, as a background task."""
        while True:
            await self._arrived.wait()
            for _ in range(TURNS):
                await asyncio.sleep(0)
            taken = list(self._take())
            await self._process([one for one in taken if not one[1].done()])
            if not self._waiting:
                self._arrived.clear()

    def _take(self) -> Iterator[tuple[In, "asyncio.Future[Out]"]]:
        room = self._batch
        while self._waiting and room > 0:
            weight = self._weigh(self._waiting[0][0])
            if weight > room < self._batch:
                return
            room -= weight
            self._weight -= weight
            yield self._waiting.popleft()

    def _give_up(self) -> Iterator[tuple[In, "asyncio.Future[Out]"]]:
        """Take all waiting items: they would have got no connection in that time either."""
        while self._waiting:
            yield from self._take()
        self._arrived.clear()

    async def _process(self, taken: list[tuple[In, "asyncio.Future[Out]"]]) -> None:
        try:
            outcomes: Sequence[Out | Exception] = await self._work([item for item, _ in taken]) if taken else []
        except Exception as error:
            if isinstance(error, NO_CONNECTION):
                taken = [*taken, *self._give_up()]
            outcomes = [error] * len(taken)
        settle([future for _, future in taken], outcomes)


def settle(futures: Iterable["asyncio.Future[Out]"], outcomes: Iterable[Out | Exception]) -> None:
    """Give each future its outcome, a result or an exception, unless it is done already."""
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


# Deadlines, checked for all futures at once every 0.25 s: a timer for each took 16 µs of the 100 µs that a post takes.

CHECK_SECONDS = 0.25


class Deadlines:
    """Gives each future `seconds`; a future that is not done by then fails with the exception that `late` makes."""

    def __init__(self, seconds: float, late: Callable[[], Exception]) -> None:
        self._seconds, self._late = seconds, late
        self._held: deque[tuple[float, asyncio.Future[Any]]] = deque()

    def hold(self, outcome: "asyncio.Future[Any]") -> None:
        """Start the deadline of a future."""
        held = self._held
        while held and held[0][1].done():
            held.popleft()
        held.append((asyncio.get_running_loop().time() + self._seconds, outcome))

    async def run(self) -> None:
        """Check the deadlines, forever."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._give_up(asyncio.get_running_loop().time())

    def _give_up(self, now: float) -> None:
        while self._held and (self._held[0][1].done() or self._held[0][0] <= now):
            _, outcome = self._held.popleft()
            if not outcome.done():
                outcome.set_exception(self._late())
