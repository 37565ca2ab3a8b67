"""What users keep for later, and what calls for their attention: saved messages, and the Activity page.

Both show only messages of conversations that the user is a member of now, and no deleted ones.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import orjson
from aiohttp import web

from chat.log.append import LOG, Change, Log
from chat.log.entry import Unplaced
from chat.messages.history import END, find_message
from chat.model.errors import Deleted, TooManySaved
from chat.model.message import Message, shorten
from chat.model.types import Moment, RequestModel, format_time
from chat.shared.errors import Invalid
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.shared.web import LARGEST_ID, POOL, answer_json, parse_count, path_message, read_model, require_identity

queries = load(__file__)
SAVED_MOST = 1_000  # messages that a user can have saved, done ones included
SAVED_PAGE, ACTIVITY_PAGE = 50, 50


class SavedState(RequestModel):
    """Save the message. `done`: it is dealt with, and leaves the list of open ones."""

    done: bool = False


async def save_message(log: Log, user_id: int, conversation_id: int, seq: int, done: bool) -> None:
    """Save a message for the user, or mark a saved one as done or open.

    Raise `NotFound`, `NotMember`, `Deleted`, or `TooManySaved`.
    """
    async with log.change() as change:
        _, message = await find_message(change, conversation_id, user_id, seq)
        if message.deleted:
            raise Deleted
        place = {"user": user_id, "conversation": conversation_id, "seq": seq, "done": done}
        row = await (await change.connection.execute(queries.count_saved, place)).fetchone()
        assert row is not None
        known, number = row
        if known is None and number >= SAVED_MOST:
            raise TooManySaved
        if known is not done:
            await change.connection.execute(queries.save_message, place)
            await record_saved(change, user_id, conversation_id, seq, "done" if done else "open")


async def unsave_message(log: Log, user_id: int, conversation_id: int, seq: int) -> None:
    """Remove a message from those that the user has saved. Raise `NotFound` or `NotMember`."""
    async with log.change() as change:
        await find_message(change, conversation_id, user_id, seq)
        place = {"user": user_id, "conversation": conversation_id, "seq": seq}
        if await (await change.connection.execute(queries.unsave_message, place)).fetchone():
            await record_saved(change, user_id, conversation_id, seq, None)


async def record_saved(change: Change, user_id: int, conversation_id: int, seq: int, state: str | None) -> None:
    """Record the state of a saved message for the user's devices; None: it is not saved any more."""
    data = orjson.dumps({"conversation": conversation_id, "seq": seq, "state": state})
    await change.record(Unplaced("saved", conversation_id, user_id, data=data))


async def list_saved(pool: Pool, user_id: int, done: bool, before: int) -> dict[str, object]:
    """Return the saved messages that are done or open, the latest saved first, below the id `before`.

    The shape is `{saved:[{id, saved_at, message}], next?}`. Beyond a megabyte of text and data, each message is cut to
    200 characters, without data.
    """
    asked = {"user": user_id, "done": done, "before": before, "most": SAVED_PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_saved, asked, binary=True)).fetchall()
    page = rows[:SAVED_PAGE]
    messages = shorten(Message(*row[2:]) for row in page)
    saved = [
        {"id": row[0], "saved_at": format_time(row[1]), "message": orjson.Fragment(message.encode())}
        for row, message in zip(page, messages, strict=True)
    ]
    return {"saved": saved} | ({"next": page[-1][0]} if len(rows) > SAVED_PAGE else {})


# Activity: mentions of the user, replies in threads that they follow, and reactions to their messages. Each kind is one
# query, which reads a page by its time and place. A page of all kinds merges the pages of each.

Kind = Literal["mentions", "replies", "reactions"]
KINDS: dict[Kind, bytes] = {
    "mentions": queries.list_mentions,
    "replies": queries.list_replies,
    "reactions": queries.list_reactions,
}
PLACE_FORM = re.compile(r"(\d{1,15})\.(\d{1,16})\.(\d{1,16})", re.ASCII)
REACTING = 5  # users that an item names, the latest first


class ActivityPlace(NamedTuple):
    """The place of an item on the page: its time, and where it happened. Later items are greater."""

    at: datetime
    conversation: int
    seq: int

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1000)}.{self.conversation}.{self.seq}"


TOP = ActivityPlace(datetime(9999, 1, 1, tzinfo=UTC), END, END)


def parse_place(text: str) -> ActivityPlace:
    """Return the place that a page gave as its `next`, the top for an empty text; raise `Invalid`."""
    if not text:
        return TOP
    found = PLACE_FORM.fullmatch(text)
    if found is None or (milliseconds := int(found[1])) > TOP.at.timestamp() * 1000:
        raise Invalid(errors=[{"field": "before", "detail": "must be the `next` of a page"}])
    at = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    return ActivityPlace(at, min(int(found[2]), END), min(int(found[3]), END))


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """Something that calls for the user's attention. `message`: the one to show.

    `count`: unread replies of the thread, or users with the reaction; `users`: the latest of these.
    """

    kind: Kind
    place: ActivityPlace
    unread: bool
    message: Message
    count: int = 0
    emoji: str | None = None
    users: list[int] | None = None

    def to_json(self, message: Message) -> dict[str, object]:
        """Return the fields for `orjson.dumps`, with the message as shortened for the page."""
        rest = {"count": self.count, "emoji": self.emoji, "users": self.users}
        fields = {"kind": self.kind, "at": format_time(self.place.at), "unread": self.unread}
        shown = {name: value for name, value in rest.items() if value}
        return fields | shown | {"message": orjson.Fragment(message.encode())}


