"""Deletion: accounts on request, and expired rows after their time.

`begin_erasure` deletes an account at once; a background task removes the rest. In one transaction the name becomes
"Deleted user", the profile and all sessions end, conversations get another owner, and a log entry tells every node.
Messages stay, or are emptied like deleted ones; they never get another author.
"""

from typing import Literal, NamedTuple

import structlog
from aiohttp import web

from chat.accounts.admin import LastAdmin, end_all_of, lock_account, read_external, require_rights
from chat.accounts.admin_endpoints import path_external, require_system
from chat.accounts.login_endpoints import answer_ended, clear_browser
from chat.accounts.models import User
from chat.accounts.second_factors import remove_all
from chat.conversations.memberships import audit, change_role, end_membership
from chat.log.append import LOG, Change, Log
from chat.log.entry import Unplaced
from chat.log.redaction import without_name
from chat.messages.edits import bury
from chat.migrations import fill_look_keys
from chat.model.message import Message
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.tasks import repeat
from chat.shared.web import POOL, actor_of, require_recent_proof

queries = load(__file__)
Messages = Literal["keep", "erase"]
NAMED_MOST = 10


class OnlyOwner(ApiError):
    """You are the only owner of conversations with other members. Make someone else an owner or admin there first."""

    status, code = 409, "only_owner"


class Owned(NamedTuple):
    """A conversation with no other owner. `admin` and `member` have been in it longest, as an admin and in any role."""

    id: int
    kind: str
    name: str
    others: int
    admin: int | None
    member: int | None


async def begin_erasure(
    log: Log,
    actor: Actor,
    user_id: int,
    messages: Messages,
    *,
    force: bool = False,
    pass_on: bool = False,
    by_admin: bool = True,
) -> list[int]:
    """Delete the account, store the steps that remain, and return the sessions that ended.

    Raise `NotFound`; `LastAdmin`; `OnlyOwner`, which names the conversations; `MoreRights` for an admin's account
    unless `by_admin`. `pass_on` gives conversations without an admin to their oldest member; `force` also does so, and
    deletes the last admin too.
    """
    async with log.change() as change:
        account = await lock_account(change, user_id)
        require_rights(account.user, by_admin=by_admin)
        if account.last_admin and not force:
            raise LastAdmin
        rows = await (await change.connection.execute(queries.find_owned, {"user": user_id})).fetchall()
        owned = [Owned(*row) for row in rows]
        require_heirs(owned, force=force or pass_on)
        user = await forget_user(change, user_id)
        await transfer_ownership(change, actor, owned)
        ended = await end_all_of(change, actor, user_id, "deleted")
        await record(change.connection, actor, "account.delete", user_id, messages=messages)
        entry = await change.record(Unplaced("user", subject=user_id, data=user.encode()))
        await change.connection.execute(queries.insert_erasure, [user_id, messages, entry.position])
        return ended


def require_heirs(owned: list[Owned], *, force: bool) -> None:
    """Raise `OnlyOwner` if a conversation has no admin who could become its owner."""
    stuck = [one for one in owned if one.others and one.admin is None and not force]
    if stuck:
        named = ", ".join(f"{one.name or one.kind} ({one.id})" for one in stuck[:NAMED_MOST])
        more = f" and {len(stuck) - NAMED_MOST} more" if len(stuck) > NAMED_MOST else ""
        raise OnlyOwner(errors=[{"field": "conversations", "detail": named + more}])


async def forget_user(change: Change, user_id: int) -> User:
    """Remove everything that identifies the user; return the user as others see them now. Raise `NotFound`."""
    run = change.connection.execute
    row = await (await run(queries.forget_user, [user_id])).fetchone()
    if row is None:
        raise NotFound
    await run(queries.drop_avatars, [user_id])
    await run(queries.drop_links, [user_id])
    await run(queries.drop_resets, [user_id])
    await run(queries.hide_imported, [user_id])
    await run(queries.hide_external, [user_id])
    await remove_all(change.connection, user_id)
    return User(*row)


async def transfer_ownership(change: Change, actor: Actor, owned: list[Owned]) -> None:
    """Give each conversation to its oldest admin or member; archive those without other members."""
    await change.connection.execute(queries.archive, [[one.id for one in owned if not one.others]])
    for one in owned:
        if heir := one.admin or one.member:
            await audit(change, actor.user_id, "member.role", one.id, heir, role="owner")
            await change_role(change, one.id, heir, "owner")


