"""Retention: partitions ahead of need, old ones dropped whole, and a reset for readers that are too late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chat.log.append import Log, MissingPartition
from chat.log.entry import Unplaced
from chat.log.maintenance import LOCK, Retention
from chat.log.maintenance import queries as maintenance_queries
from chat.log.tail import find_head
from chat.shared.postgres import Connection, Pool
from chat.shared.web import POOL
from chat.stream.endpoints import STREAMS
from tests.cast import Cast
from tests.nodes import Node, running_node
from tests.waiting import eventually

SIZE = 10


async def partitions(pool: Pool) -> list[tuple[int, int]]:
    """Return the partitions' bounds, oldest first."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(maintenance_queries.list_partitions)).fetchall()
    return [(low, high) for _, low, high in rows]


async def write(pool: Pool, count: int) -> None:
    """Write so many entries to everyone."""
    async with Log(pool, lambda *_: None).change() as change:
        for _ in range(count):
            await change.record(Unplaced("note", data=b"1"))


@pytest.fixture
async def pool(cast: Cast, node: Node, database_url: str) -> Pool:  # noqa: ARG001 (the cast's node has made its own partitions)
    """The node's pool, with small partitions from here on; the node itself, which maintains them too, finds none
    missing."""
    pool = node.app[POOL]
    async with await Connection.connect(database_url) as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        for name, *_ in await (await connection.execute(maintenance_queries.list_partitions)).fetchall():
            await connection.execute(f'drop table "{name}"')
        await Retention(pool, SIZE, 14)._make_ahead(connection)
    return pool


async def test_there_is_always_room_ahead(pool: Pool) -> None:
    """There are two partitions more than the log needs, without gap or overlap, also after maintaining twice."""
    for _ in range(3):
        await Retention(pool, SIZE, 14).maintain()
        await write(pool, 9)
    await Retention(pool, SIZE, 14).maintain()
    bounds = await partitions(pool)
    assert [high for _, high in bounds[:-1]] == [low for low, _ in bounds[1:]]
    assert bounds[-1][1] >= 27 + 2 * SIZE


async def test_old_partitions_are_dropped_whole_and_young_ones_stay(pool: Pool) -> None:
    """The floor says where the log starts; no row is deleted singly."""
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 12")
    await Retention(pool, SIZE, 14).maintain()
    assert (await find_head(pool)).floor == 10
    assert (await partitions(pool))[0][0] == 11


async def test_a_partition_with_one_young_entry_stays(pool: Pool) -> None:
    """Every entry is kept for fourteen days, also in full partitions."""
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position < 10")
    await Retention(pool, SIZE, 14).maintain()
    assert (await find_head(pool)).floor == 0


