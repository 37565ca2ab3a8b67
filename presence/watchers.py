"""Watchers: which sockets look at whom, and one frame a socket a tick, with the latest of everybody who has changed.

A change costs as many writes as it has watchers, whoever else is online.
"""

import asyncio
from collections.abc import Callable, Iterable

import orjson

from chat.shared.transport.ws_frames import encode_frame
from presence.records import Record
from presence.socket import Socket

TICK_SECONDS = 0.1


class Watchers:
    """`record(person)`: what others see of him now; `typing(socket, conversation)`: who types there now as that client
    may see it, None if it may not; `own(socket)`: tell the client what its own person looks like. `writes` counts the
    frames that changes have cost."""

    def __init__(
        self,
        record: Callable[[int], Record | None],
        typing: Callable[[Socket, int], list[int] | None],
        own: Callable[[Socket], None],
    ) -> None:
        self._record, self._typing, self._own = record, typing, own
        self._of_user: dict[int, set[Socket]] = {}
        self._of_unseen: dict[int, set[Socket]] = {}
        self._of_room: dict[int, set[Socket]] = {}
        self._ready: set[Socket] = set()
        self._last, self.writes = 0.0, 0
        self._timer: asyncio.TimerHandle | None = None

    def add_users(self, socket: Socket, user_ids: Iterable[int]) -> list[int]:
        """It looks at these, too; returns those that are new to it."""
        socket.users = socket.users or set()
        return add(self._of_user, socket, socket.users, user_ids)

    def drop_users(self, socket: Socket, user_ids: Iterable[int]) -> list[int]:
        """It no longer looks at these; returns those that it did look at."""
        if socket.news_of:
            socket.news_of.difference_update(user_ids := set(user_ids))
        return drop(self._of_user, socket, socket.users, user_ids)

    def miss_users(self, socket: Socket, user_ids: Iterable[int]) -> None:
        """It would look at these, too, if it could see them."""
        socket.unseen = socket.unseen or set()
        add(self._of_unseen, socket, socket.unseen, user_ids)

    def find_users(self, socket: Socket, user_ids: Iterable[int]) -> None:
        """It no longer misses these."""
        drop(self._of_unseen, socket, socket.unseen, user_ids)

    def missing_user(self, user_id: int) -> tuple[Socket, ...]:
        """Who would look at this person."""
        return tuple(self._of_unseen.get(user_id, ()))

    def add_rooms(self, socket: Socket, conversation_ids: Iterable[int]) -> list[int]:
        """It wants to know who types in these."""
        socket.rooms = socket.rooms or set()
        return add(self._of_room, socket, socket.rooms, conversation_ids)

    def drop_rooms(self, socket: Socket, conversation_ids: Iterable[int]) -> list[int]:
        """It does no longer."""
        return drop(self._of_room, socket, socket.rooms, conversation_ids)

    def has_room(self, conversation_id: int) -> bool:
        """Does anybody here look at this conversation?"""
        return conversation_id in self._of_room

    def of_user(self, user_id: int) -> tuple[Socket, ...]:
        """Who looks at this person."""
        return tuple(self._of_user.get(user_id, ()))

    def user_changed(self, record: Record) -> None:
        """Others see something new of this person."""
        for socket in self._of_user.get(record.id, ()):
            socket.news_of = socket.news_of or set()
            socket.news_of.add(record.id)
            self.ready(socket)

    def room_changed(self, conversation_id: int, user_id: int) -> None:
        """This person types there, or no longer does. Where he is hidden, not even that is told."""
        for socket in self._of_room.get(conversation_id, ()):
            if socket.hidden and user_id in socket.hidden:
                continue
            socket.typing_in = socket.typing_in or set()
            socket.typing_in.add(conversation_id)
            self.ready(socket)

    def ready(self, socket: Socket) -> None:
        """It has to be told something, at the next tick."""
        self._ready.add(socket)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._last + TICK_SECONDS), self._flush)

    def _flush(self) -> None:
        self._timer, self._last = None, asyncio.get_running_loop().time()
        ready, self._ready = self._ready, set()
        news: dict[tuple[int, ...], bytes] = {}
        lists: dict[tuple[int, ...], bytes] = {}
        for socket in ready:
            if not socket.full and socket.greeted:
                self._tell(socket, news, lists)

    def _tell(self, socket: Socket, news: dict[tuple[int, ...], bytes], lists: dict[tuple[int, ...], bytes]) -> None:
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
            for conversation_id in socket.typing_in & (socket.rooms or set()):
                if (people := self._typing(socket, conversation_id)) is not None:
                    key = (conversation_id, *people)
                    frame = lists[key] = lists.get(key) or encode_typing(conversation_id, people)
                    socket.send(frame)
            socket.typing_in = None

    def encode(self, kind: bytes, user_ids: Iterable[int]) -> bytes:
        """A frame with the records of these people."""
        records = [record.encode() for one in user_ids if (record := self._record(one))]
        return encode_frame(b'{"type":"%b","users":[%b]}' % (kind, b",".join(records)))


def add(index: dict[int, set[Socket]], socket: Socket, own: set[int], ids: Iterable[int]) -> list[int]:
    """Enter the socket under each id; returns those under which it was not."""
    fresh = [one for one in dict.fromkeys(ids) if one not in own]
    for one in fresh:
        index.setdefault(one, set()).add(socket)
    own.update(fresh)
    return fresh


def drop(index: dict[int, set[Socket]], socket: Socket, own: set[int] | None, ids: Iterable[int]) -> list[int]:
    """Strike it out again; returns the ids under which it was."""
    stale = [one for one in set(ids) if own and one in own]
    for one in stale:
        index[one].discard(socket)
        if not index[one]:
            del index[one]
    if own:
        own.difference_update(stale)
    return stale


def encode_typing(conversation_id: int, user_ids: list[int]) -> bytes:
    """The whole list, which replaces the one before."""
    return encode_frame(orjson.dumps({"type": "typing", "conversation": conversation_id, "users": user_ids}))
