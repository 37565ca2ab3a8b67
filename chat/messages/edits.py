"""Editing: the author says something else instead, or takes files out, for as long as the setting allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from chat.conversations.permissions import RANKS, Access
from chat.files.attachments import detach_files
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.log.redaction import WITHHELD, Content, erase
from chat.messages.drafts import Correction
from chat.messages.history import find_open_message
from chat.messages.mentions import forget_mentions
from chat.model.errors import Deleted, EditTooLate, NotYours
from chat.model.message import Message
from chat.model.types import check_said, format_time
from chat.shared.errors import Forbidden, Invalid, NotFound
from chat.shared.identity import Member
from chat.shared.membership import Membership, require_member
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

Shown = Sequence[dict[str, object]]


async def edit_message(
    log: Log, seconds: float, actor_id: int, conversation_id: int, seq: int, correction: Correction
) -> Message:
    """The message as it is then; nobody hears of an edit that changes nothing.

    Raises `NotFound`, `NotMember`, `Archived`, `NotYours`, `Deleted`, `EditTooLate`, `Invalid`.
    """
    async with log.change() as change:
        scene, message = await find_open_message(change, conversation_id, actor_id, seq)
        judge_edit(message, actor_id)
        files = choose_files(message, correction)
        if (correction.body, files) == (message.body, message.files):
            return message
        now = await change.now()
        if now - message.created_at > timedelta(seconds=seconds):
            raise EditTooLate
        edited = message._replace(body=correction.body, files=files, edited_at=now)
        await keep_body(change, scene, actor_id, seq)
        shown = orjson.dumps(files).decode() if files else None
        await change.connection.execute(queries.replace_said, [edited.body, shown, now, conversation_id, seq])
        await detach_files(change, conversation_id, seq, [file["id"] for file in files or ()])
        await erase_frames(change, conversation_id, seq, {"body": edited.body, "files": files})
        await change.record(Unplaced("edit", conversation_id, subject=seq, data=edited.encode()))
    return edited


def choose_files(message: Message, correction: Correction) -> Shown | None:
    """Those of its files that stay; raises `Invalid` on one that it has not, and when nothing is said."""
    files = message.files or []
    if correction.files is not None:
        files = [file for file in files if file["id"] in correction.files]
        if len(files) < len(correction.files):
            raise Invalid(errors=[{"field": "files", "detail": "only files that this message carries can stay"}])
    try:
        check_said(correction.body, files)
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "body", "detail": str(wrong)}]) from None
    return files or None


def judge_edit(message: Message, actor_id: int) -> None:
    """Raises `NotYours`, `Deleted`."""
    if message.author != actor_id:
        raise NotYours
    if message.deleted:
        raise Deleted


# What stood in a message before: kept for those who run the conversation, so not at all where nobody does.

EDITS_PAGE = 50


@dataclass(frozen=True, slots=True)
class Edit:
    """`body` stood there until `at`, when `user` replaced or deleted it; numbered from 1, the oldest."""

    number: int
    body: str
    user: int
    at: datetime

    def to_json(self) -> dict[str, object]:
        """For `orjson.dumps`."""
        return {"number": self.number, "body": self.body, "user": self.user, "at": format_time(self.at)}


async def keep_body(change: Change, scene: Access, actor_id: int, seq: int) -> None:
    """Before it is replaced. A direct conversation has no admins: what its two people take back is gone."""
    if scene.conversation.kind != "direct":
        kept = [actor_id, await change.now(), scene.conversation.id, seq]
        await change.connection.execute(queries.keep_body, kept)


async def list_edits(pool: Pool, member: Member, conversation_id: int, seq: int, before: int) -> list[Edit]:
    """The latest below number `before` first: a page, and one more if there are more.

    Raises `NotFound` for everybody who is not in the conversation, `Forbidden` for members who do not run it.
    """
    judge_reading(member, await require_member(pool, member.user_id, conversation_id))
    async with pool.connection() as connection:
        there = await (await connection.execute(queries.has_message, [conversation_id, seq])).fetchone()
        rows = await connection.execute(queries.list_edits, [conversation_id, seq, before, EDITS_PAGE + 1])
        if there is None:
            raise NotFound
        return [Edit(*row) for row in await rows.fetchall()]


def judge_reading(member: Member, seat: Membership) -> None:
    """Owners and admins of the conversation, and admins of the server who are in it."""
    if seat.kind == "direct" or (RANKS[seat.role] < RANKS["admin"] and member.role != "admin"):
        raise Forbidden("Only those who run this conversation may see what stood there before.")


# Deleting: a tombstone stays, with its seq, its author and its time, so that nothing moves.


async def delete_message(log: Log, actor_id: int, conversation_id: int, seq: int) -> None:
    """Its author may, and whoever runs the conversation; what is deleted already stays so.

    Raises `NotFound`, `NotMember`, `Archived`, `Forbidden`.
    """
    async with log.change() as change:
        scene, message = await find_open_message(change, conversation_id, actor_id, seq)
        if message.author != actor_id:
            scene.require_manager()
        if message.deleted:
            return
        await keep_body(change, scene, actor_id, seq)
        await bury(change, message)


async def bury(change: Change, message: Message) -> None:
    """Turn a message into a tombstone and tell its readers; nothing of its text is kept. The conversation is locked."""
    now, run, (conversation_id, seq) = await change.now(), change.connection.execute, message[:2]
    await run(queries.bury_message, [now, conversation_id, seq])
    await run(queries.drop_reactions, [conversation_id, seq])
    await forget_mentions(change, conversation_id, seq)
    await detach_files(change, conversation_id, seq)
    await erase_frames(change, conversation_id, seq, None)
    await change.record(Unplaced("delete", conversation_id, subject=seq, data=tombstone(message)))


def tombstone(message: Message) -> bytes:
    """Which one; and whom it reached by whom, for readers who count that and have never had the message."""
    fields: dict[str, object] = {"conversation": message.conversation, "seq": message.seq}
    reached = {"mentions": message.mentions, "mentions_all": message.mentions_all}
    if any(reached.values()):
        fields |= {"author": message.author} | {name: value for name, value in reached.items() if value}
    return orjson.dumps(fields)


# Erasing: a text that was edited or deleted is replaced in the log too, where readers that were away still find it.


async def erase_frames(change: Change, conversation_id: int, seq: int, said: Content | None) -> None:
    """Replace the text in the message's own entry and in its edits up to now by `said`; None leaves a tombstone.

    An entry that a stay covers which has ended since gets no text at all: users who have left the conversation were
    addressed by it, and must not learn what was written after they left. Call this under the log's head, before the
    entry that tells of the change.
    """
    asked = {"conversation": conversation_id, "seq": seq}
    rows = await (await change.connection.execute(queries.find_frames, asked, binary=True)).fetchall()
    erased = [
        (position, erase(frame, WITHHELD if outside and said else said)) for position, frame, outside in rows if frame
    ]
    if erased:
        await change.connection.execute(queries.replace_frames, [*map(list, zip(*erased, strict=True))])
