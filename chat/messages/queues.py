"""The message queues of other systems: posts from one (POSTS_FROM), and the log's entries to another (POSTS_TO).

The producers of posts are trusted; what they write is not. Deliveries are acknowledged after the commit. One that comes
again finds the message that it has stored before, by its `client_id`. Rejected ones go to `QUEUE.rejected` with their
problem document. The entries go to a broker that is the receiver of a subscription.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import orjson
import structlog
from pydantic import ValidationError

from chat.log.entry import Entry, decode_frame, in_epoch
from chat.log.redaction import erase_among
from chat.log.subscriptions import ReaderKind, Receive
from chat.messages.drafts import MESSAGE_BYTES, Post, QueuedDraft
from chat.messages.mentions import HereResolver
from chat.messages.posting import BATCH, Posted, PostWriter, weigh_post
from chat.model.errors import Conflict
from chat.model.types import check_exact
from chat.shared.bus import kind_of, split_queue
from chat.shared.errors import ApiError, Failed, Invalid, NotFound, TooLarge
from chat.shared.message_queue import Delivery, Inbox, Outgoing, Rejection, open_inbox, open_outlet
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE, reason_of
from chat.shared.redis import UNAVAILABLE as QUEUE_AWAY
from chat.shared.sql import load, numbers
from chat.shared.web import name_errors

queries = load(__file__)
log = structlog.get_logger(__name__)
RETRY_SECONDS, RETRY_MOST = 0.5, 5.0
FIELDS_MOST = 50  # of one message
ATTEMPTS_MOST = 20  # deliveries of one message that was never settled: it may be what ends the nodes that get it


class NoAuthor(NotFound):
    """No user has this id. Create the author first, then send the message again."""

    code = "no_author"


class AuthorDisabled(Conflict):
    """The author's account is disabled."""

    code = "author_disabled"


class TooManyDeliveries(Failed):
    """This message was delivered many times and never stored. Send it again if that was not its fault."""

    code = "too_many_deliveries"


Outcome = Posted | ApiError


class QueueIntake:
    """The consumer of a node. All nodes share the queue.

    `outcomes` counts `stored`, `known` (stored by an earlier delivery) and `rejected`; `redelivered` counts deliveries
    after the first.
    """

    def __init__(self, url: str, node: str, pool: Pool, posts: PostWriter, here: HereResolver) -> None:
        self._url, self._node, self._pool, self._posts, self._here = url, node, pool, posts, here
        self.outcomes: Counter[str] = Counter(stored=0, known=0, rejected=0)
        self.redelivered = self.depth = 0
        self.connected = self.waits = False  # waits: for PostgreSQL

    async def run(self) -> None:
        """Consume forever; reconnect while the queue is unavailable."""
        while True:
            try:
                async with open_inbox(self._url, self._node) as inbox:
                    self.connected = True
                    await self._consume(inbox)
            except QUEUE_AWAY as error:
                log.warning("queue unavailable, retrying", error=reason_of(error))
            self.connected = False
            await asyncio.sleep(RETRY_SECONDS * random.uniform(1, 3))

    async def _consume(self, inbox: Inbox) -> None:
        while True:
            deliveries = await inbox.take()
            self.depth = inbox.depth
            if deliveries:
                self.redelivered += sum(one.attempts > 1 for one in deliveries)
                outcomes = await self._store_all(inbox, deliveries)
                self.waits = False
                await inbox.settle(deliveries, list(self._reject(deliveries, outcomes)))

    async def _store_all(self, inbox: Inbox, deliveries: list[Delivery]) -> list[Outcome]:
        """Store the messages; repeat while PostgreSQL is unavailable. What is stored already is found again."""
        pause = RETRY_SECONDS
        while True:
            try:
                return await self._store_each(deliveries)
            except POSTGRES_AWAY as error:
                self.waits = True
                log.warning("database unavailable, the queue waits", error=reason_of(error))
            await asyncio.sleep(pause * random.uniform(1, 2))
            pause = min(pause * 2, RETRY_MOST)
            await inbox.keep(deliveries)

    async def _store_each(self, deliveries: list[Delivery]) -> list[Outcome]:
        """Store the messages together; alone if that fails unexpectedly, so that only what causes it is rejected."""
        try:
            return await self._store(deliveries)
        except POSTGRES_AWAY:
            raise
        except Exception as error:
            if len(deliveries) == 1:
                log.error("message of the queue failed", exc_info=error)
                return [Failed()]
        return [outcome for one in deliveries for outcome in await self._store_each([one])]

    async def _store(self, deliveries: list[Delivery]) -> list[Outcome]:
        drafts = [parse_delivery(one) for one in deliveries]
        good = [draft for draft in drafts if isinstance(draft, QueuedDraft)]
        authors, rooms = await self._find_authors(good), await self._find_conversations(good)
        posts: dict[int, Post] = {}
        outcomes: dict[int, Outcome] = {}
        for n, draft in enumerate(drafts):
            if isinstance(draft, ApiError):
                outcomes[n] = draft
                continue
            author, room = authors[draft.author or draft.author_ext or 0], draft.conversation
            if draft.conversation_ext:
                room = rooms.get(draft.conversation_ext, 0)  # there is no conversation 0
            if isinstance(author, ApiError):
                outcomes[n] = author
                continue
            here = frozenset() if draft.created_at else await self._here.find(room, author, draft.body)
            posts[n] = Post(room, author, draft, draft.created_at, here, ruled=True)
        for part in split_posts(posts):
            stored = await self._posts.store([posts[n] for n in part])
            for n, outcome in zip(part, stored, strict=True):
                if not isinstance(outcome, Posted | ApiError):
                    raise outcome
                outcomes[n] = outcome
        return [outcomes[n] for n in range(len(deliveries))]

    async def _find_authors(self, drafts: Sequence[QueuedDraft]) -> dict[int | str, int | ApiError]:
        """Return the id of each author by the given one, or the error. Read for each batch: accounts get disabled."""
        given: set[int | str] = {draft.author or draft.author_ext or 0 for draft in drafts}
        found: dict[int | str, int | ApiError] = {one: NoAuthor() for one in given}
        if not given:
            return found
        ids, names = [one for one in given if isinstance(one, int)], [one for one in given if isinstance(one, str)]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.find_authors, [numbers(ids), names])).fetchall()
        for user_id, external_id, disabled in rows:
            for key in {user_id, external_id} & given:
                found[key] = AuthorDisabled() if disabled else user_id
        return found

    async def _find_conversations(self, drafts: Sequence[QueuedDraft]) -> dict[str, int]:
        """Return the conversations by their ids of another system, as far as they exist."""
        names = sorted({draft.conversation_ext for draft in drafts if draft.conversation_ext})
        if not names:
            return {}
        async with self._pool.connection() as connection:
            return dict(await (await connection.execute(queries.find_conversations, [names])).fetchall())

    def _reject(self, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome]) -> Iterator[Rejection]:
        """Count the outcomes; yield what is rejected."""
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if isinstance(outcome, ApiError):
                self.outcomes["rejected"] += 1
                yield delivery, json.dumps(outcome.to_problem())  # ASCII, as headers of NATS need
            else:
                self.outcomes["stored" if outcome.fresh else "known"] += 1


