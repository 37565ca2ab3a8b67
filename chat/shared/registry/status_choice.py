"""The status that a user has chosen for all devices, and its table. Moments are milliseconds since 1970.

PostgreSQL keeps choices, so that no invisible user becomes visible because Redis has lost data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.tasks import Batcher

queries = load(__file__)
Mode = Literal["online", "away", "dnd", "invisible"]


@dataclass(frozen=True, slots=True)
class Choice:
    """`until`: when it ends, 0 for never. `set_at`: the later of two choices is valid; 0 means that none was made."""

    mode: Mode = "online"
    text: str = ""
    emoji: str = ""
    until: int = 0
    set_at: int = 0

    def at(self, now: int) -> "Choice":
        """Return the choice as it is at `now`: the default if it has ended."""
        return Choice() if 0 < self.until <= now else self

    def encode(self) -> bytes:
        """Return the choice as the registry stores it."""
        return orjson.dumps([self.set_at, self.mode, self.text, self.emoji, self.until])


def decode_choice(data: bytes | None) -> Choice:
    """Return a stored choice; the default if there is none."""
    if not data:
        return Choice()
    set_at, mode, text, emoji, until = orjson.loads(data)
    return Choice(mode, text, emoji, until, set_at)


NO_CHOICE = Choice()  # one shared object, because most users never choose


async def read_choices(pool: Pool, user_ids: Sequence[int]) -> dict[int, Choice]:
    """Return the choice of each user, the default if they made none. Raise if PostgreSQL is unavailable."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_choices, {"users": list(user_ids)})).fetchall()
    found = {user_id: Choice(*fields) for user_id, *fields in rows}
    return {user_id: found.get(user_id) or NO_CHOICE for user_id in user_ids}


class Choices:
    """Stores choices in batches; of several that one user makes while a batch is under way, the last is written."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._batcher = Batcher[tuple[int, Choice], Choice](self._store, batch=500, limit=10_000)
        self.run, self.waiting = self._batcher.run, self._batcher.waiting

    async def store(self, user_id: int, choice: Choice) -> Choice:
        """Store a choice; return it with `set_at` by the database's clock, later than that of the choice before.

        Raise if PostgreSQL is unavailable; raise `Overloaded`.
        """
        return await self._batcher.submit((user_id, choice))

    async def _store(self, asked: list[tuple[int, Choice]]) -> list[Choice]:
        last = dict(asked)
        rows = [(user_id, one.mode, one.text, one.emoji, one.until) for user_id, one in last.items()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        async with self._pool.connection() as connection:
            rows_stored = await (await connection.execute(queries.store_choices, columns)).fetchall()
        stored = {user_id: replace(last[user_id], set_at=set_at) for user_id, set_at in rows_stored}
        return [stored[user_id] for user_id, _ in asked]
