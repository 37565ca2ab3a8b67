"""Edits and deletions: change a message's text, files or data, or turn it into a tombstone; and the edit history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from chat.conversations.permissions import RANKS, Access
from chat.files.uploads import detach_files
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.log.redaction import WITHHELD, Content, content_of, erase, without_data, without_previews
from chat.messages.drafts import Correction
from chat.messages.history import find_open_message
from chat.messages.mention_parser import find_links
from chat.messages.mentions import forget_mentions, narrow_mentions
from chat.model.errors import Deleted, EditTooLate, NotYours, StillStreaming
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
    """Edit a message and return it. An edit that changes nothing is not announced.

    It mentions no one anew; users whom the new text no longer names are no longer mentioned.
    Raise `NotFound`, `NotMember`, `Archived`, `NotYours`, `Deleted`, `StillStreaming`, `EditTooLate` or `Invalid`.
    """
    async with log.change() as change:
        access, message = await find_open_message(change, conversation_id, actor_id, seq)
        check_edit(message, actor_id)
        data = correction.data if "data" in correction.model_fields_set else message.data
        files = choose_files(message, correction, data)
        if (correction.body, files, data) == (message.body, message.files, message.data):
            return message
        await forget_appends(change, message)
        now = await change.now()
        if now - message.created_at > timedelta(seconds=seconds):
            raise EditTooLate
        previews = keep_previews(message, correction.body)
        edited = message._replace(body=correction.body, files=files, data=data, edited_at=now, previews=previews)
        edited = await narrow_mentions(change, edited)
        await keep_body(change, access, actor_id, message)
        shown = {"files": to_text(files), "previews": to_text(previews), "body": edited.body, "data": data, "now": now}
        place = {"conversation": conversation_id, "seq": seq}
        await change.connection.execute(queries.replace_content, shown | place)
        await detach_files(change, conversation_id, seq, [file["id"] for file in files or ()])
        await erase_frames(change, conversation_id, seq, content_of(edited.body, files, data, previews))
        await change.record(Unplaced("edit", conversation_id, subject=seq, data=edit_data(message, edited)))
    return edited


def keep_previews(message: Message, body: str) -> Shown | None:
    """Return the previews of the links that the new text still has."""
    links = find_links(body) if message.previews else ()
    return [one for one in message.previews or () if one["url"] in links] or None


def to_text(value: Shown | None) -> str | None:
    """Return a list as JSON for PostgreSQL."""
    return orjson.dumps(value).decode() if value else None


def edit_data(message: Message, edited: Message) -> bytes:
    """Return the entry data: the message, and its former mentions if there are fewer now, for readers that count."""
    before = {"mentions": message.mentions, "mentions_all": message.mentions_all}
    if before == {"mentions": edited.mentions, "mentions_all": edited.mentions_all}:
        return edited.encode()
    former = {name: value for name, value in before.items() if value}
    return orjson.dumps({**orjson.loads(edited.encode()), "former_mentions": former})


def choose_files(message: Message, correction: Correction, data: str | None) -> Shown | None:
    """Return the files to keep; raise `Invalid` if one is not in the message, or if nothing would be left."""
    files = message.files or []
    if correction.files is not None:
        files = [file for file in files if file["id"] in correction.files]
        if len(files) < len(correction.files):
            raise Invalid(errors=[{"field": "files", "detail": "name only files of this message"}])
    try:
        check_said(correction.body, files, data)
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "body", "detail": str(wrong)}]) from None
    return files or None


def check_edit(message: Message, actor_id: int) -> None:
    """Raise `NotYours` or `Deleted` if the user must not edit the message."""
    if message.author != actor_id:
        raise NotYours
    if message.deleted:
        raise Deleted
    if message.streaming:
        raise StillStreaming


# Edit history: earlier texts, for the owners and admins of the conversation.

EDITS_PAGE = 50


@dataclass(frozen=True, slots=True)
class Edit:
    """An earlier text. `body` was shown until `at`, when `user` replaced or deleted it. The oldest has number 1."""

    number: int
    body: str
    user: int
    at: datetime

    def to_json(self) -> dict[str, object]:
        """Return the fields for `orjson.dumps`."""
        return {"number": self.number, "body": self.body, "user": self.user, "at": format_time(self.at)}


async def keep_body(change: Change, access: Access, actor_id: int, message: Message) -> None:
    """Keep the text before it is replaced. Not in direct messages: they have no admins, who alone may read it."""
    if access.conversation.kind != "direct":
        place = {"conversation": message.conversation, "seq": message.seq}
        fields = place | {"body": message.body, "user": actor_id, "now": await change.now()}
        await change.connection.execute(queries.keep_body, fields)


async def list_edits(pool: Pool, member: Member, conversation_id: int, seq: int, before: int) -> list[Edit]:
    """Return the latest edits below number `before` first: a page, and one more if there are more.

    Raise `NotFound` for non-members, `Forbidden` for members who are neither owners nor admins.
    """
    check_reader(member, await require_member(pool, member.user_id, conversation_id))
    async with pool.connection() as connection:
        found = await (await connection.execute(queries.has_message, [conversation_id, seq])).fetchone()
        rows = await connection.execute(queries.list_edits, [conversation_id, seq, before, EDITS_PAGE + 1])
        if found is None:
            raise NotFound
        return [Edit(*row) for row in await rows.fetchall()]


def check_reader(member: Member, membership: Membership) -> None:
    """Raise `Forbidden` unless the member is an owner or admin of the conversation, or a server admin."""
    if membership.kind == "direct" or (RANKS[membership.role] < RANKS["admin"] and member.role != "admin"):
        raise Forbidden("Only owners and admins of this conversation can see its edit history.")


# Deletion: a tombstone keeps its seq, author and time, so that nothing moves.


UNDO_SECONDS = 60
UNDONE = "undone"  # the type of a tombstone that apps do not show


async def delete_message(log: Log, actor_id: int, conversation_id: int, seq: int, *, undo: bool = False) -> None:
    """Delete a message, as its author or as an owner or admin. Do nothing if it is deleted already.

    `undo`: its author takes it back. If no one else has read it, its text is not kept either, and its files are free.
    Raise `NotFound`, `NotMember`, `Archived` or `Forbidden`.
    """
    async with log.change() as change:
        access, message = await find_open_message(change, conversation_id, actor_id, seq)
        if message.author != actor_id:
            access.require_manager()
        if message.deleted:
            return
        await forget_appends(change, message)
        undone = undo and await is_unread(change, actor_id, message)
        if not undone:
            await keep_body(change, access, actor_id, message)
        await bury(change, message, undone=undone)


async def is_unread(change: Change, actor_id: int, message: Message) -> bool:
    """Return whether the user's message is less than a minute old, and nobody else has read, answered or marked it."""
    if message.author != actor_id or message.replies or message.reactions or message.edited_at:
        return False
    if await change.now() - message.created_at > timedelta(seconds=UNDO_SECONDS):
        return False
    asked = {"conversation": message.conversation, "seq": message.seq, "user": actor_id, "thread": message.thread}
    row = await (await change.connection.execute(queries.is_read, asked)).fetchone()
    return row == (False,)


