"""The members that `@here` reaches. Presence is asked for a moment before the post commits, and may not know."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from chat.shared.postgres import Pool
from chat.shared.queries import load
from chat.shared.redis import UNAVAILABLE

queries = load(__file__)

PATIENCE = 0.25

Ask = Callable[[Collection[int]], Awaitable[Collection[int]]]


class Here:
    """Finds the members who are online. `ask` returns which of these users are; above `most` members it is not used."""

    def __init__(self, pool: Pool, most: int, ask: Ask) -> None:
        self._pool, self._most, self._ask = pool, most, ask

    async def find(self, conversation_id: int, author_id: int, text: str) -> frozenset[int] | None:
        """Return the members who are online if `text` may say `@here`; None if unknown, which reaches everyone.

        Names are parsed once, after the membership check of the post; this only looks for the letters.
        """
        if "@here" not in text.lower():
            return None
        members = await self._members(conversation_id, author_id)
        if not 0 < len(members) <= self._most:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return frozenset(await self._ask(members))
        except UNAVAILABLE:
            return None

    async def _members(self, conversation_id: int, author_id: int) -> list[int]:
        """Return the members, at most one more than the limit; none if the author is not one of them."""
        async with self._pool.connection() as connection:
            asked = [conversation_id, conversation_id, author_id, self._most + 1]
            return [row[0] for row in await (await connection.execute(queries.members_upto, asked)).fetchall()]
