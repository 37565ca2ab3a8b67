"""The nest: a canary's account and the hidden room that all of them sing in."""

from chat.shared.nobody import FIRST_PROBE
from chat.shared.postgres import Pool
from chat.shared.probes import Probe, enter_probe
from chat.shared.queries import load

queries = load(__file__)

ROOM = FIRST_PROBE

LOGIN_SECONDS = 24 * 3600.0


async def settle(pool: Pool, node: str) -> Probe:
    """This node's canary, logged in for a day, with its seat; what was sung more than an hour ago is dropped."""
    async with pool.connection() as connection, connection.transaction():
        probe = await enter_probe(connection, f"canary {node}", LOGIN_SECONDS)
        await connection.execute(queries.make_room, [ROOM])
        await connection.execute(queries.take_seat, [ROOM, probe.id, ROOM, probe.id])
        await connection.execute(queries.drop_old, [ROOM])
    return probe