# The steps after an account is deleted: leave conversations, empty messages, blank the log, delete private data. Each
# step is one short transaction that also stores its progress. After a kill any node continues.

PAUSE_SECONDS = 5.0
MESSAGES_STEP = 20  # a step locks the log's head
ENTRIES_STEP = 20_000
BATCH = 500
log = structlog.get_logger(__name__)


class Erasure(NamedTuple):
    """An unfinished deletion and its progress."""

    user_id: int
    messages: Messages
    conversation_id: int
    client_id: str
    position: int
    until: int


async def run_erasures(journal: Log) -> None:
    """Finish every deletion under way, on any node. This is the background task."""

    async def erase_all() -> None:
        while await erase_step(journal):
            pass

    await repeat(erase_all, PAUSE_SECONDS, "database unavailable, retrying the deletion of accounts")


async def erase_step(journal: Log) -> bool:
    """Do one step of one deletion; return False if there is none that this process could work on."""
    async with journal.change() as change:
        row = await (await change.connection.execute(queries.take_erasure)).fetchone()
        if row is None:
            return False
        erasure = Erasure(*row)
        more = await leave_next(change, erasure) or await blank_entries(change, erasure)
        if not more and not await drop_private(change, erasure):
            await change.connection.execute(queries.finish, [erasure.user_id])
        return True


async def is_left(pool: Pool, user_id: int) -> bool:
    """Wait until no process works on this deletion; return whether steps of it are left."""
    async with pool.connection() as connection:
        return await (await connection.execute(queries.await_step, [user_id])).fetchone() is not None


async def leave_next(change: Change, erasure: Erasure) -> bool:
    """Empty some messages in the next conversation, or leave it; return False after the last one."""
    run = change.connection.execute
    row = await (await run(queries.next_conversation, [erasure.user_id, erasure.conversation_id])).fetchone()
    if row is None:
        return False
    conversation_id, kind, member = row
    await run(queries.lock_conversation, [conversation_id])
    if erasure.messages == "erase" and await empty_messages(change, erasure, conversation_id):
        return True
    membership = {"conversation": conversation_id, "user": erasure.user_id}
    await run(queries.forget_membership, membership)
    await run(queries.drop_mentions, membership)
    await run(queries.note_conversation, [conversation_id, erasure.user_id])
    if member and kind != "direct":  # the other one keeps the direct conversation
        await end_membership(change, conversation_id, erasure.user_id)
    return True


async def empty_messages(change: Change, erasure: Erasure, conversation_id: int) -> bool:
    """Empty the user's next messages in a conversation, and their stored earlier texts; return False after the last
    one."""
    run, asked = change.connection.execute, [conversation_id, erasure.user_id, erasure.client_id, MESSAGES_STEP]
    messages = [Message(*row) for row in await (await run(queries.list_messages, asked)).fetchall()]
    if not messages:
        return False
    seqs = [message.seq for message in messages]
    await run(queries.drop_edits, [conversation_id, seqs])
    await run(queries.drop_reports, [conversation_id, seqs])
    await run(queries.note_messages, [messages[-1].client_id, erasure.user_id])
    for message in messages:
        if not message.deleted:
            await bury(change, message)
    return True


async def blank_entries(change: Change, erasure: Erasure) -> bool:
    """Remove the name from some entries of the log; return False after the last one."""
    run = change.connection.execute
    if erasure.position >= erasure.until:
        return False
    to = min(erasure.position + ENTRIES_STEP, erasure.until)
    span = {"user": erasure.user_id, "after": erasure.position, "to": to}
    rows = await (await run(queries.find_names, span, binary=True)).fetchall()
    if blanked := [(position, without_name(frame, erasure.user_id)) for position, frame in rows if frame]:
        await run(queries.replace_frames, [*map(list, zip(*blanked, strict=True))])
    await run(queries.drop_frames, span)
    await run(queries.note_position, [to, erasure.user_id])
    return True


async def drop_private(change: Change, erasure: Erasure) -> bool:
    """Delete a batch of the user's private data; return False after the last one."""
    run, asked = change.connection.execute, {"user": erasure.user_id, "batch": BATCH}
    if await empty_reminders(change, erasure.user_id):
        return True
    for query in (queries.drop_streams, queries.drop_sessions):
        row = await (await run(query, asked)).fetchone()
        if row is not None and row[0] == BATCH:
            return True
    for query in (
        queries.drop_blocks,
        queries.drop_devices,
        queries.drop_choices,
        queries.forget_invite,
        queries.drop_follows,
        queries.drop_sidebar,
        queries.drop_saved,
        queries.drop_keywords,
        queries.drop_email,
        queries.drop_mails,
        queries.drop_reminders,
        queries.drop_scheduled,
        queries.drop_groups,
        queries.forget_emoji,
        queries.remove_files,
    ):
        await run(query, {"user": erasure.user_id})
    return False


