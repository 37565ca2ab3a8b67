"""Scheduled messages: written now, posted at a later time as if their author had sent them then.

One node posts each, once: its message has the `client_id` with which it was scheduled. One that cannot be posted stays,
with the reason, until its author changes or removes it (deploy/decisions/0157-scheduled-messages.md).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple, Self

import orjson
import structlog
from aiohttp import web
from pydantic import AfterValidator, model_validator

from chat.files.models import File
from chat.files.uploads import Attachments
from chat.log.append import LOG, Change, Log
from chat.log.entry import Unplaced
from chat.messages.drafts import MESSAGE_BYTES, Draft, Post
from chat.messages.endpoints import answer_posted, read_draft
from chat.messages.mentions import HereResolver
from chat.messages.posting import Posted, PostWriter
from chat.messages.queues import AuthorDisabled
from chat.messages.reminders import TAKEN_SECONDS, TimedDelivery, check_future, is_final
from chat.messages.threads import ReplyTargets, check_forward
from chat.model.errors import Conflict
from chat.model.message import BYTES_MOST
from chat.model.types import FileIds, Id, Moment, RequestModel, Text, check_said, format_time
from chat.shared.errors import ApiError, Invalid, NotFound, RateLimited
from chat.shared.membership import require_member
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.shared.web import (
    LARGEST_ID,
    POOL,
    WROTE,
    answer_json,
    parse_count,
    path_id,
    read_model,
    require_identity,
)

queries = load(__file__)
log = structlog.get_logger(__name__)
SCHEDULED_MOST = 100
LONGEST = timedelta(days=366)
RETRY_MOST = 3_600.0


class TooManyScheduled(Conflict):
    """You have the maximum number of scheduled messages. Send or remove one first."""

    code = "too_many_scheduled"


class AlreadySent(Conflict):
    """This message was sent already."""

    code = "already_sent"


class BeingSent(Conflict):
    """This message is being sent right now."""

    code = "being_sent"


FAR = "must be in the future, within a year"
SendTime = Annotated[Moment, AfterValidator(lambda at: check_future(at, LONGEST, FAR))]


class ScheduledDraft(Draft):
    """A message to post later, in `conversation`, at the time `at`. It cannot be streamed."""

    conversation: Id
    at: SendTime

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        """Raise `ValueError` if its text would be appended later."""
        if self.streaming:
            raise ValueError("a scheduled message cannot be streamed")
        return self

    def content(self) -> dict[str, Any]:
        """Return the fields of the draft itself."""
        fields: dict[str, Any] = self.model_dump(exclude={"conversation", "at"}, exclude_defaults=True)
        return fields


class ScheduledChange(RequestModel):
    """A change of a scheduled message. Fields that are left out stay."""

    body: Text | None = None
    files: FileIds | None = None
    at: SendTime | None = None


class Scheduled(NamedTuple):
    """A scheduled message. `draft`: its content as JSON; `problem`: why it could not be posted, as JSON."""

    id: int
    conversation_id: int
    at: datetime
    draft: str
    problem: str | None
    created_at: datetime

    def to_json(self, files: dict[int, dict[str, object]]) -> dict[str, object]:
        """Return the fields for `orjson.dumps`. `files`: those that the author has, by id."""
        content = orjson.loads(self.draft)
        shown = [files[file_id] for file_id in content.pop("files", ()) if file_id in files]
        times = {"at": format_time(self.at), "created_at": format_time(self.created_at)}
        rest = {"files": shown, "problem": self.problem and orjson.loads(self.problem)}
        fields: dict[str, object] = {"id": self.id, "conversation": self.conversation_id, "body": ""} | content | times
        return fields | {name: value for name, value in rest.items() if value}


async def schedule_message(
    journal: Log, pool: Pool, user_id: int, draft: ScheduledDraft
) -> tuple[dict[str, Any], bool]:
    """Store a message for its time. Return it, and whether it is new.

    Raise `NotFound` for non-members, `Invalid` for files or messages that it cannot name, `AlreadySent`, or
    `TooManyScheduled`.
    """
    await require_member(pool, user_id, draft.conversation)
    async with journal.change() as change:
        run = change.connection.execute
        await run(queries.lock_user, [user_id])  # one after the other, so that their number is exact
        place = {"user": user_id, "conversation": draft.conversation, "client_id": draft.client_id}
        if row := await (await run(queries.find_repeated, place)).fetchone():
            return (await describe(change.connection, [Scheduled(*row)]))[0], False
        if await (await run(queries.find_sent, place)).fetchone() is not None:
            raise AlreadySent
        count = await (await run(queries.count_scheduled, [user_id])).fetchone()
        if count is None or count[0] >= SCHEDULED_MOST:
            raise TooManyScheduled
        await check_references(change, Post(draft.conversation, user_id, draft))
        written = {"at": draft.at, "draft": orjson.dumps(draft.content()).decode(), "files": draft.files}
        row = await (await run(queries.insert_scheduled, place | written)).fetchone()
        assert row is not None
        await record_scheduled(change, user_id, row[0], draft.conversation, "waiting")
        return (await describe(change.connection, [Scheduled(*row)]))[0], True


async def check_references(change: Change, post: Post) -> None:
    """Raise `Invalid` if a file is not the author's, or if a message that it replies to does not exist."""
    for step in (Attachments([post]), ReplyTargets([post])):
        await step.load(change)
        await step.receive()
        if error := step.reject(post, datetime.now(UTC)):
            raise error


