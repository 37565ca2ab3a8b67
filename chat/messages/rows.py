"""Rows: the message that a post becomes, and the columns in which a batch of them travels."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chat.attention.mentions import Reached
from chat.files.carried import Shown
from chat.messages.draft import Post
from chat.messages.message import Message, format_time
from chat.shared.arrays import numbers, texts


def encode_columns(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """The messages, for `write_messages`."""
    conversations, seqs, positions, authors, client_ids, bodies, moments, replies, threads = zip(*rows, strict=True)
    places = [numbers(column) for column in (conversations, seqs, positions, authors)]
    said = [texts(client_ids), texts(bodies), texts(map(format_time, moments))]
    return [*places, *said, numbers(replies), numbers(threads)]


def to_message(post: Post, seq: int, said_at: datetime, reached: Reached, files: Shown | None) -> Message:
    """What the post becomes."""
    draft = post.draft
    fields = post.conversation_id, seq, post.author_id, draft.body, draft.client_id, said_at
    message = Message(*fields, reply_to=draft.reply_to, thread=draft.thread, files=files)
    return message._replace(mentions=reached.users, mentions_all=reached.everyone) if reached.any else message
