"""Filling: conversations with as many believable messages as one likes, straight into the tables.

What is filled in has no entries in the log: its head and its floor move beyond, so that every cursor from before is
answered by a reset. No node may be running meanwhile. Each piece is a transaction; whoever calls again goes on.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import psycopg

from chat.bench.talk import TICKETED, Talk, spread, ticket_named
from chat.search.indexer import queries as indexer_queries
from chat.search.lexemes import encode_keys, encode_words, quote, quoted_grams
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)

PIECE = 20_000

BODIES = 200_000  # different sentences; the same one comes again, with another author and another ticket

REBUILT = 100_000  # from so many on it is faster to build the index of the search anew

BEGIN, STEP = datetime(2015, 1, 1, tzinfo=UTC), timedelta(seconds=30)

TICKET_HITS = 15  # messages in which the number of one ticket stands


@dataclass(frozen=True, slots=True)
class Said:
    """A message; `vector`: what it is found by."""

    conversation: int
    seq: int
    position: int
    author: int
    body: str
    vector: str

    @property
    def at(self) -> datetime:
        """Half a minute after the one before it."""
        return BEGIN + self.position * STEP


async def fill(
    database_url: str,
    conversations: Mapping[int, int],
    author_ids: Sequence[int],
    *,
    index: bool = True,
    told: Callable[[int], object] = int,
) -> None:
    """Let each conversation (id → number) have so many messages; `told` hears how many have come after each piece.

    `index`: they are found by the search. Statistics are fresh afterwards.
    """
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        filler = await Filler.begin(connection, conversations, author_ids)
        if index and filler.missing >= REBUILT:
            await connection.execute(queries.drop_index)
        for piece in filler.pieces():
            await store(connection, piece, index)
            told(len(piece))
        await connection.execute(queries.spare_no_memory)
        await connection.execute(queries.build_index)
        for query in (queries.tidy_messages, queries.tidy_documents, queries.tidy_conversations):
            await connection.execute(query)


class Filler:
    """What is still to be said: `shares` is (conversation, last seq, how many more)."""

    def __init__(self, shares: Sequence[tuple[int, int, int]], head: int, author_ids: Sequence[int]) -> None:
        self._shares, self._head, self._authors = shares, head, author_ids
        self.missing = sum(share[2] for share in shares)

    @classmethod
    async def begin(cls, connection: Connection, wanted: Mapping[int, int], author_ids: Sequence[int]) -> "Filler":
        """See what is there already."""
        rows = await (await connection.execute(queries.read_ends, [list(wanted)])).fetchall()
        head = await (await connection.execute(queries.read_head)).fetchone()
        assert head is not None
        return cls([(id_, last, max(0, wanted[id_] - last)) for id_, last in rows], head[0], author_ids)

    def pieces(self) -> Iterator[list[Said]]:
        """All of it, a piece at a time."""
        everything = self._messages()
        while piece := list(islice(everything, PIECE)):
            yield piece

    def _messages(self) -> Iterator[Said]:
        luck = random.Random(self._head)
        bodies = [(body, encode_words(body)) for body in Talk().sentences(min(BODIES, self.missing))]
        tickets = max(1, int((self._head + self.missing) * TICKETED / TICKET_HITS))
        last = {conversation: seq for conversation, seq, _ in self._shares}
        places = spread([share[2] for share in self._shares], luck)
        for position, place in enumerate(places, self._head + 1):
            body, vector = luck.choice(bodies)
            if luck.random() < TICKETED:
                ticket = ticket_named(luck.randrange(tickets))
                body, vector = f"{body} {ticket}", f"{vector} {quote(ticket)}:99 {quoted_grams(ticket)}"
            conversation, author = self._shares[place][0], luck.choice(self._authors)
            last[conversation] += 1
            keys = encode_keys(conversation, last[conversation], position, author, BEGIN + position * STEP)
            yield Said(conversation, last[conversation], position, author, body, f"{vector} {keys}")


async def store(connection: Connection, piece: Sequence[Said], index: bool) -> None:
    """All of the piece, or nothing."""
    async with connection.transaction(), connection.cursor() as cursor:
        async with cursor.copy(queries.copy_messages) as rows:
            for one in piece:
                fields = one.conversation, one.seq, one.position, one.author, f"f-{one.position:012}", one.body, one.at
                await rows.write_row(fields)
        if index:
            async with cursor.copy(queries.copy_documents) as rows:
                for one in piece:
                    await rows.write_row((one.conversation, one.seq, one.position, one.at, one.vector))
            await connection.execute(
                indexer_queries.note_days, [[one.position for one in piece], [one.at for one in piece]]
            )
        ends = {one.conversation: one.seq for one in piece}
        await connection.execute(queries.move_ends, [list(ends), list(ends.values())])
        await connection.execute(queries.move_head, [piece[-1].position] * 2)
        await connection.execute(queries.move_progress, [piece[-1].position])
