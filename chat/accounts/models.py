"""Users, the request bodies about them, and the directory."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from chat.accounts.validation import (
    KEYWORDS_MOST,
    About,
    ChosenLanguage,
    DisplayName,
    Email,
    Keyword,
    NewName,
    TimeZone,
    check_password,
    split_words,
)
from chat.log.append import Change
from chat.log.entry import Unplaced
from chat.shared.appearance import check_line, skeleton
from chat.shared.errors import ApiError, NotFound
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load

queries = load(__file__)
TOKEN_MOST = 8_000  # characters of a JSON Web Token

# Request bodies.

# Far longer than any password; longer texts are refused before they are hashed.
GivenPassword = Annotated[str, Field(min_length=1, max_length=1024)]
DeviceName = Annotated[str, Field(max_length=100), AfterValidator(check_line)]


class Form(BaseModel):
    """A request body: no unknown fields, no conversions, and never a password in an error's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class NewAccount(Form):
    """A new account."""

    name: NewName
    display_name: DisplayName | None = None
    password: GivenPassword
    device: DeviceName = ""

    @field_validator("password")
    @classmethod
    def check_strength(cls, password: str, info: ValidationInfo) -> str:
        """Refuse a password that is easy to guess; one that contains the user's own name is."""
        return check_password(password, info.data.get("name") or "", info.data.get("display_name") or "")


class SignUp(NewAccount):
    """A new account. `invite` is the code of an invitation, where sign-up needs one."""

    invite: Annotated[str, Field(max_length=64)] = ""


SignUpMode = Literal["open", "invite", "closed"]
Notify = Literal["all", "mentions", "nothing"]
EmojiAdders = Literal["everyone", "admins"]


class SetUp(NewAccount):
    """The account of the owner, with the token of the set-up link, the team's name, and who may sign up."""

    token: Annotated[str, Field(max_length=64)]
    team: DisplayName
    signup: SignUpMode | None = None


class TeamForm(Form):
    """Changes to the team; fields that are left out stay."""

    name: DisplayName | None = None
    signup: SignUpMode | None = None
    notify: Notify | None = None
    emoji: EmojiAdders | None = None


class LogIn(Form):
    """A log-in by `name` and `password`, or by `jwt` alone, a JSON Web Token of another application.

    `name` may be any text: an impossible name gets the same answer as a wrong password.
    """

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required"))

    name: Annotated[str, Field(max_length=256)]
    password: GivenPassword
    jwt: Annotated[str, Field(max_length=TOKEN_MOST)] = ""
    device: DeviceName = ""

    @model_validator(mode="before")
    @classmethod
    def allow_token(cls, given: Any) -> Any:
        """Let a token stand alone."""
        alone = isinstance(given, dict) and given.get("jwt") and not given.keys() & {"name", "password"}
        return given | {"name": "", "password": "-"} if alone else given


class Profile(Form):
    """The profile fields to change; the others stay. `receipts`: share how far one has read.

    `notify`: what conversations without a level of their own notify about; `default`: as the team.
    `keywords`: all of them. Messages with one of these words notify like a mention, in any case.
    """

    display_name: DisplayName | None = None
    about: About | None = None
    time_zone: TimeZone | None = None
    receipts: Literal["on", "off"] | None = None
    language: ChosenLanguage | None = None
    notify: Notify | Literal["default"] | None = None
    keywords: Annotated[list[Keyword], Field(max_length=KEYWORDS_MOST)] | None = None


class PasswordChange(Form):
    """A password change. The current password proves that the user, and not someone at an unlocked screen, asks."""

    old: GivenPassword
    new: GivenPassword


class InviteForm(Form):
    """The number of accounts that an invitation allows, and the days until it expires."""

    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    days: Annotated[int, Field(ge=1, le=365)] = 7


class MailedInvitesForm(Form):
    """The addresses that get an invitation for one account each, and the days until it expires."""

    emails: Annotated[list[Annotated[Email, Field(min_length=3)]], Field(min_length=1, max_length=50)]
    days: Annotated[int, Field(ge=1, le=365)] = 7


class InviteCode(Form):
    """The code of an invite link, of the server or of a conversation."""

    code: Annotated[str, Field(max_length=64)]


FOUND_MOST = 20
LAST_LETTER = "\U0010ffff"  # no key contains it: a text followed by it sorts after all keys with that prefix


class ImitatesAdmin(ApiError):
    """An admin has this display name, or one that looks like it. Choose another one."""

    status, code = 409, "imitates_admin"


