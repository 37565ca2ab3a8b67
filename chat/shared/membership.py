"""Membership: the scope of every look-up. What you do not belong to, you do not find."""

from dataclasses import dataclass

from chat.shared.gather import Gather
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound
from chat.shared.queries import load
from chat.shared.stays import Stay, Stays

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in a conversation."""

    conversation_id: int
    user_id: int
    kind: str
    private: bool
    archived: bool
    role: str
    joined_seq: int
    read_seq: int
    last_seq: int


async def require_member(pool: Pool, user_id: int, conversation_id: int) -> Membership:
    """The conversation as its member sees it; raises `NotFound` for everybody else."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_membership, [user_id, conversation_id])).fetchone()
    if row is None:
        raise NotFound
    return Membership(*row)


class StayReader:
    """Reads many people's stays in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gather = Gather[int, Stays](self._read, batch=500, limit=20_000)
        self.run = self._gather.run

    async def of(self, user_id: int) -> Stays:
        """All stays of this person, and the log's position in the same snapshot."""
        return await self._gather.submit(user_id)

    async def _read(self, user_ids: list[int]) -> list[Stays]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_stays, [user_ids])).fetchall()
        stays: dict[int, list[Stay]] = {user_id: [] for user_id in user_ids}
        for _, user_id, *stay in rows:
            if user_id is not None:
                stays[user_id].append(Stay(*stay))
        return [Stays(rows[0][0], stays[user_id]) for user_id in user_ids]
