"""Joining this server: the team and its sign-up mode, invites, and the set-up link of the first admin.

Codes of invites and set-up links are shown once and stored hashed.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import NamedTuple

import structlog

from chat.accounts.mail import begin_mail
from chat.accounts.models import EmojiAdders, InviteForm, Notify, SignUpMode, TeamForm
from chat.model.types import format_time
from chat.shared.audit import COMMAND_LINE, Actor, record
from chat.shared.errors import ApiError, NotFound
from chat.shared.identity import hash_token
from chat.shared.postgres import UNAVAILABLE, Connection, Pool, open_pool
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.texts import texts_in

queries = load(__file__)
log = structlog.get_logger(__name__)
INVITES_PAGE = 50
NEWCOMERS_SHOWN = 10
SETUP_HOURS = 24
TEAM_SECONDS = 2.0


class SignupClosed(ApiError):
    """Sign-up is closed on this server. Ask an admin for an account."""

    status, code = 403, "signup_closed"


class BadInvite(ApiError):
    """This invitation is unknown, used up or expired. Ask for a new one."""

    status, code = 403, "bad_invite"


class BadSetup(ApiError):
    """This set-up link no longer works. Run `tandem setup-link` on the server for a new one."""

    status, code = 403, "bad_setup"


class HasOwner(ApiError):
    """This server has an admin already. To make another one, run `tandem user admin NAME`."""

    status, code = 409, "has_owner"


class Team(NamedTuple):
    """The team on this server. `signup`: the mode that an admin chose; None: the setting SIGNUP decides.

    `notify`: what conversations notify about, unless a user chose otherwise; None: everything.
    `emoji`: who can add custom emoji; None: everyone.
    """

    name: str = ""
    signup: SignUpMode | None = None
    has_admin: bool = True
    notify: Notify | None = None
    emoji: EmojiAdders | None = None


async def read_team(connection: Connection) -> Team:
    """Return the team as it is now."""
    row = await (await connection.execute(queries.read_team)).fetchone()
    assert row is not None
    return Team(*row)


async def set_team(connection: Connection, form: TeamForm) -> None:
    """Change the team; fields that are None keep what they are."""
    await connection.execute(queries.set_team, form.model_dump())


class TeamReader:
    """The team for every visitor's log-in page: read at most once in 2 s. `default`: the setting SIGNUP."""

    def __init__(self, pool: Pool, default: SignUpMode) -> None:
        self._pool, self.default = pool, default
        self._team, self._until, self._turn = Team(), 0.0, asyncio.Lock()

    async def read(self) -> Team:
        """Return the team as it was 2 s ago or later; the last known one while the database is unavailable."""
        async with self._turn:
            if time.monotonic() >= self._until:
                try:
                    async with self._pool.connection() as connection:
                        self._team = await read_team(connection)
                except UNAVAILABLE as error:
                    log.warning("database unavailable, the team may have changed", error=repr(error))
                self._until = time.monotonic() + TEAM_SECONDS
        return self._team

    async def mode(self, connection: Connection | None = None) -> SignUpMode:
        """Return the sign-up mode: with a connection as it is now, otherwise as `read` knows it."""
        team = await read_team(connection) if connection else await self.read()
        return team.signup or self.default

    def forget(self) -> None:
        """Read the team again for the next visitor."""
        self._until = 0.0


