"""Reactions. Adding or removing one twice changes nothing."""

from dataclasses import asdict, dataclass

import orjson
from emoji import EMOJI_DATA, STATUS

from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.history import find_open_message
from chat.model.errors import Deleted, TooManyReactions
from chat.model.message import Message
from chat.shared.errors import Invalid
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

    Raise `NotFound`, `NotMember`, `Archived`, `Deleted`, or `TooManyReactions` at `most` different ones.
    """
    async with log.change() as change:
        message, state = await find_state(change, reaction)
        if message.deleted:
            raise Deleted
        if state.number:
            return
        if state.count == 0 and len(message.reactions or ()) >= most:
            raise TooManyReactions
        entry = await change.record(reaction.recorded(True, state.count + 1))
        added = {"position": entry.position, "author": message.author, "now": await change.now()}
        await change.connection.execute(queries.add_reaction, reaction.fields(**added))
        await change.connection.execute(queries.show_reactions, reaction.fields())


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


def parse_emoji(text: str) -> str:
    """Return the emoji as Unicode spells it; raise `Invalid`."""
    if len(text) > MOST or (emoji := SPELLINGS.get(strip_selectors(text))) is None:
        raise Invalid(errors=[{"field": "emoji", "detail": "must be exactly one emoji"}])
    return emoji
