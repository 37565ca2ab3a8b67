"""Turns: few places at once, handed to users in rotation, so that one user's queue does not delay another's."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from chat.shared.problems import Overloaded

RETRY_AFTER = 10.0
Turn = asyncio.Future[None]


class Turns:
    """`at_once`: places. `waiting_most`: waiting requests of all users together.

    When the queue is full, the user with the most waiting requests loses the latest of them, not the next user.
    """

    def __init__(self, at_once: int, waiting_most: int) -> None:
        self._free, self._most, self.waiting = at_once, waiting_most, 0
        self._queues: OrderedDict[Hashable, deque[Turn]] = OrderedDict()

    @asynccontextmanager
    async def of(self, user: Hashable) -> AsyncIterator[None]:
        """Wait for a place, and hold it within the block; raise `Overloaded`."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(user)
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, user: Hashable) -> None:
        if self.waiting >= self._most:
            self._make_room(user)
        turn: Turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user, deque()).append(turn)
        self.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(user, turn)
            else:  # the place came at the same moment
                self._hand_on()
            raise

    def _make_room(self, user: Hashable) -> None:
        longest = max(self._queues, key=lambda one: len(self._queues[one]))
        if len(self._queues[longest]) <= len(self._queues.get(user, ())) + 1:
            raise Overloaded(retry_after=RETRY_AFTER)
        turn = self._queues[longest][-1]
        self._forget(longest, turn)
        turn.set_exception(Overloaded(retry_after=RETRY_AFTER))

    def _forget(self, user: Hashable, turn: Turn) -> None:
        queue = self._queues[user]
        queue.remove(turn)
        self.waiting -= 1
        if not queue:
            del self._queues[user]

    def _hand_on(self) -> None:
        """Give the place to the user who has waited longest since their last turn."""
        if not self._queues:
            self._free += 1
            return
        user, queue = self._queues.popitem(last=False)
        turn = queue.popleft()
        self.waiting -= 1
        if queue:
            self._queues[user] = queue
        turn.set_result(None)
