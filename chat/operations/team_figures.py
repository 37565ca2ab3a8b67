"""Figures of the team for its admins: active members, messages, storage, notifications and hooks.

The figures are counted when an admin asks, and kept by the node: for a minute, or longer where counting takes long.
Numbers of sent notifications are stored for this page alone, by hour. Nodes add to them what they have sent meanwhile.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chat.model.types import format_time
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.shared.tasks import repeat

queries = load(__file__)
DAYS = 30
NAMED = 10  # public channels that are listed
CONVERSATIONS_MOST = 20_000  # whose messages of the last days are counted
FEW = 50  # messages of a conversation that are counted one by one, which is cheaper than a look at each of its days
KEPT_SECONDS, SHARE = 60.0, 100.0  # counting takes at most 1 % of the time
COUNT_SECONDS, COUNTS_DAYS = 60.0, 31
FAILED = ("failed", "gone", "bounced")
Outcomes = Mapping[str, Mapping[str, int]]


class TeamOverview:
    """The figures as this node last counted them. `mails`: whether notifications are sent by e-mail."""

    def __init__(self, pool: Pool, mails: bool) -> None:
        self._pool, self._mails = pool, mails
        self._turn = asyncio.Lock()
        self._figures: dict[str, Any] = {}
        self._until = 0.0

    async def read(self) -> dict[str, Any]:
        """Return the figures. Those who ask while they are counted share the result."""
        async with self._turn:
            began = time.monotonic()
            if began >= self._until:
                self._figures = await self._count()
                now = time.monotonic()
                self._until = now + max(KEPT_SECONDS, SHARE * (now - began))
            return self._figures

    def forget(self) -> None:
        """Count again at the next request."""
        self._until = 0.0

    async def _count(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        async with self._pool.connection() as connection:
            return {
                "at": format_time(now),
                "members": await count_members(connection),
                "messages": await count_messages(connection, now),
                "storage": await measure_storage(connection),
                "notifications": await sum_notifications(connection) | {"mails": self._mails},
                "hooks": await count_hooks(connection),
            }


async def count_members(connection: Connection) -> dict[str, int]:
    """Return the numbers of accounts, and of people who were active."""
    people, external, bots, disabled = await one_row(connection, queries.count_accounts)
    day, week, month = await one_row(connection, queries.count_active)
    active = {"day": day, "week": week, "month": month}
    return active | {"people": people, "external": external, "bots": bots, "disabled": disabled}


async def count_messages(connection: Connection, now: datetime) -> dict[str, Any]:
    """Return the number of all messages, and about how many each of the last days had, and which conversations.

    Only public channels are named. Private channels, groups and direct messages are counted together.
    """
    (total,) = await one_row(connection, queries.count_messages)
    fields = {"days": DAYS, "most": CONVERSATIONS_MOST, "few": FEW, "named": NAMED}
    rows = await (await connection.execute(queries.count_days, fields)).fetchall()
    days = {row[1]: row[4] for row in rows if row[0] == "day"}
    shown = [f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in reversed(range(DAYS))]
    together = {
        row[0]: {"conversations": row[3], "messages": row[4]} for row in rows if row[0] in ("public", "private")
    }
    none = {"conversations": 0, "messages": 0}
    return {
        "total": total,
        "days": [{"day": day, "messages": days.get(day, 0)} for day in shown],
        "channels": [{"id": row[2], "name": row[1], "messages": row[4]} for row in rows if row[0] == "channel"],
        "other_channels": together.get("public", none),
        "private": together.get("private", none),
    }


async def measure_storage(connection: Connection) -> dict[str, Any]:
    """Return the bytes of files by kind, and of the database."""
    rows = await (await connection.execute(queries.measure_files)).fetchall()
    (database,) = await one_row(connection, queries.measure_database)
    kinds = [{"kind": kind, "files": files, "bytes": size} for kind, files, size in rows]
    return {
        "files": sum(row[1] for row in rows),
        "bytes": sum(row[2] for row in rows),
        "kinds": kinds,
        "database": database,
    }


async def sum_notifications(connection: Connection) -> dict[str, Any]:
    """Return how many notifications were sent, and since when they are counted."""
    since, *counts, devices = await one_row(connection, queries.sum_notifications)
    names = ("day", "week", "failed")
    return {
        "since": format_time(since) if since else None,
        "push": dict(zip(names, counts[:3], strict=True)),
        "email": dict(zip(names, counts[3:], strict=True)),
        "devices": devices,
    }


async def count_hooks(connection: Connection) -> dict[str, dict[str, int]]:
    """Return the number of hooks by kind and state."""
    rows = await (await connection.execute(queries.count_hooks)).fetchall()
    none: dict[str, tuple[int, ...]] = dict.fromkeys(("incoming", "outgoing", "command"), (0, 0, 0))
    found = none | {kind: tuple(counts) for kind, *counts in rows}
    return {kind: dict(zip(("running", "failing", "disabled"), found[kind], strict=True)) for kind in none}


async def one_row(connection: Connection, query: bytes) -> tuple[Any, ...]:
    """Return the only row of a query."""
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return tuple(row)


class NotificationCounts:
    """Stores how many notifications this node has sent. `outcomes`: its counters, by kind."""

    def __init__(self, pool: Pool, outcomes: Outcomes) -> None:
        self._pool, self._outcomes = pool, outcomes
        self._stored: dict[str, tuple[int, int]] = {}

    async def run(self) -> None:
        """Store what was sent once a minute, forever. What cannot be stored is stored later."""
        await repeat(self.store, COUNT_SECONDS, "database unavailable, notifications are counted later")

    async def store(self) -> None:
        """Add what was sent since the last time. The first time a row is stored even if nothing was."""
        for kind, outcomes in self._outcomes.items():
            now = outcomes["sent"], sum(outcomes.get(name, 0) for name in FAILED)
            if now == (before := self._stored.get(kind)):
                continue
            sent, failed = before or (0, 0)
            fields = {"kind": kind, "sent": now[0] - sent, "failed": now[1] - failed}
            async with self._pool.connection() as connection:
                await connection.execute(queries.add_counts, fields)
                await connection.execute(queries.drop_old_counts, [COUNTS_DAYS])
            self._stored[kind] = now
