"""Sweeping: the bytes of what was removed go, and of what was sent up and never posted. Every node does; twice is no
harm, for what is gone is gone."""

import asyncio

import structlog

from chat.files.file import folder_of
from chat.files.refusals import StorageAway
from chat.files.storage import Storage
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.queries import load

queries = load(__file__)

PAUSE = 30.0

FORGOTTEN_SECONDS = 24 * 3600

BATCH = 100

AWAY: tuple[type[Exception], ...] = (StorageAway, *UNAVAILABLE)

log = structlog.get_logger(__name__)


class Sweep:
    """The background task of a node."""

    def __init__(self, pool: Pool, storage: Storage) -> None:
        self._pool, self._storage = pool, storage

    async def run(self) -> None:
        """Again and again; what does not work now works later."""
        while True:
            try:
                while await self.step() == BATCH:
                    pass
            except AWAY as error:
                log.warning("removed files cannot be swept now", error=repr(error))
            await asyncio.sleep(PAUSE)

    async def step(self) -> int:
        """One batch; how many files went. The bytes first: what has no row any more would never be found again."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.remove_forgotten, [FORGOTTEN_SECONDS])
            rows = await (await connection.execute(queries.list_removed, [BATCH])).fetchall()
        for (file_id,) in rows:
            await self._storage.delete(folder_of(file_id))
            async with self._pool.connection() as connection:
                await connection.execute(queries.drop_file, [file_id])
        return len(rows)
