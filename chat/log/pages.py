"""Reading the log again: pages of entries after a position, and where the log begins and ends."""

from dataclasses import dataclass

from chat.log.append import queries as append_queries
from chat.log.entry import Entry
from chat.shared.postgres import Pool
from chat.shared.queries import load

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in order, without holes, and the head (`epoch`, `position`, `floor`) in the same snapshot."""

    epoch: str
    position: int
    floor: int
    entries: list[Entry]


async def read_entries(pool: Pool, after: int, limit: int) -> Page:
    """Up to `limit` entries from position `after + 1` on."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_entries, [after, limit], binary=True)).fetchall()
    epoch, position, floor = rows[0][:3]
    return Page(epoch, position, floor, [Entry(*row[3:]) for row in rows if row[3] is not None])


async def read_head(pool: Pool) -> Page:
    """Where the log stands; renews the epoch first when this is another history than the one it was made for."""
    async with pool.connection() as connection:
        row = await (await connection.execute(append_queries.read_head)).fetchone()
        assert row is not None
        epoch, position, floor, same_history = row
        if not same_history:
            epoch, position, floor = await renew_epoch(pool)
    return Page(epoch, position, floor, [])


async def renew_epoch(pool: Pool) -> tuple[str, int, int]:
    """Under the head's lock, so that of several nodes one renews and the others see that it is done."""
    async with pool.connection() as connection, connection.transaction():
        row = await (await connection.execute(append_queries.lock_head)).fetchone()
        assert row is not None
        if not row[2]:
            await connection.execute(append_queries.renew_epoch)
        row = await (await connection.execute(append_queries.read_head)).fetchone()
        assert row is not None
        return row[0], row[1], row[2]
