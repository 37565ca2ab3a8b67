"""Moderation: bans, invite links, reports of messages, and the activity log of a conversation."""

import secrets
from datetime import datetime
from typing import Any

import orjson

from chat.conversations.memberships import (
    add_members,
    audit,
    check_users,
    disable_hooks,
    end_membership,
    lock_access,
    require_capacity,
    require_not_banned,
    require_other_owner,
)
from chat.conversations.permissions import Access, authorize_change, require_manager_role
from chat.conversations.views import introduce
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.history import read_message
from chat.model.errors import Conflict
from chat.model.types import BODY_MOST, LARGEST_ID, format_time
from chat.shared.errors import ApiError, Forbidden, NotFound
from chat.shared.identity import Member, hash_token
from chat.shared.membership import require_member
from chat.shared.postgres import Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)

# Bans.

BANS_PAGE = 200


async def ban(log: Log, actor_id: int, conversation_id: int, user_id: int, reason: str) -> None:
    """Remove the user, if they are a member, and keep them out. A second ban only changes the reason.

    Raise `NotFound`, `Forbidden`, `Direct`, `LastOwner`.
    """
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id, user_id)
        authorize_ban(access)
        await require_other_owner(change, access)
        await change.connection.execute(queries.insert_ban, [conversation_id, user_id, actor_id, reason])
        await disable_hooks(change, conversation_id, user_id)
        await audit(change, actor_id, "member.ban", conversation_id, user_id, reason=reason)
        if access.subject_role is not None:
            await end_membership(change, conversation_id, user_id)


def authorize_ban(access: Access) -> None:
    """Raise unless the actor may ban the subject."""
    authorize_change(access)
    access.require_rank(access.subject_role)
    if access.is_self:
        raise Forbidden("You cannot ban yourself. Leave the conversation instead.")


async def unban(log: Log, actor_id: int, conversation_id: int, user_id: int) -> None:
    """Lift a ban. Raise `NotFound`, also if there is no ban, and `Forbidden`."""
    async with log.change() as change:
        authorize_change(await lock_access(change, conversation_id, actor_id))
        if not await (await change.connection.execute(queries.delete_ban, [conversation_id, user_id])).fetchone():
            raise NotFound
        await audit(change, actor_id, "member.unban", conversation_id, user_id)


