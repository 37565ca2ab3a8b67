"""Uploads: begun, received piece by piece, looked at when all is there; or given up."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex

from chat.files.file import File, Piece, folder_of, preview_key
from chat.files.kind import HEAD_BYTES, PICTURES, UNKNOWN, find_type
from chat.files.name import clean_name
from chat.files.picture import Look, Pictures, Trace, overwrite
from chat.files.refusals import EmptyFile, FileTooLarge, QuotaFull, WrongOffset
from chat.files.span import Span, stretches
from chat.files.storage import Storage, open_storage
from chat.shared.bodies import Arriving
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound, Refusal
from chat.shared.queries import load
from chat.shared.settings import Settings

queries = load(__file__)
PREVIEWS = ("small", "large")
PICTURE_MOST = 32 * 1024 * 1024  # bytes; what is larger gets no preview, and is not shown in place
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """`size`: bytes of one file; `quota`: bytes of all that one person's files have together."""

    size: int
    quota: int


class Uploads:
    """What people do with files before they post them. `received` and `sent` count bytes, `finished` files."""

    def __init__(self, pool: Pool, storage: Storage, pictures: Pictures, limits: Limits) -> None:
        self._pool, self.storage, self.pictures, self._limits = pool, storage, pictures, limits
        self.received = self.sent = self.finished = 0

    async def begin(self, owner_id: int, name: str, size: int) -> File:
        """A new one of `size` bytes; raises `EmptyFile`, `FileTooLarge`, `QuotaFull`."""
        self._check_size(size)
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(queries.lock_owner, [owner_id])
            used = await (await connection.execute(queries.sum_sizes, [owner_id])).fetchone()
            if used and used[0] + size > self._limits.quota:
                raise QuotaFull
            row = await (await connection.execute(queries.insert_file, [owner_id, clean_name(name), size])).fetchone()
        assert row is not None
        return File(*row)

    def _check_size(self, size: int) -> None:
        if size < 1:
            raise EmptyFile
        if size > self._limits.size:
            most = f"{self._limits.size / MEGABYTE:,.0f} MB"
            raise FileTooLarge(f"This file is larger than a file may be here ({most}).")

    async def find(self, owner_id: int, file_id: int) -> File:
        """Somebody's own that is in no message yet; raises `NotFound`."""
        return await self._read(queries.find_upload, [file_id, owner_id])

    async def find_readable(self, user_id: int, file_id: int) -> File:
        """One that this person may read; raises `NotFound`."""
        return await self._read(queries.find_readable, {"file": file_id, "user": user_id})

    async def _read(self, query: bytes, asked: Sequence[object] | Mapping[str, object]) -> File:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query, asked)).fetchone()
        if row is None:
            raise NotFound
        return File(*row)

    async def receive(self, file: File, offset: int, body: Arriving) -> int:
        """One more piece; where the upload stands then. What came before a cut is kept, and `body.cut` says so.

        Raises `WrongOffset`, `TooLarge`, `StorageFull`, `StorageAway`; then nothing of the piece is kept.
        """
        if file.received != offset:
            raise WrongOffset
        key = f"{folder_of(file.id)}/{token_hex(8)}"
        size = await self.storage.put(key, body)
        if not size:
            await self.storage.drop(key)
            return offset
        try:
            await self._note(file.id, Piece(offset, size, key))
        except WrongOffset:
            await self.storage.drop(key)
            raise
        self.received += size
        return offset + size

    async def _note(self, file_id: int, piece: Piece) -> None:
        """It counts from here on; raises `WrongOffset` for one that came too late."""
        async with self._pool.connection() as connection, connection.transaction():
            moved = {"file": file_id, "offset": piece.start, "size": piece.size}
            if await (await connection.execute(queries.move_received, moved)).fetchone() is None:
                raise WrongOffset
            await connection.execute(queries.insert_piece, [file_id, piece.start, piece.size, piece.key])

    async def settle(self, file: File) -> None:
        """What has come is all of it."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.settle_size, [file.id])

    async def finish(self, owner_id: int, file_id: int) -> File:
        """All is there: see what it is. Once more does no harm. Raises `NotFound`, `TooManyPixels` (and it is gone)."""
        file = await self.find(owner_id, file_id)
        if file.ready or not file.whole:
            return file
        try:
            media_type, look = await self._look(file)
            for size, webp in zip(PREVIEWS, look.webps if look else (), strict=False):
                await self.storage.put(preview_key(file.id, size), one_piece(webp))
            if look and look.traces:
                await self._overwrite(file, look.traces)
        except Refusal as refusal:
            if refusal.status < 500:
                await self.cancel(owner_id, file_id)
            raise
        shape = (look.width, look.height, True) if look else (None, None, False)
        self.finished += 1
        return await self._read(queries.make_ready, [media_type, *shape, file.id])

    async def _overwrite(self, file: File, traces: Sequence[Trace]) -> None:
        """The original does not tell where it was taken any more; it is one piece of the same size from here on."""
        key = f"{folder_of(file.id)}/{token_hex(8)}"
        size = await self.storage.put(key, overwrite(self.read(file, Span(0, file.size)), traces))
        async with self._pool.connection() as connection, connection.transaction():
            dropped = await (await connection.execute(queries.drop_pieces, [file.id])).fetchall()
            await connection.execute(queries.insert_piece, [file.id, 0, size, key])
        for (told,) in dropped:
            await self.storage.drop(told)

    async def _look(self, file: File) -> tuple[str, Look | None]:
        """Its type by its content; what claims to be a picture and is none is nothing in particular."""
        head = b"".join([piece async for piece in self.read(file, Span(0, min(HEAD_BYTES, file.size)))])
        media_type = find_type(head)
        if media_type not in PICTURES or file.size > PICTURE_MOST:
            return media_type, None
        look = await self.pictures.look("previews", self.read(file, Span(0, file.size)))
        return media_type if look else UNKNOWN, look

    async def read(self, file: File, span: Span) -> AsyncIterator[bytes]:
        """These bytes of it, whatever pieces they lie in."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.list_pieces, [file.id])).fetchall()
        for key, part in stretches([Piece(*row) for row in rows], span):
            async for block in self.storage.read(key, part):
                yield block

    async def cancel(self, owner_id: int, file_id: int) -> None:
        """Give it up; its bytes go in the background. Raises `NotFound`, also for what has been posted."""
        async with self._pool.connection() as connection:
            if not await (await connection.execute(queries.remove_upload, [file_id, owner_id])).fetchone():
                raise NotFound


def open_uploads(pool: Pool, settings: Settings) -> Uploads:
    """With the storage, the limits and the patience that the settings name."""
    limits = Limits(settings.max_file_bytes, settings.files_quota)
    pictures = Pictures(settings.picture_pixels, settings.strip_pictures)
    return Uploads(pool, open_storage(settings.files_url), pictures, limits)


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """A body that is there already."""
    yield data
