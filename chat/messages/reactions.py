"""Reacting, and taking it back. Both are harmless when they are done already."""

from chat.log.append import Change, Log
from chat.messages.message import Message
from chat.messages.reactions.reaction import SHOWN, Reaction, Standing
from chat.messages.refusals import Deleted, TooManyReactions
from chat.messages.scene import find_open_message
from chat.shared.queries import load

queries = load(__file__)


async def react(log: Log, most: int, reaction: Reaction) -> None:
    """Raises `NotFound`, `NotMember`, `Archived`, `Deleted`; `TooManyReactions` over `most` different ones."""
    async with log.change() as change:
        message, standing = await find_standing(change, reaction)
        if message.deleted:
            raise Deleted
        if standing.place:
            return
        if standing.count == 0 and len(message.reactions or ()) >= most:
            raise TooManyReactions
        entry = await change.record(reaction.recorded(True, standing.count + 1))
        await change.connection.execute(queries.add_reaction, reaction.asked(position=entry.position))
        await change.connection.execute(queries.show_reactions, reaction.asked())


async def unreact(log: Log, reaction: Reaction) -> None:
    """Raises `NotFound`, `NotMember`, `Archived`."""
    async with log.change() as change:
        _, standing = await find_standing(change, reaction)
        if not standing.place:
            return
        left, shown = standing.count - 1, standing.waiting if standing.place <= SHOWN else None
        await change.record(reaction.recorded(False, left, shown))
        await change.connection.execute(queries.remove_reaction if left else queries.drop_reaction, reaction.asked())
        await change.connection.execute(queries.show_reactions, reaction.asked())


async def find_standing(change: Change, reaction: Reaction) -> tuple[Message, Standing]:
    """The message, locked with its conversation, and how the person stands to it."""
    _, message = await find_open_message(change, reaction.conversation, reaction.user, reaction.seq)
    row = await (await change.connection.execute(queries.find_reaction, reaction.asked())).fetchone()
    return message, Standing(*row) if row else Standing()
