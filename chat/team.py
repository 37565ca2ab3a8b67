"""The team: set-up by its owner, its name and sign-up mode, the channel of everyone who joins, and its figures.

The operator's set-up link makes the first admin, names the team and begins #general, in one transaction. From then on
every user who joins the server becomes a member of #general: with the account where users sign up, and otherwise
(command line, sign-on provider, applications) by a background task.

The figures are counted when an admin asks, and kept by the node: for a minute, or longer where counting takes long.
Numbers of sent notifications are stored for this page alone, by hour. Nodes add to them what they have sent meanwhile.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from aiohttp import web

from chat.accounts.accounts import Accounts, SignedIn, insert_user
from chat.accounts.joining import (
    BadInvite,
    check_setup_link,
    claim_setup,
    preview_invite,
    read_team,
    set_team,
)
from chat.accounts.login_endpoints import ACCOUNTS, answer_signed_in, device_of, require_passwords
from chat.accounts.models import InviteCode, SetUp, SignUpMode, TeamForm
from chat.accounts.oidc_endpoints import charge_stranger
from chat.accounts.sessions import SessionDevice
from chat.conversations.conversations import insert_conversation
from chat.conversations.drafts import ConversationDraft
from chat.conversations.memberships import add_members
from chat.conversations.views import introduce
from chat.log.append import LOG, Change, Log
from chat.model.conversation import Conversation, name_keys
from chat.model.types import format_time
from chat.moderation.moderation import preview_link
from chat.shared.audit import Actor, record
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.shared.tasks import repeat
from chat.shared.texts import texts_in
from chat.shared.web import (
    POOL,
    RATES,
    SETTINGS,
    actor_of,
    answer_json,
    client_address,
    read_model,
    require_admin,
    require_recent_proof,
)

queries = load(__file__)
NAMES = ("general", "everyone")  # the second one where a private channel has the first
PAUSE_SECONDS = 5.0
BATCH = 100


# The channel of everyone who joins.


async def greet(change: Change, user_ids: Sequence[int]) -> int:
    """Add users who have joined the server to #general; return how many of them had not been greeted.

    Nothing changes before the set-up, and while #general is archived. Nobody is added twice, or against their choice.
    """
    run = change.connection.execute
    row = await (await run(queries.lock_general)).fetchone()
    if row is None:
        return 0
    general = Conversation(*row)
    asked = {"general": general.id, "users": list(user_ids)}
    found: dict[int, bool] = dict(await (await run(queries.find_newcomers, asked)).fetchall())
    await run(queries.note_greeted, [list(found)])
    if joining := [user_id for user_id, joins in found.items() if joins]:
        await add_members(change, general, dict.fromkeys(joining, "member"))
        await introduce(change, general.id, *joining)
    return len(found)


async def begin_general(change: Change, owner_id: int, topic: str) -> None:
    """Begin #general, or adopt the public channel of that name, with the owner of the server as an owner."""
    for name in NAMES:
        if (general := await find_or_insert(change, owner_id, name, topic)) is not None:
            await change.connection.execute(queries.set_general, {"general": general.id})
            await change.connection.execute(queries.note_greeted, [[owner_id]])
            await add_members(change, general, {owner_id: "owner"}, chosen=[owner_id])
            await introduce(change, general.id, owner_id)
            return


async def find_or_insert(change: Change, owner_id: int, name: str, topic: str) -> Conversation | None:
    """Return a new channel of this name, or the public one that exists, locked; None if a private one has the name."""
    draft = ConversationDraft(kind="channel", name=name, topic=topic)
    if (made := await insert_conversation(change, owner_id, draft, None)) is not None:
        return made
    row = await (
        await change.connection.execute(queries.lock_channel, [name_keys("channel", name)["look_key"]])
    ).fetchone()
    return Conversation(*row) if row else None


async def greet_new_users(journal: Log, pool: Pool) -> None:
    """Add users to #general who have got their accounts in another way than by signing up. This is the background
    task."""

    async def greet_all() -> None:
        while await greet_next(journal, pool):
            pass

    await repeat(greet_all, PAUSE_SECONDS, "database unavailable, retrying to add new users to the general channel")


async def greet_next(journal: Log, pool: Pool) -> bool:
    """Greet some users, on any node; return whether there may be more."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_not_greeted, [BATCH])).fetchall()
    if not rows:
        return False
    async with journal.change() as change:
        return await greet(change, [user_id for (user_id,) in rows]) > 0


# The set-up.


async def set_up(
    journal: Log, pool: Pool, accounts: Accounts, form: SetUp, device: SessionDevice, topic: str
) -> SignedIn:
    """Make the owner's account, name the team and begin #general. Raise `BadSetup` or `UsernameTaken`. `topic`: of
    #general.

    Of two set-ups at once, on any nodes, the second one finds an admin.
    """
    async with pool.connection() as connection:
        await check_setup_link(connection, form.token)
    stored = await accounts.hasher.hash(form.password)
    async with journal.change() as change:
        connection = change.connection
        await claim_setup(connection, form.token)
        user = await insert_user(connection, form.name, form.display_name or form.name, stored, "admin")
        await set_team(connection, TeamForm(name=form.team, signup=form.signup))
        signed_in = await accounts.begin(connection, user, stored, device)
        await record(connection, Actor(user.id, device.address), "setup.use", user.id, team=form.team)
        await begin_general(change, user.id, topic)
    accounts.team.forget()
    return signed_in


async def post_setup(request: web.Request) -> web.Response:
    """Make the account of the server's owner with a set-up link, name the team, and log in. Works once."""
    require_passwords(request)
    await request.app[RATES].signup.acquire(client_address(request))
    form = await read_model(request, SetUp)
    device = device_of(request, form.device)
    topic = texts_in("", request.app[SETTINGS].default_language).general_topic
    signed_in = await set_up(request.app[LOG], request.app[POOL], request.app[ACCOUNTS], form, device, topic)
    return await answer_signed_in(request, signed_in)


