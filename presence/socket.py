"""A socket: one client of this node, what it looks at, and what it has not been told yet."""

from collections import deque
from collections.abc import Callable
from typing import Any

import orjson

from chat.shared.errors import ApiError
from chat.shared.identity import Member
from chat.shared.registry.connections import UserConnection
from chat.shared.transport.ws_frames import encode_frame
from chat.shared.transport.ws_protocol import WebSocketProtocol
from presence.signals import BadSignal, Signal, parse_signal

DRAIN, REVOKED = (1001, "drain"), (4401, "login ended")
UNAVAILABLE, FAILED = (1013, "try again later"), (1011, "failed")
WAITING_MOST = 100


class Recheck:
    """To be done between two signals: see again whom this client may see."""


RECHECK = Recheck()


class Binary(BadSignal):
    """Signals are text frames."""


class Socket(WebSocketProtocol):
    """`users` and `rooms`: the people and conversations on its screen; `unseen`: the people there whom it may not see,
    `hidden`: those whose typing it may not. `to_recheck`: that is to be looked at again; `rechecking`: it is being.
    `news_of`, `typing_in`: of which of them it still has to be told; only that, never what, so that a slow client gets
    the latest state and nothing piles up."""

    __slots__ = (
        "bucket",
        "connection",
        "deadline",
        "greeted",
        "hidden",
        "inbox",
        "member",
        "news_of",
        "own_news",
        "own_version",
        "reception",
        "rechecking",
        "rooms",
        "seated",
        "to_recheck",
        "told",
        "typing_in",
        "unseen",
        "users",
    )

    def __init__(self, member: Member, connection: UserConnection, reception: "Reception") -> None:
        super().__init__(reception.limited)
        self.member, self.connection, self.reception = member, connection, reception
        self.deadline, self.bucket, self.told = float("inf"), 0, ""
        self.users: set[int] | None = None
        self.unseen: set[int] | None = None
        self.hidden: frozenset[int] | None = None
        self.rooms: set[int] | None = None
        self.news_of: set[int] | None = None
        self.typing_in: set[int] | None = None
        self.inbox: deque[Signal | Recheck] | None = None
        self.greeted = self.seated = self.own_news = False
        self.to_recheck = self.rechecking = False
        self.own_version = -1

    @property
    def user_id(self) -> int:
        """Return the id of the user."""
        return self.member.user_id

    @property
    def session_id(self) -> int:
        """Return the id of the session."""
        return self.member.session_id

    def on_text(self, text: bytes) -> None:
        """Take the signal, or say what is wrong with it."""
        try:
            signal = parse_signal(text)
        except BadSignal as bad:
            self.complain(bad)
        else:
            self.reception.take(self, signal)

    def on_binary(self) -> None:
        """Not our language."""
        self.complain(Binary())

    def complain(self, refusal: ApiError) -> None:
        """Say what was refused; the socket stays open, unless that happens too often."""
        self.send_problem(encode_message({"type": "problem", "code": refusal.code, "detail": str(refusal)}))

    def say(self, message: dict[str, Any]) -> None:
        """One message to this client alone."""
        self.send(encode_message(message))

    def on_writable(self) -> None:
        """It reads again: now it is told what is the latest by now."""
        self.reception.resumed(self)

    def on_lost(self) -> None:
        """It has gone."""
        self.reception.gone(self)


def encode_message(message: dict[str, Any]) -> bytes:
    """Return a text frame of JSON."""
    return encode_frame(orjson.dumps(message))


class Reception:
    """What a socket needs of the node."""

    clock: Callable[[], float]
    limited: bool

    def take(self, socket: Socket, signal: Signal) -> None:
        """It has said something."""
        raise NotImplementedError

    def resumed(self, socket: Socket) -> None:
        """It reads again."""
        raise NotImplementedError

    def gone(self, socket: Socket) -> None:
        """It is closed."""
        raise NotImplementedError
