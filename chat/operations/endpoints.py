"""Health, metrics, the audit, and the API described for machines.

`live` is slow to fail, `ready` fails at once when this node should get no more work.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from chat.log.append import LOG
from chat.operations.announcements import AnnouncementRequest, announce, read_current, take_back
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
from chat.operations.metrics import Metrics, is_near
from chat.shared.audit import record
from chat.shared.errors import Invalid, NodeDraining, NotFound
from chat.shared.postgres import Pool
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
    parse_count,
    read_model,
    require_admin,
    require_identity,
    send_lines,
)
from chat.stream.endpoints import STREAMS

METRICS = web.AppKey("metrics", Metrics)
READINESS = web.AppKey("readiness", Readiness)
ECHO_MOST = 500

# by name, `openapi` or `asyncapi`; made in a thread (1 s) when first asked for, and kept
DESCRIPTIONS: web.AppKey[Callable[[str], bytes]] = web.AppKey("descriptions")
ACTION = re.compile(r"[a-z_.]{0,40}", re.ASCII)


async def get_live(request: web.Request) -> web.Response:
    """The process answers: restarting it would help nobody."""
    return answer_json({"status": "live", "node": request.app[STREAMS].settings.node})


async def get_ready(request: web.Request) -> web.Response:
    """503 when draining or when PostgreSQL cannot be reached; Redis away is only `degraded`."""
    streams = request.app[STREAMS]
    if streams.connections.draining:
        raise NodeDraining(retry_after=1)
    await request.app[READINESS].check()
    ready = streams.tail.listening and not request.app[REGISTRY].degraded
    return answer_json({"status": "ready" if ready else "degraded", "node": streams.settings.node})


async def get_metrics(request: web.Request) -> web.Response:
    """This node's figures, for who asks from nearby; with METRICS_PUBLIC for everybody who reaches this port.

    A load balancer is near by itself: whom it speaks for counts, too, whether it is trusted in other things or not.
    """
    spoken_for = ",".join(request.headers.getall("X-Forwarded-For", []))
    addresses = [request.remote or "", *filter(None, spoken_for.split(","))]
    if "Forwarded" in request.headers or not is_near(addresses):
        check_public(request)
    return web.Response(body=request.app[METRICS].encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def check_public(request: web.Request) -> None:
    """Raises `NotFound`."""
    if not request.app[SETTINGS].metrics_public:
        raise NotFound


async def get_echo(request: web.Request) -> web.Response:
    """Whom this node takes the caller for, and by way of which addresses: what `tandem doctor` judges proxies by."""
    await require_identity(request)
    said = ",".join(request.headers.getall("X-Forwarded-For", []))
    trusted = is_from_proxy(request)
    echo = {"node": request.app[SETTINGS].node, "address": client_address(request), "trusted": trusted}
    return answer_json(echo | {"forwarded": said[:ECHO_MOST]})


async def get_audit(request: web.Request) -> web.Response:
    """List admin actions and other security events, the latest first; for admins.

    `after`: continue before this row. `action`: how actions begin, like `login` or `login.end`. `user`: by or about
    this user. `since`, `until`: RFC 3339 times. Reading the audit is recorded.
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
    """Export the audit as lines of JSON, in order; for admins.

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
    """Yield the rows a page at a time; no connection is held while the reader takes them."""
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
    """The calls that this node serves, as OpenAPI 3.1."""
    await require_identity(request)
    return answer_json(await asyncio.to_thread(request.app[DESCRIPTIONS], "openapi"))


async def get_asyncapi(request: web.Request) -> web.Response:
    """The stream and the presence socket, as AsyncAPI 3.0."""
    await require_identity(request)
    return answer_json(await asyncio.to_thread(request.app[DESCRIPTIONS], "asyncapi"))


# `/api/announcement`: what stands above all conversations.


async def get_announcement(request: web.Request) -> web.Response:
    """`{announcement}`, null when there is none; for everybody."""
    await require_identity(request)
    return answer_json({"announcement": await read_current(request.app[POOL])})


async def put_announcement(request: web.Request) -> web.Response:
    """Say something to everybody; for admins."""
    member = check_admin(await require_identity(request))
    said = await read_model(request, AnnouncementRequest)
    made = await announce(request.app[LOG], actor_of(request, member), said.body)
    return answer_json({"announcement": made}, 201)


async def delete_announcement(request: web.Request) -> web.Response:
    """Take it back; for admins."""
    member = check_admin(await require_identity(request))
    await take_back(request.app[LOG], actor_of(request, member))
    return web.Response(status=204)
