"""A glance: how some people look at this moment, asked once, as far as the one who asks may see them."""

import asyncio
from collections.abc import Collection, Sequence

from chat.shared.rate_limits import Rates
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from presence.mirror import make_record
from presence.records import Record
from presence.visibility import Visibility

PATIENCE = 0.5


class PresenceLookup:
    """`at` for who asks about presence, `beside` for who asks about something else, beside which it may stand."""

    def __init__(self, registry: Registry, rates: Rates, sight: Visibility) -> None:
        self._registry, self._rates, self._sight = registry, rates, sight

    async def at(self, viewer_id: int, user_ids: Sequence[int]) -> list[Record]:
        """Those whom the viewer may see, in order. Raises `RateLimited`, or that PostgreSQL or Redis is away."""
        asked = list(dict.fromkeys(user_ids))
        self._rates.watch.acquire(viewer_id, len(asked))
        seen = await self._sight.narrow(viewer_id, asked) if asked else set()
        views = await self._registry.read_views((one, 0, 0) for one in asked if one in seen)
        return [make_record(user_id, view[0]) for user_id, view in views.items()]

    async def beside(self, viewer_id: int, user_ids: Sequence[int]) -> dict[int, dict[str, object]]:
        """`{person: record}`; nothing where Redis is away or slow."""
        if self._registry.degraded:
            return {}
        try:
            async with asyncio.timeout(PATIENCE):
                return {record.id: record.public() for record in await self.at(viewer_id, user_ids)}
        except UNAVAILABLE:
            return {}


# Who is here: what `@here` in a message means.

PRESENT = {"online", "dnd"}


async def find_here(registry: Registry, user_ids: Collection[int]) -> set[int]:
    """Those of these people whom others see at work now. Raises that Redis is away."""
    views = await registry.read_views((user_id, 0, 0) for user_id in user_ids)
    return {user_id for user_id, (shown, *_) in views.items() if shown[1] in PRESENT}
