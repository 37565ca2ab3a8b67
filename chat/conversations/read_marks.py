"""Read marks: how far each person has read. They move often, so many share a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat.conversations.views import read_view
from chat.log.append import Change, Log
from chat.model.errors import NotMember, TooManyReaders
from chat.model.events import MovedMark, given_receipt, moved_mark
from chat.shared.batching import Batcher
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

BATCH = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """This person has read this conversation up to `seq`."""

    conversation_id: int
    user_id: int
    seq: int


class ReadMarks:
    """The one mover of marks of a node. `receipts_most`: in larger conversations nobody sees how far others are."""

    def __init__(self, log: Log, waiting_most: int, receipts_most: int) -> None:
        self._log, self._receipts_most = log, receipts_most
        self._gather = Batcher[Mark, None](self._move, batch=BATCH, limit=waiting_most)
        self.run, self.waiting = self._gather.run, self._gather.waiting

    async def move(self, mark: Mark) -> None:
        """Forward, as far as there are messages; raises `NotFound`, `NotMember`, `Overloaded`."""
        await self._gather.submit(mark)

    async def _move(self, marks: list[Mark]) -> Sequence[Exception | None]:
        async with self._log.change() as change:
            outcomes = await judge_marks(change, marks)
            await change.now()  # what is left beyond a mark is counted at its entry's position
            for moved in await store_marks(change, marks, self._receipts_most):
                await change.record(moved_mark(moved))
                if moved.shown:
                    await change.record(given_receipt(moved))
        return outcomes


async def judge_marks(change: Change, marks: Sequence[Mark]) -> list[Exception | None]:
    """Lock the conversations in id order, as posts do, and see who is a member."""
    conversations = [mark.conversation_id for mark in marks]
    run = change.connection.execute
    locked = await run(queries.lock_conversations, [sorted(set(conversations))])
    members = await run(queries.find_members, [conversations, [mark.user_id for mark in marks]])
    public: dict[int, bool] = dict(await locked.fetchall())
    inside = {n - 1 for (n,) in await members.fetchall()}
    return [
        None if n in inside else NotMember() if public.get(mark.conversation_id) else NotFound()
        for n, mark in enumerate(marks)
    ]


async def store_marks(change: Change, marks: Sequence[Mark], receipts_most: int) -> list[MovedMark]:
    """Those that really moved. Of several marks in one place the furthest counts."""
    furthest: dict[tuple[int, int], int] = {}
    for mark in marks:
        place = mark.conversation_id, mark.user_id
        furthest[place] = max(mark.seq, furthest.get(place, 0))
    asked = {
        "conversations": [place[0] for place in furthest],
        "users": [place[1] for place in furthest],
        "seqs": list(furthest.values()),
        "most": receipts_most,
    }
    rows = await (await change.connection.execute(queries.move_read_marks, asked)).fetchall()
    return [MovedMark(*row) for row in rows]


# Receipts: how far the others have read, in conversations of few. They are sent where read marks move.


async def list_receipts(pool: Pool, user_id: int, conversation_id: int, most: int) -> list[tuple[int, int]]:
    """`(user, seq)` of the others who show it, and have read something. Raises `NotFound`, `NotMember`,
    `TooManyReaders`."""
    view = await read_view(pool, user_id, conversation_id)
    if view.role is None:
        raise NotMember
    async with pool.connection() as connection:
        asked = {"conversation": conversation_id, "user": user_id, "most": most + 1}
        rows = await (await connection.execute(queries.list_receipts, asked)).fetchall()
    if len(rows) > most:
        raise TooManyReaders
    return [(row[0], row[1]) for row in rows if row[1] is not None]
