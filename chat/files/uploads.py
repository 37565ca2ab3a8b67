"""Uploads: create, receive piece by piece, process when complete, cancel; put into messages, take out, and remove."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import NamedTuple, Protocol

import orjson
import structlog
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from chat.files.images import ImageInfo, MetadataSpan, Pictures, overwrite
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
    StorageAway,
    TooManyPieces,
    WrongOffset,
    clean_name,
    find_type,
    folder_of,
    piece_spans,
    preview_key,
)
from chat.files.storage import Storage, open_storage
from chat.log.append import Change
from chat.model.message import Message
from chat.shared.bodies import UploadBody
from chat.shared.errors import ApiError, Invalid, NotFound, RateLimited
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.rate_limits import Limit
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
log = structlog.get_logger(__name__)
PREVIEWS = ("small", "large")
PICTURE_MOST = 32 * 1024 * 1024  # bytes; larger images get no preview and are not shown inline
MEGABYTE = 1_000_000
PIECES_MOST = 1_000  # of one file, stored or sent


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of uploads in bytes.

    `size` is of one file, `imported` of one that an admin imports, and `quota` of all files of a user. `piece` is the
    least size of a stored piece except the last.
    """

    size: int
    quota: int
    piece: int
    imported: int

    def most_pieces(self, size: int) -> int:
        """Return how many pieces a client may send for a file of this size."""
        return max(PIECES_MOST, 2 * size // self.piece)

    def least_piece(self, size: int) -> int:
        """Return the least size of a stored piece for a file of this size, so that it has at most PIECES_MOST."""
        return max(self.piece, -(-size // PIECES_MOST))


class UploadState(NamedTuple):
    """Bytes received and to be received, and the metadata as the client sent it."""

    received: int
    size: int
    metadata: str


class Uploads:
    """Files before they are posted. `received` and `sent` count bytes, `finished` files."""

    def __init__(self, pool: Pool, storage: Storage, pictures: Pictures, limits: Limits) -> None:
        self._pool, self.storage, self.pictures, self._limits = pool, storage, pictures, limits
        self.received = self.sent = self.finished = 0

    async def begin(self, owner_id: int, name: str, size: int, metadata: str = "", *, for_import: bool = False) -> File:
        """Create an upload of `size` bytes; raise `EmptyFile`, `FileTooLarge`, `QuotaFull`.

        A file to import has a limit of its own, uses no quota, and cannot be put into a message.
        """
        self._check_size(size, self._limits.imported if for_import else self._limits.size)
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(queries.lock_owner, [owner_id])
            used = await (await connection.execute(queries.sum_sizes, [owner_id])).fetchone()
            if used and used[0] + size > self._limits.quota and not for_import:
                raise QuotaFull
            values = [owner_id, clean_name(name), size, metadata, for_import]
            row = await (await connection.execute(queries.insert_file, values)).fetchone()
        assert row is not None
        return File(*row)

    def _check_size(self, size: int, limit: int) -> None:
        if size < 1:
            raise EmptyFile
        if size > limit:
            most = f"{limit / MEGABYTE:,.0f} MB"
            raise FileTooLarge(f"This file is larger than this server allows ({most}).")

    async def find(self, owner_id: int, file_id: int) -> File:
        """Return the owner's file that is in no message yet; raise `NotFound`."""
        return await self._read(queries.find_upload, [file_id, owner_id])

    async def find_state(self, owner_id: int, file_id: int) -> UploadState:
        """Return how far the owner's upload is; raise `NotFound` as `find` does."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_state, [file_id, owner_id])).fetchone()
        if row is None:
            raise NotFound
        return UploadState(*row)

    async def find_readable(self, member: Member, file_id: int) -> File:
        """Return a file that the caller may read; raise `NotFound`."""
        return await self._read(queries.find_readable, {"file": file_id, "user": member.user_id, "only": member.only})

    async def _read(self, query: bytes, asked: Sequence[object] | Mapping[str, object]) -> File:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query, asked)).fetchone()
        if row is None:
            raise NotFound
        return File(*row)

    async def receive(self, file: File, offset: int, body: UploadBody) -> int:
        """Store a piece and return the new offset. A piece that follows a short one is stored together with it.

        If the body is cut, the bytes before that are kept, and `body.cut` is the reason. Raise `WrongOffset`,
        `TooManyPieces`,
        `TooLarge`, `StorageFull`, `StorageAway`; then nothing is kept.
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
            await self._record_piece(file.id, offset, Piece(start, size, key))
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
        if sent >= self._limits.most_pieces(file.size):
            raise TooManyPieces
        return Piece(*last) if last[0] is not None and last[1] < self._limits.least_piece(file.size) else None

    async def _with_tail(self, tail: Piece | None, body: UploadBody) -> AsyncIterator[bytes]:
        if tail:
            async for block in self.storage.read(tail.key, Span(0, tail.size)):
                yield block
        async for block in body:
            yield block

    async def _record_piece(self, file_id: int, offset: int, piece: Piece) -> None:
        """Record the piece instead of the one that it contains; raise `WrongOffset` if another request was faster."""
        async with self._pool.connection() as connection, connection.transaction():
            moved = {"file": file_id, "offset": offset, "received": piece.start + piece.size}
            if await (await connection.execute(queries.move_received, moved)).fetchone() is None:
                raise WrongOffset
            await connection.execute(queries.drop_piece, [file_id, piece.start])
            await connection.execute(queries.insert_piece, [file_id, piece.start, piece.size, piece.key])

    def is_short(self, file: File, body: UploadBody) -> bool:
        """Return whether a piece that arrived completely is too short, and not the file's last."""
        return not body.cut and body.size < self._limits.piece and file.received + body.size < file.size

    async def fix_size(self, file: File) -> None:
        """Set the file's size to the bytes received."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.fix_size, [file.id])

    async def finish(self, owner_id: int, file_id: int) -> File:
        """Process the file if it is complete, once. Raise `NotFound`, or `TooManyPixels` after removing it."""
        file = await self.find(owner_id, file_id)
        if file.ready or not file.whole:
            return file
        try:
            media_type, image = await self._inspect(file)
            for size, webp in zip(PREVIEWS, image.webps if image else (), strict=False):
                await self.storage.put(preview_key(file.id, size), one_piece(webp))
            if image and image.metadata:
                await self._overwrite(file, image.metadata)
        except ApiError as refusal:
            if refusal.status < 500 and not isinstance(refusal, RateLimited):  # an empty piece retries
                await self.cancel(owner_id, file_id)
            raise
        shape = (image.width, image.height, True) if image else (None, None, False)
        self.finished += 1
        return await self._read(queries.make_ready, [media_type, *shape, file.id])

    async def _overwrite(self, file: File, metadata: Sequence[MetadataSpan]) -> None:
        """Remove the metadata from the original, which is one piece of the same size from then on."""
        key = f"{folder_of(file.id)}/{token_hex(8)}"
        size = await self.storage.put(key, overwrite(self.read(file, Span(0, file.size)), metadata))
        async with self._pool.connection() as connection, connection.transaction():
            dropped = await (await connection.execute(queries.drop_pieces, [file.id])).fetchall()
            await connection.execute(queries.insert_piece, [file.id, 0, size, key])
        for (old_key,) in dropped:
            await self.storage.drop(old_key)

    async def _inspect(self, file: File) -> tuple[str, ImageInfo | None]:
        """Return the file's type by its content, with the image; a broken image has the type UNKNOWN."""
        head = b"".join([piece async for piece in self.read(file, Span(0, min(HEAD_BYTES, file.size)))])
        media_type = find_type(head)
        if media_type not in PICTURES or file.size > PICTURE_MOST:
            return media_type, None
        image = await self.pictures.process("previews", self.read(file, Span(0, file.size)), file.owner_id)
        return media_type if image else UNKNOWN, image

    async def read(self, file: File, span: Span) -> AsyncIterator[bytes]:
        """Yield these bytes of the file from its pieces."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.list_pieces, [file.id])).fetchall()
        for key, part in piece_spans([Piece(*row) for row in rows], span):
            async for block in self.storage.read(key, part):
                yield block

    async def cancel(self, owner_id: int, file_id: int) -> None:
        """Cancel the upload; the clean-up deletes its bytes. Raise `NotFound`, also for a posted file."""
        async with self._pool.connection() as connection:
            if not await (await connection.execute(queries.remove_upload, [file_id, owner_id])).fetchone():
                raise NotFound


def open_uploads(pool: Pool, settings: Settings, pixels: Limit | None = None) -> Uploads:
    """Return uploads with the storage and limits of the settings. `pixels` is the limit of each user."""
    limits = Limits(settings.max_file_bytes, settings.files_quota, settings.piece_least, settings.max_import_bytes)
    pictures = Pictures(settings.picture_pixels, settings.strip_pictures, pixels)
    return Uploads(pool, open_storage(settings.files_url), pictures, limits)


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """Yield the data as a body."""
    yield data


# In messages: attach uploaded files, take them out, and remove files that are in no message.


class AttachingDraft(Protocol):
    """The part of a draft that attachments need."""

    @property
    def files(self) -> Sequence[int]:
        """The ids of the files to attach."""


class AttachingPost(Protocol):
    """The parts of a post that attachments need."""

    @property
    def draft(self) -> AttachingDraft:
        """The draft."""

    @property
    def file_owner_id(self) -> int:
        """The user that must own them."""


class Attachments:
    """Attach files to a batch of posts: the step of a post that `PostStep` describes."""

    def __init__(self, posts: Iterable[AttachingPost]) -> None:
        self._file_ids = sorted({file_id for post in posts for file_id in post.draft.files})
        self._cursor: AsyncCursor[TupleRow] | None = None
        self._free: dict[int, File] = {}
        self._reserved: dict[int, File] = {}
        self._attached: list[tuple[int, int, int]] = []
        self._shown: list[tuple[int, int, str]] = []

    async def load(self, change: Change) -> None:
        """Queue the look-up of the files, locked against the clean-up. The conversations must be locked."""
        if self._file_ids:
            self._cursor = await change.connection.execute(queries.lock_files, [self._file_ids])

    async def receive(self) -> None:
        """Fetch the files."""
        if self._cursor is not None:
            self._free = {row[0]: File(*row) for row in await self._cursor.fetchall()}

    def reject(self, post: AttachingPost, now: datetime) -> Invalid | None:  # noqa: ARG002 (PostStep names it)
        """Return `Invalid` if a file is not the owner's, not complete, or in a message already."""
        if wrong := [file_id for file_id in post.draft.files if not self._is_free(post.file_owner_id, file_id)]:
            listed = ", ".join(map(str, wrong))
            detail = f"you have no file {listed} that has been sent to its end and is in no message yet"
            return Invalid(errors=[{"field": "files", "detail": detail}])
        return None

    def _is_free(self, owner_id: int, file_id: int) -> bool:
        file = self._free.get(file_id)
        return file is not None and file.ready and file.owner_id == owner_id

    def accept(self, post: AttachingPost, now: datetime) -> None:  # noqa: ARG002 (PostStep names it)
        """Reserve the files, so that no other post of the batch gets them."""
        if post.draft.files:
            self._reserved |= {file_id: self._free.pop(file_id) for file_id in post.draft.files}

    def apply(self, change: Change, post: AttachingPost, message: Message) -> Message:  # noqa: ARG002 (as above)
        """Return the message with its files."""
        if not post.draft.files:
            return message
        shown = [self._reserved[file_id].to_json() for file_id in post.draft.files]
        self._attached += [(file_id, message.conversation, message.seq) for file_id in post.draft.files]
        self._shown.append((message.conversation, message.seq, orjson.dumps(shown).decode()))
        return message._replace(files=shown)

    async def write(self, change: Change) -> None:
        """Attach the files to the messages, whose rows exist already."""
        if self._attached:
            await attach_files(change, self._attached, self._shown)


async def attach_files(
    change: Change, attached: Sequence[tuple[int, int, int]], shown: Sequence[tuple[int, int, str]]
) -> None:
    """Attach files to messages whose rows exist: `(file, conversation, seq)`, and the files' JSON by message."""
    await change.connection.execute(queries.attach_files, [*map(list, zip(*attached, strict=True))])
    await change.connection.execute(queries.show_files, [*map(list, zip(*shown, strict=True))])


async def detach_files(
    change: Change, conversation_id: int, seq: int, kept: Sequence[object] = (), *, free: bool = False
) -> None:
    """Remove the message's files except those that stay; the clean-up deletes their bytes. `free`: only take them out
    of the message, so that their owner can post them again."""
    if free:
        await change.connection.execute(queries.free_files, [conversation_id, seq])
        return
    await change.connection.execute(queries.detach_files, [conversation_id, seq, list(kept)])


# Clean-up: delete the bytes of removed files, and uploads that were never posted. Every node does it; a second deletion
# does nothing.

PAUSE = 30.0
ABANDONED_SECONDS = 24 * 3600
BATCH = 100
AWAY: tuple[type[Exception], ...] = (StorageAway, *UNAVAILABLE)


class FileCleanup:
    """The background task of a node."""

    def __init__(self, pool: Pool, storage: Storage) -> None:
        self._pool, self._storage = pool, storage

    async def run(self) -> None:
        """Clean up forever; retry while the storage or the database is unavailable."""
        while True:
            try:
                while await self.step() == BATCH:
                    pass
            except AWAY as error:
                log.warning("storage unavailable, removed files stay", error=repr(error))
            await asyncio.sleep(PAUSE)

    async def step(self) -> int:
        """Delete a batch of files and return their number.

        The bytes are deleted first, because nothing would find them without the file's row.
        """
        async with self._pool.connection() as connection:
            await connection.execute(queries.remove_abandoned, [ABANDONED_SECONDS])
            rows = await (await connection.execute(queries.list_removed, [BATCH])).fetchall()
        for (file_id,) in rows:
            await self._storage.delete(folder_of(file_id))
            async with self._pool.connection() as connection:
                await connection.execute(queries.drop_file, [file_id])
        return len(rows)
