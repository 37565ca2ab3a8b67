"""Large data: an installation for each size is asked for pages and for every kind of search.

Measured are how long a client waits for the node, and how much of that is PostgreSQL's processor.
"""

import asyncio
import http.client
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from chat.local.databases import Urls, apply_migrations, start_engines
from chat.migrations import migrate
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, prepare_connection
from chat.shared.sql import load
from chat.tools.bench.environment import HOST, start_node
from chat.tools.bench.report import BenchReport, Curve, Row
from chat.tools.bench.search_depth import (
    FLAT,
    LIMIT,
    Cost,
    measure_page,
    measure_search,
    pages,
    questions,
    wider_questions,
)
from chat.tools.bench.seed_data import TICKET_HITS, TICKETED, fill, read_head
from chat.tools.bench.show import save
from chat.tools.bench.targets import BenchTrouble

queries = load(__file__)
USER, TURNS = 1, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """`waited` is the milliseconds from a request to the last byte of the answer; `cost` is the database's part."""

    waited: float
    cost: Cost

    def best(self, other: "Answer") -> "Answer":
        """Return the smaller of each figure: other work on the machine only makes them larger."""
        return Answer(min(self.waited, other.waited), min(self.cost, other.cost, key=lambda cost: cost.processor))


@dataclass(frozen=True, slots=True)
class LargeDataset:
    """One size: its database and a node's port."""

    database: str
    port: int


Found = dict[int, dict[str, Answer]]  # each kind of page and question, by size


def flood(folder: Path, sizes: Sequence[int]) -> Found:
    """Write the data and measure in turns; `folder` keeps a database of each size for the next run."""
    with ExitStack() as stack:
        basins = {size: open_basin(stack, folder / str(size), size) for size in sorted(set(sizes))}
        found: Found = {size: {} for size in basins}
        for _ in range(TURNS):
            for size, basin in basins.items():
                answers = asyncio.run(ask_all(basin))
                found[size] = {name: one.best(found[size].get(name, one)) for name, one in answers.items()}
        return found


def open_basin(stack: ExitStack, folder: Path, size: int) -> LargeDataset:
    """Yield an installation with that many messages, written before its node starts."""
    _, urls = start_engines(stack, folder, Urls("", ""))
    apply_migrations(urls.database, urls.owner)
    asyncio.run(write_data(urls.owner, size))
    return LargeDataset(urls.owner, start_node(stack, f"flood{size}", urls, {}).port)


async def ask_all(basin: LargeDataset) -> dict[str, Answer]:
    """Request pages of the busy conversation, then searches over everything."""
    async with await psycopg.AsyncConnection.connect(basin.database, autocommit=True) as connection:
        await prepare_connection(connection)
        busy = (await read_rooms(connection))["busy"]
        [end] = await (await connection.execute(queries.read_end, [busy])).fetchall()
        head = await read_head(connection)
        ticket = max(10, int(head * TICKETED / TICKET_HITS * 0.97))  # one of the latest tickets
        windows, asked = pages(end[0]), questions(ticket) | wider_questions()
        paths = page_paths(busy, end[0]) | {name: search_path(text) for name, text in asked.items()}
        costs = {name: await measure_page(connection, USER, busy, window) for name, window in windows.items()}
        costs |= {name: await measure_search(connection, USER, text) for name, text in asked.items()}
        with closing(PageProbe(HOST, basin.port, await log_in(connection))) as visitor:
            return {name: Answer(visitor.wait(paths[name]), cost) for name, cost in costs.items()}


async def log_in(connection: Connection) -> str:
    """Return the token of a new session."""
    token = secrets.token_hex(16)
    await connection.execute(queries.log_in, [USER, hash_token(token)])
    return token


# The results: a table of all kinds at all sizes, and a report of what must stay flat.

FULL = 10_000  # messages


def tell(found: Found, out: Path | None) -> None:
    """Print the table, and write the report if a folder is given."""
    Console().print(tabulate(found))
    if out is not None:
        save([report_flood(found)], out, " ".join(["tandem", *sys.argv[1:]]))


def tabulate(found: Found) -> Table:
    """Return a table with a column for each size and the ratio of the largest to the smallest."""
    told = "waiting for a node · of it the processor of PostgreSQL, ms · found · pages touched"
    table = Table(told, *[f"{size:,}" for size in found], "×")
    wider = wider_questions()
    for name in found[max(found)]:
        if name == next(iter(wider)):
            table.add_section()
        first, last = ends(found, name)
        table.add_row(
            name, *[describe(answers[name]) for answers in found.values()], f"{last.waited / first.waited:.2f}"
        )
    return table


def describe(answer: Answer) -> str:
    """Return a cell of the table."""
    cost = answer.cost
    return f"{answer.waited:.2f} · {cost.processor:.2f} · {cost.found} · {cost.plan.buffers}"


def compared(found: Found, name: str) -> list[int]:
    """Return the sizes at which this kind is compared: all for pages, those with enough results for searches."""
    enough = [size for size in sorted(found) if size >= FULL]
    return enough if len(enough) > 1 and name not in pages(1) else sorted(found)


def ends(found: Found, name: str) -> tuple[Answer, Answer]:
    """Return the answers at the smallest and the largest size."""
    sizes = compared(found, name)
    return found[sizes[0]][name], found[sizes[-1]][name]


