"""Tickets: a way to a socket where cookies cannot travel. Single use, 30 s, bound to the login that asked for it."""

import secrets

from chat.shared.errors import Unauthenticated, Unavailable
from chat.shared.identity import Identities, Member, hash_token
from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import ticket_key

TICKET_SECONDS = 30


async def issue_ticket(registry: Registry, token: str) -> str:
    """A ticket for the login with this token. Redis keeps only hashes of both. Raises `Unavailable`."""
    ticket = secrets.token_urlsafe(32)
    key = ticket_key(hash_token(ticket).hex())
    try:
        await registry.redis.set(key, hash_token(token), ex=TICKET_SECONDS)
    except UNAVAILABLE:
        raise Unavailable(retry_after=2) from None
    return ticket


async def redeem_ticket(registry: Registry, identities: Identities, ticket: str) -> Member:
    """Who asked for it, if the login still holds; raises `Unauthenticated`, or `Unavailable`."""
    try:
        digest = await registry.redis.getdel(ticket_key(hash_token(ticket).hex()))
    except UNAVAILABLE:
        raise Unavailable(retry_after=2) from None
    if not isinstance(digest, bytes):
        raise Unauthenticated
    return await identities.of_digest(digest)
