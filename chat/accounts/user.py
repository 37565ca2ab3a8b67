"""A user, as everybody sees him."""

from dataclasses import asdict, dataclass, replace

import orjson

from chat.accounts.form import Profile
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound
from chat.shared.queries import load

queries = load(__file__)
FOUND_MOST = 20
LAST_LETTER = "\U0010ffff"  # no key has it: with it behind, a text is beyond all that begin so


@dataclass(frozen=True, slots=True)
class User:
    """`name` is what he logs in with and is mentioned by, `display_name` what stands above his messages."""

    id: int
    name: str
    display_name: str
    role: str
    about: str = ""
    time_zone: str = ""
    avatar_id: int | None = None

    def to_json(self) -> dict[str, object]:
        """The user's public fields; `avatar` is where the picture is, empty for none."""
        fields = asdict(self)
        avatar_id = fields.pop("avatar_id")
        return fields | {"avatar": f"/api/avatars/{avatar_id}" if avatar_id else ""}

    def with_avatar(self, avatar_id: int | None) -> "User":
        """The same with another picture, or none."""
        return replace(self, avatar_id=avatar_id)

    def encode(self) -> bytes:
        """The same as bytes."""
        return orjson.dumps(self.to_json())


@dataclass(frozen=True, slots=True)
class Me:
    """A user, as he sees himself. `receipts`: the others see how far he has read."""

    user: User
    receipts: bool

    def to_json(self) -> dict[str, object]:
        """Return the public fields, and what is only for the user."""
        return self.user.to_json() | self.settings()

    def encode(self) -> bytes:
        """Return the same as bytes."""
        return orjson.dumps(self.to_json())

    def changed(self, profile: Profile) -> "Me":
        """With what the profile names."""
        public = profile.model_dump(include={"display_name", "about", "time_zone"}, exclude_none=True)
        receipts = self.receipts if profile.receipts is None else profile.receipts == "on"
        return Me(replace(self.user, **public), receipts)

    def settings(self) -> dict[str, object]:
        """What he has chosen."""
        return {"receipts": "on" if self.receipts else "off"}


async def read_me(pool: Pool, user_id: int) -> Me:
    """This user as he sees himself; raises `NotFound`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_me, [user_id])).fetchone()
    if row is None:
        raise NotFound
    return Me(User(*row[:-1]), row[-1])


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
    asked = {"text": text.lower(), "beyond": text.lower() + LAST_LETTER, "most": FOUND_MOST}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.find_users, asked)).fetchall()
    return [User(*row) for row in rows]
