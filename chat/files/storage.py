"""The storage: where the bytes of files lie. A folder, or a bucket of anything that speaks S3, as FILES_URL says."""

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from chat.files.bucket import Bucket
from chat.files.disk import Disk
from chat.files.span import Span


class Storage(Protocol):
    """Objects under keys such as `012/3012/a1b2`. Each is written once, whole or not at all, and durable when it is.

    All raise `StorageFull` or `StorageAway`.
    """

    async def put(self, key: str, body: AsyncIterable[bytes]) -> int:
        """Store it; its size. What `body` raises is raised, and nothing is stored."""

    def read(self, key: str, span: Span) -> AsyncIterator[bytes]:
        """These bytes of it, in pieces."""

    async def drop(self, key: str) -> None:
        """This object, if it is there."""

    async def delete(self, folder: str) -> None:
        """Everything whose key begins with `folder/`, if there is anything."""


def open_storage(url: str) -> Storage:
    """`file:///srv/files`, `file:files` (from the working directory), or `s3://bucket/prefix?endpoint=…&region=…`."""
    parts = urlsplit(url)
    return Bucket(url) if parts.scheme == "s3" else Disk(Path(unquote(parts.path)))
