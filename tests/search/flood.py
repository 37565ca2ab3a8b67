"""A flood: so many messages in a database and its index, and what a search costs among them.

`python -m tests.search.flood 10000 1000000` grows a database of its own on an embedded server to these sizes in turn
and prints for each question the least milliseconds (others share the machine) of its first and its third page through
the API, and the processor time that PostgreSQL spends on the first.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from chat.engines import PostgresEngine, ValkeyEngine
from chat.migrations import migrate
from chat.search.find import Asked, find_on
from chat.search.indexer import Text, store
from chat.search.question import parse_question
from chat.shared.postgres import make_pool
from tests.cast import Cast, Person, casting
from tests.nodes import running_node

BUSY, QUIET, ROOMS = 0.5, 0.001, 40  # half of all talk is in one room, a thousandth in another
VOCABULARY, PIECE, TIMES, RARE = 60_000, 2_000, 40, 15
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
SHARES = """
update conversations c set last_seq = share.number
  from unnest(%s::bigint[], %s::bigint[]) as share (number, id) where c.id = share.id
"""
QUESTIONS = {
    "common word": "w1",
    "common word, busy room": "w1 in:busy",
    "common word, quiet room": "w1 in:quiet",
    "middling word": "w900",
    "rare word": "rare{size}",
    "rare word, busy room": "rare{size} in:busy",
    "two common words": "w1 w2",
    "phrase": '"w1 w2"',
    "prefix, common": "w12*",
    "prefix, rare": "rare{size}*",
    "common word of ben": "w1 from:ben",
    "of ben, a month": "from:ben after:2020-01-01 before:2020-02-01",
    "nothing": "w1 xyzzy",
}


@dataclass(frozen=True)
class Cost:
    """Hits on the first page; milliseconds of the first and the third page by the API; of PostgreSQL's processor."""

    hits: int
    first: float
    third: float
    processor: float

    def __str__(self) -> str:
        return f"{self.hits:3} hits {self.first:7.2f} {self.third:7.2f} {self.processor:7.2f}"


def words(luck: random.Random) -> str:
    """Words as they are spread in talk: the second half as often as the first, and so on."""
    return " ".join(f"w{int(VOCABULARY ** luck.random())}" for _ in range(luck.randint(3, 17)))


def texts(first: int, last: int, total: int, rooms: Sequence[int], people: Sequence[int]) -> Iterator[Text]:
    """Messages from position `first` on, one every two minutes, in a conversation each by the shares above; fifteen
    in all hold the rare word of this size."""
    luck = random.Random(first)
    for position in range(first, last):
        rare = f" rare{total}" if position % (total // RARE) == 0 else ""
        dice = luck.random()
        room = rooms[0] if dice < BUSY else rooms[1] if dice < BUSY + QUIET else luck.choice(rooms[2:])
        said_at = BEGIN + timedelta(minutes=2 * position)
        yield Text(room, position, position, luck.choice(people), said_at, words(luck) + rare, False)


async def grow(database_url: str, first: int, last: int, rooms: Sequence[int], people: Sequence[int]) -> None:
    """Write messages as posts do, and index them as the indexer does; positions stand for their seqs."""
    async with make_pool(database_url) as pool, pool.connection() as connection:
        for low in range(first, last, PIECE):
            piece = list(texts(low, min(low + PIECE, last), last - 1, rooms, people))
            async with connection.transaction(), connection.cursor() as cursor:
                columns = "conversation_id, seq, position, author_id, client_id, body, created_at"
                async with cursor.copy(f"copy messages ({columns}) from stdin") as rows:
                    for one in piece:
                        fields = one.conversation, one.seq, one.position, one.author, str(one.seq), one.body
                        await rows.write_row([*fields, one.said_at])
                await store(connection, piece)
                await connection.execute("update log_head set position = %s", [last])
                shares = [int(last * share) for share in (BUSY, QUIET, *[(1 - BUSY - QUIET) / ROOMS] * ROOMS)]
                await connection.execute(SHARES, [shares, list(rooms)])
                await connection.execute("update search_progress set position = %s", [last])


async def measure(person: Person, database_url: str, size: int) -> dict[str, Cost]:
    """What each question costs."""
    found = {}
    for name, template in QUESTIONS.items():
        q = template.replace("{size}", str(size))
        first, more, hits = await ask(person, q, "")
        later = first
        for _ in range(2):
            later, more, _ = await ask(person, q, more) if more else (later, "", 0)
        found[name] = Cost(hits, first, later, await reckon(database_url, person, q))
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


async def reckon(database_url: str, person: Person, q: str) -> float:
    """Milliseconds of processor time that PostgreSQL spends on a first page, planning included."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        asked = Asked(parse_question(q))
        for _ in range(10):  # until the statements are prepared and all pages are in memory
            await find_on(connection, person.id, asked)
        began = nanoseconds(connection.info.backend_pid)
        for _ in range(TIMES):
            await find_on(connection, person.id, asked)
        return (nanoseconds(connection.info.backend_pid) - began) / TIMES / 1e6


def nanoseconds(process: int) -> int:
    """How long it has been on a processor."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])


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
            found.append(await measure(people[0], database_url, size))
    for name in QUESTIONS:
        print(f"{name:28}", " | ".join(str(one[name]) for one in found))


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
