"""History and search in ever longer talk: what a page and a question cost the database's processor."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median

import psycopg
from rich.progress import Progress

from chat.bench.depth import Cost, measure_page, measure_search, pages, questions
from chat.bench.fill import TICKET_HITS, fill
from chat.bench.progress import counting
from chat.bench.report import Curve, Report, Row
from chat.shared.postgres import Connection, prepare_connection
from chat.shared.sql import load

queries = load(__file__)

PEOPLE, ROOMS = 200, 40

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)

FLAT, SMALLEST = 1.3, 1_000

BUSY, ANA = 1, 1

TICKET_LEAST = 10  # a prefix has three letters at least; where little was said, nothing begins so


@dataclass(slots=True)
class Depths:
    """What each kind of page or question costs in milliseconds, by how much has been said."""

    costs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def note(self, kind: str, size: int, cost: Cost) -> None:
        """One more."""
        self.costs.setdefault(kind, []).append((float(size), cost.processor))

    def ratio(self, kind: str) -> float:
        """At the most, in times that at the least."""
        return self.costs[kind][-1][1] / self.costs[kind][0][1]

    def worst(self) -> str:
        """The kind that grows most."""
        return max(self.costs, key=self.ratio)

    def middle(self) -> list[tuple[float, float]]:
        """The median of all kinds, at each size."""
        rows = zip(*self.costs.values(), strict=True)
        return [(points[0][0], median(cost for _, cost in points)) for points in rows]


Look = Callable[[Connection, int, Depths], Awaitable[None]]


async def deepen(database_url: str, most: int, look: Look, progress: Progress) -> Depths:
    """Let the talk grow, and look at each size; half of it is in one room. No node runs."""
    sizes, found = [size for size in SIZES if size <= most] or [most], Depths()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await prepare_connection(connection)
        names = [f"person{n}" for n in range(PEOPLE - 2)]
        await prepare_connection(connection)
        await connection.execute(queries.add_talkers, [["ana", "ben", *names]])
        await connection.execute(queries.add_rooms, [["busy", "quiet", "silent", *(f"room{n}" for n in range(ROOMS))]])
        await connection.execute(queries.seat_everybody)
        with counting(progress, "filling and asking", sum(sizes)) as show:
            for size in sizes:
                others = dict.fromkeys(range(4, ROOMS + 4), size // 2 // ROOMS)
                await fill(database_url, {3: size // 50}, range(1, PEOPLE + 1))
                await fill(database_url, {1: size // 2, 2: max(1, size // 1000)} | others, range(1, PEOPLE + 1))
                await look(connection, size, found)
                show(size)
    return found


async def look_at_pages(connection: Connection, size: int, found: Depths) -> None:
    """Every kind of page of the busy room."""
    for kind, window in pages(size // 2).items():
        found.note(kind, size, await measure_page(connection, ANA, BUSY, window))


async def look_for_words(connection: Connection, size: int, found: Depths) -> None:
    """Every kind of question."""
    for kind, text in questions(max(TICKET_LEAST, int(size * 0.1 / TICKET_HITS * 0.95))).items():
        found.note(kind, size, await measure_search(connection, ANA, text))


async def measure_history(database_url: str, most: int, progress: Progress) -> Report:
    """A page costs the same at any depth."""
    found = await deepen(database_url, most, look_at_pages, progress)
    worst, points = found.worst(), found.middle()
    note = f"{worst}: {found.costs[worst][-1][1]:.2f} ms of the database's processor"
    what = f"a page of history at {points[-1][0]:,.0f} messages, in times that at {points[0][0]:,.0f}"
    curve = Curve("a page of history", "messages", "ms of database CPU", points)
    return Report("history", [Row(what, found.ratio(worst), "×", FLAT, note=note)], curves=[curve])


async def measure_questions(database_url: str, most: int, progress: Progress) -> Report:
    """A question costs hardly more in a long talk."""
    found = await deepen(database_url, most, look_for_words, progress)
    points, slowest = found.middle(), max(found.costs, key=lambda kind: found.costs[kind][-1][1])
    rows = [
        Row("the slowest kind of question", found.costs[slowest][-1][1], "ms", note=f"{slowest}; database CPU"),
        Row("the middling kind of question", points[-1][1], "ms", note=f"{points[-1][0]:,.0f} messages"),
    ]
    return Report("search", rows, curves=[Curve("a question", "messages", "ms of database CPU", points)])
