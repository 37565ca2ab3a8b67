"""A user, as everybody sees him."""

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chat.accounts.validation import About, DisplayName, Name, TimeZone, check_password
from chat.log.append import Change
from chat.log.entry import Unplaced
from chat.shared.errors import ApiError, NotFound
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load

queries = load(__file__)

# Forms: what people send to sign up, to log in, and to change what others see of them. Pure.

# Far more than any password has: what is longer is refused before it is hashed.
GivenPassword = Annotated[str, Field(min_length=1, max_length=1024)]

DeviceName = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Form(BaseModel):
    """Nothing unknown, nothing converted, and never a password in an error's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SignUp(Form):
    """A new account. `invite`: the code of an invitation, where SIGNUP asks for one."""

    name: Name
    display_name: DisplayName | None = None
    password: GivenPassword
    device: DeviceName = ""
    invite: Annotated[str, Field(max_length=64)] = ""

    @field_validator("password")
    @classmethod
    def check_strength(cls, password: str, info: ValidationInfo) -> str:
        """Not one of the first that anybody would try, the person's own name among them."""
        return check_password(password, info.data.get("name") or "", info.data.get("display_name") or "")


class LogIn(Form):
    """`name` may be anything: that no such account can exist is not told apart from a wrong password."""

    name: Annotated[str, Field(max_length=256)]
    password: GivenPassword
    device: DeviceName = ""


class Profile(Form):
    """What others see; what is left out stays. `receipts`: whether they see how far one has read."""

    display_name: DisplayName | None = None
    about: About | None = None
    time_zone: TimeZone | None = None
    receipts: Literal["on", "off"] | None = None


class PasswordChange(Form):
    """The old password proves that it is its owner who changes it, and not whoever found the screen unlocked."""

    old: GivenPassword
    new: GivenPassword


class InviteForm(Form):
    """How many accounts an invitation is good for, and for how many days."""

    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    days: Annotated[int, Field(ge=1, le=365)] = 7


FOUND_MOST = 20

LAST_LETTER = "\U0010ffff"  # no key has it: with it behind, a text is beyond all that begin so


class ImitatesAdmin(ApiError):
    """An admin has this display name, or one that looks like it. Choose another one."""

    status, code = 409, "imitates_admin"


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
    disabled: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the public fields. `avatar` is the picture's path, empty for none; `disabled` is there when true."""
        fields = asdict(self)
        avatar_id, disabled = fields.pop("avatar_id"), fields.pop("disabled")
        fields["avatar"] = f"/api/avatars/{avatar_id}" if avatar_id else ""
        return fields | ({"disabled": True} if disabled else {})

    def with_avatar(self, avatar_id: int | None) -> "User":
        """The same with another picture, or none."""
        return replace(self, avatar_id=avatar_id)

    def with_role(self, role: str) -> "User":
        """Return the user with another role."""
        return replace(self, role=role)

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


async def read_user(pool: Pool, user_id: int, viewer: int | None = None) -> User:
    """Return this user if the viewer may see them; None as viewer sees all. Raise `NotFound`."""
    for user in await read_users(pool, [user_id], viewer):
        return user
    raise NotFound


async def read_users(pool: Pool, user_ids: list[int], viewer: int | None = None) -> list[User]:
    """Return these users by id, as far as they exist and the viewer may see them; None as viewer sees all.

    Disabled users are among them, for their messages are still there.
    """
    async with pool.connection() as connection:
        asked = {"ids": user_ids, "viewer": viewer}
        rows = await (await connection.execute(queries.read_users, asked)).fetchall()
    return [User(*row) for row in rows]


async def find_users(pool: Pool, text: str, viewer: int | None = None) -> list[User]:
    """Return up to 20 users whose name begins with `text` or whose display name contains it, the nearest first."""
    asked = {"text": text.lower(), "beyond": text.lower() + LAST_LETTER, "most": FOUND_MOST, "viewer": viewer}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.find_users, asked)).fetchall()
    return [User(*row) for row in rows]


async def tell_change(change: Change, user: User, directory: str) -> None:
    """Record that the user's profile is another one: for everyone, or for those who share a conversation.

    Nodes hear of it either way, because they remember what a user may do.
    """
    if directory == "all":
        await change.record(Unplaced("user", subject=user.id, data=user.encode()))
        return
    rows = await (await change.connection.execute(queries.list_conversations_of, [user.id])).fetchall()
    await change.record(Unplaced("user", subject=user.id))
    await change.record(Unplaced("user", user_id=user.id, data=user.encode()))
    for (conversation_id,) in rows:
        await change.record(Unplaced("user", conversation_id, subject=user.id, data=user.encode()))


async def require_own_look(connection: Connection, user: User) -> None:
    """Raise `ImitatesAdmin` if the user is no admin, but their display name looks like an admin's."""
    asked = {"name": user.display_name, "user": user.id}
    if await (await connection.execute(queries.find_imitated, asked)).fetchone():
        raise ImitatesAdmin