async def list_activity(
    pool: Pool, user_id: int, kind: Kind | None, before: ActivityPlace, limit: int
) -> dict[str, object]:
    """Return a page of activity, newest first: of one kind, or of all.

    The shape is `{items:[{kind, at, unread, message, …}], next?}`. Messages are cut as in `list_saved`.
    """
    items: list[ActivityItem] = []
    ends: list[ActivityPlace] = []
    async with pool.connection() as connection:
        for one in [kind] if kind else KINDS:
            found, end = await read_kind(connection, user_id, one, before, limit)
            items += found
            ends += [end] if end else []
    end = max(ends, default=None)  # below it, items of one kind may be missing
    items = sorted((item for item in items if not end or item.place >= end), key=lambda item: item.place, reverse=True)
    page = items[:limit]
    messages = shorten(item.message for item in page)
    shown = [item.to_json(message) for item, message in zip(page, messages, strict=True)]
    following = page[-1].place if len(items) > limit else end
    return {"items": shown} | ({"next": str(following)} if following else {})


async def read_kind(
    connection: Connection, user_id: int, kind: Kind, before: ActivityPlace, limit: int
) -> tuple[list[ActivityItem], ActivityPlace | None]:
    """Return the items of one kind, and the place up to which these are all; None if there are no more."""
    asked = before._asdict() | {"user": user_id, "most": limit, "reacting": REACTING}
    rows = await (await connection.execute(KINDS[kind], asked, binary=True)).fetchall()
    end = ActivityPlace(*rows[-1][:3]) if len(rows) == limit else None
    return [to_item(kind, row) for row in rows if row[7] is not None], end


def to_item(kind: Kind, row: tuple[Any, ...]) -> ActivityItem:
    """Return the item in a row of one of the three queries."""
    place, (unread, count, emoji, users) = ActivityPlace(*row[:3]), row[3:7]
    return ActivityItem(kind, place, unread, Message(*row[7:]), count, emoji, users)


class ActivityMark(RequestModel):
    """The time up to which the user has seen the reactions, as `at` of the newest item."""

    at: Moment


async def mark_activity(pool: Pool, user_id: int, at: datetime) -> None:
    """Note that the user has seen the reactions up to this time. It moves forward, and not into the future."""
    async with pool.connection() as connection:
        await connection.execute(queries.mark_activity, {"user": user_id, "at": at})


# Handlers of `…/messages/{seq}/saved`, `/api/chat/saved` and `/api/chat/activity`.


async def put_saved(request: web.Request) -> web.Response:
    """Save a message for later, or mark a saved message as done or open."""
    member = await require_identity(request)
    saved = await read_model(request, SavedState)
    await save_message(request.app[LOG], member.user_id, *path_message(request), saved.done)
    return web.Response(status=204)


async def delete_saved(request: web.Request) -> web.Response:
    """Remove a message from the caller's saved messages."""
    member = await require_identity(request)
    await unsave_message(request.app[LOG], member.user_id, *path_message(request))
    return web.Response(status=204)


async def get_saved(request: web.Request) -> web.Response:
    """List the caller's saved messages, the latest saved first. With `?done=1`, those that are done."""
    member = await require_identity(request)
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    done = parse_count(request, "done", default=0, most=1)
    return answer_json(await list_saved(request.app[POOL], member.user_id, bool(done), before))


async def get_activity_page(request: web.Request) -> web.Response:
    """List what calls for the caller's attention, newest first: mentions, replies in threads that they follow, and
    reactions to their messages.

    `kind`: only `mentions`, `replies` or `reactions`.
    """
    member = await require_identity(request)
    kind = request.query.get("kind")
    if kind is not None and kind not in KINDS:
        raise Invalid(errors=[{"field": "kind", "detail": "mentions, replies or reactions"}])
    before = parse_place(request.query.get("before", ""))
    limit = parse_count(request, "limit", default=ACTIVITY_PAGE, least=1, most=ACTIVITY_PAGE)
    pool = request.app[POOL]
    return answer_json(await list_activity(pool, member.user_id, kind, before, limit))


async def put_activity_mark(request: web.Request) -> web.Response:
    """Note that the caller has seen the reactions up to a time. They do not count as unread any more."""
    member = await require_identity(request)
    mark = await read_model(request, ActivityMark)
    await mark_activity(request.app[POOL], member.user_id, mark.at)
    return web.Response(status=204)