def parse_delivery(delivery: Delivery) -> QueuedDraft | ApiError:
    """Return the draft of a message, or the error that it has."""
    if delivery.attempts > ATTEMPTS_MOST:
        return TooManyDeliveries()
    if len(delivery.body) > MESSAGE_BYTES:
        return TooLarge(f"The message has more than {MESSAGE_BYTES} bytes.")
    try:
        fields = orjson.loads(delivery.body)
    except orjson.JSONDecodeError:
        return Invalid("The message is not JSON.")
    if not isinstance(fields, dict) or len(fields) > FIELDS_MOST:
        return Invalid(errors=[{"field": "body", "detail": f"must be an object of at most {FIELDS_MOST} fields"}])
    if delivery.message_id:
        fields.setdefault("client_id", delivery.message_id)
    try:
        draft = QueuedDraft.model_validate(fields)
        if draft.data is not None:
            check_exact(delivery.body)
    except ValidationError as wrong:
        return Invalid(errors=name_errors(wrong))
    except ValueError as wrong:
        return Invalid(errors=[{"field": "data", "detail": str(wrong)}])
    return draft


def split_posts(posts: dict[int, Post]) -> Iterator[list[int]]:
    """Yield the numbers of posts that fit in one transaction, in order."""
    part: list[int] = []
    weight = 0
    for n, post in posts.items():
        if part and weight + weigh_post(post) > BATCH:
            yield part
            part, weight = [], 0
        part.append(n)
        weight += weigh_post(post)
    if part:
        yield part


# Publication

QUEUE = "queue"


def target_of(url: str) -> str:
    """Return the name of the subscription that publishes to this exchange. It has no password."""
    return f"{kind_of(url)}:{split_queue(url)[1]}"


def publication_kind(url: str) -> ReaderKind:
    """Return how nodes publish to this exchange: one of them at a time, as long as it lives."""

    @asynccontextmanager
    async def connect(_target: str) -> AsyncIterator[Receive]:
        async with open_outlet(url) as outlet:

            async def publish(entries: Sequence[Entry], epoch: str) -> None:
                """Return when the broker has stored the entries. Changes within the page are applied first."""
                shown = [to_outgoing(entry, epoch) for entry in erase_among(entries, entries) if entry.frame]
                if shown:
                    await outlet.publish(shown)

            yield publish

    return ReaderKind(QUEUE, connect, (target_of(url),), idle=1.0, tenure=float("inf"), failures=UNAVAILABLE)


def to_outgoing(entry: Entry, epoch: str) -> Outgoing:
    """Return the message for an entry. Its key says to whom the entry is addressed, and its event."""
    cursor, event, data = decode_frame(in_epoch(entry.frame, epoch))
    if entry.user_id is not None:
        key, headers = f"user.{entry.user_id}.{event}", {"user": str(entry.user_id)}
    elif entry.conversation_id is not None:
        key, headers = f"conversation.{entry.conversation_id}.{event}", {"conversation": str(entry.conversation_id)}
    else:
        key, headers = f"all.{event}", {}
    return Outgoing(cursor, key, headers | {"event": event, "position": str(entry.position)}, data)
