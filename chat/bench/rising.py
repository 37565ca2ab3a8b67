"""Rising: people, rooms and as much talk as is wanted, for a flood.

Two hundred people are in a busy room, which has half of all talk, a quiet one, which has no more however much is said
elsewhere, a calm one, which has a thousandth, one that has long fallen silent, and forty others; a tenth of all talk is
where they are not. Ben says a twentieth of everything, everybody else a two hundredth.
"""

from collections.abc import Sequence

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from chat.bench.fill import fill
from chat.migrations import migrate
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)

PEOPLE, ROOMS, CLOSED = 200, 40, 8

BEN, BENS = 2, 10  # people it would take to say as much as he

ENOUGH, SILENT_MOST, LEAST = 500, 20_000, 1_000  # messages

console = Console(stderr=True, highlight=False)


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
    enough, closed = min(ENOUGH, size // 10), size // 10
    named = {"silent": min(size // 50, SILENT_MOST), "busy": size // 2, "quiet": enough}
    named["calm"] = max(enough, size // 1000)
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
