"""Reactions and pins: marks that every member may put on a message. Doing it twice changes nothing."""

import re
from dataclasses import asdict, dataclass

import orjson
from emoji import EMOJI_DATA, STATUS

from chat.accounts.validation import EMOJI_NAME
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.history import find_open_message
from chat.model.errors import Deleted, TooManyPins, TooManyReactions
from chat.model.message import Message, shorten
from chat.shared.errors import Invalid, NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
SHOWN = 100  # users that a message names for each emoji; beyond them it has a count


@dataclass(frozen=True, slots=True)
class Reaction:
    """The emoji of one user on a message. The fields are those of its entry."""

    conversation: int
    seq: int
    emoji: str
    user: int

    def recorded(self, on: bool, count: int, shown: int | None = None) -> Unplaced:
        """Build the entry. `count`: users with this reaction now.

        `shown`: the user who is named now instead of the one who removed the reaction.
        """
        more = {"count": count if count > SHOWN else None, "shown": shown}
        data = asdict(self) | {"on": on} | {name: value for name, value in more.items() if value}
        return Unplaced("reaction", self.conversation, data=orjson.dumps(data))

    def fields(self, **more: object) -> dict[str, object]:
        """Return the parameters of the queries."""
        return asdict(self) | {"most": SHOWN} | more


@dataclass(frozen=True, slots=True)
class ReactionState:
    """The user is number `number` (0: none) of `count` with this reaction. `waiting` is the first who is not named."""

    number: int = 0
    count: int = 0
    waiting: int | None = None


async def react(log: Log, most: int, reaction: Reaction) -> None:
    """Add a reaction.

    Raise `NotFound`, `NotMember`, `Archived`, `Deleted`, `TooManyReactions` at `most` different ones, or `Invalid` for
    a custom emoji that does not exist.
    """
    async with log.change() as change:
        message, state = await find_state(change, reaction)
        if message.deleted:
            raise Deleted
        if state.number:
            return
        if state.count == 0 and len(message.reactions or ()) >= most:
            raise TooManyReactions
        if state.count == 0 and reaction.emoji.startswith(":"):
            await require_custom(change, reaction.emoji)
        entry = await change.record(reaction.recorded(True, state.count + 1))
        added = {"position": entry.position, "author": message.author, "now": await change.now()}
        await change.connection.execute(queries.add_reaction, reaction.fields(**added))
        await change.connection.execute(queries.show_reactions, reaction.fields())


async def require_custom(change: Change, emoji: str) -> None:
    """Raise `Invalid` if the custom emoji does not exist. Others may still join a reaction with a removed one."""
    if await (await change.connection.execute(queries.find_custom, [emoji.strip(":")])).fetchone() is None:
        raise Invalid(errors=[{"field": "emoji", "detail": "must be the name of a custom emoji of this server"}])


async def unreact(log: Log, reaction: Reaction) -> None:
    """Remove a reaction. Raise `NotFound`, `NotMember` or `Archived`."""
    async with log.change() as change:
        _, state = await find_state(change, reaction)
        if not state.number:
            return
        count, shown = state.count - 1, state.waiting if state.number <= SHOWN else None
        await change.record(reaction.recorded(False, count, shown))
        await change.connection.execute(queries.remove_reaction if count else queries.drop_reaction, reaction.fields())
        await change.connection.execute(queries.show_reactions, reaction.fields())


async def find_state(change: Change, reaction: Reaction) -> tuple[Message, ReactionState]:
    """Return the message, locked with its conversation, and the state of the user's reaction."""
    _, message = await find_open_message(change, reaction.conversation, reaction.user, reaction.seq)
    row = await (await change.connection.execute(queries.find_reaction, reaction.fields())).fetchone()
    return message, ReactionState(*row) if row else ReactionState()


# Pins.


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


# Emoji: which text is one, and its standard spelling.

SELECTOR = "\ufe0f"  # asks for the picture; keyboards may leave it out


def strip_selectors(text: str) -> str:
    """Return the text without variation selectors."""
    return text.replace(SELECTOR, "")


# Unicode's own list: a skin tone alone is not an emoji, a family joined by ZWJ is. The longest have ten code points.
SPELLINGS = {
    strip_selectors(text): text for text, facts in EMOJI_DATA.items() if facts["status"] == STATUS["fully_qualified"]
}
MOST = max(map(len, SPELLINGS.values())) * 2


CUSTOM_EMOJI = re.compile(f":{EMOJI_NAME.pattern}:")


def parse_emoji(text: str, *, custom: bool = False) -> str:
    """Return the emoji as Unicode spells it, or `:name:` if `custom` ones are allowed; raise `Invalid`."""
    if custom and CUSTOM_EMOJI.fullmatch(text):
        return text
    if len(text) > MOST or (emoji := SPELLINGS.get(strip_selectors(text))) is None:
        raise Invalid(errors=[{"field": "emoji", "detail": "must be exactly one emoji"}])
    return emoji
