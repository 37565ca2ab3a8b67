"""Files in a bucket of anything that speaks S3. Who may write there is told by the usual AWS variables or roles."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from chat.files.refusals import StorageAway
from chat.files.span import Span

CHUNK = 5 * 1024 * 1024  # the least that S3 takes as one part of many
AT_ONCE = 2  # chunks of one upload that are held in memory
BLOCK = 256 * 1024
AWAY: tuple[type[Exception], ...] = (BaseError, OSError)  # what is not found is an OSError


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
        """In one go where it is small, else in parts that become one object at the end."""
        counted = Counted(body)
        try:
            await obstore.put_async(self._store, key, counted, chunk_size=CHUNK, max_concurrency=AT_ONCE)
        except AWAY as error:
            raise counted.raised or StorageAway(retry_after=5) from error
        return counted.size

    async def read(self, key: str, span: Span) -> AsyncIterator[bytes]:
        """These bytes of it."""
        try:
            found = await obstore.get_async(self._store, key, options={"range": (span.start, span.end)})
            async for block in found.stream(min_chunk_size=BLOCK):
                yield bytes(block)
        except AWAY as error:
            raise StorageAway(retry_after=5) from error

    async def drop(self, key: str) -> None:
        """This object; S3 does not mind when there is none."""
        try:
            await obstore.delete_async(self._store, key)
        except AWAY as error:
            raise StorageAway(retry_after=5) from error

    async def delete(self, folder: str) -> None:
        """All objects of this folder."""
        try:
            async for found in obstore.list(self._store, prefix=folder):
                await obstore.delete_async(self._store, [one["path"] for one in found])
        except AWAY as error:
            raise StorageAway(retry_after=5) from error


class Counted:
    """A body that knows how much of it has gone through, and what it raised: the library tells only that it did."""

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
