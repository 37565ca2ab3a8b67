"""A message, as everybody sees it: nothing in it depends on the reader, so it is encoded once. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from chat.model.types import format_time

# what stands in the JSON just as it is here, and only when it is something
STATE = ("deleted", "reply_to", "thread", "replies", "last_reply", "pinned", "reactions")
REST = (*STATE, "mentions", "mentions_all", "files")


class Message(NamedTuple):
    """`seq` counts a conversation's messages from 1, without holes. The fields are the columns of `told_messages`.

    `thread` is the message that it answers in that one's own list, which has `replies`; `reply_to` one that it quotes.
    `mentions`: whom it reaches by name; `mentions_all`: it reaches everybody, for it calls `channel` or `here`.
    `files`: what it carries.
    """

    conversation: int
    seq: int
    author: int
    body: str
    client_id: str
    created_at: datetime
    edited_at: datetime | None = None
    deleted: bool = False
    reply_to: int | None = None
    thread: int | None = None
    replies: int = 0
    last_reply: int | None = None
    last_reply_at: datetime | None = None
    pinned: bool = False
    reactions: list[dict[str, object]] | None = None
    mentions: Sequence[int] | None = None
    mentions_all: str | None = None
    files: Sequence[dict[str, object]] | None = None

    def encode(self) -> bytes:
        """Its JSON; what is null, false or empty is left out, for bytes are paid for once a reader."""
        fields: dict[str, object] = {
            "conversation": self.conversation,
            "seq": self.seq,
            "author": self.author,
            "body": self.body,
            "client_id": self.client_id,
            "created_at": format_time(self.created_at),
        }
        if self.edited_at:
            fields["edited_at"] = format_time(self.edited_at)
        if self.last_reply_at:
            fields["last_reply_at"] = format_time(self.last_reply_at)
        for name in REST:
            if value := getattr(self, name):
                fields[name] = value
        return orjson.dumps(fields)

    def to_row(self, position: int) -> tuple[object, ...]:
        """The columns of `write_messages`, where 0 stands for none."""
        place, said = (self.conversation, self.seq, position), (self.author, self.client_id, self.body, self.created_at)
        return *place, *said, self.reply_to or 0, self.thread or 0


BYTES_MOST = 1024 * 1024  # of a page; one message alone may have more
EXCERPT = 200  # characters of a text in a long list that has had its bytes
