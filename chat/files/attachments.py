"""Attachments: put uploaded files into messages, take them out, and remove files that are in no message."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import orjson
import structlog
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from chat.files.models import File, StorageAway, folder_of
from chat.files.storage import Storage
from chat.log.append import Change
from chat.model.message import Message
from chat.shared.errors import Invalid
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.sql import load

queries = load(__file__)


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
    """Attach files to a batch of posts: the step of a post that `PostStep` describes. Free if there are none."""

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
log = structlog.get_logger(__name__)


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