async def empty_reminders(change: Change, user_id: int) -> bool:
    """Empty some of the messages that reminded the user, which no one else can read; return False after the last."""
    run, asked = change.connection.execute, {"user": user_id, "most": MESSAGES_STEP}
    messages = [Message(*row) for row in await (await run(queries.list_reminded, asked)).fetchall()]
    for conversation_id in {message.conversation for message in messages}:
        await run(queries.lock_conversation, [conversation_id])
    for message in messages:
        await bury(change, message)
    return bool(messages)


CHOICES: dict[str, Messages] = {"keep": "keep", "erase": "erase"}


async def delete_me(request: web.Request) -> web.Response:
    """Delete the caller's account. Needs a recent proof.

    All sessions end. The name becomes "Deleted user". Private data is deleted, and so are files that are not in a
    message.
    `messages`: `keep` (default) leaves messages as they are, `erase` empties them.
    """
    member, messages = await require_recent_proof(request), parse_choice(request)
    ended = await begin_erasure(request.app[LOG], actor_of(request, member), member.user_id, messages)
    answer = answer_ended(request, ended)
    clear_browser(request, answer)
    return answer


def parse_choice(request: web.Request) -> Messages:
    """Return `?messages=`; raise `Invalid`."""
    messages = CHOICES.get(request.query.get("messages", "keep"))
    if messages is None:
        raise Invalid(errors=[{"field": "messages", "detail": "keep or erase"}])
    return messages


async def delete_external_user(request: web.Request) -> web.Response:
    """Delete the account of the user who has this id in another system, as its owner could.

    For API keys, and for admins with a recent proof. The external id is free again at once. Conversations that only
    this user owns go to their oldest admin, otherwise to their oldest member.
    `messages`: `keep` (default) leaves messages as they are, `erase` empties them.
    """
    member, messages = await require_system(request, changes=True), parse_choice(request)
    user = (await read_external(request.app[POOL], path_external(request))).user
    actor, by_admin = actor_of(request, member), member.role == "admin"
    ended = await begin_erasure(request.app[LOG], actor, user.id, messages, pass_on=True, by_admin=by_admin)
    return answer_ended(request, ended)


# Expired rows: sessions with address and device, invites, join links, reset links, old events. Channels that a node of
# another version has named get their look keys here too.

PERIOD_SECONDS = 3600.0
QUERIES = (
    "expire_audit",
    "expire_events",
    "expire_sessions",
    "expire_devices",
    "expire_invites",
    "expire_setup_links",
    "expire_links",
    "expire_resets",
    "expire_challenges",
    "expire_keys",
    "expire_logouts",
)


class Cleanup:
    """The background task. It deletes in small batches, on one node at a time.

    `audit`, `events` and `expired` are the days for which the audit log, security events and expired rows are kept.
    """

    def __init__(self, pool: Pool, *, audit: int, events: int, expired: int) -> None:
        self._pool = pool
        self._days = {"audit": audit, "events": events, "expired": expired}

    async def run(self) -> None:
        """Clean up once an hour; retry while the database is unavailable."""
        await repeat(self.clean, PERIOD_SECONDS, "database unavailable, expired rows stay")

    async def clean(self) -> int:
        """Delete all expired rows and return their number. Stop if another node is cleaning up."""
        async with self._pool.connection() as connection:
            await fill_look_keys(connection, log.warning)
        deleted = 0
        for name in QUERIES:
            while (rows := await self._delete_batch(name)) > 0:
                deleted += rows
                if rows < BATCH:
                    break
        if deleted:
            log.info("deleted expired rows", rows=deleted)
        return deleted

    async def _delete_batch(self, name: str) -> int:
        """Delete one batch in its own transaction; return its size."""
        async with self._pool.connection() as connection, connection.transaction():
            turn = await (await connection.execute(queries.take_turn)).fetchone()
            if not turn or not turn[0]:
                return 0
            deleted = await connection.execute(getattr(queries, name), {"batch": BATCH} | self._days)
            return deleted.rowcount
