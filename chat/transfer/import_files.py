"""Importing the bytes of files, avatars and custom emoji, through the checks of an upload: size, quota, image worker.

A file is uploaded before the transaction that inserts its message. After a kill in between, it is removed like every
upload that is never posted, and uploaded again.
"""

import asyncio
import zipfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import IO, Literal

from chat.accounts.pictures import EmojiNameTaken, NewEmoji, TooManyEmoji, import_emoji, store_avatar
from chat.files.images import ImageInfo
from chat.files.models import File
from chat.files.uploads import Uploads
from chat.log.append import Log
from chat.model.types import FILES_MOST
from chat.shared.bodies import UploadBody
from chat.shared.errors import ApiError, NotFound, RateLimited
from chat.transfer.archive import FileArchive
from chat.transfer.errors import NoFileStore
from chat.transfer.records import AttachmentRecord, EmojiRecord, ImportCounts, MessageRecord, SkippedItem
from chat.transfer.undo import Trail

BLOCK = 256 * 1024
SECONDS = 3600.0  # beyond the time for the size
AVATAR_MOST = 8 * 1024 * 1024  # bytes
AVATAR_SIDE, EMOJI_SIDE = 256, 128
EMOJI_BYTES = 128 * 1024  # of a picture that is stored as it is
FOLDERS = ("", "data/")  # Mattermost's paths begin below data/
WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
PIXELS = {b"VP8 ", b"VP8L", b"ALPH"}
FRAME_HEAD = 16  # bytes before the chunks of a frame
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
Body = AsyncIterator[bytes]
Kind = Literal["avatar", "emoji"]
# Return the size and the bytes of a file at the source, or None if it cannot be fetched.
Fetch = Callable[[AttachmentRecord], Awaitable[tuple[int, Body] | None]]


@dataclass(frozen=True, slots=True)
class FileStore:
    """Where an import stores files: the server's uploads.

    `directory` and `emoji_most`: the settings. `owner`: the user who is charged, otherwise each author. `fetch`: for
    files that are not in the archive; `prefetch` begins with files that `fetch` will be asked for.
    """

    uploads: Uploads
    directory: str = "all"
    emoji_most: int = 500
    owner: int | None = None
    fetch: Fetch | None = None
    prefetch: Callable[[Iterable[AttachmentRecord]], None] | None = None


