"""Trusted devices: a browser, or a network, that has logged in as a user before keeps a way in of its own.

A stranger can type wrong passwords for a name, from many addresses, and so use up what the name may try.
That must not lock the owner out. The browser proves itself with a cookie of 256 random bits, stored hashed; whoever has
no cookie is still recognized by the network of an earlier session.
"""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address

from chat.shared.identity import hash_token
from chat.shared.postgres import Pool
from chat.shared.queries import load
from chat.shared.rates import home_of

queries = load(__file__)

TOKEN_BYTES = 32

TRUSTED_DAYS = 180

DEVICES_MOST = 20


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust in a log-in's origin: `device` is empty for one that this user has not used before."""

    device: str = ""
    familiar: bool = False


async def find_trust(pool: Pool, name: str, token: str, address: str) -> Trust:
    """Return the trust in a device and a network; a name that does not exist costs the same query."""
    digest = hash_token(token)
    asked = {"digest": digest, "network": network_of(address), "name": name, "days": TRUSTED_DAYS}
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_trust, asked)).fetchone()
    trusted, familiar = row or (False, False)
    return Trust(digest.hex() if trusted else "", familiar)


def network_of(address: str) -> str:
    """Return the IPv4 address, or the /64 of an IPv6 one, as PostgreSQL writes it."""
    return f"{home_of(address)}/{32 if ip_address(address).version == 4 else 64}"


async def trust_device(pool: Pool, user_id: int, token: str) -> str:
    """Return a new token that replaces the device's old one, for all its users; from now on it is trusted."""
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    trusted = {"fresh": hash_token(fresh), "user": user_id}
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(queries.replace_device, {"old": hash_token(token), "fresh": hash_token(fresh)})
        await connection.execute(queries.trust_device, trusted)
        await connection.execute(queries.drop_devices, {"user": user_id, "most": DEVICES_MOST})
    return fresh
