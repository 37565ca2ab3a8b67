"""History: a page of a conversation, or one message, for those who may see it. The cost does not grow with the talk."""

from dataclasses import asdict, dataclass

import orjson

from chat.messages.commit import queries
from chat.messages.message import Message
from chat.messages.window import Window, before
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in ascending order, and whether there are more on either side."""

    messages: list[Message]
    has_before: bool
    has_after: bool

    def encode(self) -> bytes:
        """Its JSON; each message is the same bytes as in the stream."""
        messages = [orjson.Fragment(message.encode()) for message in self.messages]
        return orjson.dumps({"messages": messages, "has_before": self.has_before, "has_after": self.has_after})


async def read_page(pool: Pool, user_id: int, conversation_id: int, window: Window) -> Page:
    """The page that the window shows; raises `NotFound`."""
    asked = {"conversation": conversation_id, "user": user_id} | asdict(window)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_page, asked, binary=True)).fetchall()
    if not rows:
        raise NotFound
    last_seq, messages = rows[0][0], [Message(*row[1:]) for row in rows if row[1] is not None]
    return make_page(messages, 1, last_seq, window)


def make_page(messages: list[Message], first_seq: int, last_seq: int, window: Window) -> Page:
    """The list runs from `first_seq` to `last_seq`, which is 0 when it is empty: they say whether there is more."""
    if messages:
        return Page(messages, messages[0].seq > first_seq, messages[-1].seq < last_seq)
    beyond = window.up > 0  # nothing after the end, else nothing before the beginning
    return Page([], last_seq > 0 and beyond, last_seq > 0 and not beyond)


async def read_message(pool: Pool, user_id: int, conversation_id: int, seq: int) -> Message:
    """One message; raises `NotFound`."""
    page = await read_page(pool, user_id, conversation_id, before(seq + 1, 1))
    if not page.messages or page.messages[0].seq != seq:
        raise NotFound
    return page.messages[0]
