"""Depth: what a page of history and each kind of search question cost, however much has been said.

The measure is the processor time of the PostgreSQL backend that answers, for other work on the machine does not
lengthen it; and the pages that it touches, which are the same everywhere.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chat.bench.talk import Talk
from chat.messages.commit import queries as message_queries
from chat.messages.window import Window, after, around, before, newest
from chat.search.find import Asked, encode_fields, find_on, read_scope
from chat.search.find import queries as search_queries
from chat.search.question import parse_question
from chat.shared.postgres import Connection

TIMES, ROUNDS, LIMIT = 20, 5, 50
EXPLAIN = b"explain (analyze, buffers, format json) "


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query was answered: pages touched, and the tables read through which index, or from end to end."""

    buffers: int
    indexes: frozenset[str]
    scanned: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of the backend's processor, the least of some rounds; how much was found; how."""

    processor: float
    found: int
    plan: Plan


def pages(last_seq: int) -> dict[str, Window]:
    """The kinds of page, at the end and in the middle of a conversation."""
    middle = max(1, last_seq // 2)
    return {
        "newest page": newest(LIMIT),
        "page before": before(middle, LIMIT),
        "page around": around(middle, LIMIT),
        "page after": after(middle, LIMIT),
    }


def questions(ticket: int) -> dict[str, str]:
    """Each kind of question to what `fill` has said; people are called as `ana` and `ben`, a room as `busy`.

    `ticket`: a number that few messages have.
    """
    words, han = Talk().words["latin"], Talk().words["han"]
    common, second, third = (word for word in words[:40] if len(word) == 3), words[1], words[2]
    first = next(common)
    return {
        "common word": first,
        "common word, busy room": f"{first} in:busy",
        "common word, quiet room": f"{first} in:quiet",
        "middling word": words[900],
        "rare word": f"t{ticket}",
        "rare word, busy room": f"t{ticket} in:busy",
        "two common words": f"{first} {second}",
        "phrase": f'"{second} {third}"',
        "prefix, common": f"{words[300][:3]}*",
        "prefix, rare": f"t{ticket}*",
        "script without spaces": han[0],
        "common word of ben": f"{first} from:ben",
        "of ben, a month": "from:ben after:2015-01-01 before:2015-02-01",
        "with a link": f"{first} has:link",
        "nothing": f"{first} xyzzy",
    }


async def measure_page(connection: Connection, user_id: int, conversation_id: int, window: Window) -> Cost:
    """What the page costs."""
    asked = {"conversation": conversation_id, "user": user_id} | asdict(window)

    async def ask() -> int:
        return len(await (await connection.execute(message_queries.read_page, asked, binary=True)).fetchall())

    return await measure(connection, ask, message_queries.read_page, asked)


async def measure_search(connection: Connection, user_id: int, text: str) -> Cost:
    """What the first page of an answer costs: looking up who may read what, finding, and reading the messages."""
    asked = Asked(parse_question(text))
    scope = await read_scope(connection, user_id, asked)
    fields = encode_fields(asked, scope) | {"user": user_id, "conversations": scope.conversations, "limit": 21}

    async def ask() -> int:
        return len((await find_on(connection, user_id, asked)).messages)

    return await measure(connection, ask, search_queries.find_places, fields)


async def measure(
    connection: Connection, ask: Callable[[], Awaitable[int]], query: bytes, asked: Mapping[str, object]
) -> Cost:
    """The least of some rounds, when all that is needed is in memory and the statements are prepared."""
    for _ in range(TIMES):
        found = await ask()
    times = []
    for _ in range(ROUNDS):
        began = processor_of(connection.info.backend_pid)
        for _ in range(TIMES):
            await ask()
        times.append((processor_of(connection.info.backend_pid) - began) / TIMES / 1e6)
    return Cost(min(times), found, await explain(connection, query, asked))


def processor_of(process: int) -> int:
    """How many nanoseconds it has been on a processor; it runs on this machine."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])


async def explain(connection: Connection, query: bytes, asked: Mapping[str, object]) -> Plan:
    """How PostgreSQL answers it."""
    row = await (await connection.execute(EXPLAIN + query, asked)).fetchone()
    assert row is not None
    top = row[0][0]["Plan"]
    nodes = list(walk(top))
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"]}
    indexes = {node["Index Name"] for node in nodes if "Index Name" in node and node["Actual Loops"]}
    return Plan(top["Shared Hit Blocks"] + top["Shared Read Blocks"], frozenset(indexes), frozenset(scanned))


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The node, and all below it."""
    yield node
    for below in node.get("Plans", ()):
        yield from walk(below)