# Invites: where the sign-up mode is `invite`, signing up needs a code. In the mode `open`, a code tells who invited.


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation. `code` is known only now."""

    code: str
    id: int
    uses: int
    expires_at: str
    email: str = ""

    def to_json(self, origin: str) -> dict[str, object]:
        """Return what the user who created it sees. The address has the code behind the #, which browsers do not
        send."""
        fields = asdict(self)
        code = fields.pop("code")
        return {"invite": code, "url": f"{origin}/join#{code}"} | fields


async def create_invite(pool: Pool, form: InviteForm, actor: Actor = COMMAND_LINE) -> Invite:
    """Create an invitation and return it."""
    async with pool.connection() as connection, connection.transaction():
        return await insert_invite(connection, form.uses, form.days, actor)


async def create_personal_invites(pool: Pool, emails: Sequence[str], days: int, actor: Actor) -> list[Invite]:
    """Create an invitation for one account for each address."""
    async with pool.connection() as connection, connection.transaction():
        return [await insert_invite(connection, 1, days, actor, email) for email in emails]


async def insert_invite(connection: Connection, uses: int, days: int, actor: Actor, email: str = "") -> Invite:
    """Insert an invitation and record it."""
    code = secrets.token_urlsafe(16)
    made = {"digest": hash_token(code), "uses": uses, "days": days, "user_id": actor.user_id, "email": email}
    row = await (await connection.execute(queries.insert_invite, made)).fetchone()
    assert row is not None
    await record(connection, actor, "invite.make", invite=row[0], uses=uses, days=days, by_email=bool(email))
    return Invite(code, row[0], uses, row[1], email)


class UsedInvite(NamedTuple):
    """The invitation that a sign-up has used, and the user who made it; None for the command line."""

    id: int
    inviter: int | None


async def use_invite(connection: Connection, code: str) -> UsedInvite | None:
    """Use an invitation once; None if it does not work. A rollback returns the use."""
    row = await (await connection.execute(queries.use_invite, [hash_token(code)])).fetchone()
    return UsedInvite(*row) if row else None


async def record_use(connection: Connection, user_id: int, used: UsedInvite) -> None:
    """Remember with which invitation the user came."""
    await connection.execute(queries.insert_use, [user_id, used.id, used.inviter])


class ListedInvite(NamedTuple):
    """A row of the list of invitations. `users`: those who came last, of `joined` in all."""

    id: int
    uses: int
    uses_left: int
    email: str
    by: int | None
    created_at: datetime
    expires_at: datetime
    joined: int
    users: list[int]

    def to_json(self) -> dict[str, object]:
        """Return what admins see."""
        times = {"created_at": format_time(self.created_at), "expires_at": format_time(self.expires_at)}
        return self._asdict() | times


async def list_invites(pool: Pool, before: int) -> list[ListedInvite]:
    """Return up to 50 invitations below the id `before`: active ones, and those with which users came."""
    asked = {"before": before, "most": INVITES_PAGE, "shown": NEWCOMERS_SHOWN}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_invites, asked)).fetchall()
    return [ListedInvite._make(row) for row in rows]


async def revoke_invite(pool: Pool, actor: Actor, invite_id: int) -> None:
    """Revoke an invitation; it stays in the list if someone has used it. Raise `NotFound`."""
    async with pool.connection() as connection, connection.transaction():
        for query in (queries.close_invite, queries.delete_invite):
            if await (await connection.execute(query, [invite_id])).fetchone():
                await record(connection, actor, "invite.withdraw", invite=invite_id)
                return
    raise NotFound


async def preview_invite(pool: Pool, code: str) -> dict[str, object] | None:
    """Return who made the invitation, for whom, and when it expires; None if it does not work."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_invite, [hash_token(code)])).fetchone()
    if row is None:
        return None
    by, name, display_name, email, expires_at = row
    inviter = {"id": by, "name": name, "display_name": display_name} if name else None
    return {"by": inviter, "email": email, "expires_at": format_time(expires_at)}


# The set-up link: with it the operator makes the first admin in the browser. It is dead once the server has an admin.


async def create_setup_link(pool: Pool) -> tuple[str, str]:
    """Return the path of a link for one set-up, and when it expires. Raise `HasOwner`."""
    token = secrets.token_urlsafe(32)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(queries.lock_setup)
        if (await read_team(connection)).has_admin:
            raise HasOwner
        await connection.execute(queries.drop_setup_links, {"all": False})
        made = {"digest": hash_token(token), "hours": SETUP_HOURS}
        row = await (await connection.execute(queries.insert_setup_link, made)).fetchone()
        await record(connection, COMMAND_LINE, "setup.make")
    assert row is not None
    return f"/setup#{token}", row[0]


async def offer_setup(settings: Settings, url: str) -> str:
    """Return the address of a new set-up link of the server at `url`; empty if it has an admin, or no passwords."""
    if not settings.password_login:
        return ""
    try:
        async with open_pool(settings.database_url, size=2) as pool:
            path, _ = await create_setup_link(pool)
    except HasOwner:
        return ""
    return f"{settings.public_url or url}{path}"


async def check_setup_link(connection: Connection, token: str) -> None:
    """Raise `BadSetup` if the link is unknown or expired, or the server has an admin."""
    found = await (await connection.execute(queries.find_setup_link, [hash_token(token)])).fetchone()
    if found is None or (await read_team(connection)).has_admin:
        raise BadSetup


async def claim_setup(connection: Connection, token: str) -> None:
    """Use up every set-up link, until the transaction ends as the only one. Raise `BadSetup`."""
    await connection.execute(queries.lock_setup)
    await check_setup_link(connection, token)
    await connection.execute(queries.drop_setup_links, {"all": True})


# Invitations by e-mail, within the request that asks for them.


def write_invitation(settings: Settings, invite: Invite, url: str, inviter: str, team: str) -> EmailMessage:
    """Return the e-mail with the link of an invitation. No one knows the language of its recipient yet."""
    texts = texts_in("", settings.default_language)
    day = texts.show_day(datetime.fromisoformat(invite.expires_at))
    filled = {"inviter": texts.part(inviter), "team": texts.part(team), "url": url, "day": day}
    mail = begin_mail(settings.mail_from, invite.email, texts.invitation_subject.format(**filled))
    mail.set_content(texts.invitation_body.format(**filled))
    return mail
