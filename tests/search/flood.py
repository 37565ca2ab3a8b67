"""A flood: so many messages in a database and its index, and what a search costs among them.

`python -m tests.search.flood 10000 1000000` grows a database of its own on an embedded server to these sizes in turn
and prints, for each question, the median time of a first and of a later page through the API, and the plan.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg

from chat.engines import PostgresEngine, ValkeyEngine
from chat.migrations import migrate
from chat.search.indexer import Text, store
from chat.shared.postgres import make_pool
from tests.cast import Cast, Person, casting
from tests.nodes import running_node

BUSY, QUIET, ROOMS = 0.5, 0.001, 40  # half of all talk is in one room, a thousandth in another
VOCABULARY, PIECE, TIMES = 60_000, 2_000, 40
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
QUESTIONS = {
    "common word": "w1",
    "common word, busy room": "w1 in:busy",
    "common word, quiet room": "w1 in:quiet",
    "middling word": "w900",
    "rare word": "w50000",
    "rare word, busy room": "w50000 in:busy",
    "two common words": "w1 w2",
    "phrase": '"w1 w2"',
    "prefix, common": "w1*1*",
    "prefix, rare": "w5000*",
    "common word of ben": "w1 from:ben",
    "of ben, a month": "from:ben after:2020-01-01 before:2020-02-01",
    "nothing": "w1 xyzzy",
}


def words(luck: random.Random) -> str:
    """Words as they are spread in talk: the second half as often as the first, and so on."""
    return " ".join(f"w{int(VOCABULARY ** luck.random())}" for _ in range(luck.randint(3, 17)))


def texts(first: int, last: int, rooms: Sequence[int], people: Sequence[int]) -> Iterator[Text]:
    """Messages from position `first` on, one every two minutes, in a conversation each by the shares above."""
    luck = random.Random(first)
    for position in range(first, last):
        dice = luck.random()
        room = rooms[0] if dice < BUSY else rooms[1] if dice < BUSY + QUIET else luck.choice(rooms[2:])
        said_at = BEGIN + timedelta(minutes=2 * position)
        yield Text(room, position, position, luck.choice(people), said_at, words(luck), False)


async def grow(database_url: str, first: int, last: int, rooms: Sequence[int], people: Sequence[int]) -> None:
    """Write messages as posts do, and index them as the indexer does; positions stand for their seqs."""
    async with make_pool(database_url) as pool, pool.connection() as connection:
        for low in range(first, last, PIECE):
            piece = list(texts(low, min(low + PIECE, last), rooms, people))
            async with connection.transaction(), connection.cursor() as cursor:
                columns = "conversation_id, seq, position, author_id, client_id, body, created_at"
                async with cursor.copy(f"copy messages ({columns}) from stdin") as rows:
                    for one in piece:
                        fields = one.conversation, one.seq, one.position, one.author, str(one.seq), one.body
                        await rows.write_row([*fields, one.said_at])
                await store(connection, piece)
                await connection.execute("update log_head set position = %s", [last])
                await connection.execute("update search_progress set position = %s", [last])
