"""A stream: one reader that is connected to this node, whatever carries its bytes."""

from collections.abc import Callable
from typing import Literal

from chat.log.entry import encode_notice
from chat.shared.registry.connections import Kind
from chat.stream.chunk import Chunk

SEND_SECONDS = 60.0  # how long a reader who catches up may take for what was sent

BYE_SECONDS = 5.0  # how long a reader may take for what is buffered and the bye behind it

Reason = Literal["drain", "age", "slow", "revoked", "expired", "epoch"]


class Stream:
    """What the hub and the roster know of a reader.

    `narrow`: only these conversations, or None for all; `deadline`: when it ends, by the loop's clock; `expires`: then
    because its login does, rather than because of its age; `live`: it has caught up and belongs to the hub;
    `leave` is called as soon as it has ended, however long its last bytes take.
    """

    __slots__ = (
        "bucket",
        "deadline",
        "ended",
        "expires",
        "leave",
        "live",
        "narrow",
        "record",
        "session_id",
        "user_id",
    )

    # The registry counts it as a connection of the person, which says nothing about use.
    kind: Kind = "stream"
    active = False
    lasting = True  # unlike a long poll, whose every answer is its end

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: "Callable[[Stream], None]"
    ) -> None:
        self.user_id, self.session_id, self.narrow, self.leave = user_id, session_id, narrow, leave
        self.deadline, self.expires = float("inf"), False
        self.bucket, self.live = 0, False
        self.record = 0  # its number among the records, 0 for none
        self.ended: Reason | None = None

    def wants(self, conversation_id: int | None) -> bool:
        """Is this conversation within what the reader asked for?"""
        return self.narrow is None or conversation_id in self.narrow

    def write(self, chunk: Chunk) -> None:
        """Hand over without waiting; whoever cannot keep up is cut."""
        raise NotImplementedError

    def beat(self, chunk: Chunk) -> None:
        """The reader's sign of life, with the node's position."""
        self.write(chunk)

    def end(self, reason: Reason) -> None:
        """Belong to nobody any more, say `bye` and close; a replay that is under way stops."""
        if self.ended is None:
            self.ended = reason
            self.leave(self)
            self.close(reason)

    def close(self, reason: Reason) -> None:
        """Say `bye` and close, as the carrier does it."""
        raise NotImplementedError


def encode_bye(reason: Reason) -> bytes:
    """The last frame of a stream; it has no id, so that the cursor stays."""
    return encode_notice("bye", b'{"reason":"%b"}' % reason.encode())
