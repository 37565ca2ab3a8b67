"""A flood: so many messages in a database and its index, and what a search costs among them.

`python -m tests.search.flood 10000 1000000` grows a database of its own on an embedded server to these sizes in turn
and prints for each question the least milliseconds (others share the machine) of its first and its third page through
the API, and of the search alone.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from chat.engines import PostgresEngine, ValkeyEngine
from chat.migrations import migrate
from chat.search.find import Asked, find
from chat.search.indexer import Text, store
from chat.search.question import parse_question
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
    "prefix, common": "w12*",
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
                await connection.execute("update conversations set last_seq = %s", [last // len(rooms)])
                await connection.execute("update search_progress set position = %s", [last])


async def measure(person: Person, database_url: str) -> dict[str, tuple[float, float, float, int]]:
    """Of each question: milliseconds of its first page and of its third, by the API, then of PostgreSQL alone."""
    found = {}
    for name, q in QUESTIONS.items():
        first, more, hits = await ask(person, q, "")
        for _ in range(2):
            later, more, _ = await ask(person, q, more) if more else (first, "", 0)
        found[name] = first, later, await explain(database_url, person, q), hits
    return found


async def ask(person: Person, q: str, before: str) -> tuple[float, str, int]:
    """Least milliseconds of a page, the place it leads to, how many it holds."""
    query, times = {"q": q} | ({"before": before} if before else {}), []
    for _ in range(TIMES):
        began = time.perf_counter()
        status, page = await person.call("GET", "/api/chat/search", params=query)
        times.append((time.perf_counter() - began) * 1000)
        assert status == 200, page
    return min(times), page["next"] or "", len(page["results"])


async def explain(database_url: str, person: Person, q: str) -> float:
    """What PostgreSQL needs for it, planning included, once everything is warm."""
    async with make_pool(database_url) as pool:
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            await find(pool, person.id, Asked(parse_question(q)))
            times.append((time.perf_counter() - began) * 1000)
    return min(times)


async def flood(sizes: Sequence[int], database_url: str, redis_url: str) -> None:
    """Grow to each size in turn, and measure there."""
    await migrate(database_url)
    found, first = [], 1
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        people, rooms = await people_and_rooms(cast)
        for size in sizes:
            began = time.perf_counter()
            await grow(database_url, first, size + 1, rooms, [person.id for person in people])
            first = size + 1
            print(f"{size:,} messages; grown in {time.perf_counter() - began:.0f} s; {await sizes_of(database_url)}")
            found.append(await measure(people[0], database_url))
    for name in QUESTIONS:
        row = [f"{one[name][0]:7.2f} {one[name][1]:7.2f} {one[name][2]:7.2f} ({one[name][3]:3})" for one in found]
        print(f"{name:28}", " | ".join(row))


async def people_and_rooms(cast: Cast) -> tuple[list[Person], list[int]]:
    """Fifty people; ana is in every room."""
    people = await cast.enters("ana", "ben", *[f"p{n}" for n in range(48)])
    names = ["busy", "quiet", *[f"room{n}" for n in range(ROOMS)]]
    return people, [await cast.share(*people[:2], name=name) for name in names]


async def sizes_of(database_url: str) -> str:
    """What it takes on the disk."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("vacuum analyze")
        row = await (
            await connection.execute(
                "select pg_size_pretty(pg_table_size('search_documents')),"
                " pg_size_pretty(pg_relation_size('search_documents_vector')),"
                " pg_size_pretty(sum(pg_total_relation_size(inhrelid))) from pg_inherits"
                " where inhparent = 'messages'::regclass"
            )
        ).fetchone()
    assert row is not None
    return "documents {}, their index {}, the messages themselves {}".format(*row)


if __name__ == "__main__":
    wanted = [int(size) for size in sys.argv[1:]] or [10_000, 1_000_000]
    with (
        tempfile.TemporaryDirectory() as folder,
        PostgresEngine(Path(folder, "pg")) as postgres,
        ValkeyEngine(Path(folder, "valkey")) as valkey,
    ):
        asyncio.run(flood(wanted, postgres.url, valkey.url))
