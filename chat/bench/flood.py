"""A flood: a database of its own for each size, in which a page and every kind of search are asked for what they cost.

Two hundred people are in a busy room, which has half of all talk, a quiet one, which has no more however much is said
elsewhere, a calm one, which has a thousandth, one that has long fallen silent, and forty others; a tenth of all talk is
where they are not. Ben says a twentieth of everything, everybody else a two hundredth. What is asked is the same at all
sizes; the last lines of the table are of what asks for more where more was said.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from chat.bench.depth import Cost, measure_page, measure_search, pages, questions, wider_questions
from chat.bench.fill import TICKET_HITS, fill, queries
from chat.bench.talk import TICKETED
from chat.engines import PostgresEngine
from chat.migrations import migrate
from chat.shared.postgres import Connection, prepare_connection

PEOPLE, ROOMS, CLOSED = 200, 40, 8
BEN, BENS = 2, 10  # people it would take to say as much as he
ENOUGH, SILENT_MOST = 500, 20_000  # messages
USER, TURNS, LEAST = 1, 3, 5_000
Found = dict[int, dict[str, Cost]]  # what each kind of page and question costs, by size
console = Console(stderr=True, highlight=False)


def flood(folder: Path, sizes: Sequence[int]) -> Found:
    """Fill, and measure in turns; `folder` keeps a database of each size for the next time."""
    with ExitStack() as stack:
        engines = {size: stack.enter_context(PostgresEngine(folder / str(size))) for size in sorted(set(sizes))}
        return asyncio.run(measure_sizes({size: engine.url for size, engine in engines.items()}))


async def measure_sizes(urls: dict[int, str]) -> Found:
    """What each kind of question costs at each size: the least of some turns, for other work makes all of it dearer."""
    for size, url in urls.items():
        await rise(url, size)
    found: Found = {size: {} for size in urls}
    for _ in range(TURNS):
        for size, url in urls.items():
            costs = await measure_all(url)
            found[size] = {name: min(cost, found[size].get(name, cost), key=processor) for name, cost in costs.items()}
    return found


def processor(cost: Cost) -> float:
    """What is compared."""
    return cost.processor


async def rise(database_url: str, size: int) -> None:
    """As much is said there; what is there already is not said again."""
    await migrate(database_url)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(queries.settle_people, {"people": PEOPLE})
        await connection.execute(queries.settle_rooms, {"rooms": ROOMS, "closed": CLOSED})
        shares = share_out(await read_rooms(connection), size)
    authors = [*range(1, PEOPLE + 1), *[BEN] * (BENS - 1)]
    silent = next(iter(shares))
    await grow(database_url, {silent: shares[silent]}, authors)
    await grow(database_url, shares, authors)


async def read_rooms(connection: Connection) -> dict[str, int]:
    """Their ids, by name."""
    return dict(await (await connection.execute(queries.read_rooms)).fetchall())


def share_out(rooms: dict[str, int], size: int) -> dict[int, int]:
    """How many messages each room has of so many; the first of them falls silent."""
    named = {"silent": min(size // 50, SILENT_MOST), "busy": size // 2, "quiet": ENOUGH}
    named["calm"], closed = max(ENOUGH, size // 1000), size // 10
    rest = size - sum(named.values()) - closed
    shares = {rooms[name]: share for name, share in named.items()}
    shares |= {rooms[f"closed{n}"]: closed // CLOSED for n in range(CLOSED)}
    return shares | {rooms[f"room{n}"]: rest // ROOMS for n in range(ROOMS)}


async def grow(database_url: str, shares: dict[int, int], authors: Sequence[int]) -> None:
    """With a bar; what is there already is not made again."""
    columns = ("messages", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=sum(shares.values()))
        await fill(database_url, shares, authors, told=lambda number: progress.update(bar, advance=number))


async def measure_all(database_url: str) -> dict[str, Cost]:
    """Pages of the busy room, then questions to all of it."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await prepare_connection(connection)
        busy = (await read_rooms(connection))["busy"]
        [end] = await (await connection.execute(queries.read_end, [busy])).fetchall()
        [head] = await (await connection.execute(queries.read_head)).fetchall()
        costs = {name: await measure_page(connection, USER, busy, window) for name, window in pages(end[0]).items()}
        ticket = max(10, int(head[0] * TICKETED / TICKET_HITS * 0.97))  # one of those that came last
        asked = questions(ticket) | wider_questions()
        return costs | {name: await measure_search(connection, USER, text) for name, text in asked.items()}
