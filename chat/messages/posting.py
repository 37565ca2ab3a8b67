"""Posting: validate and store posts in batches, one transaction each; and many posts of one request.

A batch locks its conversations in id order, then the log's head. `PostStep` describes what takes part in it.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

import orjson
from pydantic import ValidationError

from chat.conversations.permissions import RANKS
from chat.files.uploads import Attachments
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.drafts import AddressedDraft, Post, PostStep
from chat.messages.history import read_messages
from chat.messages.mentions import HereResolver, Mentions
from chat.messages.streaming import StreamedStarts
from chat.messages.threads import FORWARDED_MOST, Forwards, ReplyTargets, check_forward
from chat.model.errors import Archived, Blocked, NotMember, ReadOnly, Undecided
from chat.shared.audit import Actor, record
from chat.shared.errors import (
    ERRORS_MOST,
    AdminsOnly,
    ApiError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unavailable,
)
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.sql import columns, load, numbers, optional_columns
from chat.shared.tasks import Batcher, Deadlines
from chat.shared.web import name_errors

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Posted:
    """The message as readers receive it. `fresh`: this post created it; `frame`: the id of its frame."""

    message: bytes
    fresh: bool
    frame: str = ""


Outcome = Posted | Exception
PostKey = tuple[int, int, str]  # conversation, author, client id: a retry finds what an earlier attempt has stored


class PostBatch:
    """Posts on their way through one transaction; one that is rejected never fails the others."""

    def __init__(self, posts: list[Post]) -> None:
        self._posts = posts
        self._keys = [(post.conversation_id, post.author_id, post.draft.client_id) for post in posts]
        self._errors: dict[int, Exception] = {}
        self._stored: dict[PostKey, Posted] = {}
        self._accepted: dict[PostKey, int] = {}
        self._last_seq: dict[int, int] = {}
        self._archived: set[int] = set()
        self._blocked: set[int] = set()
        self._public: set[int] = set()
        self._members: set[int] = set()
        self._slow_mode, self._mentions = SlowMode(), Mentions()
        self._locked_steps = [*find_steps(posts), self._slow_mode]
        streams = [StreamedStarts()] if any(post.draft.streaming for post in posts) else []
        self._steps = [*self._locked_steps, self._mentions, *streams]  # the last one needs the next position

    async def load(self, change: Change) -> None:
        """Lock the conversations, read what the posts are validated by, and lock the head: one round trip."""
        conversations = [post.conversation_id for post in self._posts]
        authors = [post.author_id for post in self._posts]
        client_ids = [post.draft.client_id for post in self._posts]
        run = change.connection.execute
        locked = await run(queries.lock_conversations, [numbers(sorted(set(conversations)))])
        asked = columns("nnt", zip(conversations, authors, client_ids, strict=True))
        members = await run(queries.find_authors, asked)
        for step in self._locked_steps:
            await step.load(change)
        await change.now()
        for conversation_id, last_seq, archived, public, blocked, slow, read_only in await locked.fetchall():
            self._slow_mode.add_conversation(conversation_id, slow, read_only)
            self._last_seq[conversation_id] = last_seq
            self._archived |= {conversation_id} if archived else set()
            self._public |= {conversation_id} if public else set()
            self._blocked |= {conversation_id} if blocked else set()
        found: dict[int, int] = {}
        for n, role, posted_at, seq in await members.fetchall():
            self._members.add(n - 1)
            self._slow_mode.add_author(conversations[n - 1], authors[n - 1], role, posted_at)
            found |= {n - 1: seq} if seq else {}
        for step in self._locked_steps:
            await step.receive()
        if found:
            await self._read_stored(change, found)

    async def _read_stored(self, change: Change, found: Mapping[int, int]) -> None:
        """Read the messages that earlier attempts have stored. `found`: the number of the post to the seq."""
        places = {n: (self._posts[n].conversation_id, seq) for n, seq in found.items()}
        messages = await read_messages(change.connection, places.values())
        for n, place in places.items():
            self._stored[self._keys[n]] = Posted(messages[place].encode(), fresh=False)

    def validate(self, now: datetime) -> None:
        """Reject posts that may not be stored; accept the first post of each key."""
        for n, post in enumerate(self._posts):
            if n not in self._members:
                self._errors[n] = NotMember() if post.conversation_id in self._public else NotFound()
            elif self._keys[n] in self._stored or self._keys[n] in self._accepted:
                continue
            elif error := self._reject(post, now):
                self._errors[n] = error
            else:
                self._accepted[self._keys[n]] = n
                for step in self._steps:
                    step.accept(post, now)

    def _reject(self, post: Post, now: datetime) -> ApiError | None:
        if post.conversation_id in self._archived:
            return Archived()
        if post.conversation_id in self._blocked:
            return Blocked()
        for step in self._steps:
            if error := step.reject(post, now):
                return error
        return None

    async def write(self, change: Change) -> None:
        """Number, encode and write the accepted posts; rejected posts use no number."""
        if not self._accepted:
            return
        await self._mentions.load(change)  # under the head's lock, so not with the others
        await self._mentions.receive()
        now, rows, marks, typed = await change.now(), [], {}, []
        for n in self._accepted.values():
            post = self._posts[n]
            seq = self._last_seq[post.conversation_id] = self._last_seq[post.conversation_id] + 1
            message = post.to_message(seq, min(post.said_at or now, now))
            for step in self._steps:
                message = step.apply(change, post, message)
            encoded = message.encode()
            entry = change.place(Unplaced("message", post.conversation_id, data=encoded))
            rows.append(message.to_row(entry.position))
            typed.append((message.type, message.data))
            marks[post.conversation_id, post.author_id] = seq
            self._stored[self._keys[n]] = Posted(encoded, fresh=True, frame=f"{change.epoch}.{entry.position}")
        counted = columns("nn", self._last_seq.items())
        readers = columns("nnn", ((*reader, seq) for reader, seq in marks.items()))
        written = [*columns("nnnntttnn", rows), *optional_columns(typed), *counted, now, *readers]
        await change.connection.execute(queries.write_messages, written)
        for step in self._steps:
            await step.write(change)

    def outcomes(self) -> list[Outcome]:
        """Return an outcome for each post, in order. Only the first post of a key is `fresh`."""
        return [self._errors.get(n) or self._find(n, key) for n, key in enumerate(self._keys)]

    def _find(self, n: int, key: PostKey) -> Posted:
        posted = self._stored[key]
        return posted if self._accepted.get(key, n) == n else replace(posted, fresh=False)


def find_steps(posts: Sequence[Post]) -> list[PostStep]:
    """Return the steps that these posts need, before those that every post needs."""
    drafts, steps = [post.draft for post in posts], list[PostStep]()
    if any(draft.reply_to or draft.thread for draft in drafts):
        steps.append(ReplyTargets(posts))
    if any(draft.forward for draft in drafts):
        steps.append(Forwards(posts))
    if any(draft.files for draft in drafts):
        steps.append(Attachments(posts))
    return steps


SLOW = "This conversation is in slow mode. Wait before you post again."


class SlowMode(PostStep):
    """Reject posts to read-only conversations, and posts that come too soon in slow mode.

    Neither applies to owners and admins. Slow mode does not apply to imported messages.
    """

    def __init__(self) -> None:
        self._slow: dict[int, timedelta] = {}
        self._read_only: set[int] = set()
        self._managers: set[tuple[int, int]] = set()
        self._last: dict[tuple[int, int], datetime] = {}

    def add_conversation(self, conversation_id: int, slow: int, read_only: bool) -> None:
        """Add a conversation of the batch. `slow`: seconds between two messages of a member; 0 for no limit."""
        if slow:
            self._slow[conversation_id] = timedelta(seconds=slow)
        if read_only:
            self._read_only.add(conversation_id)

    def add_author(self, conversation_id: int, user_id: int, role: str, posted_at: datetime | None) -> None:
        """Add an author of the batch, with the time of their last message there."""
        if RANKS[role] >= RANKS["admin"]:
            self._managers.add((conversation_id, user_id))
        if posted_at is not None:
            self._last[conversation_id, user_id] = posted_at

    def reject(self, post: Post, now: datetime) -> ApiError | None:
        """Return `ReadOnly` or `RateLimited` if the author must not post, or must wait."""
        place = post.conversation_id, post.author_id
        if (post.said_at and not post.ruled) or place in self._managers:
            return None
        if post.conversation_id in self._read_only:
            return ReadOnly()
        if (slow := self._slow.get(post.conversation_id)) is None:
            return None
        if (last := self._last.get(place)) is not None and (wait := last + slow - now) > timedelta():
            return RateLimited(SLOW, retry_after=ceil(wait.total_seconds()))
        return None

    def accept(self, post: Post, now: datetime) -> None:
        """Count the post as the author's last message."""
        if post.conversation_id in self._slow and (post.ruled or not post.said_at):
            self._last[post.conversation_id, post.author_id] = now


