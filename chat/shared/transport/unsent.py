"""Accounting for answers that readers have not taken yet, so that slow readers cannot fill a node's memory. Pure."""

from collections.abc import Hashable
from typing import Generic, TypeVar

CALLER_MOST = 8 * 1024 * 1024
NODE_MOST = 128 * 1024 * 1024
Connection = TypeVar("Connection", bound=Hashable)


class Unsent(Generic[Connection]):
    """Unsent bytes by caller and connection. A caller is a user, or the address of a client without a session.

    Over `caller_most` bytes a caller loses their oldest waiting answers, but never the newest. Over `node_most` bytes
    in total, the caller with the most unsent bytes loses theirs.
    """

    def __init__(self, caller_most: int = CALLER_MOST, node_most: int = NODE_MOST) -> None:
        self._caller_most, self._node_most = caller_most, node_most
        self._waiting: dict[Hashable, dict[Connection, int]] = {}
        self._sums: dict[Hashable, int] = {}
        self.total = 0

    def add(self, caller: Hashable, connection: Connection, size: int) -> list[Connection]:
        """Note that `size` bytes wait for this reader; return the connections to cut, which are no longer counted."""
        self.remove(caller, connection)
        self._waiting.setdefault(caller, {})[connection] = size
        self._change(caller, size)
        cut = []
        while self._sums[caller] > self._caller_most and len(self._waiting[caller]) > 1:
            cut.append(self._take_oldest(caller))
        while self.total > self._node_most:
            cut.append(self._take_oldest(max(self._sums, key=self._sums.__getitem__)))
        return cut

    def remove(self, caller: Hashable, connection: Connection) -> None:
        """Forget a connection whose reader has caught up or gone; an unknown one is ignored."""
        waiting = self._waiting.get(caller)
        if waiting is None or connection not in waiting:
            return
        self._change(caller, -waiting.pop(connection))
        if not waiting:
            del self._waiting[caller], self._sums[caller]

    def _take_oldest(self, caller: Hashable) -> Connection:
        oldest = next(iter(self._waiting[caller]))
        self.remove(caller, oldest)
        return oldest

    def _change(self, caller: Hashable, size: int) -> None:
        self._sums[caller] = self._sums.get(caller, 0) + size
        self.total += size
