"""Files in a folder. Nothing in it is ever written twice, and what the database does not name is not looked at."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import BinaryIO

from chat.files.refusals import StorageAway, StorageFull
from chat.files.span import Span
from chat.shared.problems import Refusal

BLOCK = 256 * 1024  # what one thread writes or reads at once
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Disk:
    """A `Storage` in this folder, which is made when the first file comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, body: AsyncIterable[bytes]) -> int:
        """Synced to the disk when it returns; a file that is not is removed."""
        path = self._folder / key
        try:
            file = await asyncio.to_thread(create, path)
            try:
                size = await self._write(file, body)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            finally:
                file.close()
        except OSError as error:
            raise refusal_for(error) from error
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
        """These bytes of it."""
        try:
            file = await asyncio.to_thread(open_at, self._folder / key, span.start)
            with file:
                left = span.end - span.start
                while left and (block := await asyncio.to_thread(file.read, min(BLOCK, left))):
                    left -= len(block)
                    yield block
        except OSError as error:
            raise refusal_for(error) from error

    async def drop(self, key: str) -> None:
        """This file."""
        try:
            (self._folder / key).unlink(missing_ok=True)
        except OSError as error:
            raise refusal_for(error) from error

    async def delete(self, folder: str) -> None:
        """The folder, with all in it."""
        try:
            await asyncio.to_thread(remove, self._folder / folder)
        except OSError as error:
            raise refusal_for(error) from error


def create(path: Path) -> BinaryIO:
    """A new file, for nobody but this program's user to read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    sync_folder(path.parent)
    return file


def sync_folder(folder: Path) -> None:
    """That the file is there outlasts a power cut, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def finish(file: BinaryIO, rest: bytes) -> int:
    """The last of it; then all of it on the disk."""
    size = file.write(rest)
    file.flush()
    os.fsync(file.fileno())
    return size


def open_at(path: Path, start: int) -> BinaryIO:
    """The file, to be read from there on."""
    file = path.open("rb", buffering=0)
    file.seek(start)
    return file


def remove(folder: Path) -> None:
    """As if it had never been."""
    if folder.exists():
        shutil.rmtree(folder)


def refusal_for(error: OSError) -> Refusal:
    """What the caller reads of it."""
    return StorageFull() if error.errno in FULL else StorageAway(retry_after=5)
