"""The log's positions: in commit order, without holes, whatever fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest

from chat.log import append
from chat.log.append import SIZES, Announcer, Histogram, Log
from chat.log.entry import Entry, Unplaced, unpack_range
from chat.log.maintenance import Retention
from chat.log.tail import find_head, read_entries
from chat.messages.drafts import Draft, Post
from chat.messages.posting import Posted, PostWriter
from chat.shared.bus import RedisBus
from chat.shared.errors import Forbidden, Overloaded
from chat.shared.postgres import Pool, open_pool
from tests.cast import Cast
from tests.waiting import eventually


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A node's pool, with partitions to write to."""
    async with open_pool(database_url) as pool:
        await Retention(pool, 100_000, 14).maintain()
        yield pool


class Heard:
    """Keeps the announcements."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def __call__(self, _: str, entries: Sequence[Entry]) -> None:
        self.entries += entries


async def test_fifty_writers_leave_no_hole(pool: Pool) -> None:
    """Concurrent transactions of different sizes get positions 1, 2, 3 … in the order of their commits."""
    heard = Heard()
    log = Log(pool, heard)

    async def write(size: int) -> None:
        async with log.change() as change:
            for _ in range(size):
                await change.record(Unplaced("note", data=b"1"))

    await asyncio.gather(*[write(1 + n % 4) for n in range(50)])
    total = sum(1 + n % 4 for n in range(50))
    page = await read_entries(pool, 0, 1000)
    assert [entry.position for entry in page.entries] == list(range(1, total + 1))
    assert page.position == total
    assert sorted(entry.position for entry in heard.entries) == list(range(1, total + 1))


async def test_a_failed_change_takes_no_position_and_is_not_announced(pool: Pool) -> None:
    """The position of a failed change goes to the next one."""
    heard = Heard()
    log = Log(pool, heard)

    async def fail() -> None:
        async with log.change() as change:
            await change.record(Unplaced("note", data=b"1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with log.change() as change:
        entry = await change.record(Unplaced("note", data=b"2"))
    assert entry.position == 1
    assert heard.entries == [entry]


async def test_two_nodes_that_post_in_opposite_orders_do_not_deadlock(
    cast: Cast, pool: Pool, database_url: str
) -> None:
    """Each batch names the same two conversations in the opposite order, a hundred times."""
    (ana,) = await cast.enters("ana")
    rooms = [await cast.share(ana), await cast.share(ana)]
    async with open_pool(database_url) as other:
        writers = [PostWriter(Log(one, Heard()), 10_000) for one in (pool, other)]
        tasks = [asyncio.ensure_future(writer.run()) for writer in writers]
        posts = [
            writer.submit(Post(room, ana.id, Draft(body="hi", client_id=f"{n}-{k}-{room}")))
            for n in range(100)
            for k, writer in enumerate(writers)
            for room in (rooms if k else reversed(rooms))
        ]
        outcomes = await asyncio.gather(*posts)
        for task in tasks:
            task.cancel()
    assert all(posted.fresh for posted in outcomes)
    async with pool.connection() as connection:
        rows = await (await connection.execute("select conversation_id, seq from messages order by 1, 2")).fetchall()
    assert rows == [(room, seq) for room in rooms for seq in range(1, 201)]


async def test_one_refused_post_does_not_affect_others(cast: Cast, pool: Pool) -> None:
    """Mallory is no member; ana's message in the same batch is stored and numbered without a gap."""
    ana, mallory = await cast.enters("ana", "mallory")
    room = await cast.share(ana)
    posts = PostWriter(Log(pool, Heard()), 10_000)
    batch = [Post(room, who.id, Draft(body="x", client_id=str(n))) for n, who in enumerate([ana, mallory, ana])]
    task = asyncio.ensure_future(posts.run())
    first, refused, last = await asyncio.gather(*[posts.submit(post) for post in batch], return_exceptions=True)
    task.cancel()
    assert isinstance(refused, Forbidden)
    assert isinstance(first, Posted)
    assert isinstance(last, Posted)
    assert b'"seq":1' in first.message
    assert b'"seq":2' in last.message


