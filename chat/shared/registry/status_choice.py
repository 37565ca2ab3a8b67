"""A choice: the status that a person has set for all devices. Pure; moments are milliseconds since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from chat.shared.batching import Batcher
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

Mode = Literal["online", "away", "dnd", "invisible"]


@dataclass(frozen=True, slots=True)
class Choice:
    """`until`: when it ends by itself, 0 for never; `set_at`: of two choices the later one holds, 0 is no choice."""

    mode: Mode = "online"
    text: str = ""
    emoji: str = ""
    until: int = 0
    set_at: int = 0

    def at(self, now: int) -> "Choice":
        """What is left of it at `now`."""
        return Choice() if 0 < self.until <= now else self

    def encode(self) -> bytes:
        """How the registry keeps it."""
        return orjson.dumps([self.set_at, self.mode, self.text, self.emoji, self.until])


def decode_choice(data: bytes | None) -> Choice:
    """What `encode` made; no choice where there is nothing."""
    if not data:
        return Choice()
    set_at, mode, text, emoji, until = orjson.loads(data)
    return Choice(mode, text, emoji, until, set_at)


# Choices in PostgreSQL: they outlive the registry, so that nobody becomes visible because Redis has forgotten.

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
        self._gather = Batcher[tuple[int, Choice], Choice](self._store, batch=500, limit=10_000)
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