def report_flood(found: Found) -> BenchReport:
    """Return each kind at the largest size as a multiple of the smallest; kinds that read more there have no bar."""
    report, wider = BenchReport("flood", curves=list(curves_of(found))), wider_questions()
    for name in found[max(found)]:
        (first, last), bar = ends(found, name), None if name in wider else FLAT
        note = f"{compared(found, name)[0]:,} messages: {tell_parts(first)}; {max(found):,}: {tell_parts(last)}"
        report.rows.append(Row(name, last.waited / first.waited, "×", bar, note=note))
    report.notes.append("from a request to the last byte of a node's answer; of that the processor of PostgreSQL")
    return report


def tell_parts(answer: Answer) -> str:
    """Return the whole time and the database's part, in words."""
    return f"{answer.waited:.2f} ms, of it {answer.cost.processor:.2f}, {answer.cost.plan.buffers} pages"


def curves_of(found: Found) -> Iterator[Curve]:
    """Return how the median and the most expensive kind grow."""
    paging = list(pages(1))
    asked = [name for name in found[max(found)] if name not in (*paging, *wider_questions())]
    for what, kinds, pick in (
        ("a page of history, the dearest kind", paging, max),
        ("a question, the middling kind", asked, median),
        ("a question, the dearest kind", asked, max),
    ):
        sizes = compared(found, kinds[0])
        waits = [(float(size), pick(found[size][kind].waited for kind in kinds)) for size in sizes]
        costs = [(float(size), pick(found[size][kind].cost.processor for kind in kinds)) for size in sizes]
        yield Curve(what, "messages", "ms until it is answered", waits)
        yield Curve(f"{what}, in the database", "messages", "ms of database CPU", costs)


# The data: 200 users. One busy conversation has half of all messages, a quiet one a fixed number, a calm one a
# thousandth, and one fell silent long ago; forty others share the rest. A tenth of all messages is where these users
# are not members. Ben writes a twentieth of everything, each other user a two hundredth.

PEOPLE, ROOMS, CLOSED = 200, 40, 8
BEN, BENS = 2, 10  # other users who together write as many
ENOUGH, SILENT_MOST, LEAST = 500, 20_000, 1_000  # messages
console = Console(stderr=True, highlight=False, emoji=False)


async def write_data(database_url: str, size: int) -> None:
    """Write messages until there are as many; existing ones count."""
    await migrate(database_url)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(queries.add_users, {"people": PEOPLE})
        await connection.execute(queries.settle_rooms, {"rooms": ROOMS, "closed": CLOSED})
        shares = share_out(await read_rooms(connection), size)
    authors = [*range(1, PEOPLE + 1), *[BEN] * (BENS - 1)]
    silent = next(iter(shares))
    await grow(database_url, {silent: shares[silent]}, authors)
    await grow(database_url, shares, authors)


async def read_rooms(connection: Connection) -> dict[str, int]:
    """Return the conversations' ids by name."""
    return dict(await (await connection.execute(queries.read_rooms)).fetchall())


def share_out(rooms: dict[str, int], size: int) -> dict[int, int]:
    """Return how many of the messages each conversation has. The first one, `silent`, gets no later ones."""
    enough, closed = min(ENOUGH, size // 10), size // 10
    named = {"silent": min(size // 50, SILENT_MOST), "busy": size // 2, "quiet": enough}
    named["calm"] = max(enough, size // 1000)
    rest = size - sum(named.values()) - closed
    shares = {rooms[name]: share for name, share in named.items()}
    shares |= {rooms[f"closed{n}"]: closed // CLOSED for n in range(CLOSED)}
    return shares | {rooms[f"room{n}"]: rest // ROOMS for n in range(ROOMS)}


async def grow(database_url: str, shares: dict[int, int], authors: Sequence[int]) -> None:
    """Write messages with a progress bar; existing ones count."""
    columns = ("messages", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=sum(shares.values()))
        await fill(database_url, shares, authors, told=lambda number: progress.update(bar, advance=number))


TIMES, ROUNDS = 20, 5
HISTORY, SEARCH = "/api/chat/conversations/{room}/messages", "/api/chat/search"


def page_paths(conversation_id: int, last_seq: int) -> dict[str, str]:
    """Return the request path of each kind of page, as in `search_depth.pages`."""
    newest, middle = f"{HISTORY.format(room=conversation_id)}?limit={LIMIT}", max(1, last_seq // 2)
    others = {f"page {way}": f"{newest}&{way}={middle}" for way in ("before", "around", "after")}
    return {"newest page": newest} | others


def search_path(text: str) -> str:
    """Return the request path of a search."""
    return f"{SEARCH}?{urlencode({'q': text})}"


class PageProbe:
    """A client with one session and a connection that stays open, as a browser's does."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=20)
        self._access = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def wait(self, path: str) -> float:
        """Return the milliseconds from the request to the last byte of the answer.

        That is the best of the rounds' medians, because other work on the machine only makes them longer. Raises
        `BenchTrouble` for an error status.
        """
        self.ask(path)
        return min(median(self.ask(path) for _ in range(TIMES)) for _ in range(ROUNDS))

    def ask(self, path: str) -> float:
        """Make one request."""
        began = perf_counter()
        self._connection.request("GET", path, headers=self._access)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise BenchTrouble(f"GET {path}: {answer.status} {body[:200].decode(errors='replace')}")
        return (perf_counter() - began) * 1e3
