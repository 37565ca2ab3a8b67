"""Group work: what arrives while the last batch is under way goes together into the next.

One caller alone waits for nobody; a thousand callers share one round trip. The posts (group commit), the look-up of
identities and of memberships all go this way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from chat.shared.errors import Overloaded
from chat.shared.postgres import NO_CONNECTION

In = TypeVar("In")
Out = TypeVar("Out")

# From a socket to here a request takes so many turns of the loop: who stands at the door comes along. On a busy node a
# batch is half as large again, and each item a sixth cheaper; on an idle one they take microseconds.
TURNS = 3


class Batcher(Generic[In, Out]):
    """Carries out batches one after the other.

    `work` takes a batch of items and answers with as many outcomes, in order; an outcome that is an exception is
    raised to its own caller alone. When `work` itself raises, all callers of that batch get the exception; when it
    had no connection to PostgreSQL, all who wait as well.
    `batch` and `limit` are in units of `weigh`, an item by default: what a batch holds at most (one item at least),
    and what may wait; more is refused with `Overloaded`.
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
        """A future of the outcome; raises `Overloaded` when too many wait already."""
        weight = self._weigh(item)
        if self._weight and self._weight + weight > self._limit:
            raise Overloaded(retry_after=1)
        outcome: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        self._weight += weight
        self._arrived.set()
        return outcome

    def waiting(self) -> int:
        """How many items wait for the next batch."""
        return len(self._waiting)

    def busy(self) -> bool:
        """Is a batch under way, or about to be?"""
        return self._arrived.is_set()

    async def run(self) -> None:
        """The one worker; start it once, as a background task."""
        while True:
            await self._arrived.wait()
            for _ in range(TURNS):
                await asyncio.sleep(0)
            taken = list(self._take())
            await self._carry_out([one for one in taken if not one[1].done()])
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
        """All who wait: in the time in which the batch got no connection, they would have got none either."""
        while self._waiting:
            yield from self._take()
        self._arrived.clear()

    async def _carry_out(self, taken: list[tuple[In, "asyncio.Future[Out]"]]) -> None:
        try:
            outcomes: Sequence[Out | Exception] = await self._work([item for item, _ in taken]) if taken else []
        except Exception as error:
            if isinstance(error, NO_CONNECTION):
                taken = [*taken, *self._give_up()]
            outcomes = [error] * len(taken)
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


# Patience: what must be done in time, and is given up when it is not. One look in a while for all, in place of a
# timer each: that took 16 µs of the 100 that a post has.

LOOK_SECONDS = 0.25


class Deadlines:
    """For so many `seconds` each; who waits for longer is raised what `late` makes."""

    def __init__(self, seconds: float, late: Callable[[], Exception]) -> None:
        self._seconds, self._late = seconds, late
        self._held: deque[tuple[float, asyncio.Future[Any]]] = deque()

    def hold(self, outcome: "asyncio.Future[Any]") -> None:
        """From now on."""
        held = self._held
        while held and held[0][1].done():
            held.popleft()
        held.append((asyncio.get_running_loop().time() + self._seconds, outcome))

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._give_up(asyncio.get_running_loop().time())

    def _give_up(self, now: float) -> None:
        while self._held and (self._held[0][1].done() or self._held[0][0] <= now):
            _, outcome = self._held.popleft()
            if not outcome.done():
                outcome.set_exception(self._late())
