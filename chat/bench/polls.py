"""Long polls: a reader that asks again, with the answer's cursor, as soon as it was answered."""

import asyncio
from typing import cast

import orjson

from chat.bench.answers import take_answer
from chat.bench.readers import Reader
from chat.bench.target import head_of


class Poller(Reader):
    """The first poll does not wait and finds out where the log ends; then it counts as open."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask where the log ends."""
        self.transport, self._rest, self.open = cast(asyncio.Transport, transport), b"", False
        self._ask(0)

    def _ask(self, seconds: int) -> None:
        path = f"{self._target.stream}?poll={seconds}&after={self.cursor}"
        if self.transport is not None:
            self.transport.write(head_of("GET", path, self._target, self.token, "") + b"\r\n")

    def data_received(self, data: bytes) -> None:
        """Once an answer is whole, ask for the next."""
        self._rest += data
        if (answer := take_answer(self._rest)) is None:
            return
        (head, body), self._rest = answer, b""
        if head[9:12] != b"200":
            if self.transport is not None:
                self.transport.close()
            return
        self.cursor = orjson.loads(body)["cursor"]
        self._tally.octets += len(head) + len(body) + 4
        if count := body.count(self._marker):
            self._note(body, count)
        if not self.open:
            self.open = True
            self._tally.opened += 1
            self._tally.changed.set()
        self._ask(25)