# Group commit: all posts that arrive during a commit go into the next transaction together.

BATCH = 500


class PostWriter:
    """The only writer of posts on a node."""

    def __init__(self, log: Log, waiting_most: int, deadline: float = 10.0) -> None:
        self._log, self._deadlines = log, Deadlines(deadline, lambda: Undecided(retry_after=1))
        self._batcher = Batcher[Post, Posted](self.store, batch=BATCH, limit=waiting_most, weigh=weigh_post)
        self.run, self.waiting, self.busy = self._batcher.run, self._batcher.waiting, self._batcher.busy
        self.expire = self._deadlines.run

    def submit(self, post: Post) -> "asyncio.Future[Posted]":
        """Return a future that is done when the post is durable.

        It raises `NotFound`, `NotMember`, `Archived`, `Blocked`, `ReadOnly`, `RateLimited` or `Invalid`; `Undecided` if
        PostgreSQL does not answer in time; or an error of `chat.shared.postgres.UNAVAILABLE`. `submit` itself raises
        `Overloaded`. After `Undecided`, a post that was in no transaction yet is not stored, another one may be: retry.
        """
        outcome = self._batcher.submit(post)
        self._deadlines.hold(outcome)
        return outcome

    async def store(self, posts: list[Post]) -> Sequence[Outcome]:
        """Store posts in a transaction of their own. Return an outcome for each; raise if none is stored."""
        async with self._log.change() as change:
            batch = PostBatch(posts)
            await batch.load(change)
            batch.validate(await change.now())
            await batch.write(change)
        return batch.outcomes()


