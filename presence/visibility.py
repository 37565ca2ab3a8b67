"""Which users a viewer can see. Sockets and HTTP both decide it here."""

import asyncio
from collections.abc import Collection, Sequence, Set

from chat.shared.postgres import Pool
from chat.shared.rate_limits import Rates
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.sql import load
from chat.shared.tasks import Batcher
from presence.mirror import make_record
from presence.records import Record

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


# Read the current presence of users once, as far as the viewer can see them.

DEADLINE_SECONDS = 0.5


class PresenceLookup:
    """Reads presence: `read_records` for requests about presence, `try_read` as an addition to other responses."""

    def __init__(self, registry: Registry, rates: Rates, visibility: Visibility) -> None:
        self._registry, self._rates, self._visibility = registry, rates, visibility

    async def read_records(self, viewer_id: int, user_ids: Sequence[int], payer: int | None = None) -> list[Record]:
        """Return the records of visible users, in order. Raise `RateLimited`, or that a database is unavailable.

        `payer`: whose rate limit applies, without one the viewer's.
        """
        asked = list(dict.fromkeys(user_ids))
        self._rates.watch.acquire(payer or viewer_id, len(asked))
        seen = await self._visibility.filter_visible(viewer_id, asked) if asked else set()
        views = await self._registry.read_views((one, 0, 0) for one in asked if one in seen)
        return [make_record(user_id, view[0]) for user_id, view in views.items()]

    async def try_read(self, viewer_id: int, user_ids: Sequence[int]) -> dict[int, dict[str, object]]:
        """Return `{user: record}`; empty if Redis is unavailable or slow."""
        if self._registry.degraded:
            return {}
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return {record.id: record.public() for record in await self.read_records(viewer_id, user_ids)}
        except UNAVAILABLE:
            return {}


PRESENT = {"online", "dnd"}


async def find_here(registry: Registry, user_ids: Collection[int]) -> set[int]:
    """Return the users that `@here` reaches: online or dnd for others. Raise that Redis is unavailable."""
    views = await registry.read_views((user_id, 0, 0) for user_id in user_ids)
    return {user_id for user_id, (shown, *_) in views.items() if shown[1] in PRESENT}
