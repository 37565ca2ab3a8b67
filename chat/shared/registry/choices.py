"""Choices in PostgreSQL: they outlive the registry, so that nobody becomes visible because Redis has forgotten."""

from collections.abc import Sequence
from dataclasses import replace

from chat.shared.batching import Gather
from chat.shared.postgres import Pool
from chat.shared.registry.choice import Choice
from chat.shared.sql import load

queries = load(__file__)

NO_CHOICE = Choice()  # one for all: most people have never made one


async def read_choices(pool: Pool, user_ids: Sequence[int]) -> dict[int, Choice]:
    """The choice of each, also of those who never made one. Raises that PostgreSQL is away."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_choices, [list(user_ids)])).fetchall()
    found = {user_id: Choice(*fields) for user_id, *fields in rows}
    return {user_id: found.get(user_id) or NO_CHOICE for user_id in user_ids}


class Choices:
    """Stores choices in batches; of several that one user makes while a batch is under way, the last is written."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gather = Gather[tuple[int, Choice], Choice](self._store, batch=500, limit=10_000)
        self.run, self.waiting = self._gather.run, self._gather.waiting

    async def store(self, user_id: int, choice: Choice) -> Choice:
        """Return what holds then, with its `set_at` by the database's clock, later than that of the one before.

        Raise that PostgreSQL is away, or `Overloaded`.
        """
        return await self._gather.submit((user_id, choice))

    async def _store(self, asked: list[tuple[int, Choice]]) -> list[Choice]:
        last = dict(asked)
        rows = [(user_id, one.mode, one.text, one.emoji, one.until) for user_id, one in last.items()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        async with self._pool.connection() as connection:
            told = await (await connection.execute(queries.store_choices, columns)).fetchall()
        stored = {user_id: replace(last[user_id], set_at=set_at) for user_id, set_at in told}
        return [stored[user_id] for user_id, _ in asked]
