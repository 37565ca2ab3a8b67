"""Handlers for health, metrics, the audit log, announcements, and the machine-readable description of the API.

`live` fails only if a restart would help; `ready` fails as soon as the node should get no more work.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chat.log.append import LOG, Log
from chat.log.entry import Cursor, Unplaced
from chat.log.subscriptions import PAGE_MOST, SubscriptionState, list_subscriptions
from chat.model.types import check_words, format_time
from chat.operations.audit import (
    EARLIEST,
    LATEST,
    AuditQuery,
    export_page,
    find_start,
    read_audit,
    read_own,
    settled_head,
)
from chat.operations.draining import Readiness
from chat.shared.audit import Actor, record
from chat.shared.errors import Invalid, NodeDraining, NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.web import (
    EVENTS,
    LARGEST_ID,
    POOL,
    REGISTRY,
    SETTINGS,
    actor_of,
    answer_json,
    check_admin,
    client_address,
    is_from_proxy,
    parse_address,
    parse_count,
    read_model,
    require_admin,
    require_identity,
    send_lines,
)
from chat.stream.endpoints import STREAMS

queries = load(__file__)
METRICS: web.AppKey[Callable[[], bytes]] = web.AppKey("metrics")
READINESS = web.AppKey("readiness", Readiness)
ECHO_MOST, AFTER_MOST = 500, 300

# by name, `openapi` or `asyncapi`; made in a thread on the first request (1 s), then cached
DESCRIPTIONS: web.AppKey[Callable[[str], bytes]] = web.AppKey("descriptions")
ACTION = re.compile(r"[a-z_.]{0,40}", re.ASCII)


async def get_live(request: web.Request) -> web.Response:
    """Return 200 as long as the process answers."""
    return answer_json({"status": "live", "node": request.app[STREAMS].settings.node})


async def get_ready(request: web.Request) -> web.Response:
    """Return 200 if the node can take requests: 503 while draining or without PostgreSQL.

    It is `degraded` without Redis or the bus; `missing` names them.
    """
    streams = request.app[STREAMS]
    if streams.connections.draining:
        raise NodeDraining(retry_after=1)
    await request.app[READINESS].check()
    missing = [] if streams.tail.listening else [streams.tail.bus.name]
    if request.app[REGISTRY].degraded and "Redis" not in missing:
        missing.append("Redis")
    named = {"missing": missing} if missing else {}
    return answer_json({"status": "degraded" if missing else "ready", "node": streams.settings.node} | named)


async def get_metrics(request: web.Request) -> web.Response:
    """Return this node's metrics to callers on a private network, or with METRICS_PUBLIC to all callers.

    The addresses that a proxy forwards must be private too, whether the proxy is trusted or not.
    """
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    addresses = [request.remote or "", *filter(None, forwarded.split(","))]
    if "Forwarded" in request.headers or not is_private(addresses):
        check_public(request)
    return web.Response(body=request.app[METRICS](), headers={"Content-Type": CONTENT_TYPE_LATEST})


def is_private(addresses: list[str]) -> bool:
    """Return whether all addresses, those of the peer and of the proxied clients, are on this machine or a private
    network."""
    try:
        return all(parse_address(address.strip()).is_private for address in addresses)
    except ValueError:
        return False


def check_public(request: web.Request) -> None:
    """Raise `NotFound` unless METRICS_PUBLIC is set."""
    if not request.app[SETTINGS].metrics_public:
        raise NotFound


async def get_echo(request: web.Request) -> web.Response:
    """Return the caller as this node sees it, with the forwarded addresses. `tandem doctor` checks proxies with it."""
    await require_identity(request)
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    trusted = is_from_proxy(request)
    echo = {"node": request.app[SETTINGS].node, "address": client_address(request), "trusted": trusted}
    return answer_json(echo | {"forwarded": forwarded[:ECHO_MOST]})


async def get_subscriptions(request: web.Request) -> web.Response:
    """List the readers of the log: hooks, and the exchange in POSTS_TO. Admins only.

    `after`: continue after this target. `waiting`: entries that a reader has not got yet, at most 1,000.
    """
    await require_admin(request)
    found = await list_subscriptions(request.app[POOL], request.query.get("after", "")[:AFTER_MOST].replace("\0", ""))
    last = found[-1].target if len(found) == PAGE_MOST else None
    return answer_json({"subscriptions": [describe_subscription(one) for one in found], "next": last})


def describe_subscription(one: SubscriptionState) -> dict[str, object]:
    """Return the public fields of a subscription. `node` reads it now."""
    return {
        "target": one.target,
        "kind": one.kind,
        "conversation": one.conversation_id,
        "entries": one.kinds,
        "cursor": str(Cursor(one.epoch, one.position)),
        "waiting": one.waiting,
        "state": one.state,
        "node": one.holder and one.holder.rpartition("~")[0],
        "attempts": one.attempts,
        "failing_since": one.failing_since and format_time(one.failing_since),
        "retry_at": one.retry_at and format_time(one.retry_at),
        "problem": one.problem,
    }


async def get_audit(request: web.Request) -> web.Response:
    """List admin actions and other security events, the latest first. Admins only.

    `after`: continue before this row. `action`: a prefix such as `login` or `login.end`. `user`: events by or about
    this
    user. `since`, `until`: RFC 3339 times. Reading the audit log is recorded.
    """
    member = await require_admin(request)
    limit = parse_count(request, "limit", default=100, most=500, least=1)
    action = request.query.get("action", "")
    if not ACTION.fullmatch(action):
        raise Invalid(errors=[{"field": "action", "detail": "the beginning of an action, like login or login.end"}])
    asked = AuditQuery(
        parse_count(request, "after", default=LARGEST_ID, most=LARGEST_ID),
        limit + 1,
        action,
        parse_count(request, "user", default=0, most=LARGEST_ID),
        parse_time(request.query.get("since", ""), "since", EARLIEST),
        parse_time(request.query.get("until", ""), "until", LATEST),
    )
    rows = await read_audit(request.app[POOL], asked)
    request.app[EVENTS].note(actor_of(request, member), "audit.read", asked.user or None)
    return answer_json({"rows": rows[:limit], "next": rows[limit - 1]["id"] if len(rows) > limit else None})


async def get_audit_export(request: web.Request) -> web.StreamResponse:
    """Export the audit log as lines of JSON, in order. Admins only.

    `after`: only rows with a higher id, to continue an earlier export. `since`: only rows from this RFC 3339 time on.
    The export ends at the newest row and is recorded.
    """
    member = await require_admin(request)
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    since = parse_time(request.query.get("since", ""), "since", EARLIEST)
    pool = request.app[POOL]
    async with pool.connection() as connection:
        await record(connection, actor_of(request, member), "audit.export", after=after)
        head = await settled_head(connection)
        after = max(after, await find_start(connection, since))
    return await send_lines(request, "audit.jsonl", export_lines(pool, after, head, since))


async def export_lines(pool: Pool, after: int, head: int, since: datetime) -> AsyncIterator[bytes]:
    """Yield the rows a page at a time, without holding a connection while the reader takes them."""
    while True:
        async with pool.connection() as connection:
            page = await export_page(connection, after, head, since)
        if page is None:
            return
        after, lines = page
        yield lines


async def get_activity(request: web.Request) -> web.Response:
    """List the caller's own security events, the latest first; `after`: continue before this row."""
    member = await require_identity(request)
    after = parse_count(request, "after", default=LARGEST_ID, most=LARGEST_ID)
    limit = parse_count(request, "limit", default=50, most=200, least=1)
    rows = await read_own(request.app[POOL], member.user_id, after, limit + 1)
    return answer_json({"rows": rows[:limit], "next": rows[limit - 1]["id"] if len(rows) > limit else None})