async def describe(connection: Connection, page: Sequence[Scheduled]) -> list[dict[str, Any]]:
    """Return scheduled messages as JSON, with their files."""
    named = [file_id for one in page for file_id in orjson.loads(one.draft).get("files", ())]
    rows = await (await connection.execute(queries.list_files, [named])).fetchall() if named else []
    files = {row[0]: File(*row).to_json() for row in rows}
    return [one.to_json(files) for one in page]


async def record_scheduled(change: Change, user_id: int, id_: int, conversation_id: int, state: str | None) -> None:
    """Record the state of a scheduled message for its author's devices; None: it is sent or removed."""
    data = orjson.dumps({"id": id_, "conversation": conversation_id, "state": state})
    await change.record(Unplaced("scheduled", user_id=user_id, data=data))


async def list_scheduled(pool: Pool, user_id: int, after: int) -> dict[str, Any]:
    """Return `{scheduled, next?}`: the user's scheduled messages above the id `after`, about a megabyte at once."""
    async with pool.connection() as connection:
        rows = [
            Scheduled(*row)
            for row in await (await connection.execute(queries.list_scheduled, [user_id, after])).fetchall()
        ]
        size, page = 0, list[Scheduled]()
        for one in rows:
            size += len(one.draft.encode())
            if page and size > BYTES_MOST:
                break
            page.append(one)
        shown = await describe(connection, page)
    return {"scheduled": shown} | ({"next": page[-1].id} if len(page) < len(rows) else {})


async def lock_scheduled(change: Change, user_id: int, id_: int) -> Scheduled:
    """Return a scheduled message, locked. Raise `NotFound`, or `BeingSent` if it may be posted already."""
    row = await (await change.connection.execute(queries.lock_scheduled, [user_id, id_])).fetchone()
    if row is None:
        raise NotFound
    if row[-1]:
        raise BeingSent
    return Scheduled(*row[:-1])


async def change_scheduled(journal: Log, user_id: int, id_: int, wanted: ScheduledChange) -> dict[str, Any]:
    """Change a scheduled message, and return it. A new time gives one that failed another chance.

    Raise `NotFound`, `BeingSent`, or `Invalid` if nothing would be left of it.
    """
    async with journal.change() as change:
        stored = await lock_scheduled(change, user_id, id_)
        given = wanted.model_dump(exclude_none=True, exclude={"at"})
        content = orjson.loads(stored.draft) | given
        other = content.get("data") or content.get("forward")
        try:
            check_said(content.get("body", ""), content.get("files"), "other" if other else None)
        except ValueError as wrong:
            raise Invalid(errors=[{"field": "body", "detail": str(wrong)}]) from None
        if wanted.files:
            await check_references(
                change, Post(stored.conversation_id, user_id, Draft.model_validate_json(orjson.dumps(content)))
            )
        fields = {"id": id_, "at": wanted.at or stored.at, "draft": orjson.dumps(content).decode()}
        fields |= {"files": content.get("files", []), "problem": None if wanted.at else stored.problem}
        row = await (await change.connection.execute(queries.change_scheduled, fields)).fetchone()
        assert row is not None
        state = "failed" if row[4] else "waiting"
        await record_scheduled(change, user_id, id_, stored.conversation_id, state)
        return (await describe(change.connection, [Scheduled(*row)]))[0]


async def remove_scheduled(journal: Log, user_id: int, id_: int) -> None:
    """Remove a scheduled message; its files stay the author's for a day. Raise `NotFound` or `BeingSent`."""
    async with journal.change() as change:
        stored = await lock_scheduled(change, user_id, id_)
        await change.connection.execute(queries.delete_scheduled, [[id_]])
        await change.connection.execute(queries.touch_files, [orjson.loads(stored.draft).get("files", [])])
        await record_scheduled(change, user_id, id_, stored.conversation_id, None)


class DueMessage(NamedTuple):
    """A scheduled message that a node has taken to post it."""

    id: int
    user_id: int
    conversation_id: int
    draft: str
    disabled: bool