def weigh_post(post: Post) -> int:
    """Return the weight of a post in a batch; long ones weigh more.

    500 units stay under 256 KiB, so that announcements include them and one batch never fills a reader's buffer.
    """
    forwarded = FORWARDED_MOST if post.draft.forward else 0
    return 1 + (len(post.draft.body) + len(post.draft.data or "") + forwarded) // 512 + len(post.draft.files) // 3


# Many posts in one request, for integrations and imports. Each is validated alone; all share a few commits.

FIELDS_MOST = 50  # of one item
ERRORS_NAMED = 100  # wrong fields that a response names


async def post_batch(
    pool: Pool, posts: PostWriter, here: HereResolver, member: Member, actor: Actor, items: Sequence[object]
) -> bytes:
    """Return `{results:[{status, message | problem}]}`, in the order of the items."""
    drafts = [parse_item(item) for item in items]
    roles = await read_roles(pool, member, drafts)
    await record_imports(pool, actor, drafts, roles)
    online = [await find_here(here, member, draft) for draft in drafts]
    outcomes = [submit(posts, member, draft, roles, users) for draft, users in zip(drafts, online, strict=True)]
    results = [encode_result(result) for result in limit_errors([await settle(one) for one in outcomes])]
    return b'{"results":[%b]}' % b",".join(results)


