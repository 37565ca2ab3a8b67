"""Handlers for `…/conversations/{c}/authors` and `/api/users/me/export`."""

import asyncio

from aiohttp import web

from chat.log.append import LOG
from chat.shared.audit import record
from chat.shared.errors import Overloaded
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
from chat.transfer.authors import AuthorNames, import_authors
from chat.transfer.export_files import user_lines
from chat.transfer.exporter import open_reader

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
