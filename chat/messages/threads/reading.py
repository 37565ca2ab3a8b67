"""Reading threads: the replies to one message, or what a person follows."""

from dataclasses import asdict, dataclass, replace
from itertools import accumulate

import orjson

from chat.log.entry import Cursor
from chat.messages.history import BYTES_MOST, EXCERPT, Page, make_page
from chat.messages.message import Message
from chat.messages.window import Window
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound
from chat.shared.queries import load

queries = load(__file__)

MOST = 200


@dataclass(frozen=True, slots=True)
class Followed:
    """A thread as somebody who follows it has read it; `unread` counts what others wrote, up to 1,000."""

    read_seq: int
    unread: int
    root: Message

    def to_json(self) -> dict[str, object]:
        """For `orjson.dumps`."""
        return {"message": orjson.Fragment(self.root.encode()), "read_seq": self.read_seq, "unread": self.unread}


async def read_replies(pool: Pool, user_id: int, conversation_id: int, root_seq: int, window: Window) -> Page:
    """The page of replies that the window shows; raises `NotFound`."""
    asked = {"conversation": conversation_id, "root": root_seq, "user": user_id} | asdict(window)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_replies, asked, binary=True)).fetchall()
    if not rows:
        raise NotFound
    first, last = rows[0][:2]
    return make_page([Message(*row[2:]) for row in rows if row[2] is not None], first or 0, last or 0, window)


async def list_threads(pool: Pool, user_id: int) -> tuple[list[Followed], Cursor]:
    """Return the threads that the user follows, up to 200, and the cursor at which a stream continues them.

    Beyond a megabyte of texts, the first 200 characters of each must do.
    """
    asked = {"user": user_id, "most": MOST}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_threads, asked, binary=True)).fetchall()
    threads = [Followed(row[2], row[3], Message(*row[4:])) for row in rows if row[2] is not None]
    texts = accumulate(len(thread.root.body.encode()) for thread in threads)
    short = [
        thread if size <= BYTES_MOST else replace(thread, root=thread.root._replace(body=thread.root.body[:EXCERPT]))
        for thread, size in zip(threads, texts, strict=True)
    ]
    return short, Cursor(*rows[0][:2])
