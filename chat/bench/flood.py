"""A flood: a database of its own grows to one size after the other, and at each is asked what a page and a search cost.

Two hundred people are in a busy room, which has half of all talk, a quiet one, which has a thousandth, one that has
long fallen silent, and forty others; a tenth of all talk is where they are not. The quiet room and Ben
have said enough for a page of hits from the beginning: else the reading of more hits would look like a slower search.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from chat.bench.depth import Cost, measure_page, measure_search, pages, questions
from chat.bench.fill import TICKET_HITS, fill, queries
from chat.bench.talk import TICKETED
from chat.engines import PostgresEngine
from chat.migrations import migrate
from chat.shared.postgres import Connection, prepare_connection

PEOPLE, ROOMS, CLOSED = 200, 40, 8
BEN, ENOUGH, SILENT_MOST = 2, 500, 20_000  # messages
USER = 1
console = Console(stderr=True, highlight=False)


def flood(folder: Path, sizes: Sequence[int]) -> None:
    """Grow, measure, and print the table; `folder` keeps the database, from which the next flood goes on."""
    with PostgresEngine(folder / "flood") as engine:
        found = asyncio.run(rise(engine.url, sorted(sizes)))
    Console().print(tabulate(found))


async def rise(database_url: str, sizes: Sequence[int]) -> dict[int, dict[str, Cost]]:
    """What each kind of question costs at each size."""
    await migrate(database_url)
    found = {}
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await prepare_connection(connection)
        await prepare_connection(connection)
        await connection.execute(queries.settle_people, {"people": PEOPLE})
        await connection.execute(queries.settle_rooms, {"rooms": ROOMS, "closed": CLOSED})
        rooms: dict[str, int] = dict(await (await connection.execute(queries.read_rooms)).fetchall())
        for size in sizes:
            authors = [*range(1, PEOPLE + 1), *[BEN] * (ENOUGH * PEOPLE // size)]
            shares = share_out(rooms, size)
            await grow(database_url, {rooms["silent"]: shares[rooms["silent"]]}, authors)
            await grow(database_url, shares, authors)
            found[size] = await measure_all(connection, rooms["busy"])
    return found


def share_out(rooms: dict[str, int], size: int) -> dict[int, int]:
    """How many messages each room has of so many."""
    busy, quiet, silent, closed = size // 2, max(ENOUGH, size // 1000), min(size // 50, SILENT_MOST), size // 10
    rest = size - busy - quiet - silent - closed
    shares = {rooms["busy"]: busy, rooms["quiet"]: quiet, rooms["silent"]: silent}
    shares |= {rooms[f"closed{n}"]: closed // CLOSED for n in range(CLOSED)}
    return shares | {rooms[f"room{n}"]: rest // ROOMS for n in range(ROOMS)}


async def grow(database_url: str, shares: dict[int, int], authors: Sequence[int]) -> None:
    """With a bar; what is there already is not made again."""
    columns = ("messages", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=sum(shares.values()))
        await fill(database_url, shares, authors, told=lambda number: progress.update(bar, advance=number))


async def measure_all(connection: Connection, busy: int) -> dict[str, Cost]:
    """Pages of the busy room, then questions to all of it."""
    row = await (await connection.execute(queries.read_end, [busy])).fetchone()
    head = await (await connection.execute(queries.read_head)).fetchone()
    assert row is not None
    assert head is not None
    costs = {name: await measure_page(connection, USER, busy, window) for name, window in pages(row[0]).items()}
    ticket = max(10, int(head[0] * TICKETED / TICKET_HITS * 0.97))  # one of those that came last
    return costs | {name: await measure_search(connection, USER, q) for name, q in questions(ticket).items()}


def tabulate(found: dict[int, dict[str, Cost]]) -> Table:
    """A column for each size, and how many times the smallest the largest costs."""
    table = Table("processor of PostgreSQL, ms · found · pages touched", *[f"{size:,}" for size in found], "×")
    first, last = min(found), max(found)
    for name, cost in found[last].items():
        cells = [f"{one[name].processor:.2f} · {one[name].found} · {one[name].plan.buffers}" for one in found.values()]
        table.add_row(name, *cells, f"{cost.processor / found[first][name].processor:.2f}")
    return table
