"""Search depth: a page and a search read as much among many messages as among few, in pages of the database."""

from collections.abc import AsyncIterator
from dataclasses import asdict

import psycopg
import pytest

from chat.accounts.models import LAST_LETTER
from chat.accounts.models import queries as models_queries
from chat.messages.history import queries as history_queries
from chat.search.query import parse_query
from chat.search.search import SearchRequest, find_on
from chat.shared.postgres import Connection
from chat.tools.bench.search_depth import LIMIT, Plan, explain, explain_search, pages, questions
from chat.tools.bench.seed_data import TICKET_HITS, fill

SMALL, LARGE = 6_000, 24_000
PEOPLE = "insert into users (name, display_name, password_hash) select name, name, '' from unnest(%s::text[]) as name"
ROOMS = """
insert into conversations (kind, name, private, look_key)
select 'channel', name, true, name from unnest(%s::text[]) as name
"""
SEATS = "insert into memberships (conversation_id, user_id, since) select c.id, u.id, 0 from conversations c, users u"
FULL, GROWTH = 20, 1.5  # growth of the pages touched for a full page of results, with four times the messages
MOST = 1_200  # for everything else


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[tuple[str, Connection]]:
    """Four users in a busy channel, a quiet one, one that falls silent and ten others, without messages yet."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(PEOPLE, [["ana", "ben", "chloe", "dmitri"]])
        await connection.execute(ROOMS, [["busy", "quiet", "silent", *[f"room{number}" for number in range(10)]]])
        await connection.execute(SEATS)
        yield database_url, connection


async def grow(database_url: str, size: int) -> None:
    """Half of all messages are in the busy channel, a hundredth in the quiet one."""
    shares = {1: size // 2, 2: size // 100} | dict.fromkeys(range(4, 14), (size - size // 2 - size // 100) // 10)
    await fill(database_url, {3: size // 50}, [1, 2, 3, 4])
    await fill(database_url, shares, [1, 2, 3, 4])


async def history(connection: Connection) -> dict[str, Plan]:
    """Return how each kind of page of the busy conversation is read."""
    row = await (await connection.execute("select last_seq from conversations where id = 1")).fetchone()
    assert row is not None
    plans = {}
    for name, window in pages(row[0]).items():
        asked = {"conversation": 1, "user": 1} | asdict(window)
        plans[name] = await explain(connection, history_queries.read_page, asked)
    return plans


async def search(connection: Connection, size: int) -> dict[str, tuple[Plan, int]]:
    """Return how each kind of search is executed, and how many messages it finds."""
    found: dict[str, tuple[Plan, int]] = {}
    for name, text in questions(int(size * 0.1 / TICKET_HITS * 0.95)).items():
        asked = SearchRequest(parse_query(text))
        plan = await explain_search(connection, 1, asked)
        found[name] = plan, len((await find_on(connection, 1, asked)).messages)
    return found


async def test_a_page_costs_the_same_in_a_long_conversation(talk: tuple[str, Connection]) -> None:
    """Pages in all directions use the primary key."""
    await grow(talk[0], LARGE)
    for name, plan in (await history(talk[1])).items():
        assert plan.scanned <= {"conversations", "memberships"}, name
        assert any("pkey" in index for index in plan.indexes), name
        assert plan.buffers <= LIMIT + 20, name  # at most one for each message, and the levels of the tree


async def test_a_search_costs_hardly_more_in_a_long_conversation(talk: tuple[str, Connection]) -> None:
    """Each kind of search uses the one index, and finds messages where there are some."""
    await grow(talk[0], SMALL)
    small = await search(talk[1], SMALL)
    await grow(talk[0], LARGE)
    large = await search(talk[1], LARGE)
    for name, (plan, found) in large.items():
        assert "search_documents" not in plan.scanned, name
        assert plan.indexes <= {"search_documents_vector", "search_documents_pkey"}, name
        full = found == small[name][1] == FULL and name != "phrase"  # whose words are searched separately
        assert plan.buffers <= (GROWTH * small[name][0].buffers + 60 if full else MOST), name
        assert (found > 0) == (name != "nothing"), name


async def test_users_are_found_without_reading_all(talk: tuple[str, Connection]) -> None:
    """Users are found by ranges of prefixes: eight thousand more users cost nothing."""
    await talk[1].execute(
        "insert into users (name, display_name, password_hash)"
        " select 'p' || n, chr(65 + n % 26) || 'na Person ' || n, '' from generate_series(1, 8000) n"
    )
    await talk[1].execute("analyze users, user_names")
    for text in ("", "p", "p12", "person", "son 199", "ben", "nobody"):
        asked = {"text": text, "beyond": text + LAST_LETTER, "most": 20, "viewer": None}
        plan = await explain(talk[1], models_queries.find_users, asked)
        assert (text, plan.scanned) == (text, frozenset())
        assert plan.buffers < 1_500, text
