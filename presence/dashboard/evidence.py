"""Evidence for a user's status, for admins: devices, nodes, when they were last heard from, and the reason."""

from typing import Any

from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.registry.registry import Registry
from chat.shared.registry.reporting import DeviceHere, Evidence
from chat.shared.sql import load
from presence.mirror import make_record
from presence.records import format_moment

queries = load(__file__)
NAMES = ("name", "address")


async def require_user(pool: Pool, user_id: int) -> None:
    """Raise `NotFound` unless there is an account with this id."""
    async with pool.connection() as connection:
        if await (await connection.execute(queries.has_user, [user_id])).fetchone() is None:
            raise NotFound


async def describe_evidence(pool: Pool, registry: Registry, user_id: int) -> dict[str, Any]:
    """Return all that the registry has of a user, and the sessions' names. Raise that a database is unavailable."""
    evidence = await registry.read_evidence(user_id)
    leases = {node["holder"]: node for node in await registry.nodes()}
    async with pool.connection() as connection:
        sessions = [device.session_id for device in evidence.devices]
        rows = await (await connection.execute(queries.name_sessions, [user_id, sessions])).fetchall()
    names = {row[0]: {name: value for name, value in zip(NAMES, row[1:], strict=True) if value} for row in rows}
    return {
        "user": make_record(user_id, evidence.shown).public(),
        "truth": evidence.own[1].split()[0],
        "mode": evidence.choice.mode,
        "last_active_at": format_moment(evidence.seen),
        "why": explain(evidence),
        "devices": [
            describe_device(one, leases.get(one.holder)) | names.get(one.session_id, {}) for one in evidence.devices
        ],
    }


def describe_device(device: DeviceHere, lease: dict[str, Any] | None) -> dict[str, Any]:
    """Return one device. `heard`: when its node last renewed its lease; null for a device of a dead node."""
    return {
        "session": device.session_id,
        "node": device.node,
        "streams": device.streams,
        "sockets": device.sockets,
        "active": device.active,
        "lingers_until": format_moment(device.gone),
        "heard": format_moment(lease["heard"]) if lease else None,
    }


def explain(evidence: Evidence) -> str:
    """Return the reason for the status, in one sentence."""
    mode, here = evidence.choice.mode, [device for device in evidence.devices if not device.gone]
    if mode == "invisible":
        return "Chose to be invisible, so appears offline."
    if not evidence.devices:
        return "No device is connected."
    if not here:
        return "Every device has disconnected, but still lingers."
    if mode in ("dnd", "away"):
        return f"Chose {mode}, with {len(here)} connected."
    active = sum(device.active for device in here)
    return f"{active} of {len(here)} connected devices in use."
