"""The indexer: follows the log and writes what each message is found by, a moment after it was said.

Posting knows nothing of it. One node at a time indexes, by the lock of the row that says how far the index has come;
that row moves in the same transaction as the index, so whoever goes on repeats and misses nothing. Where the log does
not reach back to it, and where a version before found messages by less, all are walked through once, in pieces; what is
said meanwhile goes first.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
import psycopg
import structlog

from chat.log.entry import IMPORT, decode_frame
from chat.search.lexemes import encode_vector
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load

queries = load(__file__)

BATCH = 200  # in one transaction

AT_ONCE, LONG = 5, 200  # messages of 200 characters; about a quarter of a millisecond of this node

PAUSE = 0.5

REST = 9  # while posts wait: a tenth of the time at most is for the search, which took a quarter of the node's without

KINDS = {"message", "edit", "delete"}

TROUBLE: tuple[type[Exception], ...] = (psycopg.Error, *UNAVAILABLE)  # a search that is behind must not end the talk

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """The log is indexed up to `position`; `walked`: what a walk over all messages has come to, if there is one."""

    position: int
    walked: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class IndexedText:
    """A message as the index needs it."""

    conversation: int
    seq: int
    position: int
    author: int
    said_at: datetime
    body: str
    deleted: bool
    names: list[str]


class Indexer:
    """The background task of a node; `batch` is how many entries or messages go into one transaction, `crowded()`:
    do posts wait for theirs? What is to be found can wait longer than what is to be said."""

    def __init__(self, pool: Pool, batch: int = BATCH, crowded: Callable[[], bool] = lambda: False) -> None:
        self._pool, self._batch, self._crowded = pool, batch, crowded

    async def run(self) -> None:
        """Index what there is, then look again twice a second."""
        while True:
            busy, begun = False, time.monotonic()
            try:
                busy = await self.step()
            except TROUBLE as error:
                log.warning("nothing can be indexed now", error=repr(error))
            rest = REST * (time.monotonic() - begun) if self._crowded() else 0
            await asyncio.sleep(rest if busy else PAUSE)

    async def step(self) -> bool:
        """One transaction; False when that was all, or another node is at it. What was just said waits for its like:
        a transaction for each message took half of what a post costs on a node that is not busy."""
        async with self._pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(queries.lock_progress)).fetchone()
            if row is None:
                return False
            before = Progress(row[0], None if row[1] is None else (row[1], row[2]))
            after = await self._follow(connection, before)
            if after.walked:
                after = await self._walk(connection, after)
            if after != before:
                walked = after.walked or (None, None)
                await connection.execute(queries.move_progress, [after.position, *walked])
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
        asked = [*(progress.walked or (0, 0)), self._batch]
        rows = await (await connection.execute(queries.walk_messages, asked, binary=True)).fetchall()
        await store(connection, [IndexedText(*row) for row in rows])
        return replace(progress, walked=(rows[-1][0], rows[-1][1]) if rows else None)


async def begin_walk(connection: Connection) -> Progress:
    """Everything that happens from here on is in the log; what was before is walked through."""
    row = await (await connection.execute(queries.read_head)).fetchone()
    assert row is not None
    log.info("indexing all messages", up_to=row[0])
    return Progress(row[0], (0, 0))


def place_of(frame: bytes) -> tuple[int, int]:
    """The message that an entry is about."""
    data = orjson.loads(decode_frame(frame)[2])
    return data["conversation"], data["seq"]


async def store(connection: Connection, texts: Sequence[IndexedText]) -> None:
    """What is deleted is found no more; the rest by what it says now."""
    said = sorted((text for text in texts if not text.deleted), key=lambda text: text.position)
    gone = [text for text in texts if text.deleted]
    columns = [
        [text.conversation for text in said],
        [text.seq for text in said],
        [text.position for text in said],
        [text.said_at for text in said],
        await encode(said),
    ]
    if said:
        await connection.execute(queries.store_documents, columns)
        await connection.execute(queries.note_days, columns[2:4])
    if gone:
        listed = [[text.conversation for text in gone], [text.seq for text in gone]]
        await connection.execute(queries.drop_documents, listed)


async def encode(texts: Sequence[IndexedText]) -> list[str]:
    """Return the search vector of each text.

    Yields to the loop in between: a batch in one go delayed posts by 10 ms, and long texts by far more.
    """
    vectors, work = [], 0
    for text in texts:
        place = text.conversation, text.seq, text.position, text.author, text.said_at
        vectors.append(encode_vector(*place, text.body, text.names))
        work += 1 + len(text.body) // LONG
        if work >= AT_ONCE:
            work = 0
            await asyncio.sleep(0)
    return vectors