async def bury(change: Change, message: Message, *, undone: bool = False) -> None:
    """Turn a message into a tombstone and announce that. Its text is lost. The conversation must be locked.

    `undone`: apps show no tombstone, and the files can be posted again.
    """
    await forget_appends(change, message)
    now, run, (conversation_id, seq) = await change.now(), change.connection.execute, message[:2]
    place = {"conversation": conversation_id, "seq": seq}
    await run(queries.bury_message, place | {"now": now, "type": UNDONE if undone else None})
    await run(queries.drop_reactions, [conversation_id, seq])
    await forget_mentions(change, conversation_id, seq)
    await run(queries.drop_saved, [conversation_id, seq])
    await run(queries.drop_forward, [conversation_id, seq])
    await detach_files(change, conversation_id, seq, free=undone)
    await erase_frames(change, conversation_id, seq, None)
    data = tombstone(message, undone=undone)
    await change.record(Unplaced("delete", conversation_id, subject=seq, data=data))


def tombstone(message: Message, *, undone: bool = False) -> bytes:
    """Return the entry data. It names the author, the thread and the mentioned users, for readers that count them."""
    place = {"conversation": message.conversation, "seq": message.seq, "author": message.author}
    counted = {"thread": message.thread, "mentions": message.mentions, "mentions_all": message.mentions_all}
    counted["undone"] = undone
    return orjson.dumps(place | {name: value for name, value in counted.items() if value})


# Erasing: an edited or deleted text is replaced in the log too, where readers that were away would find it.


async def erase_frames(change: Change, conversation_id: int, seq: int, content: Content | None) -> None:
    """Replace the content in the message's own entry and in its edits up to now; None leaves a tombstone.

    An entry gets no text at all if it lies in a membership that has ended since. Former members were addressed by it,
    and must not learn what was written after they left. Call this with the head locked, before the entry of the change.
    """
    fields = {"conversation": conversation_id, "seq": seq}
    rows = await (await change.connection.execute(queries.find_frames, fields, binary=True)).fetchall()
    erased = [
        (position, erase(frame, WITHHELD if former and content else content))
        for position, frame, former in rows
        if frame
    ]
    if erased:
        await change.connection.execute(queries.replace_frames, [*map(list, zip(*erased, strict=True))])


async def erase_previews(change: Change, conversation_id: int, seq: int) -> None:
    """Remove the previews from the message's own entry and from its edits. Call this with the head locked."""
    fields = {"conversation": conversation_id, "seq": seq}
    rows = await (await change.connection.execute(queries.find_frames, fields, binary=True)).fetchall()
    erased = [(position, shorter) for position, frame, _ in rows if (shorter := without_previews(frame)) != frame]
    if erased:
        await change.connection.execute(queries.replace_frames, [*map(list, zip(*erased, strict=True))])


async def forget_appends(change: Change, message: Message) -> None:
    """Empty the frames with the text and data of a streamed message, before the head is locked.

    Do nothing for other messages.

    Compaction holds the message's row while it changes frames. So that row comes first. Without it, compaction is done,
    and only the last append has text.
    """
    if message.streaming or message.state:
        place, run = {"conversation": message.conversation, "seq": message.seq}, change.connection.execute
        unfinished = await (await run(queries.end_compaction, place)).fetchone()
        await run(queries.empty_appends if unfinished else queries.empty_last_append, place)
        if message.data and message.state:
            row = await (await run(queries.find_finish, place, binary=True)).fetchone()
            if row is not None:
                await run(queries.replace_frames, [[row[0]], [without_data(row[1])]])