def parse_time(text: str, name: str, default: datetime) -> datetime:
    """Return the time that `text` names, or the default when it is empty; raise `Invalid` on anything else."""
    try:
        time = datetime.fromisoformat(text) if text else default
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(errors=[{"field": name, "detail": "a time like 2026-11-29T18:00:00Z"}]) from None


async def get_openapi(request: web.Request) -> web.Response:
    """Return this API as OpenAPI 3.1."""
    await require_identity(request)
    return answer_json(await asyncio.to_thread(request.app[DESCRIPTIONS], "openapi"))


async def get_asyncapi(request: web.Request) -> web.Response:
    """Return the message stream and the presence socket as AsyncAPI 3.0."""
    await require_identity(request)
    return answer_json(await asyncio.to_thread(request.app[DESCRIPTIONS], "asyncapi"))


# Announcements to all users. One is shown at a time; a new one replaces it.

ANNOUNCEMENT_MOST = 500
ANNOUNCEMENT_LOCK = 7_263_373


class AnnouncementRequest(BaseModel):
    """An announcement to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body: Annotated[str, Field(min_length=1, max_length=ANNOUNCEMENT_MOST), AfterValidator(check_words)]


async def announce(log: Log, actor: Actor, body: str) -> dict[str, Any]:
    """Publish an announcement, which replaces the current one; return `{id, body, at}`."""
    async with log.change() as change:
        await change.connection.execute(queries.lock_announcements, [ANNOUNCEMENT_LOCK])
        await change.connection.execute(queries.end_announcement)
        row = await (await change.connection.execute(queries.insert_announcement, [body])).fetchone()
        assert row is not None
        announcement = describe_announcement(row)
        await record(change.connection, actor, "announcement.make", id=row[0], body=body)
        await change.record(announcement_entry(announcement))
    return announcement


async def end_announcement(log: Log, actor: Actor) -> None:
    """End the current announcement, if any."""
    async with log.change() as change:
        await change.connection.execute(queries.lock_announcements, [ANNOUNCEMENT_LOCK])
        row = await (await change.connection.execute(queries.end_announcement)).fetchone()
        if row is not None:
            await record(change.connection, actor, "announcement.end", id=row[0])
            await change.record(announcement_entry(None))


def describe_announcement(row: Sequence[Any]) -> dict[str, Any]:
    """Return the announcement as clients receive it."""
    id_, body, published_at = row
    return {"id": id_, "body": body, "at": format_time(published_at)}


def announcement_entry(announcement: dict[str, Any] | None) -> Unplaced:
    """Return the entry that tells every client the current announcement."""
    return Unplaced("announcement", data=orjson.dumps({"announcement": announcement}))


async def read_announcement(pool: Pool) -> dict[str, Any] | None:
    """Return the current announcement, if any."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_announcement)).fetchone()
    return describe_announcement(row) if row else None


async def get_announcement(request: web.Request) -> web.Response:
    """Return the current announcement, null if there is none."""
    await require_identity(request)
    return answer_json({"announcement": await read_announcement(request.app[POOL])})


async def put_announcement(request: web.Request) -> web.Response:
    """Make an announcement to all users. Admins only."""
    member = check_admin(await require_identity(request))
    form = await read_model(request, AnnouncementRequest)
    made = await announce(request.app[LOG], actor_of(request, member), form.body)
    return answer_json({"announcement": made}, 201)


async def delete_announcement(request: web.Request) -> web.Response:
    """End the current announcement. Admins only."""
    member = check_admin(await require_identity(request))
    await end_announcement(request.app[LOG], actor_of(request, member))
    return web.Response(status=204)
