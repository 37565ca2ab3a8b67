"""Pins. Every member may pin and unpin; doing it twice changes nothing."""

import orjson

from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.history import find_open_message
from chat.model.errors import Deleted, TooManyPins
from chat.model.message import Message, shorten
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)


async def pin_message(log: Log, most: int, actor_id: int, conversation_id: int, seq: int) -> None:
    """Pin a message.

    Raise `NotFound`, `NotMember`, `Archived`, `Deleted`, or `TooManyPins` if there are `most` already.
    """
    async with log.change() as change:
        _, message = await find_open_message(change, conversation_id, actor_id, seq)
        if message.deleted:
            raise Deleted
        if message.pinned:
            return
        row = await (await change.connection.execute(queries.count_pins, [conversation_id])).fetchone()
        if row is None or row[0] >= most:
            raise TooManyPins
        await set_pin(change, conversation_id, seq, actor_id, True)


async def unpin_message(log: Log, actor_id: int, conversation_id: int, seq: int) -> None:
    """Unpin a message. Raise `NotFound`, `NotMember` or `Archived`."""
    async with log.change() as change:
        _, message = await find_open_message(change, conversation_id, actor_id, seq)
        if message.pinned:
            await set_pin(change, conversation_id, seq, actor_id, False)


async def set_pin(change: Change, conversation_id: int, seq: int, user_id: int, on: bool) -> None:
    """Pin or unpin a message, and record that in the log."""
    data = orjson.dumps({"conversation": conversation_id, "seq": seq, "user": user_id, "on": on})
    position = (await change.record(Unplaced("pin", conversation_id, data=data))).position
    pinned = [position, user_id] if on else [None, None]
    await change.connection.execute(queries.set_pin, [*pinned, conversation_id, seq])


async def list_pins(pool: Pool, user_id: int, conversation_id: int) -> list[tuple[int, Message]]:
    """Return `(user, message)` of each pin, the latest first; raise `NotFound`.

    Beyond a megabyte of text and data, each message is cut to 200 characters, without data.
    """
    fields = {"conversation": conversation_id, "user": user_id}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_pins, fields, binary=True)).fetchall()
    if not rows:
        raise NotFound
    pinned = [row for row in rows if row[1] is not None]
    return list(zip((row[0] for row in pinned), shorten(Message(*row[1:]) for row in pinned), strict=True))
