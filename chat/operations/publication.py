"""Publishing the log to another system (POSTS_TO): a subscription to all entries whose receiver is a broker."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chat.log.entry import Entry, decode_frame, in_epoch
from chat.log.redaction import erase_among
from chat.log.subscriptions import ReaderKind, Receive
from chat.shared.bus import kind_of, split_queue
from chat.shared.message_queue import Outgoing, open_outlet
from chat.shared.redis import UNAVAILABLE

QUEUE = "queue"


def target_of(url: str) -> str:
    """Return the name of the subscription that publishes to this exchange. It has no password."""
    return f"{kind_of(url)}:{split_queue(url)[1]}"


def publication_kind(url: str) -> ReaderKind:
    """Return how nodes publish to this exchange: one of them at a time, as long as it lives."""

    @asynccontextmanager
    async def connect(_target: str) -> AsyncIterator[Receive]:
        async with open_outlet(url) as outlet:

            async def publish(entries: Sequence[Entry], epoch: str) -> None:
                """Return when the broker has stored the entries. Changes within the page are applied first."""
                shown = [to_outgoing(entry, epoch) for entry in erase_among(entries, entries) if entry.frame]
                if shown:
                    await outlet.publish(shown)

            yield publish

    return ReaderKind(QUEUE, connect, (target_of(url),), idle=1.0, tenure=float("inf"), failures=UNAVAILABLE)


def to_outgoing(entry: Entry, epoch: str) -> Outgoing:
    """Return the message for an entry. Its key says to whom the entry is addressed, and its event."""
    cursor, event, data = decode_frame(in_epoch(entry.frame, epoch))
    if entry.user_id is not None:
        key, headers = f"user.{entry.user_id}.{event}", {"user": str(entry.user_id)}
    elif entry.conversation_id is not None:
        key, headers = f"conversation.{entry.conversation_id}.{event}", {"conversation": str(entry.conversation_id)}
    else:
        key, headers = f"all.{event}", {}
    return Outgoing(cursor, key, headers | {"event": event, "position": str(entry.position)}, data)
