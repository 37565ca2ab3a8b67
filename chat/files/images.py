"""Pictures: what they are and what they look like small, found out by another process (`image_worker.py`)."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict, deque
from collections.abc import AsyncIterable, AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
import structlog

from chat.files.models import TooManyPixels
from chat.files.sandbox import LAYERS
from chat.shared.errors import Overloaded, RateLimited
from chat.shared.rate_limits import Limit

IMAGE_WORKER = Path(__file__).with_name("image_worker.py")
AT_ONCE = 2  # on one node; others wait for their turn
WAITING_MOST = 100
BROKEN_PART = 4  # a broken picture costs this part of the largest one
PIXELS_RETRY = 60.0
SECONDS = 15.0
ANSWER_MOST = 16 * 1024 * 1024
Trace = tuple[int, int, bytes]  # start, length, and what it is overwritten with, before zeros
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Its size in pixels as it is to be seen, its WebPs, the smallest first, and where it tells too much."""

    width: int
    height: int
    webps: tuple[bytes, ...]
    traces: tuple[Trace, ...]


class Pictures:
    """`pixels_most`: what has more is refused before it is decoded. `strip`: originals are to lose their traces.
    `pixels`: what each user may spend. `looked` and `failed` count."""

    def __init__(self, pixels_most: int, strip: bool = True, pixels: Limit | None = None) -> None:
        self._pixels_most, self._strip, self._pixels = pixels_most, strip, pixels or Limit("")
        self._turns = Turns(AT_ONCE, WAITING_MOST)
        self.looked = self.failed = 0
        self._sandbox_seen = False

    async def look(
        self, mode: Literal["previews", "avatar"], body: AsyncIterable[bytes], user_id: int
    ) -> ImageInfo | None:
        """Return what the picture looks like; None for what cannot be shown as one.

        Raise `TooManyPixels`, `RateLimited` when the user has no pixels left, `Overloaded`, and what `body` raises.
        """
        self._pixels.check(user_id)
        async with self._turns.of(user_id):
            left = self._pixels.left(user_id)
            most = self._pixels_most if left is None else min(self._pixels_most, left)
            answer = await develop([mode, str(most)], body)
        line, _, rest = answer.partition(b"\n")
        said: dict[str, Any] = orjson.loads(line) if line else {"refused": "died"}
        self._check_sandbox(said.get("layers"))
        reason = said.get("refused")
        if reason == "pixels":
            raise TooManyPixels if most == self._pixels_most else RateLimited(retry_after=PIXELS_RETRY)
        if reason:
            self._pixels.charge(user_id, self._pixels_most // (1 if reason == "died" else BROKEN_PART))
            self.failed += 1
            log.info("a picture could not be looked at", reason=reason)
            return None
        self._pixels.charge(user_id, said["width"] * said["height"])
        self.looked += 1
        traces = tuple((start, length, bytes.fromhex(new)) for start, length, new in said["traces"] if self._strip)
        return ImageInfo(said["width"], said["height"], tuple(split(rest, said["sizes"])), traces)

    def _check_sandbox(self, layers: list[str] | None) -> None:
        """Log once which layers of the sandbox this machine lacks; None: the worker did not say."""
        if layers is None or self._sandbox_seen:
            return
        self._sandbox_seen = True
        if missing := missing_layers(layers):
            log.warning("image worker runs with less protection", missing=missing)


def missing_layers(layers: Sequence[str]) -> list[str]:
    """Return the layers of the sandbox that do not hold; only a process of root can change its identity."""
    return [name for name in LAYERS if name not in layers and not (name == "identity" and os.geteuid() != 0)]


async def read_layers() -> list[str]:
    """Return the layers of the sandbox that hold on this machine."""
    answer = await develop(["layers"], nothing())
    return list(orjson.loads(answer)["layers"]) if answer else []


async def nothing() -> AsyncIterator[bytes]:
    """Yield no bytes."""
    for piece in list[bytes]():
        yield piece


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    """One after the other."""
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    return [data[start : start + size] for start, size in zip(starts, sizes, strict=True)]


async def overwrite(body: AsyncIterable[bytes], traces: Sequence[Trace]) -> AsyncIterator[bytes]:
    """The same number of bytes, without what stands there; each trace is looked at once, for there may be many."""
    at, left = 0, deque(sorted(traces))
    async for piece in body:
        changed, end = bytearray(piece), at + len(piece)
        while left and left[0][0] < end:
            start, length, new = left.popleft()
            here = min(end - start, length)
            changed[start - at : start - at + here] = new[:here].ljust(here, b"\0")
            if here < length:
                left.appendleft((end, length - here, new[here:]))
        at = end
        yield bytes(changed)


async def develop(arguments: list[str], body: AsyncIterable[bytes]) -> bytes:
    """What the program says; nothing, when it dies or takes too long. It inherits no environment: no secrets."""
    command = [sys.executable, "-I", str(IMAGE_WORKER), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, env={}, cwd="/"
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, answer = await asyncio.gather(feed(process, body), hear(process))
            return answer if await process.wait() == 0 else b""
    except TimeoutError:
        return b""
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def hear(process: Process) -> bytes:
    """All that it says; of one that does not stop talking, nothing."""
    assert process.stdout is not None
    answer = b""
    while len(answer) <= ANSWER_MOST and (piece := await process.stdout.read(ANSWER_MOST)):
        answer += piece
    return answer if len(answer) <= ANSWER_MOST else b""


async def feed(process: Process, body: AsyncIterable[bytes]) -> None:
    """All of it, as fast as it is taken; a program that has died takes nothing more, which is no error of ours."""
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        async for piece in body:
            process.stdin.write(piece)
            await process.stdin.drain()
    process.stdin.close()


# Turns: few places at once, handed to users in rotation, so that one user's queue does not delay another's.

RETRY_AFTER = 10.0
Turn = asyncio.Future[None]


class Turns:
    """`at_once`: places. `waiting_most`: waiting requests of all users together.

    When the queue is full, the user with the most waiting requests loses the latest of them, not the next user.
    """

    def __init__(self, at_once: int, waiting_most: int) -> None:
        self._free, self._most, self.waiting = at_once, waiting_most, 0
        self._queues: OrderedDict[Hashable, deque[Turn]] = OrderedDict()

    @asynccontextmanager
    async def of(self, user: Hashable) -> AsyncIterator[None]:
        """Wait for a place, and hold it within the block; raise `Overloaded`."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(user)
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, user: Hashable) -> None:
        if self.waiting >= self._most:
            self._make_room(user)
        turn: Turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user, deque()).append(turn)
        self.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(user, turn)
            else:  # the place came at the same moment
                self._hand_on()
            raise

    def _make_room(self, user: Hashable) -> None:
        longest = max(self._queues, key=lambda one: len(self._queues[one]))
        if len(self._queues[longest]) <= len(self._queues.get(user, ())) + 1:
            raise Overloaded(retry_after=RETRY_AFTER)
        turn = self._queues[longest][-1]
        self._forget(longest, turn)
        turn.set_exception(Overloaded(retry_after=RETRY_AFTER))

    def _forget(self, user: Hashable, turn: Turn) -> None:
        queue = self._queues[user]
        queue.remove(turn)
        self.waiting -= 1
        if not queue:
            del self._queues[user]

    def _hand_on(self) -> None:
        """Give the place to the user who has waited longest since their last turn."""
        if not self._queues:
            self._free += 1
            return
        user, queue = self._queues.popitem(last=False)
        turn = queue.popleft()
        self.waiting -= 1
        if queue:
            self._queues[user] = queue
        turn.set_result(None)
