"""A flood: an installation of its own for each size, which is asked for a page and for every kind of search: how long
whoever asks its node waits, and what of that is the database's processor.

What is asked is the same at all sizes; the last lines of the table are of what asks for more where more was said.
"""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from chat.bench.depth import Cost, measure_page, measure_search, pages, questions, wider_questions
from chat.bench.fill import TICKET_HITS
from chat.bench.fill import queries as fill_queries
from chat.bench.place import HOST, start_node
from chat.bench.rising import read_rooms, rise
from chat.bench.talk import TICKETED
from chat.bench.visitor import Visitor, page_paths, search_path
from chat.local.databases import Urls, apply_migrations, start_engines
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, prepare_connection
from chat.shared.sql import load

queries = load(__file__)

USER, TURNS = 1, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """`waited`: milliseconds from a request to the last byte of what the node answers; `cost`: the database's part."""

    waited: float
    cost: Cost

    def best(self, other: "Answer") -> "Answer":
        """The least of both, for other work on the machine makes everything dearer."""
        return Answer(min(self.waited, other.waited), min(self.cost, other.cost, key=lambda cost: cost.processor))


@dataclass(frozen=True, slots=True)
class Basin:
    """What has come of one flood: its database, and a node's port."""

    database: str
    port: int


Found = dict[int, dict[str, Answer]]  # each kind of page and question, by size


def flood(folder: Path, sizes: Sequence[int]) -> Found:
    """Fill, and measure in turns; `folder` keeps a database of each size for the next time."""
    with ExitStack() as stack:
        basins = {size: open_basin(stack, folder / str(size), size) for size in sorted(set(sizes))}
        found: Found = {size: {} for size in basins}
        for _ in range(TURNS):
            for size, basin in basins.items():
                answers = asyncio.run(ask_all(basin))
                found[size] = {name: one.best(found[size].get(name, one)) for name, one in answers.items()}
        return found


def open_basin(stack: ExitStack, folder: Path, size: int) -> Basin:
    """As much is said there, before its node starts."""
    _, urls = start_engines(stack, folder, Urls("", ""))
    apply_migrations(urls.database, urls.owner)
    asyncio.run(rise(urls.owner, size))
    return Basin(urls.owner, start_node(stack, f"flood{size}", urls, {}).port)


async def ask_all(basin: Basin) -> dict[str, Answer]:
    """Pages of the busy room, then questions to all of it."""
    async with await psycopg.AsyncConnection.connect(basin.database, autocommit=True) as connection:
        await prepare_connection(connection)
        busy = (await read_rooms(connection))["busy"]
        [end] = await (await connection.execute(queries.read_end, [busy])).fetchall()
        [head] = await (await connection.execute(fill_queries.read_head)).fetchall()
        ticket = max(10, int(head[0] * TICKETED / TICKET_HITS * 0.97))  # one of those that came last
        windows, asked = pages(end[0]), questions(ticket) | wider_questions()
        paths = page_paths(busy, end[0]) | {name: search_path(text) for name, text in asked.items()}
        costs = {name: await measure_page(connection, USER, busy, window) for name, window in windows.items()}
        costs |= {name: await measure_search(connection, USER, text) for name, text in asked.items()}
        with closing(Visitor(HOST, basin.port, await log_in(connection))) as visitor:
            return {name: Answer(visitor.wait(paths[name]), cost) for name, cost in costs.items()}


async def log_in(connection: Connection) -> str:
    """The token of a new login."""
    token = secrets.token_hex(16)
    await connection.execute(queries.log_in, [USER, hash_token(token)])
    return token
