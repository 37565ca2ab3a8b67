"""A delivery is one system call, counted by strace where it is installed."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chat.client.node_process import NodeProcess
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.waiting import eventually, wait_until

MESSAGES, EARS = 20, 10

# besides deliveries: calls for the post, PostgreSQL, Redis, and waking the loop
CALLS_MOST = 40.0


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here")
async def test_a_delivery_is_one_system_call(stage: Cast, start_node: StartNode, tmp_path: Path) -> None:
    """A message to ten readers is ten writes, and the node makes few other calls."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana")
    ana.at = node.url
    room = await stage.share(ana)
    readers = [await ana.listens() for _ in range(EARS)]
    await ana.says(room, "warm")
    async with straced(node, tmp_path / "calls"):
        for n in range(MESSAGES):
            await ana.says(room, f"message {n}")
        for reader in readers:
            await eventually(lambda reader=reader: len(reader.bodies()) == MESSAGES + 1)  # type: ignore[misc]
    calls = read_calls(tmp_path / "calls")
    print(calls)
    writes = sum(calls.get(name, 0) for name in ("write", "writev", "sendto", "sendmsg"))
    assert MESSAGES * EARS <= writes <= MESSAGES * (EARS + CALLS_MOST)
    assert sum(calls.values()) <= MESSAGES * (EARS + 8 * CALLS_MOST)


@asynccontextmanager
async def straced(node: NodeProcess, log: Path) -> AsyncIterator[None]:
    """Count the system calls of the node's process during the block."""
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
    """Return the count of each system call."""
    wait_until(lambda: "total" in log.read_text())
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", log.read_text(), re.MULTILINE)
    return {name: int(count) for count, name in rows if name != "total"}
