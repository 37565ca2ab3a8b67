"""Editing: the author says something else instead, for as long as the setting allows."""

from datetime import timedelta

from chat.log.append import Log
from chat.log.entry import Unplaced
from chat.messages.draft import check_said
from chat.messages.edits.erase import erase_frames
from chat.messages.edits.kept import keep_body, queries
from chat.messages.message import Message
from chat.messages.refusals import Deleted, EditTooLate, NotYours
from chat.messages.scene import find_open_message
from chat.shared.problems import Invalid


async def edit_message(log: Log, seconds: float, actor_id: int, conversation_id: int, seq: int, body: str) -> Message:
    """The message as it is then; nobody hears of an edit that changes nothing.

    Raises `NotFound`, `NotMember`, `Archived`, `NotYours`, `Deleted`, `EditTooLate`, `Invalid`.
    """
    async with log.change() as change:
        scene, message = await find_open_message(change, conversation_id, actor_id, seq)
        judge_edit(message, actor_id)
        judge_body(message, body)
        if body == message.body:
            return message
        now = await change.now()
        if now - message.created_at > timedelta(seconds=seconds):
            raise EditTooLate
        edited = message._replace(body=body, edited_at=now)
        await keep_body(change, scene, actor_id, seq)
        await change.connection.execute(queries.replace_body, [body, now, conversation_id, seq])
        await erase_frames(change, conversation_id, seq, body)
        await change.record(Unplaced("edit", conversation_id, subject=seq, data=edited.encode()))
    return edited


def judge_body(message: Message, body: str) -> None:
    """Something must be said, unless its files say it; raises `Invalid`."""
    try:
        check_said(body, message.files)
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "body", "detail": str(wrong)}]) from None


def judge_edit(message: Message, actor_id: int) -> None:
    """Raises `NotYours`, `Deleted`."""
    if message.author != actor_id:
        raise NotYours
    if message.deleted:
        raise Deleted
