"""Read marks: how far each member has read. They move often, so many of them share a transaction.

They move forward only, except on request: a user can mark messages as unread again. What clients mark as read by
themselves is then ignored up to the last message of that time, so a late mark of another device cannot undo the
request. The messages stay unread until the user asks to read them, posts, or reads a later message.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chat.conversations.memberships import lock_access
from chat.conversations.views import find_view
from chat.log.append import Change, Log
from chat.model.conversation import MovedMark, given_receipt, moved_mark
from chat.model.errors import NotMember, TooManyReaders
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.tasks import Batcher

queries = load(__file__)
BATCH = 500
UNREAD_MOST = 10_000  # the last messages of a conversation, which can be marked as unread


@dataclass(frozen=True, slots=True)
class Mark:
    """A user has read a conversation up to `seq`."""

    conversation_id: int
    user_id: int
    seq: int


class ReadMarks:
    """A node's queue of read marks to move.

    `receipts_most`: larger conversations have no read receipts.
    """

    def __init__(self, log: Log, waiting_most: int, receipts_most: int) -> None:
        self._log, self._receipts_most = log, receipts_most
        self._batcher = Batcher[Mark, None](self._move, batch=BATCH, limit=waiting_most)
        self.run, self.waiting = self._batcher.run, self._batcher.waiting

    async def move(self, mark: Mark) -> None:
        """Move the mark forward, at most to the last message. Raise `NotFound`, `NotMember`, `Overloaded`."""
        await self._batcher.submit(mark)

    async def end_unread(self, mark: Mark) -> None:
        """Mark as read on request, also what the user has marked as unread. Raise as `move` does."""
        async with self._log.change() as change:
            if error := (await validate_marks(change, [mark]))[0]:
                raise error
            fields = {"conversation": mark.conversation_id, "user": mark.user_id, "seq": mark.seq}
            await change.connection.execute(queries.end_unread, fields)
            await self._record(change, [mark])

    async def _move(self, marks: list[Mark]) -> Sequence[Exception | None]:
        async with self._log.change() as change:
            outcomes = await validate_marks(change, marks)
            await self._record(change, marks)
        return outcomes

    async def _record(self, change: Change, marks: Sequence[Mark]) -> None:
        await change.now()  # the unread count is that at the entry's position
        for moved in await store_marks(change, marks, self._receipts_most):
            await change.record(moved_mark(moved))
            if moved.shown:
                await change.record(given_receipt(moved))


async def mark_unread(log: Log, mark: Mark) -> None:
    """Mark the messages after `seq` as unread, at most the last 10,000. Raise `NotFound` or `NotMember`.

    Nothing becomes read by it, and the receipts that others have stay.
    """
    async with log.change() as change:
        access = await lock_access(change, mark.conversation_id, mark.user_id)
        access.require_member()
        last_seq, run = access.conversation.last_seq, change.connection.execute
        seq = min(max(mark.seq, last_seq - UNREAD_MOST), last_seq)
        own = await (await run(queries.count_own, [mark.conversation_id, mark.user_id, seq])).fetchone()
        assert own is not None
        await change.now()  # the counts are those at the entry's position
        place = {"conversation": mark.conversation_id, "user": mark.user_id, "seq": seq, "last_seq": last_seq}
        row = await (await run(queries.mark_unread, place | {"own": own[0]})).fetchone()
        assert row is not None
        conversation_id, user_id, read_seq, unread, mentions = row
        marked = read_seq < last_seq
        moved = MovedMark(conversation_id, user_id, read_seq, unread, mentions, shown=False, marked_unread=marked)
        await change.record(moved_mark(moved))


async def validate_marks(change: Change, marks: Sequence[Mark]) -> list[Exception | None]:
    """Lock the conversations in id order, as posts do, and return the error of each mark, None for a valid one."""
    conversations = [mark.conversation_id for mark in marks]
    run = change.connection.execute
    locked = await run(queries.lock_conversations, [sorted(set(conversations))])
    members = await run(queries.find_members, [conversations, [mark.user_id for mark in marks]])
    public: dict[int, bool] = dict(await locked.fetchall())
    valid = {n - 1 for (n,) in await members.fetchall()}
    return [
        None if n in valid else NotMember() if public.get(mark.conversation_id) else NotFound()
        for n, mark in enumerate(marks)
    ]


async def store_marks(change: Change, marks: Sequence[Mark], receipts_most: int) -> list[MovedMark]:
    """Return the marks that moved. Of several marks of a user in one conversation the furthest counts."""
    furthest: dict[tuple[int, int], int] = {}
    for mark in marks:
        membership = mark.conversation_id, mark.user_id
        furthest[membership] = max(mark.seq, furthest.get(membership, 0))
    asked = {
        "conversations": [conversation_id for conversation_id, _ in furthest],
        "users": [user_id for _, user_id in furthest],
        "seqs": list(furthest.values()),
        "most": receipts_most,
    }
    rows = await (await change.connection.execute(queries.move_read_marks, asked)).fetchall()
    return [MovedMark(*row) for row in rows]


async def list_receipts(pool: Pool, user_id: int, conversation_id: int, most: int) -> list[tuple[int, int]]:
    """Return `(user, seq)` of the other members who share receipts and have read something.

    Raise `NotFound`, `NotMember`, `TooManyReaders`.
    """
    view = await find_view(pool, user_id, conversation_id)
    if view.role is None:
        raise NotMember
    async with pool.connection() as connection:
        asked = {"conversation": conversation_id, "user": user_id, "most": most + 1}
        rows = await (await connection.execute(queries.list_receipts, asked)).fetchall()
    if len(rows) > most:
        raise TooManyReaders
    return [(row[0], row[1]) for row in rows if row[1] is not None]
