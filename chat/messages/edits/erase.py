"""Erasing: what somebody has taken back is taken out of the log as well, where it waits for those who were away."""

from chat.log.append import Change
from chat.messages.edits.erased import Said, erase
from chat.messages.edits.kept import queries


async def erase_frames(change: Change, conversation_id: int, seq: int, said: Said | None) -> None:
    """The message's own entry and its edits up to here say this from now on; None: it is a tombstone.

    To be called under the log's head, before the entry that tells of it.
    """
    asked = {"conversation": conversation_id, "seq": seq}
    rows = await (await change.connection.execute(queries.find_frames, asked, binary=True)).fetchall()
    erased = [(position, erase(frame, said)) for position, frame in rows if frame]
    if erased:
        await change.connection.execute(queries.replace_frames, [*map(list, zip(*erased, strict=True))])
