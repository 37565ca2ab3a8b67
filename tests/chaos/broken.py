"""Broken builds: `start_node("a1", BROKEN="reap-nobody")` starts a node with one promise broken in its code.

They show that the checker can fail. Nothing of this is in the package: each break patches a function at the start.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
import psycopg

from chat.integrations.deliveries import HookSender
from chat.log import append
from chat.log.append import Change, Log
from chat.log.entry import Entry
from chat.log.subscriptions import NotTaken
from chat.log.tail import Tail
from chat.messages.queues import QueueIntake
from chat.messages.streaming import AppendRequest, AppendWriter, StoredText
from chat.shared.identity import Identities
from chat.shared.message_queue import Inbox
from chat.shared.registry.reaper import Reaper
from tests.waiting import breathe

SLOW = "select pg_sleep(random() * 0.1)"  # a slow commit, as on a busy disk
REFUSED = 0.5  # part of the commits that fail, as on a full disk, so that a short run has some


def announce_before_commit() -> None:
    """Announce messages that may never be committed."""

    @asynccontextmanager
    async def change(self: Log) -> AsyncIterator[Change]:
        async with self._pool.connection() as connection:
            under_way = Change(connection, self._node)
            async with connection.pipeline(), connection.transaction():
                yield under_way
                await under_way.write()
                if under_way.entries:
                    self._announce(under_way.epoch, under_way.entries)
                    await connection.execute(SLOW)
                    if random.random() < REFUSED:
                        raise psycopg.OperationalError("no space left")

    setattr(Log, "change", change)  # noqa: B010 (mypy would have a method stay what it is)


def number_by_sequence() -> None:
    """Take positions when writing begins; they become visible in another order when it ends."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection, suppress(psycopg.Error):
        connection.execute("create sequence broken")
    numbered = "select epoch, nextval('broken') * 1000, true, date_trunc('milliseconds', clock_timestamp())"
    write = Change.write

    async def write_slowly(self: Change) -> None:
        await self.connection.execute(SLOW)
        await write(self)

    setattr(append.queries, "lock_head", f"{numbered} from log_head".encode())  # noqa: B010
    write_entries = append.queries.write_entries.replace(b"set position = %s", b"set position = greatest(position, %s)")
    setattr(append.queries, "write_entries", write_entries)  # noqa: B010
    setattr(Change, "write", write_slowly)  # noqa: B010


def repair_no_holes() -> None:
    """Do not read entries whose announcement was lost."""

    async def catch_up(self: Tail) -> None:  # noqa: ARG001
        return

    setattr(Tail, "catch_up", catch_up)  # noqa: B010


def reap_nobody() -> None:
    """Keep the users of a dead node online."""

    async def reap(self: Reaper, holder: str) -> None:  # noqa: ARG001
        return

    async def reconcile(self: Reaper) -> int:  # noqa: ARG001
        return 0

    setattr(Reaper, "reap", reap)  # noqa: B010
    setattr(Reaper, "reconcile", reconcile)  # noqa: B010


def acknowledge_before_commit() -> None:
    """Acknowledge messages of a queue before they are stored."""

    async def consume(self: QueueIntake, inbox: Inbox) -> None:
        while True:
            if deliveries := await inbox.take():
                await inbox.settle(deliveries, [])
                await breathe(0.5)
                await self._store_all(inbox, deliveries)

    setattr(QueueIntake, "_consume", consume)  # noqa: B010


def append_twice() -> None:
    """Take a repeated append for a new one."""
    add = StoredText.add

    def add_at_the_end(self: StoredText, request: AppendRequest, most: int) -> object:
        return add(self, request._replace(at=self.length), most)

    setattr(StoredText, "add", add_at_the_end)  # noqa: B010


def lose_append_at_finish() -> None:
    """Acknowledge appends before their commit, so that the end of a message overtakes the last ones."""
    submit = AppendWriter.submit

    def submit_and_answer(self: AppendWriter, request: AppendRequest) -> "asyncio.Future[int]":
        submit(self, request).add_done_callback(lambda done: done.cancelled() or done.exception())
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(request.at + len(request.text))
        return answer

    setattr(AppendWriter, "submit", submit_and_answer)  # noqa: B010


def keep_ended_sessions() -> None:
    """Serve a session from the cache after it has ended."""

    def forget(self: Identities, session_id: int) -> None:  # noqa: ARG001
        return

    setattr(Identities, "forget", forget)  # noqa: B010


def skip_failed_delivery() -> None:
    """Take a delivery to a hook for done after one attempt."""
    deliver = HookSender._deliver

    async def deliver_once(self: HookSender, hook_id: int, entries: Sequence[Entry], epoch: str) -> None:
        with suppress(NotTaken):
            await deliver(self, hook_id, entries, epoch)

    setattr(HookSender, "_deliver", deliver_once)  # noqa: B010


def follow_redirects() -> None:
    """Follow the redirects of a hook's receiver."""
    request = aiohttp.ClientSession._request

    async def request_and_follow(self: aiohttp.ClientSession, *args: object, **options: object) -> object:
        return await request(self, *args, **options | {"allow_redirects": True})  # type: ignore[arg-type]

    setattr(aiohttp.ClientSession, "_request", request_and_follow)  # noqa: B010


BREAKS: dict[str, Callable[[], None]] = {
    "announce-before-commit": announce_before_commit,
    "number-by-sequence": number_by_sequence,
    "repair-no-holes": repair_no_holes,
    "reap-nobody": reap_nobody,
    "acknowledge-before-commit": acknowledge_before_commit,
    "append-twice": append_twice,
    "lose-append-at-finish": lose_append_at_finish,
    "keep-ended-sessions": keep_ended_sessions,
    "skip-failed-delivery": skip_failed_delivery,
    "follow-redirects": follow_redirects,
}
