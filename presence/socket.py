"""Presence sockets: the clients of this node, what each watches, and which changes it has not been sent yet."""

from collections import deque
from collections.abc import Callable
from typing import Any

import orjson

from chat.shared.connections import ConnectionTable, Reason
from chat.shared.errors import ApiError, RateLimited
from chat.shared.identity import Member
from chat.shared.registry.connections import UserConnection
from chat.shared.transport.ws_frames import encode_frame
from chat.shared.transport.ws_protocol import WebSocketProtocol
from presence.protocol import BadSignal, Signal, parse_signal

DRAIN, REVOKED = (1001, "drain"), (4401, "login ended")
UNAVAILABLE, FAILED = (1013, "try again later"), (1011, "failed")
WAITING_MOST = 100


class Recheck:
    """An item for the inbox: check again which users this client can see."""


RECHECK = Recheck()


class BinaryFrame(BadSignal):
    """Signals must be text frames."""


class Socket(WebSocketProtocol):
    """A client's socket.

    `users`, `conversations`: on its screen. `unseen`: watched users that it cannot see; `hidden`: users whose typing it
    cannot see. `to_recheck`: a check of that is queued; `rechecking`: it is in progress.
    `news_of`, `typing_in`: users and conversations whose changes must be sent. They hold ids, not changes, so that a
    slow client gets the latest state and nothing accumulates.
    """

    __slots__ = (
        "bucket",
        "connection",
        "conversations",
        "deadline",
        "greeted",
        "handler",
        "hidden",
        "in_scope",
        "inbox",
        "member",
        "news_of",
        "own_news",
        "own_version",
        "rechecking",
        "to_recheck",
        "typing_in",
        "unseen",
        "users",
        "witness_sent",
    )

    def __init__(self, member: Member, connection: UserConnection, handler: "SocketHandler") -> None:
        super().__init__(handler.limited)
        self.member, self.connection, self.handler = member, connection, handler
        self.deadline, self.bucket, self.witness_sent = float("inf"), 0, ""
        self.users: set[int] | None = None
        self.unseen: set[int] | None = None
        self.hidden: frozenset[int] | None = None
        self.conversations: set[int] | None = None
        self.news_of: set[int] | None = None
        self.typing_in: set[int] | None = None
        self.inbox: deque[Signal | Recheck] | None = None
        self.greeted = self.in_scope = self.own_news = False
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
        """Queue the signal, or send why it is invalid."""
        try:
            signal = parse_signal(text)
        except BadSignal as bad:
            self.send_error(bad)
        else:
            self.handler.take(self, signal)

    def on_binary(self) -> None:
        """Send an error: signals are text frames."""
        self.send_error(BinaryFrame())

    def send_error(self, error: ApiError) -> None:
        """Send an error; close the socket if there were too many."""
        self.send_problem(encode_message({"type": "problem", "code": error.code, "detail": str(error)}))

    def send_message(self, message: dict[str, Any]) -> None:
        """Send a message to this client alone."""
        self.send(encode_message(message))

    def on_writable(self) -> None:
        """Send the latest state, because the client reads again."""
        self.handler.resumed(self)

    def on_lost(self) -> None:
        """Remove the closed socket."""
        self.handler.gone(self)


def encode_message(message: dict[str, Any]) -> bytes:
    """Return a text frame of JSON."""
    return encode_frame(orjson.dumps(message))


class SocketHandler:
    """The interface of the node for its sockets."""

    clock: Callable[[], float]
    limited: bool

    def take(self, socket: Socket, signal: Signal) -> None:
        """Queue a signal of the client."""
        raise NotImplementedError

    def resumed(self, socket: Socket) -> None:
        """Send what is pending to a client that reads again."""
        raise NotImplementedError

    def gone(self, socket: Socket) -> None:
        """Remove a closed socket."""
        raise NotImplementedError


# All sockets of this node: their pings and heartbeats.

BUCKETS = 20
WITNESS_BUCKETS = 5  # a changed witness is sent within a quarter of the heartbeat
CODES: dict[Reason, tuple[int, str]] = {"drain": DRAIN, "revoked": REVOKED, "expired": REVOKED, "epoch": UNAVAILABLE}


class TooManySockets(RateLimited):
    """You have too many sockets open. Close one first."""

    code = "too_many_sockets"


class PresenceConnections(ConnectionTable[Socket]):
    """All sockets. `beat`: seconds between the pings of a socket.

    `send_witness(socket, whole)` sends the witness; unless it is the `whole` heartbeat, only if the witness changed.
    `observers` are the sockets that are sent the dashboard's figures.
    """

    def __init__(self, per_user: int, beat: float, send_witness: Callable[[Socket, bool], None]) -> None:
        super().__init__(BUCKETS, beat, per_user, TooManySockets, lambda socket, reason: socket.close(*CODES[reason]))
        self._send_witness = send_witness
        self.observers: set[Socket] = set()

    def observe(self, socket: Socket) -> None:
        """Send the dashboard's figures to this socket until it closes."""
        if socket.open:
            self.observers.add(socket)

    def close_observers_of(self, user_id: int) -> None:
        """Close the sockets that observe by a key of this user, who may not be an admin anymore. They connect again."""
        for socket in [one for one in self.observers if one.member.key and one.member.key.maker_id == user_id]:
            socket.close(*DRAIN)

    def remove(self, socket: Socket) -> bool:
        """Forget a closed socket; return False if it is not in the table."""
        self.observers.discard(socket)
        return super().remove(socket)

    async def beat(self) -> None:
        """Ping each socket once in a beat, and send it a changed witness up to four times."""
        async for turn in self.turns():
            for bucket in range(turn % WITNESS_BUCKETS, BUCKETS, WITNESS_BUCKETS):
                for socket in self.visit(bucket):
                    if bucket == turn:
                        socket.ping()
                    if not socket.full and socket.greeted:
                        self._send_witness(socket, bucket == turn)