async def test_a_reader_from_below_the_floor_gets_a_reset_and_continues(pool: Pool, cast: Cast, node: Node) -> None:
    """Ben was away for longer than the log is kept: he gets a reset, and then live entries."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    start = (await ben.listens()).cursor
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 10")
    await Retention(pool, SIZE, 14).maintain()
    await node.app[STREAMS].tail.catch_up()
    reader = await ben.listens(after=start)
    reset = await reader.hears_event("reset")
    assert reset.json()["reason"] == "too_old"
    await ana.says(room, "welcome back")
    await reader.hears("welcome back")


async def test_a_partition_dropped_before_the_page_is_noticed(pool: Pool, cast: Cast, node: Node) -> None:
    """The node still has the old floor: reading the page finds the loss, and reports it."""
    ana, ben = await cast.enters("ana", "ben")
    await cast.share(ana, ben)
    start = (await ben.listens()).cursor
    await write(pool, 15)
    streams = node.app[STREAMS]
    await streams.hub.wait_for(15)
    streams.hub.recent.reset(15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 10")
    await Retention(pool, SIZE, 14).maintain()
    streams.tail.floor = 0
    reader = await ben.listens(after=start)
    assert (await reader.hears_event("reset")).json()["reason"] == "too_old"


# A dump, or a forgotten transaction, keeps every table in use while retention is due (fault 26).


@asynccontextmanager
async def dumping(database_url: str) -> AsyncIterator[None]:
    """Hold the lock that pg_dump holds, on the log and each of its partitions."""
    async with await Connection.connect(database_url) as connection, connection.transaction():
        await connection.execute("lock table log in access share mode")
        yield


async def test_old_partitions_wait_for_the_end_of_a_dump(pool: Pool, database_url: str) -> None:
    """The drop gives up at once and the partitions ahead are made all the same; later it is dropped."""
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 12")
    retention = Retention(pool, SIZE, 14)
    async with dumping(database_url):
        await retention.make_partitions()
        assert (await partitions(pool))[-1][1] >= 15 + 2 * SIZE
        assert not await retention.drop_partitions()
        assert await waiting_for_locks(pool) == 0
        await write(pool, 1)
    assert await retention.drop_partitions()
    assert (await partitions(pool))[0][0] == 11


@asynccontextmanager
async def maintained_elsewhere(database_url: str) -> AsyncIterator[None]:
    """Hold the lock of a node that maintains the partitions."""
    async with await Connection.connect(database_url) as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        yield


async def test_one_node_at_a_time_makes_partitions(pool: Pool, database_url: str) -> None:
    """The others wait, because two would make the same partition."""
    await write(pool, 5)
    before = await partitions(pool)
    async with maintained_elsewhere(database_url):
        making = asyncio.create_task(Retention(pool, SIZE, 14).make_partitions())
        await eventually(lambda: waiting_for_locks(pool, "advisory"))
        assert await partitions(pool) == before
    await making


async def test_partitions_that_another_node_drops_are_left_to_it(pool: Pool, database_url: str) -> None:
    """That is no reason to look less often: the log is not in use."""
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 12")
    before = await partitions(pool)
    async with maintained_elsewhere(database_url):
        assert await Retention(pool, SIZE, 14).drop_partitions()
        assert await partitions(pool) == before


async def test_pauses_grow_while_the_log_is_in_use(pool: Pool, database_url: str) -> None:
    """Every attempt to drop costs the others a moment, so there are fewer and fewer."""
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 12")
    retention, pauses = Retention(pool, SIZE, 14), []
    async with dumping(database_url):
        for _ in range(3):
            await retention._drop_or_pause()
            pauses.append(retention._pause)
    await retention._drop_or_pause()
    assert [*pauses, retention._pause] == [10, 20, 40, 5]


async def test_a_node_starts_during_a_dump(pool: Pool, database_url: str, redis_url: str) -> None:
    """Nothing at start waits for the lock of a drop."""
    await write(pool, 15)
    async with pool.connection() as connection:
        await connection.execute("update log set at = now() - interval '20 days' where position <= 12")
    node = running_node(database_url, redis_url, node="b2", log_partition_entries=SIZE)
    async with dumping(database_url), node as other:
        await write(other.app[POOL], 1)


async def waiting_for_locks(pool: Pool, kind: str = "relation") -> int:
    """Return how many sessions wait for a lock, by default one on a table."""
    async with pool.connection() as connection:
        counting = "select count(*) from pg_locks where not granted and locktype = %s"
        counted = await connection.execute(counting, [kind])
        row = await counted.fetchone()
    return int(row[0]) if row else 0


async def test_a_missing_partition_is_a_temporary_error(pool: Pool, cast: Cast, node: Node, database_url: str) -> None:
    """A post is refused with 503, the node makes the partition at once, and a retry is stored."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    await drop_all(database_url)
    with pytest.raises(MissingPartition):
        await write(pool, 1)
    draft = {"body": "is there room?", "client_id": "c1"}
    path = f"/api/chat/conversations/{room}/messages"
    status, said = await ana.call("POST", path, draft)
    assert (status, said["code"]) == (503, "unavailable")

    async def is_stored() -> bool:
        return (await ana.call("POST", path, draft))[0] == 201

    await eventually(is_stored, 3)
    assert node.app[STREAMS].hub.position == 1


async def drop_all(database_url: str) -> None:
    """Remove every partition."""
    async with await Connection.connect(database_url, autocommit=True) as connection:
        for name, *_ in await (await connection.execute(maintenance_queries.list_partitions)).fetchall():
            await connection.execute(f'drop table "{name}"')
