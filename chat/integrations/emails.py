"""Notifications by e-mail: messages that call a user and stay unread while no device of theirs is in use.

The reader of the log that decides whom to notify queues them (push.py). All that a user has missed goes into one
e-mail, EMAIL_AFTER minutes after the first of it. Any node sends what is due. What a node has taken and not settled,
another one sends again, with the same Message-ID.
"""

import random
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from email.message import EmailMessage
from html import escape
from itertools import groupby
from typing import Any, NamedTuple

import structlog
from prometheus_client.core import CounterMetricFamily, Metric

from chat.accounts.mail import UNSENT, begin_mail, describe_failure, is_bounce, is_refused, send
from chat.accounts.validation import plain_text
from chat.integrations.push import find_active
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import reason_of
from chat.shared.registry.registry import Registry
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.tasks import QueueWorker
from chat.shared.texts import Texts, texts_in

queries = load(__file__)
log = structlog.get_logger(__name__)
NEWS_SECONDS = 24 * 3600.0  # after which a message is not mailed any more, also when the mail server was away
AT_ONCE = 4  # e-mails that a node sends at once
LEASE_SECONDS = 60.0  # longer than an e-mail takes
RETRY_SECONDS, RETRY_MOST = 90.0, 3600.0  # the wait doubles
QUEUED_MOST, SHOWN_MOST, LETTERS, NAMES_MOST = 500, 20, 300, 3


class DueEmail(NamedTuple):
    """A user whose e-mail is due. `batch` names the e-mail, also when it is sent again."""

    user: int
    attempts: int
    batch: str


class Recipient(NamedTuple):
    """Where a user's e-mail goes. `token`: of the link that ends them; `busy`: the user must not be disturbed.

    `language`: that the user chose; empty for the default.
    """

    address: str
    token: str
    team: str
    busy: bool
    language: str = ""


class QueuedMessage(NamedTuple):
    """A message that is queued for an e-mail. `kind` is None if it must not be mailed any more."""

    conversation: int
    seq: int
    kind: str | None
    name: str
    author: str
    body: str
    files: Sequence[dict[str, Any]] | None

    def place(self, texts: Texts) -> str:
        """Return the heading of its conversation."""
        if self.kind == "channel":
            return f"#{plain_text(self.name)}"
        return texts.direct_messages if self.kind == "direct" else plain_text(self.name) or texts.group

    @property
    def excerpt(self) -> str:
        """Return the beginning of the text on one line, or the names of the files."""
        names = ", ".join(str(one.get("name", "")) for one in (self.files or ())[:NAMES_MOST])
        return plain_text(" ".join((self.body or names).split()))


class EmailText:
    """The text of one e-mail about these messages, in the language of `texts`. `origin`: the URL of this server."""

    def __init__(self, origin: str, texts: Texts, recipient: Recipient, messages: Sequence[QueuedMessage]) -> None:
        self._texts, self._team = texts, texts.part(plain_text(recipient.team) or "Tandem")
        self.count, self._origin = len(messages), origin
        self._shown = sorted(messages[:SHOWN_MOST], key=lambda one: (one.conversation, one.seq))
        self._authors = list(dict.fromkeys(plain_text(one.author) for one in messages))
        self.stop = f"{origin}/unsubscribe/{recipient.token}"
        self._settings = f"{origin}/settings/notifications"
        self._heading = texts.count(texts.unread, self.count).format(team=self._team)
        more = self.count - len(self._shown)
        self._more = texts.count(texts.more_messages, more) if more else ""

    @property
    def subject(self) -> str:
        """Return the subject, with the team and the first authors."""
        texts, others = self._texts, len(self._authors) - NAMES_MOST
        names = texts.join(self._authors[:NAMES_MOST])
        if others > 0:
            names = texts.count(texts.other_authors, others).format(names=names)
        return texts.count(texts.unread_from, self.count).format(team=self._team, names=names)

    def _groups(self) -> Iterator[tuple[str, list[QueuedMessage]]]:
        for _, found in groupby(self._shown, key=lambda one: one.conversation):
            yield (messages := list(found))[0].place(self._texts), messages

    def _link(self, one: QueuedMessage) -> str:
        return f"{self._origin}/c/{one.conversation}/{one.seq}"

    def plain(self) -> str:
        """Return the plain text."""
        lines = [self._heading, ""]
        for place, messages in self._groups():
            lines.append(place)
            for one in messages:
                lines += [f"{plain_text(one.author)}: {one.excerpt}", self._link(one), ""]
        lines += [self._more, ""] if self._more else []
        texts = self._texts
        links = f"{texts.notification_settings}: {self._settings}", f"{texts.stop_emails}: {self.stop}"
        return "\n".join([*lines, "-- ", *links, ""])

    def html(self) -> str:
        """Return the same as HTML, everything escaped, without pictures."""
        texts, parts = self._texts, [f"<p>{escape(self._heading)}</p>"]
        for place, messages in self._groups():
            parts.append(f'<h3 style="margin:16px 0 4px"><bdi>{escape(place)}</bdi></h3>')
            parts += [
                f'<p style="margin:4px 0"><b><bdi>{escape(plain_text(one.author))}</bdi></b> '
                f"<bdi>{escape(one.excerpt)}</bdi> "
                f'<a href="{escape(self._link(one))}">{escape(texts.view_message)}</a></p>'
                for one in messages
            ]
        parts.append(f"<p>{self._more}</p>" if self._more else "")
        parts.append(
            f'<p style="margin-top:24px;font-size:small">'
            f'<a href="{escape(self._settings)}">{escape(texts.notification_settings)}</a> · '
            f'<a href="{escape(self.stop)}">{escape(texts.stop_emails)}</a></p>'
        )
        style = "font-family:sans-serif;line-height:1.4"
        turned = f'lang="{texts.language}" dir="{texts.direction}"'  # on the body too: many mail programs drop the rest
        return f'<!doctype html><html {turned}><body {turned} style="{style}">{"".join(parts)}</body></html>'


