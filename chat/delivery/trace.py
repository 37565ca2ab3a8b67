"""Tracing one message to one person, through the log, the memberships, the read marks and the records of streams."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from chat.delivery.verdict import Committed, Facts, StreamRecord, TracedReader
from chat.log.entry import decode_frame
from chat.model.types import format_time
from chat.shared.audit import record
from chat.shared.errors import AdminsOnly, NotFound
from chat.shared.membership import require_member
from chat.shared.postgres import Connection, Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.sql import load
from chat.shared.web import POOL, actor_of, answer_json, path_id, require_identity

queries = load(__file__)

# What the registry knows of a person's devices now; a node's composer provides it.
Evidence = Callable[[int], Awaitable[dict[str, Any]]]


async def trace(pool: Pool, evidence: Evidence, conversation_id: int, seq: int, user_id: int) -> dict[str, object]:
    """Everything that is known, without the message's text. Raises `NotFound`."""
    async with pool.connection() as connection:
        facts = await gather_facts(connection, conversation_id, seq, user_id)
    committed, reader = facts.committed, facts.reader
    outcome, why = facts.explain()
    return {
        "message": {
            "conversation": conversation_id,
            "seq": seq,
            "author": committed.author,
            "position": committed.position,
            "committed_at": format_time(committed.at),
            "node": committed.node,
        },
        "user": {"id": user_id, "name": reader.name, "disabled": reader.disabled},
        "member": reader.belonged(committed.position),
        "streams": [one.to_json(committed) for one in facts.streams],
        "read_at": facts.read_at and format_time(facts.read_at),
        "outcome": outcome,
        "why": why,
        "now": await look_now(evidence, user_id),
    }


async def gather_facts(connection: Connection, conversation_id: int, seq: int, user_id: int) -> Facts:
    """From one connection."""
    run = connection.execute
    if (row := await (await run(queries.read_message, [conversation_id, seq])).fetchone()) is None:
        raise NotFound
    committed = Committed(*row)
    asked = {"conversation": conversation_id, "user": user_id, "position": committed.position}
    if (person := await (await run(queries.read_person, asked)).fetchone()) is None:
        raise NotFound("There is nobody with this id.")
    reader = TracedReader(*person)
    banned = await (await run(queries.find_ban, [conversation_id, user_id])).fetchone()
    rows = await (await run(queries.list_streams, [user_id, committed.at])).fetchall()
    wrote, read = user_id == committed.author, reader.belonged(committed.position) and reader.read_seq >= seq
    read_at = await find_reading(connection, conversation_id, seq, user_id, committed) if read else None
    streams = [StreamRecord(*one) for one in rows]
    return Facts(committed, reader, streams, wrote, read, read_at, banned is not None)


async def find_reading(
    connection: Connection, conversation_id: int, seq: int, user_id: int, committed: Committed
) -> datetime | None:
    """The first mark at or beyond the message, or the person's next message, whichever came first."""
    marks = await connection.execute(queries.read_marks, [user_id, conversation_id, committed.position])
    marked = [at for at, frame in await marks.fetchall() if orjson.loads(decode_frame(frame)[2])["seq"] >= seq][:1]
    answer = await (await connection.execute(queries.find_answer, [conversation_id, user_id, seq])).fetchone()
    return min([*marked, *(answer or ())], default=None)


async def look_now(evidence: Evidence, user_id: int) -> dict[str, Any] | None:
    """What is open at this moment; None while the registry cannot be asked."""
    try:
        return await evidence(user_id)
    except REDIS_AWAY:
        return None


# `GET …/conversations/{c}/messages/{seq}/delivery/{user}`.

EVIDENCE: web.AppKey[Evidence] = web.AppKey("evidence")


async def get_delivery(request: web.Request) -> web.Response:
    """Why somebody did or did not get it; for admins of the server, who need not be in the conversation. Direct
    messages too, for no text is shown; who looks is written down, as he sees what devices somebody has."""
    member, pool = await require_identity(request), request.app[POOL]
    conversation_id, seq, user_id = (path_id(request, name) for name in ("conversation", "seq", "user"))
    if member.role != "admin":
        await require_member(pool, member.user_id, conversation_id)
        raise AdminsOnly
    traced = await trace(pool, request.app[EVIDENCE], conversation_id, seq, user_id)
    async with pool.connection() as connection:
        place = {"conversation": conversation_id, "seq": seq}
        await record(connection, actor_of(request, member), "delivery.look", user_id, **place)
    return answer_json(traced)
