"""A user, as everybody sees him."""

from dataclasses import dataclass

import orjson

from chat.shared.postgres import Pool
from chat.shared.problems import NotFound
from chat.shared.queries import load

queries = load(__file__)
FOUND_MOST = 20


@dataclass(frozen=True, slots=True)
class User:
    """`name` is what he logs in with and is mentioned by, `display_name` what stands above his messages."""

    id: int
    name: str
    display_name: str
    role: str

    def to_json(self) -> dict[str, object]:
        """The user's public fields."""
        return {"id": self.id, "name": self.name, "display_name": self.display_name, "role": self.role}

    def encode(self) -> bytes:
        """The same as bytes."""
        return orjson.dumps(self.to_json())


async def read_user(pool: Pool, user_id: int) -> User:
    """This user; raises `NotFound`."""
    for user in await read_users(pool, [user_id]):
        return user
    raise NotFound


async def read_users(pool: Pool, user_ids: list[int]) -> list[User]:
    """Those of these users that exist, by id; those who have left too, for their messages are still there."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_users, [user_ids])).fetchall()
    return [User(*row) for row in rows]


async def find_users(pool: Pool, text: str) -> list[User]:
    """Up to 20 users whose name begins with `text` or whose display name contains it, the nearest first."""
    pattern = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    async with pool.connection() as connection:
        asked = {"text": text.lower(), "pattern": pattern, "most": FOUND_MOST}
        rows = await (await connection.execute(queries.find_users, asked)).fetchall()
    return [User(*row) for row in rows]
