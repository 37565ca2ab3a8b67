"""The indexer follows the log, and writes the search vector of each message shortly after it was posted.

Posting does not depend on it. One node at a time indexes, by the lock of the row with the progress. That row moves in
the same transaction as the index, so another node that continues misses nothing. All messages are indexed again, in
pieces, if the log no longer reaches back to the progress, or if an earlier version wrote other vectors. New messages
go first.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import orjson
import psycopg
import structlog

from chat.log.entry import IMPORT, decode_frame
from chat.model.types import BODY_MOST
from chat.search.lexemes import encode_vector
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load

queries = load(__file__)
BATCH = 200  # entries or messages in one transaction
AT_ONCE, LONG = 5, 200  # messages of 200 characters between yields to the loop: about 0.25 ms
PAUSE = 0.5
KEEP_ALIVE = b"select"
INDEXED_MOST = 100_000  # bytes of a text
REST = 9  # while posts wait, per time worked: share of the node's time for indexing 25 % → at most 10 %
KINDS = {"message", "finish", "edit", "delete"}
RETRIED: tuple[type[Exception], ...] = (psycopg.Error, *UNAVAILABLE)  # a late index must not end the node
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """The log is indexed up to `position`.

    `walked`: the last message of a walk over all messages, if one is running. `terms_only`: it replaces terms alone;
    the messages that it has not reached have the keys of all windows.
    """

    position: int
    walked: tuple[int, int] | None
    terms_only: bool = False


@dataclass(frozen=True, slots=True)
class IndexedText:
    """A message, with what the index needs."""

    conversation: int
    seq: int
    position: int
    author: int
    said_at: datetime
    body: str
    deleted: bool
    names: list[str]


class Indexer:
    """The background task of a node. `batch`: entries or messages in one transaction.

    `busy()`: whether posts wait for their commit. Indexing then takes less time, because it can wait longer than posts.
    """

    def __init__(self, pool: Pool, batch: int = BATCH, busy: Callable[[], bool] = lambda: False) -> None:
        self._pool, self._batch, self._posts_wait = pool, batch, busy

    async def run(self) -> None:
        """Index what there is, then check twice a second."""
        while True:
            more, started = False, time.monotonic()
            try:
                more = await self.step()
            except RETRIED as error:
                log.warning("could not index messages, retrying", error=repr(error))
            rest = REST * (time.monotonic() - started) if self._posts_wait() else 0
            await asyncio.sleep(rest if more else PAUSE)

    async def step(self) -> bool:
        """Run one transaction. Return False if nothing is left, or if another node is indexing.

        New messages wait to be indexed together: a transaction for each took half as long as a post on an idle node.
        """
        async with self._pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(queries.lock_progress)).fetchone()
            if row is None:
                return False
            before = Progress(row[0], None if row[1] is None else (row[1], row[2]), row[3])
            after = await self._follow(connection, before)
            if after.walked:
                after = await self._walk(connection, after)
            if after != before:
                conversation, seq = after.walked or (None, None)
                fields = {"indexed": after.position, "conversation": conversation, "seq": seq}
                fields["terms_only"] = after.terms_only and after.walked is not None
                await connection.execute(queries.move_progress, fields)
        return after.walked is not None or after.position - before.position >= self._batch

    async def _follow(self, connection: Connection, progress: Progress) -> Progress:
        cursor = await connection.execute(queries.read_entries, [progress.position, self._batch], binary=True)
        if not (entries := await cursor.fetchall()):
            return progress
        if entries[0][0] != progress.position + 1:
            return await begin_walk(connection)
        places = {place_of(frame) for _, kind, _, _, frame in entries if kind in KINDS}
        places |= {(conversation, seq) for _, kind, conversation, seq, _ in entries if kind == IMPORT and seq}
        listed = [[place[0] for place in places], [place[1] for place in places]]
        rows = await connection.execute(queries.read_messages, listed, binary=True)
        await store(connection, [IndexedText(*row) for row in await rows.fetchall()])
        return replace(progress, position=entries[-1][0])

    async def _walk(self, connection: Connection, progress: Progress) -> Progress:
        parameters = [*(progress.walked or (0, 0)), self._batch]
        rows = await (await connection.execute(queries.walk_messages, parameters, binary=True)).fetchall()
        await store(connection, [IndexedText(*row) for row in rows])
        return replace(progress, walked=(rows[-1][0], rows[-1][1]) if rows else None)


async def begin_walk(connection: Connection) -> Progress:
    """Start a walk over all messages. The log has everything from now on; the walk indexes the rest."""
    row = await (await connection.execute(queries.read_head)).fetchone()
    assert row is not None
    log.info("indexing all messages", up_to=row[0])
    return Progress(row[0], (0, 0))


def place_of(frame: bytes) -> tuple[int, int]:
    """Return the conversation and seq of the message that an entry is about."""
    data = orjson.loads(decode_frame(frame)[2])
    return data["conversation"], data["seq"]


async def store(connection: Connection, texts: Sequence[IndexedText]) -> None:
    """Write the vectors of the messages, and delete those of deleted messages."""
    live = sorted((text for text in texts if not text.deleted), key=lambda text: text.position)
    deleted = [text for text in texts if text.deleted]
    columns = [
        [text.conversation for text in live],
        [text.seq for text in live],
        [text.position for text in live],
        [text.said_at for text in live],
        await encode(live, partial(connection.execute, KEEP_ALIVE)),
    ]
    if live:
        await connection.execute(queries.store_documents, columns)
        await note_days(connection, [text.position for text in live], [text.said_at for text in live])
    if deleted:
        places = [[text.conversation for text in deleted], [text.seq for text in deleted]]
        await connection.execute(queries.drop_documents, places)


async def note_days(connection: Connection, positions: Sequence[int], times: Sequence[datetime]) -> None:
    """Store at which positions in the log each day begins and ends, given the messages' positions and times."""
    await connection.execute(queries.note_days, [positions, times])


def encode_text(text: IndexedText) -> str:
    """Return the search vector of a text. Of a streamed message, only the first 100,000 bytes are found.

    PostgreSQL stores at most 1 MiB: 33,000 Chinese characters have a vector of 0.65 MB, 64,000 one of 1.15 MB.
    """
    body = text.body
    if len(body) > BODY_MOST:
        body = body.encode()[:INDEXED_MOST].decode(errors="ignore")
    return encode_vector(text.conversation, text.seq, text.position, text.author, text.said_at, body, text.names)


async def encode(texts: Sequence[IndexedText], keep_alive: Callable[[], Awaitable[object]]) -> list[str]:
    """Return the search vector of each text.

    Yield to the loop in between: a whole batch delayed posts by 10 ms, and long texts by far more. Streamed messages,
    which can be longer than others, are encoded in a thread. `keep_alive` is called every second, because PostgreSQL
    ends a transaction that is silent for three: 200 streamed messages can take longer.
    """
    vectors, work, told = [], 0, time.monotonic()
    for text in texts:
        if time.monotonic() - told > 1:
            await keep_alive()
            told = time.monotonic()
        long = len(text.body) > BODY_MOST
        vectors.append(await asyncio.to_thread(encode_text, text) if long else encode_text(text))
        work += 1 + len(text.body) // LONG
        if work >= AT_ONCE:
            work = 0
            await asyncio.sleep(0)
    return vectors
