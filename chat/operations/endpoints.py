"""Health, metrics, the audit, and the API described for machines.

`live` is slow to fail, `ready` fails at once when this node should get no more work.
"""

import re
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from chat.operations.audit import read_audit
from chat.operations.metrics import Metrics, is_near
from chat.operations.readiness import Readiness
from chat.shared.endpoints import (
    LARGEST_ID,
    POOL,
    REGISTRY,
    SETTINGS,
    answer_json,
    client_address,
    parse_address,
    parse_count,
    require_admin,
    require_identity,
)
from chat.shared.problems import Draining, Invalid, NotFound
from chat.stream.endpoints import STREAMS

METRICS = web.AppKey("metrics", Metrics)
READINESS = web.AppKey("readiness", Readiness)
ECHO_MOST = 500
# by name, `openapi` or `asyncapi`; made when somebody asks, and kept
DESCRIPTIONS: web.AppKey[Callable[[str], bytes]] = web.AppKey("descriptions")
ACTION = re.compile(r"[a-z_.]{0,40}", re.ASCII)


async def get_live(request: web.Request) -> web.Response:
    """The process answers: restarting it would help nobody."""
    return answer_json({"status": "live", "node": request.app[STREAMS].settings.node})


async def get_ready(request: web.Request) -> web.Response:
    """503 when draining or when PostgreSQL cannot be reached; Redis away is only `degraded`."""
    streams = request.app[STREAMS]
    if streams.roster.draining:
        raise Draining(retry_after=1)
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
    peer, networks = parse_address(request.remote or "127.0.0.1"), request.app[SETTINGS].trusted_proxies
    trusted = any(peer in network for network in networks)
    echo = {"node": request.app[SETTINGS].node, "address": client_address(request), "trusted": trusted}
    return answer_json(echo | {"forwarded": said[:ECHO_MOST]})


async def get_audit(request: web.Request) -> web.Response:
    """`?after=id&limit=&action=login&user=id`: what was done with powers, the latest first; for admins."""
    await require_admin(request)
    after = parse_count(request, "after", default=LARGEST_ID, most=LARGEST_ID)
    limit = parse_count(request, "limit", default=100, most=500, least=1)
    user_id, action = parse_count(request, "user", default=0, most=LARGEST_ID), request.query.get("action", "")
    if not ACTION.fullmatch(action):
        raise Invalid(errors=[{"field": "action", "detail": "the beginning of an action, like login or login.end"}])
    rows = await read_audit(request.app[POOL], after, limit + 1, action, user_id)
    return answer_json({"rows": rows[:limit], "next": rows[limit - 1]["id"] if len(rows) > limit else None})


async def get_openapi(request: web.Request) -> web.Response:
    """The calls that this node serves, as OpenAPI 3.1."""
    await require_identity(request)
    return answer_json(request.app[DESCRIPTIONS]("openapi"))


async def get_asyncapi(request: web.Request) -> web.Response:
    """The stream and the presence socket, as AsyncAPI 3.0."""
    await require_identity(request)
    return answer_json(request.app[DESCRIPTIONS]("asyncapi"))
