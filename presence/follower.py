"""The follower: what the entries of the log mean to the sockets of this node."""

from collections.abc import Callable, Sequence

from presence.entry import BLOCK, JOIN, LEAVE, LOGOUT, Entry
from presence.roster import Roster
from presence.scope import Scope
from presence.socket import RECHECK, UNAVAILABLE, Recheck, Socket
from presence.typing import Typing
from presence.watchers import Watchers


class Follower:
    """`take(socket, recheck)`: have it done in its turn; `clock`: the typing's."""

    def __init__(
        self,
        scope: Scope,
        roster: Roster,
        typing: Typing,
        watchers: Watchers,
        take: Callable[[Socket, Recheck], None],
        clock: Callable[[], float],
    ) -> None:
        self._scope, self._roster, self._typing, self._watchers = scope, roster, typing, watchers
        self._take, self._clock = take, clock

    def hear(self, entries: Sequence[Entry]) -> None:
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
        for socket in self._roster:
            socket.close(*UNAVAILABLE)
