"""Editing: the author says something else instead, or takes files out, for as long as the setting allows."""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from chat.files.attachments import take_out
from chat.log.append import Log
from chat.log.entry import Unplaced
from chat.messages.draft import Correction, check_said
from chat.messages.edits.erase import erase_frames
from chat.messages.edits.kept import keep_body
from chat.messages.message import Message
from chat.messages.refusals import Deleted, EditTooLate, NotYours
from chat.messages.scene import find_open_message
from chat.shared.problems import Invalid
from chat.shared.queries import load

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
        await take_out(change, conversation_id, seq, [file["id"] for file in files or ()])
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
