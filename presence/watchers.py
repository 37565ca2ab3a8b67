"""Watchers: which sockets watch which users and conversations, and what they are sent.

A socket gets at most one frame in a tick (0.1 s), with the latest records of all changed users. A change costs one
write for each watcher, however many users are online.
"""

import asyncio
from collections.abc import Callable, Iterable

import orjson

from chat.shared.transport.ws_frames import encode_frame
from presence.protocol import Record
from presence.socket import Socket

TICK_SECONDS = 0.1
Frames = dict[tuple[int, ...], bytes]  # by what they contain, so that equal ones are encoded once


class Watchers:
    """The sockets that watch users and conversations.

    `record(user)` returns what others see of the user. `typing(socket, conversation)` returns the typing users that the
    client can see, None if it is no member. `own(socket)` sends the user's own view. `writes`: frames of changes.
    """

    def __init__(
        self,
        record: Callable[[int], Record | None],
        typing: Callable[[Socket, int], list[int] | None],
        own: Callable[[Socket], None],
    ) -> None:
        self._record, self._typing, self._own = record, typing, own
        self._of_user: dict[int, set[Socket]] = {}
        self._of_unseen: dict[int, set[Socket]] = {}
        self._of_conversation: dict[int, set[Socket]] = {}
        self._ready: set[Socket] = set()
        self._last, self.writes = 0.0, 0
        self._timer: asyncio.TimerHandle | None = None

    def add_users(self, socket: Socket, user_ids: Iterable[int]) -> list[int]:
        """Start watching users; return the new ones."""
        socket.users = socket.users or set()
        return add(self._of_user, socket, socket.users, user_ids)

    def drop_users(self, socket: Socket, user_ids: Iterable[int]) -> list[int]:
        """Stop watching users; return those that were watched."""
        if socket.news_of:
            socket.news_of.difference_update(user_ids := set(user_ids))
        return drop(self._of_user, socket, socket.users, user_ids)

    def add_unseen(self, socket: Socket, user_ids: Iterable[int]) -> None:
        """Note watched users that the client cannot see now."""
        socket.unseen = socket.unseen or set()
        add(self._of_unseen, socket, socket.unseen, user_ids)

    def drop_unseen(self, socket: Socket, user_ids: Iterable[int]) -> None:
        """Remove users from those that the client cannot see."""
        drop(self._of_unseen, socket, socket.unseen, user_ids)

    def of_unseen(self, user_id: int) -> tuple[Socket, ...]:
        """Return the sockets that watch this user, but cannot see them."""
        return tuple(self._of_unseen.get(user_id, ()))

    def add_conversations(self, socket: Socket, conversation_ids: Iterable[int]) -> list[int]:
        """Start watching the typing in conversations; return the new ones."""
        socket.conversations = socket.conversations or set()
        return add(self._of_conversation, socket, socket.conversations, conversation_ids)

    def drop_conversations(self, socket: Socket, conversation_ids: Iterable[int]) -> list[int]:
        """Stop watching conversations; return those that were watched."""
        return drop(self._of_conversation, socket, socket.conversations, conversation_ids)

    def is_watched(self, conversation_id: int) -> bool:
        """Return whether a client of this node watches the conversation."""
        return conversation_id in self._of_conversation

    def of_user(self, user_id: int) -> tuple[Socket, ...]:
        """Return the sockets that watch this user."""
        return tuple(self._of_user.get(user_id, ()))

    def user_changed(self, record: Record) -> None:
        """Queue a changed record for its watchers."""
        for socket in self._of_user.get(record.id, ()):
            socket.news_of = socket.news_of or set()
            socket.news_of.add(record.id)
            self.ready(socket)

    def typing_changed(self, conversation_id: int, user_id: int) -> None:
        """Queue a changed typing list for its watchers, except those from whom the user is hidden."""
        for socket in self._of_conversation.get(conversation_id, ()):
            if socket.hidden and user_id in socket.hidden:
                continue
            socket.typing_in = socket.typing_in or set()
            socket.typing_in.add(conversation_id)
            self.ready(socket)

    def ready(self, socket: Socket) -> None:
        """Send what is pending for a socket at the next tick."""
        self._ready.add(socket)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._last + TICK_SECONDS), self._flush)

    def _flush(self) -> None:
        self._timer, self._last = None, asyncio.get_running_loop().time()
        ready, self._ready = self._ready, set()
        news: Frames = {}
        lists: Frames = {}
        for socket in ready:
            if not socket.full and socket.greeted:
                self._send_news(socket, news, lists)

    def _send_news(
        self, socket: Socket, news: dict[tuple[int, ...], bytes], lists: dict[tuple[int, ...], bytes]
    ) -> None:
        if socket.own_news:
            socket.own_news = False
            self._own(socket)
        if socket.news_of:
            key, socket.news_of = tuple(sorted(socket.news_of)), None
            if (frame := news.get(key)) is None:
                frame = news[key] = self.encode(b"presence", key)
            socket.send(frame)
            self.writes += 1
        if socket.typing_in:
            for conversation_id in socket.typing_in & (socket.conversations or set()):
                if (users := self._typing(socket, conversation_id)) is not None:
                    key = (conversation_id, *users)
                    frame = lists[key] = lists.get(key) or encode_typing(conversation_id, users)
                    socket.send(frame)
            socket.typing_in = None

    def encode(self, kind: bytes, user_ids: Iterable[int]) -> bytes:
        """Return a frame with the known records of these users."""
        records = [record.encode() for one in user_ids if (record := self._record(one))]
        return encode_frame(b'{"type":"%b","users":[%b]}' % (kind, b",".join(records)))


def add(index: dict[int, set[Socket]], socket: Socket, own: set[int], ids: Iterable[int]) -> list[int]:
    """Add the socket under each id; return the ids that are new to it."""
    fresh = [one for one in dict.fromkeys(ids) if one not in own]
    for one in fresh:
        index.setdefault(one, set()).add(socket)
    own.update(fresh)
    return fresh


def drop(index: dict[int, set[Socket]], socket: Socket, own: set[int] | None, ids: Iterable[int]) -> list[int]:
    """Remove the socket from each id; return the ids that it had."""
    stale = [one for one in set(ids) if own and one in own]
    for one in stale:
        index[one].discard(socket)
        if not index[one]:
            del index[one]
    if own:
        own.difference_update(stale)
    return stale


def encode_typing(conversation_id: int, user_ids: list[int]) -> bytes:
    """Return a frame with the whole list, which replaces the one before."""
    return encode_frame(orjson.dumps({"type": "typing", "conversation": conversation_id, "users": user_ids}))
