"""The tail: every entry once, in order, whatever happens to the announcements."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from chat.log import tail as tail_module
from chat.log.append import Log
from chat.log.entry import Entry, Unplaced, pack
from chat.log.maintenance import Retention
from chat.log.tail import Tail, read_entries
from chat.shared.bus import RedisBus
from chat.shared.postgres import Pool, open_pool
from chat.shared.redis import connect_redis
from tests.waiting import eventually


class Listener:
    """A listener that asserts the order and keeps the positions."""

    def __init__(self) -> None:
        self.epoch, self.position = "", 0
        self.heard: list[int] = []

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Take the next entries, or fail the test."""
        for entry in entries:
            assert entry.position == self.position + 1
            self.position = entry.position
            self.heard.append(entry.position)

    def reset(self, epoch: str, position: int) -> None:
        """Start again with another log."""
        self.epoch, self.position = epoch, position


Batches = list[tuple[str, Sequence[Entry]]]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A node's pool, with partitions."""
    async with open_pool(database_url) as pool:
        await Retention(pool, 100_000, 14).maintain()
        yield pool


async def append(pool: Pool, *sizes: int) -> Batches:
    """Commit batches of these sizes; return their announcements."""
    batches: Batches = []
    log = Log(pool, lambda epoch, entries: batches.append((epoch, entries)))
    for size in sizes:
        async with log.change() as change:
            for _ in range(size):
                await change.record(Unplaced("note", data=b"1"))
    return batches


async def begin(pool: Pool) -> tuple[Tail, Listener]:
    """Return a tail at the end of the log, without Redis."""
    listener = Listener()
    tail = Tail(pool, RedisBus(connect_redis("redis://127.0.0.1:1")), listener)
    await tail.start()
    return tail, listener


async def test_announcements_in_any_order_are_delivered_in_order_once(pool: Pool) -> None:
    """Announcements in any order, and repeated, reach the listener in order, once."""
    tail, listener = await begin(pool)
    batches = await append(pool, 3, 1, 2, 5, 1)
    shuffled = random.Random(7).sample(batches * 2, 10)
    for batch in shuffled:
        tail.on_commit(*batch)
    assert listener.heard == list(range(1, 13))


async def test_a_lost_announcement_is_read_from_the_log(pool: Pool) -> None:
    """The hole is filled, and the entries that waited behind it follow."""
    tail, listener = await begin(pool)
    first, _, third = await append(pool, 2, 3, 2)
    tail.on_commit(*first)
    tail.on_commit(*third)
    assert listener.heard == [1, 2]
    await tail.catch_up()
    assert listener.heard == list(range(1, 8))


async def test_an_announcement_of_another_log_is_not_delivered(pool: Pool) -> None:
    """The positions fit, but the entries belong to another log: the log is read instead."""
    tail, listener = await begin(pool)
    ((_, entries),) = await append(pool, 2)
    tail.on_commit("another.epoch", entries)
    assert listener.heard == []
    await tail.catch_up()
    assert listener.heard == [1, 2]


async def test_unannounced_entries_are_found(pool: Pool) -> None:
    """A node died between commit and announcement: comparing heads finds what it wrote."""
    tail, listener = await begin(pool)
    await append(pool, 4)
    await tail.catch_up()
    assert listener.heard == [1, 2, 3, 4]
    assert tail.deaf


async def test_more_early_announcements_than_fit_are_read_from_the_log(pool: Pool) -> None:
    """The memory for early announcements is bounded; nothing is lost by that."""
    tail, listener = await begin(pool)
    batches = await append(pool, *[1] * 200)
    for batch in reversed(batches[1:]):
        tail.on_commit(*batch)
    assert listener.heard == []
    await tail.catch_up()
    assert listener.heard == list(range(1, 201))


async def test_a_log_that_was_restored_starts_the_listener_over(pool: Pool) -> None:
    """In another epoch positions mean something else, so nothing is delivered as a continuation."""
    tail, listener = await begin(pool)
    await append(pool, 2)
    await tail.catch_up()
    before = listener.epoch
    async with pool.connection() as connection:
        await connection.execute("update log_head set origin = 'another cluster'")
    await tail.catch_up()
    assert listener.epoch != before
    assert (listener.position, listener.heard) == (2, [1, 2])


async def test_a_log_that_went_back_starts_the_listener_over(pool: Pool) -> None:
    """A disk snapshot was restored under a running node."""
    tail, listener = await begin(pool)
    await append(pool, 5)
    await tail.catch_up()
    async with pool.connection() as connection:
        await connection.execute("update log_head set position = 3")
    await tail.catch_up()
    assert listener.position == 3


async def test_a_page_after_the_last_entry_is_empty(pool: Pool) -> None:
    """An empty page still names the log and its head."""
    await append(pool, 2)
    page = await read_entries(pool, 2, 10)
    assert (page.entries, page.position) == ([], 2)
    assert page.epoch == (await read_entries(pool, 0, 10)).epoch


