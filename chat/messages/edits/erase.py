"""Erasing: a text that was edited or deleted is replaced in the log too, where readers that were away still find it."""

from chat.log.append import Change
from chat.log.redaction import WITHHELD, Said, erase
from chat.shared.queries import load

queries = load(__file__)


async def erase_frames(change: Change, conversation_id: int, seq: int, said: Said | None) -> None:
    """Replace the text in the message's own entry and in its edits up to now by `said`; None leaves a tombstone.

    An entry that a stay covers which has ended since gets no text at all: users who have left the conversation were
    addressed by it, and must not learn what was written after they left. Call this under the log's head, before the
    entry that tells of the change.
    """
    asked = {"conversation": conversation_id, "seq": seq}
    rows = await (await change.connection.execute(queries.find_frames, asked, binary=True)).fetchall()
    erased = [
        (position, erase(frame, WITHHELD if outside and said else said)) for position, frame, outside in rows if frame
    ]
    if erased:
        await change.connection.execute(queries.replace_frames, [*map(list, zip(*erased, strict=True))])
