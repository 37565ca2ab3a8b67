"""Membership: the scope of every look-up. What you do not belong to, you do not find."""

from collections.abc import Iterable
from dataclasses import dataclass

from chat.shared.batching import Batcher
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

# Stays: which conversations a user belonged to, between which log positions, and what they may read of them. Pure.
# The rule of `deploy/decisions/0043-reading-rule.md` for entries of the log; `chat/stream/pages.sql` says it in SQL.


@dataclass(frozen=True, slots=True)
class Stay:
    """A membership from position `since` (the entry that began it) to `until` (the one that ended it), inclusive."""

    conversation_id: int
    since: int
    until: int | None


class MembershipIntervals:
    """One user's stays, as of a log position."""

    def __init__(self, position: int, stays: Iterable[Stay]) -> None:
        self.position = position
        self._stays: dict[int, list[Stay]] = {}
        for stay in stays:
            self._stays.setdefault(stay.conversation_id, []).append(stay)

    def begin(self, conversation_id: int, position: int) -> None:
        """Begin a stay, unless it is known already."""
        if position > self.position:
            self._stays.setdefault(conversation_id, []).append(Stay(conversation_id, position, None))
            self.position = position

    def end(self, conversation_id: int, position: int) -> None:
        """End the current stay."""
        if position > self.position:
            stays = self._stays.get(conversation_id, [])
            self._stays[conversation_id] = [
                Stay(stay.conversation_id, stay.since, position) if stay.until is None else stay for stay in stays
            ]
            self.position = position

    def belongs(self, conversation_id: int) -> bool:
        """Return whether the user is a member now."""
        return any(stay.until is None for stay in self._stays.get(conversation_id, ()))

    def may_read(self, conversation_id: int, position: int) -> bool:
        """Return whether a replay hands over the entry at `position`, which is addressed to all members.

        Members read what was addressed to them, earlier stays included. Users who are no longer members read only the
        entries that ended their stays.
        """
        if (stays := self._stays.get(conversation_id)) is None:
            return False
        if self.belongs(conversation_id):
            return any(stay.since <= position and (stay.until is None or position <= stay.until) for stay in stays)
        return any(stay.until == position for stay in stays)

    def current(self) -> set[int]:
        """Return the conversations that the user belongs to now."""
        return {conversation_id for conversation_id in self._stays if self.belongs(conversation_id)}


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in a conversation."""

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
    """The conversation as its member sees it; raises `NotFound` for everybody else."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_membership, [user_id, conversation_id])).fetchone()
    if row is None:
        raise NotFound
    return Membership(*row)


class IntervalReader:
    """Reads many people's stays in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gather = Batcher[int, MembershipIntervals](self._read, batch=500, limit=20_000)
        self.run = self._gather.run

    async def of(self, user_id: int) -> MembershipIntervals:
        """All stays of this person, and the log's position in the same snapshot."""
        return await self._gather.submit(user_id)

    async def _read(self, user_ids: list[int]) -> list[MembershipIntervals]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_stays, [user_ids])).fetchall()
        stays: dict[int, list[Stay]] = {user_id: [] for user_id in user_ids}
        for _, user_id, *stay in rows:
            if user_id is not None:
                stays[user_id].append(Stay(*stay))
        return [MembershipIntervals(rows[0][0], stays[user_id]) for user_id in user_ids]
