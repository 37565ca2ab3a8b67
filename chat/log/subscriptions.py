"""Subscriptions: readers of the log with cursors of their own, which outlive nodes.

A subscription has a target, a filter and a cursor in PostgreSQL. One node at a time reads it and holds its lease; the
cursor moves after the receiver has taken the entries. If the node dies, another one repeats what the cursor does not
cover, so receivers get every entry at least once, in order. A receiver that fails is tried again later, by any node.
"""

import asyncio
import math
import random
import secrets
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from chat.log.append import read_epochs
from chat.log.entry import Cursor, Entry
from chat.log.tail import EntryPage, read_entries
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.redis import reason_of
from chat.shared.sql import load
from chat.shared.tasks import Tasks, cancel_all, to_its_end

queries = load(__file__)
log = structlog.get_logger(__name__)
LEASE_SECONDS = 20.0  # longer than a receiver may take for a page
RENEW_SECONDS, CLAIM_SECONDS = 5.0, 1.0
CLAIMED_MOST = 100  # at once
TENURE_SECONDS = 600.0  # after which an idle reader is left to other nodes, so that all have their share
HESITATION = 0.01, 5.0  # seconds for each one held, and at most, by which busy nodes leave due ones to others
PROBLEM_MOST = 200
WAITING_MOST, PAGE_MOST = 1_000, 200
NOTIFY_READER = "push"  # the target, and the kind, of the reader that decides whom to notify

Receive = Callable[[Sequence[Entry], str], Awaitable[None]]  # entries, epoch


class NotTaken(Exception):
    """The receiver did not take the entries. `final`: it never will; `gone`: the subscription has no receiver."""

    def __init__(self, reason: str, *, final: bool = False, gone: bool = False) -> None:
        super().__init__(reason)
        self.final, self.gone = final, gone


class LeaseLost(Exception):
    """Another node reads this subscription now, or it was disabled or removed."""


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """How subscriptions of one kind are read.

    `open(target)`: connects to the receiver while this node reads, and yields what takes the entries; it raises
    `NotTaken` or one of `failures`. `page`: entries for each call; `idle`: seconds between two looks at the log
    without news; `wait(attempts)`: seconds until the next attempt; `patience`: seconds of failures after which it is
    disabled, and `on_disabled(target, problem)` is called.
    """

    name: str
    open: Callable[[str], AbstractAsyncContextManager[Receive]]
    targets: tuple[str, ...] = ()  # only these, which are added at start; otherwise all of this kind
    page: int = 200
    idle: float = 30.0
    tenure: float = TENURE_SECONDS
    failures: tuple[type[Exception], ...] = ()
    wait: Callable[[int], float] = lambda _attempts: random.uniform(1, 3)
    patience: float = math.inf
    on_disabled: Callable[[str, str], Awaitable[None]] | None = None


class ClaimedRow(NamedTuple):
    """A subscription, as it is claimed."""

    target: str
    kind: str
    conversation_id: int | None
    kinds: list[str] | None
    epoch: str
    position: int
    attempts: int


@dataclass(eq=False)
class LogReader:
    """A subscription that this node reads."""

    row: ClaimedRow
    kind: ReaderKind
    cursor: Cursor
    until: float
    attempts: int
    kinds: list[str] | None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    idle: bool = False
    task: asyncio.Task[None] | None = None


