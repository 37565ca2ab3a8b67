"""Read the current presence of users once, as far as the viewer can see them."""

import asyncio
from collections.abc import Collection, Sequence

from chat.shared.rate_limits import Rates
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from presence.mirror import make_record
from presence.records import Record
from presence.visibility import Visibility

DEADLINE_SECONDS = 0.5


class PresenceLookup:
    """Reads presence: `read_records` for requests about presence, `try_read` as an addition to other responses."""

    def __init__(self, registry: Registry, rates: Rates, visibility: Visibility) -> None:
        self._registry, self._rates, self._visibility = registry, rates, visibility

    async def read_records(self, viewer_id: int, user_ids: Sequence[int]) -> list[Record]:
        """Return the records of visible users, in order. Raise `RateLimited`, or that a database is unavailable."""
        asked = list(dict.fromkeys(user_ids))
        self._rates.watch.acquire(viewer_id, len(asked))
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