@dataclass(frozen=True, slots=True)
class User:
    """A user as others see them. `name` is for logging in and mentions; `display_name` is shown with messages.

    `owner_id`: the user who made a bot, if it was one.
    """

    id: int
    name: str
    display_name: str
    role: str
    about: str = ""
    time_zone: str = ""
    avatar_id: int | None = None
    bot: bool = False
    disabled: bool = False
    owner_id: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the public fields. `avatar` is the picture's path, empty for none; `bot` and `disabled` are there when
        true, and `owner` if a bot has one."""
        fields = asdict(self)
        avatar_id, owner_id = fields.pop("avatar_id"), fields.pop("owner_id")
        fields["avatar"] = f"/api/avatars/{avatar_id}" if avatar_id else ""
        rest = {name: fields.pop(name) for name in ("bot", "disabled")} | {"owner": owner_id}
        return fields | {name: value for name, value in rest.items() if value}

    def with_avatar(self, avatar_id: int | None) -> "User":
        return replace(self, avatar_id=avatar_id)

    def with_role(self, role: str) -> "User":
        return replace(self, role=role)

    def encode(self) -> bytes:
        """Return the JSON as bytes."""
        return orjson.dumps(self.to_json())


@dataclass(frozen=True, slots=True)
class Me:
    """A user as they see themselves. `receipts`: others see how far they have read. `language`: of their app.

    `notify`: the level of conversations without one; None: `team_notify`, or all.
    """

    user: User
    receipts: bool
    language: str = ""
    notify: str | None = None
    team_notify: str | None = None
    keywords: Sequence[str] = ()

    def to_json(self) -> dict[str, object]:
        """Return the public fields and the private settings, without those that are not set."""
        given = {name: value for name, value in self.settings().items() if value not in (None, [], ())}
        return self.user.to_json() | given

    def encode(self) -> bytes:
        """Return the JSON as bytes."""
        return orjson.dumps(self.to_json())

    def changed(self, profile: Profile) -> "Me":
        """Return the user with the fields that the profile names."""
        public = profile.model_dump(include={"display_name", "about", "time_zone"}, exclude_none=True)
        receipts = self.receipts if profile.receipts is None else profile.receipts == "on"
        language = self.language if profile.language is None else profile.language
        notify = self.notify if profile.notify is None else None if profile.notify == "default" else profile.notify
        keywords = self.keywords if profile.keywords is None else list(fold_keywords(profile.keywords).values())
        user = replace(self.user, **public)
        return replace(self, user=user, receipts=receipts, language=language, notify=notify, keywords=keywords)

    def settings(self) -> dict[str, object]:
        """Return the private settings."""
        chosen = {"notify": self.notify, "team_notify": self.team_notify, "keywords": self.keywords}
        return {"receipts": "on" if self.receipts else "off", "language": self.language, **chosen}


def fold_keywords(keywords: Sequence[str]) -> dict[str, str]:
    """Return each keyword once, by its words as they are compared."""
    return {" ".join(split_words(one)): one for one in keywords}


def to_me(row: tuple[Any, ...]) -> Me:
    """Return the user in a row of `read_me` or `lock_user`."""
    return Me(User(*row[:10]), *row[10:])


async def read_me(pool: Pool, user_id: int) -> Me:
    """Return this user as they see themselves; raise `NotFound`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_me, [user_id])).fetchone()
    if row is None:
        raise NotFound
    return to_me(row)


async def read_user(pool: Pool, user_id: int, viewer: int | None = None) -> User:
    """Return this user if the viewer may see them; None as viewer sees all. Raise `NotFound`."""
    for user in await read_users(pool, [user_id], viewer):
        return user
    raise NotFound


async def read_users(pool: Pool, user_ids: list[int], viewer: int | None = None) -> list[User]:
    """Return these users by id, if they exist and the viewer may see them; None as viewer sees all.

    Disabled users are included, because their messages are still there.
    """
    async with pool.connection() as connection:
        asked = {"ids": user_ids, "viewer": viewer}
        rows = await (await connection.execute(queries.read_users, asked)).fetchall()
    return [User(*row) for row in rows]


async def find_users(pool: Pool, text: str, viewer: int | None = None) -> list[User]:
    """Return up to 20 users whose name begins with `text` or whose display name contains it, the closest first."""
    asked = {"text": text, "beyond": text + LAST_LETTER, "most": FOUND_MOST, "viewer": viewer}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.find_users, asked)).fetchall()
    return [User(*row) for row in rows]


async def publish_profile(change: Change, user: User, directory: str) -> None:
    """Record that the user's profile changed: for everyone, or for those who share a conversation.

    Nodes receive it either way, because they cache what a user may do.
    """
    if directory == "all":
        await change.record(Unplaced("user", subject=user.id, data=user.encode()))
        return
    rows = await (await change.connection.execute(queries.list_conversations_of, [user.id])).fetchall()
    await change.record(Unplaced("user", subject=user.id))
    await change.record(Unplaced("user", user_id=user.id, data=user.encode()))
    for (conversation_id,) in rows:
        await change.record(Unplaced("user", conversation_id, subject=user.id, data=user.encode()))


async def require_distinct_from_admins(connection: Connection, user: User) -> None:
    """Raise `ImitatesAdmin` if the user is no admin, but their display name looks like an admin's."""
    names = await (await connection.execute(queries.list_admin_names, {"user": user.id})).fetchall()
    if skeleton(user.display_name) in {skeleton(name) for (name,) in names}:
        raise ImitatesAdmin
