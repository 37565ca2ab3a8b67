"""`/api/presence/…` for admins: figures, nodes, users, conversations, reconciling and draining."""

from typing import Annotated, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from chat.shared.errors import Invalid, NotFound
from chat.shared.web import (
    POOL,
    RATES,
    REGISTRY,
    answer_json,
    check_admin,
    parse_count,
    path_id,
    read_model,
    require_admin,
    require_identity,
)
from presence.dashboard.evidence import describe_evidence, require_user
from presence.dashboard.figures import MINUTES_MOST, describe_node, describe_seen, read_history
from presence.dashboard.people import PeopleQuery, Wanted, read_people, read_rooms
from presence.endpoints import bounded, note

TEXT_MOST = 100
PAGE_MOST = 200
WANTED: tuple[Wanted, ...] = get_args(Wanted)


class NoSuchNode(NotFound):
    """No live node has this name."""

    code = "no_such_node"


class DrainRequest(BaseModel):
    """An order to drain, or to resume."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    draining: Annotated[bool, Field(strict=True)]


async def get_nodes(request: web.Request) -> web.Response:
    """List the nodes, with their leases and what they report."""
    await require_admin(request)
    nodes = await bounded(request.app[REGISTRY].nodes())
    return answer_json({"nodes": [describe_node(node) for node in nodes]})


async def get_stats(request: web.Request) -> web.Response:
    """Get the current figures, and with `?minutes=` their history in at most 720 steps."""
    await require_admin(request)
    minutes = parse_count(request, "minutes", default=0, most=MINUTES_MOST)
    history = await read_history(request.app[POOL], minutes) if minutes else []
    return answer_json(describe_seen(await bounded(request.app[REGISTRY].overview.read())) | {"history": history})


async def get_people(request: web.Request) -> web.Response:
    """List users by name, filtered by `?q=&status=&node=&after=&limit=`."""
    member = await require_admin(request)
    question = parse_question(request)
    request.app[RATES].watch.acquire(member.payer, question.most)
    found = read_people(request.app[POOL], request.app[REGISTRY].overview, question)
    return answer_json(await bounded(found))


def parse_question(request: web.Request) -> PeopleQuery:
    """Parse the filters of a request; raise `Invalid`."""
    most = parse_count(request, "limit", default=50, most=PAGE_MOST, least=1)
    status = request.query.get("status", "here")
    wanted = next((one for one in WANTED if one == status), None)
    if wanted is None:
        raise Invalid(errors=[{"field": "status", "detail": f"one of {', '.join(WANTED)}"}])
    text, node, after = (parse_text(request, name) for name in ("q", "node", "after"))
    return PeopleQuery(text, wanted, node, after, most)


def parse_text(request: web.Request, name: str) -> str:
    """Return a short text of the query; raise `Invalid`."""
    text = request.query.get(name, "")
    if len(text) > TEXT_MOST or "\0" in text:
        raise Invalid(errors=[{"field": name, "detail": f"at most {TEXT_MOST} characters"}])
    return text


async def get_rooms(request: web.Request) -> web.Response:
    """List conversations by the number of online members, filtered by `?q=&limit=`."""
    member = await require_admin(request)
    most = parse_count(request, "limit", default=20, most=PAGE_MOST, least=1)
    request.app[RATES].watch.acquire(member.payer, most)
    rooms = read_rooms(request.app[POOL], request.app[REGISTRY], parse_text(request, "q"), most)
    return answer_json(await bounded(rooms))


async def get_evidence(request: web.Request) -> web.Response:
    """Explain a user's status, even when they are invisible. The audit log records the request."""
    member, user_id = await require_admin(request), path_id(request, "user")
    await require_user(request.app[POOL], user_id)
    await note(request, member, "presence.look", user_id)
    return answer_json(await bounded(describe_evidence(request.app[POOL], request.app[REGISTRY], user_id)))


async def post_reconcile(request: web.Request) -> web.Response:
    """Check every user and mark those without a live node as offline."""
    member = await require_admin(request)
    reaped = await bounded(request.app[REGISTRY].reconcile())
    await note(request, member, "presence.reconcile", reaped=reaped)
    return answer_json({"reaped": reaped})


async def put_drain(request: web.Request) -> web.Response:
    """Drain a node, or let it resume. A draining node refuses new connections and closes its own, spread over time."""
    member = check_admin(await require_identity(request))
    name, asked = request.match_info["node"], await read_model(request, DrainRequest)
    if not await bounded(request.app[REGISTRY].order_drain(name, asked.draining)):
        raise NoSuchNode
    await note(request, member, "node.drain" if asked.draining else "node.return", node=name)
    return answer_json({"name": name, "draining": asked.draining}, 202)
