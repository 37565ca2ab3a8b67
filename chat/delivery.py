"""Delivery traces: did a user receive a message? From the log, memberships, read marks and records of streams.

The facts are loaded first; `Facts.explain` draws the conclusion from them alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from chat.log.entry import decode_frame
from chat.model.types import format_time
from chat.shared.audit import record
from chat.shared.errors import AdminsOnly, NotFound
from chat.shared.membership import require_member
from chat.shared.postgres import Connection, Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.sql import load
from chat.shared.web import POOL, actor_of, answer_json, path_id, require_identity

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Committed:
    """The message without its text: its author, position, commit time and node."""

    author: int
    position: int
    at: datetime
    node: str | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class TracedReader:
    """The user, with their membership nearest to the message. `since` is None if they were never a member."""

    name: str
    disabled: bool
    since: int | None
    until: int | None
    read_seq: int

    def belonged(self, position: int) -> bool:
        """Return whether the message was addressed to this user."""
        return self.since is not None and self.since <= position and (self.until is None or position <= self.until)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A stream from its opening to its end. `closed`: the last position that it received."""

    session: int
    node: str
    opened_at: datetime
    opened: int
    closed_at: datetime | None
    closed: int | None
    reason: str | None

    def received(self, position: int) -> bool:
        """Return whether the stream received the entry at this position."""
        reached = self.closed_at is None or (self.closed is not None and self.closed >= position)
        return self.opened < position and reached

    def received_at(self, committed: Committed) -> datetime | None:
        """Return the approximate time: at the commit, or by a replay when the stream opened."""
        return max(committed.at, self.opened_at) if self.received(committed.position) else None

    def to_json(self, committed: Committed) -> dict[str, object]:
        """Return the JSON; `handed_at` is null if the stream did not receive the message."""
        handed = self.received_at(committed)
        return {
            "session": self.session,
            "node": self.node,
            "opened_at": format_time(self.opened_at),
            "closed_at": self.closed_at and format_time(self.closed_at),
            "reason": self.reason,
            "replayed": handed is not None and handed > committed.at,
            "handed_at": handed and format_time(handed),
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts. `read_at` is None while the message is unread, and when the time is no longer known."""

    committed: Committed
    reader: TracedReader
    streams: list[StreamRecord]
    wrote: bool
    read: bool
    read_at: datetime | None
    banned: bool

    def explain(self) -> tuple[str, str]:
        """Return a code, and a sentence that explains it: the first that holds."""
        position = self.committed.position
        receiving = [one for one in self.streams if one.received(position)]
        if self.wrote:
            return "author", "The user wrote it."
        if self.read:
            return "read", "The user has read it."
        if not self.reader.belonged(position):
            return "not_member", self._explain_absence()
        if self.committed.deleted:
            return "deleted", "The message has been deleted."
        if self.reader.disabled:
            return "disabled", "The account is disabled."
        if receiving:
            return "handed", f"It was delivered to {len(receiving)} of the user's streams, and has not been read."
        if self.streams:
            return "not_handed", "No stream that was open then or later received it."
        return "no_stream", "The user had no open stream when it was committed, and has opened none since."

    def _explain_absence(self) -> str:
        if self.banned:
            return "The user is banned from this conversation."
        if self.reader.since is None:
            return "The user has never been a member of this conversation."
        if self.reader.since > self.committed.position:
            return "The user joined after it was posted."
        return "The user left before it was posted."


# The trace: facts and conclusion, without the text of the message.

# Returns a user's current connections from the registry. The app provides it.
Evidence = Callable[[int], Awaitable[dict[str, Any]]]


async def trace(pool: Pool, evidence: Evidence, conversation_id: int, seq: int, user_id: int) -> dict[str, object]:
    """Return all that is known, without the message's text. Raise `NotFound`."""
    async with pool.connection() as connection:
        facts = await load_facts(connection, conversation_id, seq, user_id)
    committed, reader = facts.committed, facts.reader
    outcome, why = facts.explain()
    return {
        "message": {
            "conversation": conversation_id,
            "seq": seq,
            "author": committed.author,
            "position": committed.position,
            "committed_at": format_time(committed.at),
            "node": committed.node,
        },
        "user": {"id": user_id, "name": reader.name, "disabled": reader.disabled},
        "member": reader.belonged(committed.position),
        "streams": [one.to_json(committed) for one in facts.streams],
        "read_at": facts.read_at and format_time(facts.read_at),
        "outcome": outcome,
        "why": why,
        "now": await read_connections(evidence, user_id),
    }


async def load_facts(connection: Connection, conversation_id: int, seq: int, user_id: int) -> Facts:
    """Load the facts; raise `NotFound` if there is no such message or user."""
    run = connection.execute
    if (row := await (await run(queries.read_message, [conversation_id, seq])).fetchone()) is None:
        raise NotFound
    committed = Committed(*row)
    fields = {"conversation": conversation_id, "user": user_id, "position": committed.position}
    if (user := await (await run(queries.read_user, fields)).fetchone()) is None:
        raise NotFound("No user has this id.")
    reader = TracedReader(*user)
    banned = await (await run(queries.find_ban, [conversation_id, user_id])).fetchone()
    rows = await (await run(queries.list_streams, [user_id, committed.at])).fetchall()
    wrote, read = user_id == committed.author, reader.belonged(committed.position) and reader.read_seq >= seq
    read_at = await find_read_time(connection, conversation_id, seq, user_id, committed) if read else None
    streams = [StreamRecord(*one) for one in rows]
    return Facts(committed, reader, streams, wrote, read, read_at, banned is not None)


async def find_read_time(
    connection: Connection, conversation_id: int, seq: int, user_id: int, committed: Committed
) -> datetime | None:
    """Return the time of the first read mark at or after the message, or of the user's next message if earlier."""
    marks = await connection.execute(queries.read_marks, [user_id, conversation_id, committed.position])
    marked = [at for at, frame in await marks.fetchall() if orjson.loads(decode_frame(frame)[2])["seq"] >= seq][:1]
    answer = await (await connection.execute(queries.find_answer, [conversation_id, user_id, seq])).fetchone()
    return min([*marked, *(answer or ())], default=None)


async def read_connections(evidence: Evidence, user_id: int) -> dict[str, Any] | None:
    """Return the user's current connections; None while the registry is unavailable."""
    try:
        return await evidence(user_id)
    except REDIS_AWAY:
        return None


# The endpoint, `GET …/conversations/{c}/messages/{seq}/delivery/{user}`.

EVIDENCE: web.AppKey[Evidence] = web.AppKey("evidence")


async def get_delivery(request: web.Request) -> web.Response:
    """Explain why a user did or did not receive a message. For server admins, who need not be members.

    This includes direct messages, because no text is shown. The request is recorded in the audit log, because it shows
    which devices a user has.
    """
    member, pool = await require_identity(request), request.app[POOL]
    conversation_id, seq, user_id = (path_id(request, name) for name in ("conversation", "seq", "user"))
    if member.role != "admin":
        await require_member(pool, member.user_id, conversation_id)
        raise AdminsOnly
    traced = await trace(pool, request.app[EVIDENCE], conversation_id, seq, user_id)
    async with pool.connection() as connection:
        place = {"conversation": conversation_id, "seq": seq}
        await record(connection, actor_of(request, member), "delivery.look", user_id, **place)
    return answer_json(traced)
