"""Uploads: begun, received piece by piece, looked at when all is there; or given up."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex

from chat.files.images import ImageInfo, Pictures, Trace, overwrite
from chat.files.models import (
    HEAD_BYTES,
    PICTURES,
    UNKNOWN,
    EmptyFile,
    File,
    FileTooLarge,
    Piece,
    QuotaFull,
    Span,
    TooManyPieces,
    WrongOffset,
    clean_name,
    find_type,
    folder_of,
    preview_key,
    stretches,
)
from chat.files.storage import Storage, open_storage
from chat.shared.bodies import UploadBody
from chat.shared.errors import ApiError, NotFound, RateLimited
from chat.shared.postgres import Pool
from chat.shared.rate_limits import Limit
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)

PREVIEWS = ("small", "large")

PICTURE_MOST = 32 * 1024 * 1024  # bytes; what is larger gets no preview, and is not shown in place

MEGABYTE = 1_000_000

PIECES_MOST = 1_000  # of one file: stored, and sent


@dataclass(frozen=True, slots=True)
class Limits:
    """`size`: bytes of one file; `quota`: bytes of all that one person's files have together; `piece`: the least bytes
    that a stored piece has, but for the last."""

    size: int
    quota: int
    piece: int

    def least_piece(self, size: int) -> int:
        """Return the least bytes of a stored piece of a file of this size, so that there are at most PIECES_MOST."""
        return max(self.piece, -(-size // PIECES_MOST))


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

    async def receive(self, file: File, offset: int, body: UploadBody) -> int:
        """Store one more piece; return where the upload stands then. What came before a cut is kept, and `body.cut`
        says so. A piece that follows a short one is stored together with it.

        Raise `WrongOffset`, `TooManyPieces`, `TooLarge`, `StorageFull`, `StorageAway`; then nothing of it is kept.
        """
        if file.received != offset:
            raise WrongOffset
        tail = await self._find_tail(file)
        start = tail.start if tail else offset
        key = f"{folder_of(file.id)}/{token_hex(8)}"
        size = await self.storage.put(key, self._with_tail(tail, body))
        if start + size == offset:
            await self.storage.drop(key)
            return offset
        try:
            await self._note(file.id, offset, Piece(start, size, key))
        except WrongOffset:
            await self.storage.drop(key)
            raise
        if tail:
            await self.storage.drop(tail.key)
        self.received += body.size
        return start + size

    async def _find_tail(self, file: File) -> Piece | None:
        """Return the last piece if it is too short to stay; raise `TooManyPieces`."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_tail, [file.id])).fetchone()
        if row is None:
            raise WrongOffset
        sent, *last = row
        if sent >= PIECES_MOST:
            raise TooManyPieces
        return Piece(*last) if last[0] is not None and last[1] < self._limits.least_piece(file.size) else None

    async def _with_tail(self, tail: Piece | None, body: UploadBody) -> AsyncIterator[bytes]:
        if tail:
            async for block in self.storage.read(tail.key, Span(0, tail.size)):
                yield block
        async for block in body:
            yield block

    async def _note(self, file_id: int, offset: int, piece: Piece) -> None:
        """Count the piece instead of one that it contains; raise `WrongOffset` for one that came too late."""
        async with self._pool.connection() as connection, connection.transaction():
            moved = {"file": file_id, "offset": offset, "received": piece.start + piece.size}
            if await (await connection.execute(queries.move_received, moved)).fetchone() is None:
                raise WrongOffset
            await connection.execute(queries.drop_piece, [file_id, piece.start])
            await connection.execute(queries.insert_piece, [file_id, piece.start, piece.size, piece.key])

    def is_short(self, file: File, body: UploadBody) -> bool:
        """Return whether a piece that came whole is shorter than it has to be, and not the file's last."""
        return not body.cut and body.size < self._limits.piece and file.received + body.size < file.size

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
        except ApiError as refusal:
            if refusal.status < 500 and not isinstance(refusal, RateLimited):  # an empty piece asks for another look
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

    async def _look(self, file: File) -> tuple[str, ImageInfo | None]:
        """Its type by its content; what claims to be a picture and is none is nothing in particular."""
        head = b"".join([piece async for piece in self.read(file, Span(0, min(HEAD_BYTES, file.size)))])
        media_type = find_type(head)
        if media_type not in PICTURES or file.size > PICTURE_MOST:
            return media_type, None
        look = await self.pictures.look("previews", self.read(file, Span(0, file.size)), file.owner_id)
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


def open_uploads(pool: Pool, settings: Settings, pixels: Limit | None = None) -> Uploads:
    """Return uploads with the storage and the limits that the settings name; `pixels`: what a user may spend."""
    limits = Limits(settings.max_file_bytes, settings.files_quota, settings.piece_least)
    pictures = Pictures(settings.picture_pixels, settings.strip_pictures, pixels)
    return Uploads(pool, open_storage(settings.files_url), pictures, limits)


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """A body that is there already."""
    yield data
