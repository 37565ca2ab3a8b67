"""A flood: an installation of its own for each size, which is asked for a page and for every kind of search: how long
whoever asks its node waits, and what of that is the database's processor.

What is asked is the same at all sizes; the last lines of the table are of what asks for more where more was said.
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
from chat.tools.bench.seed_data import TICKET_HITS, TICKETED, fill
from chat.tools.bench.seed_data import queries as seed_data_queries
from chat.tools.bench.show import save
from chat.tools.bench.targets import BenchTrouble

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
        [head] = await (await connection.execute(seed_data_queries.read_head)).fetchall()
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


# What a flood has found: a table of all kinds at all sizes, and a report of what must stay flat.

FULL = 10_000  # messages


def tell(found: Found, out: Path | None) -> None:
    """The table; and the report, where a folder is named."""
    Console().print(tabulate(found))
    if out is not None:
        save([report_flood(found)], out, " ".join(["tandem", *sys.argv[1:]]))


def tabulate(found: Found) -> Table:
    """A column for each size, and how many times as long one waits at the largest as at the smallest."""
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
    """A cell of the table."""
    cost = answer.cost
    return f"{answer.waited:.2f} · {cost.processor:.2f} · {cost.found} · {cost.plan.buffers}"


def compared(found: Found, name: str) -> list[int]:
    """The sizes at which this kind is compared: a page at all, a question where there is enough to fill its page."""
    enough = [size for size in sorted(found) if size >= FULL]
    return enough if len(enough) > 1 and name not in pages(1) else sorted(found)


def ends(found: Found, name: str) -> tuple[Answer, Answer]:
    """Among the fewest messages and among the most."""
    sizes = compared(found, name)
    return found[sizes[0]][name], found[sizes[-1]][name]


def report_flood(found: Found) -> BenchReport:
    """Each kind at the largest size, in times the smallest; those that ask for more there have no bar."""
    report, wider = BenchReport("flood", curves=list(curves_of(found))), wider_questions()
    for name in found[max(found)]:
        (first, last), bar = ends(found, name), None if name in wider else FLAT
        note = f"{compared(found, name)[0]:,} messages: {tell_parts(first)}; {max(found):,}: {tell_parts(last)}"
        report.rows.append(Row(name, last.waited / first.waited, "×", bar, note=note))
    report.notes.append("from a request to the last byte of a node's answer; of that the processor of PostgreSQL")
    return report


def tell_parts(answer: Answer) -> str:
    """The whole, and the database's part."""
    return f"{answer.waited:.2f} ms, of it {answer.cost.processor:.2f}, {answer.cost.plan.buffers} pages"


def curves_of(found: Found) -> Iterator[Curve]:
    """How the middling and the dearest kind grow."""
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


# Rising: people, rooms and as much talk as is wanted, for a flood. Two hundred people are in a busy room, which has
# half of all talk, a quiet one, which has no more however much is said elsewhere, a calm one, which has a thousandth,
# one that has long fallen silent, and forty others; a tenth of all talk is where they are not. Ben says a twentieth
# of everything, everybody else a two hundredth.

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


# A visitor: somebody who asks a node for pages of history and searches, and waits for the answers.

TIMES, ROUNDS = 20, 5

HISTORY, SEARCH = "/api/chat/conversations/{room}/messages", "/api/chat/search"


def page_paths(conversation_id: int, last_seq: int) -> dict[str, str]:
    """How the kinds of page are asked for; as `depth.pages` has them."""
    newest, middle = f"{HISTORY.format(room=conversation_id)}?limit={LIMIT}", max(1, last_seq // 2)
    others = {f"page {way}": f"{newest}&{way}={middle}" for way in ("before", "around", "after")}
    return {"newest page": newest} | others


def search_path(text: str) -> str:
    """How a question is asked."""
    return f"{SEARCH}?{urlencode({'q': text})}"


class Visitor:
    """One login, on a connection that stays open, as a browser's does."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=20)
        self._access = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def wait(self, path: str) -> float:
        """Milliseconds from the request to the last byte of the answer: the median of a round, the best of them, for
        other work on the machine makes all of them longer. Raises `BenchTrouble` when the answer is an error."""
        self.ask(path)
        return min(median(self.ask(path) for _ in range(TIMES)) for _ in range(ROUNDS))

    def ask(self, path: str) -> float:
        """Once."""
        began = perf_counter()
        self._connection.request("GET", path, headers=self._access)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise BenchTrouble(f"GET {path}: {answer.status} {body[:200].decode(errors='replace')}")
        return (perf_counter() - began) * 1e3
