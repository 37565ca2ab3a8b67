"""Handlers for `…/conversations/{c}/authors`, `/api/users/me/export` and `/api/imports`.

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
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    actor_of,
    answer_json,
    check_admin,
    parse_count,
    path_id,
    read_model,
    require_admin,
    require_identity,
    require_recent_proof,
    send_lines,
)
from chat.transfer.export_files import user_lines
from chat.transfer.exporter import open_reader
from chat.transfer.jobs import ImportJobs, ImportRequest, StartRequest
from chat.transfer.text import account_name

queries = load(__file__)
AT_ONCE = 2  # each holds a snapshot of the database for as long as the client reads
TURNS = web.AppKey("turns", asyncio.Semaphore)
IMPORTS = web.AppKey("imports", ImportJobs)


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
        if grouped := sorted(set(names) - set(ids)):
            raise Invalid(errors=[{"field": "names", "detail": f"a user group has the name {grouped[0]}"}])
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
            await introduce(change, access.conversation.id, user_id)


# Imports in the app. Admins only; a start and an undo need a recent proof, because they change what everyone sees.


async def require_proven_admin(request: web.Request) -> Member:
    """Return the caller if they are an admin who has proved their identity recently."""
    return check_admin(await require_recent_proof(request))


async def get_imports(request: web.Request) -> web.Response:
    """List imports, the latest first. Admins only. `after`: continue before this import."""
    await require_admin(request)
    jobs, more = await request.app[IMPORTS].list(parse_count(request, "after", default=LARGEST_ID, most=LARGEST_ID))
    page = {"imports": [job.describe() for job in jobs], "next": jobs[-1].id if more else None}
    return answer_json(page | {"most_bytes": request.app[SETTINGS].max_import_bytes})


async def post_import(request: web.Request) -> web.Response:
    """Check an uploaded file for an import. Admins only.

    Upload it to `/api/files` with `purpose` in its metadata. The check reads the file and imports nothing.
    """
    member = await require_admin(request)
    asked = await read_model(request, ImportRequest)
    job = await request.app[IMPORTS].create(actor_of(request, member), asked)
    return answer_json(job.details(), 201)


async def get_import(request: web.Request) -> web.Response:
    """Return an import with its plan, progress and result. Admins only."""
    await require_admin(request)
    return answer_json((await request.app[IMPORTS].find(path_id(request, "import"))).details())


async def post_import_start(request: web.Request) -> web.Response:
    """Start an import, or continue a stopped one. Admins only, with a recent proof."""
    member = await require_proven_admin(request)
    asked = await read_model(request, StartRequest)
    job = await request.app[IMPORTS].start(actor_of(request, member), path_id(request, "import"), asked)
    return answer_json(job.details())


async def post_import_stop(request: web.Request) -> web.Response:
    """Stop an import. Messages that are imported stay. Admins only."""
    member = await require_admin(request)
    return answer_json(
        (await request.app[IMPORTS].stop(actor_of(request, member), path_id(request, "import"))).details()
    )


async def get_import_undo(request: web.Request) -> web.Response:
    """Return what an undo of the import would remove, and what stays. Admins only."""
    await require_admin(request)
    return answer_json(await request.app[IMPORTS].preview_undo(path_id(request, "import")))


async def post_import_undo(request: web.Request) -> web.Response:
    """Undo an import that ended in the last 24 hours. Admins only, with a recent proof.

    Removes the messages, conversations and accounts that it made. Conversations with messages written since stay.
    """
    member = await require_proven_admin(request)
    return answer_json(
        (await request.app[IMPORTS].undo(actor_of(request, member), path_id(request, "import"))).details()
    )


async def delete_import(request: web.Request) -> web.Response:
    """Remove an import that has imported nothing, and its file. Admins only."""
    member = await require_admin(request)
    await request.app[IMPORTS].remove(actor_of(request, member), path_id(request, "import"))
    return web.Response(status=204)
