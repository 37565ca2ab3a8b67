"""History: pages of a conversation, and single messages. The cost does not depend on the length of the conversation."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import orjson

from chat.conversations.memberships import lock_access
from chat.conversations.permissions import Access
from chat.log.append import Change
from chat.model.message import BYTES_MOST, PREVIEWS_MOST, Message
from chat.model.types import format_time
from chat.shared.errors import NotFound
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load, numbers

queries = load(__file__)
PAGE_QUERY = queries.read_page  # benchmarks explain it

# Windows: the part of a conversation to read, by seq, in three directions.

END = 2**53  # above every seq
Place = tuple[int, int]  # conversation, seq


@dataclass(frozen=True, slots=True)
class Window:
    """Up to `down` messages with a smaller seq than `below`, and up to `up` with a greater one than `above`."""

    below: int
    down: int
    above: int
    up: int


def newest(limit: int) -> Window:
    """Return the window at the end of the conversation."""
    return before(END, limit)


def before(seq: int, limit: int) -> Window:
    """Return the window before message `seq`."""
    return Window(below=seq, down=limit, above=END, up=0)


def after(seq: int, limit: int) -> Window:
    """Return the window after message `seq`."""
    return Window(below=0, down=0, above=seq, up=limit)


def around(seq: int, limit: int) -> Window:
    """Return the window around message `seq`, with about as many messages on each side."""
    up = (limit - 1) // 2
    return Window(below=seq + 1, down=limit - up, above=seq, up=up)


DIRECTIONS = {"before": before, "after": after, "around": around}


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in ascending order, and whether there are more on either side."""

    messages: list[Message]
    has_before: bool
    has_after: bool

    def encode(self) -> bytes:
        """Return the JSON. Each message is the same bytes as in the stream."""
        messages = [orjson.Fragment(message.encode()) for message in self.messages]
        return orjson.dumps({"messages": messages, "has_before": self.has_before, "has_after": self.has_after})


async def read_page(pool: Pool, user_id: int, conversation_id: int, window: Window, type_: str | None = None) -> Page:
    """Return the page that the window selects; raise `NotFound` if the user may not read the conversation.

    `type_`: only messages of this type. Their index is read, so a rare type costs no more.
    """
    fields = {"conversation": conversation_id, "user": user_id} | asdict(window)
    if type_ is not None:
        return await read_typed(pool, fields | {"type": type_}, window)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_page, fields, binary=True)).fetchall()
    if not rows:
        raise NotFound
    last_seq, messages = rows[0][0], [Message(*row[1:]) for row in rows if row[1] is not None]
    return make_page(messages, 1, last_seq, window)


async def read_typed(pool: Pool, fields: dict[str, object], window: Window) -> Page:
    """Return the page of the messages of one type; raise `NotFound`."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_typed, fields, binary=True)).fetchall()
    if not rows:
        raise NotFound
    first, last = rows[0][:2]
    return make_page([Message(*row[2:]) for row in rows if row[2] is not None], first or 0, last or 0, window)


def make_page(messages: list[Message], first_seq: int, last_seq: int, window: Window) -> Page:
    """Build a page of a list that runs from `first_seq` to `last_seq`; `last_seq` is 0 if the list is empty."""
    messages = trim(messages, window.above)
    if messages:
        return Page(messages, messages[0].seq > first_seq, messages[-1].seq < last_seq)
    beyond = window.up > 0  # then there is more on the other side only
    return Page([], last_seq > 0 and beyond, last_seq > 0 and not beyond)


def trim(messages: list[Message], above: int) -> list[Message]:
    """Drop messages from the ends of the page until it has about `BYTES_MOST`.

    Those farthest from the point where the two directions of the window meet go first.
    """
    letters = sum(len(message.body) + len(message.data or "") for message in messages)
    letters += sum(PREVIEWS_MOST for message in messages if message.previews)
    if 4 * letters <= BYTES_MOST:  # a character has at most four bytes
        return messages
    split = bisect_right(messages, above, key=lambda message: message.seq)
    start, end, size = split, split, 0
    while start > 0 or end < len(messages):
        down = end == len(messages) or (start > 0 and split - start <= end - split)
        size += len(messages[start - 1 if down else end].encode())
        if size > BYTES_MOST and start < end:
            break
        start, end = (start - 1, end) if down else (start, end + 1)
    return messages[start:end]


async def read_message(pool: Pool, user_id: int, conversation_id: int, seq: int) -> Message:
    """Return a message; raise `NotFound`."""
    page = await read_page(pool, user_id, conversation_id, before(seq + 1, 1))
    if not page.messages or page.messages[0].seq != seq:
        raise NotFound
    return page.messages[0]


async def read_messages(connection: Connection, places: Collection[Place]) -> dict[Place, Message]:
    """Return these messages, as all readers see them, by conversation and seq. Access is not checked."""
    columns = [numbers(place[0] for place in places), numbers(place[1] for place in places)]
    rows = await (await connection.execute(queries.read_messages, columns, binary=True)).fetchall()
    return {(row[0], row[1]): Message(*row) for row in rows}


# Cards: excerpts of messages that other messages link to or forward. One request asks for all of a page.

CARD_TEXT = 400  # characters
CARDS_MOST = 100  # of each kind in one request


async def read_cards(
    pool: Pool, user_id: int, only: Sequence[int] | None, links: Collection[Place], forwards: Collection[Place]
) -> dict[str, list[dict[str, object]]]:
    """Return `{messages: [card], forwards: [{conversation, seq, original: card}]}`.

    `links`: places of messages; `forwards`: places of messages that forward others. What the user may not read, what is
    deleted and what does not exist is left out alike. `only`: the conversations of a limited API key; None for all.
    """
    columns = {"conversations": [one[0] for one in links], "seqs": [one[1] for one in links]}
    columns |= {"of": [one[0] for one in forwards], "seqs_of": [one[1] for one in forwards]}
    async with pool.connection() as connection:
        asked = columns | {"user": user_id, "only": only, "most": CARD_TEXT}
        rows = await (await connection.execute(queries.read_cards, asked)).fetchall()
    shown: dict[str, list[dict[str, object]]] = {"messages": [], "forwards": []}
    for of, seq_of, conversation_id, seq, author, created_at, text, files, channel in rows:
        card = {"conversation": conversation_id, "seq": seq, "author": author}
        card |= {"created_at": format_time(created_at), "text": text}
        card |= {name: value for name, value in (("files", files), ("channel", channel)) if value}
        if of is None:
            shown["messages"].append(card)
        else:
            shown["forwards"].append({"conversation": of, "seq": seq_of, "original": card})
    return shown


# A message to be changed, with the actor's access. Both stay locked until the commit.


async def find_message(change: Change, conversation_id: int, actor_id: int, seq: int) -> tuple[Access, Message]:
    """Lock the conversation, and return the access of the member and the message. Raise `NotFound` or `NotMember`."""
    place, access = (conversation_id, seq), await lock_access(change, conversation_id, actor_id)
    access.require_member()
    if (message := (await read_messages(change.connection, [place])).get(place)) is None:
        raise NotFound
    return access, message


async def find_open_message(change: Change, conversation_id: int, actor_id: int, seq: int) -> tuple[Access, Message]:
    """Do what `find_message` does; raise `Archived` as well."""
    access, message = await find_message(change, conversation_id, actor_id, seq)
    access.require_open()
    return access, message
