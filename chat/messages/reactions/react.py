"""Reacting, and taking it back. Both are harmless when they are done already."""

from dataclasses import dataclass

from chat.log.append import Change, Log
from chat.messages.reactions.entries import reacted
from chat.messages.refusals import Deleted, TooManyReactions
from chat.messages.scene import find_open_message
from chat.shared.queries import load

queries = load(__file__)
SHOWN = 100  # of the people; beyond them a message tells how many they are


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody is number `place` (0: none) of the `count` who have reacted so; `waiting` is the first not shown."""

    place: int = 0
    count: int = 0
    waiting: int | None = None


async def react(log: Log, most: int, actor_id: int, conversation_id: int, seq: int, emoji: str) -> None:
    """Raises `NotFound`, `NotMember`, `Archived`, `Deleted`; `TooManyReactions` over `most` different ones."""
    async with log.change() as change:
        _, message = await find_open_message(change, conversation_id, actor_id, seq)
        standing = await find_standing(change, actor_id, conversation_id, seq, emoji)
        if message.deleted:
            raise Deleted
        if standing.place:
            return
        if standing.count == 0 and len(message.reactions or ()) >= most:
            raise TooManyReactions
        count = standing.count + 1
        entry = await change.record(reacted(conversation_id, seq, emoji, actor_id, True, count if count > SHOWN else 0))
        added = [conversation_id, seq, emoji, entry.position, actor_id]
        await change.connection.execute(queries.add_reaction, added)


async def unreact(log: Log, actor_id: int, conversation_id: int, seq: int, emoji: str) -> None:
    """Raises `NotFound`, `NotMember`, `Archived`."""
    async with log.change() as change:
        await find_open_message(change, conversation_id, actor_id, seq)
        standing = await find_standing(change, actor_id, conversation_id, seq, emoji)
        if not standing.place:
            return
        count = standing.count - 1
        shown = standing.waiting if standing.place <= SHOWN else None
        told = count if count > SHOWN else 0
        await change.record(reacted(conversation_id, seq, emoji, actor_id, False, told, shown))
        place, run = [conversation_id, seq, emoji], change.connection.execute
        await (run(queries.remove_reaction, [actor_id, *place]) if count else run(queries.drop_reaction, place))


async def find_standing(change: Change, actor_id: int, conversation_id: int, seq: int, emoji: str) -> Standing:
    """The conversation must be locked."""
    asked = [actor_id, conversation_id, seq, emoji]
    row = await (await change.connection.execute(queries.find_reaction, asked)).fetchone()
    return Standing(*row) if row else Standing()
