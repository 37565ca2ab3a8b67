"""Choices in PostgreSQL: they outlive the registry, so that nobody becomes visible because Redis has forgotten."""

from collections.abc import Sequence

from chat.shared.postgres import Pool
from chat.shared.queries import load
from chat.shared.registry.choice import Choice

NO_CHOICE = Choice()  # one for all: most people have never made one
queries = load(__file__, "choices.sql")


async def read_choices(pool: Pool, user_ids: Sequence[int]) -> dict[int, Choice]:
    """The choice of each, also of those who never made one. Raises that PostgreSQL is away."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_choices, [list(user_ids)])).fetchall()
    found = {user_id: Choice(*fields) for user_id, *fields in rows}
    return {user_id: found.get(user_id) or NO_CHOICE for user_id in user_ids}


async def store_choice(pool: Pool, user_id: int, choice: Choice) -> Choice:
    """Store it; returns it with its `set_at`, by the database's clock, later than that of the one before."""
    async with pool.connection() as connection:
        asked = [user_id, choice.mode, choice.text, choice.emoji, choice.until]
        row = await (await connection.execute(queries.store_choice, asked)).fetchone()
    assert row is not None
    return Choice(choice.mode, choice.text, choice.emoji, choice.until, row[0])
