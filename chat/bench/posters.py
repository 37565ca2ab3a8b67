"""Posters: the generator's connections that speak, one request after the other, or so many a second."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from chat.bench.answers import take_answer

LAST = b"\r\nConnection: close"
BATCH_TAKEN = b'{"status":201,'


class Spoken:
    """What all posters of this process have said. `taken`: answered with 2xx; `items`: messages taken in batches;
    `refused`: statuses and how often; `moments`: nanoseconds from request to answer."""

    def __init__(self) -> None:
        self.taken = self.items = 0
        self.refused: dict[str, int] = {}
        self.moments: list[int] = []

    def answered(self) -> int:
        """How many have had an answer."""
        return self.taken + sum(self.refused.values())

    def note(self, head: bytes, body: bytes, moment: int) -> None:
        """One answer."""
        self.moments.append(time.monotonic_ns() - moment)
        if head[9:10] == b"2":
            self.taken += 1
            self.items += body.count(BATCH_TAKEN)
        else:
            status = head[9:12].decode()
            self.refused[status] = self.refused.get(status, 0) + 1


class Poster(asyncio.Protocol):
    """One keep-alive connection. `next_request()` gives what to send next, None when that was all; `waiting` requests
    are sent as soon as the one before is answered, as connections without pipelining do."""

    def __init__(self, next_request: Callable[[], bytes | None], spoken: Spoken, *, eager: bool) -> None:
        self._next, self._spoken, self._eager = next_request, spoken, eager
        self._rest, self._sent, self._due = b"", 0, 0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin at once, or wait to be asked."""
        self._transport = cast(asyncio.Transport, transport)
        if self._eager:
            self._send()

    def ask(self) -> None:
        """One more request: now, or when the connection is free."""
        self._due += 1
        if not self._sent:
            self._send()

    def _send(self) -> None:
        request = self._next() if self._transport is not None else None
        if request is None:
            self.finish()
        elif self._transport is not None:
            self._sent = time.monotonic_ns()
            self._transport.write(request)

    def finish(self) -> None:
        """Nothing more to say."""
        if self._transport is not None:
            self._transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        """An answer, once it is whole."""
        self._rest += data
        if (answer := take_answer(self._rest)) is None:
            return
        self._rest = b""
        self._spoken.note(*answer, self._sent)
        self._sent = 0
        self._due -= not self._eager
        if LAST in answer[0]:
            self.finish()
        elif self._eager or self._due > 0:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """The server has hung up: what was not answered is not taken."""
        self._transport = None
        self.finish()
