"""Notifications that reach a closed app, by Web Push or UnifiedPush.

A reader of the log with its own durable cursor decides whom a message calls, and queues a notification for each device.
Any node sends what is queued, unless the user has read the message or is active on another device.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson
import structlog
from aiohttp import web
from prometheus_client.core import CounterMetricFamily, Metric
from psycopg.errors import UniqueViolation
from yarl import URL

from chat.integrations.web_push import TEXT_MOST, Signer, SubscriptionForm, decode, make_private_key
from chat.log.append import Log
from chat.log.entry import Entry, decode_frame
from chat.log.subscriptions import NOTIFY_READER, NotTaken, ReaderKind, Receive, add_subscription
from chat.messages.mentions import find_keywords
from chat.model.errors import Conflict
from chat.shared.errors import Invalid, Unauthenticated
from chat.shared.http_client import UNREACHABLE, NotFetched, check_public, post_public
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REGISTRY_AWAY
from chat.shared.redis import reason_of
from chat.shared.registry.registry import Registry
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.tasks import QueueWorker
from chat.shared.web import answer_json, read_model, require_identity

queries = load(__file__)
log = structlog.get_logger(__name__)
NEWS_SECONDS = 3600.0  # after which a message is no news, and is not announced to a device any more
ACTIVE_SECONDS = 30.0  # for an active user to read a message; a dead node's devices are reaped sooner
AT_ONCE, EACH = 50, 3  # notifications that a node sends at once, and how many of them for one user
LEASE_SECONDS = 60.0  # after which another node sends what a node that died has taken
RETRY_SECONDS, ATTEMPTS_MOST = 20.0, 6  # the wait doubles
FAILURES_MOST = 20
PRESENCE_SECONDS = 0.5
ANSWER_MOST, ANSWER_SECONDS = 4096, 10.0
LETTERS, NAMES_MOST, NAME_MOST = 400, 3, 60  # of the text, and of the names of files, in a notification
GONE, BUSY = (404, 410), (408, 425, 429)


class DueNotification(NamedTuple):
    """A message for one device. `waited`: the user was active when it was due first."""

    subscription: int
    conversation: int
    seq: int
    user: int
    attempts: int
    waited: bool

    @property
    def key(self) -> tuple[int, int, int]:
        """Return what names it in the queue."""
        return self.subscription, self.conversation, self.seq

    @property
    def place(self) -> dict[str, int]:
        """Return the parameters that name it in the queue."""
        return {"subscription": self.subscription, "conversation": self.conversation, "seq": self.seq}


class PushMessage(NamedTuple):
    """What a device is told, and where it is reached."""

    subscription: int
    conversation: int
    seq: int
    endpoint: str
    public_key: bytes
    secret: bytes
    kind: str
    name: str
    author: str
    body: str
    files: Sequence[Mapping[str, Any]] | None
    type: str | None

    def encode(self) -> bytes:
        """Return the JSON that the app shows, at most `TEXT_MOST` bytes. Empty fields are left out."""
        return next(text for letters in (LETTERS, LETTERS // 4, 0) if len(text := self._encode(letters)) <= TEXT_MOST)

    def _encode(self, letters: int) -> bytes:
        fields = {
            "conversation": self.conversation,
            "seq": self.seq,
            "author": self.author,
            "channel": self.name if self.kind == "channel" else "",
            "body": self.body[:letters],
            "files": [str(one.get("name", ""))[:NAME_MOST] for one in (self.files or ())[:NAMES_MOST]],
            "type": self.type,
        }
        return orjson.dumps({name: value for name, value in fields.items() if value})


class Push(QueueWorker):
    """The notifications of a node. `kind`: the reader of the log that decides whom to notify."""

    queue, at_once = "notifications", AT_ONCE

    def __init__(self, settings: Settings, journal: Log, pool: Pool, registry: Registry) -> None:
        super().__init__()
        self._journal, self._pool, self._registry, self._settings = journal, pool, registry, settings
        own = settings.public_url if settings.public_url.startswith("https:") else ""
        self._contact = settings.push_contact or own
        self._signer: Signer | None = None
        self._sending: Counter[int] = Counter()  # by user
        self._allowed = settings.hosts_allowed
        self.outcomes: Counter[str] = Counter({"sent": 0, "failed": 0, "gone": 0, "not needed": 0})
        self.kind = ReaderKind(NOTIFY_READER, self._open_reader)
        self.wake_mails: Callable[[], None] = lambda: None

    # Subscriptions.

    async def signer(self) -> Signer:
        """Return this server's identity at push services, which the first node makes."""
        if self._signer is None:
            async with self._pool.connection() as connection:
                await connection.execute(queries.insert_key, [make_private_key()])
                row = await (await connection.execute(queries.read_key)).fetchone()
            assert row is not None
            self._signer = Signer(bytes(row[0]), self._contact)
        return self._signer

    async def subscribe(self, member: Member, form: SubscriptionForm) -> None:
        """Notify a device until its session ends; each session has one.

        Raise `Invalid` if its push service is not at a public address, `Unauthenticated` if the session has ended, or
        `Conflict`.
        """
        try:
            check_public(URL(form.endpoint), self._allowed)
        except (NotFetched, ValueError) as wrong:
            raise Invalid(errors=[{"field": "endpoint", "detail": str(wrong)}]) from None
        given = {
            "session": member.session_id,
            "endpoint": form.endpoint,
            "public_key": decode(form.keys.p256dh),
            "secret": decode(form.keys.auth),
            "quiet_from": form.quiet and form.quiet.begins,
            "quiet_to": form.quiet and form.quiet.ends,
        }
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(queries.drop_endpoint, given)
                if not await (await connection.execute(queries.store_subscription, given)).fetchone():
                    raise Unauthenticated
                await add_subscription(connection, NOTIFY_READER, NOTIFY_READER)
        except UniqueViolation:  # another session has subscribed this endpoint meanwhile
            raise Conflict from None

    async def unsubscribe(self, member: Member) -> None:
        """Send nothing more to the device of this session."""
        await self._run(queries.drop_subscription, [member.session_id])

    # Whom to notify.

    @asynccontextmanager
    async def _open_reader(self, _target: str) -> AsyncIterator[Receive]:
        yield self._receive

    async def _receive(self, entries: Sequence[Entry], _epoch: str) -> None:
        """Queue notifications for all whom these entries of the log call. Raise `NotTaken` if none are wanted."""
        wanted, keywords = await self._are_wanted()
        if not wanted:
            raise NotTaken("nobody wants notifications", gone=True)
        if not (places := [place for one in entries if (place := place_of(one))]):
            return
        if keywords:
            await find_keywords(self._journal, self._pool, places)
        conversations, seqs = [list(column) for column in zip(*places, strict=True)]
        fields = {"conversations": conversations, "seqs": seqs, "news": NEWS_SECONDS}
        fields |= {"mail": self._settings.mails_notifications, "after": self._settings.email_after * 60}
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.enqueue, fields)).fetchone()
        if row and row[0]:
            self.wake()
        if row and row[1]:
            self.wake_mails()

    async def _are_wanted(self) -> tuple[bool, bool]:
        """Return whether any user can be notified, and whether any user has keywords."""
        async with self._pool.connection() as connection:
            fields = {"mail": self._settings.mails_notifications}
            row = await (await connection.execute(queries.are_wanted, fields)).fetchone()
        return (row[0] or row[1], row[1]) if row else (False, False)

    async def _follow_again(self) -> None:
        """Follow the log, if a device was subscribed just as the reader found none."""
        if (await self._are_wanted())[0]:
            async with self._pool.connection() as connection:
                await add_subscription(connection, NOTIFY_READER, NOTIFY_READER)

    # Sending.

    async def take(self, room: int) -> Sequence[Coroutine[Any, Any, None]]:
        """Take notifications that are due."""
        await self.signer()
        busy = [user_id for user_id, count in self._sending.items() if count >= EACH]
        fields = {"busy": busy, "each": EACH, "most": room, "lease": LEASE_SECONDS}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.take_due, fields)).fetchall()
        if not (taken := [DueNotification(*row) for row in rows]):
            if not self._sending:
                await self._follow_again()
            return []
        found = await self._describe(taken)
        active = await find_active(self._registry, {one.user for one in taken if one.key in found})
        self._sending.update(one.user for one in taken)
        return [self._finish(one, found.get(one.key), one.user in active) for one in taken]

    async def _describe(self, taken: Sequence[DueNotification]) -> dict[tuple[int, int, int], PushMessage]:
        """Return those that are still to be sent, by their keys."""
        subscriptions, conversations, seqs = [list(column) for column in zip(*(one.key for one in taken), strict=True)]
        fields = {"subscriptions": subscriptions, "conversations": conversations, "seqs": seqs}
        fields_more = {"letters": LETTERS, "idle_days": self._settings.session_idle_days, "news": NEWS_SECONDS}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.describe, fields | fields_more)).fetchall()
        return {row[:3]: PushMessage(*row) for row in rows}

    async def _finish(self, due: DueNotification, message: PushMessage | None, active: bool) -> None:
        """Send one notification, or decide that it is not needed, or not yet."""
        try:
            if message is None or (active and due.waited):
                await self._settle(due, "not needed")
            elif active:
                await self._run(queries.wait, due.place | {"seconds": ACTIVE_SECONDS})
            else:
                await self._send(due, message)
        except POSTGRES_AWAY as error:
            log.warning("could not settle a notification, it may be sent again", error=reason_of(error))
        finally:
            self._sending -= Counter([due.user])  # without users who have none left

    async def _send(self, due: DueNotification, message: PushMessage) -> None:
        request = (await self.signer()).make_request(
            message.endpoint, message.public_key, message.secret, message.encode(), f"{due.conversation}/{due.seq}"
        )
        status = 0
        try:
            sent = request.url, request.body, request.headers, self._allowed
            status, _ = await post_public(*sent, most=ANSWER_MOST, seconds=ANSWER_SECONDS)
        except NotFetched:
            status = 400  # the name has no public address
        except UNREACHABLE:
            pass
        if 200 <= status < 300:
            await self._run(queries.note_arrival, [due.subscription])
            await self._settle(due, "sent")
        elif status in GONE:
            await self._run(queries.drop_gone, due.place)
            self.outcomes["gone"] += 1
        else:
            await self._run(queries.note_failure, {"subscription": due.subscription, "most": FAILURES_MOST})
            if due.attempts < ATTEMPTS_MOST and (not status or status >= 500 or status in BUSY):
                wait = RETRY_SECONDS * 2 ** (due.attempts - 1) * random.uniform(1, 1.2)
                await self._run(queries.retry, due.place | {"seconds": wait})
            else:
                await self._settle(due, "failed")

    async def _settle(self, due: DueNotification, outcome: str) -> None:
        await self._run(queries.settle, due.place)
        self.outcomes[outcome] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of notifications."""
        family = CounterMetricFamily("tandem_notifications", "Notifications by Web Push.", labels=["outcome"])
        for outcome, count in self.outcomes.items():
            family.add_metric([outcome], count)
        yield family

    async def _run(self, query: bytes, fields: Any) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query, fields)


async def find_active(registry: Registry, users: Collection[int]) -> set[int]:
    """Return the users with a device in use; nobody if presence is unknown."""
    if not users or registry.degraded:
        return set()
    asked = list(users)
    try:
        async with asyncio.timeout(PRESENCE_SECONDS):
            evidence = await registry.overview.evidence(asked)
    except REGISTRY_AWAY as error:
        log.warning("presence unknown, notifying", error=reason_of(error))
        return set()
    return {user_id for user_id, found in zip(asked, evidence, strict=True) if any(one.active for one in found.devices)}


def place_of(entry: Entry) -> tuple[int, int] | None:
    """Return the conversation and number of the message that an entry announces, with its whole text."""
    if entry.kind == "finish" and entry.conversation_id and entry.subject:
        return entry.conversation_id, entry.subject
    if entry.kind != "message" or not entry.conversation_id or not entry.frame:
        return None
    return entry.conversation_id, orjson.loads(decode_frame(entry.frame)[2])["seq"]


PUSH = web.AppKey("push", Push)


async def get_push_key(request: web.Request) -> web.Response:
    """Return the public key of this server, with which browsers and apps subscribe to notifications."""
    await require_identity(request)
    return answer_json({"key": (await request.app[PUSH].signer()).public})


async def post_push_subscription(request: web.Request) -> web.Response:
    """Send notifications to the device of this session, until the session ends. A second call replaces the first.

    The body is a browser's `PushSubscription`, or what an app has from UnifiedPush.
    """
    member, form = await require_identity(request), await read_model(request, SubscriptionForm)
    await request.app[PUSH].subscribe(member, form)
    return web.Response(status=204)


async def delete_push_subscription(request: web.Request) -> web.Response:
    """Send no more notifications to the device of this session."""
    await request.app[PUSH].unsubscribe(await require_identity(request))
    return web.Response(status=204)
