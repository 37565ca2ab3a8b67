"""Probes: accounts by which Tandem watches itself. They have ids that no person gets, and no list shows them."""

import secrets
from dataclasses import dataclass

from chat.shared.identity import hash_token
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Probe:
    """One of them, logged in."""

    id: int
    token: str


async def enter_probe(connection: Connection, name: str, seconds: float) -> Probe:
    """The probe of this name with a fresh login for so long; no person's name has a space in it, a probe's has."""
    while (row := await (await connection.execute(queries.find_probe, [f"probe {name}"])).fetchone()) is None:
        await connection.execute(queries.insert_probe, {"first": FIRST_PROBE, "name": f"probe {name}"})
    token = secrets.token_urlsafe(32)
    await connection.execute(queries.drop_logins, [row[0]])
    await connection.execute(queries.insert_login, [row[0], hash_token(token), seconds])
    return Probe(row[0], token)


async def leave_probe(connection: Connection, probe: Probe) -> None:
    """End its login."""
    await connection.execute(queries.drop_logins, [probe.id])


# Nobody: ids that no person gets, kept for the accounts and the room by which Tandem watches itself. Pure.

FIRST_PROBE = 2**53 - 2**32  # as is_probe() in the database has it


def is_probe(user_id: int) -> bool:
    """Is this nobody? No list shows it and no figure counts it."""
    return user_id >= FIRST_PROBE