# The team's settings.


async def describe_team(request: web.Request) -> dict[str, object]:
    """Return what admins see of the team."""
    settings = request.app[SETTINGS]
    async with request.app[POOL].connection() as connection:
        team = await read_team(connection)
        users = await (await connection.execute(queries.count_users)).fetchone()
    assert users is not None
    storage = await request.app[TEAM_STORAGE].read()
    return {
        "name": team.name,
        "signup": team.signup or settings.signup,
        "default_signup": settings.signup,
        "email": bool(settings.smtp_url),
        "notify": team.notify or "all",
        "emoji": team.emoji or "everyone",
        "users": {"active": users[0], "disabled": users[1]},
        "storage": {"files": storage["bytes"], "database": storage["database"]},
    }


async def get_team(request: web.Request) -> web.Response:
    """Return the team's name and sign-up mode, and the storage used. Admins only.

    The storage is measured at most once a minute, and less often where that takes long.
    """
    await require_admin(request)
    return answer_json(await describe_team(request))


async def patch_team(request: web.Request) -> web.Response:
    """Change the team's name, who can sign up or add emoji, or what notifies by default.

    Admins only; needs a recent proof.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    form = await read_model(request, TeamForm)
    changed = form.model_dump(exclude_none=True)
    async with request.app[POOL].connection() as connection, connection.transaction():
        await set_team(connection, form)
        await record(connection, actor_of(request, member), "team.change", **changed)
    request.app[ACCOUNTS].team.forget()
    return answer_json(await describe_team(request))


# The preview of an invite link, for visitors without an account.


async def post_invite_preview(request: web.Request) -> web.Response:
    """Return the team, who made an invite link, and its conversation if it leads to one. Raise `BadInvite`."""
    charge_stranger(request)
    form = await read_model(request, InviteCode)
    pool, team = request.app[POOL], request.app[ACCOUNTS].team
    found = await preview_invite(pool, form.code)
    kind = "server" if found else "conversation"
    found = found or await preview_link(pool, form.code)
    if found is None:
        raise BadInvite
    mode: SignUpMode = await team.mode()
    shown = {"kind": kind, "team": (await team.read()).name, "signup": mode, "conversation": None, "email": ""}
    return answer_json(shown | found)


# The team's figures.

DAYS = 30
NAMED = 10  # public channels that are listed
CONVERSATIONS_MOST = 20_000  # whose messages of the last days are counted
FEW = 50  # messages of a conversation that are counted one by one, which is cheaper than a look at each of its days
KEPT_SECONDS, SHARE = 60.0, 100.0  # counting takes at most 1 % of the time
COUNT_SECONDS, COUNTS_DAYS = 60.0, 31
FAILED = ("failed", "gone", "bounced")
Outcomes = Mapping[str, Mapping[str, int]]


Counts = TypeVar("Counts")


class Counted(Generic[Counts]):
    """A result that a node counts when it is asked for, and keeps."""

    def __init__(self, count: Callable[[], Awaitable[Counts]]) -> None:
        self._count, self._turn = count, asyncio.Lock()
        self._kept: Counts | None = None
        self._until = 0.0

    async def read(self) -> Counts:
        """Return the result as last counted. Those who ask while it is counted share it."""
        async with self._turn:
            began = time.monotonic()
            if self._kept is None or began >= self._until:
                self._kept = await self._count()
                now = time.monotonic()
                self._until = now + max(KEPT_SECONDS, SHARE * (now - began))
            return self._kept

    def forget(self) -> None:
        """Count again at the next request."""
        self._until = 0.0


TEAM_STORAGE: web.AppKey[Counted[dict[str, Any]]] = web.AppKey("team_storage")
TEAM_FIGURES: web.AppKey[Counted[dict[str, Any]]] = web.AppKey("team_figures")


def count_team(app: web.Application, pool: Pool, mails: bool) -> None:
    """Let a node count the team's storage and figures when they are asked for. `mails`: notifications are mailed."""
    app[TEAM_STORAGE] = Counted(partial(measure_storage, pool))
    app[TEAM_FIGURES] = Counted(partial(count_figures, pool, app[TEAM_STORAGE], mails))


async def count_figures(pool: Pool, storage: Counted[dict[str, Any]], mails: bool) -> dict[str, Any]:
    """Return all figures."""
    now, stored = datetime.now(UTC), await storage.read()
    async with pool.connection() as connection:
        return {
            "at": format_time(now),
            "members": await count_members(connection),
            "messages": await count_messages(connection, now),
            "storage": stored,
            "notifications": await sum_notifications(connection) | {"mails": mails},
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


async def measure_storage(pool: Pool) -> dict[str, Any]:
    """Return the bytes of files by kind, and of the database. Reads all rows of files."""
    async with pool.connection() as connection:
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


async def get_team_figures(request: web.Request) -> web.Response:
    """Get the team's figures: active members, messages, storage, notifications sent and hooks. Admins only.

    They are counted at `at`, at most once a minute, and less often where that takes long. Messages by day and by
    channel are close estimates. Only public channels are named. Days are in UTC.
    """
    await require_admin(request)
    return answer_json(await request.app[TEAM_FIGURES].read())