class Subscriptions:
    """The readers of a node. `taken`, `skipped`: entries by kind; `states`: how many subscriptions all nodes have."""

    def __init__(self, pool: Pool, node: str, kinds: Sequence[ReaderKind]) -> None:
        self._pool, self._kinds = pool, {kind.name: kind for kind in kinds}
        self._all = [kind.name for kind in kinds if not kind.targets]
        self._own = [target for kind in kinds for target in kind.targets]
        self._holder = f"{node}~{secrets.token_hex(4)}"
        self._readers: dict[str, LogReader] = {}
        self._unfiltered: set[LogReader] = set()
        self._by_conversation: dict[int, set[LogReader]] = defaultdict(set)
        self._wake, self._tasks = asyncio.Event(), Tasks()
        self.taken, self.skipped, self.failed, self.disabled = Counter[str](), Counter[str](), Counter[str](), 0
        self.states: tuple[int, int, int] | None = None  # running, failing, disabled

    def find(self, target: str) -> Cursor | None:
        """Return the cursor of a subscription that this node reads."""
        return reader.cursor if (reader := self._readers.get(target)) else None

    def wake(self) -> None:
        """Look for subscriptions that are due now."""
        self._wake.set()

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Wake the readers of entries that this node has received."""
        for reader in self._unfiltered:
            reader.news.set()
        if self._by_conversation:
            for entry in entries:
                for reader in self._by_conversation.get(entry.conversation_id or 0, ()):
                    if reader.kinds and entry.kind in reader.kinds:
                        reader.news.set()

    def reset(self, _epoch: str) -> None:
        """Wake all readers: the log has another epoch."""
        for reader in self._readers.values():
            reader.news.set()

    async def run(self) -> None:
        """Claim, read and renew, forever."""
        renewed, added, loop = -math.inf, False, asyncio.get_running_loop()
        try:
            while True:
                try:
                    if not added:
                        await self._add_own()
                        added = True
                    if loop.time() - renewed > RENEW_SECONDS:
                        await self._renew()
                        renewed = loop.time()
                    await self._claim()
                except UNAVAILABLE as error:
                    log.warning("subscriptions cannot be claimed, retrying", error=reason_of(error))
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLAIM_SECONDS * random.uniform(0.8, 1.2)):
                        await self._wake.wait()
        finally:
            await to_its_end(self._stop())

    async def _stop(self) -> None:
        held = list(self._readers)
        await cancel_all([reader.task for reader in self._readers.values() if reader.task])
        with suppress(*UNAVAILABLE):
            await self._release(held)

    async def _add_own(self) -> None:
        for kind in self._kinds.values():
            for target in kind.targets:
                async with self._pool.connection() as connection:
                    await add_subscription(connection, target, kind.name)

    async def _claim(self) -> None:
        fields = {
            "kinds": self._all,
            "targets": self._own,
            "held": list(self._readers),
            "patience": timedelta(seconds=min(HESITATION[0] * len(self._readers), HESITATION[1])),
            "most": CLAIMED_MOST,
        }
        for row in await self._execute(queries.claim, **fields):
            if (old := self._readers.get(row[0])) and old.task:  # disabled and enabled again meanwhile
                await cancel_all([old.task])
            self._start(ClaimedRow(*row))

    def _start(self, row: ClaimedRow) -> None:
        kind, now = self._kinds[row.kind], asyncio.get_running_loop().time()
        until = now + kind.tenure * random.uniform(0.5, 1.5)
        reader = LogReader(row, kind, Cursor(row.epoch, row.position), until, row.attempts, row.kinds)
        self._readers[row.target] = reader
        (self._unfiltered if row.conversation_id is None else self._by_conversation[row.conversation_id]).add(reader)
        reader.task = self._tasks.start(f"read subscription {row.target}", self._read(reader))

    def _forget(self, reader: LogReader) -> None:
        self._readers.pop(reader.row.target, None)
        self._unfiltered.discard(reader)
        if (place := reader.row.conversation_id) is not None:
            self._by_conversation[place].discard(reader)
            if not self._by_conversation[place]:
                del self._by_conversation[place]

    async def _renew(self) -> None:
        """Renew the leases; stop the readers that lost theirs, and leave some idle ones to other nodes."""
        held, now = list(self._readers), asyncio.get_running_loop().time()
        kept: dict[str, list[str] | None] = dict(await self._execute(queries.renew, held=held)) if held else {}
        lost = [self._readers[target] for target in held if target in self._readers and target not in kept]
        past = [one for one in self._readers.values() if one.idle and one.until < now and not one.news.is_set()]
        await cancel_all([reader.task for reader in [*lost, *past[:CLAIMED_MOST]] if reader.task])
        await self._release([reader.row.target for reader in past[:CLAIMED_MOST]])
        for target, kinds in kept.items():
            if (reader := self._readers.get(target)) and reader.kinds != kinds:
                reader.kinds = kinds
                reader.news.set()
        self.states = (await self._execute(queries.count_states))[0]

    async def _release(self, targets: list[str]) -> None:
        if targets:
            await self._execute(queries.release, held=targets)

    async def _execute(self, query: bytes, **fields: Any) -> list[Any]:
        named = {"holder": self._holder, "lease": timedelta(seconds=LEASE_SECONDS), **fields}
        async with self._pool.connection() as connection:
            done = await connection.execute(query, named)
            return await done.fetchall() if done.description else []

    async def _read(self, reader: LogReader) -> None:
        """Read a subscription until that fails, then note why."""
        target = reader.row.target
        failures: tuple[type[Exception], ...] = (NotTaken, *reader.kind.failures)
        try:
            async with reader.kind.open(target) as receive:
                await self._follow(reader, receive)
        except LeaseLost:
            log.info("subscription is not read here any more", target=target)
        except failures as error:
            await self._note_failure(reader, error)
        except UNAVAILABLE as error:
            log.warning("subscription interrupted, retrying", target=target, error=reason_of(error))
        except Exception as error:  # one entry that is handled wrongly must not end every node in turn
            log.exception("subscription failed", target=target)
            await self._note_failure(reader, error)
        finally:
            self._forget(reader)

    async def _follow(self, reader: LogReader, receive: Receive) -> None:
        while True:
            reader.news.clear()
            page = await self._read_page(reader)
            cursor = await self._check(reader, page)
            entries = [entry for entry in page.entries if entry.position > cursor.position]
            if entries:
                await receive(entries, page.epoch)
                self.taken[reader.kind.name] += len(entries)
            full = len(page.entries) >= reader.kind.page
            last = entries[-1].position if entries else cursor.position
            await self._advance(reader, Cursor(page.epoch, last if full else max(last, page.position)))
            if not full:
                reader.idle = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(reader.kind.idle):
                        await reader.news.wait()
                reader.idle = False

    async def _read_page(self, reader: LogReader) -> EntryPage:
        """Return the next entries. Raise `LeaseLost` if the subscription is not ours any more."""
        after, limit = reader.cursor.position, reader.kind.page
        if reader.row.conversation_id is None:
            return await read_entries(self._pool, after, limit)
        asked = {"target": reader.row.target, "holder": self._holder, "after": after, "limit": limit}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_filtered, asked, binary=True)).fetchall()
        if not rows:
            raise LeaseLost
        epoch, position, floor = rows[0][:3]
        return EntryPage(epoch, position, floor, [Entry(*row[3:]) for row in rows if row[3] is not None])

    async def _check(self, reader: LogReader, page: EntryPage) -> Cursor:
        """Return the cursor in the page's epoch. Entries that exist no longer are skipped, and counted."""
        cursor, target = reader.cursor, reader.row.target
        start = cursor.position
        if page.epoch != cursor.epoch:
            known = (await read_epochs(self._pool)).get(cursor.epoch)
            start = min(start, page.position) if known is None or start > known else start
            if start != cursor.position or known is None:
                log.warning("log epoch changed, subscription continues", target=target, after=start, epoch=page.epoch)
        if start < page.floor:
            log.warning("entries were dropped before they were taken", target=target, first=start + 1, last=page.floor)
            self.skipped[reader.kind.name] += page.floor - start
            start = page.floor
        return Cursor(page.epoch, start)

    async def _advance(self, reader: LogReader, cursor: Cursor) -> None:
        if cursor != reader.cursor or reader.attempts:
            named = {"target": reader.row.target, "epoch": cursor.epoch, "position": cursor.position}
            if not await self._execute(queries.advance, **named):
                raise LeaseLost
            reader.cursor, reader.attempts = cursor, 0

    async def _note_failure(self, reader: LogReader, error: Exception) -> None:
        problem = (str(error) if isinstance(error, NotTaken) else reason_of(error))[:PROBLEM_MOST]
        self.failed[reader.kind.name] += 1
        log.info("receiver failed, retrying later", target=reader.row.target, problem=problem)
        try:
            if isinstance(error, NotTaken) and error.gone:
                async with self._pool.connection() as connection:
                    await remove_subscription(connection, reader.row.target)
            else:
                await self._fail(reader, problem, final=isinstance(error, NotTaken) and error.final)
        except UNAVAILABLE as away:
            log.warning("failure of a receiver not stored", target=reader.row.target, error=reason_of(away))

    async def _fail(self, reader: LogReader, problem: str, *, final: bool) -> None:
        target, kind = reader.row.target, reader.kind
        fields = {
            "target": target,
            "problem": problem,
            "final": final,
            "wait": timedelta(seconds=kind.wait(reader.attempts)),
            "patience": timedelta(seconds=min(kind.patience, 10.0**9)),
        }
        rows = await self._execute(queries.fail, **fields)
        if rows and rows[0][0]:
            self.disabled += 1
            log.warning("subscription disabled", target=target, problem=problem)
            if kind.on_disabled:
                await kind.on_disabled(target, problem)


