"""E-mail: sending, and the addresses to which users want notifications.

An address that a user sets counts once they have entered the code that was sent to it. An address that an application
has set for its user comes first, and needs no code.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from typing import Annotated
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog
from aiohttp import web
from pydantic import Field

from chat.accounts.models import Form
from chat.accounts.validation import Email, plain_text
from chat.log.subscriptions import NOTIFY_READER, add_subscription
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Forbidden, Invalid, NotFound, RateLimited, Unavailable
from chat.shared.identity import hash_token
from chat.shared.postgres import Pool
from chat.shared.rate_limits import home_of
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.texts import Texts, texts_in
from chat.shared.web import (
    RATES,
    SETTINGS,
    actor_of,
    answer_json,
    check_address,
    client_address,
    read_model,
    require_identity,
    require_recent_proof,
)

queries = load(__file__)
log = structlog.get_logger(__name__)
MAIL_SECONDS = 15.0
REASON_MOST = 200
UNSENT = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError)
NEAR = ("localhost", "127.0.0.1", "::1")
GONE = (550, 551, 553)  # of a recipient: no such mailbox
CODE_MINUTES, TRIES_MOST, CODES_MOST, USERS_MOST = 30, 5, 5, 3
DAY_SECONDS, RETRY_SECONDS = 24 * 3600.0, 60.0


def begin_mail(sender: str, address: str, subject: str) -> EmailMessage:
    """Return an e-mail to one address, without content. Raise `ValueError` if the address cannot have one."""
    name, _, host = address.rpartition("@")
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, Address(username=name, domain=host), subject
    mail["Date"], mail["Auto-Submitted"] = format_datetime(localtime()), "auto-generated"
    return mail


async def send(smtp_url: str, mail: EmailMessage, address: str) -> None:
    """Send an e-mail to one address. Raise one of `UNSENT`."""
    async with asyncio.timeout(MAIL_SECONDS), open_smtp(smtp_url) as server:
        await server.send_message(mail, recipients=[address])


def is_refused(error: Exception) -> bool:
    """Return whether the mail server will never take this e-mail."""
    found = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    if isinstance(found, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError):
        return found.code >= 500
    return isinstance(found, ValueError)


def is_bounce(error: Exception) -> bool:
    """Return whether the mail server says that there is no such mailbox. A refused sender (5.7) is no bounce."""
    if not isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return False
    found = error.recipients[0]
    return found.code in GONE and not found.message.lstrip().startswith("5.7")


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


# Addresses of users.


class NoEmail(ApiError):
    """This server sends no e-mail. Its operator must set SMTP_URL, MAIL_FROM and PUBLIC_URL."""

    status, code = 409, "no_email"


class EmailManaged(ApiError):
    """Your address is managed by another application. Change it there."""

    status, code = 409, "email_managed"


class WrongEmailCode(Forbidden):
    """This code is wrong or expired. Ask for a new one."""

    code = "bad_email_code"


class EmailForm(Form):
    """The address to verify."""

    address: Annotated[Email, Field(min_length=3)]


class EmailCode(Form):
    """The code from the e-mail."""

    code: Annotated[str, Field(max_length=20)]


class EmailSwitch(Form):
    """Send notifications by e-mail, or do not."""

    wanted: bool


class EmailAddresses:
    """The addresses to which users want notifications."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings, self._pool = settings, pool

    async def describe(self, user_id: int) -> dict[str, object]:
        """Return the user's address, as they see it in their settings."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.read_state, {"user": user_id})).fetchone()
        if row is None:
            raise NotFound
        managed, own, wanted, bounced, pending, suggested = row
        address = managed or own
        fields = {
            "available": self._settings.mails_notifications,
            "address": address,
            "managed": bool(managed),
            "wanted": wanted,
        }
        return fields | {"bounced": bool(address) and bounced == address, "pending": pending, "suggested": suggested}

    async def ask(self, user_id: int, address: str) -> None:
        """Send a code to an address of the user. Raise `NoEmail`, `EmailManaged`, `RateLimited`, `Invalid`,
        `Unavailable`."""
        if not self._settings.mails_notifications:
            raise NoEmail
        if (await self.describe(user_id))["managed"]:
            raise EmailManaged
        code = f"{secrets.randbelow(10**8):08d}"
        fields = {"user": user_id, "address": address, "digest": hash_token(code), "minutes": CODE_MINUTES}
        limits = {"users_most": USERS_MOST, "codes_most": CODES_MOST}
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.store_code, fields | limits)).fetchone()
        if row is None:
            raise RateLimited(retry_after=DAY_SECONDS)
        texts = texts_in(row[0], self._settings.default_language)
        filled = {"code": code, "url": self._settings.public_url, "minutes": CODE_MINUTES}
        try:
            mail = begin_mail(self._settings.mail_from, address, texts.code_subject.format(**filled))
            mail.set_content(texts.code_body.format(**filled))
            await send(self._settings.smtp_url, mail, address)
        except UNSENT as error:
            log.warning("code not sent", user=user_id, problem=describe_failure(error))
            if is_refused(error):
                wrong = {"field": "address", "detail": "The mail server does not accept this address."}
                raise Invalid(errors=[wrong]) from None
            raise Unavailable("The mail server can't be reached. Try again later.", retry_after=RETRY_SECONDS) from None

    async def verify(self, actor: Actor, user_id: int, code: str) -> None:
        """Use the address from now on to which this code was sent. Raise `WrongEmailCode`."""
        digest = hash_token("".join(code.split()))
        async with self._pool.connection() as connection:  # the attempt counts, also if it fails
            row = await (
                await connection.execute(queries.try_code, {"user": user_id, "tries_most": TRIES_MOST})
            ).fetchone()
        if row is None or not secrets.compare_digest(bytes(row[0]), digest):
            raise WrongEmailCode
        async with self._pool.connection() as connection, connection.transaction():
            if not await (await connection.execute(queries.verify, {"user": user_id, "digest": digest})).fetchone():
                raise WrongEmailCode
            await record(connection, actor, "email.verify", user_id)
            await add_subscription(connection, NOTIFY_READER, NOTIFY_READER)

    async def switch(self, user_id: int, wanted: bool) -> None:
        """Send e-mails to the user from now on, or no more."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.set_wanted, {"user": user_id, "wanted": wanted})

    async def forget(self, user_id: int) -> None:
        """Remove the user's own address. Raise `EmailManaged`."""
        if (await self.describe(user_id))["managed"]:
            raise EmailManaged
        async with self._pool.connection() as connection:
            await connection.execute(queries.drop_address, {"user": user_id})

    async def unsubscribe(self, token: str) -> Texts:
        """Send no more e-mails to the user with this link. Return the texts in their language. Raise `NotFound`."""
        return await self._follow_link(queries.unsubscribe, token)

    async def find_texts(self, token: str) -> Texts:
        """Return the texts in the language of the user with this link. Raise `NotFound`."""
        return await self._follow_link(queries.find_language, token)

    async def _follow_link(self, query: bytes, token: str) -> Texts:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query, [token])).fetchone() if token.isalnum() else None
        if row is None:
            raise NotFound("This link no longer works. Turn off e-mails in your notification settings.")
        return texts_in(row[0], self._settings.default_language)