class FileImporter:
    """Stores the files of one source. What cannot be stored is counted, with its path or address."""

    def __init__(self, store: FileStore | None, archive: FileArchive | None, exact: bool, counts: ImportCounts) -> None:
        self._store, self._archive, self._exact, self._counts = store, archive, exact, counts

    def has_bytes(self, message: MessageRecord) -> bool:
        """Return whether files of the message can be stored."""
        return any(map(self._can_open, message.files))

    def _can_open(self, file: AttachmentRecord) -> bool:
        if self._store is None:
            return False
        return bool(file.path and self._archive) or bool(file.url and self._store.fetch)

    def prefetch(self, messages: Iterable[MessageRecord]) -> None:
        """Begin to fetch the files of these messages: several at once, instead of one after the other."""
        if self._store and self._store.prefetch:
            self._store.prefetch(file for one in messages for file in one.files[:FILES_MOST])

    async def store_all(self, author: int, files: Sequence[AttachmentRecord]) -> list[File | None]:
        """Return the stored file for each file of a message, or None. At most 20 are stored."""
        return [await self._store_one(author, file) if n < FILES_MOST else None for n, file in enumerate(files)]

    async def _store_one(self, author: int, file: AttachmentRecord) -> File | None:
        assert self._store is not None
        try:
            opened = await self._open(file)
            if opened:
                stored = await self.store(self._store.owner or author, file.name, *opened)
                self._counts.files += 1
                return stored
        except ApiError as error:
            if error.status >= 500 and not isinstance(error, RateLimited):
                raise NoFileStore(str(error)) from None
            self._skip(f"files: {error}", file)
        except DAMAGED:
            self._skip("files that are damaged in the archive", file)
        return None

    async def store(self, owner: int, name: str, size: int, body: Body) -> File:
        """Upload a file for this user. Raise `ApiError` as an upload does, or what `body` raises."""
        assert self._store is not None
        uploads = self._store.uploads
        file = await uploads.begin(owner, name, size)
        try:
            async with aclosing(body) as source:  # type: ignore[type-var]
                await uploads.receive(file, 0, UploadBody(source, size, SECONDS))
            if not (stored := await uploads.finish(owner, file.id)).ready:
                raise EOFError
        except BaseException:
            with suppress(NotFound):
                await uploads.cancel(owner, file.id)
            raise
        return stored

    async def _open(self, file: AttachmentRecord) -> tuple[int, Body] | None:
        """Return the size and the bytes of a file."""
        assert self._store is not None
        if file.path and self._archive:
            for folder in FOLDERS:
                if (size := self._archive.size_of(folder + file.path)) is not None:
                    return size, blocks_of(self._archive.open(folder + file.path))
            self._skip("files that the archive does not have", file)
        if file.url and self._store.fetch:
            if fetched := await self._store.fetch(file):
                return fetched
            self._skip("files that could not be fetched", file)
        return None

    def _skip(self, what: str, file: AttachmentRecord) -> None:
        self._counts.skip(SkippedItem(what, file.path or file.url or file.name))

    async def set_avatars(self, log: Log, avatars: Iterable[tuple[int, AttachmentRecord]]) -> None:
        """Store the avatars of users who have none. What is not a picture is counted."""
        for user_id, file in avatars:
            if not self._can_open(file) or (read := await self._read_picture("avatar", user_id, file)) is None:
                continue
            data, image = read
            kept = self._exact and image.width == image.height <= AVATAR_SIDE and is_plain_webp(data)
            async with log.change() as change:
                await store_avatar(change, self._directory, user_id, data if kept else image.webps[0])
            self._counts.files += 1

    async def add_emoji(self, log: Log, trail: Trail, emoji: EmojiRecord, user_id: int | None) -> None:
        """Add a custom emoji. One whose name has another picture here is counted, as is one without a picture."""
        if self._store is None or not self._can_open(emoji.picture):
            self._skip(f"custom emoji :{emoji.name}:, whose picture was not imported", emoji.picture)
            return
        if (read := await self._read_picture("emoji", user_id or 0, emoji.picture)) is None:
            return
        data, image = read
        small = max(image.width, image.height) <= EMOJI_SIDE and len(data) <= EMOJI_BYTES
        picture, *stills = image.webps
        if self._exact and small and is_plain_webp(data):
            picture = data
        still = stills[0] if stills else None
        try:
            async with log.change() as change:
                new = NewEmoji(emoji.name, user_id, picture, still, emoji.created_at)
                if made := await import_emoji(change, self._store.emoji_most, new):
                    await trail.add_emoji(change, made.id)
                    self._counts.files += 1
        except EmojiNameTaken:
            self._skip(f"custom emoji :{emoji.name}:, whose name has another picture here", emoji.picture)
        except TooManyEmoji:
            self._skip("custom emoji beyond the number that CUSTOM_EMOJI_MOST allows", emoji.picture)

    @property
    def _directory(self) -> str:
        return self._store.directory if self._store else "all"

    async def _read_picture(self, kind: Kind, user_id: int, file: AttachmentRecord) -> tuple[bytes, ImageInfo] | None:
        """Return the bytes of a picture and what the image worker made of them. What is no picture is counted."""
        assert self._store is not None
        try:
            if (opened := await self._open(file)) is None:
                return None
            data = b"".join([block async for block in UploadBody(opened[1], min(opened[0], AVATAR_MOST), SECONDS)])
            image = await self._store.uploads.pictures.process(kind, whole(data), user_id)
        except (ApiError, *DAMAGED):
            image = None
        if image is None:
            what = "avatars" if kind == "avatar" else "custom emoji"
            self._skip(f"{what} that are not pictures, or too large", file)
            return None
        return data, image


async def blocks_of(file: IO[bytes]) -> Body:
    """Yield the bytes of a file of the archive, and close it."""
    with file:
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block


async def whole(data: bytes) -> Body:
    """Yield all of the data."""
    yield data


def is_plain_webp(data: bytes) -> bool:
    """Return whether these bytes are a WebP of pixels alone, without metadata or other bytes. Linear."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or int.from_bytes(data[4:8], "little") + 8 != len(data):
        return False
    return are_pixels(data, 12, len(data), WEBP_CHUNKS)


def are_pixels(data: bytes, at: int, end: int, known: Collection[bytes]) -> bool:
    """Return whether this part of a WebP consists of these chunks, as do the frames of an animation. Linear."""
    while at < end:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name not in known:
            return False
        inner = at + 8 + FRAME_HEAD
        if name == b"ANMF" and not are_pixels(data, inner, min(end, at + 8 + size), PIXELS):
            return False
        at += 8 + size + size % 2
    return at == end
