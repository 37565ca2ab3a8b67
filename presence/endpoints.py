"""`/api/presence/…`: open a socket, get a ticket, read the presence of users."""

import secrets
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from chat.shared.audit import record
from chat.shared.errors import Unauthenticated, Unavailable, Unfinished
from chat.shared.identity import Identities, Member, hash_token
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import ticket_key
from chat.shared.transport.detach import DetachedResponse, NotDetachable, detach, upgrade
from chat.shared.transport.ws_protocol import BUFFER
from chat.shared.web import (
    ADMISSION,
    EVENTS,
    IDENTITIES,
    POOL,
    RATES,
    actor_of,
    answer_json,
    charge_caller,
    check_address,
    find_token,
    parse_ids,
    path_id,
    require_identity,
)
from presence.signals import WATCH_MOST
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


async def note(request: web.Request, member: Member, action: str, subject: int | None = None, **detail: object) -> None:
    """Record an action in the audit log."""
    async with request.app[POOL].connection() as connection:
        await record(connection, actor_of(request, member), action, subject, **detail)


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
