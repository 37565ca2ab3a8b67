"""Which users a viewer can see. Sockets and HTTP both decide it here."""

from collections.abc import Sequence, Set

from chat.shared.batching import Batcher
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

VisibilityQuery = tuple[int, tuple[int, ...]]

NO_USERS: frozenset[int] = frozenset()


class Visibility:
    """Answers many queries in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._batcher = Batcher[VisibilityQuery, set[int]](self._read, batch=50, limit=20_000)
        self.waiting = self._batcher.waiting
        self._hidden_batcher = Batcher[int, frozenset[int]](self._read_hidden_batch, batch=500, limit=20_000)
        self.works = {"read visible users": self._batcher.run, "read hidden users": self._hidden_batcher.run}

    async def filter_visible(self, viewer_id: int, user_ids: Sequence[int]) -> set[int]:
        """Return the users that the viewer can see. Raise that PostgreSQL is unavailable, or `Overloaded`."""
        return await self._batcher.submit((viewer_id, tuple(user_ids)))

    async def read_hidden(self, viewer_id: int) -> frozenset[int]:
        """Return the users hidden from the viewer, even in shared conversations. Raise as `filter_visible` does."""
        return await self._hidden_batcher.submit(viewer_id)

    async def _read(self, asked: list[VisibilityQuery]) -> list[set[int]]:
        pairs = [(n, viewer, user) for n, (viewer, users) in enumerate(asked) for user in users]
        columns = [list(column) for column in zip(*pairs, strict=True)] or [[], [], []]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.filter_visible, columns)).fetchall()
        seen: list[set[int]] = [set() for _ in asked]
        for n, user_id in rows:
            seen[n].add(user_id)
        return seen

    async def _read_hidden_batch(self, viewer_ids: list[int]) -> list[frozenset[int]]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_hidden, [viewer_ids])).fetchall()
        hidden: dict[int, set[int]] = {}
        for viewer_id, user_id in rows:
            hidden.setdefault(viewer_id, set()).add(user_id)
        return [frozenset(hidden[one]) if one in hidden else NO_USERS for one in viewer_ids]


def see_typing(belongs: Set[int], hidden: Set[int], conversation_id: int, typing: Sequence[int]) -> list[int] | None:
    """Return the typing users who are not hidden; None if the viewer is not a member of the conversation."""
    return [one for one in typing if one not in hidden] if conversation_id in belongs else None
