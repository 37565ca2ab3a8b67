"""Scope: which conversations the people on this node belong to, and what was last said to them.

Read once when somebody comes, and then kept up to date from the log. What was last said makes presence the witness of
the message stream: a client whose stream has not brought it knows that the stream is stalled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chat.shared.membership import MembershipIntervals
from presence.connections import PresenceConnections
from presence.socket import RECHECK, Recheck, Socket
from presence.typing import TypingUsers
from presence.watchers import Watchers

# Entries of the log as presence needs them; the log itself belongs to the messages, which presence does not know.

JOIN, LEAVE, LOGOUT, BLOCK = "join", "leave", "logout", "block"


class PresenceEntry(Protocol):
    """Addressed to a conversation's members, to one person, or to everyone. `subject`: whom or what it is about."""

    @property
    def position(self) -> int:
        """Its place in the log."""

    @property
    def kind(self) -> str:
        """What happened."""

    @property
    def conversation_id(self) -> int | None:
        """To whose members it goes."""

    @property
    def user_id(self) -> int | None:
        """To whom it goes alone."""

    @property
    def subject(self) -> int | None:
        """The person who joins, leaves or is blocked, or the login that ends."""

    @property
    def frame(self) -> bytes:
        """What its readers get; nothing for those that nobody reads."""


TIDY_SECONDS = 60.0


class UserConnections:
    """One person with sockets here."""

    __slots__ = ("conversations", "heard", "last", "sockets")

    def __init__(self) -> None:
        self.sockets, self.last = 0, 0
        self.conversations: frozenset[int] = frozenset()
        self.heard: list[PresenceEntry] | None = []  # membership changes while the conversations are being read


class WatchScope:
    """`read_stays(person)`: all his stays, as of a position of the log."""

    def __init__(self, read_stays: Callable[[int], Awaitable[MembershipIntervals]]) -> None:
        self._read_stays = read_stays
        self._seats: dict[int, UserConnections] = {}
        self._last: dict[int, int] = {}  # of the conversations that somebody here belongs to
        self._last_to_all = 0
        self.epoch = ""

    async def enter(self, user_id: int) -> None:
        """A socket of this person has opened. Raises that PostgreSQL is away; `leave` is due all the same."""
        seat = self._seats.setdefault(user_id, UserConnections())
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

    def hear(self, entries: Sequence[PresenceEntry]) -> None:
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

    def _move(self, seat: UserConnections, entry: PresenceEntry) -> None:
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


# The follower: what the entries of the log mean to the sockets of this node.


class LogFollower:
    """`take(socket, recheck)`: have it done in its turn; `clock`: the typing's."""

    def __init__(
        self,
        scope: WatchScope,
        roster: PresenceConnections,
        typing: TypingUsers,
        watchers: Watchers,
        take: Callable[[Socket, Recheck], None],
        clock: Callable[[], float],
    ) -> None:
        self._scope, self._roster, self._typing, self._watchers = scope, roster, typing, watchers
        self._take, self._clock = take, clock

    def hear(self, entries: Sequence[PresenceEntry]) -> None:
        """The next entries of the log."""
        self._scope.hear(entries)
        for entry in entries:
            if entry.kind == LOGOUT and entry.subject is not None:
                self._roster.revoke(entry.subject)
            elif entry.kind == LEAVE:
                self._part(entry.conversation_id or 0, entry.subject or 0)
            elif entry.kind == JOIN:
                self._meet(entry.subject or 0)
            elif entry.kind == BLOCK:
                self._fall_out(entry.user_id or 0, entry.subject or 0)

    def _part(self, conversation_id: int, user_id: int) -> None:
        if self._typing.note(conversation_id, user_id, False, self._clock()):
            self._watchers.room_changed(conversation_id, user_id)
        for socket in {*self._roster.of_user(user_id), *self._watchers.of_user(user_id)}:
            self._recheck(socket)

    def _meet(self, user_id: int) -> None:
        """He shares a conversation with people that he did not; only who misses somebody needs to look again."""
        looking = [one for one in self._watchers.of_user(user_id) if one.rechecking]
        own = [one for one in self._roster.of_user(user_id) if one.unseen or one.rechecking]
        for socket in {*own, *looking, *self._watchers.missing_user(user_id)}:
            self._recheck(socket)

    def _fall_out(self, *people: int) -> None:
        """One has blocked the other, or does no longer: each of the two looks again."""
        for user_id in people:
            for socket in self._roster.of_user(user_id):
                self._recheck(socket)

    def _recheck(self, socket: Socket) -> None:
        """Once, however much happens before it gets to it."""
        if not socket.to_recheck:
            socket.to_recheck = True
            self._take(socket, RECHECK)

    def start_over(self, epoch: str) -> None:
        """The log is another one than before: who belongs where may be, too, so everybody comes back and asks anew."""
        self._scope.start_over(epoch)
        self._roster.end_all("epoch")