async def list_bans(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """Return `{bans:[{user, by, reason, at}], next?}` by user id, for owners and admins."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_bans, [conversation_id, after, BANS_PAGE + 1])).fetchall()
    bans = [{"user": row[0], "by": row[1], "reason": row[2], "at": format_time(row[3])} for row in rows[:BANS_PAGE]]
    return {"bans": bans} | ({"next": bans[-1]["user"]} if len(rows) > BANS_PAGE else {})


# Invite links: a code that lets users join one conversation for a while. It is shown once and stored hashed.


class BadLink(ApiError):
    """This link is unknown, used up, expired or revoked. Ask for a new one."""

    status, code = 403, "bad_link"


class TooManyLinks(Conflict):
    """This conversation has the maximum number of links. Revoke another one first."""

    code = "too_many_links"


async def create_link(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, uses: int, days: int
) -> dict[str, object]:
    """Create a link and return it with its code, which is shown only now.

    Raise `NotFound`, `Forbidden`, `Archived`, `TooManyLinks`.
    """
    code = secrets.token_urlsafe(16)
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id)
        authorize_change(access)
        access.require_open()
        count = await (await change.connection.execute(queries.count_links, [conversation_id])).fetchone()
        if count is None or count[0] >= settings.links_per_conversation:
            raise TooManyLinks
        made = [conversation_id, hash_token(code), uses, actor_id, days]
        row = await (await change.connection.execute(queries.insert_link, made)).fetchone()
        assert row is not None
        await audit(change, actor_id, "link.make", conversation_id, link=row[0], uses=uses, days=days)
    return {"code": code} | describe_link(row)


def describe_link(row: tuple[object, ...]) -> dict[str, object]:
    """Return `{id, uses_left, by, made_at, expires_at}`."""
    id_, uses_left, by, made_at, expires_at = row
    assert isinstance(made_at, datetime)
    assert isinstance(expires_at, datetime)
    times = {"made_at": format_time(made_at), "expires_at": format_time(expires_at)}
    return {"id": id_, "uses_left": uses_left, "by": by} | times


async def list_links(pool: Pool, user_id: int, conversation_id: int) -> dict[str, object]:
    """Return `{links:[…]}`: the active links without their codes, for owners and admins."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_links, [conversation_id])).fetchall()
    return {"links": [describe_link(row) for row in rows]}


async def revoke_link(log: Log, actor_id: int, conversation_id: int, link_id: int) -> None:
    """Revoke a link. Raise `NotFound`, `Forbidden`."""
    async with log.change() as change:
        authorize_change(await lock_access(change, conversation_id, actor_id))
        if not await (await change.connection.execute(queries.delete_link, [conversation_id, link_id])).fetchone():
            raise NotFound
        await audit(change, actor_id, "link.withdraw", conversation_id, link=link_id)


async def preview_link(pool: Pool, code: str) -> dict[str, object] | None:
    """Return who made the link, its conversation, and when it expires; None if it does not work."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.preview_link, [hash_token(code)])).fetchone()
    if row is None:
        return None
    by, name, display_name, kind, title, expires_at = row
    inviter = {"id": by, "name": name, "display_name": display_name} if name else None
    return {"by": inviter, "conversation": {"kind": kind, "name": title}, "expires_at": format_time(expires_at)}


async def join_by_link(log: Log, settings: Settings, user_id: int, code: str) -> tuple[int, bool]:
    """Return the conversation, and whether the user has just joined. A member's visit does not use up the link.

    Raise `BadLink`, `Banned`, `Archived`, `TooManyMembers`, `TooManyConversations`.
    """
    digest = hash_token(code)
    async with log.change() as change:
        run = change.connection.execute
        if (found := await (await run(queries.find_link, [digest])).fetchone()) is None:
            raise BadLink
        access = await lock_access(change, found[0], user_id, allow_hidden=True)
        if access.actor_role is not None:
            return found[0], False
        access.require_open()
        await require_not_banned(change, found[0], user_id)
        await require_capacity(change, access, settings.max_group_members)
        await check_users(change, found[0], [user_id], settings.conversations_per_person, chosen=[user_id])
        if not await (await run(queries.use_link, [digest])).fetchone():
            raise BadLink
        await add_members(change, access.conversation, {user_id: "member"}, chosen=[user_id])
        await introduce(change, found[0], user_id)
    return found[0], True


# Reports: messages that users report to the owners and admins of the conversation and the admins of the server.

REPORTS_PAGE = 50
OUTCOME = "outcome", "note", "resolved_by", "resolved_at"
REPORT_FIELDS = "id", "conversation", "seq", "author", "body", "reporter", "reason", "at", *OUTCOME


class Resolved(Conflict):
    """This report has been resolved already."""

    code = "resolved"


async def file_report(
    pool: Pool, log: Log, reporter_id: int, conversation_id: int, seq: int, reason: str
) -> tuple[int, bool]:
    """Store a report and return its id, and whether it is new: a user reports a message once. Raise `NotFound`."""
    message = await read_message(pool, reporter_id, conversation_id, seq)
    if message.deleted:
        raise NotFound
    fields = {
        "conversation": conversation_id,
        "seq": seq,
        "author": message.author,
        "body": message.body[:BODY_MOST],
        "reporter": reporter_id,
        "reason": reason,
    }
    async with log.change() as change:
        run = change.connection.execute
        row = await (await run(queries.insert_report, fields)).fetchone()
        if row is None:
            row = await (await run(queries.find_report, [conversation_id, seq, reporter_id])).fetchone()
            assert row is not None
            return row[0], False
        await publish_report(change, row[0], conversation_id, seq, "open")
    return row[0], True


async def publish_report(change: Change, report_id: int, conversation_id: int, seq: int, state: str) -> None:
    """Record an entry `{id, conversation, seq, state}` for each user who may resolve the report."""
    rows = await (await change.connection.execute(queries.list_reviewers, {"conversation": conversation_id})).fetchall()
    data = orjson.dumps({"id": report_id, "conversation": conversation_id, "seq": seq, "state": state})
    for (user_id,) in rows:
        await change.record(Unplaced("report", conversation_id, user_id, data=data))


async def list_reports(pool: Pool, member: Member, state: str, before: int) -> dict[str, object]:
    """Return `{reports:[…], next?}`, the latest first, that the user may resolve; `state`: open, resolved or all."""
    wanted = {"open": True, "resolved": False}.get(state)
    reports = await read_reports(pool, member, open=wanted, before=before)
    return {"reports": reports[:REPORTS_PAGE]} | (
        {"next": reports[REPORTS_PAGE - 1]["id"]} if len(reports) > REPORTS_PAGE else {}
    )


async def read_reports(
    pool: Pool, member: Member, *, open: bool | None = None, before: int = LARGEST_ID, only: int | None = None
) -> list[dict[str, object]]:
    """Return a page of reports, and one more if there are more; or the one with the id `only`."""
    asked = {"user": member.user_id, "admin": member.role == "admin", "open": open, "before": before, "only": only}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_reports, asked | {"most": REPORTS_PAGE + 1})).fetchall()
    return [describe_report(row) for row in rows]


def describe_report(row: tuple[Any, ...]) -> dict[str, object]:
    """Return the report's fields, those of its outcome once it has one."""
    fields = dict(zip(REPORT_FIELDS, row, strict=True))
    fields |= {name: format_time(fields[name]) for name in ("at", "resolved_at") if fields[name]}
    return {name: value for name, value in fields.items() if name not in OUTCOME or value not in (None, "")}


async def resolve_report(
    pool: Pool, log: Log, member: Member, report_id: int, outcome: str, remark: str
) -> dict[str, object]:
    """Resolve a report and return it. Raise `NotFound`, `Resolved`."""
    if not await read_reports(pool, member, only=report_id):
        raise NotFound
    async with log.change() as change:
        resolved = [outcome, remark, member.user_id, report_id]
        row = await (await change.connection.execute(queries.resolve_report, resolved)).fetchone()
        if row is None:
            raise Resolved
        await audit(change, member.user_id, "report.resolve", row[0], report=report_id, outcome=outcome)
        await publish_report(change, report_id, row[0], row[1], outcome)
    (report,) = await read_reports(pool, member, only=report_id)
    return report


# The activity log: the audit records about one conversation, for its owners and admins.

ACTIVITY_PAGE = 100


async def list_activity(pool: Pool, user_id: int, conversation_id: int, after: int) -> dict[str, object]:
    """Return `{rows:[{id, at, actor, action, subject, detail}], next}`, the latest first. Raise `NotFound`,
    `Forbidden`."""
    require_manager_role((await require_member(pool, user_id, conversation_id)).role)
    async with pool.connection() as connection:
        page = [conversation_id, after, ACTIVITY_PAGE + 1]
        rows = await (await connection.execute(queries.list_activity, page)).fetchall()
    names = "id", "at", "actor", "action", "subject", "detail"
    records = [dict(zip(names, row, strict=True)) | {"at": format_time(row[1])} for row in rows[:ACTIVITY_PAGE]]
    return {"rows": records, "next": records[-1]["id"] if len(rows) > ACTIVITY_PAGE else None}
