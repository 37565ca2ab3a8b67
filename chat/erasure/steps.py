"""The steps after an account is deleted: leave conversations, empty messages, blank the log, delete private data.

Each step is one short transaction that also stores how far it came. After a kill any node continues.
"""

import asyncio
from typing import NamedTuple

import structlog

from chat.conversations.seating import unseat
from chat.erasure.erase import Messages
from chat.log.append import Change, Log
from chat.log.nameless import without_name
from chat.messages.edits.delete import bury
from chat.messages.message import Message
from chat.shared.postgres import UNAVAILABLE
from chat.shared.queries import load

queries = load(__file__)

PAUSE_SECONDS = 5.0

MESSAGES_STEP = 20  # each holds the log's head for as long as its step takes

ENTRIES_STEP = 20_000

BATCH = 500

log = structlog.get_logger(__name__)


class Erasure(NamedTuple):
    """A deletion under way, and how far it has come."""

    user_id: int
    messages: Messages
    conversation_id: int
    client_id: str
    position: int
    until: int


async def keep_erasing(journal: Log) -> None:
    """Finish every deletion that is under way, on whichever node; the background task."""
    while True:
        try:
            while await erase_step(journal):
                pass
        except UNAVAILABLE as error:
            log.warning("deleted accounts wait for the database", error=repr(error))
        await asyncio.sleep(PAUSE_SECONDS)


async def erase_step(journal: Log) -> bool:
    """Do one step of one deletion; return False when there is none that this process could work on."""
    async with journal.change() as change:
        row = await (await change.connection.execute(queries.take_erasure)).fetchone()
        if row is None:
            return False
        erasure = Erasure(*row)
        more = await leave_next(change, erasure) or await blank_entries(change, erasure)
        if not more and not await drop_private(change, erasure):
            await change.connection.execute(queries.finish, [erasure.user_id])
        return True


async def leave_next(change: Change, erasure: Erasure) -> bool:
    """Empty some messages of the next conversation, or leave it; return False after the last one."""
    run = change.connection.execute
    row = await (await run(queries.next_conversation, [erasure.user_id, erasure.conversation_id])).fetchone()
    if row is None:
        return False
    conversation_id, kind, member = row
    await run(queries.lock_conversation, [conversation_id])
    if erasure.messages == "erase" and await empty_messages(change, erasure, conversation_id):
        return True
    place = {"conversation": conversation_id, "user": erasure.user_id}
    await run(queries.forget_membership, place)
    await run(queries.drop_mentions, place)
    await run(queries.note_conversation, [conversation_id, erasure.user_id])
    if member and kind != "direct":  # the other one keeps the direct conversation
        await unseat(change, conversation_id, erasure.user_id)
    return True


async def empty_messages(change: Change, erasure: Erasure, conversation_id: int) -> bool:
    """Empty the next messages of the user there, and what was kept of earlier texts; False when there are no more."""
    run, asked = change.connection.execute, [conversation_id, erasure.user_id, erasure.client_id, MESSAGES_STEP]
    messages = [Message(*row) for row in await (await run(queries.list_messages, asked)).fetchall()]
    if not messages:
        return False
    seqs = [message.seq for message in messages]
    await run(queries.drop_edits, [conversation_id, seqs])
    await run(queries.drop_reports, [conversation_id, seqs])
    await run(queries.note_messages, [messages[-1].client_id, erasure.user_id])
    for message in messages:
        if not message.deleted:
            await bury(change, message)
    return True


async def blank_entries(change: Change, erasure: Erasure) -> bool:
    """Take the name out of some entries of the log; return False after the last one."""
    run = change.connection.execute
    if erasure.position >= erasure.until:
        return False
    to = min(erasure.position + ENTRIES_STEP, erasure.until)
    span = {"user": erasure.user_id, "after": erasure.position, "to": to}
    rows = await (await run(queries.find_names, span, binary=True)).fetchall()
    if blanked := [(position, without_name(frame, erasure.user_id)) for position, frame in rows if frame]:
        await run(queries.replace_frames, [*map(list, zip(*blanked, strict=True))])
    await run(queries.drop_frames, span)
    await run(queries.note_position, [to, erasure.user_id])
    return True


async def drop_private(change: Change, erasure: Erasure) -> bool:
    """Delete what only the user had; return False when nothing is left."""
    run, asked = change.connection.execute, {"user": erasure.user_id, "batch": BATCH}
    for query in (queries.drop_streams, queries.drop_sessions):
        if (await run(query, asked)).rowcount == BATCH:
            return True
    for query in (
        queries.drop_blocks,
        queries.drop_devices,
        queries.drop_choices,
        queries.drop_follows,
        queries.remove_files,
    ):
        await run(query, {"user": erasure.user_id})
    return False