class Emails(QueueWorker):
    """The e-mails of a node."""

    queue, at_once = "e-mails", AT_ONCE

    def __init__(self, settings: Settings, pool: Pool, registry: Registry) -> None:
        super().__init__()
        self._settings, self._pool, self._registry = settings, pool, registry
        self.outcomes: Counter[str] = Counter({"sent": 0, "failed": 0, "bounced": 0, "retried": 0, "not needed": 0})

    async def take(self, room: int) -> Sequence[Coroutine[Any, Any, None]]:
        """Take users whose e-mails are due."""
        async with self._pool.connection() as connection:
            fields = {"most": room, "lease": LEASE_SECONDS}
            rows = await (await connection.execute(queries.take_due, fields)).fetchall()
        taken = [DueEmail(*row) for row in rows]
        active = await find_active(self._registry, {one.user for one in taken})
        return [self._finish(one, one.user in active) for one in taken]

    async def _finish(self, due: DueEmail, active: bool) -> None:
        """Send one e-mail, or decide that it is not needed, or not yet."""
        try:
            async with self._pool.connection() as connection:
                row = await (await connection.execute(queries.read_recipient, {"user": due.user})).fetchone()
                fields = {"user": due.user, "letters": LETTERS, "news": NEWS_SECONDS, "most": QUEUED_MOST}
                rows = await (await connection.execute(queries.list_queued, fields)).fetchall()
            queued = [QueuedMessage(*one) for one in rows]
            recipient = Recipient(*row) if row else None
            messages = [one for one in queued if one.kind]
            if recipient is None or not messages:
                await self._settle(due, queued, "not needed")
            elif active or recipient.busy:
                await self._postpone(due, self._settings.email_after * 60, reset=True)
            else:
                await self._send(due, recipient, queued, messages)
        except POSTGRES_AWAY as error:
            log.warning("could not settle an e-mail, it may be sent again", error=reason_of(error))

    async def _send(
        self, due: DueEmail, recipient: Recipient, queued: Sequence[QueuedMessage], messages: Sequence[QueuedMessage]
    ) -> None:
        try:
            mail = self._write(due, recipient, messages)
            await send(self._settings.smtp_url, mail, recipient.address)
        except UNSENT as error:
            log.warning("e-mail not sent", user=due.user, problem=describe_failure(error))
            if is_bounce(error):
                async with self._pool.connection() as connection:
                    bounce = {"user": due.user, "address": recipient.address}
                    await connection.execute(queries.note_bounce, bounce)
                await self._settle(due, queued, "bounced")
            elif is_refused(error):
                await self._settle(due, queued, "failed")
            else:
                wait = min(RETRY_SECONDS * 2 ** (due.attempts - 1), RETRY_MOST) * random.uniform(1, 1.2)
                await self._postpone(due, wait, reset=False)
                self.outcomes["retried"] += 1
            return
        await self._settle(due, queued, "sent")

    def _write(self, due: DueEmail, recipient: Recipient, messages: Sequence[QueuedMessage]) -> EmailMessage:
        """Return the e-mail about the messages, which mail programs can unsubscribe from with one click (RFC 8058)."""
        texts = texts_in(recipient.language, self._settings.default_language)
        text = EmailText(self._settings.public_url, texts, recipient, messages)
        mail = begin_mail(self._settings.mail_from, recipient.address, text.subject)
        host = self._settings.mail_from.rpartition("@")[2].strip("> ")
        mail["Message-ID"] = f"<{due.batch}@{host}>"
        mail["List-Unsubscribe"] = f"<{text.stop}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(text.plain())
        mail.add_alternative(text.html(), subtype="html")
        return mail

    async def _postpone(self, due: DueEmail, seconds: float, *, reset: bool) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(queries.postpone, {"user": due.user, "seconds": seconds, "reset": reset})

    async def _settle(self, due: DueEmail, queued: Sequence[QueuedMessage], outcome: str) -> None:
        """Remove these messages from the queue. What was queued meanwhile is in the next e-mail."""
        places = {"conversations": [one.conversation for one in queued], "seqs": [one.seq for one in queued]}
        fields = {"user": due.user, "after": self._settings.email_after * 60} | places
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(queries.lock_due, fields)
            await connection.execute(queries.drop_queued, fields)
            if not await (await connection.execute(queries.begin_next, fields)).fetchone():
                await connection.execute(queries.drop_due, fields)
        self.outcomes[outcome] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of e-mails."""
        family = CounterMetricFamily("tandem_emails", "Notifications by e-mail.", labels=["outcome"])
        for outcome, count in self.outcomes.items():
            family.add_metric([outcome], count)
        yield family
