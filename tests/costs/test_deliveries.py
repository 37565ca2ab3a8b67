"""A delivery's cost: one write a reader and commit, of bytes that all readers share, over either transport."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chat.log.entry import Entry
from chat.log.frame import encode_frame
from chat.shared.stays import Stay, Stays
from chat.stream.chunk import Chunk
from chat.stream.hub import Hub
from chat.stream.stream import Reason, Stream
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.node import NodeProcess
from tests.waiting import eventually, wait_until

READERS, ENTRIES = 50, 100
MESSAGES, EARS = 20, 10
# beside its write: what it shares with the others of its commit (the post's own calls, PostgreSQL, Redis, timers)
CALLS_MOST = 12.0


class Kept(Stream):
    """A stream that keeps what it is handed."""

    def __init__(self, user_id: int) -> None:
        super().__init__(user_id, user_id, None, lambda _stream: None)
        self.chunks: list[Chunk] = []

    def write(self, chunk: Chunk) -> None:
        """Keep it."""
        self.chunks.append(chunk)

    def close(self, reason: Reason) -> None:
        """Nothing to close."""


async def test_a_batch_is_one_write_a_reader_of_shared_bytes() -> None:
    """A hundred entries to fifty readers: fifty writes, one encoding for each transport."""
    hub = Hub(2**20, lambda _entry: None, lambda: None)
    hub.start_over("e", 0)
    readers = [Kept(n + 1) for n in range(READERS)]
    for reader in readers:
        hub.join(reader, Stays(0, [Stay(7, 0, None)]))
    frames = [encode_frame(f"e.{n}", None, b"{}") for n in range(1, ENTRIES + 1)]
    hub.hear([Entry(n, "message", 7, None, None, frame) for n, frame in enumerate(frames, 1)])
    assert [len(reader.chunks) for reader in readers] == [1] * READERS
    (chunk,) = {reader.chunks[0] for reader in readers}
    assert chunk.chunked is chunk.chunked
    assert chunk.framed is chunk.framed
    assert chunk.raw == b"".join(frames)


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here")
async def test_a_delivery_is_one_system_call(stage: Cast, start_node: StartNode, tmp_path: Path) -> None:
    """To ten readers ten writes a message; and all other calls of the node together are few."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana")
    room = await stage.share(ana)
    ears = [await ana.listens() for _ in range(EARS)]
    await ana.says(room, "warm")
    async with straced(node, tmp_path / "calls"):
        for n in range(MESSAGES):
            await ana.says(room, f"message {n}")
        for ear in ears:
            await eventually(lambda ear=ear: len(ear.bodies()) == MESSAGES + 1)  # type: ignore[misc]
    calls = read_calls(tmp_path / "calls")
    print(calls)
    writes = sum(calls.get(name, 0) for name in ("write", "writev", "sendto", "sendmsg"))
    assert MESSAGES * EARS <= writes <= MESSAGES * (EARS + CALLS_MOST)
    assert sum(calls.values()) <= MESSAGES * (2 * EARS + 8 * CALLS_MOST)


@asynccontextmanager
async def straced(node: NodeProcess, log: Path) -> AsyncIterator[None]:
    """Count the calls of the node's process during the block."""
    told = log.with_suffix(".told")
    with told.open("wb") as words:
        command = "strace", "-f", "-c", "-o", str(log), "-p", str(node.pid)
        tracer = await asyncio.create_subprocess_exec(*command, stdout=words, stderr=words)
    try:
        await eventually(lambda: b"attached" in told.read_bytes() or tracer.returncode is not None)
        if tracer.returncode is not None:
            pytest.skip(f"strace may not look here: {told.read_text()[-200:]}")
        yield
    finally:
        if tracer.returncode is None:
            os.kill(tracer.pid, 2)
        await tracer.wait()


def read_calls(log: Path) -> dict[str, int]:
    """Each system call, and how often it was made."""
    wait_until(lambda: "total" in log.read_text())
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", log.read_text(), re.MULTILINE)
    return {name: int(count) for count, name in rows if name != "total"}
