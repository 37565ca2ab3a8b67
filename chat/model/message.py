"""A message as all readers see it. Nothing in it depends on the reader, so it is encoded once. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from chat.model.types import format_time

# copied to the JSON as they are, if they are not empty
STATE = ("deleted", "reply_to", "thread", "replies", "last_reply", "pinned", "reactions")
REST = (*STATE, "mentions", "mentions_all", "files", "type", "streaming", "state", "previews")


class Message(NamedTuple):
    """A message, with the fields of `displayed_messages`. `seq` numbers those of a conversation from 1, without holes.

    `thread` is the root of the thread that it replies in; a root counts its `replies`. `reply_to` is a quoted message.
    `mentions`: the users that it mentions by name; `mentions_all`: it mentions all members, as `channel` or `here`.
    `type` and `data` are an application's own; `data` is the text of a JSON object.
    `streaming`: its text is still being written; `state`: how that ended (`complete`, `cancelled`, `failed`).
    `previews`: what pages that it links to are about, each with `url`, and `title`, `description` or `site`.
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
    type: str | None = None
    data: str | None = None
    streaming: bool = False
    state: str | None = None
    previews: Sequence[dict[str, object]] | None = None

    def encode(self) -> bytes:
        """Return the JSON. Null, false and empty fields are left out, because each byte is sent to every reader."""
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
        if self.data:
            fields["data"] = orjson.Fragment(self.data)
        return orjson.dumps(fields)

    def to_row(self, position: int) -> tuple[object, ...]:
        """Return the columns of `write_messages`, with 0 for none."""
        content = self.author, self.client_id, self.body, format_time(self.created_at)
        return self.conversation, self.seq, position, *content, self.reply_to or 0, self.thread or 0


BYTES_MOST = 1024 * 1024  # of a page, unless one message alone is larger
EXCERPT = 200  # characters of each further text in a list that has used up its bytes
PREVIEWS_MOST = 9_000  # characters of the previews of a message


def shorten(messages: Iterable[Message]) -> list[Message]:
    """Return the messages; those beyond a megabyte of text and data are cut to 200 characters, without data."""
    size, short = 0, []
    for message in messages:
        size += len(message.body.encode()) + len((message.data or "").encode()) + len(orjson.dumps(message.previews))
        if size > BYTES_MOST:
            message = message._replace(body=message.body[:EXCERPT], data=None, previews=None)
        short.append(message)
    return short
