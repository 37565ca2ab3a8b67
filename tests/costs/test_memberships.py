"""The cost of a membership: one row, in however many conversations a user is, whatever those of others are."""

import psycopg
import pytest

from chat.messages.posting import queries as posting_queries
from chat.shared.postgres import prepare_connection
from chat.shared.sql import numbers, texts

ROOMS, ASKED = 500, 20
FILL = """
with people as (
    insert into users (name, display_name, password_hash)
    select 'person ' || n, '', '' from generate_series(0, 3000) as n returning id, name),
rooms as (
    insert into conversations (kind, name)
    select 'channel', 'room ' || n from generate_series(1, %s) as n returning id),
everywhere as (
    insert into memberships (conversation_id, user_id, since)
    select rooms.id, people.id, 0 from rooms, people where people.name = 'person 0'),
somewhere as (
    insert into memberships (conversation_id, user_id, since)
    select (select min(id) from rooms), people.id, 0 from people where people.name <> 'person 0')
select (select id from people where name = 'person 0'), (select array_agg(id) from rooms)
"""
READ = """
select sum(pg_stat_get_xact_tuples_returned(indexrelid)) from pg_index where indrelid = 'memberships'::regclass
"""


@pytest.mark.parametrize("conversations", [1, ROOMS])
async def test_a_post_reads_one_row(database_url: str, conversations: int) -> None:
    """Most users are in one conversation and one is in many; the plan is the same for all."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await prepare_connection(connection)
        row = await (await connection.execute(FILL, [conversations])).fetchone()
        assert row is not None
        author, rooms = row
        await connection.execute("analyze users, conversations, memberships")
        asked = (rooms * ASKED)[:ASKED]
        async with connection.transaction():
            columns = [numbers(asked), numbers([author] * ASKED), texts(map(str, range(ASKED)))]
            found = await connection.execute(posting_queries.find_authors, columns, prepare=True)
            assert found.rowcount == ASKED
            assert await (await connection.execute(READ)).fetchone() == (ASKED,)
