"""Handlers for `…/conversations/{c}/authors` and `/api/users/me/export`.

An author of another chat without an account gets one that cannot log in.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from chat.accounts.validation import DisplayName
from chat.conversations.memberships import add_members, check_users, lock_access, require_capacity
from chat.conversations.permissions import Access
from chat.conversations.views import introduce
from chat.log.append import LOG, Change, Log
from chat.model.errors import Direct
from chat.shared.audit import Actor, record
from chat.shared.errors import AdminsOnly, Invalid, Overloaded
from chat.shared.identity import Member
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.web import (
    POOL,
    RATES,
    SETTINGS,
    actor_of,
    answer_json,
    path_id,
    read_model,
    require_identity,
    require_recent_proof,
    send_lines,
)
from chat.transfer.export_files import user_lines
from chat.transfer.exporter import open_reader
from chat.transfer.text import account_name

queries = load(__file__)
AT_ONCE = 2  # each holds a snapshot of the database for as long as the client reads
TURNS = web.AppKey("turns", asyncio.Semaphore)


async def put_authors(request: web.Request) -> web.Response:
    """Import authors: create missing accounts for these names, and make all of them members. Returns their `ids`."""
    member = await require_identity(request)
    asked = await read_model(request, AuthorNames)
    conversation_id = path_id(request, "conversation")
    who = (member, actor_of(request, member))
    ids = await import_authors(request.app[LOG], request.app[SETTINGS], *who, conversation_id, asked.names)
    return answer_json({"ids": ids})


async def get_export(request: web.Request) -> web.StreamResponse:
    """Export the caller's own data as JSON lines. Needs a recent proof."""
    member = await require_recent_proof(request)
    if request.app[TURNS].locked():
        raise Overloaded(retry_after=30)
    request.app[RATES].export.acquire(member.user_id)
    async with request.app[TURNS]:
        async with request.app[POOL].connection() as connection:
            await record(connection, actor_of(request, member), "account.export", member.user_id)
        async with open_reader(request.app[SETTINGS].database_url) as reader:
            lines = (lines async for lines, _ in user_lines(reader, member.user_id))
            return await send_lines(request, f"tandem-{member.user_id}.jsonl", lines)


# Authors.


class AuthorNames(BaseModel):
    """The request: author names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    names: Annotated[list[DisplayName], Field(min_length=1)]


async def import_authors(
    log: Log, settings: Settings, member: Member, actor: Actor, conversation_id: int, authors: Sequence[str]
) -> list[int]:
    """Return the user ids of the authors, in order, after making each a member of the conversation.

    Only for admins, in a conversation that they manage. Missing accounts are created.
    """
    if len(authors) > settings.max_members_added:
        raise Invalid(errors=[{"field": "names", "detail": f"at most {settings.max_members_added} at once"}])
    async with log.change() as change:
        access = await lock_access(change, conversation_id, member.user_id)
        check_rights(access, member)
        names = {account_name(author): author for author in authors}
        ids = await ensure_accounts(change, names)
        await record(change.connection, actor, "account.import", conversation=conversation_id, people=len(ids))
        await add_missing(change, access, settings, sorted(ids.values()))
    return [ids[account_name(author)] for author in authors]


def check_rights(access: Access, member: Member) -> None:
    """Raise an error unless the admin may import into this conversation."""
    if member.role != "admin":
        raise AdminsOnly
    if access.conversation.kind == "direct":
        raise Direct
    access.require_manager()
    access.require_open()


async def ensure_accounts(change: Change, names: dict[str, str]) -> dict[str, int]:
    """Return `{account name: user id}`, creating missing accounts.

    The accounts are locked in the order of their names, so that two imports at once do not deadlock.
    """
    ordered = sorted(names)
    run = change.connection.execute
    await run(queries.insert_missing, [ordered, [names[name] for name in ordered]])
    rows = await (await run(queries.find_named, [ordered])).fetchall()
    return {row[0]: row[1] for row in rows}


async def add_missing(change: Change, access: Access, settings: Settings, user_ids: list[int]) -> None:
    """Add those users who are not members yet."""
    rows = await (await change.connection.execute(queries.find_missing, [user_ids, access.conversation.id])).fetchall()
    if missing := [row[0] for row in rows]:
        await require_capacity(change, access, settings.max_group_members, len(missing))
        await check_users(change, access.conversation.id, missing, settings.conversations_per_person)
        await add_members(change, access.conversation, dict.fromkeys(missing, "member"))
        for user_id in missing:
            await introduce(change, user_id, access.conversation.id)