# Handlers of `/api/users/me/email` and `/unsubscribe`.

ADDRESSES = web.AppKey("addresses", EmailAddresses)


async def get_email(request: web.Request) -> web.Response:
    """Return the caller's address for notifications, and whether this server sends any by e-mail."""
    member = await require_identity(request)
    return answer_json(await request.app[ADDRESSES].describe(member.user_id))


async def put_email(request: web.Request) -> web.Response:
    """Send a code to an address. It gets notifications once the code is entered. Needs a recent proof."""
    member = await require_recent_proof(request)
    form, addresses = await read_model(request, EmailForm), request.app[ADDRESSES]
    await addresses.ask(member.user_id, form.address)
    return answer_json(await addresses.describe(member.user_id))


async def post_email_code(request: web.Request) -> web.Response:
    """Enter the code that was sent to an address, which gets notifications from now on."""
    member = await require_identity(request)
    form, addresses = await read_model(request, EmailCode), request.app[ADDRESSES]
    await addresses.verify(actor_of(request, member), member.user_id, form.code)
    return answer_json(await addresses.describe(member.user_id))


async def patch_email(request: web.Request) -> web.Response:
    """Turn notifications by e-mail on or off."""
    member = await require_identity(request)
    form, addresses = await read_model(request, EmailSwitch), request.app[ADDRESSES]
    await addresses.switch(member.user_id, form.wanted)
    return answer_json(await addresses.describe(member.user_id))


async def delete_email(request: web.Request) -> web.Response:
    """Remove the caller's address."""
    member = await require_identity(request)
    await request.app[ADDRESSES].forget(member.user_id)
    return web.Response(status=204)


PAGE = (
    '<!doctype html><html lang="{language}" dir="{direction}"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><h1>{title}</h1>{content}</html>"
)


def make_page(texts: Texts, content: str) -> web.Response:
    """Return a page about e-mail notifications."""
    filled = {"language": texts.language, "direction": texts.direction, "title": texts.stop_title}
    return web.Response(text=PAGE.format(**filled, content=content), content_type="text/html")


async def get_unsubscribe(request: web.Request) -> web.Response:
    """Return the page behind the link in each e-mail. Opening it changes nothing, as programs that check links do.

    It is in the user's language, unless the link is wrong or wrong links have used up the caller's attempts.
    """
    try:
        check_address(request)
        texts = await follow_link(request, request.app[ADDRESSES].find_texts)
    except (NotFound, RateLimited):
        texts = texts_in("", request.app[SETTINGS].default_language)
    form = f"<form method=post><button>{texts.stop_button}</button></form>"
    return make_page(texts, f"<p>{texts.stop_question}</p>{form}")


async def post_unsubscribe(request: web.Request) -> web.Response:
    """Send no more e-mails to the user with this link. Mail programs do so with one click (RFC 8058)."""
    check_address(request)
    texts = await follow_link(request, request.app[ADDRESSES].unsubscribe)
    return make_page(texts, f"<p>{texts.stopped}</p>")


async def follow_link(request: web.Request, step: Callable[[str], Awaitable[Texts]]) -> Texts:
    """Use the link of an e-mail. An unknown one counts against the address. Raise `NotFound`."""
    try:
        return await step(request.match_info["secret"])
    except NotFound:
        request.app[RATES].stranger.acquire(home_of(client_address(request)))
        raise
