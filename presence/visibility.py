"""Rules and queries for presence: whom a viewer can see, their status, and the present members of a conversation.

Sockets and HTTP both decide here whom a viewer can see.
"""

import asyncio
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson

from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.rate_limits import Rates
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import held_key, run_commands, user_key
from chat.shared.sql import load
from chat.shared.tasks import Batcher
from presence.mirror import make_record
from presence.protocol import Record

queries = load(__file__)
VisibilityQuery = tuple[int, tuple[int, ...]]
NO_USERS: frozenset[int] = frozenset()


class Visibility:
    """Answers many queries in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._batcher = Batcher[VisibilityQuery, set[int]](self._read, batch=50, limit=20_000)
        self.waiting = self._batcher.waiting
        self._hidden_batcher = Batcher[int, frozenset[int]](self._read_hidden_batch, batch=500, limit=20_000)
        self.works = {"read visible users": self._batcher.run, "read hidden users": self._hidden_batcher.run}

    async def filter_visible(self, viewer_id: int, user_ids: Sequence[int]) -> set[int]:
        """Return the users that the viewer can see. Raise that PostgreSQL is unavailable, or `Overloaded`."""
        return await self._batcher.submit((viewer_id, tuple(user_ids)))

    async def read_hidden(self, viewer_id: int) -> frozenset[int]:
        """Return the users hidden from the viewer, even in shared conversations. Raise as `filter_visible` does."""
        return await self._hidden_batcher.submit(viewer_id)

    async def _read(self, asked: list[VisibilityQuery]) -> list[set[int]]:
        pairs = [(n, viewer, user) for n, (viewer, users) in enumerate(asked) for user in users]
        columns = [list(column) for column in zip(*pairs, strict=True)] or [[], [], []]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.filter_visible, columns)).fetchall()
        seen: list[set[int]] = [set() for _ in asked]
        for n, user_id in rows:
            seen[n].add(user_id)
        return seen

    async def _read_hidden_batch(self, viewer_ids: list[int]) -> list[frozenset[int]]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_hidden, [viewer_ids])).fetchall()
        hidden: dict[int, set[int]] = {}
        for viewer_id, user_id in rows:
            hidden.setdefault(viewer_id, set()).add(user_id)
        return [frozenset(hidden[one]) if one in hidden else NO_USERS for one in viewer_ids]


def see_typing(belongs: Set[int], hidden: Set[int], conversation_id: int, typing: Sequence[int]) -> list[int] | None:
    """Return the typing users who are not hidden; None if the viewer is not a member of the conversation."""
    return [one for one in typing if one not in hidden] if conversation_id in belongs else None


# Read the current presence of users once, as far as the viewer can see them.

DEADLINE_SECONDS = 0.5


class PresenceLookup:
    """Reads presence: `read_records` for requests about presence, `try_read` as an addition to other responses."""

    def __init__(self, registry: Registry, rates: Rates, visibility: Visibility) -> None:
        self._registry, self._rates, self._visibility = registry, rates, visibility

    async def read_records(self, viewer_id: int, user_ids: Sequence[int], payer: int | None = None) -> list[Record]:
        """Return the records of visible users, in order. Raise `RateLimited`, or that a database is unavailable.

        `payer`: whose rate limit applies, without one the viewer's.
        """
        asked = list(dict.fromkeys(user_ids))
        self._rates.watch.acquire(payer or viewer_id, len(asked))
        seen = await self._visibility.filter_visible(viewer_id, asked) if asked else set()
        views = await self._registry.read_views((one, 0, 0) for one in asked if one in seen)
        return [make_record(user_id, view[0]) for user_id, view in views.items()]

    async def try_read(self, viewer_id: int, user_ids: Sequence[int]) -> dict[int, dict[str, object]]:
        """Return `{user: record}`; empty if Redis is unavailable or slow."""
        if self._registry.degraded:
            return {}
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return {record.id: record.public() for record in await self.read_records(viewer_id, user_ids)}
        except UNAVAILABLE:
            return {}


PRESENT = {"online", "dnd"}


async def find_here(registry: Registry, user_ids: Collection[int]) -> set[int]:
    """Return the users that `@here` reaches: online or dnd for others. Raise that Redis is unavailable."""
    views = await registry.read_views((user_id, 0, 0) for user_id in user_ids)
    return {user_id for user_id, (shown, *_) in views.items() if shown[1] in PRESENT}


# Who of a conversation is present: counts and the first records, for conversations of every size.
#
# The members who are connected are found from the smaller side: few connected users are looked up among the members,
# otherwise members are looked up among the connected users, a page at a time. The result is the same for all viewers,
# except for users who are hidden from each other. It is kept for two seconds, and computed once for all who ask.

CONNECTED_MOST = 5_000  # connected users that are read as a whole
PRESENT_MOST = 5_000  # records of one conversation
PAGE = 5_000
SCANNED_MOST = 50_000  # members that are looked up
BATCH = 500
LISTED_MOST = 200
KEPT_SECONDS = 2.0
KEPT_MOST = 1_000
ORDER = {"online": 0, "dnd": 1, "away": 2}


@dataclass(frozen=True, slots=True)
class Found:
    """The members who are not offline. `complete`: there are no others. `members`: how many members there are."""

    records: list[Record]
    complete: bool
    members: int


class PresentMembers:
    """Finds the present members of conversations."""

    def __init__(self, pool: Pool, registry: Registry, visibility: Visibility) -> None:
        self._pool, self._registry, self._visibility = pool, registry, visibility
        self._kept: dict[int, asyncio.Task[Found]] = {}

    async def describe(self, viewer_id: int, conversation_id: int) -> dict[str, Any]:
        """Return `{members, online, dnd, away, complete, users}` for a member; raise `NotFound` for others.

        Raise also that Redis or PostgreSQL is unavailable.
        """
        if not await self._ask(queries.is_member, [conversation_id, viewer_id]):
            raise NotFound
        present = await self._share(conversation_id)
        hidden = await self._visibility.read_hidden(viewer_id)
        seen = [record for record in present.records if record.id not in hidden]
        counts = {status: sum(record.status == status for record in seen) for status in ORDER}
        users = [record.public() for record in seen[:LISTED_MOST]]
        return {"members": present.members} | counts | {"complete": present.complete, "users": users}

    async def _share(self, conversation_id: int) -> Found:
        """Return what is kept, or find it. All who ask meanwhile wait for the same result."""
        task = self._kept.get(conversation_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._find(conversation_id), name="find present members")
            while len(self._kept) >= KEPT_MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[conversation_id] = task
            task.add_done_callback(lambda done: self._release_later(conversation_id, done))
        return await asyncio.shield(task)

    def _release_later(self, conversation_id: int, task: "asyncio.Task[Found]") -> None:
        failed = task.cancelled() or task.exception() is not None
        loop = asyncio.get_running_loop()
        loop.call_later(0.0 if failed else KEPT_SECONDS, self._release, conversation_id, task)

    def _release(self, conversation_id: int, task: "asyncio.Task[Found]") -> None:
        if self._kept.get(conversation_id) is task:
            del self._kept[conversation_id]

    async def _find(self, conversation_id: int) -> Found:
        (members,) = await self._ask_rows(queries.count_members, [conversation_id, SCANNED_MOST + 1])
        connected = await self._registry.overview.connected_users("", CONNECTED_MOST)
        if connected is None:
            ids, complete = await self._scan(conversation_id)
        else:
            ids, complete = await self._ask_rows(queries.choose_members, [conversation_id, connected]), True
        records = await self._read_records(ids)
        records.sort(key=lambda record: (ORDER[record.status], -record.last_active_at, record.id))
        return Found(records, complete, members)

    async def _scan(self, conversation_id: int) -> tuple[list[int], bool]:
        """Return the connected ones of the members, and whether all members were looked up."""
        holders = [held_key(node["holder"]) for node in await self._registry.nodes()]
        found: list[int] = []
        after = scanned = 0
        while scanned < SCANNED_MOST and len(found) < PRESENT_MOST:
            page = await self._ask_rows(queries.list_members, [conversation_id, after, PAGE])
            if not page:
                return found, True
            answers = await self._commands([["SMISMEMBER", key, *page] for key in holders])
            found += [user_id for user_id, *on in zip(page, *answers, strict=True) if any(on)]
            scanned, after = scanned + len(page), page[-1]
        return found[:PRESENT_MOST], False

    async def _read_records(self, ids: Sequence[int]) -> list[Record]:
        """Return the records of those who are not offline for others."""
        records = []
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            shown = await self._commands([["HGET", user_key(user_id), "shown"] for user_id in batch])
            views = [(user_id, orjson.loads(view)) for user_id, view in zip(batch, shown, strict=True) if view]
            records += [make_record(user_id, view) for user_id, view in views if view[1] in ORDER]
        return records

    async def _commands(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        outcomes = await run_commands(self._registry.redis, commands)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return outcomes

    async def _ask(self, query: Any, fields: Sequence[Any]) -> bool:
        return bool((await self._ask_rows(query, fields))[0])

    async def _ask_rows(self, query: Any, fields: Sequence[Any]) -> list[int]:
        async with self._pool.connection() as connection:
            return [row[0] for row in await (await connection.execute(query, fields)).fetchall()]
