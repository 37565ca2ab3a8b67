"""The marker of demo accounts. Their password is public, so a public server must not keep them."""

import ipaddress

from chat.shared.postgres import Connection
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)


async def mark_demo(connection: Connection, user_ids: list[int]) -> None:
    """Mark these accounts as the demo's."""
    await connection.execute(queries.mark_demo, [user_ids])


async def count_demo_accounts(connection: Connection) -> int:
    """Return the number of demo accounts that can log in."""
    row = await (await connection.execute(queries.count_demo)).fetchone()
    return int(row[0]) if row else 0


async def read_demo_accounts(database_url: str) -> int:
    """Return the number of demo accounts of a database that can log in."""
    async with await Connection.connect(database_url, autocommit=True) as connection:
        return await count_demo_accounts(connection)


def demo_warning(count: int) -> str:
    """Return the operator's warning about demo accounts that others can reach."""
    return (
        f"{count} demo accounts can log in with a password that everyone knows, one of them as an admin. "
        "Disable them on the dashboard before others use this server."
    )


def is_reachable(host: str, settings: Settings) -> bool:
    """Return whether others than this machine's users can reach a node that listens on `host`."""
    behind_proxy = bool(settings.trusted_proxies) or settings.cookie_secure
    return behind_proxy or not is_loopback(host)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
