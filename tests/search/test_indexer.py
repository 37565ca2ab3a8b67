"""The indexer: nothing is left out, whichever node indexes, whenever it stops, however old the database is."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import psycopg
import pytest

from chat.search import indexer
from chat.search.indexer import AT_ONCE, IndexedText, Indexer, encode
from chat.shared.postgres import Pool, open_pool
from tests.cast import Cast, Person
from tests.nodes import running_node
from tests.search.asking import finds, indexed
from tests.verbs import begins


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool of the test."""
    async with open_pool(database_url) as pool:
        yield pool


async def documents(pool: Pool) -> list[tuple[int, int]]:
    """Return the indexed messages: `(conversation, seq)`."""
    async with pool.connection() as connection:
        rows = await connection.execute("select conversation_id, seq from search_documents order by 1, 2")
        return [(row[0], row[1]) for row in await rows.fetchall()]


async def catch_up(one: Indexer) -> None:
    """Index everything."""
    while await one.step():
        pass


async def test_a_database_older_than_its_index_is_read_completely(
    ana: Person, ben: Person, pool: Pool, database_url: str
) -> None:
    """If the log no longer reaches back to the index, all messages are read in pieces; then the log is followed
    again."""
    rooms = [await begins(ana, "channel", name, ben) for name in ("one", "two")]
    for n in range(10):
        await ana.says(rooms[n % 2], f"number {n}")
    await indexed(database_url)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("delete from search_documents")
        await connection.execute("delete from log where position <= 5")
        await connection.execute("update search_state set followed = 0")
    await catch_up(Indexer(pool, batch=3))
    await ben.says(rooms[0], "number 10")
    await indexed(database_url)
    assert len(await finds(ben, "number", limit=100)) == 11


async def test_two_nodes_share_the_work(cast: Cast, pool: Pool, database_url: str, redis_url: str) -> None:
    """One node indexes while the other waits; each message is indexed once."""
    (ana,) = await cast.enters("ana")
    async with running_node(database_url, redis_url, node="b2") as other:
        room = await begins(ana, "channel", "crowded")
        nodes = [ana.at, other.url]
        for n in range(20):
            ana.at = nodes[n % 2]
            await ana.says(room, f"number {n}")
        await asyncio.gather(*[Indexer(pool, batch=3).step() for _ in range(5)])
        await indexed(database_url)
        assert await documents(pool) == [(room, seq) for seq in range(1, 21)]


async def test_failed_indexing_is_retried(ana: Person, pool: Pool, database_url: str) -> None:
    """Messages are posted meanwhile; the index and its progress are one commit."""
    room = await begins(ana, "channel", "brittle")
    await ana.says(room, "number one")
    await indexed(database_url)
    async with pool.connection() as connection:
        await connection.execute("alter table search_documents add constraint brittle check (seq < 2) not valid")
        await ana.says(room, "number two")
        with pytest.raises(psycopg.errors.CheckViolation):
            await catch_up(Indexer(pool))
        await ana.says(room, "number three")
        assert await documents(pool) == [(room, 1)]
        await connection.execute("alter table search_documents drop constraint brittle")
    await indexed(database_url)
    assert await finds(ana, "number") == ["number three", "number two", "number one"]


async def test_one_node_at_a_time(ana: Person, pool: Pool) -> None:
    """A node that finds another one indexing does nothing."""
    await begins(ana, "channel", "busy")
    async with pool.connection() as holder, holder.transaction():
        await holder.execute("select from search_state for update")
        assert not await Indexer(pool).step()


async def test_preparing_may_take_longer_than_a_silent_transaction(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends a transaction in which nothing is said for a while; preparing long texts takes longer."""
    encode_one = indexer.encode_text

    def encode_slowly(text: IndexedText) -> str:
        until = time.monotonic() + 0.7
        while time.monotonic() < until:
            pass
        return encode_one(text)

    monkeypatch.setattr(indexer, "encode_text", encode_slowly)
    texts = [IndexedText(1, seq, seq, 1, datetime.now(UTC), "soup", False, []) for seq in range(1, 6)]
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("set local idle_in_transaction_session_timeout = '2s'")
        assert len(await encode(texts, partial(connection.execute, indexer.KEEP_ALIVE))) == len(texts)
        await connection.execute("select")


async def stay() -> None:
    """Keep nothing alive: there is no transaction."""


async def test_indexing_yields_to_posts() -> None:
    """A post that arrives while many texts are prepared does not wait for all of them."""
    texts = [IndexedText(1, seq, seq, 1, datetime.now(UTC), f"number {seq}", False, []) for seq in range(1, 101)]
    loop, turns = asyncio.get_running_loop(), 0
    encoding = asyncio.ensure_future(encode(texts, stay))

    def take_a_turn() -> None:
        nonlocal turns
        turns += 1
        if not encoding.done():
            loop.call_soon(take_a_turn)

    loop.call_soon(take_a_turn)
    assert len(await encoding) == len(texts)
    assert turns >= len(texts) // AT_ONCE