@asynccontextmanager
async def running(work: asyncio.Task[None]) -> AsyncIterator[None]:
    """Run a task beside the block."""
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])


async def test_announcements_in_order_cause_no_read(pool: Pool) -> None:
    """Reading starts only at a hole, so a busy log costs no statements."""
    tail, _ = await begin(pool)
    first, second, third = await append(pool, 1, 1, 1)
    tail.on_commit(*first)
    assert not tail._behind.is_set()
    tail.on_commit(*third)
    assert tail._behind.is_set()
    tail.on_commit(*second)


async def test_an_announcement_of_another_log_starts_a_read(pool: Pool) -> None:
    """After a restore another node announces a lower position of a new epoch: this node compares heads at once."""
    tail, _ = await begin(pool)
    for batch in (known := await append(pool, 1, 1)):
        tail.on_commit(*batch)
    for epoch, entries in known:
        tail._on_hint(pack(epoch, entries, 10**6))
    assert not tail._behind.is_set()
    tail._on_hint(pack("another", known[0][1], 10**6))
    assert tail._behind.is_set()


async def test_a_hint_without_entries_starts_a_read_only_if_it_is_ahead(pool: Pool) -> None:
    """A large commit announces its positions alone, and other nodes read it. A hint that is no announcement is none."""
    tail, listener = await begin(pool)
    lags: list[int] = []
    tail.on_announcement = lags.append
    (epoch, entries), *_ = await append(pool, 2)
    tail._on_hint(b"anything else")
    assert not tail._behind.is_set()
    tail._on_hint(pack(epoch, entries, -1))
    assert tail._behind.is_set()
    await tail.catch_up()
    assert listener.heard == [1, 2]
    tail._behind.clear()
    tail._on_hint(pack(epoch, entries, -1))
    assert not tail._behind.is_set()
    assert lags == [2, 2]


async def test_the_log_is_read_without_announcements(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the bus is silent, heads are compared again and again."""
    monkeypatch.setattr(tail_module, "SILENCE_SECONDS", 0.01)
    monkeypatch.setattr(tail_module, "DEAF_SECONDS", 0.01)
    tail, listener = await begin(pool)
    async with running(asyncio.create_task(tail.follow())):
        for total in (1, 2):
            await append(pool, 1)
            await eventually(lambda: len(listener.heard) == total)  # noqa: B023 (called within the loop)


async def test_announcements_of_known_entries_take_no_memory(pool: Pool) -> None:
    """An announcement that comes after its entries were read from the log is forgotten."""
    tail, listener = await begin(pool)
    first, second, third = await append(pool, 1, 1, 1)
    tail.on_commit(*third)
    await tail.catch_up()
    tail.on_commit(*first)
    tail.on_commit(*second)
    assert listener.heard == [1, 2, 3]
    assert not tail._early


async def test_a_hole_is_read_at_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An announcement with a hole before it starts reading the log at once."""
    monkeypatch.setattr(tail_module, "SILENCE_SECONDS", 3600.0)
    monkeypatch.setattr(tail_module, "DEAF_SECONDS", 3600.0)
    tail, listener = await begin(pool)
    async with running(asyncio.create_task(tail.follow())):
        _, second = await append(pool, 2, 1)
        tail.on_commit(*second)
        await eventually(lambda: listener.heard == [1, 2, 3])


async def test_a_lost_bus_is_logged_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes try to connect again every second, and operators read of it once."""
    monkeypatch.setattr(tail_module, "DEAF_SECONDS", 0.0)
    tail, _ = await begin(pool)
    attempts = 0

    async def receive(ready: Callable[[], None], _: Callable[[bytes], None]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            ready()
        raise ConnectionError("lost")

    monkeypatch.setattr(tail.bus, "receive", receive)
    with capture_logs() as logs:
        async with running(asyncio.create_task(tail.listen())):
            await eventually(lambda: attempts > 2)
    assert [row["event"] for row in logs] == ["bus unavailable, polling the log"]


async def test_a_lost_redis_is_not_asked_without_a_pause(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attempts to connect have a pause between them, here an endless one."""
    monkeypatch.setattr(tail_module, "DEAF_SECONDS", 3600.0)
    tail, _ = await begin(pool)
    attempts = 0
    pubsub = tail.bus._redis.pubsub

    def counted() -> object:
        nonlocal attempts
        attempts += 1
        return pubsub()

    monkeypatch.setattr(tail.bus._redis, "pubsub", counted)
    async with running(asyncio.create_task(tail.listen())):
        await eventually(lambda: attempts)
        await append(pool, 1, 1, 1)  # a loop without a pause would have tried again meanwhile
    assert attempts == 1
