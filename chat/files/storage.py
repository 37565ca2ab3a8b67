"""The storage of file bytes: a folder, or an S3 bucket, by the setting FILES_URL."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from chat.files.models import Span, StorageAway, StorageFull
from chat.shared.errors import ApiError


class Storage(Protocol):
    """Objects under keys such as `012/3012/a1b2`. Each is written once and completely, and is then durable.

    All methods raise `StorageFull` or `StorageAway`.
    """

    async def put(self, key: str, body: AsyncIterable[bytes]) -> int:
        """Store the body and return its size. If `body` raises, raise the same and store nothing."""

    def read(self, key: str, span: Span) -> AsyncIterator[bytes]:
        """Yield these bytes of the object."""

    async def drop(self, key: str) -> None:
        """Delete this object, if it exists."""

    async def delete(self, folder: str) -> None:
        """Delete all objects whose key begins with `folder/`."""


def open_storage(url: str) -> Storage:
    """Open `file:///srv/files`, `file:files` (relative to the working directory), or
    `s3://bucket/prefix?endpoint=…&region=…`."""
    parts = urlsplit(url)
    return Bucket(url) if parts.scheme == "s3" else Disk(Path(unquote(parts.path)))


# A folder. Files that the database does not name are ignored: a node died before it recorded one, or the database was
# restored to an earlier moment. A later file may get the same key, because ids are then given again.

BLOCK = 256 * 1024  # written or read by a thread at once
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Disk:
    """A `Storage` in this folder, which is created with the first file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, body: AsyncIterable[bytes]) -> int:
        """Store the body, synced to the disk, and replace an earlier file; remove an incomplete one."""
        path = self._folder / key
        draft = path.with_name(f"{path.name}.{token_hex(4)}.part")
        try:
            file = await asyncio.to_thread(create, draft)
            try:
                size = await self._write(file, body)
                await asyncio.to_thread(publish, draft, path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            finally:
                file.close()
        except OSError as error:
            raise storage_error(error) from error
        return size

    async def _write(self, file: BinaryIO, body: AsyncIterable[bytes]) -> int:
        size, block = 0, bytearray()
        async for piece in body:
            block += piece
            if len(block) >= BLOCK:
                size += await asyncio.to_thread(file.write, bytes(block))
                block = bytearray()
        return size + await asyncio.to_thread(finish, file, bytes(block))

    async def read(self, key: str, span: Span) -> AsyncIterator[bytes]:
        """Yield these bytes of the file."""
        try:
            file = await asyncio.to_thread(open_at, self._folder / key, span.start)
            with file:
                left = span.end - span.start
                while left and (block := await asyncio.to_thread(file.read, min(BLOCK, left))):
                    left -= len(block)
                    yield block
        except OSError as error:
            raise storage_error(error) from error

    async def drop(self, key: str) -> None:
        try:
            (self._folder / key).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error) from error

    async def delete(self, folder: str) -> None:
        """Delete the folder with its files."""
        try:
            await asyncio.to_thread(remove, self._folder / folder)
        except OSError as error:
            raise storage_error(error) from error


def create(path: Path) -> BinaryIO:
    """Create a file that only this program's user can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def publish(draft: Path, path: Path) -> None:
    """Give the file its name, durably."""
    draft.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def finish(file: BinaryIO, rest: bytes) -> int:
    """Write the rest, and sync the file to the disk."""
    size = file.write(rest)
    file.flush()
    os.fsync(file.fileno())
    return size


def open_at(path: Path, start: int) -> BinaryIO:
    """Open the file for reading from this position."""
    file = path.open("rb", buffering=0)
    file.seek(start)
    return file


def remove(folder: Path) -> None:
    """Delete the folder, if it exists."""
    if folder.exists():
        shutil.rmtree(folder)


def storage_error(error: OSError) -> ApiError:
    """Return the error for the caller."""
    return StorageFull() if error.errno in FULL else StorageAway(retry_after=5)


# An S3 bucket. Credentials come from the usual AWS variables or roles.

CHUNK = 5 * 1024 * 1024  # the least size of a part in S3
AT_ONCE = 2  # chunks of one upload in memory
S3_BLOCK = 256 * 1024
AWAY: tuple[type[Exception], ...] = (BaseError, OSError)  # a missing object is an OSError


class Bucket:
    """A `Storage` at `s3://bucket/prefix?endpoint=https://…&region=…`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        config: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
        plain = str(config.get("endpoint", "")).startswith("http:")
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={"allow_http": plain, "timeout": "60s", "connect_timeout": "5s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
            **config,
        )

    async def put(self, key: str, body: AsyncIterable[bytes]) -> int:
        """Store a small body at once, else in parts that become one object at the end."""
        counted = CountedBody(body)
        try:
            await obstore.put_async(self._store, key, counted, chunk_size=CHUNK, max_concurrency=AT_ONCE)
        except AWAY as error:
            raise counted.raised or StorageAway(retry_after=5) from error
        return counted.size

    async def read(self, key: str, span: Span) -> AsyncIterator[bytes]:
        """Yield these bytes of the object."""
        try:
            found = await obstore.get_async(self._store, key, options={"range": (span.start, span.end)})
            async for block in found.stream(min_chunk_size=S3_BLOCK):
                yield bytes(block)
        except AWAY as error:
            raise StorageAway(retry_after=5) from error

    async def drop(self, key: str) -> None:
        """Delete this object; S3 accepts a missing one."""
        try:
            await obstore.delete_async(self._store, key)
        except AWAY as error:
            raise StorageAway(retry_after=5) from error

    async def delete(self, folder: str) -> None:
        """Delete all objects of this folder."""
        try:
            async for found in obstore.list(self._store, prefix=folder):
                await obstore.delete_async(self._store, [one["path"] for one in found])
        except AWAY as error:
            raise StorageAway(retry_after=5) from error


class CountedBody:
    """A body that counts its bytes and keeps its error, because the library does not pass the error on."""

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self._body, self.size = body, 0
        self.raised: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                self.size += len(piece)
                yield piece
        except Exception as error:
            self.raised = error
            raise
