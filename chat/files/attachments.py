"""What the posts of one batch carry: files of their authors that are in no message yet. Each goes into one message."""

import asyncio
from collections.abc import Iterable, Sequence

import orjson
import structlog

from chat.files.models import File, StorageAway, folder_of
from chat.files.storage import Storage
from chat.log.append import Change
from chat.shared.errors import Invalid
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.sql import load

queries = load(__file__)

Shown = list[dict[str, object]]


class Attachments:
    """Costs nothing where no post carries anything."""

    def __init__(self, asked: Iterable[Sequence[int]]) -> None:
        self._asked = sorted({file_id for ids in asked for file_id in ids})
        self._free: dict[int, File] = {}
        self._claimed: dict[int, File] = {}
        self._taken: list[tuple[int, int, int]] = []
        self._shown: list[tuple[int, int, str]] = []

    async def look_up(self, change: Change) -> None:
        """See what is there, and keep it from being swept away. The conversations must be locked."""
        if self._asked:
            rows = await (await change.connection.execute(queries.lock_carried, [self._asked])).fetchall()
            self._free = {row[0]: File(*row) for row in rows}

    def judge(self, owner_id: int, file_ids: Sequence[int]) -> Invalid | None:
        """Why a post of this person cannot have them, if so."""
        wrong = [file_id for file_id in file_ids if not self._is_free(owner_id, file_id)]
        if wrong:
            listed = ", ".join(map(str, wrong))
            detail = f"you have no file {listed} that has been sent to its end and is in no message yet"
            return Invalid(errors=[{"field": "files", "detail": detail}])
        return None

    def take(self, file_ids: Sequence[int]) -> None:
        """They are one post's from here on."""
        self._claimed |= {file_id: self._free.pop(file_id) for file_id in file_ids}

    def _is_free(self, owner_id: int, file_id: int) -> bool:
        file = self._free.get(file_id)
        return file is not None and file.ready and file.owner_id == owner_id

    def put_into(self, conversation_id: int, seq: int, file_ids: Sequence[int]) -> Shown | None:
        """What the message at this place shows of them."""
        if not file_ids:
            return None
        shown = [self._claimed[file_id].to_json() for file_id in file_ids]
        self._taken += [(file_id, conversation_id, seq) for file_id in file_ids]
        self._shown.append((conversation_id, seq, orjson.dumps(shown).decode()))
        return shown

    async def store(self, change: Change) -> None:
        """The messages' rows are there already."""
        if self._taken:
            await change.connection.execute(queries.carry_files, [*map(list, zip(*self._taken, strict=True))])
            await change.connection.execute(queries.show_files, [*map(list, zip(*self._shown, strict=True))])


async def detach_files(change: Change, conversation_id: int, seq: int, kept: Sequence[object] = ()) -> None:
    """Nobody reads the files of this message any more, but for those that stay; their bytes are swept away."""
    await change.connection.execute(queries.take_out, [conversation_id, seq, list(kept)])


# Sweeping: the bytes of what was removed go, and of what was sent up and never posted. Every node does; twice is no
# harm, for what is gone is gone.

PAUSE = 30.0

FORGOTTEN_SECONDS = 24 * 3600

BATCH = 100

AWAY: tuple[type[Exception], ...] = (StorageAway, *UNAVAILABLE)

log = structlog.get_logger(__name__)


class FileCleanup:
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
