"""Reacting, and taking it back. Both are harmless when they are done already."""

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

# A reaction: one person's emoji under one message. Pure.

SHOWN = 100  # of the people who react alike; beyond them a message tells how many they are


@dataclass(frozen=True, slots=True)
class Reaction:
    """Its fields are those of its entry."""

    conversation: int
    seq: int
    emoji: str
    user: int

    def recorded(self, on: bool, count: int, shown: int | None = None) -> Unplaced:
        """What the log says. `count`: how many they are now; `shown`: who is shown now in place of this person."""
        more = {"count": count if count > SHOWN else None, "shown": shown}
        data = asdict(self) | {"on": on} | {name: value for name, value in more.items() if value}
        return Unplaced("reaction", self.conversation, data=orjson.dumps(data))

    def asked(self, **more: int) -> dict[str, object]:
        """For the queries."""
        return asdict(self) | {"most": SHOWN} | more


@dataclass(frozen=True, slots=True)
class ReactionState:
    """Somebody is number `place` (0: none) of the `count` who react alike; `waiting` is the first who is not shown."""

    place: int = 0
    count: int = 0
    waiting: int | None = None


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


async def find_standing(change: Change, reaction: Reaction) -> tuple[Message, ReactionState]:
    """The message, locked with its conversation, and how the person stands to it."""
    _, message = await find_open_message(change, reaction.conversation, reaction.user, reaction.seq)
    row = await (await change.connection.execute(queries.find_reaction, reaction.asked())).fetchone()
    return message, ReactionState(*row) if row else ReactionState()


# Emoji: which text is one, and its one spelling. Pure.

SELECTOR = "\ufe0f"  # asks for the picture; people and keyboards leave it out at will


def strip(text: str) -> str:
    """What is left of the spelling when it is not looked at closely."""
    return text.replace(SELECTOR, "")


# By Unicode's own list: a skin tone alone is none, a family joined by ZWJ is one; the longest have ten code points.
SPELLINGS = {strip(text): text for text, facts in EMOJI_DATA.items() if facts["status"] == STATUS["fully_qualified"]}

MOST = max(map(len, SPELLINGS.values())) * 2


def parse_emoji(text: str) -> str:
    """The emoji as Unicode writes it; raises `Invalid`."""
    if len(text) > MOST or (emoji := SPELLINGS.get(strip(text))) is None:
        raise Invalid(errors=[{"field": "emoji", "detail": "one emoji, nothing else"}])
    return emoji
