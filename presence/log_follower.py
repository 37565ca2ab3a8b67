"""Scope: which conversations the people on this node belong to, and what was last said to them.

Read once when somebody comes, and then kept up to date from the log. What was last said makes presence the witness of
the message stream: a client whose stream has not brought it knows that the stream is stalled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chat.shared.membership import Stays
from presence.entry import JOIN, LEAVE, Entry

TIDY_SECONDS = 60.0


class Seat:
    """One person with sockets here."""

    __slots__ = ("conversations", "heard", "last", "sockets")

    def __init__(self) -> None:
        self.sockets, self.last = 0, 0
        self.conversations: frozenset[int] = frozenset()
        self.heard: list[Entry] | None = []  # membership changes while the conversations are being read


class Scope:
    """`read_stays(person)`: all his stays, as of a position of the log."""

    def __init__(self, read_stays: Callable[[int], Awaitable[Stays]]) -> None:
        self._read_stays = read_stays
        self._seats: dict[int, Seat] = {}
        self._last: dict[int, int] = {}  # of the conversations that somebody here belongs to
        self._last_to_all = 0
        self.epoch = ""

    async def enter(self, user_id: int) -> None:
        """A socket of this person has opened. Raises that PostgreSQL is away; `leave` is due all the same."""
        seat = self._seats.setdefault(user_id, Seat())
        seat.sockets += 1
        if seat.heard is None:
            return
        stays = await self._read_stays(user_id)
        for entry in seat.heard or ():
            if entry.kind == JOIN:
                stays.begin(entry.conversation_id or 0, entry.position)
            else:
                stays.end(entry.conversation_id or 0, entry.position)
        if seat.heard is not None:
            seat.heard, seat.conversations = None, frozenset(stays.current())
        for conversation_id in seat.conversations:
            self._last.setdefault(conversation_id, 0)

    def leave(self, user_id: int) -> None:
        """A socket has closed."""
        seat = self._seats[user_id]
        seat.sockets -= 1
        if not seat.sockets:
            del self._seats[user_id]

    def conversations(self, user_id: int) -> frozenset[int]:
        """What this person belongs to now."""
        seat = self._seats.get(user_id)
        return seat.conversations if seat else frozenset()

    def witness(self, user_id: int) -> str:
        """The cursor of the last entry addressed to this person that this node has seen."""
        seat = self._seats[user_id]
        last = self._last
        spoken = max((last.get(one, 0) for one in seat.conversations), default=0)
        return f"{self.epoch}.{max(seat.last, self._last_to_all, spoken)}"

    def start_over(self, epoch: str) -> None:
        """Another log; earlier positions mean nothing in it."""
        self.epoch, self._last_to_all = epoch, 0
        self._last = dict.fromkeys(self._last, 0)
        for seat in self._seats.values():
            seat.last = 0

    def hear(self, entries: Sequence[Entry]) -> None:
        """The next entries of the log."""
        for entry in entries:
            if entry.kind in (JOIN, LEAVE) and (seat := self._seats.get(entry.subject or 0)):
                self._move(seat, entry)
            if not entry.frame:
                continue
            if entry.user_id is not None:
                if seat := self._seats.get(entry.user_id):
                    seat.last = entry.position
            elif entry.conversation_id is None:
                self._last_to_all = entry.position
            elif entry.conversation_id in self._last:
                self._last[entry.conversation_id] = entry.position

    def _move(self, seat: Seat, entry: Entry) -> None:
        conversation_id = entry.conversation_id or 0
        if seat.heard is not None:
            seat.heard.append(entry)
        elif entry.kind == JOIN:
            seat.conversations |= {conversation_id}
            self._last.setdefault(conversation_id, 0)
        else:
            seat.conversations -= {conversation_id}
            seat.last = max(seat.last, entry.position)

    async def run(self) -> None:
        """Once a minute, let go of conversations that nobody here belongs to any more."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            used: set[int] = set().union(*(seat.conversations for seat in self._seats.values()))
            self._last = {one: position for one, position in self._last.items() if one in used}
