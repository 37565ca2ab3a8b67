"""Apply log entries to presence: memberships, blocks and ended sessions of the users on this node.

A user's conversations are read when the first socket opens, and then updated from the log. Presence also sends the
cursor of the last entry for a user, the witness: a client whose stream has not delivered it knows that the stream is
stalled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chat.shared.membership import MembershipIntervals
from presence.protocol import TypingUsers
from presence.socket import RECHECK, PresenceConnections, Recheck, Socket
from presence.watchers import Watchers

# Log entries as presence reads them; presence does not import chat.log.

JOIN, LEAVE, LOGOUT, BLOCK, USER = "join", "leave", "logout", "block", "user"


class PresenceEntry(Protocol):
    """An entry for a conversation's members, for one user, or for everyone."""

    @property
    def position(self) -> int:
        """Return the position in the log."""

    @property
    def kind(self) -> str:
        """Return the kind of event."""

    @property
    def conversation_id(self) -> int | None:
        """Return the conversation whose members get it."""

    @property
    def user_id(self) -> int | None:
        """Return the one user who gets it."""

    @property
    def subject(self) -> int | None:
        """Return the user who joins, leaves, is blocked or has changed, or the session that ends, None for those of
        keys."""

    @property
    def frame(self) -> bytes:
        """Return the frame that readers get; empty if there are no readers."""


TIDY_SECONDS = 60.0


class UserScope:
    """A user with sockets on this node."""

    __slots__ = ("conversations", "last", "pending", "sockets")

    def __init__(self) -> None:
        self.sockets, self.last = 0, 0
        self.conversations: frozenset[int] = frozenset()
        self.pending: list[PresenceEntry] | None = []  # membership changes while the conversations are being read


class WatchScope:
    """The conversations of the users on this node, and the last entry for each.

    `read_intervals(user)` returns the user's membership intervals, as of a position of the log.
    """

    def __init__(self, read_intervals: Callable[[int], Awaitable[MembershipIntervals]]) -> None:
        self._read_intervals = read_intervals
        self._users: dict[int, UserScope] = {}
        self._last: dict[int, int] = {}  # of the conversations that users on this node belong to
        self._last_to_all = 0
        self.epoch = ""

    async def enter(self, user_id: int) -> None:
        """Add a socket of a user. Raise that PostgreSQL is unavailable; call `leave` even then."""
        user = self._users.setdefault(user_id, UserScope())
        user.sockets += 1
        if user.pending is None:
            return
        intervals = await self._read_intervals(user_id)
        for entry in user.pending or ():
            if entry.kind == JOIN:
                intervals.begin(entry.conversation_id or 0, entry.position)
            else:
                intervals.end(entry.conversation_id or 0, entry.position)
        if user.pending is not None:
            user.pending, user.conversations = None, frozenset(intervals.current())
        for conversation_id in user.conversations:
            self._last.setdefault(conversation_id, 0)

    def leave(self, user_id: int) -> None:
        """Remove a socket of a user."""
        user = self._users[user_id]
        user.sockets -= 1
        if not user.sockets:
            del self._users[user_id]

    def conversations(self, user_id: int) -> frozenset[int]:
        """Return the conversations that a user belongs to now."""
        user = self._users.get(user_id)
        return user.conversations if user else frozenset()

    def witness(self, user_id: int) -> str:
        """Return the cursor of the last entry for this user that this node has seen."""
        user = self._users[user_id]
        last = self._last
        latest = max((last.get(one, 0) for one in user.conversations), default=0)
        return f"{self.epoch}.{max(user.last, self._last_to_all, latest)}"

    def reset(self, epoch: str) -> None:
        """Forget all positions: the log has a new epoch."""
        self.epoch, self._last_to_all = epoch, 0
        self._last = dict.fromkeys(self._last, 0)
        for user in self._users.values():
            user.last = 0

    def on_entries(self, entries: Sequence[PresenceEntry]) -> None:
        """Apply the next entries of the log."""
        for entry in entries:
            if entry.kind in (JOIN, LEAVE) and (user := self._users.get(entry.subject or 0)):
                self._move(user, entry)
            if not entry.frame:
                continue
            if entry.user_id is not None:
                if user := self._users.get(entry.user_id):
                    user.last = entry.position
            elif entry.conversation_id is None:
                self._last_to_all = entry.position
            elif entry.conversation_id in self._last:
                self._last[entry.conversation_id] = entry.position

    def _move(self, user: UserScope, entry: PresenceEntry) -> None:
        conversation_id = entry.conversation_id or 0
        if user.pending is not None:
            user.pending.append(entry)
        elif entry.kind == JOIN:
            user.conversations |= {conversation_id}
            self._last.setdefault(conversation_id, 0)
        else:
            user.conversations -= {conversation_id}
            user.last = max(user.last, entry.position)

    async def run(self) -> None:
        """Forget, once a minute, conversations that no user on this node belongs to any more."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            used: set[int] = set().union(*(user.conversations for user in self._users.values()))
            self._last = {one: position for one, position in self._last.items() if one in used}


class LogFollower:
    """Updates the sockets of this node. `take(socket, recheck)` queues a check of visibility; `clock` is for typing."""

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

    def on_entries(self, entries: Sequence[PresenceEntry]) -> None:
        """Apply the next entries of the log."""
        self._scope.on_entries(entries)
        for entry in entries:
            if entry.kind == LOGOUT and entry.subject is not None:
                self._roster.revoke(entry.subject)
            elif entry.kind == LOGOUT and entry.user_id is not None:
                self._roster.revoke_acting(entry.user_id)
            elif entry.kind == USER:
                self._roster.close_observers_of(entry.subject or 0)
            elif entry.kind == LEAVE:
                self._on_leave(entry.conversation_id or 0, entry.subject or 0)
            elif entry.kind == JOIN:
                self._on_join(entry.subject or 0)
            elif entry.kind == BLOCK:
                self._on_block(entry.user_id or 0, entry.subject or 0)

    def _on_leave(self, conversation_id: int, user_id: int) -> None:
        if self._typing.note(conversation_id, user_id, False, self._clock()):
            self._watchers.typing_changed(conversation_id, user_id)
        for socket in {*self._roster.of_user(user_id), *self._watchers.of_user(user_id)}:
            self._recheck(socket)

    def _on_join(self, user_id: int) -> None:
        """Recheck clients with users they could not see: the user now shares a conversation with more users."""
        watching = [one for one in self._watchers.of_user(user_id) if one.rechecking]
        own = [one for one in self._roster.of_user(user_id) if one.unseen or one.rechecking]
        for socket in {*own, *watching, *self._watchers.of_unseen(user_id)}:
            self._recheck(socket)

    def _on_block(self, *user_ids: int) -> None:
        """Recheck both users after a block or unblock."""
        for user_id in user_ids:
            for socket in self._roster.of_user(user_id):
                self._recheck(socket)

    def _recheck(self, socket: Socket) -> None:
        """Queue one recheck, however many entries ask for it."""
        if not socket.to_recheck:
            socket.to_recheck = True
            self._take(socket, RECHECK)

    def reset(self, epoch: str) -> None:
        """Close all sockets: in the log's new epoch memberships may differ, so clients must reconnect."""
        self._scope.reset(epoch)
        self._roster.end_all("epoch")
