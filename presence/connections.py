"""The presence sockets of this node: their pings and heartbeats."""

from collections.abc import Callable

from chat.shared.connections import ConnectionTable, Reason
from chat.shared.errors import RateLimited
from presence.socket import DRAIN, REVOKED, UNAVAILABLE, Socket

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