def parse_item(item: object) -> AddressedDraft | ApiError:
    """Return the draft, or the error that it has."""
    if isinstance(item, dict) and len(item) > FIELDS_MOST:  # checking thousands of unknown fields takes long
        return Invalid(errors=[{"field": "body", "detail": f"at most {FIELDS_MOST} fields"}])
    try:
        return AddressedDraft.model_validate(item)
    except ValidationError as wrong:
        return Invalid(errors=name_errors(wrong))


async def read_roles(pool: Pool, member: Member, drafts: Iterable[AddressedDraft | ApiError]) -> dict[int, str]:
    """Return an admin's roles in the conversations that they import into."""
    imported = {draft.conversation for draft in drafts if isinstance(draft, AddressedDraft) and draft.is_import}
    if not imported or member.role != "admin":
        return {}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_roles, [member.user_id, sorted(imported)])).fetchall()
    return {row[0]: row[1] for row in rows}


async def record_imports(
    pool: Pool, actor: Actor, drafts: Iterable[AddressedDraft | ApiError], roles: Mapping[int, str]
) -> None:
    """Record the imports in the audit log before they happen, once for each conversation."""
    counts = Counter(draft.conversation for draft in drafts if isinstance(draft, AddressedDraft) and draft.is_import)
    allowed = {id_: count for id_, count in counts.items() if roles.get(id_, "member") != "member"}
    if not allowed:
        return
    async with pool.connection() as connection:
        for id_, count in allowed.items():
            await record(connection, actor, "messages.import", conversation=id_, messages=count)


def check_import(member: Member, draft: AddressedDraft, roles: Mapping[int, str]) -> None:
    """Raise an `ApiError` unless the member is a server admin and an owner or admin of the conversation."""
    if member.role != "admin":
        raise AdminsOnly
    if draft.conversation not in roles:
        raise NotFound
    if roles[draft.conversation] == "member":
        raise Forbidden("Only an owner or an admin of this conversation may import into it.")


async def find_here(here: HereResolver, member: Member, draft: AddressedDraft | ApiError) -> frozenset[int] | None:
    """Return the members that `@here` reaches; none for imports, as it is unknown who was online then."""
    if isinstance(draft, ApiError):
        return None
    return frozenset() if draft.is_import else await here.find(draft.conversation, member.user_id, draft.body)


def submit(
    posts: PostWriter,
    member: Member,
    draft: AddressedDraft | ApiError,
    roles: Mapping[int, str],
    here: frozenset[int] | None,
) -> "asyncio.Future[Posted] | ApiError":
    """Submit the post; return its future outcome, or the error that rejects it at once."""
    if isinstance(draft, ApiError):
        return draft
    try:
        if draft.forward:
            check_forward(member, draft.forward)
        if draft.is_import:
            check_import(member, draft, roles)
        author_id = draft.author or member.user_id
        post = Post(draft.conversation, author_id, draft, draft.created_at, here, member.user_id, member.session_id)
        return posts.submit(post)
    except ApiError as error:
        return error


async def settle(one: "asyncio.Future[Posted] | ApiError") -> Posted | ApiError:
    """Return the outcome. If PostgreSQL is unavailable, return that as an error, because other posts may be stored."""
    if isinstance(one, ApiError):
        return one
    try:
        return await one
    except ApiError as error:
        return error
    except UNAVAILABLE:
        return Unavailable(retry_after=1)


def limit_errors(results: Sequence[Posted | ApiError]) -> Iterator[Posted | ApiError]:
    """Yield the results. Once `ERRORS_NAMED` wrong fields are named, further errors are without theirs."""
    named = 0
    for result in results:
        if isinstance(result, ApiError) and result.errors:
            if named >= ERRORS_NAMED:
                result.errors = None
            else:
                named += min(len(result.errors), ERRORS_MOST)
        yield result


def encode_result(result: Posted | ApiError) -> bytes:
    """Return the result: status 201 for a new message, 200 for one of an earlier attempt, or the problem."""
    if isinstance(result, Posted):
        return b'{"status":%d,"message":%b}' % (201 if result.fresh else 200, result.message)
    return orjson.dumps({"status": result.status, "problem": result.to_problem()})
