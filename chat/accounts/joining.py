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
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from chat.accounts.models import InviteForm, SignUpMode
from chat.accounts.validation import plain_text
from chat.model.types import format_time
from chat.shared.audit import COMMAND_LINE, Actor, record
from chat.shared.errors import ApiError, NotFound
from chat.shared.identity import hash_token
from chat.shared.postgres import UNAVAILABLE, Connection, Pool, open_pool
from chat.shared.settings import Settings
from chat.shared.sql import load

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
    """The team on this server. `signup`: the mode that an admin chose; None: the setting SIGNUP decides."""

    name: str = ""
    signup: SignUpMode | None = None
    has_admin: bool = True


async def read_team(connection: Connection) -> Team:
    """Return the team as it is now."""
    row = await (await connection.execute(queries.read_team)).fetchone()
    assert row is not None
    return Team(*row)


async def set_team(connection: Connection, name: str | None, signup: SignUpMode | None) -> None:
    """Change the name and the sign-up mode; None keeps the present one."""
    await connection.execute(queries.set_team, {"name": name, "signup": signup})


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


# E-mail: over one connection to the server in SMTP_URL, within the request that asks for it.

MAIL_SECONDS = 15.0
REASON_MOST = 200
UNSENT = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError)
NEAR = ("localhost", "127.0.0.1", "::1")


def write_invitation(sender: str, invite: Invite, url: str, inviter: str, team: str) -> EmailMessage:
    """Return the e-mail with the link of an invitation."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, invite.email
    mail["Subject"] = f"{inviter} invited you to {team}"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        f"{inviter} invited you to {team}. Open this link to make your account:\n\n{url}\n\n"
        f"The link works once, until {invite.expires_at[:10]}. If you do not know {inviter}, ignore this e-mail.\n"
    )
    return mail


async def send_mails(smtp_url: str, mails: Sequence[EmailMessage]) -> list[str]:
    """Send each e-mail; return for each an empty text, or why the mail server did not take it."""
    reasons: list[str] = []
    try:
        async with asyncio.timeout(MAIL_SECONDS), open_smtp(smtp_url) as server:
            for mail in mails:
                reasons.append(await send_mail(server, mail))
    except UNSENT as error:
        log.warning("mail server unavailable", error=repr(error))
        reasons += [describe_failure(error)] * (len(mails) - len(reasons))
    return reasons


def open_smtp(smtp_url: str) -> aiosmtplib.SMTP:
    """Return a connection, not open yet. A password is sent over TLS only, except to this machine."""
    parts = urlsplit(smtp_url)
    tls = parts.scheme == "smtps"
    starttls = None if tls or not parts.username or parts.hostname in NEAR else True  # None: if the server offers it
    return aiosmtplib.SMTP(
        hostname=parts.hostname,
        port=parts.port or (465 if tls else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or "") if parts.username else None,
        use_tls=tls,
        start_tls=False if tls else starttls,
        timeout=MAIL_SECONDS,
    )


async def send_mail(server: aiosmtplib.SMTP, mail: EmailMessage) -> str:
    """Send an e-mail; return an empty text, or why the server did not take it. The connection stays usable."""
    try:
        await server.send_message(mail)
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException, ValueError) as error:
        return describe_failure(error)
    return ""


def describe_failure(error: Exception) -> str:
    """Return one line about a failure: the mail server's own words, if it has answered."""
    refused = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    text = f"{refused.code} {refused.message}" if isinstance(refused, aiosmtplib.SMTPResponseException) else str(error)
    return plain_text(text)[:REASON_MOST] or type(error).__name__
