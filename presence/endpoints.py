"""`/api/presence/…`: open a socket, read the presence of users, and for admins figures, nodes, users and evidence."""

import secrets
from collections.abc import Awaitable
from typing import Annotated, TypeVar, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from chat.shared.audit import record
from chat.shared.errors import Invalid, NotFound, Unauthenticated, Unavailable, Unfinished
from chat.shared.identity import Identities, Member, hash_token
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import ticket_key
from chat.shared.route import Operation
from chat.shared.transport.detach import DetachedResponse, NotDetachable, detach, upgrade
from chat.shared.transport.ws_protocol import BUFFER
from chat.shared.web import (
    ADMISSION,
    EVENTS,
    IDENTITIES,
    POOL,
    RATES,
    REGISTRY,
    actor_of,
    answer_json,
    charge_caller,
    check_address,
    check_admin,
    find_token,
    parse_count,
    parse_ids,
    path_id,
    read_model,
    require_admin,
    require_identity,
)
from presence.dashboard import (
    MINUTES_MOST,
    PeopleQuery,
    Wanted,
    describe_evidence,
    describe_node,
    describe_seen,
    read_history,
    read_people,
    read_rooms,
    require_user,
)
from presence.protocol import WATCH_MOST
from presence.sockets import Sockets

SOCKETS = web.AppKey("sockets", Sockets)
Answer = TypeVar("Answer")
PRESENT_CHARGE = 20  # in users whose presence is requested: all who ask share one result


async def get_socket(request: web.Request) -> web.StreamResponse:
    """Open the presence socket. An API key needs the scope presence:read, and its bot is never present itself."""
    request.app[ADMISSION].check()
    sockets = request.app[SOCKETS]
    member = await identify(request, sockets)
    sockets.roster.check_capacity(member.user_id)
    response = await upgrade(request)  # no await from here until the socket is added
    socket = sockets.make(member)
    socket.on_abuse = request.app[EVENTS].limit_notice(actor_of(request, member), "GET /api/presence/socket")
    try:
        transport, early = detach(request, response, socket, BUFFER)
    except (Unfinished, NotDetachable):
        sockets.registry.close(socket.connection)
        raise
    socket.begin(transport)
    sockets.enter(socket)
    socket.data_received(early)
    return DetachedResponse()


async def identify(request: web.Request, sockets: Sockets) -> Member:
    """Return the caller, by ticket or by session; raise `Unauthenticated`, `RateLimited`."""
    if not (ticket := request.query.get("ticket")):
        return await require_identity(request)
    check_address(request)
    member = await redeem_ticket(sockets.registry, request.app[IDENTITIES], ticket)
    charge_caller(request, member.payer)
    return member


async def post_ticket(request: web.Request) -> web.Response:
    """Create a ticket, which opens one presence socket for the current session."""
    await require_identity(request)
    ticket = await issue_ticket(request.app[SOCKETS].registry, find_token(request) or "")
    return answer_json({"ticket": ticket, "expires_in": TICKET_SECONDS}, 201)


async def get_presence(request: web.Request) -> web.Response:
    """Get the presence of the users in `?users=1,2` that the caller can see."""
    member = await require_identity(request)
    asked = parse_ids(request.query.get("users", ""), "users", WATCH_MOST)
    records = await bounded(request.app[SOCKETS].lookup.read_records(member.user_id, asked, member.payer))
    return answer_json(b'{"users":[%b]}' % b",".join(record.encode() for record in records))


async def get_present(request: web.Request) -> web.Response:
    """Get how many members of a conversation are online, and the first 200 of them. Only members may ask.

    `complete` is false if there may be more: at most 50,000 members are looked up, and 5,000 present ones are counted.
    """
    member = await require_identity(request)
    request.app[RATES].watch.acquire(member.payer, PRESENT_CHARGE)
    present = request.app[SOCKETS].present
    return answer_json(await bounded(present.describe(member.user_id, path_id(request, "conversation"))))


async def bounded(asking: Awaitable[Answer]) -> Answer:
    """Return the result; raise `Unavailable` if Redis cannot be reached."""
    try:
        return await asking
    except UNAVAILABLE:
        raise Unavailable("Presence is degraded because the registry cannot be reached.", retry_after=2) from None


# Tickets open a socket where cookies cannot be sent. Each is for one use within 30 s, and for the session that got it.

TICKET_SECONDS = 30


async def issue_ticket(registry: Registry, token: str) -> str:
    """Create a ticket for the session of this token. Redis stores only hashes of both. Raise `Unavailable`."""
    ticket = secrets.token_urlsafe(32)
    key = ticket_key(hash_token(ticket).hex())
    try:
        await registry.redis.set(key, hash_token(token), ex=TICKET_SECONDS)
    except UNAVAILABLE:
        raise Unavailable(retry_after=2) from None
    return ticket


async def redeem_ticket(registry: Registry, identities: Identities, ticket: str) -> Member:
    """Return the member that created the ticket; raise `Unauthenticated` if the session has ended, or `Unavailable`."""
    try:
        digest = await registry.redis.getdel(ticket_key(hash_token(ticket).hex()))
    except UNAVAILABLE:
        raise Unavailable(retry_after=2) from None
    if not isinstance(digest, bytes):
        raise Unauthenticated
    return await identities.of_digest(digest)


# For admins: the dashboard.

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


async def note(request: web.Request, member: Member, action: str, subject: int | None = None, **detail: object) -> None:
    """Record an action in the audit log."""
    async with request.app[POOL].connection() as connection:
        await record(connection, actor_of(request, member), action, subject, **detail)


# The URLs.

P = "/api/presence"
PRESENCE = [
    Operation("GET", P + "?users", get_presence, "presence.get_presence", answer="Presence"),
    Operation(
        "GET",
        P + "/conversations/{conversation}",
        get_present,
        "presence.get_present",
        answer="PresentMembers",
    ),
    Operation("GET", P + "/socket?ticket", get_socket, "presence.get_socket", answer="websocket", head=False),
    Operation("POST", P + "/ticket", post_ticket, "presence.post_ticket", answer="Ticket"),
    Operation("GET", P + "/nodes", get_nodes, "oversight.get_nodes", tag="presence", answer="Nodes"),
    Operation("PUT", P + "/nodes/{node}/drain", put_drain, "oversight.put_drain", tag="presence", answer="Drained"),
    Operation("GET", P + "/stats?minutes", get_stats, "oversight.get_stats", tag="presence", answer="Stats"),
    Operation(
        "GET",
        P + "/people?after&limit&node&q&status",
        get_people,
        "oversight.get_people",
        tag="presence",
        answer="PeoplePage",
    ),
    Operation("GET", P + "/rooms?limit&q", get_rooms, "oversight.get_rooms", tag="presence", answer="Rooms"),
    Operation(
        "GET",
        P + "/evidence/{user}",
        get_evidence,
        "oversight.get_evidence",
        tag="presence",
        answer="Evidence",
    ),
    Operation("POST", P + "/reconcile", post_reconcile, "oversight.post_reconcile", tag="presence", answer="Reaped"),
]
