"""Pictures: size, previews and metadata, found by another process (`image_worker.py`)."""

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

from chat.files.models import AnimationTooLong, TooManyPixels
from chat.files.sandbox import LAYERS
from chat.shared.errors import Overloaded, RateLimited
from chat.shared.rate_limits import Limit

IMAGE_WORKER = Path(__file__).with_name("image_worker.py")
AT_ONCE = 2  # on one node; other requests wait
WAITING_MOST = 100
BROKEN_PART = 4  # a broken picture costs this fraction of the largest one
PIXELS_RETRY = 60.0
SECONDS = 15.0
OUTPUT_MOST = 16 * 1024 * 1024
MetadataSpan = tuple[int, int, bytes]  # start, length, and the bytes to overwrite it with before zeros
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A picture's size in pixels as displayed, its WebPs (smallest first), and the metadata to overwrite."""

    width: int
    height: int
    webps: tuple[bytes, ...]
    metadata: tuple[MetadataSpan, ...]


class Pictures:
    """Processes pictures.

    `pixels_most`: larger pictures are refused before they are decoded. `strip`: report metadata to overwrite. `pixels`
    is the limit of each user. `processed` and `failed` count pictures.
    """

    def __init__(self, pixels_most: int, strip: bool = True, pixels: Limit | None = None) -> None:
        self._pixels_most, self._strip, self._pixels = pixels_most, strip, pixels or Limit("")
        self._queue = FairQueue(AT_ONCE, WAITING_MOST)
        self.processed = self.failed = 0
        self._sandbox_seen = False

    async def process(
        self, mode: Literal["previews", "avatar", "emoji"], body: AsyncIterable[bytes], user_id: int
    ) -> ImageInfo | None:
        """Return the picture's info; None if it cannot be shown as a picture. An animated emoji has a still WebP too.

        Raise `TooManyPixels`, `AnimationTooLong`, `RateLimited` if the user has no pixels left,
        `Overloaded`, and the errors of `body`.
        """
        self._pixels.check(user_id)
        async with self._queue.slot(user_id):
            left = self._pixels.left(user_id)
            most = self._pixels_most if left is None else min(self._pixels_most, left)
            output = await run_worker(IMAGE_WORKER, [mode, str(most)], body)
        line, _, rest = output.partition(b"\n")
        result: dict[str, Any] = orjson.loads(line) if line else {"refused": "died"}
        self._check_sandbox(result.get("layers"))
        reason = result.get("refused")
        if reason == "pixels":
            raise TooManyPixels if most == self._pixels_most else RateLimited(retry_after=PIXELS_RETRY)
        if reason:
            self._pixels.charge(user_id, self._pixels_most // (1 if reason == "died" else BROKEN_PART))
            self.failed += 1
            log.info("picture not processed", reason=reason)
            if reason == "animation":
                raise AnimationTooLong
            return None
        self._pixels.charge(user_id, result["pixels"])
        self.processed += 1
        metadata = tuple(
            (start, length, bytes.fromhex(new)) for start, length, new in result["metadata"] if self._strip
        )
        return ImageInfo(result["width"], result["height"], tuple(split(rest, result["sizes"])), metadata)

    def _check_sandbox(self, layers: list[str] | None) -> None:
        """Log once which layers of the sandbox this machine lacks; None if the worker did not report."""
        if layers is None or self._sandbox_seen:
            return
        self._sandbox_seen = True
        if missing := missing_layers(layers):
            log.warning("image worker runs with less protection", missing=missing)


def missing_layers(layers: Sequence[str]) -> list[str]:
    """Return the layers of the sandbox that are not in effect; only root can change its identity."""
    return [name for name in LAYERS if name not in layers and not (name == "identity" and os.geteuid() != 0)]


async def read_layers() -> list[str]:
    """Return the layers of the sandbox that are in effect on this machine."""
    output = await run_worker(IMAGE_WORKER, ["layers"], nothing())
    return list(orjson.loads(output)["layers"]) if output else []


async def nothing() -> AsyncIterator[bytes]:
    """Yield no bytes."""
    for piece in list[bytes]():
        yield piece


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    """Split the data into parts of these sizes."""
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    return [data[start : start + size] for start, size in zip(starts, sizes, strict=True)]


async def overwrite(body: AsyncIterable[bytes], metadata: Sequence[MetadataSpan]) -> AsyncIterator[bytes]:
    """Yield the same number of bytes with the metadata overwritten, in time linear in both."""
    at, left = 0, deque(sorted(metadata))
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


async def run_worker(program: Path, arguments: list[str], body: AsyncIterable[bytes]) -> bytes:
    """Return a worker's output; nothing if it dies or takes too long. It inherits no environment, so no secrets."""
    command = [sys.executable, "-I", str(program), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, env={}, cwd="/"
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, output = await asyncio.gather(feed(process, body), read_output(process))
            return output if await process.wait() == 0 else b""
    except TimeoutError:
        return b""
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def read_output(process: Process) -> bytes:
    """Return the worker's output; nothing if there is too much of it."""
    assert process.stdout is not None
    output = b""
    while len(output) <= OUTPUT_MOST and (piece := await process.stdout.read(OUTPUT_MOST)):
        output += piece
    return output if len(output) <= OUTPUT_MOST else b""


async def feed(process: Process, body: AsyncIterable[bytes]) -> None:
    """Write the body to the worker at the speed it reads. A worker that has died reads no more, which is no error."""
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        async for piece in body:
            process.stdin.write(piece)
            await process.stdin.drain()
    process.stdin.close()


RETRY_AFTER = 10.0
Turn = asyncio.Future[None]


class FairQueue:
    """A queue for `at_once` slots. `waiting_most` limits the waiting requests of all users together.

    If the queue is full, the user with the most waiting requests loses the latest of them, not the next user.
    """

    def __init__(self, at_once: int, waiting_most: int) -> None:
        self._free, self._most, self.waiting = at_once, waiting_most, 0
        self._queues: OrderedDict[Hashable, deque[Turn]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, user: Hashable) -> AsyncIterator[None]:
        """Wait for a slot, and hold it within the block; raise `Overloaded`."""
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
            else:  # the slot was given at the same moment
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
        """Give the slot to the user who has waited longest since their last turn."""
        if not self._queues:
            self._free += 1
            return
        user, queue = self._queues.popitem(last=False)
        turn = queue.popleft()
        self.waiting -= 1
        if queue:
            self._queues[user] = queue
        turn.set_result(None)
