"""Memberships: every query is limited to the conversations that the user belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass

from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.tasks import Batcher

queries = load(__file__)

# Intervals: which conversations a user belonged to, between which log positions, and what they may read of them. Pure.
# The rule of `deploy/decisions/0043-reading-rule.md` for entries of the log; `chat/stream/resume.sql` has it in SQL.


@dataclass(frozen=True, slots=True)
class Interval:
    """A membership from position `since` (the entry that began it) to `until` (the one that ended it), inclusive."""

    conversation_id: int
    since: int
    until: int | None


class MembershipIntervals:
    """The membership intervals of a user, as of a log position."""

    def __init__(self, position: int, intervals: Iterable[Interval]) -> None:
        self.position = position
        self._intervals: dict[int, list[Interval]] = {}
        for one in intervals:
            self._intervals.setdefault(one.conversation_id, []).append(one)

    def begin(self, conversation_id: int, position: int) -> None:
        """Begin an interval, unless it is known already."""
        if position > self.position:
            self._intervals.setdefault(conversation_id, []).append(Interval(conversation_id, position, None))
            self.position = position

    def end(self, conversation_id: int, position: int) -> None:
        """End the current interval."""
        if position > self.position:
            intervals = self._intervals.get(conversation_id, [])
            self._intervals[conversation_id] = [
                Interval(one.conversation_id, one.since, position) if one.until is None else one for one in intervals
            ]
            self.position = position

    def belongs(self, conversation_id: int) -> bool:
        """Return whether the user is a member now."""
        return any(one.until is None for one in self._intervals.get(conversation_id, ()))

    def may_read(self, conversation_id: int, position: int) -> bool:
        """Return whether a replay hands over the entry at `position`, which is addressed to all members.

        Members read what was addressed to them, also in earlier intervals. Former members read only the entries that
        ended their intervals.
        """
        if (intervals := self._intervals.get(conversation_id)) is None:
            return False
        if self.belongs(conversation_id):
            return any(one.since <= position and (one.until is None or position <= one.until) for one in intervals)
        return any(one.until == position for one in intervals)

    def current(self) -> set[int]:
        """Return the conversations that the user belongs to now."""
        return {conversation_id for conversation_id in self._intervals if self.belongs(conversation_id)}


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's membership in a conversation."""

    conversation_id: int
    user_id: int
    kind: str
    private: bool
    archived: bool
    role: str
    joined_seq: int
    read_seq: int
    last_seq: int


async def require_member(pool: Pool, user_id: int, conversation_id: int) -> Membership:
    """Return the membership; raise `NotFound` if the user is not a member."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_membership, [user_id, conversation_id])).fetchone()
    if row is None:
        raise NotFound
    return Membership(*row)


class IntervalReader:
    """Reads the membership intervals of many users in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._batcher = Batcher[int, MembershipIntervals](self._read, batch=500, limit=20_000)
        self.run = self._batcher.run

    async def of(self, user_id: int) -> MembershipIntervals:
        """Return all intervals of a user, and the log's position in the same snapshot."""
        return await self._batcher.submit(user_id)

    async def _read(self, user_ids: list[int]) -> list[MembershipIntervals]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_intervals, [user_ids])).fetchall()
        intervals: dict[int, list[Interval]] = {user_id: [] for user_id in user_ids}
        for _, user_id, *interval in rows:
            if user_id is not None:
                intervals[user_id].append(Interval(*interval))
        return [MembershipIntervals(rows[0][0], intervals[user_id]) for user_id in user_ids]
