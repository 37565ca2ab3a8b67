"""Clients that waste a server's time: connections that send nothing, or never finish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from chat.client.node_process import NodeProcess
from tests.cast import Cast
from tests.promises.conftest import StartNode

MACHINE = 25.0  # seconds that a busy machine adds
PATIENCE = 1


@pytest.fixture
async def node(start_node: StartNode) -> NodeProcess:
    """A node with short deadlines."""
    return await start_node("a1", KEEP_ALIVE_SECONDS=str(PATIENCE))


@asynccontextmanager
async def dialled(node: NodeProcess) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection for any bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Return what the server sends until it closes, which must be soon; a reset counts as closing."""
    said = bytearray()
    async with asyncio.timeout(PATIENCE + 10 + MACHINE):
        try:
            while data := await reader.read(65536):
                said += data
        except ConnectionError:
            pass
    return bytes(said)


async def test_connections_without_a_request(node: NodeProcess) -> None:
    """Connections that send nothing, one letter, or an unfinished head, first or later, are all closed."""
    whole = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
    async with AsyncExitStack() as stack:
        ends = [await stack.enter_async_context(dialled(node)) for _ in range(4)]
        for (_, writer), words in zip(ends, (b"", b"G", whole[:-2], whole + whole[:9]), strict=True):
            writer.write(words)
        *silence, answer = await asyncio.gather(*(everything(reader) for reader, _ in ends))
    assert silence == [b"", b"", b""]
    assert answer.startswith(b"HTTP/1.1 200")


async def test_many_silent_connections_do_not_block_others(stage: Cast, node: NodeProcess) -> None:
    """With five hundred silent connections, Ana is served."""
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben)
    async with AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(dialled(node)) for _ in range(500)]
        listener = await ben.listens()
        # not kept alive: the node's short deadline could close it just when it is used again
        await ana.says(room, "hello", headers={"Connection": "close"})
        await listener.hears("hello")
        await asyncio.gather(*(everything(reader) for reader, _ in silent))
    await ana.says(room, "still here")
    await listener.hears("hello", "still here")