async def add_subscription(
    connection: Connection,
    target: str,
    kind: str,
    conversation_id: int | None = None,
    kinds: Sequence[str] | None = None,
) -> None:
    """Add a subscription that begins at the end of the log, unless it exists."""
    wanted = None if kinds is None else list(kinds)
    fields = {"target": target, "kind": kind, "conversation": conversation_id, "kinds": wanted}
    await connection.execute(queries.add, fields)


async def remove_subscription(connection: Connection, target: str) -> None:
    """Remove a subscription; its reader stops before the next entry."""
    await connection.execute(queries.remove, [target])


async def enable_subscription(connection: Connection, target: str) -> None:
    """Continue a disabled subscription at its cursor."""
    await connection.execute(queries.enable, [target])


async def filter_subscription(connection: Connection, target: str, kinds: Sequence[str]) -> None:
    """Change which entries a subscription gets, from the next ones on."""
    await connection.execute(queries.set_kinds, [list(kinds), target])


async def disable_subscription(connection: Connection, target: str, problem: str) -> None:
    """Stop a subscription before its next entry. Its cursor stays."""
    await connection.execute(queries.disable, {"target": target, "problem": problem})


class SubscriptionState(NamedTuple):
    """A subscription as admins see it. `waiting`: entries that it has not got, at most 1,000."""

    target: str
    kind: str
    conversation_id: int | None
    kinds: list[str] | None
    epoch: str
    position: int
    disabled: bool
    attempts: int
    holder: str | None
    failing_since: datetime | None
    retry_at: datetime | None
    problem: str
    waiting: int

    @property
    def state(self) -> str:
        """Return `running`, `failing` or `disabled`."""
        return "disabled" if self.disabled else "failing" if self.attempts else "running"


async def list_subscriptions(pool: Pool, after: str = "", only: Sequence[str] | None = None) -> list[SubscriptionState]:
    """Return up to 200 subscriptions with later targets, in order; of these only, if `only` names some."""
    asked = {"after": after, "most": WAITING_MOST, "page": PAGE_MOST, "only": None if only is None else list(only)}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_subscriptions, asked)).fetchall()
    return [SubscriptionState(*row) for row in rows]
