"""Depth: the cost of a page of history and of each kind of search, by how many messages there are.

The measure is the CPU time of the PostgreSQL backend, because other work on the machine does not lengthen it, and the
pages touched, which are the same on every machine.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from statistics import median

import psycopg
from rich.progress import Progress

from chat.local.progress import counting
from chat.messages.history import PAGE_QUERY, Window, after, around, before, newest
from chat.search.query import parse_query
from chat.search.search import SearchRequest, find_on, queries_for, read_scope
from chat.shared.postgres import Connection, prepare_connection
from chat.shared.sql import load
from chat.tools.bench.report import BenchReport, Curve, Row
from chat.tools.bench.seed_data import TICKET_HITS, SampleTalk, fill, ticket_named

queries = load(__file__)
TIMES, ROUNDS, LIMIT = 20, 5, 50
EXPLAIN = b"explain (analyze, buffers, format json) "


@dataclass(frozen=True, slots=True)
class Plan:
    """A query's execution: pages touched, the tables and the indexes that read them, and the rows."""

    buffers: int
    indexes: frozenset[str]
    scanned: frozenset[str]
    rows: int

    def __add__(self, other: "Plan") -> "Plan":
        """Return both plans, one after the other."""
        read = self.indexes | other.indexes, self.scanned | other.scanned
        return Plan(self.buffers + other.buffers, *read, self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class Cost:
    """The backend's CPU milliseconds, the least of some rounds; how much was found; and how."""

    processor: float
    found: int
    plan: Plan


def pages(last_seq: int) -> dict[str, Window]:
    """Return the kinds of page, at the end and in the middle of a conversation."""
    middle = max(1, last_seq // 2)
    return {
        "newest page": newest(LIMIT),
        "page before": before(middle, LIMIT),
        "page around": around(middle, LIMIT),
        "page after": after(middle, LIMIT),
    }


@cache
def vocabulary() -> dict[str, list[str]]:
    """Return the words that `fill` uses; takes a second."""
    return SampleTalk().words


def questions(ticket: int) -> dict[str, str]:
    """Return each kind of search over what `fill` wrote.

    `ticket` is a number that few messages have. Users are named `ana` and `ben`, conversations `busy`, `quiet` and
    `silent`.
    """
    words, han, named = vocabulary()["latin"], vocabulary()["han"], ticket_named(ticket)
    common, second, third = (word for word in words[:40] if len(word) == 3), words[1], words[2]
    first = next(common)
    return {
        "common word": first,
        **{f"common word, {room} room": f"{first} in:{room}" for room in ("busy", "quiet", "silent")},
        "phrase, quiet room": f'"{second} {third}" in:quiet',
        "middling word": words[150],
        "rare word": named,
        "rare word, busy room": f"{named} in:busy",
        "two common words": f"{first} {second}",
        "phrase": f'"{second} {third}"',
        "prefix, common": f"{words[300][:3]}*",
        "prefix, rare": f"{named}*",
        "script without spaces": han[0],
        "common word of ben": f"{first} from:ben",
        "of ben, a month": "from:ben after:2015-01-01 before:2015-02-01",
        "with a link": f"{first} has:link",
        "nothing": f"{first} xyzzy",
    }


def wider_questions() -> dict[str, str]:
    """Return searches whose work grows with the data: their author or conversation has a fixed share of it."""
    asked = questions(0)
    return {
        "common word of one in 200": asked["common word of ben"].replace("ben", "p3"),
        "phrase, calm room": asked["phrase, quiet room"].replace("quiet", "calm"),
    }


async def measure_page(connection: Connection, user_id: int, conversation_id: int, window: Window) -> Cost:
    """Return the cost of a page."""
    asked = {"conversation": conversation_id, "user": user_id} | asdict(window)

    async def ask() -> int:
        return len(await (await connection.execute(PAGE_QUERY, asked, binary=True)).fetchall())

    return await measure(connection, ask, await explain(connection, PAGE_QUERY, asked))


async def measure_search(connection: Connection, user_id: int, text: str) -> Cost:
    """Return the cost of a search's first page: access checks, the search, and reading the messages."""
    asked = SearchRequest(parse_query(text))

    async def ask() -> int:
        return len((await find_on(connection, user_id, asked)).messages)

    return await measure(connection, ask, await explain_search(connection, user_id, asked))


async def explain_search(connection: Connection, user_id: int, asked: SearchRequest) -> Plan:
    """Return how the messages are found."""
    scope = await read_scope(connection, user_id, asked)
    plan = Plan(0, frozenset(), frozenset(), 0)
    for query, fields in queries_for(asked, scope, scope.range(asked.query)):
        if plan.rows <= asked.limit:
            plan += await explain(connection, query, fields)
    return plan


async def measure(connection: Connection, ask: Callable[[], Awaitable[int]], plan: Plan) -> Cost:
    """Return the least cost of some rounds, with all data in memory and the statements prepared."""
    for _ in range(TIMES):
        found = await ask()
    times = []
    for _ in range(ROUNDS):
        began = processor_of(connection.info.backend_pid)
        for _ in range(TIMES):
            await ask()
        times.append((processor_of(connection.info.backend_pid) - began) / TIMES / 1e6)
    return Cost(min(times), found, plan)


def processor_of(process: int) -> int:
    """Return the nanoseconds of CPU that a connection's server process has used; it runs on this machine."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])


async def explain(connection: Connection, query: bytes, asked: Mapping[str, object]) -> Plan:
    """Return how PostgreSQL executes a query, functions included."""
    async with connection.transaction():
        before = await (await connection.execute(queries.read_scans)).fetchall()
        row = await (await connection.execute(EXPLAIN + query, asked)).fetchone()
        after = await (await connection.execute(queries.read_scans)).fetchall()
    assert row is not None
    read = set(after) - set(before)
    top = row[0][0]["Plan"]
    touched = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    indexes, scanned = (frozenset(name for name, index, _ in read if index is wanted) for wanted in (True, False))
    return Plan(touched, indexes, scanned, round(top["Actual Rows"]))


# History and search among more and more messages: the database's CPU for a page and for a search.

PEOPLE, ROOMS = 200, 40
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
FLAT, SMALLEST = 1.3, 1_000
BUSY, ANA = 1, 1
TICKET_LEAST = 10  # a prefix has at least three letters; among few messages no ticket begins with it


@dataclass(slots=True)
class Depths:
    """The cost of each kind of page or search in milliseconds, by the number of messages."""

    costs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def note(self, kind: str, size: int, cost: Cost) -> None:
        """Add a cost."""
        self.costs.setdefault(kind, []).append((float(size), cost.processor))

    def ratio(self, kind: str) -> float:
        """Return the cost at the largest size as a multiple of that at the smallest."""
        return self.costs[kind][-1][1] / self.costs[kind][0][1]

    def worst(self) -> str:
        """Return the kind that grows most."""
        return max(self.costs, key=self.ratio)

    def middle(self) -> list[tuple[float, float]]:
        """Return the median of all kinds at each size."""
        rows = zip(*self.costs.values(), strict=True)
        return [(points[0][0], median(cost for _, cost in points)) for points in rows]


Look = Callable[[Connection, int, Depths], Awaitable[None]]


async def deepen(database_url: str, most: int, look: Look, progress: Progress) -> Depths:
    """Write more messages and measure at each size; half of them are in one conversation. No node runs."""
    sizes, found = [size for size in SIZES if size <= most] or [most], Depths()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await prepare_connection(connection)
        names = [f"person{n}" for n in range(PEOPLE - 2)]
        await prepare_connection(connection)
        await connection.execute(queries.add_talkers, [["ana", "ben", *names]])
        await connection.execute(queries.add_rooms, [["busy", "quiet", "silent", *(f"room{n}" for n in range(ROOMS))]])
        await connection.execute(queries.add_members)
        with counting(progress, "filling and asking", sum(sizes)) as show:
            for size in sizes:
                others = dict.fromkeys(range(4, ROOMS + 4), size // 2 // ROOMS)
                await fill(database_url, {3: size // 50}, range(1, PEOPLE + 1))
                await fill(database_url, {1: size // 2, 2: max(1, size // 1000)} | others, range(1, PEOPLE + 1))
                await look(connection, size, found)
                show(size)
    return found


async def look_at_pages(connection: Connection, size: int, found: Depths) -> None:
    """Measure every kind of page of the busy conversation."""
    for kind, window in pages(size // 2).items():
        found.note(kind, size, await measure_page(connection, ANA, BUSY, window))


async def look_for_words(connection: Connection, size: int, found: Depths) -> None:
    """Measure every kind of search."""
    for kind, text in questions(max(TICKET_LEAST, int(size * 0.1 / TICKET_HITS * 0.95))).items():
        found.note(kind, size, await measure_search(connection, ANA, text))


async def measure_history(database_url: str, most: int, progress: Progress) -> BenchReport:
    """Return the report: a page must cost the same at any depth."""
    found = await deepen(database_url, most, look_at_pages, progress)
    worst, points = found.worst(), found.middle()
    note = f"{worst}: {found.costs[worst][-1][1]:.2f} ms of the database's processor"
    what = f"a page of history at {points[-1][0]:,.0f} messages, in times that at {points[0][0]:,.0f}"
    curve = Curve("a page of history", "messages", "ms of database CPU", points)
    return BenchReport("history", [Row(what, found.ratio(worst), "×", FLAT, note=note)], curves=[curve])


async def measure_questions(database_url: str, most: int, progress: Progress) -> BenchReport:
    """Return the report: a search must cost hardly more among more messages."""
    found = await deepen(database_url, most, look_for_words, progress)
    points, slowest = found.middle(), max(found.costs, key=lambda kind: found.costs[kind][-1][1])
    rows = [
        Row("the slowest kind of question", found.costs[slowest][-1][1], "ms", note=f"{slowest}; database CPU"),
        Row("the middling kind of question", points[-1][1], "ms", note=f"{points[-1][0]:,.0f} messages"),
    ]
    return BenchReport("search", rows, curves=[Curve("a question", "messages", "ms of database CPU", points)])
