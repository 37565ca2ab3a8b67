"""Who `@here` means. Presence is asked before the post waits for its commit, for a moment, and may not know."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from chat.attention.mentions import queries
from chat.attention.naming import find_naming
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE

PATIENCE = 0.25
Ask = Callable[[Collection[int]], Awaitable[Collection[int]]]


class Here:
    """`ask`: who of these people is here. Of a conversation with more than `most` members nobody can tell."""

    def __init__(self, pool: Pool, most: int, ask: Ask) -> None:
        self._pool, self._most, self._ask = pool, most, ask

    async def find(self, conversation_id: int, text: str) -> frozenset[int] | None:
        """The members who are here, if `text` calls them; None: nobody can tell, and it means everyone."""
        if "@" not in text or not find_naming(text).here:
            return None
        members = await self._members(conversation_id)
        if len(members) > self._most:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return frozenset(await self._ask(members))
        except UNAVAILABLE:
            return None

    async def _members(self, conversation_id: int) -> list[int]:
        async with self._pool.connection() as connection:
            asked = [conversation_id, self._most + 1]
            return [row[0] for row in await (await connection.execute(queries.members_upto, asked)).fetchall()]
