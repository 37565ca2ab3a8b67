"""Clients of the load generator: readers, posters and long polls on bare transports. They count and look no closer
than they must."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import cast

import orjson

from chat.client.sse import find_last_id
from chat.tools.bench.targets import Target, draft, head_of, mask, post_address

MOMENT = re.compile(rb"~(\d{12,20}) ")
PING, PONG = 0x89, 10


class AnswerCounts:
    """The totals of all readers of this process. `moments` holds the nanoseconds each delivery took."""

    def __init__(self) -> None:
        self.opened = self.closed = self.refused = self.received = self.octets = 0
        self.wanted = 0
        self.moments: list[int] | None = None
        self.changed = asyncio.Event()

    def begin(self, wanted: int, timed: bool) -> None:
        """Start counting from zero, up to `wanted`."""
        self.received, self.octets, self.wanted = 0, 0, wanted
        self.moments = [] if timed else None
        self.changed.clear()

    def note(self, count: int) -> None:
        """Count more deliveries."""
        self.received += count
        if self.received >= self.wanted:
            self.changed.set()

    async def until(self, done: Callable[[], bool], limit: float) -> bool:
        """Wait until `done()` is true; return False after `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while not done():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True


class BenchReader(asyncio.Protocol):
    """A reader of one stream. `got` counts its messages."""

    __slots__ = ("_begun", "_marker", "_rest", "_tally", "_target", "cursor", "got", "open", "token", "transport")

    def __init__(self, target: Target, token: str, tally: AnswerCounts) -> None:
        self._target, self.token, self._tally = target, token, tally
        self._rest, self._begun, self.open = b"", False, False
        self._marker = target.marker.encode()
        self.cursor, self.got = "", 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self.transport = cast(asyncio.Transport, transport)
        self._rest, self._begun, self.open = b"", False, False
        self.transport.write(self._target.stream_request(self.token, self.cursor))

    def data_received(self, data: bytes) -> None:
        """Count messages, also one that arrives in two pieces."""
        rest = self._rest + data
        if not self.open:
            self._greet(rest)
            return
        self._tally.octets += len(data)
        if count := rest.count(self._marker):
            self._note(rest, count)
        elif self._target.websocket and data[0] == PING and self.transport:
            self.transport.write(mask(data[2:], PONG))
        self._rest = rest[len(rest) - len(self._marker) + 1 :]

    def _note(self, rest: bytes, count: int) -> None:
        self.got += count
        if self._tally.moments is not None:
            now = time.monotonic_ns()
            self._tally.moments += [now - int(moment) for moment in MOMENT.findall(rest)]
        self._tally.note(count)

    def _greet(self, rest: bytes) -> None:
        self._rest = rest
        if not self._begun and b"\r\n\r\n" in rest and self.transport:
            self._begun = rest[9:12] in (b"200", b"101")
            if not self._begun:
                self.transport.close()
                return
            if self._target.hello:
                self.transport.write(mask(self._target.hello.encode()))
        if self._begun and self._target.ready.encode() in rest:
            self.open, self._rest = True, b""
            self._tally.opened += 1
            self._tally.changed.set()
            self.data_received(rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """Note the end; a reader that never opened counts as refused."""
        self._tally.opened -= self.open
        self._tally.refused += not self.open
        self._tally.closed += 1
        self._tally.changed.set()
        self.open, self.transport = False, None


class ResumingReader(BenchReader):
    """A reader that keeps its cursor and resumes with it; counts complete frames only."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Count the complete frames."""
        rest = self._rest + data
        if not self.open:
            self._greet(rest)
            return
        whole, _, self._rest = rest.rpartition(b"\n\n")
        self.cursor = find_last_id(whole).decode() or self.cursor
        if count := whole.count(self._marker):
            self._note(whole, count)


# Posters: one request after the other, or at a fixed rate.

LAST = b"\r\nConnection: close"
BATCH_TAKEN = b'{"status":201,'


class PostCounts:
    """The totals of all posters of this process.

    `taken` counts answers with 2xx, `items` messages accepted in batches, `refused` other statuses. `moments` holds the
    nanoseconds from request to answer.
    """

    def __init__(self) -> None:
        self.taken = self.items = 0
        self.refused: dict[str, int] = {}
        self.moments: list[int] = []

    def answered(self) -> int:
        """Return how many requests have been answered."""
        return self.taken + sum(self.refused.values())

    def note(self, head: bytes, body: bytes, moment: int) -> None:
        """Count one answer."""
        self.moments.append(time.monotonic_ns() - moment)
        if head[9:10] == b"2":
            self.taken += 1
            self.items += body.count(BATCH_TAKEN)
        else:
            status = head[9:12].decode()
            self.refused[status] = self.refused.get(status, 0) + 1


class BenchPoster(asyncio.Protocol):
    """A poster on one keep-alive connection.

    `next_request()` returns the next request, None after the last. A request that is due waits for the answer to the
    one before, as connections without pipelining do.
    """

    def __init__(self, next_request: Callable[[], bytes | None], spoken: PostCounts, *, eager: bool) -> None:
        self._next, self._spoken, self._eager = next_request, spoken, eager
        self._rest, self._sent, self._due = b"", 0, 0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request, or wait for `ask`."""
        self._transport = cast(asyncio.Transport, transport)
        if self._eager:
            self._send()

    def ask(self) -> None:
        """Send one more request, now or when the connection is free."""
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
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Process an answer once it is complete."""
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
        """End; a request without an answer does not count."""
        self._transport = None
        self.finish()


# Open-loop load: posts at a fixed rate, answered or not, so that a queue shows as latency.

PATIENCE = 30.0


class OpenLoopLoad:
    """Posts at a fixed rate, over one connection for each token in turn.

    Each post carries the time at which it was due by our own timer, which has a resolution of milliseconds. A
    connection that is still waiting for an answer then counts against the server.
    """

    def __init__(self, target: Target, tokens: list[str], rate: float, name: str, spoken: PostCounts) -> None:
        self._target, self._tokens, self._rate, self._name, self._spoken = target, tokens, rate, name, spoken
        self._begun, self._asked = 0.0, list[int]()

    async def fall(self, count: int) -> None:
        """Send `count` posts, then wait for the answers."""
        posters = [await self._connect(n, count) for n in range(len(self._tokens))]
        self._begun = time.monotonic()
        for turn in range(count):
            if (wait := self._due(turn) - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._asked.append(time.monotonic_ns())
            posters[turn % len(posters)].ask()
        deadline = time.monotonic() + PATIENCE
        while self._spoken.answered() < count and time.monotonic() < deadline:  # noqa: ASYNC110 (one that tells costs each)
            await asyncio.sleep(0.01)
        for poster in posters:
            poster.finish()

    def _due(self, turn: int) -> float:
        return self._begun + turn / self._rate

    async def _connect(self, n: int, count: int) -> BenchPoster:
        turns = iter(range(n, count, len(self._tokens)))

        def next_request() -> bytes | None:
            if (turn := next(turns, None)) is None:
                return None
            message = draft(f"{self._name}-{turn}", self._asked[turn])
            return self._target.post_request(self._tokens[n], message)

        poster = BenchPoster(next_request, self._spoken, eager=False)
        await asyncio.get_running_loop().create_connection(lambda: poster, *post_address(self._target))
        return poster


# Long polls: a reader that polls again at once, with the cursor of the answer.


class PollingReader(BenchReader):
    """A reader by long polls. The first poll does not wait and finds the end of the log; then the reader counts as
    open."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the end of the log."""
        self.transport, self._rest, self.open = cast(asyncio.Transport, transport), b"", False
        self._ask(0)

    def _ask(self, seconds: int) -> None:
        path = f"{self._target.stream}?poll={seconds}&after={self.cursor}"
        if self.transport is not None:
            self.transport.write(head_of("GET", path, self._target, self.token, "") + b"\r\n")

    def data_received(self, data: bytes) -> None:
        """Send the next poll once an answer is complete."""
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


# HTTP answers from bytes. Pure.

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def take_answer(data: bytes) -> tuple[bytes, bytes] | None:
    """Return `(head, body)` of a complete answer, else None."""
    head, end, body = data.partition(b"\r\n\r\n")
    return (head, body) if end and is_whole(head, body) else None


def is_whole(head: bytes, body: bytes) -> bool:
    """Return whether the body is complete, by its length or last chunk; an answer with neither has no body."""
    if length := LENGTH.search(head):
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else True
