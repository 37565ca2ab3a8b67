"""Probe accounts, with which Tandem monitors itself. Their ids are reserved; no list and no figure includes them."""

import secrets
from dataclasses import dataclass

from chat.shared.identity import hash_token
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe account with a session."""

    id: int
    token: str


async def open_probe_session(connection: Connection, name: str, seconds: float) -> Probe:
    """Return the probe account of this name with a new session. Its name has a space, which no user's name has."""
    while (row := await (await connection.execute(queries.find_probe, [f"probe {name}"])).fetchone()) is None:
        await connection.execute(queries.insert_probe, {"first": FIRST_PROBE, "name": f"probe {name}"})
    token = secrets.token_urlsafe(32)
    await connection.execute(queries.delete_sessions, [row[0]])
    await connection.execute(queries.insert_session, [row[0], hash_token(token), seconds])
    return Probe(row[0], token)


async def close_probe_session(connection: Connection, probe: Probe) -> None:
    """End the probe's session."""
    await connection.execute(queries.delete_sessions, [probe.id])


FIRST_PROBE = 2**53 - 2**32  # as in is_probe() in the database


def is_probe(user_id: int) -> bool:
    """Return whether this is the id of a probe account, or of a conversation of probes."""
    return user_id >= FIRST_PROBE