class ScheduledDelivery(TimedDelivery[DueMessage]):
    """The background task of a node that posts scheduled messages when they are due."""

    next_query = queries.seconds_to_next

    def __init__(self, pool: Pool, posts: PostWriter, journal: Log, here: HereResolver) -> None:
        super().__init__(pool, posts)
        self._journal, self._here = journal, here

    async def take(self, limits: dict[str, float]) -> list[DueMessage]:
        """Take due messages."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.take_due, limits)).fetchall()
        return [DueMessage(*row) for row in rows]

    async def post(self, due: DueMessage) -> Posted:
        """Post a message as its author. Raise what stops the author from posting it now."""
        if due.disabled:
            raise AuthorDisabled
        draft = Draft.model_validate_json(due.draft)
        here = await self._here.find(due.conversation_id, due.user_id, draft.body)
        return await self._posts.submit(Post(due.conversation_id, due.user_id, draft, here=here))

    async def settle(self, done: Sequence[tuple[DueMessage, Posted | BaseException]]) -> None:
        """Remove what was posted. What cannot be posted stays with its reason, and what may pass is tried again."""
        if not done:
            return
        states: list[tuple[DueMessage, str | None]] = []
        async with self._journal.change() as change:
            run = change.connection.execute
            for one, outcome in done:
                if isinstance(outcome, Posted):
                    await run(queries.delete_scheduled, [[one.id]])
                    states.append((one, None))
                elif isinstance(outcome, ApiError) and is_final(outcome):
                    await run(queries.note_problem, [orjson.dumps(to_reason(outcome)).decode(), one.id])
                    states.append((one, "failed"))
                elif isinstance(outcome, RateLimited):
                    await run(queries.put_back, [min(outcome.retry_after or TAKEN_SECONDS, RETRY_MOST), one.id])
                else:
                    log.warning("scheduled message not posted, trying again", id=one.id, error=repr(outcome))
            for one, state in states:  # the head of the log is locked last
                await record_scheduled(change, one.user_id, one.id, one.conversation_id, state)

    async def send(self, user_id: int, id_: int) -> Posted:
        """Post a scheduled message now. Raise `NotFound`, `BeingSent`, or what stops the author from posting it."""
        async with self._pool.connection() as connection:
            asked = {"seconds": TAKEN_SECONDS, "id": id_, "user": user_id}
            row = await (await connection.execute(queries.take_one, asked)).fetchone()
            if row is None:
                known = await (await connection.execute(queries.has_scheduled, [user_id, id_])).fetchone()
                raise NotFound if known is None else BeingSent
        due = DueMessage(*row)
        try:
            posted = await self.post(due)
        except ApiError as error:
            if is_final(error) or isinstance(error, RateLimited):  # it was not posted, and waits as before
                async with self._pool.connection() as connection:
                    await connection.execute(queries.put_back, [0, id_])
            raise
        await self.settle([(due, posted)])
        return posted


def to_reason(error: ApiError) -> dict[str, str]:
    """Return `{code, detail}`: the reason that the author sees."""
    details = [f"{one['field']}: {one['detail']}" for one in error.to_problem().get("errors", ())]
    return {"code": error.code, "detail": "; ".join(details) or str(error)}


# Handlers of `/api/chat/scheduled`.

SCHEDULED = web.AppKey("scheduled", ScheduledDelivery)


async def post_scheduled(request: web.Request) -> web.Response:
    """Schedule a message. It is posted as the caller's at its time. Retry with the same `client_id`."""
    member = await require_identity(request)
    draft, app = await read_draft(request, ScheduledDraft), request.app
    if draft.forward:
        check_forward(member, draft.forward)
    scheduled, is_new = await schedule_message(app[LOG], app[POOL], member.user_id, draft)
    app[SCHEDULED].wake()
    return answer_json({"scheduled": scheduled}, 201 if is_new else 200)


async def get_scheduled(request: web.Request) -> web.Response:
    """List the caller's scheduled messages by id. `next` is present if there are more: pass it as `after`."""
    member = await require_identity(request)
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    return answer_json(await list_scheduled(request.app[POOL], member.user_id, after))


async def patch_scheduled(request: web.Request) -> web.Response:
    """Change the text, the files or the time of a scheduled message."""
    member = await require_identity(request)
    change, app = await read_model(request, ScheduledChange, MESSAGE_BYTES), request.app
    scheduled = await change_scheduled(app[LOG], member.user_id, path_id(request, "scheduled"), change)
    app[SCHEDULED].wake()
    return answer_json({"scheduled": scheduled})


async def delete_scheduled(request: web.Request) -> web.Response:
    """Remove a scheduled message."""
    member = await require_identity(request)
    await remove_scheduled(request.app[LOG], member.user_id, path_id(request, "scheduled"))
    return web.Response(status=204)


async def post_scheduled_now(request: web.Request) -> web.Response:
    """Send a scheduled message now."""
    member = await require_identity(request)
    posted = await request.app[SCHEDULED].send(member.user_id, path_id(request, "scheduled"))
    request[WROTE] = posted.frame
    return answer_posted(posted)
