"""Who of a conversation is online: counts and the first records, for conversations of every size.

The members who are connected are found from the smaller side: few connected users are looked up among the members,
otherwise members are looked up among the connected users, a page at a time. The result is the same for all viewers,
except for users who are hidden from each other. It is kept for two seconds, and computed once for all who ask.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import held_key, run_commands, user_key
from chat.shared.sql import load
from presence.mirror import make_record
from presence.records import Record
from presence.visibility import Visibility

queries = load(__file__)
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
