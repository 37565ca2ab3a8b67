"""Where a stream starts: at its cursor, or, when that cursor means nothing here, at the log's end with a reset."""

import random
from dataclasses import dataclass
from typing import Literal

import orjson

from chat.log.entry import BadCursor, Cursor, encode_frame, encode_notice, parse_cursor

ResetReason = Literal["too_old", "other_epoch", "bad_cursor"]


@dataclass(frozen=True, slots=True)
class Start:
    """`resumed`: a cursor was given and holds; `reset`: why it does not."""

    cursor: Cursor
    resumed: bool = False
    reset: ResetReason | None = None


def choose_start(text: str | None, end: Cursor, floor: int, head: int) -> Start:
    """`text`: the cursor as the reader gave it; `end`: where this node is; `head`: where the log is."""
    if not text:
        return Start(end)
    try:
        cursor = parse_cursor(text)
    except BadCursor:
        return Start(end, reset="bad_cursor")
    if cursor.epoch != end.epoch:
        return Start(end, reset="other_epoch")
    if cursor.position > head:
        return Start(end, reset="bad_cursor")
    if cursor.position < floor:
        return Start(end, reset="too_old")
    return Start(cursor, resumed=True)


def encode_start(start: Start, node: str, head: Cursor, user_id: int) -> bytes:
    """The first frames of a stream: from where to where it replays first (`cursor` to `head`), and for whom.

    `retry` is spread, so that readers who lose a node do not return together.
    """
    ready = {
        "cursor": str(start.cursor),
        "head": str(max(head, start.cursor, key=lambda one: one.position)),
        "node": node,
        "resumed": start.resumed,
        "user": user_id,
    }
    first = b"retry: %d\n" % random.randint(1000, 3000)
    first += encode_frame(str(start.cursor), "ready", orjson.dumps(ready))
    return first + encode_reset(start) if start.reset else first


def encode_reset(start: Start) -> bytes:
    """Tells the reader to read its snapshot again, and to go on from the snapshot's cursor."""
    return encode_notice("reset", orjson.dumps({"cursor": str(start.cursor), "reason": start.reset}))