async def test_the_same_client_id_twice_in_one_batch_is_one_message(cast: Cast, pool: Pool) -> None:
    """The first one creates the message, the second finds it."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    posts = PostWriter(Log(pool, Heard()), 10_000)
    task = asyncio.ensure_future(posts.run())
    draft = Draft(body="once", client_id="same")
    outcomes = await asyncio.gather(*[posts.submit(Post(room, ana.id, draft)) for _ in range(20)])
    task.cancel()
    assert [posted.fresh for posted in outcomes] == [True] + [False] * 19
    assert len({posted.message for posted in outcomes}) == 1


async def test_another_history_gets_another_epoch(pool: Pool) -> None:
    """After a fail-over or a restore no old cursor resumes: the floor is raised to the head."""
    before = await find_head(pool)
    async with Log(pool, Heard()).change() as change:
        await change.record(Unplaced("note", data=b"1"))
    async with pool.connection() as connection:
        await connection.execute("update log_head set origin = 'another cluster'")
    heads = await asyncio.gather(*[find_head(pool) for _ in range(5)])
    assert {head.epoch for head in heads} != {before.epoch}
    assert {(head.position, head.floor) for head in heads} == {(1, 1)}
    assert len({head.epoch for head in heads}) == 1


async def test_an_append_notices_the_other_history_too(pool: Pool) -> None:
    """The first post after a fail-over must not have the old epoch."""
    before = await find_head(pool)
    async with pool.connection() as connection:
        await connection.execute("update log_head set origin = 'another cluster'")
    async with Log(pool, Heard()).change() as change:
        entry = await change.record(Unplaced("note", data=b"1"))
    after = await find_head(pool)
    assert after.epoch != before.epoch
    assert entry.frame.endswith(f"\nid: {after.epoch}.1\n\n".encode())


async def test_a_full_queue_refuses_and_stores_nothing(cast: Cast, pool: Pool) -> None:
    """The surplus is told to retry; what was accepted is all stored."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    posts = PostWriter(Log(pool, Heard()), 10)
    drafts = [Post(room, ana.id, Draft(body="x", client_id=str(n))) for n in range(11)]
    taken = [posts.submit(post) for post in drafts[:10]]
    with pytest.raises(Overloaded):
        posts.submit(drafts[10])
    task = asyncio.ensure_future(posts.run())
    await asyncio.gather(*taken)
    task.cancel()
    async with await psycopg.AsyncConnection.connect(cast.database_url) as connection:
        row = await (await connection.execute("select count(*), max(seq) from messages")).fetchone()
    assert row == (10, 10)


async def test_entries_of_nobody_are_stored_and_announced_as_such(pool: Pool) -> None:
    """An entry without a conversation, user or subject has none for its readers either. One with them keeps them."""
    heard = Heard()
    async with Log(pool, heard).change() as change:
        await change.record(Unplaced("note", data=b"1"))
        await change.record(Unplaced("note", 5, 6, 7, data=b"1"))
    stored = (await read_entries(pool, 0, 10)).entries
    assert stored == heard.entries
    assert [(entry.conversation_id, entry.user_id, entry.subject) for entry in stored] == [(None,) * 3, (5, 6, 7)]


async def test_the_next_position_is_known_within_a_change(pool: Pool) -> None:
    """A change may store the position of an entry before it places the entry."""
    async with Log(pool, Heard()).change() as change:
        await change.now()
        for _ in range(2):
            expected = change.next_position
            assert (await change.record(Unplaced("note", data=b"1"))).position == expected


def test_a_histogram_counts_each_value_in_its_bucket() -> None:
    """A value at a bound belongs to it; a bucket includes the ones below; the last one has all."""
    histogram = Histogram(SIZES[:3])
    for value in (1, 2, 3, 5, 6):
        histogram.note(value)
    assert histogram.buckets() == [("1", 1.0), ("2", 2.0), ("5", 4.0), ("+Inf", 5.0)]
    assert histogram.total == 17


class Failing(RedisBus):
    """A bus whose first message is lost."""

    def __init__(self) -> None:
        self.published: list[bytes] = []
        self._failed = False

    async def publish(self, hint: bytes) -> None:
        """Fail once, then keep what is published."""
        if not self._failed:
            self._failed = True
            raise ConnectionError("lost")
        self.published.append(hint)


def announced(position: int) -> list[Entry]:
    """Return a commit of one entry."""
    return [Entry(position, "note", None, None, None, b"")]


async def test_announcements_continue_after_one_that_was_lost() -> None:
    """A message that the bus refused is not sent again, and later ones are sent in order. This node hears of all."""
    heard, bus = Heard(), Failing()
    announcer = Announcer(bus, heard)
    running = asyncio.create_task(announcer.run())
    for position in (1, 2, 3):
        announcer.announce("k", announced(position))
    await eventually(lambda: len(bus.published) == 2)
    assert [unpack_range(hint) for hint in bus.published] == [("k", 2, 2), ("k", 3, 3)]
    assert [entry.position for entry in heard.entries] == [1, 2, 3]
    running.cancel()
    await asyncio.wait([running])


async def test_what_the_bus_is_too_slow_for_is_dropped() -> None:
    """No memory fills while the bus does not answer, and this node hears of all commits."""
    heard = Heard()
    announcer = Announcer(Failing(), heard)
    for position in range(1, 1001):
        announcer.announce("k", announced(position))
    await eventually(lambda: len(heard.entries) == 1000)
    assert announcer._queue.qsize() == announcer._queue.maxsize < 1000
    assert announcer.lag is None


async def test_the_lag_is_that_of_the_last_own_announcement() -> None:
    """Each of our announcements is measured when it returns, also if others are on their way; those of others never."""
    announcer = Announcer(Failing(), Heard())
    for position in (1, 2):
        announcer.announce("k", announced(position))
    announcer.on_announcement(7)
    assert announcer.lag is None
    for position in (1, 2):
        announcer.lag = None
        announcer.on_announcement(position)
        assert 0 <= (announcer.lag or 0.0) < 60
        assert announcer.lag is not None
        announcer.lag = None
        announcer.on_announcement(position)
        assert announcer.lag is None


async def test_announcements_that_never_return_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the bus is silent, the times of at most so many announcements are kept."""
    monkeypatch.setattr(append, "SENT_MOST", 3)
    announcer = Announcer(Failing(), Heard())
    for position in range(1, 5):
        announcer.announce("k", announced(position))
    assert list(announcer._sent) == [4]
